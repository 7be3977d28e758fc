"""The symmetric rank-one update, which need not stay positive definite.

    B+ = B + r r' / r's,   r = y - Bs

On a quadratic it finds the Hessian in n steps, whatever their lengths, and it may be indefinite where the
function is: the update for trust regions. A small denominator makes it useless, and is skipped.

References
----------
Conn, Gould & Toint, *Math. Program.* 50, 177 (1991); Nocedal & Wright, *Numerical Optimization*, 2nd ed.,
eqs. 6.24 to 6.26 and Theorem 6.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from secant import checks
from secant.arrays import Array, HostArray, dot, read, to_numpy
from secant.curvature.initial_scale import InitialScale, StepScale
from secant.curvature.symmetric import SymmetricMatrix
from secant.pair import SecantPair
from secant.point import Point


@dataclass(frozen=True)
class Denominator:
    """SR1's safeguard: a pair is used if ``|s'(y - Bs)| >= r |s| |y - Bs|`` (N&W eq. 6.26).

    Parameters
    ----------
    r : float
        Least cosine.

    Examples
    --------
    >>> import secant
    >>> method = secant.TrustSR1(test=secant.Denominator(1e-6))
    """

    r: float = 1e-8

    def __post_init__(self) -> None:
        checks.between("r", self.r, 0.0, 1.0)

    def __call__(self, pair: SecantPair) -> SecantPair | None:
        """The pair, or None if it must not be used."""
        s, rest = pair.s, pair.y - pair.Bs
        sr, ss, rr = read(dot(s, rest), dot(s, s), dot(rest, rest))
        usable = abs(sr) >= self.r * math.sqrt(ss * rr) > 0.0 and math.isfinite(rr)
        return pair if usable else None


@dataclass(slots=True)
class IndefiniteMatrix:
    """The operator ``B``, dense and symmetric."""

    B: SymmetricMatrix
    is_initial: bool = True

    @property
    def size(self) -> int:
        """Numbers in the matrix."""
        return int(self.B.M.shape[0] ** 2)

    def __matmul__(self, v: Array) -> Array:
        return self.B @ v

    def dense(self) -> HostArray:
        """``B`` in double precision on the host."""
        return np.array(to_numpy(self.B.full()), dtype=float)


@dataclass(frozen=True)
class SymmetricRankOne:
    """SR1 updates of a dense ``B`` in O(n^2) operations.

    Parameters
    ----------
    scale : InitialScale
        ``B`` starts as ``I / gamma``.
    """

    keeps_definite: ClassVar[bool] = False
    scaled_by_pairs: ClassVar[bool] = False

    scale: InitialScale = field(default_factory=StepScale)

    def init(self, point: Point) -> IndefiniteMatrix:
        """``I / gamma``."""
        B = SymmetricMatrix.identity(point.x)
        B.scale = 1.0 / self.scale.gamma(point)
        return IndefiniteMatrix(B)

    def update(self, B: IndefiniteMatrix, pair: SecantPair, point: Point) -> IndefiniteMatrix:
        """The formula, in place."""
        r = pair.y - pair.Bs
        (rs,) = read(dot(r, pair.s))
        B.B.add_rank_two(r, r, 0.5 / rs)
        B.is_initial = False
        return B


@dataclass(slots=True)
class IndefiniteInverse:
    """The operator by its inverse ``H``, dense and symmetric."""

    H: SymmetricMatrix
    is_initial: bool = True

    @property
    def size(self) -> int:
        """Numbers in the matrix."""
        return int(self.H.M.shape[0] ** 2)

    def solve(self, v: Array, scale: float = 1.0) -> Array:
        """``scale * H v``."""
        return self.H.times(v, scale)


@dataclass(frozen=True)
class InverseSymmetricRankOne:
    """SR1 updates of ``H``, its own dual: ``H+ = H + q q' / q'y`` with ``q = s - Hy`` (N&W eq. 6.25).

    Parameters
    ----------
    r : float
        Least ``|q'y| / |q||y|`` of a pair that is used.
    scale : InitialScale
        ``H`` starts as ``gamma I``.
    """

    r: float = 1e-8
    scale: InitialScale = field(default_factory=StepScale)

    def __post_init__(self) -> None:
        checks.between("r", self.r, 0.0, 1.0)

    def init(self, point: Point) -> IndefiniteInverse:
        """``gamma I``."""
        H = SymmetricMatrix.identity(point.x)
        H.scale = self.scale.gamma(point)
        return IndefiniteInverse(H)

    def update(self, H: IndefiniteInverse, pair: SecantPair, point: Point) -> IndefiniteInverse:
        """The formula, in place; nothing where its denominator is too small."""
        q = pair.s - H.H @ pair.y
        qy, qq = read(dot(q, pair.y), dot(q, q))
        if abs(qy) >= self.r * math.sqrt(qq * pair.yy) > 0.0:
            H.H.add_rank_two(q, q, 0.5 / qy)
            H.is_initial = False
        return H
