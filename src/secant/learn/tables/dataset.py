"""A table made ready for learning: which columns are inputs, what the targets are, what was left out.

Whatever cannot be learnt from is refused here, before anything is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from secant.learn.errors import InputError, listing, suggestion
from secant.learn.tables.columns import (
    Kind,
    are_dates,
    as_categories,
    as_numbers,
    kind_of,
    refuse_commas,
)
from secant.learn.tables.data import read_columns_as_text, read_table
from secant.learn.tables.dialect import Dialect
from secant.learn.tables.source import Readable, Source, open_source
from secant.learn.targets.columns import (
    TargetCells,
    Task,
    column_names,
    read_cells,
    read_targets,
    target_names,
)

__all__ = ["Dataset", "Task", "read_dataset"]

_FEWEST_ROWS = 10
_MOST_CATEGORIES = 100


@dataclass(frozen=True)
class Dataset:
    """Inputs and targets, checked.

    Attributes
    ----------
    source : str
        The name of the file.
    frame : DataFrame
        Input columns of kind NUMBER as float64 with NaN, of kind CATEGORY as text with None.
    kinds : dict of str to Kind
        The input columns in the order of the file.
    target : Series or DataFrame
        float64 without NaN for regression, text for classification; a DataFrame if there are several
        columns.
    task : Task
    notes : tuple of str
        Sentences about decisions taken for the user.
    marks : Series, optional
        The column that divides or orders the rows, as text or numbers.
    """

    source: str
    frame: pd.DataFrame
    kinds: dict[str, Kind]
    target: TargetCells
    task: Task
    notes: tuple[str, ...]
    marks: pd.Series | None = None

    @property
    def target_names(self) -> tuple[str, ...]:
        """The columns that are learnt."""
        several = isinstance(self.target, pd.DataFrame)
        return tuple(map(str, self.target.columns if several else [self.target.name]))


def read_dataset(
    path: Readable | Source,
    target: str | Sequence[str],
    *,
    task: Task | None = None,
    ignore: Sequence[str] = (),
    categorical: Sequence[str] = (),
    dialect: Dialect | None = None,
    division_column: str | None = None,
    drop_missing: bool = False,
) -> Dataset:
    """Read a table and decide what each of its columns is.

    Parameters
    ----------
    path : str, Path or open file
        See `read_table`.
    target : str or sequence of str
        The column to learn, or several, of numbers or of two classes each; ``"a,b"`` is a and b unless
        a column is called so.
    task : Task, optional
        By default classification for text, for two values and for whole numbers 0..k-1 or 1..k
        with k <= 10, else regression; for several targets, classification if each has two values.
    ignore : sequence of str
        Columns that are no inputs, such as row numbers; ``"a,b"`` as for the target.
    categorical : sequence of str
        Input columns whose numbers are codes of categories.
    dialect : Dialect, optional
        See `read_table`.
    division_column : str, optional
        The column that divides or orders the rows; no input.
    drop_missing : bool
        Leave rows out that miss a target or a cell of an input column.

    Raises
    ------
    InputError
        If the file, a column name or a column cannot be used.
    """
    source = open_source(path)
    frame = read_table(source, dialect=dialect)
    columns = [str(column) for column in frame.columns]
    divider = [] if division_column is None else [division_column]
    targets = target_names(target, columns, source.name)
    ignore = column_names(ignore, columns, source.name, "ignore")
    categorical = column_names(categorical, columns, source.name, "categorical")
    _check_divider(source.name, columns, division_column)
    for name in targets:
        if name in ignore:
            raise InputError(f"column {name!r} cannot be the target and be ignored")
        if name in divider:
            raise InputError(f"column {name!r} cannot be the target and divide the rows")
    _refuse_few_rows(source.name, len(frame))

    unused = {*ignore, *divider}
    kinds = {column: kind_of(frame[column]) for column in columns if column not in unused}
    kinds |= dict.fromkeys((column for column in categorical if column in kinds), Kind.CATEGORY)
    text = [column for column, kind in kinds.items() if kind is Kind.CATEGORY]
    if text:  # once more, so that a category is the text of the file: 007 is not 7
        frame[text] = read_columns_as_text(source, text, dialect=dialect)[text]

    target_kinds = {name: kinds.pop(name) for name in targets}
    inputs, notes = _read_inputs(frame, kinds, declared=frozenset(categorical))
    if inputs.empty:
        reasons = f": {'; '.join(notes)}" if notes else ""
        what = "target" if len(targets) == 1 else "targets"
        raise InputError(
            f"{source.name} has no input column besides the {what} {listing(targets)}{reasons}"
        )
    cells = read_cells(frame[list(targets)], target_kinds)
    marks = None if division_column is None else frame[division_column]
    if drop_missing:
        complete = inputs.notna().all(axis=1) & cells.notna().all(axis=1)
        cells, inputs, marks, dropped = _only(complete, cells, inputs, marks)
        notes += dropped
        _refuse_few_rows(f"{source.name}, without the rows that miss a cell,", len(inputs))
    values, task, target_notes = read_targets(cells, target_kinds, task)
    kept = {name: kinds[name] for name in inputs.columns}
    return Dataset(source.name, inputs, kept, values, task, (*target_notes, *notes), marks)


def _refuse_few_rows(name: str, rows: int) -> None:
    if rows < _FEWEST_ROWS:
        counted = "1 row" if rows == 1 else f"{rows} rows"
        raise InputError(f"{name} has {counted}: at least {_FEWEST_ROWS} are needed")


def _only(
    complete: pd.Series, cells: pd.DataFrame, inputs: pd.DataFrame, marks: pd.Series | None
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series | None, list[str]]:
    """The complete rows, and a sentence if there are others."""
    left_out = int((~complete).sum())
    if not left_out:
        return cells, inputs, marks, []
    note = f"left out, a cell is missing: {left_out} of {len(complete)} rows"
    return (
        cells[complete].reset_index(drop=True),
        inputs[complete].reset_index(drop=True),
        None if marks is None else marks[complete].reset_index(drop=True),
        [note],
    )


def _check_divider(name: str, columns: list[str], divider: str | None) -> None:
    if divider is not None and divider not in columns:
        hint = suggestion(divider, columns)
        raise InputError(f"--division-column: {name} has no column {divider!r}; {hint}")


def _read_inputs(
    frame: pd.DataFrame, kinds: dict[str, Kind], declared: frozenset[str]
) -> tuple[pd.DataFrame, list[str]]:
    kept: dict[str, pd.Series] = {}
    left_out: dict[str, list[str]] = {}
    for name, kind in kinds.items():
        column = frame[name]
        cells = as_numbers(column) if kind is Kind.NUMBER else as_categories(column)
        if kind is Kind.CATEGORY and name not in declared:
            refuse_commas(column)
        reason = _why_left_out(cells, kind, name in declared)
        if reason:
            left_out.setdefault(reason, []).append(name)
        else:
            kept[name] = cells
    notes = [f"left out, {reason}: {listing(names)}" for reason, names in left_out.items()]
    counters = [name for name, cells in kept.items() if _counts_rows(cells, kinds[name])]
    if counters and len(kept) > len(counters):
        notes.append(
            f"learnt like the others, though it only counts the rows (--ignore): {listing(counters)}"
        )
    return pd.DataFrame(kept), notes


def _counts_rows(cells: pd.Series, kind: Kind) -> bool:
    """Whether a column is 1, 2, 3, ... from any start, as a number of the row is."""
    return kind is Kind.NUMBER and bool((cells.diff().iloc[1:] == 1.0).all())


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
