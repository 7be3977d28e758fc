"""The columns that are to be learnt: which ones are meant, what is learnt about them, what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

import numpy as np
import pandas as pd

from secant.learn.columns import Kind, as_categories, as_numbers
from secant.learn.errors import InputError, listing, suggestion

__all__ = ["TargetCells", "Task", "class_label", "read_cells", "read_targets", "target_names"]

TargetCells = pd.Series | pd.DataFrame
"""One target column, or several of numbers."""

# One row of every class has to reach each of the three parts of a 60/20/20 division.
_FEWEST_ROWS_PER_CLASS = 5
_MOST_NUMBERED_CLASSES = 10


class Task(Enum):
    """What is learnt about the target."""

    REGRESSION = "regression"
    CLASSIFICATION = "classification"


def target_names(
    wanted: str | Sequence[str], columns: Sequence[str], source: str
) -> tuple[str, ...]:
    """The columns that a choice of targets means.

    ``"a,b"`` means the columns a and b, unless a column is called so.

    Raises
    ------
    InputError
        If there is no such column, or one is named twice.

    Examples
    --------
    >>> target_names("a,b", ["x", "a", "b"], "t.csv")
    ('a', 'b')
    >>> target_names(["a,b", "x"], ["x", "a,b"], "t.csv")
    ('a,b', 'x')
    """
    texts = [wanted] if isinstance(wanted, str) else list(wanted)
    names = [name for text in texts for name in _named(text, columns)]
    for name in names:
        if name not in columns:
            raise InputError(
                f"--target: {source} has no column {name!r}; {suggestion(name, columns)}"
            )
        if names.count(name) > 1:
            raise InputError(f"--target names the column {name!r} {names.count(name)} times")
    return tuple(names)


def _named(text: str, columns: Sequence[str]) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return parts if text not in columns and any(part in columns for part in parts) else [text]


def read_cells(cells: pd.DataFrame, kinds: Mapping[str, Kind]) -> pd.DataFrame:
    """The target columns, those of numbers as float64; raises InputError where one holds text."""
    return pd.DataFrame(
        {
            name: as_numbers(cells[name], "target") if kind is Kind.NUMBER else cells[name]
            for name, kind in kinds.items()
        }
    )


def read_targets(
    cells: pd.DataFrame, kinds: Mapping[str, Kind], task: Task | None
) -> tuple[TargetCells, Task, list[str]]:
    """What is learnt: a Series for one column, a DataFrame for several, the task, and notes.

    `cells` are those that `read_cells` gave.

    Raises
    ------
    InputError
        If a cell is missing, a column does not vary, or the task does not suit.
    """
    if len(cells.columns) > 1:
        return _read_several(cells, kinds, task)
    name = cells.columns[0]
    return _read_one(cells[name], kinds[str(name)], task)


def _read_several(
    cells: pd.DataFrame, kinds: Mapping[str, Kind], task: Task | None
) -> tuple[pd.DataFrame, Task, list[str]]:
    if task is Task.CLASSIFICATION:
        raise InputError(
            f"classification learns one target, not {len(cells.columns)}: {listing(cells.columns)}"
        )
    others = [name for name in cells.columns if kinds[name] is not Kind.NUMBER]
    if others:
        hold = "holds" if len(others) == 1 else "hold"
        raise InputError(
            f"several targets must all hold numbers, and {listing(others)} {hold} categories: "
            "train a model of its own for such a column"
        )
    for name in cells.columns:
        _refuse_missing(cells[name])
        _refuse_constant(cells[name])
    classes = [name for name in cells.columns if _looks_like_classes(cells[name])]
    note = f"learnt as numbers, because there are several targets: {listing(classes)}"
    return cells, Task.REGRESSION, [note] if classes else []


def _read_one(
    column: pd.Series, kind: Kind, task: Task | None
) -> tuple[pd.Series, Task, list[str]]:
    _refuse_missing(column)
    notes: list[str] = []
    if kind is Kind.NUMBER:
        if task is None and _looks_like_classes(column):
            task = Task.CLASSIFICATION
            notes.append(
                f"target {str(column.name)!r} was taken as {column.nunique()} classes "
                "(--task regression learns it as numbers)"
            )
        values = column if task is not Task.CLASSIFICATION else column.map(class_label)
    elif task is Task.REGRESSION:
        values = as_numbers(column, "target")
    else:
        values, task = as_categories(column), Task.CLASSIFICATION
    _refuse_constant(values)
    if task is Task.CLASSIFICATION:
        _refuse_rare_classes(values)
    return values, task or Task.REGRESSION, notes


def _refuse_missing(column: pd.Series) -> None:
    missing = np.flatnonzero(column.isna())
    if len(missing) == len(column):
        raise InputError(f"target {str(column.name)!r} is empty in every row")
    if len(missing):
        raise InputError(
            f"target {str(column.name)!r} is missing in {len(missing)} of {len(column)} rows, "
            f"first in row {missing[0] + 1}: fill it in or remove these rows"
        )


def _refuse_constant(values: pd.Series) -> None:
    if values.nunique() < 2:
        raise InputError(
            f"target {str(values.name)!r} is {str(values.iloc[0])!r} in every row: "
            "there is nothing to learn"
        )


def _looks_like_classes(numbers: pd.Series) -> bool:
    counts = numbers.value_counts()
    if len(counts) < 2 or counts.min() < _FEWEST_ROWS_PER_CLASS:
        return False
    values = sorted(counts.index)
    numbered = values in (list(range(len(values))), list(range(1, len(values) + 1)))
    return len(values) == 2 or (numbered and len(values) <= _MOST_NUMBERED_CLASSES)


def class_label(number: float) -> str:
    """The class that a number names: 2.0 is called 2."""
    return str(int(number)) if number.is_integer() else repr(number)


def _refuse_rare_classes(values: pd.Series) -> None:
    counts = values.value_counts(sort=False)
    rare = counts[counts < _FEWEST_ROWS_PER_CLASS]
    if 2 * len(counts) > len(values):
        raise InputError(
            f"target {str(values.name)!r} has {len(counts)} different values in {len(values)} "
            "rows: too many for classes"
        )
    if len(rare):
        raise InputError(
            f"each class of target {str(values.name)!r} needs at least {_FEWEST_ROWS_PER_CLASS} "
            f"rows, and {listing(rare.index)} has fewer"
        )
