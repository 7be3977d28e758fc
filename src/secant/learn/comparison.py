"""Methods side by side on one table: the same rows, the same first weights, one clock.

The order of the trainings is interleaved, so that a machine that slows down slows all methods alike.
No training stops for its validation loss, because it is the methods that are compared; the test score
is still that of the weights of lowest validation loss.
"""

from __future__ import annotations

import csv
import math
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from statistics import median

import secant
from secant.learn.errors import InputError
from secant.learn.history import History
from secant.learn.job import Prepared, Settings, Trained, prepare_table, train_prepared
from secant.learn.minibatch import BATCH_METHODS
from secant.learn.source import Readable
from secant.learn.strategy import Strategy, train_network

__all__ = ["Attempt", "Comparison", "Curve", "Row", "compare_table", "trainable_methods"]

_NEVER = 2**62
_MOST_POINTS = 500
# The most memory is held after the first iterations: by then all that is kept has been made.
_MEMORY_ITERATIONS = 12
_MEMORY_SECONDS = 10.0


@dataclass(frozen=True)
class Curve:
    """The loss index over the work; of long histories a selection."""

    seconds: tuple[float, ...]
    evaluations: tuple[float, ...]
    objective: tuple[float, ...]


@dataclass(frozen=True)
class Attempt:
    """One training by one method.

    Attributes
    ----------
    method : str
    repeat : int
        From 0; the first weights differ from repeat to repeat and not from method to method.
    reason : str
        Why it stopped, or why it could not train.
    failed : bool
    seconds : float
    iterations, evaluations : int
    best_loss : float
        The lowest loss index of its history.
    test_loss, test_score : float
        Of the weights of lowest validation loss.
    curve : Curve
    """

    method: str
    repeat: int
    reason: str
    failed: bool = False
    seconds: float = math.nan
    iterations: int = 0
    evaluations: int = 0
    best_loss: float = math.nan
    test_loss: float = math.nan
    test_score: float = math.nan
    curve: Curve = field(default_factory=lambda: Curve((), (), ()))

    def to(self, loss: float) -> tuple[float, float]:
        """Seconds and evaluations after which the loss index was at most `loss`; infinite if never."""
        curve = self.curve
        for place, value in enumerate(curve.objective):
            if value <= loss:
                return curve.seconds[place], curve.evaluations[place]
        return math.inf, math.inf


@dataclass(frozen=True)
class Row:
    """What a method amounts to: medians over the repeats.

    Attributes
    ----------
    method : str
    seconds_to_loss, evaluations_to_loss : float
        NaN if most repeats did not come down to the loss.
    reached : int
        Repeats that did.
    repeats : int
        Repeats that trained.
    best_loss, test_loss, test_score, seconds, iterations, evaluations : float
    memory_bytes : float
        Peak beyond the data.
    memory_words : float
        The same as numbers of 8 bytes for each weight of the network.
    reason : str
        Why the last repeat stopped, or why none could train.
    """

    method: str
    seconds_to_loss: float
    evaluations_to_loss: float
    reached: int
    repeats: int
    best_loss: float
    test_loss: float
    test_score: float
    seconds: float
    iterations: float
    evaluations: float
    memory_bytes: float
    memory_words: float
    reason: str

    @property
    def failed(self) -> bool:
        """Whether no repeat could train."""
        return self.repeats == 0


@dataclass(frozen=True)
class Comparison:
    """Trainings of several methods on one table.

    Attributes
    ----------
    settings : Settings
        What all trainings share.
    source, task, score : str
        File, kind of task, and what the test score is: R2 or accuracy.
    parts : dict of str to int
        Rows that trained, validated and tested.
    weights : int
    attempts : tuple of Attempt
        In the order in which they ran.
    memory : dict of str to float
        Peak bytes beyond the data by method, NaN where it failed.
    to_loss : float
        The loss index that the times are measured to.
    is_median : bool
        Whether `to_loss` is what the median method reaches, and not one asked for.
    interrupted : bool
    """

    settings: Settings
    source: str
    task: str
    score: str
    parts: dict[str, int]
    weights: int
    attempts: tuple[Attempt, ...]
    memory: dict[str, float]
    to_loss: float
    is_median: bool
    interrupted: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods in the order in which they first ran."""
        return tuple(dict.fromkeys(attempt.method for attempt in self.attempts))

    def of(self, method: str) -> tuple[Attempt, ...]:
        """The attempts of a method that trained."""
        return tuple(one for one in self.attempts if one.method == method and not one.failed)

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row for each method: the fastest to the loss first, then by best loss."""
        rows = [self._row(method) for method in self.methods]
        return tuple(sorted(rows, key=_rank))

    def _row(self, method: str) -> Row:
        trained = self.of(method)
        reached = [one.to(self.to_loss) for one in trained]
        seconds, evaluations = (_median([pair[i] for pair in reached]) for i in (0, 1))
        last = [one for one in self.attempts if one.method == method][-1]
        memory = self.memory.get(method, math.nan)
        return Row(
            method,
            seconds if math.isfinite(seconds) else math.nan,
            evaluations if math.isfinite(evaluations) else math.nan,
            sum(math.isfinite(pair[0]) for pair in reached),
            len(trained),
            _median([one.best_loss for one in trained]),
            _median([one.test_loss for one in trained]),
            _median([one.test_score for one in trained]),
            _median([one.seconds for one in trained]),
            _median([one.iterations for one in trained]),
            _median([one.evaluations for one in trained]),
            memory,
            memory / 8 / self.weights,
            (trained[-1] if trained else last).reason,
        )

    def write_csv(self, path: str | Path) -> None:
        """The rows, all digits, under a header of their attributes."""
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            names = [entry.name for entry in fields(Row)]
            writer.writerow(names)
            writer.writerows([_cell(getattr(row, name)) for name in names] for row in self.rows)


