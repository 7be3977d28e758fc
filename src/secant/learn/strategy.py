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
from secant.learn.errors import InputError, is_end_of_memory, listing
from secant.learn.history import Epoch, History
from secant.learn.loss import LossIndex
from secant.learn.minibatch import BATCH_METHODS, BATCH_SIZE, BatchSettings, train_in_batches
from secant.learn.monitor import InClosedForm, Monitor
from secant.learn.network import Perceptron
from secant.learn.objective import has_closed_form
from secant.learn.runs import ORTHANT_WISE, Options, Prepared, prepared
from secant.learn.sample import Sample
from secant.learn.threads import threads_for

__all__ = ["Sample", "Strategy", "Training", "train_network"]

AUTO = "auto"
"""Stands for the method that suits the problem."""


@dataclass(frozen=True)
class Strategy:
    """The optimiser and the limits of a training.

    Attributes
    ----------
    method : str
        A name or alias of the method registry (kept as the name), or "adam", "adamw" or "sgd". "lm",
        Levenberg-Marquardt, needs an error and a penalty that are sums of squares. "auto" chooses by
        the size of the problem (`secant.learn.choice`), and goes on with another method when one fails.
    gtol : float
        Stop when no component of the gradient exceeds this.
    max_iter : int
        Limit on the iterations; on the epochs of mini-batch methods.
    max_seconds : float
        Limit on the time.
    max_evals : int, optional
        Limit on the evaluations of the loss index; of its gradient on mini-batches.
    pairs : int, optional
        That "l-bfgs" keeps of its last steps.
    single_first : bool
        Make the first iterations on a network of float64 in float32, `secant.learn.single_first`.
    patience : int
        Iterations in a row without a lower validation loss after which the training stops.
    goal : float, optional
        Stop when the training loss, without the regularisation, is at most this.
    tol : float
        Stop when the loss index has not fallen by more than this for `n_iter_no_change` iterations in a
        row; 0 for never.
    n_iter_no_change : int
    learning_rate : float, optional
        Of mini-batch methods; by default 1e-3, and 1e-2 for "sgd".
    batch_size : int, optional
        Of mini-batch methods; by default 200 rows.
    seed : int
        Of the order of the rows for mini-batch methods.
    bayesian : bool
        Let "lm" find the factor of the squared weights itself (MacKay 1992; Foresee & Hagan 1997);
        the loss index's ``l2`` is where it starts.

    Raises
    ------
    InputError
        For a value that makes no sense, or that the method has no use for.
    """

    method: str = "l-bfgs"
    gtol: float = 1e-6
    max_iter: int = 10_000
    max_seconds: float = 60.0
    max_evals: int | None = None
    pairs: int | None = None
    single_first: bool = False
    patience: int = 50
    goal: float | None = None
    tol: float = 0.0
    n_iter_no_change: int = 10
    learning_rate: float | None = None
    batch_size: int | None = None
    seed: int = 0
    bayesian: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", _method_name(self.method))
        _check_positive("gtol", self.gtol)
        _check_positive("max_seconds", self.max_seconds)
        if not (math.isfinite(self.tol) and self.tol >= 0):
            raise InputError(f"tol must be a number from 0, not {self.tol}")
        if self.goal is not None and not math.isfinite(self.goal):
            raise InputError(f"goal must be a finite number, not {self.goal}")
        for name in (
            "max_iter",
            "max_evals",
            "pairs",
            "patience",
            "n_iter_no_change",
            "batch_size",
        ):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} must be at least 1, not {value}")
        self._check_batch_options()
        if self.bayesian and self.method != "lm":
            raise InputError(f"bayesian regularisation is for method 'lm', not {self.method!r}")

    @property
    def in_batches(self) -> bool:
        """Whether each step looks at a part of the rows."""
        return self.method in BATCH_METHODS

    def _check_batch_options(self) -> None:
        if self.learning_rate is not None:
            _check_positive("learning_rate", self.learning_rate)
        for name in ("learning_rate", "batch_size"):
            if getattr(self, name) is not None and not (self.in_batches or self.method == AUTO):
                raise InputError(
                    f"{name} is for the methods {listing(BATCH_METHODS)}, not {self.method!r}"
                )
        if self.single_first and (self.in_batches or self.method in (AUTO, "lm", ORTHANT_WISE)):
            raise InputError(
                "single_first is for methods that take smooth gradients of all rows, not "
                f"{self.method!r}"
            )
        if self.pairs is not None and self.method not in ("l-bfgs", AUTO):
            raise InputError(f"pairs is for the method 'l-bfgs', not {self.method!r}")
        if self.seed < 0:
            raise InputError(f"seed must be at least 0, not {self.seed}")


def _method_name(method: str) -> str:
    wanted = method.strip().lower()
    if wanted in (AUTO, *BATCH_METHODS):
        return wanted
    try:
        return secant.methods.get(method).name
    except ValueError as error:
        raise InputError(f"{error}; in mini-batches {', '.join(BATCH_METHODS)}") from None


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

    Raises
    ------
    InputError
        If the loss is not finite at the start, or the method cannot train a network.
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
