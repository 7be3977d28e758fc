"""Damped linear least squares by the normal equations: Cholesky of ``J'J + lambda D^2``.

Half the work of QR and all of it in one matrix product, at the price of squaring the condition number: a
direction in which ``J`` is smaller than ``sqrt(eps)`` of its columns is lost.
"""

from __future__ import annotations

import numpy as np

from secant.arrays import Array, HostArray, to_numpy
from secant.leastsquares import lapack

_EPS = float(np.finfo(float).eps)

_FEW = 20
"""Below so many columns a product of matrices is faster than one that makes half of a symmetric one,"""

_PRODUCTS = 1_000_000
"""as long as it has no more multiplications: OpenBLAS has another way to do these."""


class CholeskyFactor:
    """``L`` with ``L L' = J'J + lambda D^2``."""

    __slots__ = ("L", "g")

    def __init__(self, L: HostArray, g: HostArray) -> None:
        self.L = L
        self.g = g

    def solve(self) -> HostArray:
        """``-(L L')^-1 g``."""
        return self.correction(-self.g)

    def inverse_norm2(self, v: HostArray) -> float:
        """``|L^-1 v|^2``."""
        u = half_solve(self.L, v)
        square: float = lapack.ddot(u, u)
        return square

    def correction(self, v: HostArray) -> HostArray:
        """``(L L')^-1 v``."""
        # two solves with a triangle take half the time of the routine for both
        u = lapack.dtrsv(self.L, v, 1, 0, 1)
        p: HostArray = lapack.dtrsv(self.L, u, 1, 0, 1, 1)
        return p


class Gram:
    """The model as ``A = J'J`` (its lower triangle) and ``g = J'r``.

    Parameters
    ----------
    A : array, shape (n, n)
        Only the lower triangle is read.
    g : array, shape (n,)
    """

    __slots__ = ("A", "column_norms", "floor", "g")

    def __init__(self, A: HostArray, g: HostArray) -> None:
        self.A = A
        self.g = g
        self.column_norms: HostArray = np.sqrt(A.diagonal())
        self.floor = 10.0 * len(g) * _EPS

    def factor(self, damping: float, scale: HostArray) -> CholeskyFactor | None:
        """Cholesky of ``A + lambda D^2``; `Model.factor`."""
        L = damped_cholesky(self.A, damping, scale)
        # a pivot this small is nothing but the rounding of J'J
        if L is None or not (L.diagonal() ** 2 > len(L) * _EPS * self.A.diagonal()).all():
            return None
        return CholeskyFactor(L, self.g)

    def length2(self, p: HostArray) -> float:
        """``p'A p``."""
        Ap = lapack.dsymv(1.0, self.A, p, 0.0, None, 0, 1, 0, 1, 1)
        square: float = lapack.ddot(p, Ap)
        return max(0.0, square)

    def restrict(self, free: HostArray, p: HostArray) -> Gram:
        """The rows and columns ``free``, and g where the other variables have moved."""
        A = _symmetric(self.A)
        fixed = ~free
        return Gram(
            np.asfortranarray(A[np.ix_(free, free)]),
            self.g[free] + A[np.ix_(free, fixed)] @ p[fixed],
        )

    def covariance(self) -> HostArray:
        """``A^-1`` by the eigenvalues of the equilibrated ``A``."""
        size = np.where(self.column_norms > 0.0, self.column_norms, 1.0)
        values, V = np.linalg.eigh(_symmetric(self.A) / np.outer(size, size))
        kept = values > self.floor * values[-1]
        W = V[:, kept] / np.sqrt(values[kept])
        C: HostArray = (W @ W.T) / np.outer(size, size)
        return C


class GramBuilder:
    """`Builder` of a `Gram`: blocks are multiplied in their own dtype and added up in float64.

    Parameters
    ----------
    n : int
        Number of variables.
    single : bool
        Multiply in float32, in half the time: an error of 1e-7 of J'J, which strong damping hides.
        Gradients keep their precision.
    """

    def __init__(self, n: int, single: bool = False) -> None:
        self._single = single
        self._A: HostArray = np.zeros((n, n), order="F")
        self._g: HostArray = np.zeros(n)

    def add(self, J: Array, r: Array) -> None:
        """Take the next rows."""
        if type(J) is not np.ndarray and str(getattr(J, "device", "cpu")) != "cpu":
            self._A += to_numpy(J.T @ J)  # the product stays on the device
            self._g += to_numpy(J.T @ r)
            return
        J, r = to_numpy(J), to_numpy(r)
        self._g += r @ J
        self.multiply(J)

    def multiply(self, J: HostArray) -> None:
        """Take rows whose part of ``g`` is not wanted."""
        if self._single:
            J = J.astype(np.float32, copy=False)
        if J.dtype == np.float64:
            add_gram(self._A, J)
        elif J.dtype == np.float32 and J.strides[1] == J.itemsize:
            self._A += lapack.ssyrk(1.0, np.ascontiguousarray(J).T, lower=1)
        else:
            self._A += J.T @ J

    def finish(self) -> Gram:
        """The model of all rows."""
        return Gram(self._A, self._g)

    def whole(self, J: Array, r: Array) -> Gram:
        """The model of rows that are all there is."""
        self.add(J, r)
        return self.finish()


def damped_cholesky(A: HostArray, damping: float, scale: HostArray) -> HostArray | None:
    """``L`` with ``L L' = A + lambda D^2``, its lower triangle; None if that is not positive definite."""
    if damping:
        A, n = A.copy("K"), len(A)
        lapack.daxpy(scale * scale, A.ravel("K"), n, damping, 0, 1, 0, n + 1)
    L, info = lapack.dpotrf(A, 1, 0, 1 if damping else 0)
    return None if info else L


def half_solve(L: HostArray, v: HostArray) -> HostArray:
    """``L^-1 v``."""
    u: HostArray = lapack.dtrsv(L, v, 1, 0, 1)  # with names the call takes twice as long
    return u


def add_gram(A: HostArray, J: HostArray) -> None:
    """``A <- A + J'J`` in place, in float64; the lower triangle at least.

    Matrices of few columns go in blocks of so few products that BLAS does not copy them first.
    """
    m, n = J.shape
    if n >= _FEW:
        _add_half(A, J)
    elif m * n * n <= _PRODUCTS:
        _add_product(A, J)
    else:
        rows = _PRODUCTS // n**2
        for start in range(0, m, rows):
            _add_product(A, J[start : start + rows])


def _add_product(A: HostArray, J: HostArray) -> None:
    if J.flags.c_contiguous:
        lapack.dgemm(1.0, J.T, J.T, 1.0, A, 0, 1, 1)
    else:
        J = np.asfortranarray(J)
        lapack.dgemm(1.0, J, J, 1.0, A, 1, 0, 1)


def _add_half(A: HostArray, J: HostArray) -> None:
    if J.flags.c_contiguous:
        lapack.dsyrk(1.0, J.T, beta=1.0, c=A, lower=1, overwrite_c=1)
    else:
        J = np.asfortranarray(J)
        lapack.dsyrk(1.0, J, beta=1.0, c=A, trans=1, lower=1, overwrite_c=1)


def _symmetric(A: HostArray) -> HostArray:
    lower = np.tril(A)
    full: HostArray = lower + np.tril(A, -1).T
    return full
