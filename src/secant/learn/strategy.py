"""How a network is trained: which method, when to stop, and which weights are kept.

The optimiser minimises the loss index on the training rows. After each of its iterations the error
on the validation rows is measured; when that has not fallen for `patience` iterations in a row, the
training stops. Whatever ends it, the network is left with the weights of the lowest validation
error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor

import secant
from secant.learn.errors import InputError
from secant.learn.history import Epoch, History
from secant.learn.loss import LossIndex
from secant.learn.network import Perceptron

__all__ = ["Sample", "Strategy", "Training", "train_network"]


@dataclass(frozen=True)
class Sample:
    """Rows as the network sees them: inputs of shape (rows, width), and encoded targets."""

    inputs: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Strategy:
    """The optimiser and the limits of a training.

    Attributes
    ----------
    method : str
        A name or alias of the method registry; kept as the name.
    gtol : float
        Stop when no component of the gradient exceeds this.
    max_iter : int
        Limit on the iterations.
    max_seconds : float
        Limit on the time.
    patience : int
        Iterations in a row without a lower validation loss after which the training stops.
    """

    method: str = "l-bfgs"
    gtol: float = 1e-6
    max_iter: int = 10_000
    max_seconds: float = 60.0
    patience: int = 50

    def __post_init__(self) -> None:
        try:
            name = secant.methods.get(self.method).name
        except ValueError as error:
            raise InputError(str(error)) from None
        object.__setattr__(self, "method", name)
        _check_positive("gtol", self.gtol)
        _check_positive("max_seconds", self.max_seconds)
        for name in ("max_iter", "patience"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, not {getattr(self, name)}")


def _check_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} must be a positive number, not {value}")


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
    """

    status: secant.Status
    history: History
    best: Epoch
    iterations: int
    evaluations: int
    gradients: int
    seconds: float


class _Monitor:
    """Records each iteration, counts validation failures, keeps the best weights, says stop."""

    def __init__(
        self, network: Perceptron, index: LossIndex, validation: Sample, strategy: Strategy
    ) -> None:
        self.network = network
        self.index = index
        self.validation = validation
        self.strategy = strategy
        self.history = History()
        # The epoch and its weights change in one assignment, so that Ctrl-C cannot part them.
        self.best: tuple[Epoch, dict[str, Tensor]] | None = None
        self._started = perf_counter()

    @property
    def seconds(self) -> float:
        """Wall-clock time since the start."""
        return perf_counter() - self._started

    def stop(self, snapshot: secant.Snapshot) -> secant.Status | None:
        """Observe, then judge; a stop of `secant.start`."""
        self.observe(snapshot)
        if self.best and snapshot.k - self.best[0].iteration >= self.strategy.patience:
            return secant.Status.VALIDATION_STOP
        # The run counts the time inside its steps alone; here the validation counts, too.
        return secant.Status.TIME_LIMIT if self.seconds > self.strategy.max_seconds else None

    def observe(self, snapshot: secant.Snapshot) -> None:
        """Record the snapshot, whose weights the network holds, unless it was recorded."""
        if self.history.epochs and self.history.epochs[-1].iteration >= snapshot.k:
            return
        with torch.no_grad():
            training_loss = snapshot.f - float(self.index.penalty(self.network))
            outputs = self.network(self.validation.inputs)
            validation_loss = float(self.index.error(outputs, self.validation.targets))
        epoch = Epoch(
            snapshot.k,
            self.seconds,
            snapshot.f,
            training_loss,
            validation_loss,
            snapshot.optimality,
            snapshot.alpha,
            snapshot.nfev,
        )
        if self.best is None or validation_loss < self.best[0].validation_loss:
            weights = self.network.state_dict()
            self.best = (epoch, {name: value.clone() for name, value in weights.items()})
        self.history.append(epoch)


def train_network(
    network: Perceptron,
    index: LossIndex,
    train: Sample,
    validation: Sample,
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
        The rows that train and the rows that say when to stop.
    strategy : Strategy
        The method and the limits.
    progress : callable, optional
        Called with the history after each iteration.

    Raises
    ------
    InputError
        If the loss is not finite at the start, or the method cannot train a network.
    """
    monitor = _Monitor(network, index, validation, strategy)
    interrupted = False
    with _enough_memory(strategy.method, network.count):
        run = _start(network, index, train, strategy, monitor)
        try:
            for _ in run:
                if progress is not None:
                    progress(monitor.history)
        except KeyboardInterrupt:  # between two iterations; within one, the run itself notices
            interrupted = True
    result = run.result()
    if monitor.best is None:
        raise InputError("the loss is not finite before training: the numbers are too large")
    best, weights = monitor.best
    network.load_state_dict(weights)
    return Training(
        secant.Status.INTERRUPTED if interrupted else result.status,
        monitor.history,
        best,
        result.nit,
        result.nfev,
        result.njev,
        monitor.seconds,
    )


def _start(
    network: Perceptron, index: LossIndex, train: Sample, strategy: Strategy, monitor: _Monitor
) -> secant.Run:
    try:
        return secant.start(
            lambda: index(network, train.inputs, train.targets),
            network,
            method=strategy.method,
            gtol=strategy.gtol,
            max_iter=strategy.max_iter,
            max_seconds=strategy.max_seconds,
            stop=(monitor.stop,),
            # The callback sees the last iteration even if another stop spoke first.
            callback=monitor.observe,
        )
    except ValueError as error:
        raise InputError(f"method {strategy.method!r} cannot train a network: {error}") from error


@contextmanager
def _enough_memory(method: str, count: int) -> Iterator[None]:
    """Name the method and the size when memory runs out, as it does for n^2 numbers of a large n."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "allocate memory" not in str(error):
            raise
        raise InputError(
            f"method {method!r} needs more memory than there is for {count:,} weights: "
            "choose a smaller network or a limited-memory method such as l-bfgs"
        ) from error
