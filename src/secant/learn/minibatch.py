"""Mini-batch methods, as baselines: Adam, AdamW and SGD on closed-form gradients.

PyTorch's own optimisers take seconds to import, and a call of one takes longer than the gradient of a small
network: here are the same formulas on one flat array.

An epoch goes once through the rows in a new random order. What the history shows of it is the loss
of all rows at its end, not the mean over an epoch in which the weights changed; the clock of the history
stands still while that is measured, because the methods themselves have no use for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

import secant
from secant.learn.backpropagation import Values
from secant.learn.monitor import InClosedForm, Monitor
from secant.learn.objective import Objective, weights_of

__all__ = ["BATCH_METHODS", "BatchSettings", "train_in_batches"]

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
    optimiser = _optimiser(settings, objective, x)
    order = np.random.default_rng(settings.seed)
    plain = _without_decay(objective) if settings.method == "adamw" else objective
    steps = 0
    status = _judge(objective, x, 0, settings, steps, monitor)
    for epoch in range(1, settings.epochs + 1):
        if status is not None:
            return status
        rows = order.permutation(len(objective))
        for start in range(0, len(rows), settings.batch_size):
            batch = plain.selected(rows[start : start + settings.batch_size])
            optimiser.step(x, batch(x)[1])
            steps += 1
        status = _judge(objective, x, epoch, settings, steps, monitor)
        progress()
    return status or secant.Status.MAX_ITERATIONS


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


class _Sgd:
    """Nesterov's momentum in PyTorch's form: ``m <- 0.9 m + g``, ``x <- x - rate (g + 0.9 m)``."""

    def __init__(self, rate: float, size: int, dtype: np.dtype) -> None:
        self._rate = rate
        self._m: Values = np.zeros(size, dtype)

    def step(self, x: Values, g: Values) -> None:
        """Change ``x`` in place."""
        self._m *= _MOMENTUM
        self._m += g
        x -= self._rate * (g + _MOMENTUM * self._m)


class _Adam:
    """``x <- x - rate (decay x + m / (sqrt(v) + eps))`` with ``m`` and ``v`` freed of their bias.

    Kingma & Ba (2015), Algorithm 1; with a decay, Loshchilov & Hutter (2019), Algorithm 2.
    """

    def __init__(self, rate: float, size: int, dtype: np.dtype, decay: Values | None) -> None:
        self._rate = rate
        self._decay = decay
        self._m: Values = np.zeros(size, dtype)
        self._v: Values = np.zeros(size, dtype)
        self._k = 0

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


def _optimiser(settings: BatchSettings, objective: Objective, x: Values) -> _Sgd | _Adam:
    """PyTorch's defaults; AdamW's decay is that of the penalty, ``2 l2``, and of the weights alone."""
    if settings.method == "sgd":
        return _Sgd(settings.learning_rate, x.size, x.dtype)
    decay = None
    if settings.method == "adamw":
        decay = 2.0 * objective.index.l2 * objective.is_weight
    return _Adam(settings.learning_rate, x.size, x.dtype, decay)


def _without_decay(objective: Objective) -> Objective:
    """The objective without the part that AdamW's weight decay stands for."""
    return objective.with_index(objective.index.without_l2())
