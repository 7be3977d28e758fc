"""Cholesky factors of dense symmetric matrices, on the host and in double precision.

Whatever library and precision the vectors have, an n x n factorisation is LAPACK's: in double precision
a Hessian of single precision loses nothing more, and its lowest eigenvalues keep their sign.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np

from secant.arrays import HostArray, inner

_EPS = float(np.finfo(float).eps)


class Factor(Protocol):
    """A positive definite matrix ``B + E`` in factored form."""

    @property
    def is_modified(self) -> bool:
        """Whether ``E`` is not zero: ``B`` was not (safely) positive definite."""
        ...

    def solve(self, b: HostArray) -> HostArray:
        """``(B + E)^-1 b``."""
        ...


class Cholesky(NamedTuple):
    """``B + tau I = L L'``; of ``L`` only the lower triangle is read."""

    L: HostArray
    tau: float = 0.0

    @property
    def is_modified(self) -> bool:
        """Whether ``tau > 0``."""
        return self.tau > 0.0

    def solve(self, b: HostArray) -> HostArray:
        """``(B + tau I)^-1 b``."""
        return lapack().dpotrs(self.L, b, 1)[0]  # type: ignore[no-any-return]

    def half_solve(self, b: HostArray) -> HostArray:
        """``L^-1 b``, whose squared length is ``b'(B + tau I)^-1 b``."""
        return lapack().dtrtrs(self.L, b, 1)[0]  # type: ignore[no-any-return]


class NoFactor(NamedTuple):
    """Why ``A = B + tau I`` has no such factor: row ``j`` of it, counted from 1, has no positive pivot.

    ``L`` is the factor of what is above.
    """

    L: HostArray
    j: int
    tau: float
    diagonal: float

    def direction(self) -> tuple[HostArray, float]:
        """A unit vector ``v`` and its curvature ``v'(B + tau I) v``, which is not positive but for round-off.

            v = (-L^-T l, 1, 0),   v'Av = A_jj - l'l

        with row ``l`` of L (Conn, Gould & Toint, *Trust-Region Methods*, section 7.3.6).
        """
        before = self.j - 1
        v = np.zeros(self.L.shape[0])
        v[before] = 1.0
        curvature = self.diagonal
        if before:
            row = self.L[before, :before]
            curvature -= inner(row, row)
            v[:before] = -lapack().dtrtrs(self.L[:before, :before], row, 1, 1)[0]
        square = inner(v, v)
        v /= math.sqrt(square)
        return v, curvature / square


def try_cholesky(B: HostArray, tau: float = 0.0) -> Cholesky | None:
    """The factor of ``B + tau I``, or None where that is not positive definite."""
    factor = cholesky(B, tau)
    return factor if isinstance(factor, Cholesky) else None


def cholesky(B: HostArray, tau: float = 0.0) -> Cholesky | NoFactor:
    """The factor of ``B + tau I``, or why there is none.

    A pivot that is smaller than the round-off of the element it is left of says nothing about the sign
    of the matrix and counts as none. The test is relative to each diagonal element, and so does not
    depend on the units of the variables.
    """
    A = np.array(B.T if B.flags.c_contiguous else B, order="F")  # in the order that it is stored in
    if tau:
        A.reshape(-1, order="A")[:: A.shape[0] + 1] += tau
    before = A.diagonal().copy()
    L, j = lapack().dpotrf(A, 1, 0, 1)  # lower, clean, overwrite
    if j == 0:
        pivots = L.diagonal()
        is_clear = pivots * pivots > _EPS * before
        if is_clear.all():
            return Cholesky(L, tau)
        j = 1 + int(is_clear.argmin())
    return NoFactor(L, j, tau, before.item(j - 1))


def lowest_direction(factor: Factor, n: int, iterations: int = 4) -> HostArray:
    """A unit vector near the eigenvector of the least eigenvalue, by inverse iteration.

    The start is random, so that it is orthogonal to no eigenvector, and the same every time.
    """
    u = np.random.default_rng(0).standard_normal(n)
    for _ in range(iterations):
        u = factor.solve(u)
        u /= np.abs(u).max()  # its square may be lost
    return u / math.sqrt(inner(u, u))


@cache
def lapack() -> Any:
    from scipy.linalg import lapack  # costs a quarter of a second: not at `import secant`

    return lapack
