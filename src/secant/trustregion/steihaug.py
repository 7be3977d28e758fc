"""Conjugate gradients inside a ball: Steihaug's and Toint's subproblem.

Conjugate gradients start at ``p = 0``, where the first step is the Cauchy point; ``|p|`` grows and ``m(p)``
falls with every iteration. They end where the residual is small enough, or on the boundary: as soon as an
iterate leaves the ball, or a direction of negative curvature is met.

The iterates do not depend on the radius. They are kept, so that the solution for a smaller radius,
after a rejected step, is found on the same path without a product.

An accurate step follows the model to its minimum, also where the model is wrong and another valley is the
lower one. So the residual asked for is large in the first iterations, as it is in Dembo's and Steihaug's
``min(1/k, sqrt |g|)``, and later smaller than usual, as trials cost more than products:

    eta = min(1/2, sqrt |g|)   in the first three iterations,   min(1/8, sqrt |g|)   later

References
----------
Steihaug, *SIAM J. Numer. Anal.* 20, 626 (1983); Toint (1981); Dembo & Steihaug, *Math. Program.* 26, 190
(1983); Nocedal & Wright, *Numerical Optimization*, 2nd ed., Algorithm 7.2 and eq. 7.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from secant import checks
from secant.arrays import Array, add_along, copy, inner, step_along, zeros
from secant.trustregion.step import Step, Subproblem, Within, to_boundary

_FIRST = 3
"""Iterations that are solved loosely. With two, some starts still end in a valley's local minimum."""

_LOOSE, _TIGHT = 0.5, 0.125
"""What eta is at most in these and in later ones. N&W's 1/2 throughout takes half as many trials again on
a curved valley, for as many products."""

Forcing = Callable[[float], float]
"""The relative residual at which to stop, from ``|g|``."""


def forcing(rtol: float | None, largest: float = _TIGHT) -> Forcing:
    """``eta = min(largest, sqrt |g|)`` for superlinear convergence (N&W eq. 7.3); or always ``rtol``."""
    if rtol is not None:
        return lambda size: rtol
    return lambda size: min(largest, math.sqrt(size))


def is_loose(rtol: float | None, k: int) -> bool:
    """Whether iteration ``k`` has a looser one."""
    return rtol is None and k < _FIRST


loosely = forcing(None, _LOOSE)


@dataclass(frozen=True)
class Steihaug:
    """Truncated conjugate gradients, by products with ``B`` alone.

    Parameters
    ----------
    rtol : float, optional
        Residual ``|g + B p| / |g|`` at which to stop; when left out the forcing sequence
        ``min(1/8, sqrt |g|)``, in the first three iterations of a run ``min(1/2, sqrt |g|)``.
    max_iter : int, optional
        Products an iterate may cost; ``min(2 n, 300)`` when left out.

    Examples
    --------
    >>> import numpy as np
    >>> from secant.trustregion import Steihaug
    >>> step = Steihaug(rtol=1e-8)(np.array([1.0, 4.0]), np.diag([1.0, 2.0]))(5.0)
    >>> step.p, step.on_boundary
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
        """The same with the forcing sequence of iteration ``k``."""
        return partial(self._pose, eta=loosely) if is_loose(self.rtol, k) else self

    def _pose(self, g: Array, B: Any, eta: Forcing) -> Within:
        limit = min(2 * g.shape[0], 300) if self.max_iter is None else self.max_iter
        return Path(g, B, eta, limit).within


class Segment(NamedTuple):
    """One iteration: ``m`` along ``p + alpha d`` is ``m(p) - alpha rr + alpha^2 dBd / 2``.

    ``alpha`` leads to the minimum along ``d``, where ``|p + alpha d|^2 = end``; both are infinite where
    there is none.
    """

    d: Array
    reduction: float  # -m(p)
    rr: float
    dBd: float
    pp: float
    pd: float
    dd: float
    alpha: float
    end: float


class Path:
    """The iterates so far, and how to go on.

    Of each iterate only the direction that leads on from it is kept: that an earlier one is needed again,
    after a rejected step, is rare.

    Attributes
    ----------
    segments : list of Segment
    Bd : array
        ``B`` times the direction of the last of them.
    """

    def __init__(self, g: Array, B: Any, eta: Forcing, limit: int) -> None:
        self._B = B
        self._limit = limit
        self._p = zeros(g.shape[0], g)  # where the last segment begins
        self._r = -g  # downhill: -(g + B p)
        self._has_ended = False
        rr = inner(g, g)
        size = math.sqrt(rr) if rr >= 0.0 else math.nan
        self._small = eta(size) * size
        self.segments = [self._segment(copy(self._r), 0.0, rr, 0.0, 0.0, rr)]

    def within(self, radius: float) -> Step:
        """The end of the path inside the ball."""
        return self.step(*self.end(radius))

    def end(self, radius: float) -> tuple[int, float, bool]:
        """The number of the segment on which the path ends, how far along, and if on the boundary."""
        square = radius * radius
        k = 0
        while True:
            segment = self.segments[k]
            if not segment.end < square:
                return k, to_boundary(segment.pp, segment.pd, segment.dd, radius), True
            k += 1
            if k == len(self.segments) and not self._extend(segment):
                return k - 1, segment.alpha, False

    def step(self, k: int, alpha: float, on_boundary: bool) -> Step:
        """The point ``alpha`` along segment ``k``."""
        d, reduction, rr, dBd, pp, pd, dd, _, _ = self.segments[k]
        p = self._p
        if k < len(self.segments) - 1:
            p = zeros(p.shape[0], p)
            for before in self.segments[:k]:
                add_along(p, before.alpha, before.d)
        reduction += alpha * (rr - 0.5 * alpha * dBd)
        size = math.sqrt(pp + alpha * (2.0 * pd + alpha * dd))
        return Step(step_along(p, alpha, d), reduction, on_boundary, size)

    def _extend(self, last: Segment) -> bool:
        """The next iteration, unless the residual is small or the limit reached."""
        if self._has_ended:
            return False
        d, reduction, last_rr, _, _, pd, dd, alpha, pp = last
        r = self._r
        add_along(r, -alpha, self.Bd)
        rr = inner(r, r)
        if not math.sqrt(rr) > self._small or len(self.segments) >= self._limit:
            self._has_ended = True
            return False
        add_along(self._p, alpha, d)
        beta = rr / last_rr
        # recurrences for p'd and |d|^2 (Conn, Gould & Toint, eq. 7.5.5-7)
        pd = beta * (pd + alpha * dd)
        dd = rr + beta * beta * dd
        reduction += 0.5 * alpha * last_rr
        self.segments.append(self._segment(step_along(r, beta, d), reduction, rr, pp, pd, dd))
        return True

    def _segment(
        self, d: Array, reduction: float, rr: float, pp: float, pd: float, dd: float
    ) -> Segment:
        self.Bd = self._B @ d
        dBd = inner(d, self.Bd)
        alpha = end = math.inf
        if dBd > 0.0:
            alpha = rr / dBd
            end = pp + alpha * (2.0 * pd + alpha * dd)
        return Segment(d, reduction, rr, dBd, pp, pd, dd, alpha, end)
