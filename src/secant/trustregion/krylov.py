"""The subproblem solved in the Krylov space of ``g``: generalised Lanczos.

Inside the ball this is conjugate gradients. Where their path leaves it, Steihaug's iteration ends; here it
goes on: the gradients ``r_k`` of the path, divided by their lengths, are the Lanczos basis ``Q`` of ``g, Bg,
B^2 g ...``, its step lengths and ratios give the tridiagonal ``T = Q'BQ``,

    T_kk = 1 / alpha_k + beta_{k-1} / alpha_{k-1},   T_{k,k+1} = sqrt(beta_k) / alpha_k

and ``p = Q h``, where h solves nearly exactly, in a space that grows until the residual is small,

    minimise  |g| h_1 + h'Th / 2   subject to  |h| <= radius

A smaller radius after a rejected step needs a new ``h`` but no product. A path that is so long that its
gradients are no longer orthogonal is replaced by Lanczos iterations that keep their vectors so.

The path inside the ball has Steihaug's forcing sequence, loose in the first iterations. On the boundary a
saddle may be near, and the direction that leads away from it is worth its products: there it is never loose.

References
----------
Gould, Lucidi, Roma & Toint, *SIAM J. Optim.* 9, 504 (1999); Conn, Gould & Toint, *Trust-Region Methods*, SIAM
(2000), sections 5.2 and 7.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

from secant import checks
from secant.arrays import (
    Array,
    HostArray,
    combine,
    dot,
    eps_of,
    inner,
    like,
    products,
    scale_into,
    step_along,
    zeros,
)
from secant.trustregion.steihaug import Forcing, Path, forcing, is_loose, loosely
from secant.trustregion.step import Step, Subproblem, Within, length
from secant.trustregion.tridiagonal import TridiagonalBall

_BASIS = 100
"""Vectors that are kept to go on from the boundary; longer paths end there."""


@dataclass(frozen=True)
class Krylov:
    """Generalised Lanczos, by products with ``B`` alone.

    Parameters
    ----------
    rtol : float, optional
        Residual ``|g + (B + lambda I) p| / |g|`` at which to stop; ``min(1/8, sqrt |g|)`` when left out,
        inside the ball and in the first three iterations of a run ``min(1/2, sqrt |g|)``.
    max_iter : int, optional
        Products an iterate may cost; ``min(2 n, 300)`` when left out, of which on the boundary at most 100.

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
        return self._pose(g, B, forcing(self.rtol))

    def in_iteration(self, k: int) -> Subproblem:
        """The same with the forcing sequence of iteration ``k`` inside the ball."""
        return partial(self._pose, eta=loosely) if is_loose(self.rtol, k) else self

    def _pose(self, g: Array, B: Any, eta: Forcing) -> Within:
        limit = min(2 * g.shape[0], 300) if self.max_iter is None else self.max_iter
        path = Path(g, B, eta, limit)
        return _Space(g, B, forcing(self.rtol), min(limit, g.shape[0], _BASIS), path).within


class _Space:
    """The basis so far, as rows of ``Q``, and ``T``."""

    def __init__(self, g: Array, B: Any, eta: Forcing, limit: int, path: Path) -> None:
        self._B, self._limit, self._g, self._path = B, limit, g, path
        self._size = math.sqrt(max(0.0, path.segments[0].rr))
        self._small = eta(self._size) * self._size
        self._T: TridiagonalBall | None = None
        self._Q: Array = None
        self._next: Array = None

    def within(self, radius: float) -> Step:
        """The end of the path, or the solution in the smallest space that is large enough."""
        k, alpha, on_boundary = self._path.end(radius)
        last = self._path.segments[k]
        is_known = math.isfinite(last.reduction + last.dBd + alpha)
        if not on_boundary or k >= self._limit or not is_known:
            return self._path.step(k, alpha, on_boundary)
        T = self._space() if self._T is None else self._T
        while True:
            h, reduction = T.solve(radius)
            k = len(h)
            residual = T.beside.item(k - 1) * abs(h.item(k - 1))
            if not (residual > self._small and T.k < self._limit):  # a NaN ends it too
                return Step(self._combined(h), reduction, True, math.sqrt(inner(h, h)))
            # h costs something: look at it when it may have changed enough
            for _ in range(1 + k // 8 + (residual > 10.0 * self._small)):
                if T.beside.item(T.k - 1) > 0.0 and T.k < self._limit:
                    self._extend(T)

    def _combined(self, h: HostArray) -> Array:
        """``Q h``."""
        return dot(self._Q[: len(h), :].T, like(h, self._g))

    def _space(self) -> TridiagonalBall:
        """That of the path as far as it goes; that of ``g`` alone where it is not orthogonal."""
        self._T = T = TridiagonalBall(self._size, self._limit)
        if len(self._path.segments) > self._limit or not self._read_path(T):
            T.k = 0
            self._next = self._g / self._size
            self._extend(T)
        return T

    def _read_path(self, T: TridiagonalBall) -> bool:
        """The path as rows of ``Q`` and ``T``; whether it is orthogonal to the last, to half its digits."""
        segments = self._path.segments
        self._make_room(len(segments))
        carried = 0.0  # beta_{k-1} / alpha_{k-1}
        sign = -1.0  # the first vector is g / |g|, and what is beside the diagonal positive
        before, r = segments[0], segments[0].d
        for k, segment in enumerate(segments):
            if k:
                ratio, curvature = segment.rr / before.rr, before.dBd / before.rr
                r = step_along(segment.d, -ratio, before.d)
                carried = ratio * curvature
                T.beside[k - 1] = math.sqrt(ratio) * curvature
                before = segment
            scale = sign / math.sqrt(segment.rr)
            scale_into(self._Q[k, :], scale, r)
            sign = -sign
            T.diagonal[k] = segment.dBd / segment.rr + carried
        T.k = len(segments) - 1
        w = scale * self._path.Bd  # B q_k, but for q_{k-1}
        if T.k > 1:
            old = products(self._Q[: T.k - 1, :], w)
            if not inner(old, old) <= eps_of(self._g) * inner(w, w):
                return False
        self._append(T, w, T.diagonal.item(T.k))
        return True

    def _extend(self, T: TridiagonalBall) -> None:
        """One Lanczos iteration, orthogonal to all vectors so far."""
        self._make_room(T.k + 1)
        self._Q[T.k, :] = self._next
        self._append(T, self._B @ self._next)

    def _append(self, T: TridiagonalBall, w: Array, alpha: float | None = None) -> None:
        """The row of ``w``, which is ``B q_k`` but for older vectors."""
        k, Q = T.k, self._Q[: T.k + 1, :]
        inside = products(Q, w)
        w = combine(inside, Q, 1.0, w, -1.0)
        beta = length(w)
        square = inner(inside, inside)
        if beta * beta < 0.3 * square:  # cancellation: once more is enough
            w = combine(products(Q, w), Q, 1.0, w, -1.0)
            beta = length(w)
        goes_on = beta > 1e-14 * math.sqrt(square + beta * beta)
        T.append(inside.item(k) if alpha is None else alpha, beta if goes_on else 0.0)
        if goes_on:
            w *= 1.0 / beta
            self._next = w

    def _make_room(self, rows: int) -> None:
        """For so many vectors at least."""
        now = 0 if self._Q is None else self._Q.shape[0]
        if rows <= now:
            return
        Q = zeros((min(self._limit, max(2 * now, rows + 8)), self._g.shape[0]), self._g)
        if now:
            Q[:now, :] = self._Q
        self._Q = Q
