"""Damped linear least squares by Householder's QR: as accurate as the data allow.

``J = Q R`` once per Jacobian; then for every ``lambda`` the small QR of ``[R; sqrt(lambda) D]`` [1]_. The
residuals ride along as one more column, so ``Q`` is never formed or applied. Rows that come in blocks are
merged by the QR of the old ``R`` on top of the new rows. Many rows in few, well separated directions may
take the shorter way to the same ``R``, Cholesky's factor of ``J'J``.

References
----------
.. [1] J. J. More, "The Levenberg-Marquardt Algorithm: Implementation and Theory", *Lecture Notes in
   Mathematics* 630 (1978), section 3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from secant.arrays import Array, HostArray, inner, to_numpy
from secant.leastsquares import lapack

_FLOOR = 1e-20
"""``sqrt(lambda) D`` is then 1e-10 of the columns of J: far above its rounding errors."""

_EPS = float(np.finfo(float).eps)

_CACHED = 2**16
"""Numbers that a second-level cache holds: taller matrices are worked off in blocks of these."""

_WELL = 1e-6
"""Squares of pivots above this part of the columns' squares: J'J loses a third of the digits at most."""

_FEW = 12
"""Below so many columns a product of matrices is faster than one that makes half of a symmetric one."""

_ROWS = 8
"""Blocks of rows are gathered until they are so many times as high as wide, or QR would be slow."""


class TriangularFactor:
    """``S`` with ``S'S = R'R + lambda D^2``, and ``S p = -w``."""

    __slots__ = ("S", "w")

    def __init__(self, S: HostArray, w: HostArray) -> None:
        self.S = S
        self.w = w

    def solve(self) -> HostArray:
        """``-S^-1 w``."""
        p: HostArray = -lapack.dtrtrs(self.S, self.w)[0]
        return p

    def inverse_norm2(self, v: HostArray) -> float:
        """``|S^-T v|^2``."""
        u = lapack.dtrtrs(self.S, v, 0, 1)[0]
        return inner(u, u)

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
        self._whole = whole
        self.g: HostArray = z.dot(R)
        self.column_norms: HostArray = np.sqrt(np.add.reduce(R * R))

    def factor(self, damping: float, scale: HostArray) -> TriangularFactor | None:
        """QR of ``[R; sqrt(lambda) D]`` with ``z`` as the last column; `Model.factor`."""
        k, n = self.R.shape
        if damping == 0.0 and self._whole:
            S, w = self.R, self.z
        else:
            height = max(k + (n if damping else 0), n)
            stack = np.zeros((height, n + 1), order="F")
            stack[:k, :n] = self.R
            stack[:k, n] = self.z
            if damping:  # the diagonal below R
                stack.reshape(-1, order="A")[k : n * height : height + 1] = (
                    math.sqrt(damping) * scale
                )
            upper = _triangular(stack)
            S, w = upper[:n, :n], upper[:n, n]
        pivots, sizes = S.diagonal().tolist(), self.column_norms.tolist()
        for pivot, size in zip(pivots, sizes, strict=True):
            if not abs(pivot) > n * _EPS * size:
                return None
        return TriangularFactor(S, w)

    def length2(self, p: HostArray) -> float:
        """``|R p|^2``."""
        Rp = self.R.dot(p)
        return inner(Rp, Rp)

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
    orthogonal : bool
        Never take ``R`` from a Cholesky factorisation, however well conditioned the rows are.
    """

    def __init__(self, n: int, orthogonal: bool = True) -> None:
        self.n = n
        self.orthogonal = orthogonal
        self._upper: HostArray | None = None
        self._waiting: list[HostArray] = []
        self._rows = 0

    def add(self, J: Array, r: Array) -> None:
        """Take the next rows."""
        J, r = to_numpy(J), to_numpy(r)
        upper = None if self.orthogonal else self._by_cholesky(J, r)
        for block in self._blocks(J, r) if upper is None else (upper,):
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
            upper = np.vstack([upper, np.zeros((n - upper.shape[0], n + 1))])
        return Triangular(upper[:n, :n], upper[:n, n])

    @property
    def _rows_at_once(self) -> int:
        return max(_ROWS * (self.n + 1), _CACHED // (self.n + 1))

    def _blocks(self, J: HostArray, r: HostArray) -> Iterator[HostArray]:
        """``[J r]`` in blocks of rows that fit a cache."""
        rows_at_once = self._rows_at_once
        for start in range(0, len(r), rows_at_once):
            part = slice(start, min(start + rows_at_once, len(r)))
            block = np.empty((part.stop - start, self.n + 1), order="F")
            block[:, : self.n] = J[part]
            block[:, self.n] = r[part]
            yield block

    def _by_cholesky(self, J: HostArray, r: HostArray) -> HostArray | None:
        """``[R z]`` by Cholesky's factors of ``J'J``, in a third of the time; None if that would show.

        The relative error of ``R'R`` is eps times the square of J's condition.
        """
        n = self.n
        if len(r) < _ROWS * (n + 1):
            return None
        G = np.zeros((n + 1, n + 1), order="F")
        for block in self._blocks(J, r):
            if n < _FEW:
                lapack.dgemm(1.0, block, block, beta=1.0, c=G, trans_a=1, overwrite_c=1)
            else:
                lapack.dsyrk(1.0, block, beta=1.0, c=G, trans=1, overwrite_c=1)
        R, info = lapack.dpotrf(G[:n, :n])
        if info != 0 or not (R.diagonal() ** 2 > _WELL * G.diagonal()[:n]).all():
            return None
        upper = np.empty((n, n + 1), order="F")
        upper[:, :n] = R
        upper[:, n] = lapack.dtrtrs(R, G[:n, n], trans=1)[0]
        return upper

    def _merge(self) -> None:
        parts = self._waiting if self._upper is None else [self._upper, *self._waiting]
        stack = parts[0] if len(parts) == 1 else np.asfortranarray(np.vstack(parts))
        k = min(stack.shape[0], self.n + 1)
        self._upper = _triangular(stack)[:k] * _upper_triangle(k, self.n + 1)
        self._waiting, self._rows = [], 0


def _triangular(stack: HostArray) -> HostArray:
    """The QR factorisation in place: its triangle, and what is to be ignored below that."""
    upper: HostArray = lapack.dgeqrf(stack, 32 * stack.shape[1], 1)[
        0
    ]  # the workspace of blocks of 32
    return upper


@lru_cache(maxsize=8)
def _upper_triangle(k: int, n: int) -> HostArray:
    """Ones on and above the diagonal: `numpy.triu` makes them anew every time."""
    return np.triu(np.ones((k, n), order="F"))
