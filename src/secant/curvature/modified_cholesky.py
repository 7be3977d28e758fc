"""Positive definite neighbours ``B + E`` of an indefinite Hessian.

`Shift` adds a multiple of the identity. `GillMurrayWright` adds a diagonal matrix, chosen element by
element while the factor is computed, so that the factor stays bounded.

References
----------
Nocedal & Wright, *Numerical Optimization*, 2nd ed., Algorithm 3.3 and section 3.4; Gill, Murray & Wright,
*Practical Optimization*, Academic Press (1981), section 4.4.2.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from secant import checks
from secant.arrays import HostArray
from secant.curvature.factor import Cholesky, Factor, NoFactor, cholesky, try_cholesky

_HUGE = 1e290
"""Larger matrices overflow when they are shifted and factorised."""


def is_finite(B: HostArray) -> bool:
    """Whether every element is; a sum, which is quick, may overflow."""
    return math.isfinite(B.sum()) or bool(np.isfinite(B).all())


@dataclass(frozen=True)
class Shift:
    """``B + tau I``: zero for a positive definite ``B``, else tau grows until that is factorised.

        tau = max(growth sigma, growth tau, beta max |B_ij|)

    where the least eigenvalue is known to be at most ``-sigma``, by the smallest ``B_ii`` and by the
    direction of negative curvature that a failed factorisation gives. So tau is about as large as that
    eigenvalue, however large the others are: N&W's first shift, 1e-3 of all of them, makes steps along
    the floor of a valley too short.

    Parameters
    ----------
    beta : float
        Least shift, relative to the largest ``|B_ij|``.
    growth : float
        Factor between attempts.

    Examples
    --------
    >>> import numpy as np
    >>> from secant.curvature.modified_cholesky import Shift
    >>> Shift()(np.diag([1.0, 2.0])).tau
    0.0
    >>> Shift()(np.diag([1e6, -2.0])).tau
    4.0
    """

    beta: float = 1e-8
    growth: float = 2.0

    def __post_init__(self) -> None:
        checks.positive("beta", self.beta)
        checks.require(self.growth > 1.0, "growth", self.growth, "above 1")

    def __call__(self, B: HostArray) -> Cholesky:
        """The factor; ``B`` must be finite."""
        B = np.asarray(B, dtype=float)
        factor = cholesky(B) if B.diagonal().min() > 0.0 else None
        return factor if isinstance(factor, Cholesky) else self.shifted(B, factor)

    def shifted(self, B: HostArray, failed: NoFactor | None) -> Cholesky:
        """The factor of a ``B`` that has none itself, and why, if that was tried."""
        least = self.beta * float(np.abs(B).max()) or 1.0
        sigma, tau = max(0.0, -float(B.diagonal().min())), 0.0
        while tau < _HUGE:
            if failed is not None:
                sigma = max(sigma, failed.tau - failed.direction()[1])
            tau = max(self.growth * sigma, self.growth * tau, least)
            factor = cholesky(B, tau)
            if isinstance(factor, Cholesky):
                return factor
            failed = factor
        # nothing of B is left beside such a shift but the direction of steepest descent
        return Cholesky(math.sqrt(_HUGE) * np.eye(B.shape[0]), _HUGE)


class PivotedLDL(NamedTuple):
    """``P (B + E) P' = L D L'`` with ``L`` unit lower triangular and ``E`` diagonal, not negative."""

    L: HostArray
    d: HostArray
    order: HostArray
    E: HostArray

    @property
    def is_modified(self) -> bool:
        """Whether ``E`` is not zero."""
        return bool(self.E.any())

    def solve(self, b: HostArray) -> HostArray:
        """``(B + E)^-1 b``."""
        from scipy.linalg.lapack import dtrtrs

        z = dtrtrs(self.L, b[self.order], lower=1, unitdiag=1)[0]
        z = dtrtrs(self.L, z / self.d, lower=1, unitdiag=1, trans=1)[0]
        x = np.empty_like(b)
        x[self.order] = z
        return x


@dataclass(frozen=True)
class GillMurrayWright:
    """The modified Cholesky factorisation of Gill, Murray and Wright.

    With ``c_ij`` the elements of the part that is left, in column j

        d_j = max(|c_jj|, (max_i |c_ij| / beta)^2, delta),   e_j = d_j - c_jj
        beta^2 = max(max |B_ii|, max |B_ij| / sqrt(n^2 - 1), eps),
        delta = eps max(max |B_ii| + max |B_ij|, 1)

    (i and j differ in ``B_ij``). Every element of ``L D^(1/2)`` below the diagonal is at most ``beta``. A
    sufficiently positive definite ``B`` is factorised by LAPACK and left as it is, and so is one that is
    after ``sqrt(eps) max |B_ij|``, the error of differences in the dtype of ``B``, has been added to its
    diagonal.

    Examples
    --------
    >>> import numpy as np
    >>> from secant.curvature.modified_cholesky import GillMurrayWright
    >>> GillMurrayWright()(np.array([[1.0, 0.0], [0.0, -2.0]])).E
    array([0., 4.])
    """

    def __call__(self, B: HostArray) -> Factor:
        """The factor; ``B`` must be finite, and its dtype tells how precisely it may be known."""
        unit = math.sqrt(np.finfo(B.dtype).eps)
        B = np.asarray(B, dtype=float)
        if not B.diagonal().min() > 0.0:
            return gill_murray_wright(B)
        # a matrix that is indefinite by no more than the error of differences is lifted by as much
        error = unit * float(np.abs(B).max())
        return try_cholesky(B) or try_cholesky(B, error) or gill_murray_wright(B)


def gill_murray_wright(B: HostArray) -> PivotedLDL:
    """N&W section 3.4, column by column with the largest ``|c_jj|`` as the next pivot."""
    n = B.shape[0]
    beta2, delta = _bounds(B)
    A = np.array(B, order="F")
    order = np.arange(n)
    c = A.diagonal().copy()  # of what is left
    L, d, E = np.eye(n, order="F"), np.empty(n), np.zeros(n)
    for j in range(n):
        _interchange(A, L, c, order, j, j + int(np.abs(c[j:]).argmax()))
        column = A[j + 1 :, j] - L[j + 1 :, :j] @ (d[:j] * L[j, :j])
        theta = float(np.abs(column).max()) if j + 1 < n else 0.0
        d[j] = max(abs(c[j]), theta * theta / beta2, delta)
        E[order[j]] = d[j] - c[j]
        L[j + 1 :, j] = column / d[j]
        c[j + 1 :] -= L[j + 1 :, j] * column
    return PivotedLDL(L, d, order, E)


def _bounds(B: HostArray) -> tuple[float, float]:
    """``beta^2`` and ``delta``."""
    n, eps = B.shape[0], float(np.finfo(B.dtype).eps)
    sizes = np.abs(B)
    gamma = float(sizes.diagonal().max())
    np.einsum("ii->i", sizes)[:] = 0.0
    xi = float(sizes.max())
    spread = math.sqrt(n * n - 1.0) if n > 1 else 1.0
    return max(gamma, xi / spread, eps), eps * max(gamma + xi, 1.0)


def _interchange(
    A: HostArray, L: HostArray, c: HostArray, order: HostArray, j: int, q: int
) -> None:
    """Rows and columns ``j`` and ``q`` change places in everything."""
    if j == q:
        return
    A[[j, q], :] = A[[q, j], :]
    A[:, [j, q]] = A[:, [q, j]]
    L[[j, q], :j] = L[[q, j], :j]
    c[[j, q]] = c[[q, j]]
    order[[j, q]] = order[[q, j]]
