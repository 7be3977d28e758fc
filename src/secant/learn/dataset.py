"""A table made ready for learning: which columns are inputs, what the target is, what was left out.

Whatever cannot be learnt from is refused here, before anything is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pandas as pd

from secant.learn.columns import (
    Kind,
    are_dates,
    as_categories,
    as_numbers,
    kind_of,
    refuse_decimal_commas,
)
from secant.learn.data import read_columns_as_text, read_table
from secant.learn.errors import InputError, listing, suggestion
from secant.learn.source import Readable, Source, open_source

__all__ = ["Dataset", "Task", "class_label", "read_dataset"]

_FEWEST_ROWS = 10
# One row of every class has to reach each of the three parts of a 60/20/20 division.
_FEWEST_ROWS_PER_CLASS = 5
_MOST_CATEGORIES = 100
_MOST_NUMBERED_CLASSES = 10


class Task(Enum):
    """What is learnt about the target."""

    REGRESSION = "regression"
    CLASSIFICATION = "classification"


@dataclass(frozen=True)
class Dataset:
    """Inputs and a target, checked.

    Attributes
    ----------
    source : str
        The name of the file.
    frame : DataFrame
        Input columns of kind NUMBER as float64 with NaN, of kind CATEGORY as text with None.
    kinds : dict of str to Kind
        The input columns in the order of the file.
    target : Series
        float64 without NaN for regression, text for classification.
    task : Task
    notes : tuple of str
        Sentences about decisions taken for the user.
    marks : Series, optional
        The column that divides or orders the rows, as text or numbers.
    """

    source: str
    frame: pd.DataFrame
    kinds: dict[str, Kind]
    target: pd.Series
    task: Task
    notes: tuple[str, ...]
    marks: pd.Series | None = None


def read_dataset(
    path: Readable | Source,
    target: str,
    *,
    task: Task | None = None,
    ignore: Sequence[str] = (),
    categorical: Sequence[str] = (),
    separator: str | None = None,
    division_column: str | None = None,
    drop_missing: bool = False,
) -> Dataset:
    """Read a table and decide what each of its columns is.

    Parameters
    ----------
    path : str, Path or open file
        See `read_table`.
    target : str
        The column to learn.
    task : Task, optional
        By default classification for text, for two values and for whole numbers 0..k-1 or 1..k
        with k <= 10, else regression.
    ignore : sequence of str
        Columns that are no inputs, such as row numbers.
    categorical : sequence of str
        Input columns whose numbers are codes of categories.
    separator : str, optional
        See `read_table`.
    division_column : str, optional
        The column that divides or orders the rows; no input.
    drop_missing : bool
        Leave rows out that miss the target or a cell of an input column.

    Raises
    ------
    InputError
        If the file, a column name or a column cannot be used.
    """
    source = open_source(path)
    frame = read_table(source, separator=separator)
    columns = [str(column) for column in frame.columns]
    divider = [] if division_column is None else [division_column]
    _check_names(source.name, columns, [target], "target")
    _check_names(source.name, columns, ignore, "ignore")
    _check_names(source.name, columns, categorical, "categorical")
    _check_names(source.name, columns, divider, "division-column")
    if target in ignore:
        raise InputError(f"column {target!r} cannot be the target and be ignored")
    if target in divider:
        raise InputError(f"column {target!r} cannot be the target and divide the rows")
    _refuse_few_rows(source.name, len(frame))

    unused = {*ignore, *divider}
    kinds = {column: kind_of(frame[column]) for column in columns if column not in unused}
    kinds |= dict.fromkeys((column for column in categorical if column in kinds), Kind.CATEGORY)
    text = [column for column, kind in kinds.items() if kind is Kind.CATEGORY]
    if text:  # once more, so that a category is the text of the file: 007 is not 7
        frame[text] = read_columns_as_text(source, text, separator=separator)[text]

    target_kind = kinds.pop(target)
    inputs, notes = _read_inputs(frame, kinds, declared=frozenset(categorical))
    if inputs.empty:
        reasons = f": {'; '.join(notes)}" if notes else ""
        raise InputError(
            f"{source.name} has no input column besides the target {target!r}{reasons}"
        )
    column = frame[target]
    if target_kind is Kind.NUMBER:
        column = as_numbers(column, "target")
    marks = None if division_column is None else frame[division_column]
    if drop_missing:
        complete = inputs.notna().all(axis=1) & column.notna()
        column, inputs, marks, dropped = _only(complete, column, inputs, marks)
        notes += dropped
        _refuse_few_rows(f"{source.name}, without the rows that miss a cell,", len(inputs))
    values, task, target_notes = _read_target(column, target_kind, task)
    kept = {name: kinds[name] for name in inputs.columns}
    return Dataset(source.name, inputs, kept, values, task, (*target_notes, *notes), marks)


def _refuse_few_rows(name: str, rows: int) -> None:
    if rows < _FEWEST_ROWS:
        counted = "1 row" if rows == 1 else f"{rows} rows"
        raise InputError(f"{name} has {counted}: at least {_FEWEST_ROWS} are needed")


def _only(
    complete: pd.Series, column: pd.Series, inputs: pd.DataFrame, marks: pd.Series | None
) -> tuple[pd.Series, pd.DataFrame, pd.Series | None, list[str]]:
    """The complete rows, and a sentence if there are others."""
    left_out = int((~complete).sum())
    if not left_out:
        return column, inputs, marks, []
    note = f"left out, a cell is missing: {left_out} of {len(complete)} rows"
    return (
        column[complete].reset_index(drop=True),
        inputs[complete].reset_index(drop=True),
        None if marks is None else marks[complete].reset_index(drop=True),
        [note],
    )


def _check_names(name: str, columns: list[str], wanted: Sequence[str], option: str) -> None:
    for column in wanted:
        if column not in columns:
            hint = suggestion(column, columns)
            if option == "target" and set(column.split(",")) <= set(columns):
                hint = "name one column: a network of a table learns one target"
            raise InputError(f"--{option}: {name} has no column {column!r}; {hint}")


def _read_target(
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
    if values.nunique() < 2:
        raise InputError(
            f"target {str(column.name)!r} is {str(values.iloc[0])!r} in every row: "
            "there is nothing to learn"
        )
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


def _read_inputs(
    frame: pd.DataFrame, kinds: dict[str, Kind], declared: frozenset[str]
) -> tuple[pd.DataFrame, list[str]]:
    kept: dict[str, pd.Series] = {}
    left_out: dict[str, list[str]] = {}
    for name, kind in kinds.items():
        column = frame[name]
        cells = as_numbers(column) if kind is Kind.NUMBER else as_categories(column)
        if kind is Kind.CATEGORY and name not in declared:
            refuse_decimal_commas(column)
        reason = _why_left_out(cells, kind, name in declared)
        if reason:
            left_out.setdefault(reason, []).append(name)
        else:
            kept[name] = cells
    notes = [f"left out, {reason}: {listing(names)}" for reason, names in left_out.items()]
    return pd.DataFrame(kept), notes


def _why_left_out(cells: pd.Series, kind: Kind, declared: bool) -> str:
    """Why a column tells the network nothing; empty text if it does tell something."""
    different = cells.nunique()
    if different == 0:
        return "empty in every row"
    if different == 1:
        return "the same value in every row"
    if kind is Kind.CATEGORY and not declared and are_dates(cells):
        return "dates or times (give them as numbers, such as days since a start)"
    too_many = different > _MOST_CATEGORIES or 2 * different > len(cells)
    if kind is Kind.CATEGORY and too_many and not declared:
        return "too many different texts for categories (--categorical keeps a column)"
    return ""
