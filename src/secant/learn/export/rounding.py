"""What another precision changes about the predictions of an export, measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secant.learn.errors import InputError
from secant.learn.export.precision import in_precision, precision_of
from secant.learn.inputs import CategoricalInput, NumericInput
from secant.learn.model import Model
from secant.learn.preparation import Preparation
from secant.learn.tables.columns import as_numbers
from secant.learn.targets import ClassTarget, ClassTargets

__all__ = ["Rounding", "described", "drawn_rows", "rounding_error"]

_MISSING = 0.05
"""Share of missing cells in rows that are drawn."""


@dataclass(frozen=True)
class Rounding:
    """How far the predictions of an export are from those of the model.

    Attributes
    ----------
    dtype, instead_of : str
        The precision of the export and that of the model.
    rows : int
        On how many rows it was measured.
    largest : dict of str to float
        The largest difference in each column of numbers that `Model.predict` gives.
    relative : dict of str to float
        The same over the range of the column on these rows; of probabilities just the same.
    changed : int or None
        Rows with another class, of any target; None where numbers are predicted.
    """

    dtype: str
    instead_of: str
    rows: int
    largest: dict[str, float]
    relative: dict[str, float]
    changed: int | None


def rounding_error(
    model: Model, dtype: str, format: str, rows: pd.DataFrame | None = None
) -> Rounding:
    """Compare the predictions of a model with those of its export in another precision.

    The export's arithmetic is done in NumPy and PyTorch: in float32 the numbers of the table, the
    weights and the predictions are rounded; ``python`` rounds the weights alone.

    Parameters
    ----------
    model : Model
    dtype : str
        ``float64`` or ``float32``.
    format : str
        ``onnx``, ``python`` or ``c``.
    rows : DataFrame, optional
        Such as new rows to predict; by default 1000 that `drawn_rows` makes.

    Raises
    ------
    InputError
        If a number of the model has no place in the precision, or the rows are none that it predicts.

    Examples
    --------
    >>> import pandas as pd
    >>> from secant.learn.tables.columns import Kind
    >>> from secant.learn.network import Perceptron
    >>> from secant.learn.targets import NumericTarget
    >>> table = pd.DataFrame({"x": [1.0, 2.0, 4.0]})
    >>> preparation = Preparation.fit(table, {"x": Kind.NUMBER})
    >>> model = Model(preparation, Perceptron((1, 5, 1), seed=0), NumericTarget("y"))
    >>> found = rounding_error(model, "float32", "onnx")
    >>> 0.0 < found.relative["predicted_y"] < 1e-6
    True
    """
    rows = drawn_rows(model.preparation, 1000) if rows is None else rows
    if not len(rows):
        raise InputError("the table to measure on has no rows")
    expected, found = model.predict(rows), _predicted(model, dtype, format, rows)
    a, b = expected.select_dtypes("number"), found.select_dtypes("number")
    largest, span, changed = (a - b).abs().max(), a.max() - a.min(), None
    if isinstance(model.target, ClassTarget | ClassTargets):
        classes = [f"predicted_{name}" for name in model.target.names]
        other = (expected[classes] != found[classes]).any(axis=1)
        span, changed = span * 0.0 + 1.0, int(other.sum())
    relative = largest / span.where(span > 0.0, 1.0)
    return Rounding(
        dtype,
        precision_of(model),
        len(rows),
        {str(name): float(value) for name, value in largest.items()},
        {str(name): float(value) for name, value in relative.items()},
        changed,
    )


def _predicted(model: Model, dtype: str, format: str, rows: pd.DataFrame) -> pd.DataFrame:
    """What the export predicts."""
    exported = in_precision(model, dtype)
    if format == "python":
        return in_precision(exported, "float64").predict(rows)
    numbers = [e.name for e in model.preparation.inputs if isinstance(e, NumericInput)]
    predicted = exported.predict(_rounded(rows, numbers, dtype))
    return _rounded(predicted, list(predicted.select_dtypes("number").columns), dtype)


def _rounded(frame: pd.DataFrame, columns: list[str], dtype: str) -> pd.DataFrame:
    """The frame with some columns of numbers rounded to a precision."""
    rounded = frame.copy()
    for name in columns:
        with np.errstate(over="ignore"):  # an infinite number is refused by the model
            numbers = as_numbers(frame[name]).to_numpy().astype(dtype)
        rounded[name] = numbers.astype(np.float64)
    return rounded


def drawn_rows(preparation: Preparation, count: int, seed: int = 0) -> pd.DataFrame:
    """Rows like those that trained, as far as the statistics of single columns tell.

    Numbers are normally distributed with the mean and the deviation that scale them (uniform between
    the ends for ``min-max``, about the fill value for ``none``), categories equally frequent, and one
    cell in twenty is missing where that is allowed.

    >>> from secant.learn.scaling import Scaling
    >>> year = NumericInput("year", 2000.0, Scaling("mean-std", shift=2000.0, scale=9.0))
    >>> drawn = drawn_rows(Preparation((year,)), 400)
    >>> 1995.0 < float(drawn["year"].mean()) < 2005.0
    True
    """
    random = np.random.default_rng(seed)
    columns: dict[str, pd.Series] = {}
    for entry in preparation.inputs:
        if isinstance(entry, CategoricalInput):
            drawn = pd.Series(random.choice(np.array(entry.categories, dtype=object), count))
            gaps = not entry.required
        else:
            drawn = pd.Series(_drawn_numbers(entry, count, random))
            gaps = entry.fill is not None
        missing = random.random(count) < _MISSING
        columns[entry.name] = drawn.mask(missing) if gaps else drawn
    return pd.DataFrame(columns)


def _drawn_numbers(
    entry: NumericInput, count: int, random: np.random.Generator
) -> NDArray[np.float64]:
    scaling = entry.scaling
    if scaling.scaler == "min-max":
        return np.asarray(scaling.invert(random.uniform(-1.0, 1.0, count)))
    numbers = np.asarray(scaling.invert(random.standard_normal(count)))
    if scaling.scaler == "none":
        return np.asarray(numbers + (entry.fill or 0.0))
    return np.maximum(numbers, 0.0) if scaling.scaler == "log" else numbers


def described(found: Rounding, source: str) -> str:
    """A sentence about the largest difference; `source` says where the rows are from."""
    rows = f"{found.rows:,} rows ({source})"
    instead = f"{found.dtype} instead of {found.instead_of}"
    if found.changed is not None:
        return (
            f"{instead}: on {rows} probabilities differ by at most {max(found.largest.values()):.1e}, "
            f"and {found.changed:,} of these rows have another class"
        )
    name = max(found.relative, key=lambda column: found.relative[column])
    return (
        f"{instead}: on {rows} {name} differs by at most {found.largest[name]:.1e}, "
        f"{found.relative[name]:.1e} of its range"
    )
