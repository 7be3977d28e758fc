"""Conjugate gradients inside a ball: Steihaug's and Toint's subproblem.

Conjugate gradients start at ``p = 0``, where the first step is the Cauchy point; ``|p|`` grows and ``m(p)``
falls with every iteration. They end where the residual is small enough, or on the boundary: as soon as an
iterate leaves the ball, or a direction of negative curvature is met.

The iterates do not depend on the radius. They are kept, so that the solution for a smaller radius,
after a rejected step, is found on the same path without a product.

References
----------
Steihaug, *SIAM J. Numer. Anal.* 20, 626 (1983); Toint (1981); Nocedal & Wright, *Numerical Optimization*,
2nd ed., Algorithm 7.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from secant import checks
from secant.arrays import Array, inner, step_along, zeros
from secant.trustregion.step import Step, Within, to_boundary


def forcing(size: float) -> float:
    """``eta = min(1/2, sqrt |g|)``: superlinear convergence, few iterations far away (N&W eq. 7.3)."""
    return min(0.5, math.sqrt(size))


@dataclass(frozen=True)
class Steihaug:
    """Truncated conjugate gradients, by products with ``B`` alone.

    Parameters
    ----------
    rtol : float, optional
        Residual ``|g + B p| / |g|`` at which to stop; the forcing sequence ``min(1/2, sqrt |g|)`` when left
        out.
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
        limit = min(2 * g.shape[0], 300) if self.max_iter is None else self.max_iter
        return Path(g, B, self.rtol, limit).within


class Segment(NamedTuple):
    """One iteration: ``m`` along ``p + alpha d`` is ``m(p) - alpha rr + alpha^2 dBd / 2``."""

    p: Array
    d: Array
    reduction: float  # -m(p)
    rr: float
    dBd: float
    pp: float
    pd: float
    dd: float

    @property
    def alpha(self) -> float:
        """The step to the minimum along ``d``; infinite where there is none."""
        return self.rr / self.dBd if self.dBd > 0.0 else math.inf

    def step(self, alpha: float, on_boundary: bool) -> Step:
        reduction = self.reduction + alpha * (self.rr - 0.5 * alpha * self.dBd)
        square = self.pp + alpha * (2.0 * self.pd + alpha * self.dd)
        return Step(step_along(self.p, alpha, self.d), reduction, on_boundary, math.sqrt(square))


class Path:
    """The iterates so far, and how to go on.

    Attributes
    ----------
    segments : list of Segment
    Bd : array
        ``B`` times the direction of the last of them.
    """

    def __init__(self, g: Array, B: Any, rtol: float | None, limit: int) -> None:
        self._B = B
        self._limit = limit
        self._r = -g  # downhill: -(g + B p)
        rr = inner(g, g)
        size = math.sqrt(rr) if rr >= 0.0 else math.nan
        self._small = (forcing(size) if rtol is None else rtol) * size
        self.segments = [self._segment(zeros(g.shape[0], g), self._r, 0.0, rr, 0.0, 0.0, rr)]

    def within(self, radius: float) -> Step:
        """The end of the path inside the ball."""
        return self.end(radius)[1]

    def end(self, radius: float) -> tuple[int, Step]:
        """The number of the segment on which it is, and the step."""
        k = 0
        while True:
            segment = self.segments[k]
            alpha = segment.alpha
            edge = to_boundary(segment.pp, segment.pd, segment.dd, radius)
            if not alpha < edge:
                return k, segment.step(edge, True)
            k += 1
            if k == len(self.segments) and not self._extend(segment, alpha):
                return k - 1, segment.step(alpha, False)

    def _extend(self, last: Segment, alpha: float) -> bool:
        """The next iteration, unless the residual is small or the limit reached."""
        r = step_along(self._r, -alpha, self.Bd)
        rr = inner(r, r)
        if not math.sqrt(rr) > self._small or len(self.segments) >= self._limit:
            return False
        self._r = r
        beta = rr / last.rr
        p, d = step_along(last.p, alpha, last.d), step_along(r, beta, last.d)
        # recurrences for |p|^2, p'd and |d|^2 (Conn, Gould & Toint, eq. 7.5.5-7)
        pp = last.pp + alpha * (2.0 * last.pd + alpha * last.dd)
        pd = beta * (last.pd + alpha * last.dd)
        dd = rr + beta * beta * last.dd
        reduction = last.reduction + 0.5 * alpha * last.rr
        self.segments.append(self._segment(p, d, reduction, rr, pp, pd, dd))
        return True

    def _segment(
        self, p: Array, d: Array, reduction: float, rr: float, pp: float, pd: float, dd: float
    ) -> Segment:
        self.Bd = self._B @ d
        return Segment(p, d, reduction, rr, inner(d, self.Bd), pp, pd, dd)
