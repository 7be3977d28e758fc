"""From table columns to the numbers a network sees, by statistics of the training rows alone.

Numeric columns: a missing cell becomes the fill value, then the column is scaled (see `scaling`).
Categorical columns: one 0/1 unit for each category of the training rows. By default a missing cell,
and a category that was not among them, set no unit at all: the network sees "none of the known
ones".

The statistics are kept as plain numbers and texts, so that a saved model is JSON and nothing is
ever unpickled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secant.learn.errors import InputError, listing, suggestion
from secant.learn.inputs import (
    MISSING,
    UNKNOWN,
    CategoricalInput,
    Input,
    NumericInput,
    read_input,
)
from secant.learn.scaling import check_columns, check_scaler, fit_scalings
from secant.learn.schema import Fields
from secant.learn.tables.columns import Kind

__all__ = ["CategoricalInput", "Choices", "NumericInput", "Preparation"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Choices:
    """What is done with missing cells, unknown categories and scales.

    Attributes
    ----------
    missing : str
        ``median``, ``mean`` or ``most-frequent`` of the training rows for numbers, of which the
        last also fills categories; ``indicator``: the median, and one more unit that says where;
        ``drop``: rows that miss a cell do not train, and predictions refuse them.
    unknown : str
        A category without training rows: ``ignore`` or ``error``.
    scaler : str
        Of numeric columns, see `secant.learn.scaling.SCALERS`.
    scalers : mapping of str to str
        Columns with a scaler of their own.
    """

    missing: str = "median"
    unknown: str = "ignore"
    scaler: str = "mean-std"
    scalers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.missing not in MISSING:
            raise InputError(f"missing must be one of {listing(MISSING)}, not {self.missing!r}")
        if self.unknown not in UNKNOWN:
            raise InputError(f"unknown must be one of {listing(UNKNOWN)}, not {self.unknown!r}")
        check_scaler(self.scaler)


@dataclass(frozen=True)
class Preparation:
    """All inputs of a network, in order.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"size": [1.0, 3.0, None], "colour": ["red", "blue", "red"]})
    >>> kinds = {"size": Kind.NUMBER, "colour": Kind.CATEGORY}
    >>> preparation = Preparation.fit(table, kinds)
    >>> preparation.feature_names
    ('size', 'colour=blue', 'colour=red')
    """

    inputs: tuple[Input, ...]

    @classmethod
    def fit(
        cls, frame: pd.DataFrame, kinds: Mapping[str, Kind], choices: Choices | None = None
    ) -> Preparation:
        """Take the statistics of the training rows."""
        choices = choices or Choices()
        empty = [name for name, missing in frame[list(kinds)].isna().all().items() if missing]
        if empty:
            raise InputError(f"column {str(empty[0])!r} is empty in every training row")
        numeric = [name for name, kind in kinds.items() if kind is Kind.NUMBER]
        check_columns(choices.scalers, numeric)
        numbers = iter(_fit_numbers(frame[numeric], choices))
        return cls(
            tuple(
                next(numbers) if kind is Kind.NUMBER else _fit_categories(frame[name], choices)
                for name, kind in kinds.items()
            )
        )

    @classmethod
    def from_fields(
        cls, fields: Fields, read: Callable[[Fields], Input] = read_input
    ) -> Preparation:
        """Read what `to_dict` gave; raises InputError for anything else."""
        inputs = fields.each("inputs", read)
        names = [entry.name for entry in inputs]
        if len(set(names)) != len(names):
            raise InputError(f"{fields.where}: 'inputs' names a column more than once")
        return cls(inputs)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file."""
        return {"inputs": [entry.to_dict() for entry in self.inputs]}

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are needed."""
        return tuple(entry.name for entry in self.inputs)

    @property
    def categorical(self) -> tuple[str, ...]:
        """The columns whose cells have to be read as text."""
        return tuple(entry.name for entry in self.inputs if isinstance(entry, CategoricalInput))

    @property
    def width(self) -> int:
        """How many numbers the network sees of one row."""
        return sum(entry.width for entry in self.inputs)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each of these numbers; categories as ``column=category``."""
        return tuple(name for entry in self.inputs for name in entry.features)

    def transform(self, frame: pd.DataFrame) -> Matrix:
        """The numbers the network sees, shape (rows, width); other columns are ignored.

        Raises
        ------
        InputError
            If a needed column is not there, or holds what the model refuses.
        """
        self.check_columns([str(column) for column in frame.columns])
        prepared = np.empty((len(frame), self.width))
        start = 0
        for entry in self.inputs:
            prepared[:, start : start + entry.width] = entry.transform(frame[entry.name])
            start += entry.width
        return prepared

    def check_columns(self, columns: list[str], source: str = "the table") -> None:
        """Raise InputError, with a near name if there is one, unless all needed columns exist."""
        there = frozenset(columns)
        missing = [name for name in self.names if name not in there]
        if len(missing) == 1:
            hint = suggestion(missing[0], columns)
            raise InputError(f"{source} lacks the column {missing[0]!r} of the model; {hint}")
        if missing:
            raise InputError(
                f"{source} lacks {len(missing)} of the model's {len(self.names)} columns: "
                f"{listing(missing)}"
            )

    def gaps(self, frame: pd.DataFrame) -> tuple[str, ...]:
        """Sentences about missing cells and unknown categories of the columns with any."""
        return tuple(note for entry in self.inputs for note in entry.gaps(frame[entry.name]))


def _fit_numbers(frame: pd.DataFrame, choices: Choices) -> list[NumericInput]:
    """The statistics of float64 columns, all at once: tables can have thousands of them."""
    if not len(frame.columns):
        return []
    names = [str(name) for name in frame.columns]
    fills = _fills(frame, choices.missing)
    cells = frame.to_numpy(dtype=np.float64)
    values = np.where(np.isnan(cells), fills, cells)
    scalers = [choices.scalers.get(name, choices.scaler) for name in names]
    scalings = fit_scalings(names, values, scalers)
    gaps = np.isnan(cells).any(axis=0) & (choices.missing == "indicator")
    statistic = choices.missing if choices.missing in ("mean", "most-frequent") else "median"
    refused = choices.missing == "drop"
    return [
        NumericInput(name, None if refused else float(fill), scaling, bool(gap), statistic)
        for name, fill, scaling, gap in zip(names, fills, scalings, gaps, strict=True)
    ]


def _fills(frame: pd.DataFrame, missing: str) -> Matrix:
    if missing == "mean":
        with np.errstate(over="ignore"):
            return frame.mean().to_numpy(dtype=np.float64)
    if missing == "most-frequent":  # the smallest of the numbers that are equally frequent
        return np.array([frame[name].mode().iloc[0] for name in frame.columns], dtype=np.float64)
    return frame.median().to_numpy(dtype=np.float64)


def _fit_categories(cells: pd.Series, choices: Choices) -> CategoricalInput:
    """The different texts of cells, of which some may be None, in sorted order."""
    present = cells.dropna().astype(str)
    frequent = choices.missing == "most-frequent"
    return CategoricalInput(
        str(cells.name),
        tuple(sorted(present.unique())),
        str(present.mode().iloc[0]) if frequent else None,
        choices.unknown,
        choices.missing == "indicator" and len(present) < len(cells),
        choices.missing == "drop",
    )
