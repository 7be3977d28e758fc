"""Division of the rows into those that train, those that say when to stop, and those that judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secant.learn.errors import InputError, listing

__all__ = ["DIVISIONS", "Division", "Parts"]

Rows = NDArray[np.intp]

DIVISIONS = ("auto", "random", "stratified", "blocks", "time", "column")

# What the cells of a column that divides the rows may be, in lower case.
_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val"),
    "test": ("test", "testing"),
}
# Shares are exact in this many parts of the whole.
_WHOLE = 10_000


@dataclass(frozen=True)
class Parts:
    """Row numbers of the three parts, each in ascending order."""

    train: Rows
    validation: Rows
    test: Rows

    def items(self) -> tuple[tuple[str, Rows], ...]:
        """The parts with their names, in the order in which tables print them."""
        return (("train", self.train), ("validation", self.validation), ("test", self.test))


@dataclass(frozen=True)
class Division:
    """How the rows are divided.

    Attributes
    ----------
    kind : str
        ``random``: shuffled, then held-out rows are taken at even distances. ``stratified``: the
        same after a stable sort by class, so every class is divided in the same proportion, to
        within a row. ``blocks``: the first rows of the table train, the next ones validate, the
        last ones test. ``time``: the same in the order of a column of numbers or dates.
        ``column``: a column says train, validation or test. ``auto``: stratified when there are
        classes, else random.
    validation, test : float
        Shares of the rows, to four decimals; the others train. A column needs neither.
    seed : int
        The same seed divides the same way.

    Examples
    --------
    >>> parts = Division("blocks", validation=0.2, test=0.1).split(10)
    >>> parts.validation, parts.test
    (array([7, 8]), array([9]))
    """

    kind: str = "auto"
    validation: float = 0.2
    test: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in DIVISIONS:
            raise InputError(f"division must be one of {listing(DIVISIONS)}, not {self.kind!r}")
        if not (
            min(self.validation, self.test) >= 0.01 and self.validation + self.test <= 0.9 + 1e-12
        ):
            raise InputError(
                "validation_fraction and test_fraction must be at least 0.01 each and 0.9 "
                f"together, not {self.validation:g} and {self.test:g}"
            )

    def split(
        self, rows: int, classes: NDArray[Any] | None = None, marks: pd.Series | None = None
    ) -> Parts:
        """Divide `rows` rows.

        Parameters
        ----------
        rows : int
            How many there are.
        classes : ndarray, optional
            One label a row, for ``stratified`` and ``auto``.
        marks : Series, optional
            The cells that order the rows for ``time`` or name the parts for ``column``.

        Raises
        ------
        InputError
            If the marks cannot be used, or a part would have no row.
        """
        if self.kind == "column":
            parts = _by_words(marks)
        elif self.kind in ("blocks", "time"):
            order = np.arange(rows) if marks is None else _in_time(marks)
            parts = self._consecutive(order)
        else:
            parts = self._at_random(rows, None if self.kind == "random" else classes)
        for name, members in parts.items():
            if not len(members):
                raise InputError(f"the division leaves no {name} row: there are {rows} rows in all")
        return parts

    def _consecutive(self, order: Rows) -> Parts:
        first, last = (round(share * len(order)) for share in (self.validation, self.test))
        middle = len(order) - first - last
        train, validation, test = np.split(order, [middle, middle + first])
        return Parts(np.sort(train), np.sort(validation), np.sort(test))

    def _at_random(self, rows: int, classes: NDArray[Any] | None) -> Parts:
        order = np.random.default_rng(self.seed).permutation(rows)
        if classes is not None:
            order = order[np.argsort(classes[order], kind="stable")]
        elif self.kind == "stratified":
            raise InputError("division 'stratified' needs classes, and the target holds numbers")
        validation, test = (round(share * _WHOLE) for share in (self.validation, self.test))
        held = _evenly(rows, validation + test, _WHOLE)
        held_rows = order[held]
        tested = _evenly(len(held_rows), test, validation + test)
        return Parts(np.sort(order[~held]), np.sort(held_rows[~tested]), np.sort(held_rows[tested]))


def _evenly(count: int, share: int, whole: int) -> NDArray[np.bool_]:
    """A mask with share/whole of its entries set, at even distances."""
    passed = np.arange(count + 1) * share // whole
    return np.diff(passed) > 0


def _by_words(marks: pd.Series | None) -> Parts:
    if marks is None:
        raise InputError("division 'column' needs division_column, the column that names the parts")
    words = marks.astype("object").map(lambda cell: str(cell).strip().lower(), na_action="ignore")
    known = [word for group in _WORDS.values() for word in group]
    wrong = np.flatnonzero(~words.isin(known))
    if len(wrong):
        cell = marks.iloc[wrong[0]]
        found = "is empty" if pd.isna(cell) else f"holds {str(cell)!r}"
        raise InputError(
            f"division column {str(marks.name)!r} must say train, validation or test, and row "
            f"{wrong[0] + 1} {found}"
        )
    train, validation, test = (np.flatnonzero(words.isin(group)) for group in _WORDS.values())
    return Parts(train, validation, test)


def _in_time(marks: pd.Series) -> Rows:
    """The row numbers in the order of the marks; rows of the same time in the table's order."""
    values = pd.to_numeric(marks, errors="coerce")
    if values.isna().any():
        values = pd.to_datetime(marks, errors="coerce", format="ISO8601", utc=True)
    wrong = np.flatnonzero(values.isna())
    if len(wrong):
        cell = marks.iloc[wrong[0]]
        found = "is empty" if pd.isna(cell) else f"holds {str(cell)!r}"
        raise InputError(
            f"division column {str(marks.name)!r} must hold numbers or dates such as 2024-12-31, "
            f"and row {wrong[0] + 1} {found}"
        )
    return np.argsort(values.to_numpy(), kind="stable")
