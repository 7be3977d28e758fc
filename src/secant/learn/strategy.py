"""How a network is trained: which method, when to stop, and which weights are kept.

The optimiser minimises the loss index on the training rows. After each of its iterations the error
on the validation rows is measured; when that has not fallen for `patience` iterations in a row, the
training stops. Whatever ends it, the network is left with the weights of the lowest validation
error; without validation rows, with those of the lowest loss index.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import secant
from secant.learn.automatic import train_automatically
from secant.learn.closed_form.objective import has_closed_form
from secant.learn.errors import InputError, is_end_of_memory
from secant.learn.history import Epoch, History
from secant.learn.learner import InClosedForm
from secant.learn.loss import LossIndex
from secant.learn.minibatch import BATCH_METHODS, BATCH_SIZE, BatchSettings, train_in_batches
from secant.learn.monitor import Monitor
from secant.learn.network import Perceptron
from secant.learn.runs import ORTHANT_WISE, Options, Prepared, prepared
from secant.learn.sample import Sample as Sample
from secant.learn.strategy_settings import AUTO as AUTO
from secant.learn.strategy_settings import Strategy as Strategy
from secant.learn.threads import threads_for

__all__ = ["AUTO", "Sample", "Strategy", "Training", "train_network"]


@dataclass(frozen=True)
class Training:
    """What a training did.

    Attributes
    ----------
    status : secant.Status
        Why it ended; its value is a sentence.
    history : History
        One row per iteration.
    best : Epoch
        The iteration whose weights the network has now.
    iterations, evaluations, gradients : int
        Counts of the optimiser.
    seconds : float
        Wall-clock time.
    index : LossIndex
        What was minimised: with the constants that came from the training targets, and the penalty that
        Bayesian regularisation found.
    effective_parameters : float, optional
        How many weights and biases the data determined, by Bayesian regularisation.
    method : str
        The one that trained.
    reason : str
        Why "auto" chose it; empty when the strategy named it.
    """

    status: secant.Status
    history: History
    best: Epoch
    iterations: int
    evaluations: int
    gradients: int
    seconds: float
    index: LossIndex
    effective_parameters: float | None = None
    method: str = ""
    reason: str = ""


def train_network(
    network: Perceptron,
    index: LossIndex,
    train: Sample,
    validation: Sample | None,
    strategy: Strategy,
    progress: Callable[[History], None] | None = None,
) -> Training:
    """Train the network, in place.

    Parameters
    ----------
    network : Perceptron
        Left with the weights of the lowest validation error.
    index : LossIndex
        What is minimised.
    train, validation : Sample
        The rows that train and the rows that say when to stop; without the latter the weights of the
        lowest loss index are kept.
    strategy : Strategy
        The method and the limits.
    progress : callable, optional
        Called with the history after each iteration.

    Returns
    -------
    Training

    Raises
    ------
    InputError
        If the loss is not finite at the start, or the method cannot train a network.

    Examples
    --------
    >>> import torch
    >>> from secant.learn import LossIndex, Perceptron, Strategy, train_network
    >>> from secant.learn.error_terms import MeanSquared
    >>> from secant.learn.strategy import Sample
    >>> x = torch.linspace(-1.0, 1.0, 40, dtype=torch.float64)[:, None]
    >>> train, index = Sample(x, torch.sin(3.0 * x)), LossIndex(MeanSquared(), l2=1e-6)
    >>> training = train_network(Perceptron((1, 6, 1), seed=0), index, train, None, Strategy("lm"))
    >>> training.status.success, training.best.training_loss < 1e-4
    (True, True)
    """
    if strategy.method == AUTO:
        return train_automatically(
            train_network, network, index, train, validation, strategy, progress
        )
    index = index.fitted(train.targets, train.weights)
    if index.l1 and strategy.method != ORTHANT_WISE:
        raise InputError(
            f"l1 has no gradient where a weight is 0, which method {strategy.method!r} needs: use "
            f"method {ORTHANT_WISE!r}, or smooth_l1 instead of l1"
        )
    report = progress or (lambda history: None)
    closed = has_closed_form(network, train.inputs)
    size = len(train) * network.count
    with threads_for(size), _enough_memory(strategy.method, network.count):
        if strategy.in_batches:
            _require_closed_form(closed, strategy.method)
            learner = InClosedForm(network, index, train, validation)
            return _in_batches(learner, strategy, report)
        if strategy.method == "lm" or strategy.single_first:
            _require_closed_form(closed, strategy.method)
        options = Options(
            strategy.method,
            strategy.gtol,
            strategy.max_iter,
            strategy.max_seconds,
            strategy.pairs,
            strategy.single_first,
        )
        start = prepared(network, index, train, validation, options, closed, strategy.bayesian)
        return _iterate(start, Monitor(start.learner, strategy), report)


def _require_closed_form(closed: bool, method: str) -> None:
    if not closed:
        raise InputError(f"method {method!r} trains a Perceptron on the CPU in float64 or float32")


def _iterate(start: Prepared, monitor: Monitor, report: Callable[[History], None]) -> Training:
    """Step until the run ends, then restore the best weights."""
    runs: list[secant.Run] = []
    interrupted = False
    try:
        for run in start.runs(monitor):
            runs.append(run)
            for _ in run:
                report(monitor.history)
    except KeyboardInterrupt:  # between two iterations; within one, the run itself notices
        if monitor.best is None:
            raise
        interrupted = True
    results = [run.result() for run in runs]
    status = secant.Status.INTERRUPTED if interrupted else results[-1].status
    counts = tuple(sum(getattr(one, name) for one in results) for name in ("nit", "nfev", "njev"))
    return _outcome(monitor, start.options.method, status, counts)


def _in_batches(
    learner: InClosedForm, strategy: Strategy, report: Callable[[History], None]
) -> Training:
    """Go through the rows until a stop, then restore the best weights."""
    monitor = Monitor(learner, strategy)
    settings = BatchSettings(
        strategy.method,
        strategy.learning_rate or BATCH_METHODS[strategy.method],
        strategy.batch_size or BATCH_SIZE,
        strategy.max_iter,
        strategy.gtol,
        strategy.seed,
    )
    try:
        status = train_in_batches(learner, settings, monitor, lambda: report(monitor.history))
    except KeyboardInterrupt:
        status = secant.Status.INTERRUPTED
    epochs = len(monitor.history) - 1
    steps = monitor.history.epochs[-1].evaluations if epochs >= 0 else 0
    return _outcome(monitor, strategy.method, status, (max(epochs, 0), steps, steps))


def _outcome(
    monitor: Monitor, method: str, status: secant.Status, counts: tuple[int, int, int]
) -> Training:
    if monitor.best is None:
        raise InputError("the loss is not finite before training: the numbers are too large")
    monitor.settle()
    best, weights = monitor.best
    monitor.learner.restore(weights)
    return Training(
        status,
        monitor.history,
        best,
        *counts,
        monitor.seconds,
        monitor.learner.index,
        None if math.isnan(best.effective_parameters) else best.effective_parameters,
        method,
    )


@contextmanager
def _enough_memory(method: str, count: int) -> Iterator[None]:
    """Name the method and the size when memory runs out, as it does for n^2 numbers of a large n."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_end_of_memory(error):
            raise
        raise InputError(
            f"method {method!r} needs more memory than there is for {count:,} weights: "
            "choose a smaller network or a limited-memory method such as l-bfgs"
        ) from error
