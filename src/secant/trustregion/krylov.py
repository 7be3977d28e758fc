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
from secant.arrays import Array, HostArray, like, read, zeros
from secant.trustregion.more_sorensen import Secular
from secant.trustregion.steihaug import forcing
from secant.trustregion.step import Step, Within, length

_TOL = 1e-3
"""Accuracy of ``h``: nothing beside a product with ``B``."""


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
        self._diagonal: list[float] = []
        self._beside: list[float] = []  # the last one leads out of the space
        self._next = g / self._size

    def within(self, radius: float) -> Step:
        """The solution in the smallest space that is large enough."""
        if not self._diagonal:
            self._extend()
        while True:
            h, on_boundary = self._solve(radius)
            residual = self._beside[-1] * abs(h[-1])
            if not residual > self._small or len(h) >= self._limit:  # a NaN ends it too
                return self._step(h, on_boundary)
            # on the boundary h costs more than a product: look at it now and then
            for _ in range(1 + len(h) // 8 if on_boundary else 1):
                if self._beside[-1] > 0.0 and len(self._diagonal) < self._limit:
                    self._extend()

    def _solve(self, radius: float) -> tuple[HostArray, bool]:
        """``h``, and whether it is on the boundary."""
        h = _conjugate_gradients(self._diagonal, self._beside, self._size)
        if h is not None and np.linalg.norm(h) <= radius:
            return h, False
        h, _ = Secular(self._size * np.eye(len(self._diagonal))[0], self._T(), _TOL).solve(radius)
        return h, True

    def _T(self) -> HostArray:
        beside = self._beside[:-1]
        T: HostArray = np.diag(self._diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        return T

    def _step(self, h: HostArray, on_boundary: bool) -> Step:
        beside = np.array(self._beside[: len(h) - 1])
        hTh = float(np.array(self._diagonal) @ (h * h) + 2.0 * (beside @ (h[1:] * h[:-1])))
        p = like(h, self._g) @ self._Q[: len(h), :]
        reduction = -self._size * float(h[0]) - 0.5 * hTh
        return Step(p, reduction, on_boundary, float(np.linalg.norm(h)))

    def _extend(self) -> None:
        """One Lanczos iteration, orthogonal to all vectors so far."""
        k, q = len(self._diagonal), self._next
        self._Q[k, :] = q
        Q = self._Q[: k + 1, :]
        w = self._B @ q
        before = length(w)
        projections = Q @ w
        w = w - projections @ Q
        beta = length(w)
        (alpha,) = read(projections[k])
        if beta < 0.5 * before:  # cancellation: once more is enough
            w = w - (Q @ w) @ Q
            beta = length(w)
        self._diagonal.append(alpha)
        self._beside.append(beta if beta > 1e-14 * before else 0.0)
        if self._beside[-1] > 0.0:
            self._next = w / beta


def _conjugate_gradients(
    diagonal: list[float], beside: list[float], size: float
) -> HostArray | None:
    """``-T^-1 (size, 0, ...)``, where conjugate gradients are after k iterations; None if T is not definite."""
    pivots, rest = [diagonal[0]], [-size]
    for a, b in zip(diagonal[1:], beside, strict=False):
        if not pivots[-1] > 0.0:
            return None
        ratio = b / pivots[-1]
        pivots.append(a - ratio * b)
        rest.append(-ratio * rest[-1])
    if not pivots[-1] > 0.0:
        return None
    h = [rest[-1] / pivots[-1]]
    for pivot, r, b in zip(pivots[-2::-1], rest[-2::-1], beside[-2::-1], strict=True):
        h.append((r - b * h[-1]) / pivot)
    return np.array(h[::-1])