def _cell(value: float | str) -> float | str:
    return "" if isinstance(value, float) and math.isnan(value) else value


def _rank(row: Row) -> tuple[bool, float, bool, float, str]:
    reached, trained = math.isfinite(row.seconds_to_loss), math.isfinite(row.best_loss)
    return (
        not reached,
        row.seconds_to_loss if reached else math.inf,
        not trained,
        row.best_loss if trained else math.inf,
        row.method,
    )


def _median(values: Sequence[float]) -> float:
    return float(median(values)) if values else math.nan


def trainable_methods() -> tuple[str, ...]:
    """Every method that can train a network: the registry's, and the mini-batch methods.

    >>> {"l-bfgs", "lm", "adam"} <= set(trainable_methods())
    True
    """
    names = []
    for name in [*secant.methods.REGISTRY, *BATCH_METHODS]:
        try:
            Strategy(method=name)
        except InputError:  # a method for other problems, such as fits of curves
            continue
        names.append(name)
    return tuple(dict.fromkeys(names))


Progress = Callable[[int, int, str, History | None], None]
"""Called with the trainings that are over, all trainings, the method at work and its history."""


def compare_table(
    path: Readable,
    settings: Settings,
    methods: Sequence[str] | str = "all",
    *,
    repeats: int = 3,
    to_loss: float | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Train networks on a table by several methods, from the same first weights, and compare.

    Parameters
    ----------
    path : str, Path or open file
        The table.
    settings : Settings
        What to learn and how; `starts`, `strategy.method` and `strategy.patience` are left
        aside.
    methods : sequence of str, or "all"
        Names as in `Strategy`; "all" is `trainable_methods`.
    repeats : int
        Trainings by each method; the first weights of repeat r have the seed ``settings.seed + r``.
    to_loss : float, optional
        The loss index to which times are measured; by default the lowest one that the median method
        reaches.
    progress : callable, optional

    Raises
    ------
    InputError
        For an unknown method, and for whatever `train_table` refuses before it trains. A method that
        fails later is a row with the reason.

    Examples
    --------
    >>> import numpy as np, pandas as pd, tempfile, pathlib
    >>> x = np.linspace(-1, 1, 60)
    >>> path = pathlib.Path(tempfile.mkdtemp(), "sine.csv")
    >>> pd.DataFrame({"x": x, "y": np.sin(3 * x)}).to_csv(path, index=False)
    >>> settings = Settings("y", hidden=(4,), strategy=Strategy(max_iter=20))
    >>> found = compare_table(path, settings, ["bfgs", "gd"], repeats=1)
    >>> found.rows[0].method
    'bfgs'
    """
    if repeats < 1:
        raise InputError(f"repeats must be at least 1, not {repeats}")
    if to_loss is not None and not math.isfinite(to_loss):
        raise InputError(f"to_loss must be a finite number, not {to_loss}")
    strategies = _strategies(settings.strategy, methods)
    show = progress or (lambda done, total, method, history: None)
    prepared = prepare_table(path, settings)
    show(0, repeats * len(strategies), "memory", None)
    memory = {name: _memory(prepared, strategy) for name, strategy in strategies.items()}
    attempts, interrupted = _attempts(prepared, strategies, repeats, show)
    return Comparison(
        settings,
        prepared.dataset.source,
        prepared.model.target.task.value,
        "R2" if prepared.model.target.task.value == "regression" else "accuracy",
        {name: len(rows) for name, rows in prepared.parts.items()},
        prepared.model.network.count,
        tuple(attempts),
        memory,
        _loss_of_the_median(attempts) if to_loss is None else to_loss,
        to_loss is None,
        interrupted,
    )


def _strategies(strategy: Strategy, methods: Sequence[str] | str) -> dict[str, Strategy]:
    """The strategy of each method, under its name; options for other methods are left out."""
    wanted = trainable_methods() if methods == "all" else methods
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    if not names:
        raise InputError("methods must name at least one method")
    strategies: dict[str, Strategy] = {}
    for name in names:
        bare = replace(
            strategy,
            method="l-bfgs",
            patience=_NEVER,
            pairs=None,
            learning_rate=None,
            batch_size=None,
            bayesian=False,
        )
        one = replace(bare, method=name)
        if one.in_batches:
            one = replace(one, learning_rate=strategy.learning_rate, batch_size=strategy.batch_size)
        elif one.method == "lm":
            one = replace(one, bayesian=strategy.bayesian)
        elif one.method == "l-bfgs":
            one = replace(one, pairs=strategy.pairs)
        strategies[one.method] = one
    return strategies


def _attempts(
    prepared: Prepared, strategies: dict[str, Strategy], repeats: int, show: Progress
) -> tuple[list[Attempt], bool]:
    """All trainings, each repeat beginning with another method; and whether they were ended."""
    attempts: list[Attempt] = []
    names, total = list(strategies), repeats * len(strategies)
    for repeat in range(repeats):
        shift = repeat * len(names) // repeats
        for name in names[shift:] + names[:shift]:
            done = len(attempts)
            show(done, total, name, None)
            strategy = strategies[name]
            strategy = replace(strategy, seed=strategy.seed + repeat)
            watch = partial(show, done, total, name)
            found = _attempt(prepared, strategy, repeat, watch)
            attempts.append(found)
            if found.reason == secant.Status.INTERRUPTED.value:
                return attempts, True
    return attempts, False


def _attempt(
    prepared: Prepared, strategy: Strategy, repeat: int, show: Callable[[History], None]
) -> Attempt:
    seed = prepared.settings.seed + repeat
    start = prepared.start(seed)
    start = replace(start, settings=replace(prepared.settings, strategy=strategy, starts=1))
    try:
        trained = train_prepared(start, show)
    except Exception as error:  # whatever is wrong with one method, the others go on
        reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        return Attempt(strategy.method, repeat, reason, failed=True)
    return _finished(trained, strategy.method, repeat)


def _finished(trained: Trained, method: str, repeat: int) -> Attempt:
    training, test = trained.training, trained.scores["test"]
    curve = _curve(training.history)
    finite = [value for value in curve.objective if math.isfinite(value)]
    return Attempt(
        method,
        repeat,
        training.status.value,
        seconds=training.seconds,
        iterations=training.iterations,
        evaluations=training.evaluations,
        best_loss=min(finite, default=math.nan),
        test_loss=test.loss,
        test_score=next(iter(test.values.values())),
        curve=curve,
    )


def _curve(history: History) -> Curve:
    """At most some hundred rows: those at which the loss index falls below what it was."""
    rows, lowest = [], math.inf
    for epoch in history:
        if epoch.objective < lowest:
            lowest = epoch.objective
            rows.append(epoch)
    rows.append(history.epochs[-1])
    every = -(-len(rows) // _MOST_POINTS)
    # The last rows stay: the lowest loss is among them.
    rows = [*rows[:-2:every], *rows[-2:]]
    return Curve(
        tuple(epoch.seconds for epoch in rows),
        tuple(float(epoch.evaluations) for epoch in rows),
        tuple(epoch.objective for epoch in rows),
    )


def _loss_of_the_median(attempts: Sequence[Attempt]) -> float:
    """The lowest loss of the method that half of the methods are no better than."""
    by_method: dict[str, list[float]] = {}
    for one in attempts:
        if math.isfinite(one.best_loss):
            by_method.setdefault(one.method, []).append(one.best_loss)
    lowest = sorted(map(median, by_method.values()))
    return lowest[len(lowest) // 2] if lowest else math.nan


def _memory(prepared: Prepared, strategy: Strategy) -> float:
    """Most bytes held at once in the first iterations, beyond the table and the samples."""
    seconds = min(strategy.max_seconds, _MEMORY_SECONDS)
    short = replace(strategy, max_iter=_MEMORY_ITERATIONS, max_seconds=seconds)
    try:
        _train(prepared, replace(short, max_iter=1))  # what is imported on the way stays for good
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        _train(prepared, short)
        return float(tracemalloc.get_traced_memory()[1] - before)
    except Exception:  # the training says why, in its row
        return math.nan
    finally:
        tracemalloc.stop()


def _train(prepared: Prepared, strategy: Strategy) -> None:
    start = prepared.start(prepared.settings.seed)
    samples = start.samples
    train_network(
        start.model.network, start.index, samples["train"], samples["validation"], strategy
    )
