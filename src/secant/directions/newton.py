"""Newton's direction, with a positive definite neighbour of the Hessian where that is not.

    (B + E) d = -g

Close to a saddle, or where ``g`` is orthogonal to the directions in which f falls, this alone can lead to
the saddle. So where ``E`` is not zero and ``d`` all but misses the direction ``u`` of the most negative
curvature, ``u`` is added, in the length of ``d`` and downhill.

References
----------
Nocedal & Wright, *Numerical Optimization*, 2nd ed., Algorithm 3.2; Moré & Sorensen, *Math. Program.* 16, 1
(1979), for directions of negative curvature.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from secant.arrays import Array, HostArray, eps_of, like, to_numpy
from secant.curvature.factor import Cholesky, Factor, lowest_direction
from secant.curvature.modified_cholesky import Shift, is_finite
from secant.directions.descent import descends, gradient_step
from secant.pair import SecantPair
from secant.point import Point

_MISSED = 0.1
"""Share of ``d`` along ``u`` below which the negative curvature is missed."""


@dataclass(frozen=True)
class Newton:
    """Newton's direction by a Cholesky factorisation, O(n^3) operations.

    Parameters
    ----------
    modification : Shift or GillMurrayWright
        How an indefinite Hessian is made positive definite.
    """

    modification: Callable[[HostArray], Factor] = Shift()
    has_scale: ClassVar[bool] = True
    uses_hessian: ClassVar[bool] = True

    def init(self, point: Point) -> None:
        """Nothing to remember."""
        return

    def propose(self, point: Point, memory: None) -> tuple[Array, None]:
        """``-(B + E)^-1 g``."""
        given = to_numpy(point.hessian)
        B = np.asarray(given, dtype=float)
        if not is_finite(B):
            return gradient_step(point), None
        g = to_numpy(point.g).astype(float)
        factor = self.modification(given)
        d = -factor.solve(g)
        if factor.is_modified:
            shifted = factor if isinstance(factor, Cholesky) else Shift()(B)
            d = _bent(d, g, B, shifted, math.sqrt(eps_of(point.g)))
        d = like(d, point.g)
        return (d if descends(d, point.g) else gradient_step(point)), None

    def learn(self, memory: None, pair: SecantPair, point: Point) -> tuple[None, str]:
        """Nothing to learn."""
        return None, ""

    def is_initial(self, memory: None) -> bool:
        """Always: there is nothing to reset."""
        return True


def _bent(d: HostArray, g: HostArray, B: HostArray, shifted: Cholesky, noise: float) -> HostArray:
    """``d`` with a direction of negative curvature added if it misses that.

    ``shifted`` is the factor of ``B + tau I``, which has the eigenvectors of ``B``. A curvature within the
    error of a Hessian made of differences, ``noise`` relative to ``B``, is none.
    """
    u = lowest_direction(shifted, d.shape[0])
    size = float(np.linalg.norm(d))
    if u @ (B @ u) >= -noise * np.abs(B).max() or abs(u @ d) >= _MISSED * size:
        return d
    bent: HostArray = d + np.copysign(size, -float(g @ u)) * u
    return bent
