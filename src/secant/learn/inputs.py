"""What one column of a table becomes: numbers that a network sees, by statistics already taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secant.learn.errors import InputError, listing
from secant.learn.scaling import Scaling
from secant.learn.schema import Fields
from secant.learn.tables.columns import Kind, as_categories, as_numbers

__all__ = [
    "MISSING",
    "UNKNOWN",
    "CategoricalInput",
    "NumericInput",
    "read_input",
    "read_input_of_version_1",
]

Matrix = NDArray[np.float64]

MISSING = ("median", "mean", "most-frequent", "indicator", "drop")
UNKNOWN = ("ignore", "error")

_STATISTICS = {"median": "median", "mean": "mean", "most-frequent": "most frequent number"}


@dataclass(frozen=True)
class NumericInput:
    """A column of numbers: missing x -> fill first, then scaled.

    Attributes
    ----------
    name : str
        Of the column.
    fill : float or None
        What a missing number becomes; None refuses missing numbers.
    scaling : Scaling
    indicator : bool
        Whether a second unit follows, 1 where the number is missing.
    statistic : str
        Which one of the training rows `fill` is.
    """

    name: str
    fill: float | None
    scaling: Scaling = field(default_factory=Scaling)
    indicator: bool = False
    statistic: str = "median"

    @property
    def width(self) -> int:
        """How many inputs of the network the column becomes."""
        return 2 if self.indicator else 1

    @property
    def features(self) -> tuple[str, ...]:
        """Names of these inputs."""
        return (self.name, f"{self.name}=missing") if self.indicator else (self.name,)

    def transform(self, cells: pd.Series) -> Matrix:
        """Scaled numbers, shape (rows, width)."""
        values = as_numbers(cells).to_numpy()
        missing = np.isnan(values)
        if missing.any():
            if self.fill is None:
                raise _refused_as_missing(self.name, missing)
            values = np.where(missing, self.fill, values)
        scaled = self.scaling.apply(values)
        wrong = np.flatnonzero(~np.isfinite(scaled))
        if len(wrong):
            raise InputError(
                f"column {self.name!r}: row {wrong[0] + 1} holds {values[wrong[0]]:g}, which the "
                f"scaler {self.scaling.scaler!r} cannot take"
            )
        return np.column_stack([scaled, missing]) if self.indicator else scaled.reshape(-1, 1)

    def gaps(self, cells: pd.Series) -> list[str]:
        """A sentence if cells are missing."""
        missing = int(cells.isna().sum())
        if not missing or self.fill is None:
            return []
        taken = f"the {_STATISTICS[self.statistic]} of the training rows, {self.fill:g}"
        return [f"column {self.name!r}: {missing} missing, taken as {taken}"]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file."""
        return {
            "kind": Kind.NUMBER.value,
            "name": self.name,
            "fill": self.fill,
            "statistic": self.statistic,
            "indicator": self.indicator,
            **self.scaling.to_dict(),
        }


