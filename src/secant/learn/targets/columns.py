"""The columns that are to be learnt: which ones are meant, what is learnt about them, what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

import numpy as np
import pandas as pd

from secant.learn.errors import InputError, listing, suggestion
from secant.learn.tables.columns import Kind, as_categories, as_numbers, refuse_commas

__all__ = [
    "TargetCells",
    "Task",
    "class_label",
    "column_names",
    "read_cells",
    "read_targets",
    "target_names",
    "title",
]

TargetCells = pd.Series | pd.DataFrame
"""One target column, or several: of numbers, or of two classes each."""

# So many names stand for all of a long list.
_NAMED = 3

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
    names = column_names([wanted] if isinstance(wanted, str) else wanted, columns, source, "target")
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--target names the column {name!r} {names.count(name)} times")
    return names


def column_names(
    wanted: Sequence[str], columns: Sequence[str], source: str, option: str
) -> tuple[str, ...]:
    """The columns that texts such as ``"a,b"`` mean; raises InputError if there is no such column."""
    names = tuple(name for text in wanted for name in _named(text, columns))
    for name in names:
        if name not in columns:
            raise InputError(
                f"--{option}: {source} has no column {name!r}; {suggestion(name, columns)}"
            )
    return names


def _named(text: str, columns: Sequence[str]) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return parts if text not in columns and any(part in columns for part in parts) else [text]


def title(names: Sequence[str]) -> str:
    """The names of all targets, shortened where there are many; for people.

    >>> title(["a", "b"]), title("abcdefg")
    ('a, b', 'a, b, c and 4 more')
    """
    more = len(names) - _NAMED
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:_NAMED])} and {more} more"


def read_cells(cells: pd.DataFrame, kinds: Mapping[str, Kind]) -> pd.DataFrame:
    """The target columns, those of numbers as float64; raises InputError where one holds text."""
    for name, kind in kinds.items():
        if kind is Kind.CATEGORY:
            refuse_commas(cells[name], "target")
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
    numbers = [name for name in cells.columns if kinds[name] is Kind.NUMBER]
    texts = {name: as_categories(cells[name]) for name in cells.columns if name not in numbers}
    cells = cells.assign(**texts)
    for name in cells.columns:
        _refuse_missing(cells[name])
        _refuse_constant(cells[name])
    alike = [name for name in numbers if _looks_like_classes(cells[name])]
    two = [name for name in cells.columns if cells[name].nunique() == 2]
    # Beside text, two numbers can only be classes: `_of_classes` says if one of them is too rare.
    if task is None and len(two) == len(cells.columns) and (texts or {*alike} == {*numbers}):
        note = f"taken as two classes each (--task regression learns numbers): {listing(numbers)}"
        return _of_classes(cells, kinds), Task.CLASSIFICATION, [note] if numbers else []
    if task is Task.CLASSIFICATION:
        return _of_classes(cells, kinds), task, []
    others = [name for name in cells.columns if name not in numbers]
    if others:
        hold = "holds" if len(others) == 1 else "hold"
        raise InputError(
            "several targets must all hold numbers, or two classes each, and "
            f"{listing(others)} {hold} categories: train a model of its own for such a column"
        )
    note = f"learnt as numbers, because there are several targets: {listing(alike)}"
    return cells, Task.REGRESSION, [note] if alike else []


def _of_classes(cells: pd.DataFrame, kinds: Mapping[str, Kind]) -> pd.DataFrame:
    """The columns as text, of two classes each."""
    labels = pd.DataFrame({name: _labels(cells[name], kinds[name]) for name in cells.columns})
    for name in labels.columns:
        _refuse_constant(labels[name])
        found = labels[name].nunique()
        if found > 2:
            raise InputError(
                f"several targets of classes must have two classes each, and {str(name)!r} has "
                f"{found}: train a model of its own for such a column"
            )
        _refuse_rare_classes(labels[name])
    return labels


def _labels(column: pd.Series, kind: Kind) -> pd.Series:
    labels = column.map(class_label) if kind is Kind.NUMBER else as_categories(column)
    _refuse_missing(labels)  # a blank text says as little as none
    return labels


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
        values = column if task is not Task.CLASSIFICATION else _labels(column, kind)
    elif task is Task.REGRESSION:
        values = as_numbers(column, "target")
    else:
        values, task = _labels(column, kind), Task.CLASSIFICATION
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
            f"first in row {missing[0] + 1}: fill it in, or leave these rows out (--missing drop)"
        )


def _refuse_constant(values: pd.Series) -> None:
    if values.nunique() < 2:
        only = values.iloc[0]
        shown = class_label(only) if isinstance(only, float) else str(only)
        raise InputError(
            f"target {str(values.name)!r} is {shown!r} in every row: there is nothing to learn"
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
