"""The dogleg: from the Cauchy point towards Newton's.

References
----------
Powell (1970); Nocedal & Wright, *Numerical Optimization*, 2nd ed., eqs. 4.15 and 4.16.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from secant.arrays import Array, dot, eps_of, like, read, step_along, to_numpy
from secant.curvature.factor import Cholesky, cholesky
from secant.curvature.modified_cholesky import Shift, is_finite
from secant.trustregion.step import Step, Within, to_boundary


@dataclass(frozen=True)
class Dogleg:
    """The point at which the path 0 -> Cauchy point -> Newton point leaves the ball.

    Along the path ``|p|`` grows and ``m(p)`` falls if ``B`` is positive definite. Where it is not, the path is
    that of ``B + tau I``, the least shift that `Shift` finds to be: its model lies above that of ``B``,
    so that the true model falls even more.

    One product and one solve with ``B``, by its own ``solve`` (BFGS, L-BFGS) or by Cholesky.

    Parameters
    ----------
    shift : Shift
        For matrices without a ``solve`` of their own.

    Examples
    --------
    >>> import numpy as np
    >>> from secant.curvature.exact import HostMatrix
    >>> from secant.trustregion import Dogleg
    >>> Dogleg()(np.array([1.0, 4.0]), HostMatrix(np.diag([1.0, 2.0])))(5.0).p
    array([-1., -2.])
    """

    shift: Shift = Shift()

    def __call__(self, g: Array, B: Any) -> Within:
        newton, tau = self._newton(g, B)
        Bg = B @ g
        scalars = read(dot(g, g), dot(g, Bg), dot(newton, newton), dot(g, newton))
        return _Path(g, newton, tau, *scalars).within

    def _newton(self, g: Array, B: Any) -> tuple[Array, float]:
        """``-(B + tau I)^-1 g`` and ``tau``."""
        if getattr(B, "is_definite", False):
            return -B.solve(g), 0.0
        dense = B.dense()
        factor = cholesky(dense)
        if not isinstance(factor, Cholesky):
            if not is_finite(dense):  # no shift would make it definite
                return 0.0 * g, 0.0
            factor = self.shift.shifted(dense, factor)
        return like(factor.solve(-np.asarray(to_numpy(g), float)), g), factor.tau


@dataclass(frozen=True)
class _Path:
    """The path of ``B + tau I``, and the scalars of which every point on it is made.

    As ``B newton = -g - tau newton``, no step needs a product of its own.
    """

    g: Array
    newton: Array
    tau: float
    gg: float
    gBg: float
    newton_newton: float
    g_newton: float

    def within(self, radius: float) -> Step:
        """The end of the path inside the ball."""
        bend = self.gBg + self.tau * self.gg
        cauchy = self.gg / bend if bend > 0.0 else math.inf
        edge = radius / math.sqrt(self.gg) if self.gg > 0.0 else math.nan  # squares underflow
        if edge <= cauchy or not self._leads_down:
            return self._step(min(edge, cauchy), 0.0, edge <= cauchy)
        pp = cauchy * cauchy * self.gg
        p_leg = -cauchy * self.g_newton - pp
        leg_leg = self.newton_newton - pp - 2.0 * p_leg
        t = to_boundary(pp, p_leg, leg_leg, radius) if leg_leg > 0.0 else 1.0
        if t < 1.0:
            return self._step((1.0 - t) * cauchy, t, True)
        return self._beyond(radius)

    def _beyond(self, radius: float) -> Step:
        """The Newton point; where B was shifted, the best of the ball on the ray through it."""
        length = math.sqrt(self.newton_newton)
        edge = radius / length if length > 0.0 else math.inf
        best = -self.g_newton / self._curvature if self._curvature > 0.0 else math.inf
        stretch = max(1.0, min(best, edge)) if self.tau > 0.0 else 1.0
        return self._step(0.0, stretch, self.tau > 0.0 and edge <= best)

    def _step(self, a: float, b: float, on_boundary: bool) -> Step:
        """``p = b newton - a g``."""
        p = step_along(b * self.newton, -a, self.g) if b else -a * self.g
        pBp = a * a * self.gBg
        square = a * a * self.gg
        slope = -a * self.gg
        if b:
            pBp += 2.0 * a * b * (self.gg + self.tau * self.g_newton)
            pBp += b * b * self._curvature
            square += b * b * self.newton_newton - 2.0 * a * b * self.g_newton
            slope += b * self.g_newton
        return Step(p, -slope - 0.5 * pBp, on_boundary, math.sqrt(max(0.0, square)))

    @property
    def _curvature(self) -> float:
        """``newton'B newton``, without the shift; zero where that is all round-off."""
        curvature = -self.g_newton - self.tau * self.newton_newton
        return curvature if abs(curvature) > -10.0 * eps_of(self.g) * self.g_newton else 0.0

    @property
    def _leads_down(self) -> bool:
        return self.g_newton < 0.0 and math.isfinite(self.newton_newton)
