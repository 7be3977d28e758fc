"""The history of a training as columns, from memory or from its CSV file."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from secant.arrays import HostArray
from secant.learn.errors import InputError, listing
from secant.learn.tables.source import open_source

if TYPE_CHECKING:
    from secant.learn.history import History

__all__ = ["Curves", "curves_of", "read_curves"]

_NEEDED = ("iteration", "seconds", "training_loss")


@dataclass(frozen=True)
class Curves:
    """Quantities over the iterations, by the names of a history's columns."""

    columns: dict[str, tuple[float, ...]]

    def __len__(self) -> int:
        return len(self.columns["iteration"])

    def __getitem__(self, name: str) -> HostArray:
        return np.asarray(self.columns[name], dtype=float)

    def shows(self, name: str) -> bool:
        """Whether the column is there and says anything: a finite number other than 0."""
        return name in self.columns and bool(np.any(np.isfinite(self[name]) & (self[name] != 0)))

    @property
    def best(self) -> int:
        """The row of lowest validation loss, or of lowest training loss without validation."""
        name = "validation_loss" if self.shows("validation_loss") else "training_loss"
        losses = np.where(np.isfinite(self[name]), self[name], np.inf)
        return int(np.argmin(losses))

    def row_of(self, iteration: int) -> int:
        """The row of an iteration."""
        return int(np.searchsorted(self["iteration"], iteration))


def curves_of(history: History) -> Curves:
    """All columns of a history."""
    names = [entry.name for entry in fields(history.epochs[0])]
    return Curves({name: tuple(_numbers(history, name)) for name in names})


def _numbers(history: History, name: str) -> list[float]:
    values = [getattr(epoch, name) for epoch in history]
    return [float("nan") if value is None else float(value) for value in values]


def read_curves(path: str | Path) -> Curves:
    """The columns of a ``history.csv``.

    Raises
    ------
    InputError
        If the file cannot be read or is no history.
    """
    path, source = Path(path), open_source(path)
    try:
        with source.open() as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as lines:
            header, *rows = [row for row in csv.reader(lines) if row]
    except InputError:
        raise
    except (ValueError, csv.Error):
        raise InputError(f"{path.name} is no history of a training: no header line") from None
    missing = [name for name in _NEEDED if name not in header]
    if missing or not rows:
        lacks = f"it lacks {listing(missing)}" if missing else "it has no rows"
        raise InputError(f"{path.name} is no history of a training: {lacks}")
    columns: dict[str, list[float]] = {name: [] for name in header}
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise InputError(f"{path.name}: line {line} has {len(row)} cells, not {len(header)}")
        for name, cell in zip(header, row, strict=True):
            columns[name].append(_number(cell, path.name, line))
    return Curves({name: tuple(values) for name, values in columns.items()})


def _number(cell: str, name: str, line: int) -> float:
    try:
        return float(cell) if cell else float("nan")
    except ValueError:
        raise InputError(f"{name}: line {line} holds {cell!r} where a number must be") from None
