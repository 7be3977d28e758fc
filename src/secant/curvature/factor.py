"""Cholesky factors of dense symmetric matrices, on the host and in double precision.

Whatever library and precision the vectors have, an n x n factorisation is LAPACK's: in double precision
a Hessian of single precision loses nothing more, and its lowest eigenvalues keep their sign.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np

from secant.arrays import HostArray


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
        return lapack().dpotrs(self.L, b, lower=1)[0]  # type: ignore[no-any-return]

    def half_solve(self, b: HostArray) -> HostArray:
        """``L^-1 b``, whose squared length is ``b'(B + tau I)^-1 b``."""
        return lapack().dtrtrs(self.L, b, lower=1)[0]  # type: ignore[no-any-return]


def try_cholesky(B: HostArray, tau: float = 0.0) -> Cholesky | None:
    """The factor of ``B + tau I``, or None where that is not positive definite.

    A pivot that is smaller than the round-off of the element it is left of says nothing about the sign
    of the matrix and counts as none. The test is relative to each diagonal element, and so does not
    depend on the units of the variables.
    """
    A = np.array(B, order="F")
    diagonal = np.einsum("ii->i", A)
    diagonal += tau
    before = diagonal.copy()
    L, info = lapack().dpotrf(A, lower=1, clean=0, overwrite_a=1)
    if info != 0:
        return None
    noise = np.finfo(L.dtype).eps * before
    return Cholesky(L, tau) if (L.diagonal() ** 2 > noise).all() else None


def lowest_direction(factor: Factor, n: int, iterations: int = 4) -> HostArray:
    """A unit vector near the eigenvector of the least eigenvalue, by inverse iteration.

    The start is random, so that it is orthogonal to no eigenvector, and the same every time.
    """
    u = np.random.default_rng(0).standard_normal(n)
    for _ in range(iterations):
        u = factor.solve(u)
        u /= np.linalg.norm(u)
    return u


@cache
def lapack() -> Any:
    from scipy.linalg import lapack  # costs a quarter of a second: not at `import secant`

    return lapack
