"""Damped linear least squares by Cholesky where that is accurate, by QR where it is not.

The normal equations take a third of QR's time, and with rows of few columns a fraction of its calls. Their
error is eps times the square of J's condition, which the part of each column tells that the others do not
span: where all are large enough the step has some ten digits, elsewhere ``R`` comes from Householder's QR of
the rows themselves.
"""

from __future__ import annotations

import numpy as np

from secant.arrays import Array, HostArray, to_numpy
from secant.leastsquares import lapack
from secant.leastsquares.model import Model
from secant.leastsquares.normal import CholeskyFactor, Gram, add_gram, damped_cholesky, half_solve
from secant.leastsquares.qr import ROWS, TriangularBuilder

_WELL = 1e-6
"""Every column has so much of its square outside of what the others span: J'J loses a third of the digits."""

_SMALL = 1e-290
"""Squares of columns below this have lost digits to underflow."""


class ClearGram(Gram):
    """A `Gram` that is far from singular, with the factor that told so.

    Parameters
    ----------
    A : array, shape (n, n)
    g : array, shape (n,)
    L : array, shape (n, n)
        The factor of ``A``, zeros above its diagonal.
    """

    __slots__ = ("_undamped",)

    def __init__(self, A: HostArray, g: HostArray, L: HostArray) -> None:
        super().__init__(A, g)
        self._undamped = CholeskyFactor(L, g)

    def factor(self, damping: float, scale: HostArray) -> CholeskyFactor | None:
        """`Model.factor`; damping makes pivots larger still."""
        if damping == 0.0:
            return self._undamped
        L = damped_cholesky(self.A, damping, scale)
        return None if L is None else CholeskyFactor(L, self.g)

    def as_rows(self) -> HostArray:
        """``n`` rows ``[L' z]`` that stand for all those it was made of."""
        L = self._undamped.L
        return np.column_stack((L.T, half_solve(L, self.g)))


class GuardedBuilder(TriangularBuilder):
    """`Builder` that takes the short way where it is accurate: of a `ClearGram` if that is all there is."""

    def add(self, J: Array, r: Array) -> None:
        """Take the next rows."""
        tall = r.shape[0] >= ROWS * (self.n + 1)
        clear = _clear_gram(to_numpy(J), to_numpy(r)) if tall else None
        if clear is None:
            super().add(J, r)
        else:
            self.take(clear.as_rows())

    def whole(self, J: Array, r: Array) -> Model:
        """The model of rows that are all there is."""
        return _clear_gram(to_numpy(J), to_numpy(r)) or super().whole(J, r)


def _clear_gram(J: HostArray, r: HostArray) -> ClearGram | None:
    """The normal equations, if all columns are well separated."""
    J, r = J.astype(float, copy=False), r.astype(float, copy=False)
    n = J.shape[1]
    A = np.zeros((n, n), order="F")
    add_gram(A, J)
    L, info = lapack.dpotrf(A, 1)
    if info or not is_clear(L, A.diagonal()):
        return None
    return ClearGram(A, r.dot(J), L)


def is_clear(L: HostArray, squares: HostArray) -> bool:
    """Whether each column of J has enough of its square outside of what the others span.

    That is ``1 / (A_jj (A^-1)_jj)`` of ``A = L L'``, whose diagonal is ``squares``; zeros are above L's own.
    The pivots tell what the columns *before* do not span, which can be much more. No part is less than the
    product of those, the determinant of the columns' cosines; mostly that is enough.
    """
    sizes = squares.tolist()
    if not min(sizes) > _SMALL:
        return False
    product = 1.0
    for pivot, size in zip(L.diagonal().tolist(), sizes, strict=True):
        part = pivot * pivot / size
        if not part > _WELL:
            return False
        product *= part
    if product > _WELL:
        return True
    inverse, _ = lapack.dtrtri(L, 1)
    return bool((_WELL * squares * np.square(inverse).sum(axis=0) < 1.0).all())
