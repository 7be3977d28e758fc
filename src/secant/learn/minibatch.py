"""Mini-batch methods, as baselines: Adam, AdamW and SGD on closed-form gradients.

PyTorch's own optimisers take seconds to import, and a call of one takes longer than the gradient of a small
network: here are the same formulas on one flat array.

An epoch goes once through the rows in a new random order. What the history shows of it is the loss
of all rows at its end, not the mean over an epoch in which the weights changed; the clock of the history
stands still while that is measured, because the methods themselves have no use for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

import secant
from secant.learn.closed_form.backpropagation import Values
from secant.learn.closed_form.objective import Objective, weights_of
from secant.learn.learner import InClosedForm
from secant.learn.monitor import Monitor

__all__ = [
    "BATCH_METHODS",
    "BATCH_SIZE",
    "Adam",
    "BatchSettings",
    "Optimiser",
    "Sgd",
    "batch_steps",
    "optimiser_for",
    "train_in_batches",
]

BATCH_METHODS: dict[str, float] = {"adam": 1e-3, "adamw": 1e-3, "sgd": 1e-2}
"""The names, and the learning rates they have by default (PyTorch's; SGD, with Nesterov's momentum 0.9)."""

_MOMENTUM = 0.9
_BETAS = (0.9, 0.999)
_ADAM_EPS = 1e-8

BATCH_SIZE = 200
"""Rows of a batch by default, as in scikit-learn; all rows where there are fewer."""


@dataclass(frozen=True)
class BatchSettings:
    """What a mini-batch training needs to know of the strategy.

    Attributes
    ----------
    method : str
        A key of `BATCH_METHODS`.
    learning_rate : float
    batch_size : int
    epochs : int
    gtol : float
    seed : int
        Of the order of the rows.
    """

    method: str
    learning_rate: float
    batch_size: int
    epochs: int
    gtol: float
    seed: int


@dataclass
class _Epoch:
    """What the monitor sees."""

    k: int
    f: float
    optimality: float
    alpha: float
    nfev: int
    flat: Values


def train_in_batches(
    learner: InClosedForm,
    settings: BatchSettings,
    monitor: Monitor,
    progress: Callable[[], None],
) -> secant.Status:
    """Train until an epoch meets a stop, and say which."""
    objective = learner.train
    x = weights_of(learner.network)
    optimiser = optimiser_for(settings.method, settings.learning_rate, objective)
    stepped = optimiser.part_of(objective)
    order = np.random.default_rng(settings.seed)
    steps = 0
    status = _judge(objective, x, 0, settings, steps, monitor)
    for epoch in range(1, settings.epochs + 1):
        if status is not None:
            return status
        rows = order.permutation(len(objective))
        steps += sum(1 for _ in batch_steps(stepped, optimiser, x, rows, settings.batch_size))
        status = _judge(objective, x, epoch, settings, steps, monitor)
        progress()
    return status or secant.Status.MAX_ITERATIONS


def batch_steps(
    objective: Objective, optimiser: Optimiser, x: Values, rows: NDArray[np.intp], batch_size: int
) -> Iterator[tuple[int, float, Values]]:
    """Go through the rows in this order, a step for each batch, which changes ``x`` in place.

    Yields the rows of a batch, its loss and its gradient, before the step is made. A batch whose rows all
    have weight zero has no mean, and is left out.
    """
    for start in range(0, len(rows), batch_size):
        batch = objective.selected(rows[start : start + batch_size])
        if not batch.divisor > 0.0:
            continue
        f, g = batch(x)
        yield len(batch), f, g
        optimiser.step(x, g)


def _judge(
    objective: Objective,
    x: Values,
    epoch: int,
    settings: BatchSettings,
    steps: int,
    monitor: Monitor,
) -> secant.Status | None:
    """Measure the loss of all rows, let the monitor see it, and find a reason to stop."""
    began = perf_counter()
    f, g = objective(x)
    optimality = float(np.max(np.abs(g)))
    monitor.paused += perf_counter() - began
    if not np.isfinite(f + optimality):
        start = monitor.best is None
        return secant.Status.NOT_FINITE_START if start else secant.Status.DIVERGED
    alpha = settings.learning_rate if epoch else 0.0
    status = monitor.stop(_Epoch(epoch, f, optimality, alpha, steps, x.copy()))
    return secant.Status.GRADIENT if optimality <= settings.gtol else status


class Sgd:
    """Nesterov's momentum in PyTorch's form: ``m <- 0.9 m + g``, ``x <- x - rate (g + 0.9 m)``."""

    def __init__(self, rate: float, size: int, dtype: np.dtype) -> None:
        self._rate = rate
        self._m: Values = np.zeros(size, dtype)

    def following(self, past: Sgd) -> Sgd:
        """The same with what another one remembers, copied."""
        self._m = past._m.copy()
        return self

    def part_of(self, objective: Objective) -> Objective:
        """What the gradients are of: all of it."""
        return objective

    def step(self, x: Values, g: Values) -> None:
        """Change ``x`` in place."""
        self._m *= _MOMENTUM
        self._m += g
        x -= self._rate * (g + _MOMENTUM * self._m)


class Adam:
    """``x <- x - rate (decay x + m / (sqrt(v) + eps))`` with ``m`` and ``v`` freed of their bias.

    Kingma & Ba (2015), Algorithm 1; with a decay, Loshchilov & Hutter (2019), Algorithm 2.
    """

    def __init__(self, rate: float, size: int, dtype: np.dtype, decay: Values | None) -> None:
        self._rate = rate
        self._decay = decay
        self._m: Values = np.zeros(size, dtype)
        self._v: Values = np.zeros(size, dtype)
        self._k = 0

    def following(self, past: Adam) -> Adam:
        """The same with what another one remembers, copied."""
        self._m, self._v, self._k = past._m.copy(), past._v.copy(), past._k
        return self

    def part_of(self, objective: Objective) -> Objective:
        """What the gradients are of: without the penalty that a decay stands for."""
        if self._decay is None:
            return objective
        return objective.with_index(objective.index.without_l2())

    def step(self, x: Values, g: Values) -> None:
        """Change ``x`` in place."""
        self._k += 1
        first, second = _BETAS
        if self._decay is not None:
            x -= self._rate * self._decay * x
        self._m += (1.0 - first) * (g - self._m)
        self._v *= second
        self._v += (1.0 - second) * np.square(g)
        size = np.sqrt(self._v)
        size /= math.sqrt(1.0 - second**self._k)
        size += _ADAM_EPS
        x -= (self._rate / (1.0 - first**self._k)) * (self._m / size)


Optimiser = Sgd | Adam
"""What makes a step from a gradient."""


def optimiser_for(method: str, rate: float, objective: Objective) -> Optimiser:
    """A new one of these for a key of `BATCH_METHODS`.

    PyTorch's defaults; AdamW's decay is that of the penalty, ``2 l2``, and of the weights alone.
    """
    size, dtype = objective.is_weight.size, objective.dtype
    if method == "sgd":
        return Sgd(rate, size, dtype)
    decay = 2.0 * objective.index.l2 * objective.is_weight if method == "adamw" else None
    return Adam(rate, size, dtype, decay)
