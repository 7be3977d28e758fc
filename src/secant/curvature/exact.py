"""The exact Hessian as a model: products with it, and all of it where a factorisation asks for that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from secant.arrays import Array, HostArray, dot, like, to_numpy
from secant.pair import SecantPair
from secant.point import Point


@dataclass(frozen=True)
class HessianAt:
    """The operator of one point; products and matrix are evaluated when asked for."""

    point: Point

    def __matmul__(self, v: Array) -> Array:
        return self.point.hvp(v)

    def dense(self) -> HostArray:
        """All of it, in double precision on the host; not to be written to."""
        return np.asarray(to_numpy(self.point.hessian), dtype=float)


@dataclass(frozen=True)
class MatrixAt:
    """The operator of one point whose matrix is evaluated once and used for products too."""

    point: Point

    def __matmul__(self, v: Array) -> Array:
        return dot(self.point.hessian, v)

    def dense(self) -> HostArray:
        """All of it, in double precision on the host; not to be written to."""
        return np.asarray(to_numpy(self.point.hessian), dtype=float)


@dataclass(frozen=True)
class HostMatrix:
    """A matrix that is given."""

    matrix: HostArray

    def __matmul__(self, v: Array) -> Array:
        return like(dot(self.matrix, to_numpy(v)), v)

    def dense(self) -> HostArray:
        """The matrix."""
        return np.asarray(self.matrix, dtype=float)


@dataclass(frozen=True)
class ExactHessian:
    """The Hessian of every iterate, of which there is nothing to remember.

    Parameters
    ----------
    dense : bool
        Whether the whole matrix is evaluated (for factorisations) instead of products alone.
    """

    dense: bool = False
    uses_hessian: ClassVar[bool] = True
    learns: ClassVar[bool] = False

    def init(self, point: Point) -> None:
        """Nothing to remember."""
        return

    def model(self, point: Point, memory: None) -> tuple[HessianAt | MatrixAt, float]:
        """The Hessian at ``point``, in the unit of f."""
        return MatrixAt(point) if self.dense else HessianAt(point), 1.0

    def learn(self, memory: None, pair: SecantPair, point: Point) -> tuple[None, str]:
        """Nothing to learn."""
        return None, ""

    def is_initial(self, memory: None) -> bool:
        """Always: there is nothing to reset."""
        return True
