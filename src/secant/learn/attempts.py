"""What trainings by several methods came to: attempts, a row for each method, their comparison."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from statistics import median

from secant.learn.settings import Settings

__all__ = ["Attempt", "Comparison", "Curve", "Row"]


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
    source, target, task, score : str
        File, what is learnt, kind of task, and what the test score is: R2, of several targets their
        mean, or accuracy.
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
    target: str
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
