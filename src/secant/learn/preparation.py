"""From table columns to the numbers a network sees, by statistics of the training rows alone.

Numeric columns: a missing cell becomes the median, then mean 0 and standard deviation 1.
Categorical columns: one 0/1 unit for each category of the training rows. A missing cell, and a
category that was not among them, set no unit at all: the network sees "none of the known ones".

scikit-learn fits the statistics; they are kept as plain numbers and texts, so that a saved model is
JSON and nothing is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secant.learn.columns import Kind, as_categories, as_numbers
from secant.learn.errors import InputError, listing, suggestion
from secant.learn.schema import Fields

__all__ = ["CategoricalInput", "NumericInput", "Preparation"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class NumericInput:
    """A column of numbers: x -> (x - mean) / scale, missing x -> median first."""

    name: str
    median: float
    mean: float
    scale: float

    @property
    def width(self) -> int:
        """How many inputs of the network the column becomes."""
        return 1

    def transform(self, cells: pd.Series) -> Matrix:
        """Scaled numbers, shape (rows, 1)."""
        values = as_numbers(cells).fillna(self.median).to_numpy()
        return ((values - self.mean) / self.scale).reshape(-1, 1)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file."""
        return {
            "kind": Kind.NUMBER.value,
            "name": self.name,
            "median": self.median,
            "mean": self.mean,
            "scale": self.scale,
        }


@dataclass(frozen=True)
class CategoricalInput:
    """A column of categories: one 0/1 unit each."""

    name: str
    categories: tuple[str, ...]

    @property
    def width(self) -> int:
        """How many inputs of the network the column becomes."""
        return len(self.categories)

    def codes(self, cells: pd.Series) -> NDArray[np.intp]:
        """The place of each cell among the categories, -1 for missing and unknown ones."""
        return np.asarray(pd.Index(self.categories).get_indexer(pd.Index(as_categories(cells))))

    def transform(self, cells: pd.Series) -> Matrix:
        """Zeros and ones, shape (rows, categories)."""
        # The extra last row of zeros is what a code of -1 picks.
        rows = np.vstack([np.eye(self.width), np.zeros(self.width)])
        return np.asarray(rows[self.codes(cells)])

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file."""
        return {
            "kind": Kind.CATEGORY.value,
            "name": self.name,
            "categories": list(self.categories),
        }


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

    inputs: tuple[NumericInput | CategoricalInput, ...]

    @classmethod
    def fit(cls, frame: pd.DataFrame, kinds: Mapping[str, Kind]) -> Preparation:
        """Take the statistics of the training rows."""
        empty = [name for name in kinds if frame[name].isna().all()]
        if empty:
            raise InputError(f"column {empty[0]!r} is empty in every training row")
        numeric = [name for name, kind in kinds.items() if kind is Kind.NUMBER]
        numbers = iter(_fit_numbers(frame[numeric]))
        return cls(
            tuple(
                next(numbers) if kind is Kind.NUMBER else _fit_categories(frame[name])
                for name, kind in kinds.items()
            )
        )

    @classmethod
    def from_fields(cls, fields: Fields) -> Preparation:
        """Read what `to_dict` gave; raises InputError for anything else."""
        inputs = fields.each("inputs", _read_input)
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
        """One name for each of them."""
        names: list[str] = []
        for entry in self.inputs:
            if isinstance(entry, NumericInput):
                names.append(entry.name)
            else:
                names += [f"{entry.name}={category}" for category in entry.categories]
        return tuple(names)

    def transform(self, frame: pd.DataFrame) -> Matrix:
        """The numbers the network sees, shape (rows, width); other columns are ignored.

        Raises
        ------
        InputError
            If a needed column is not there, or holds text where numbers are needed.
        """
        self.check_columns([str(column) for column in frame.columns])
        return np.hstack([entry.transform(frame[entry.name]) for entry in self.inputs])

    def check_columns(self, columns: list[str], source: str = "the table") -> None:
        """Raise InputError, with a near name if there is one, unless all needed columns exist."""
        missing = [name for name in self.names if name not in columns]
        if len(missing) == 1:
            hint = suggestion(missing[0], columns)
            raise InputError(f"{source} lacks the column {missing[0]!r} of the model; {hint}")
        if missing:
            raise InputError(
                f"{source} lacks {len(missing)} of the model's {len(self.names)} columns: "
                f"{listing(missing)}"
            )

    def gaps(self, frame: pd.DataFrame) -> tuple[str, ...]:
        """Sentences about missing cells and unknown categories, one for each column with any."""
        notes: list[str] = []
        for entry in self.inputs:
            cells = frame[entry.name]
            missing = int(cells.isna().sum())
            if isinstance(entry, NumericInput):
                if missing:
                    median = f"the median of the training rows, {entry.median:g}"
                    notes.append(f"column {entry.name!r}: {missing} missing, taken as {median}")
                continue
            unknown = cells[(entry.codes(cells) < 0) & cells.notna().to_numpy()]
            if missing:
                notes.append(f"column {entry.name!r}: {missing} missing, taken as no category")
            if len(unknown):
                notes.append(
                    f"column {entry.name!r}: {len(unknown)} with a category unknown to the model "
                    f"({listing(unknown.unique(), 3)}), taken as no category"
                )
        return tuple(notes)


def _fit_numbers(frame: pd.DataFrame) -> list[NumericInput]:
    """The statistics of float64 columns, all at once: tables can have thousands of them."""
    # Imported here, because a prediction needs no fit and should not wait for scikit-learn.
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import StandardScaler

    if not len(frame.columns):
        return []
    cells = frame.to_numpy(dtype=np.float64)
    imputer = SimpleImputer(strategy="median").fit(cells)
    with np.errstate(over="ignore", invalid="ignore"):
        scaler = StandardScaler().fit(imputer.transform(cells))
    finite = np.isfinite(scaler.mean_) & np.isfinite(scaler.scale_)
    if not finite.all():
        name = str(frame.columns[int(np.argmin(finite))])
        raise InputError(f"column {name!r} holds numbers too large to be scaled")
    statistics = zip(frame.columns, imputer.statistics_, scaler.mean_, scaler.scale_, strict=True)
    return [
        NumericInput(str(name), float(median), float(mean), float(scale))
        for name, median, mean, scale in statistics
    ]


def _fit_categories(cells: pd.Series) -> CategoricalInput:
    """The different texts of cells, of which some may be None, in sorted order."""
    from sklearn.preprocessing import OneHotEncoder

    present = cells.dropna().to_numpy(dtype=object).reshape(-1, 1)
    encoder = OneHotEncoder().fit(present)
    return CategoricalInput(str(cells.name), tuple(str(name) for name in encoder.categories_[0]))


def _read_input(fields: Fields) -> NumericInput | CategoricalInput:
    kind = fields.choice("kind", tuple(kind.value for kind in Kind))
    name = fields.text("name")
    if kind == Kind.CATEGORY.value:
        return CategoricalInput(name, fields.texts("categories"))
    return NumericInput(
        name,
        fields.number("median"),
        fields.number("mean"),
        fields.number("scale", positive=True),
    )
