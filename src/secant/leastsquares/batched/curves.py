"""The model of all fits and the data of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from secant import arrays
from secant.arrays import Array, to_numpy

_ADVICE = (
    "f must work element by element: it is called for many data sets at once, with parameters of shape (k,) "
    "and with x of shape (m, 1) or (m, k), and must return values of shape (m, k)"
)


@dataclass(frozen=True, eq=False)
class Data:
    """Data sets, one a column; whatever all have in common is one column.

    Attributes
    ----------
    x : tuple of array, shape (m, k) or (m, 1)
        The independent variables.
    y : array, shape (m, k) or (m, 1)
    weights : array, shape (m, k) or (m, 1), or None
        One over the standard deviations; 0 where a datum is missing.
    """

    x: tuple[Array, ...]
    y: Array
    weights: Array | None

    def residuals(self, values: Array) -> Array:
        """``(f - y) / sigma``, shape (m, k)."""
        return self.weighted(values - self.y)

    def weighted(self, rows: Array) -> Array:
        """Rows over the standard deviations; zero where a datum is missing, whatever the model is there."""
        if self.weights is None:
            return rows
        xp = arrays.namespace(rows)
        return xp.where(self.weights == 0.0, xp.zeros_like(rows), rows * self.weights)

    def take(self, which: Array) -> Data:
        """The data sets with these numbers."""
        return Data(
            tuple(_columns(part, which) for part in self.x),
            _columns(self.y, which),
            None if self.weights is None else _columns(self.weights, which),
        )


def _columns(a: Array, which: Array) -> Array:
    return a if a.shape[1] == 1 else arrays.namespace(a).take(a, which, axis=1)


@dataclass(frozen=True, eq=False)
class Curves:
    """A model ``f(x, *parameters)``, called for many data sets at once.

    Parameters
    ----------
    f : callable
    is_tuple : bool
        Whether ``f`` takes its x as a tuple of variables.
    m : int
        Data in a set.
    """

    f: Callable[..., Any]
    is_tuple: bool
    m: int

    def values(self, data: Data, p: Array) -> Array:
        """``f`` at parameters of shape (n, k), shape (m, k)."""
        shape = self.m, p.shape[1]
        values = self.call(data, p)
        if tuple(getattr(values, "shape", ())) == shape:
            return values
        xp = arrays.namespace(p)
        if isinstance(values, (int, float)):
            return xp.full(shape, float(values), dtype=p.dtype, device=arrays.device(p))
        try:
            return xp.broadcast_to(values, shape)
        except (TypeError, ValueError, RuntimeError, AttributeError):
            raise ValueError(f"{_ADVICE}; got {_shape(values)} for m, k = {shape}") from None

    def call(self, data: Data, p: Array) -> Any:
        """``f`` as it answers."""
        parts, p = tuple(map(arrays.copy, data.x)), arrays.copy(p)  # f may write to what it gets
        try:
            return self.f(parts if self.is_tuple else parts[0], *(p[i] for i in range(p.shape[0])))
        except Exception as error:
            error.add_note(_ADVICE)
            raise

    def require_elementwise(self, data: Data, p: Array, width: int) -> None:
        """Raise a ValueError if ``f`` gives one data set other values when it comes with others.

        Asked of the first ``width`` fits: all of them may be more than the memory holds.
        """
        xp, k = arrays.namespace(p), min(int(p.shape[1]), width)
        values = self.values(data.take(xp.arange(k, device=arrays.device(p))), p[:, :k])
        if not xp.isdtype(values.dtype, "real floating"):
            raise ValueError(f"f must return real floating-point numbers, got {values.dtype}")
        together = to_numpy(values)
        for one in {0, k - 1}:
            alone = xp.asarray([one], device=arrays.device(p))
            there = to_numpy(self.values(data.take(alone), xp.take(p, alone, axis=1)))[:, 0]
            here = together[:, one]
            size = np.max(np.abs(there), initial=0.0, where=np.isfinite(there))
            near = np.abs(here - there) <= 1e3 * arrays.eps_of(p) * size
            if not (near | ~np.isfinite(there)).all():
                raise ValueError(
                    f"{_ADVICE}; got other values for one data set than for it among {k}"
                )


def _shape(values: Any) -> str:
    return f"shape {tuple(values.shape)}" if hasattr(values, "shape") else type(values).__name__
