"""The Cauchy point: the best step along ``-g``.

References
----------
Nocedal & Wright, *Numerical Optimization*, 2nd ed., eqs. 4.11 and 4.12.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from secant.arrays import Array, read
from secant.trustregion.step import Step, Within


@dataclass(frozen=True)
class Cauchy:
    """Steepest descent, as long as the model and the radius allow.

        p = -tau (radius / |g|) g,   tau = min(1, |g|^3 / (radius g'Bg)),   or 1 if g'Bg <= 0

    One product with ``B``. Every other subproblem's solution is at least as good; alone, its
    convergence is that of gradient descent.

    Examples
    --------
    >>> import numpy as np
    >>> from secant.trustregion import Cauchy
    >>> Cauchy()(np.array([2.0, 0.0]), np.eye(2))(1.0)
    Step(p=array([-1., -0.]), predicted_reduction=1.5, on_boundary=True, length=1.0)
    """

    def __call__(self, g: Array, B: Any) -> Within:
        gg, gBg = read(g @ g, g @ (B @ g))
        size = math.sqrt(gg)

        def within(radius: float) -> Step:
            best = gg / gBg if gBg > 0.0 else math.inf
            alpha = min(best, radius / size) if size > 0.0 else math.nan  # squares underflow
            reduction = alpha * (gg - 0.5 * alpha * gBg)
            return Step(-alpha * g, reduction, alpha < best, alpha * size)

        return within
