"""The subproblem solved in the Krylov space of ``g``: generalised Lanczos.

With the Lanczos basis ``Q`` of ``g, Bg, B^2 g ...`` and the tridiagonal ``T = Q'BQ``, ``p = Q h`` and h solves

    minimise  |g| h_1 + h'Th / 2   subject to  |h| <= radius

nearly exactly. Inside the ball this is conjugate gradients; on the boundary, where Steihaug's iteration
ends, it goes on. A smaller radius after a rejected step needs a new ``h`` but no product.

References
----------
Gould, Lucidi, Roma & Toint, *SIAM J. Optim.* 9, 504 (1999); Conn, Gould & Toint, *Trust-Region Methods*, SIAM
(2000), section 7.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from secant import checks
from secant.arrays import Array, HostArray, dot, like, read, zeros
from secant.trustregion.steihaug import forcing
from secant.trustregion.step import Step, Within, length
from secant.trustregion.tridiagonal import TridiagonalBall


@dataclass(frozen=True)
class Krylov:
    """Generalised Lanczos, by products with ``B`` alone; keeps one vector a product.

    Parameters
    ----------
    rtol : float, optional
        Residual ``|g + (B + lambda I) p| / |g|`` at which to stop; ``min(1/2, sqrt |g|)`` when left out.
    max_iter : int, optional
        Products an iterate may cost; ``min(n, 100)`` when left out.

    Examples
    --------
    >>> import numpy as np
    >>> from secant.trustregion import Krylov
    >>> step = Krylov(rtol=1e-8)(np.array([1.0, 4.0]), np.diag([1.0, 2.0]))(5.0)
    >>> step.p.round(6), step.on_boundary
    (array([-1., -2.]), False)
    """

    rtol: float | None = None
    max_iter: int | None = None

    def __post_init__(self) -> None:
        if self.rtol is not None:
            checks.between("rtol", self.rtol, 0.0, 1.0)
        if self.max_iter is not None:
            checks.count("max_iter", self.max_iter)

    def __call__(self, g: Array, B: Any) -> Within:
        n = g.shape[0]
        limit = min(n, 100 if self.max_iter is None else self.max_iter)
        return _Space(g, B, self.rtol, limit).within


class _Space:
    """The basis so far, as rows of ``Q``, and the two diagonals of ``T``."""

    def __init__(self, g: Array, B: Any, rtol: float | None, limit: int) -> None:
        self._B, self._limit, self._g = B, limit, g
        self._size = length(g)
        self._small = (forcing(self._size) if rtol is None else rtol) * self._size
        self._Q = zeros((limit, g.shape[0]), g)
        self._T = TridiagonalBall(self._size, limit)
        self._next = g / self._size

    def within(self, radius: float) -> Step:
        """The solution in the smallest space that is large enough."""
        T = self._T
        if T.k == 0:
            self._extend()
        while T.is_inside(radius):
            if not self._goes_on(T.residual):
                return self._step(T.inside(), False)
            self._extend()
        while True:
            h = T.on_boundary(radius)
            if not self._goes_on(float(T.beside[len(h) - 1] * abs(h[-1]))):
                return self._step(h, True)
            for _ in range(1 + len(h) // 8):  # h costs something: look at it now and then
                if T.beside[T.k - 1] > 0.0 and T.k < self._limit:
                    self._extend()

    def _goes_on(self, residual: float) -> bool:
        """Whether a larger space is needed and to be had; a NaN ends it too."""
        return residual > self._small and self._T.k < self._limit

    def _step(self, h: HostArray, on_boundary: bool) -> Step:
        p = like(h, self._g) @ self._Q[: len(h), :]
        return Step(p, self._T.reduction(h), on_boundary, float(np.sqrt(h @ h)))

    def _extend(self) -> None:
        """One Lanczos iteration, orthogonal to all vectors so far."""
        k, q = self._T.k, self._next
        self._Q[k, :] = q
        Q = self._Q[: k + 1, :]
        w = self._B @ q
        projections = dot(Q, w)
        before, alpha = read(dot(w, w), projections[k])
        before = before**0.5 if before >= 0.0 else np.nan
        w = w - projections @ Q
        beta = length(w)
        if beta < 0.5 * before:  # cancellation: once more is enough
            w = w - dot(Q, w) @ Q
            beta = length(w)
        self._T.append(alpha, beta if beta > 1e-14 * before else 0.0)
        if beta > 1e-14 * before:
            self._next = w / beta
