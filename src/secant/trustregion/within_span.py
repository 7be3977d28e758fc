"""A subproblem with a limited-memory matrix, solved in the few coordinates where that is not ``sigma I``.

    B = sigma (I - Q'Q) + Q' M Q,   g = Q'h + t u,   |u| = 1,   Q u = 0

The solution is ``p = Q'a + b u`` where ``(a, b)`` solves the problem of ``(h, t)`` and ``diag(M, sigma)``, of
at most 2m + 1 variables, in double precision on the host. Whatever the number of its iterations, it costs one
pass over the pairs, and every radius another; learning from the step costs four.

References
----------
Burdakov, Gong, Zikrin & Yuan, *Math. Program. Comput.* 9, 101 (2017).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from secant.arrays import Array
from secant.curvature.compact import CompactMatrix
from secant.curvature.exact import HostMatrix
from secant.trustregion.step import Step, Subproblem, Within, check_subproblem, in_iteration


@dataclass(frozen=True)
class WithinSpan:
    """Any subproblem, in the coordinates of the pairs and of what of ``g`` is outside their span.

    Parameters
    ----------
    subproblem : Subproblem

    Examples
    --------
    >>> import secant
    >>> secant.TrustLBFGS(subproblem=secant.Steihaug(rtol=1e-3)).subproblem
    WithinSpan(subproblem=Steihaug(rtol=0.001, max_iter=None))
    """

    subproblem: Subproblem

    def __post_init__(self) -> None:
        check_subproblem(self.subproblem)

    def in_iteration(self, k: int) -> WithinSpan:
        """The same with the subproblem of iteration ``k``."""
        small = in_iteration(self.subproblem, k)
        return self if small is self.subproblem else replace(self, subproblem=small)

    def __call__(self, g: Array, B: CompactMatrix) -> Within:
        """The steps of one iterate."""
        parts = B.split(g)
        r = len(parts.inside)
        M, h = np.zeros((r + 1, r + 1)), np.empty(r + 1)
        M[:r, :r], M[r, r] = B.M, B.sigma
        h[:r], h[r] = parts
        small = self.subproblem(h, HostMatrix(M))

        def within(radius: float) -> Step:
            step = small(radius)
            along = float(step.p[r]) / parts.outside if parts.outside > 0.0 else 0.0
            return step._replace(p=B.join(step.p[:r], along, g, parts))

        return within
