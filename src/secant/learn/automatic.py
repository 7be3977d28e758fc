"""Training by the method that suits the problem, and by the next one where that fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import torch

from secant.learn.choice import (
    SINGLE_DISTANCE,
    Candidate,
    Circumstances,
    available_memory,
    choose,
)
from secant.learn.closed_form.objective import has_closed_form
from secant.learn.error_terms import BinaryCrossEntropy, CrossEntropy, SquaredTerm
from secant.learn.errors import InputError
from secant.learn.history import History
from secant.learn.loss import LossIndex
from secant.learn.network import Perceptron
from secant.learn.sample import Sample
from secant.status import Status

if TYPE_CHECKING:
    from secant.learn.strategy import Strategy, Training

__all__ = ["circumstances", "train_automatically"]

_FAILED = {
    Status.SEARCH_FAILED,
    Status.WRONG_GRADIENT,
    Status.NOISY,
    Status.NON_DETERMINISTIC,
    Status.DIVERGED,
    Status.UNBOUNDED,
}

_TINY = 1e-300
"""In place of a variance of 0."""

Train = Callable[
    [
        "Perceptron",
        LossIndex,
        Sample,
        "Sample | None",
        "Strategy",
        Callable[[History], None] | None,
    ],
    "Training",
]


def circumstances(
    network: Perceptron,
    index: LossIndex,
    train: Sample,
    memory: float | None = None,
    validated: bool = False,
) -> Circumstances:
    """What `choose` has to know of a training; ``memory`` is that of the machine by default."""
    closed = has_closed_form(network, train.inputs)
    smooth = not (index.l1 or index.smooth_l1)
    return Circumstances(
        network.count,
        len(train),
        network.sizes[0],
        network.sizes[-1],
        squares=closed and smooth and isinstance(index.error, SquaredTerm),
        classes=isinstance(index.error, BinaryCrossEntropy | CrossEntropy),
        penalty=index.l2 * len(train),
        validated=validated,
        absolute=index.l1 > 0.0,
        batches=closed,
        itemsize=train.inputs.element_size(),
        memory=available_memory() if memory is None else memory,
        distance=max(_distance(train.inputs), _distance(train.targets)) if closed else 0.0,
    )


def _distance(table: torch.Tensor) -> float:
    """The farthest mean of a column from 0, in standard deviations; of a constant one 0."""
    if not table.is_floating_point():  # places of classes
        return 0.0
    values = table.numpy()
    rows = len(values)
    with np.errstate(all="ignore"):  # squares that overflow make it NaN, which is not below a limit
        mean = np.full(rows, 1.0 / rows) @ values
        variance = np.einsum("ij,ij->j", values, values) / rows - mean * mean
        distance = np.abs(mean) / np.sqrt(np.maximum(variance, _TINY))
    for place in np.flatnonzero(distance > SINGLE_DISTANCE):
        if np.ptp(values[:, place]) == 0.0:
            distance[place] = 0.0
    return float(distance.max())


def train_automatically(
    train_network: Train,
    network: Perceptron,
    index: LossIndex,
    train: Sample,
    validation: Sample | None,
    strategy: Strategy,
    progress: Callable[[History], None] | None,
) -> Training:
    """Train by the candidates of `choose` in turn until one does not fail.

    A method that ends in a failure leaves the network at its best weights, where the next one goes
    on; one that does not have the memory it needs has not begun.
    """
    candidates = choose(circumstances(network, index, train, validated=validation is not None))
    started, why = perf_counter(), ""
    past: Training | None = None
    for candidate in candidates:
        left = strategy if past is None else _left(strategy, past, perf_counter() - started)
        if left is None:
            break
        chosen = _with_method(left, candidate)
        try:
            training = train_network(network, index, train, validation, chosen, progress)
        except InputError as error:
            if not isinstance(error.__cause__, MemoryError | RuntimeError):
                raise
            why += f"{candidate.method} had too little memory; "
            if candidate is candidates[-1] and past is None:
                raise
            continue
        except KeyboardInterrupt:  # before the first iteration of a method
            if past is None:
                raise
            return replace(past, status=Status.INTERRUPTED)
        training = replace(training, method=candidate.method, reason=why + candidate.reason)
        past = training if past is None else _joined(past, training)
        if training.status not in _FAILED:
            break
        why += f"{candidate.method} ended ({training.status.value}); "
    assert past is not None
    return past


def _left(strategy: Strategy, past: Training, seconds: float) -> Strategy | None:
    """The strategy with what is left of its limits; None where one is used up."""
    seconds = strategy.max_seconds - seconds
    iterations, evaluations = strategy.max_iter - past.iterations, strategy.max_evals
    if evaluations is not None:
        evaluations -= past.evaluations
    if min(seconds, iterations, 1 if evaluations is None else evaluations) <= 0:
        return None
    return replace(strategy, max_seconds=seconds, max_iter=iterations, max_evals=evaluations)


def _with_method(strategy: Strategy, candidate: Candidate) -> Strategy:
    """The strategy with a candidate's method, without the options that this one has no use for."""
    if candidate.method == "adam":
        return replace(strategy, method="adam")
    return replace(
        strategy,
        method=candidate.method,
        pairs=candidate.pairs,
        single_first=candidate.single_first,
        learning_rate=None,
        batch_size=None,
    )


def _joined(first: Training, second: Training) -> Training:
    """Two trainings, the second from where the first ended, as one."""
    epochs = list(first.history)
    last = epochs[-1]
    following = [
        replace(
            epoch,
            iteration=epoch.iteration + last.iteration,
            seconds=epoch.seconds + first.seconds,
            evaluations=epoch.evaluations + first.evaluations,
        )
        for epoch in list(second.history)[1:]
    ]
    history = History(epochs + following)
    return replace(
        second,
        history=history,
        best=history.best,
        iterations=first.iterations + second.iterations,
        evaluations=first.evaluations + second.evaluations,
        gradients=first.gradients + second.gradients,
        seconds=first.seconds + second.seconds,
    )
