"""Methods side by side on one table: the same rows, the same first weights, one clock.

The order of the trainings is interleaved, so that a machine that slows down slows all methods alike.
No training stops for its validation loss, because it is the methods that are compared; the test score
is still that of the weights of lowest validation loss.
"""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from statistics import median

import secant
from secant.learn.attempts import Attempt, Comparison, Curve, Row
from secant.learn.errors import InputError
from secant.learn.history import History
from secant.learn.job import Trained, train_prepared
from secant.learn.minibatch import BATCH_METHODS
from secant.learn.prepared import Prepared, prepare_table
from secant.learn.settings import Settings
from secant.learn.strategy import Strategy, Training, train_network
from secant.learn.tables.source import Readable
from secant.learn.targets import ClassTarget, ClassTargets, Target

__all__ = ["Attempt", "Comparison", "Curve", "Row", "compare_table", "trainable_methods"]

_NEVER = 2**62
_MOST_POINTS = 500
# The most memory is held after the first iterations: by then all that is kept has been made.
_MEMORY_ITERATIONS = 12
_MEMORY_SECONDS = 10.0


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
        prepared.model.target.name,
        prepared.model.target.task.value,
        _score_name(prepared.model.target),
        {name: len(rows) for name, rows in prepared.parts.items()},
        prepared.model.network.count,
        tuple(attempts),
        memory,
        _loss_of_the_median(attempts) if to_loss is None else to_loss,
        to_loss is None,
        interrupted,
    )


def _score_name(target: Target) -> str:
    if isinstance(target, ClassTarget):
        return "accuracy"
    if isinstance(target, ClassTargets):
        return "subset accuracy"
    return "R2" if target.outputs == 1 else "mean R2"


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
            single_first=False,
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
        strategies[one.method] = _single_first(one) if strategy.single_first else one
    return strategies


def _single_first(strategy: Strategy) -> Strategy:
    """With the first iterations in float32, where the method can have them."""
    try:
        return replace(strategy, single_first=True)
    except InputError:
        return strategy


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
            try:
                found = _attempt(prepared, strategy, repeat, watch)
            except KeyboardInterrupt:  # before its first iteration, or when it was judged
                if not attempts:
                    raise
                return attempts, True
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
        _ending(training),
        seconds=training.seconds,
        iterations=training.iterations,
        evaluations=training.evaluations,
        best_loss=min(finite, default=math.nan),
        test_loss=test.loss,
        test_score=next(iter(test.values.values())),
        curve=curve,
    )


def _ending(training: Training) -> str:
    """Why it stopped, and what "auto" trained with."""
    ended = training.status
    if not training.reason or ended is secant.Status.INTERRUPTED:
        return ended.value
    return f"{ended.value}; by {training.method}: {training.reason}"


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
    training = train_network(
        start.model.network, start.index, samples["train"], samples["validation"], strategy
    )
    if training.status is secant.Status.INTERRUPTED:  # nothing has been compared yet
        raise KeyboardInterrupt
