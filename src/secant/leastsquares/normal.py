"""Damped linear least squares by the normal equations: Cholesky of ``J'J + lambda D^2``.

Half the work of QR and all of it in one matrix product, at the price of squaring the condition number: a
direction in which ``J`` is smaller than ``sqrt(eps)`` of its columns is lost.
"""

from __future__ import annotations

import numpy as np

from secant.arrays import Array, HostArray, to_numpy
from secant.leastsquares import lapack

_FEW = 20
"""Below so many columns a product of matrices is faster than one that makes half of a symmetric one,"""

_PRODUCTS = 1_000_000
"""as long as it has no more multiplications: OpenBLAS has another way to do these."""


class CholeskyFactor:
    """``U`` with ``U'U = J'J + lambda D^2``."""

    __slots__ = ("U", "g")

    def __init__(self, U: HostArray, g: HostArray) -> None:
        self.U = U
        self.g = g

    def solve(self) -> HostArray:
        """``-(U'U)^-1 g``."""
        p: HostArray = lapack.dpotrs(self.U, -self.g)[0]
        return p

    def inverse_norm2(self, v: HostArray) -> float:
        """``|U^-T v|^2``."""
        u = lapack.dtrtrs(self.U, v, trans=1)[0]
        return float(u @ u)

    def correction(self, v: HostArray) -> HostArray:
        """``(U'U)^-1 v``."""
        p: HostArray = lapack.dpotrs(self.U, v)[0]
        return p


class Gram:
    """The model as ``A = J'J`` (its upper triangle) and ``g = J'r``.

    Parameters
    ----------
    A : array, shape (n, n)
        Only the upper triangle is read.
    g : array, shape (n,)
    """

    def __init__(self, A: HostArray, g: HostArray) -> None:
        self.A = A
        self.g = g
        self.column_norms: HostArray = np.sqrt(np.maximum(A.diagonal(), 0.0))
        self.floor = 10.0 * len(g) * float(np.finfo(float).eps)

    def factor(self, damping: float, scale: HostArray) -> CholeskyFactor | None:
        """Cholesky of ``A + lambda D^2``; `Model.factor`."""
        damped = np.array(self.A, order="F")
        n = damped.shape[0]
        damped.reshape(-1, order="F")[:: n + 1] += damping * scale**2
        U, info = lapack.dpotrf(damped, overwrite_a=1, clean=0)
        if info != 0:
            return None
        # a pivot this small is nothing but the rounding of J'J
        if not (U.diagonal() ** 2 > n * np.finfo(float).eps * self.A.diagonal()).all():
            return None
        return CholeskyFactor(U, self.g)

    def length2(self, p: HostArray) -> float:
        """``p'A p``."""
        return max(0.0, float(p @ lapack.dsymv(1.0, self.A, p)))

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
            self._A += lapack.ssyrk(1.0, np.ascontiguousarray(J).T)
        else:
            self._A += J.T @ J

    def finish(self) -> Gram:
        """The model of all rows."""
        return Gram(self._A, self._g)

    def whole(self, J: Array, r: Array) -> Gram:
        """The model of rows that are all there is."""
        self.add(J, r)
        return self.finish()


def add_gram(A: HostArray, J: HostArray) -> None:
    """``A <- A + J'J`` in place, in float64; the upper triangle at least.

    Matrices of few columns go in blocks of so few products that BLAS does not copy them first.
    """
    m, n = J.shape
    if n < _FEW:
        rows = _PRODUCTS // n**2
        for start in range(0, m, rows):
            block = J[start : start + rows]
            if block.flags.c_contiguous:
                lapack.dgemm(1.0, block.T, block.T, 1.0, A, 0, 1, 1)
            else:
                block = np.asfortranarray(block)
                lapack.dgemm(1.0, block, block, 1.0, A, 1, 0, 1)
    elif J.flags.c_contiguous:
        lapack.dsyrk(1.0, J.T, beta=1.0, c=A, overwrite_c=1)
    else:
        lapack.dsyrk(1.0, np.asfortranarray(J), beta=1.0, c=A, trans=1, overwrite_c=1)


def _symmetric(A: HostArray) -> HostArray:
    upper = np.triu(A)
    full: HostArray = upper + np.triu(A, 1).T
    return full
