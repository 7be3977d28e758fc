"""The inexact Newton direction: conjugate gradients on ``B d = -g``, by products alone.

They end when ``|B d + g|_1 <= eta |g|_1`` with the forcing sequence ``eta = min(1/2, sqrt |g|_1)``, which
gives superlinear convergence, or at the first direction ``u`` of negative curvature. That is downhill and
conjugate to what has been found so far, to which it is added. The 1-norm is SciPy's: it asks for a twentieth
fewer products than the 2-norm.

A preconditioner is the size of the Hessian's diagonal: conjugate gradients then see the variables in units in
which their curvatures are one (N&W section 5.1). What they end at, and how, stays what it is.

References
----------
Dembo & Steihaug, *Math. Program.* 26, 190 (1983); Nocedal & Wright, *Numerical Optimization*, 2nd ed.,
Algorithm 7.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from secant import checks
from secant.arrays import Array, dot, norm_one, norm_two, read, step_along
from secant.directions.descent import descends, gradient_step
from secant.directions.preconditioner import Sizes
from secant.linear_cg import solve_cg
from secant.pair import SecantPair
from secant.point import Point


@dataclass(frozen=True)
class NewtonCG:
    """Truncated conjugate gradients.

    Parameters
    ----------
    rtol : float, optional
        A constant eta instead of the forcing sequence.
    max_iter : int, optional
        Products an iterate may cost; ``2 n`` when left out.
    preconditioner : Sizes, optional
        A diagonal ``M`` near the Hessian.
    """

    rtol: float | None = None
    max_iter: int | None = None
    preconditioner: Sizes | None = None
    has_scale: ClassVar[bool] = True
    uses_hessian: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.rtol is not None:
            checks.between("rtol", self.rtol, 0.0, 1.0)
        if self.max_iter is not None:
            checks.count("max_iter", self.max_iter)

    def init(self, point: Point) -> None:
        """Nothing to remember."""
        return

    def propose(self, point: Point, memory: None) -> tuple[Array, None]:
        """The last iterate of conjugate gradients."""
        g = point.g
        eta = min(0.5, math.sqrt(norm_one(g))) if self.rtol is None else self.rtol
        limit = 2 * g.shape[0] if self.max_iter is None else self.max_iter
        M = None if self.preconditioner is None else self.preconditioner(point)
        precondition = None if M is None else lambda r: r / M
        solution = solve_cg(
            point.hvp, -g, preconditioner=precondition, rtol=eta, max_iter=limit, norm=norm_one
        )
        d, u = solution.x, solution.direction
        if u is not None:
            d = step_along(d, _natural_step(point, u, solution.product), u)
        return (d if descends(d, g) else gradient_step(point)), None

    def learn(self, memory: None, pair: SecantPair, point: Point) -> tuple[None, str]:
        """Nothing to learn."""
        return None, ""

    def is_initial(self, memory: None) -> bool:
        """Always: there is nothing to reset."""
        return True


def _natural_step(point: Point, u: Array, Bu: Array) -> float:
    """``|g'u / u'Bu|``, Newton's step were the curvature positive; at most as long as x."""
    gu, uBu, uu, xx = read(dot(point.g, u), dot(u, Bu), dot(u, u), dot(point.x, point.x))
    longest = math.sqrt(max(1.0, xx)) / norm_two(u, uu)
    return abs(gu / uBu) if abs(gu) < longest * abs(uBu) else longest