@dataclass(frozen=True)
class CategoricalInput:
    """A column of categories: one 0/1 unit each.

    Attributes
    ----------
    name : str
        Of the column.
    categories : tuple of str
    fill : str or None
        The category that a missing cell becomes; by default none of them.
    unknown : str
        A category that is not among `categories` is none of them (``ignore``) or refused
        (``error``).
    indicator : bool
        Whether a last unit follows, 1 where the cell is missing.
    required : bool
        Whether missing cells are refused.
    """

    name: str
    categories: tuple[str, ...]
    fill: str | None = None
    unknown: str = "ignore"
    indicator: bool = False
    required: bool = False

    @property
    def width(self) -> int:
        """How many inputs of the network the column becomes."""
        return len(self.categories) + self.indicator

    @property
    def features(self) -> tuple[str, ...]:
        """Names of these inputs."""
        # A category may be called "missing", too: names are for people, order is what counts.
        missing = (f"{self.name}=missing",) if self.indicator else ()
        return (*(f"{self.name}={category}" for category in self.categories), *missing)

    def _codes(self, cells: pd.Series) -> NDArray[np.intp]:
        """The place of each text among the categories, -1 for missing and unknown ones."""
        return np.asarray(pd.Index(self.categories).get_indexer(pd.Index(cells)))

    def transform(self, cells: pd.Series) -> Matrix:
        """Zeros and ones, shape (rows, width)."""
        cells = as_categories(cells)
        missing = cells.isna().to_numpy()
        codes = self._codes(cells)
        self._refuse(cells, codes, missing)
        if self.fill is not None:
            codes = np.where(missing, self.categories.index(self.fill), codes)
        elif self.indicator:
            codes = np.where(missing, len(self.categories), codes)
        units = np.zeros((len(codes), self.width))
        known = np.flatnonzero(codes >= 0)
        units[known, codes[known]] = 1.0
        return units

    def _refuse(
        self, cells: pd.Series, codes: NDArray[np.intp], missing: NDArray[np.bool_]
    ) -> None:
        if self.required and missing.any():
            raise _refused_as_missing(self.name, missing)
        unknown = np.flatnonzero((codes < 0) & ~missing)
        if self.unknown == "error" and len(unknown):
            raise InputError(
                f"column {self.name!r}: row {unknown[0] + 1} holds "
                f"{str(cells.iloc[unknown[0]])!r}, which is none of the model's categories "
                f"({listing(self.categories)})"
            )

    def gaps(self, cells: pd.Series) -> list[str]:
        """Sentences if cells are missing or hold unknown categories."""
        notes: list[str] = []
        cells = as_categories(cells)
        missing = int(cells.isna().sum())
        if missing and not self.required:
            taken = "no category" if self.fill is None else repr(self.fill)
            notes.append(f"column {self.name!r}: {missing} missing, taken as {taken}")
        unknown = cells[(self._codes(cells) < 0) & cells.notna().to_numpy()]
        if len(unknown):
            notes.append(
                f"column {self.name!r}: {len(unknown)} with a category unknown to the model "
                f"({listing(unknown.unique(), 3)}), taken as no category"
            )
        return notes

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file."""
        return {
            "kind": Kind.CATEGORY.value,
            "name": self.name,
            "categories": list(self.categories),
            "fill": self.fill,
            "unknown": self.unknown,
            "indicator": self.indicator,
            "required": self.required,
        }


Input = NumericInput | CategoricalInput


def _refused_as_missing(name: str, missing: NDArray[np.bool_]) -> InputError:
    return InputError(
        f"column {name!r}: row {int(missing.argmax()) + 1} is empty, and the model was trained "
        "without rows that miss a cell: fill it in"
    )


def read_input(fields: Fields) -> Input:
    """Read what `to_dict` gave; raises InputError for anything else."""
    kind = fields.choice("kind", tuple(kind.value for kind in Kind))
    name = fields.text("name")
    if kind == Kind.NUMBER.value:
        fill = fields.optional("fill", fields.number)
        return NumericInput(
            name,
            fill,
            Scaling.from_fields(fields),
            fields.truth("indicator"),
            fields.choice("statistic", tuple(_STATISTICS)),
        )
    categories = fields.texts("categories")
    fill_text = fields.optional("fill", lambda member: fields.choice(member, categories))
    return CategoricalInput(
        name,
        categories,
        fill_text,
        fields.choice("unknown", UNKNOWN),
        fields.truth("indicator"),
        fields.truth("required"),
    )


def read_input_of_version_1(fields: Fields) -> Input:
    """The same from the first format: medians, means and deviations, unknown categories ignored."""
    kind = fields.choice("kind", tuple(kind.value for kind in Kind))
    name = fields.text("name")
    if kind == Kind.CATEGORY.value:
        return CategoricalInput(name, fields.texts("categories"))
    median, mean = fields.number("median"), fields.number("mean")
    return NumericInput(
        name, median, Scaling("mean-std", mean, fields.number("scale", positive=True))
    )
