"""The inexact Newton direction: conjugate gradients on ``B d = -g``, by products alone.

They end when ``|B d + g| <= eta |g|`` with the forcing sequence ``eta = min(1/2, sqrt |g|)``, which gives
superlinear convergence, or at the first direction of negative curvature, where what has been found so far
descends.

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
from secant.arrays import Array, dot, read
from secant.directions.descent import descends, gradient_step
from secant.linear_cg import solve_cg
from secant.pair import SecantPair
from secant.problem import Point


@dataclass(frozen=True)
class NewtonCG:
    """Truncated conjugate gradients.

    Parameters
    ----------
    rtol : float, optional
        A constant eta instead of the forcing sequence.
    max_iter : int, optional
        Products an iterate may cost; ``2 n`` when left out.
    """

    rtol: float | None = None
    max_iter: int | None = None
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
        (gg,) = read(dot(g, g))
        eta = min(0.5, gg**0.25) if self.rtol is None else self.rtol
        limit = 2 * g.shape[0] if self.max_iter is None else self.max_iter
        solution = solve_cg(point.hvp, -g, rtol=eta, max_iter=limit)
        if solution.nit == 0 and solution.direction is not None:
            return _along_gradient(point, gg), None
        d = solution.x
        return (d if descends(d, g) else gradient_step(point)), None

    def learn(self, memory: None, pair: SecantPair, point: Point) -> tuple[None, str]:
        """Nothing to learn."""
        return None, ""

    def is_initial(self, memory: None) -> bool:
        """Always: there is nothing to reset."""
        return True


def _along_gradient(point: Point, gg: float) -> Array:
    """``-g``, whose curvature is not positive, in the length of x."""
    return gradient_step(point) if 0.0 < gg < math.inf else -point.g
