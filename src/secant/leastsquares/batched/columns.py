"""Derivatives of the model in one parameter after the other, for all data sets at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from secant import arrays
from secant.arrays import Array
from secant.leastsquares.batched.box import Box
from secant.leastsquares.batched.curves import Curves, Data


class Columns(Protocol):
    """A way to the columns of the Jacobians."""

    def __call__(self, curves: Curves, data: Data, p: Array, here: Array, out: Array) -> None:
        """Write ``df/dp_j``, shape (m, k), to ``out[j]``; ``here`` are the model's values."""
        ...

    def evaluations(self, n: int) -> int:
        """How often a Jacobian evaluates the model."""
        ...


@dataclass(frozen=True)
class Given:
    """Columns from a function.

    Parameters
    ----------
    jac : callable
        ``jac(x, *parameters)``: n columns of shape (m, k), or what broadcasts to it.
    """

    jac: Callable[..., Any]

    def __call__(self, curves: Curves, data: Data, p: Array, here: Array, out: Array) -> None:
        """One by one, since constant columns need not be of full shape."""
        columns = Curves(self.jac, curves.is_tuple, curves.m).call(data, p)
        n = p.shape[0]
        if not hasattr(columns, "__len__") or len(columns) != n:
            raise ValueError(
                f"jac must return {n} columns, df/dp_j of shape (m, k) each, got {_count(columns)}"
            )
        for j in range(n):
            column = columns[j]
            try:
                out[j] = column
            except (TypeError, ValueError, RuntimeError):
                shape = tuple(out.shape[1:])
                raise ValueError(
                    f"jac must return columns of shape (m, k) = {shape}, "
                    f"got {tuple(np.shape(column))} for number {j}"
                ) from None

    def evaluations(self, n: int) -> int:
        """None."""
        return 0


def _count(columns: Any) -> str:
    return f"{len(columns)}" if hasattr(columns, "__len__") else type(columns).__name__


@dataclass(frozen=True, eq=False)
class Centred:
    """Centred differences, one-sided ones of the same order where a bound is near.

    With values at ``0, a, b`` along a parameter the derivative of their parabola is
    ``((f_a - f_0) b/a - (f_b - f_0) a/b) / (b - a)``, which is the centred difference for ``b = -a``.

    Parameters
    ----------
    box : Box, optional
    """

    box: Box | None = None

    def __call__(self, curves: Curves, data: Data, p: Array, here: Array, out: Array) -> None:
        """Two evaluations a parameter."""
        for j in range(p.shape[0]):
            a, b = self._offsets(p, j)
            f_a = curves.values(data, _moved(p, j, a)) - here
            f_b = curves.values(data, _moved(p, j, b)) - here
            out[j] = (f_a * (b / a) - f_b * (a / b)) / (b - a)

    def evaluations(self, n: int) -> int:
        """``2 n``."""
        return 2 * n

    def _offsets(self, p: Array, j: int) -> tuple[Array, Array]:
        """Steps that a number can take exactly, towards the inside where a bound is close."""
        xp, at = arrays.namespace(p), p[j]
        size = xp.where(at == 0.0, xp.ones_like(at), xp.abs(at))
        h = arrays.eps_of(p) ** (1.0 / 3.0) * size
        if self.box is None:
            h = (at + h) - at
            return h, -h
        low, high = self.box.lower[j] - at, self.box.upper[j] - at
        h = xp.minimum(h, (high - low) / 3.0)
        h = (at + h) - at
        at_the_top, at_the_bottom = high < h, low > -h
        return (
            xp.where(at_the_top, -h, h),
            xp.where(at_the_top, -2.0 * h, xp.where(at_the_bottom, 2.0 * h, -h)),
        )


def _moved(p: Array, j: int, by: Array) -> Array:
    moved = arrays.copy(p)
    moved[j] += by
    return moved


@dataclass(frozen=True)
class ComplexStep:
    """``Im f(p + i h e_j) / h`` with h = 1e-20: exact for analytic models of complex numbers."""

    h: float = 1e-20

    def __call__(self, curves: Curves, data: Data, p: Array, here: Array, out: Array) -> None:
        """One complex evaluation a parameter."""
        xp = arrays.namespace(p)
        for j in range(p.shape[0]):
            turned = p + 0j
            turned[j] = turned[j] + 1j * self.h
            out[j] = xp.imag(curves.values(data, turned)) / self.h

    def evaluations(self, n: int) -> int:
        """``n``."""
        return n
