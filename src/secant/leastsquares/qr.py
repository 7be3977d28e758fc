"""Damped linear least squares by Householder's QR: as accurate as the data allow.

``J = Q R`` once per Jacobian; then for every ``lambda`` the small QR of ``[R; sqrt(lambda) D]`` [1]_. The
residuals ride along as one more column, so ``Q`` is never formed or applied. Rows that come in blocks are
merged by the QR of the old ``R`` on top of the new rows.

References
----------
.. [1] J. J. More, "The Levenberg-Marquardt Algorithm: Implementation and Theory", *Lecture Notes in
   Mathematics* 630 (1978), section 3.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from secant.arrays import Array, HostArray, to_numpy
from secant.leastsquares import lapack
from secant.leastsquares.model import Model

_FLOOR = 1e-20
"""``sqrt(lambda) D`` is then 1e-10 of the columns of J: far above its rounding errors."""

_EPS = float(np.finfo(float).eps)

_CACHED = 2**16
"""Numbers that a second-level cache holds: taller matrices are worked off in blocks of these."""

ROWS = 8
"""Blocks of rows are gathered until they are so many times as high as wide, or QR would be slow."""


class TriangularFactor:
    """``S`` with ``S'S = R'R + lambda D^2``, and ``S p = -w``."""

    __slots__ = ("S", "w")

    def __init__(self, S: HostArray, w: HostArray) -> None:
        self.S = S
        self.w = w

    def solve(self) -> HostArray:
        """``-S^-1 w``."""
        p: HostArray = lapack.dtrsm(-1.0, self.S, self.w)
        return p

    def inverse_norm2(self, v: HostArray) -> float:
        """``|S^-T v|^2``."""
        u = lapack.dtrsv(self.S, v, 1, 0, 0, 1)
        square: float = lapack.ddot(u, u)
        return square

    def correction(self, v: HostArray) -> HostArray:
        """``S^-1 S^-T v``: the semi-normal equations."""
        p: HostArray = lapack.dtrtrs(self.S, lapack.dtrtrs(self.S, v, trans=1)[0])[0]
        return p


class Triangular:
    """The model as ``|R p + z|^2``, plus a constant, ``R`` being k x n.

    Parameters
    ----------
    R : array, shape (k, n)
        Upper triangular, or columns of such a matrix.
    z : array, shape (k,)
        ``Q'r``.
    whole : bool
        Whether ``R`` is triangular, with no column missing.
    """

    floor = _FLOOR

    def __init__(self, R: HostArray, z: HostArray, whole: bool = True) -> None:
        self.R = R
        self.z = z
        self.g: HostArray = z.dot(R)
        self.column_norms: HostArray = np.sqrt(_ones(len(z)).dot(R * R))
        self._undamped = self._regular(R, z) if whole else self._factor(0.0, self.column_norms)

    def factor(self, damping: float, scale: HostArray) -> TriangularFactor | None:
        """QR of ``[R; sqrt(lambda) D]`` with ``z`` as the last column; `Model.factor`."""
        return self._undamped if damping == 0.0 else self._factor(damping, scale)

    def length2(self, p: HostArray) -> float:
        """``|R p|^2``."""
        Rp = self.R.dot(p)
        square: float = lapack.ddot(Rp, Rp)
        return square

    def _factor(self, damping: float, scale: HostArray) -> TriangularFactor | None:
        k, n = self.R.shape
        height = max(k + (n if damping else 0), n)
        stack = np.zeros((height, n + 1), order="F")
        stack[:k, :n] = self.R
        stack[:k, n] = self.z
        if damping:  # the diagonal below R
            stack.ravel("K")[k : n * height : height + 1] = math.sqrt(damping) * scale
        upper = _factorised(stack)
        return self._regular(upper[:n, :n], upper[:n, n])

    def _regular(self, S: HostArray, w: HostArray) -> TriangularFactor | None:
        """The factor, unless a pivot is nothing but rounding."""
        pivots, sizes = [*map(abs, S.diagonal().tolist())], self.column_norms.tolist()
        least = len(sizes) * _EPS
        if not min(pivots) > least * max(sizes):  # tells enough of most, at a fraction of the time
            for pivot, size in zip(pivots, sizes, strict=True):
                if not pivot > least * size:
                    return None
        return TriangularFactor(S, w)

    def restrict(self, free: HostArray, p: HostArray) -> Triangular:
        """The columns ``free``, and ``z`` where the other variables have moved; `Model.restrict`."""
        fixed = ~free
        return Triangular(self.R[:, free], self.z + self.R[:, fixed] @ p[fixed], False)

    def covariance(self) -> HostArray:
        """``(R'R)^-1`` by the singular values of the equilibrated ``R``."""
        size = np.where(self.column_norms > 0.0, self.column_norms, 1.0)
        _, s, Vt = np.linalg.svd(self.R / size, full_matrices=False)
        kept = s > max(self.R.shape) * _EPS * s[0]
        W = Vt[kept] / s[kept, None]
        C: HostArray = (W.T @ W) / np.outer(size, size)
        return C


class TriangularBuilder:
    """`Builder` of a `Triangular`.

    Parameters
    ----------
    n : int
        Number of variables.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self._upper: HostArray | None = None
        self._waiting: list[HostArray] = []
        self._rows = 0

    def add(self, J: Array, r: Array) -> None:
        """Take the next rows."""
        J, r = to_numpy(J), to_numpy(r)
        rows_at_once = self._rows_at_once
        for start in range(0, len(r), rows_at_once):
            part = slice(start, start + rows_at_once)
            self.take(_beside(J[part], r[part]))

    def take(self, block: HostArray) -> None:
        """Take the next rows as ``[J r]``."""
        self._waiting.append(block)
        self._rows += len(block)
        if self._rows >= self._rows_at_once:
            self._merge()

    def finish(self) -> Triangular:
        """The model of all rows."""
        if self._waiting:
            self._merge()
        n, upper = self.n, self._upper
        if upper is None:
            upper = np.zeros((0, n + 1))
        if upper.shape[0] < n:  # fewer residuals than variables
            upper = np.asfortranarray(np.vstack([upper, np.zeros((n - len(upper), n + 1))]))
        return Triangular(upper[:, :n], upper[:, n])

    def whole(self, J: Array, r: Array) -> Model:
        """The model of rows that are all there is."""
        n = self.n
        if not n <= r.shape[0] < ROWS * (n + 1):
            self.add(J, r)
            return self.finish()
        upper = _triangle(_beside(to_numpy(J), to_numpy(r)), n)
        return Triangular(upper[:, :n], upper[:, n])

    @property
    def _rows_at_once(self) -> int:
        return max(ROWS * (self.n + 1), _CACHED // (self.n + 1))

    def _merge(self) -> None:
        parts = self._waiting if self._upper is None else [self._upper, *self._waiting]
        stack = parts[0] if len(parts) == 1 else np.asfortranarray(np.vstack(parts))
        self._upper = _triangle(stack, min(len(stack), self.n))
        self._waiting, self._rows = [], 0


def _beside(J: HostArray, r: HostArray) -> HostArray:
    """A new ``[J r]`` in LAPACK's order."""
    m, n = J.shape
    block = np.empty((m, n + 1), order="F")
    block[:, :n] = J
    block[:, n] = r
    return block


def _factorised(stack: HostArray) -> HostArray:
    """The QR factorisation in place: its triangle, and what is to be ignored below that."""
    workspace = 32 * stack.shape[1]  # of blocks of 32 columns
    upper: HostArray = lapack.dgeqrf(stack, workspace, 1)[0]
    return upper


def _triangle(stack: HostArray, k: int) -> HostArray:
    """The first ``k`` rows of the triangle of the QR factorisation; ``stack`` is overwritten."""
    upper = _factorised(stack)[:k].copy("F")
    upper *= _upper_triangle(k, stack.shape[1])
    return upper


@lru_cache(maxsize=8)
def _upper_triangle(k: int, n: int) -> HostArray:
    """Ones on and above the diagonal: `numpy.triu` makes them anew every time."""
    return np.triu(np.ones((k, n), order="F"))


@lru_cache(maxsize=8)
def _ones(k: int) -> HostArray:
    return np.ones(k)
