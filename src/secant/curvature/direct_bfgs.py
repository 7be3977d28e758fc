"""BFGS as a model for trust regions: ``B`` for products, beside its inverse ``H`` for solves.

    B+ = B - Bs s'B / s'Bs + y y' / s'y

Both are dense and updated in O(n^2) operations. With ``u = Bs / sqrt(s'Bs)`` and ``v = y / sqrt(s'y)`` the
change ``vv' - uu'`` is one symmetric product ``(v - u)(v + u)'``, one pass over ``B``.

References
----------
Nocedal & Wright, *Numerical Optimization*, 2nd ed., eqs. 6.17 and 6.19.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from secant.arrays import Array, HostArray, to_numpy
from secant.curvature.broyden import BroydenClass, DenseInverse
from secant.curvature.initial_scale import InitialScale, StepScale
from secant.curvature.symmetric import SymmetricMatrix
from secant.pair import SecantPair
from secant.point import Point


@dataclass(slots=True)
class MatrixAndInverse:
    """The operator: ``B`` and ``H = B^-1``, n x n each."""

    B: SymmetricMatrix
    inverse: DenseInverse
    is_initial: bool = True
    is_definite: ClassVar[bool] = True

    @property
    def size(self) -> int:
        """Numbers in each of the matrices."""
        return self.inverse.size

    def __matmul__(self, v: Array) -> Array:
        return self.B @ v

    def solve(self, v: Array, scale: float = 1.0) -> Array:
        """``scale * B^-1 v``."""
        return self.inverse.solve(v, scale)

    def dense(self) -> HostArray:
        """``B`` in double precision on the host."""
        return np.array(to_numpy(self.B.full()), dtype=float)


@dataclass(frozen=True)
class DirectBFGS:
    """BFGS updates of ``B`` and of ``H``.

    Parameters
    ----------
    scale : InitialScale
        ``H`` starts as ``gamma I``.
    """

    keeps_definite: ClassVar[bool] = True
    scaled_by_pairs: ClassVar[bool] = False

    scale: InitialScale = field(default_factory=StepScale)

    def init(self, point: Point) -> MatrixAndInverse:
        """``I / gamma`` and ``gamma I``."""
        inverse = BroydenClass(scale=self.scale).init(point)
        B = SymmetricMatrix.identity(point.x)
        B.scale = 1.0 / inverse.H.scale
        return MatrixAndInverse(B, inverse)

    def update(self, B: MatrixAndInverse, pair: SecantPair, point: Point) -> MatrixAndInverse:
        """Both formulas, in place."""
        if B.is_initial and self.scale.corrected_by_first_pair:
            B.B.scale = pair.yy / pair.sy
            pair.Bs = B.B.scale * pair.s
            pair.sBs = B.B.scale * pair.alpha**2 * float(pair.d @ pair.d)
        u = pair.Bs / math.sqrt(pair.sBs)
        v = pair.y / math.sqrt(pair.sy)
        B.B.add_rank_two(v - u, v + u, 0.5)
        B.inverse = BroydenClass(scale=self.scale).update(B.inverse, pair, point)
        B.is_initial = False
        return B
