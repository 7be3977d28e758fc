"""Scalers: z = (t(x) - shift) / scale, where t(x) is x, or log(1 + x) for the scaler ``log``.

    mean-std    shift, scale = mean, standard deviation of the training rows
    min-max     the training rows fill [-1, 1]: shift = (max + min) / 2, scale = (max - min) / 2
    log         mean and standard deviation of log(1 + x); for columns without numbers below zero
    none        z = x

A column that does not vary keeps the scale 1, so it becomes zeros rather than a division by zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secant.learn.errors import InputError, listing, suggestion
from secant.learn.schema import Fields

__all__ = ["SCALERS", "Scaling", "check_columns", "check_scaler", "fit_scalings", "read_scalers"]

Numbers = NDArray[np.float64]

SCALERS = ("mean-std", "min-max", "log", "none")


@dataclass(frozen=True)
class Scaling:
    """A fitted scaler of one column.

    Attributes
    ----------
    scaler : str
        One of `SCALERS`.
    shift, scale : float
        z = (t(x) - shift) / scale.

    Examples
    --------
    >>> scaling = Scaling("min-max", shift=5.0, scale=2.0)
    >>> scaling.apply(np.array([3.0, 5.0, 7.0]))
    array([-1.,  0.,  1.])
    >>> scaling.invert(np.array([-1.0, 0.5]))
    array([3., 6.])
    """

    scaler: str = "none"
    shift: float = 0.0
    scale: float = 1.0

    def apply(self, values: Numbers) -> Numbers:
        """z of each x; NaN where the scaler has no value."""
        if self.scaler == "log":
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.log1p(values)
        return np.asarray((values - self.shift) / self.scale)

    def invert(self, scaled: Numbers) -> Numbers:
        """x of each z."""
        values = scaled * self.scale + self.shift
        return np.asarray(np.expm1(values) if self.scaler == "log" else values)

    @property
    def summary(self) -> str:
        """What the column was in the training rows, for a table."""
        if self.scaler == "none":
            return "not scaled"
        if self.scaler == "min-max":
            return f"{self.shift - self.scale:.4g} to {self.shift + self.scale:.4g}"
        of = " of log(1 + x)" if self.scaler == "log" else ""
        return f"mean {self.shift:.4g}, standard deviation {self.scale:.4g}{of}"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file."""
        return {"scaler": self.scaler, "shift": self.shift, "scale": self.scale}

    @classmethod
    def from_fields(cls, fields: Fields) -> Scaling:
        """Read what `to_dict` gave; raises InputError for anything else."""
        return cls(
            fields.choice("scaler", SCALERS),
            fields.number("shift"),
            fields.number("scale", positive=True),
        )


def check_scaler(name: str, option: str = "scaling") -> None:
    """Raise InputError unless `name` is a scaler."""
    if name not in SCALERS:
        raise InputError(f"{option} must be one of {listing(SCALERS)}, not {name!r}")


def read_scalers(choices: Iterable[str]) -> dict[str, str]:
    """Columns with a scaler of their own, from texts such as ``"price=log"``.

    The last equals sign divides, so a column's name may hold others.

    >>> read_scalers(["price=log", "a=b=none"])
    {'price': 'log', 'a=b': 'none'}
    """
    chosen: dict[str, str] = {}
    for choice in choices:
        column, equals, scaler = choice.rpartition("=")
        if not equals or not column:
            raise InputError(f"column_scaling must be like 'price=log', not {choice!r}")
        check_scaler(scaler, f"column_scaling of {column!r}")
        if chosen.setdefault(column, scaler) != scaler:
            raise InputError(f"column_scaling gives column {column!r} two scalers")
    return chosen


def check_columns(chosen: Mapping[str, str], columns: Sequence[str]) -> None:
    """Raise InputError unless every column with a scaler of its own is a column of numbers."""
    for name in chosen:
        if name not in columns:
            hint = suggestion(name, columns) if columns else "there is none"
            raise InputError(f"column_scaling: no column of numbers is called {name!r}; {hint}")


def fit_scalings(
    names: Sequence[str], values: Numbers, scalers: Sequence[str], what: str = "column"
) -> list[Scaling]:
    """The scalings of the columns of `values`, shape (rows, columns), which holds no NaN.

    Raises
    ------
    InputError
        If a column for ``log`` has a number below zero, or numbers are too large to be scaled.
    """
    logarithmic = np.array([scaler == "log" for scaler in scalers], dtype=bool)
    _refuse_negative(names, values, logarithmic, what)
    if logarithmic.any():
        values = values.copy()
        values[:, logarithmic] = np.log1p(values[:, logarithmic])
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = _mean_and_deviation(values)
        low, high = values.min(axis=0), values.max(axis=0)
        middle, half = low + (high - low) / 2, (high - low) / 2
    fitted = []
    for place, (name, scaler) in enumerate(zip(names, scalers, strict=True)):
        if scaler == "none":
            fitted.append(Scaling())
            continue
        bounded = scaler == "min-max"
        shift = float(middle[place] if bounded else mean[place])
        scale = float(half[place] if bounded else deviation[place]) or 1.0
        if not np.isfinite([shift, scale]).all():
            raise InputError(f"{what} {name!r} holds numbers too large to be scaled")
        fitted.append(Scaling(scaler, shift, scale))
    return fitted


def _mean_and_deviation(values: Numbers) -> tuple[Numbers, Numbers]:
    """As scikit-learn has them: a deviation that is only round-off counts as none."""
    # Imported here, because a prediction needs no fit and should not wait for scikit-learn.
    from sklearn.preprocessing import StandardScaler

    fitted = StandardScaler().fit(values)
    return np.asarray(fitted.mean_), np.asarray(fitted.scale_)


def _refuse_negative(
    names: Sequence[str], values: Numbers, logarithmic: NDArray[np.bool_], what: str
) -> None:
    negative = np.flatnonzero(logarithmic & (values < 0).any(axis=0))
    if len(negative):
        place = int(negative[0])
        raise InputError(
            f"{what} {names[place]!r} cannot have the scaler 'log': it holds "
            f"{values[:, place].min():g}, and only numbers from 0 have one"
        )
