"""Jacobians by differences of the residuals, for functions of NumPy arrays.

    2-point  (r(x + h e_j) - r(x)) / h              h = eps^(1/2) |x_j|
    3-point  (r(x + h e_j) - r(x - h e_j)) / 2h     h = eps^(1/3) |x_j|
    5-point  (4 d(h) - d(2h)) / 3, d the 3-point    h = eps^(1/5) |x_j|
    cs       Im r(x + i h e_j) / h                  h = 1e-20
    richardson   3-point, extrapolated to h = 0     3^k eps^(1/3) |x_j|, k = 0, 1, ...

Steps are relative to the variable itself (as in MINPACK: parameters of a fit may be of any size), and every
point is within the bounds: a step that would leave them is made the other way, and where a centred pair does
not fit, both its points are on one side.

References
----------
Nocedal & Wright, *Numerical Optimization*, 2nd ed., section 8.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from secant import checks
from secant.arrays import HostArray
from secant.derivatives.differences import ERRORS, neville
from secant.leastsquares.bounds import Box

_POWERS = {
    "2-point": 1.0 / 2.0,
    "3-point": 1.0 / 3.0,
    "5-point": 1.0 / 5.0,
    "richardson": 1.0 / 3.0,
}
"""Of epsilon: the relative steps at which truncation and rounding are as large as one another."""

Residuals = Callable[[HostArray], HostArray]


@dataclass(frozen=True, eq=False)
class Differences:
    """A scheme with its steps.

    Parameters
    ----------
    scheme : str
        "2-point", "3-point", "5-point", "richardson" or "cs".
    step : float or array, optional
        Relative step, SciPy's ``diff_step``.
    box : Box, optional
        Bounds of the variables.
    """

    scheme: str = "2-point"
    step: float | HostArray | None = None
    box: Box | None = None

    def __post_init__(self) -> None:
        checks.one_of("jac", self.scheme, ERRORS)
        if self.step is not None and not (np.asarray(self.step) > 0.0).all():
            raise ValueError(f"diff_step must be positive, got {self.step!r}")

    def relative_error(self, eps: float) -> float:
        """About how wrong the Jacobian is."""
        return math.pow(eps, ERRORS[self.scheme])

    def __call__(self, residuals: Residuals, x: HostArray, r: HostArray) -> HostArray:
        """The Jacobian at ``x``, where the residuals are ``r``."""
        J = np.empty((r.size, x.size), dtype=r.dtype, order="F")
        h = self._steps(x, self.scheme)
        column = {
            "2-point": self._forward,
            "3-point": self._centred,
            "5-point": self._centred_twice,
            "richardson": self._extrapolated,
            "cs": self._complex,
        }
        for j in range(x.size):
            J[:, j] = column[self.scheme](residuals, x, r, j, float(h[j]))
        return J

    def _steps(self, x: HostArray, scheme: str) -> HostArray:
        eps = float(np.finfo(x.dtype).eps)
        relative = self.step
        if relative is None:
            relative = eps ** _POWERS.get(scheme, 0.0)
        size = np.where(x == 0.0, 1.0, np.abs(x))
        return np.copysign(relative * size, x)

    def _forward(
        self, residuals: Residuals, x: HostArray, r: HostArray, j: int, h: float
    ) -> HostArray:
        shifted, h = _shifted(x, j, self._inward(x, j, h))
        return (residuals(shifted) - r) / h

    def _centred(
        self, residuals: Residuals, x: HostArray, r: HostArray, j: int, h: float
    ) -> HostArray:
        above, up = _shifted(x, j, h)
        below, down = _shifted(x, j, -h)
        if not (self._inside(above, j) and self._inside(below, j)):
            h = 0.5 * self._inward(x, j, 2.0 * h)
            above, up = _shifted(x, j, h)
            below, down = _shifted(x, j, 2.0 * h)
        # the parabola through three points, whichever sides they are on
        first, second = (residuals(above) - r) / up, (residuals(below) - r) / down
        return (up * second - down * first) / (up - down)

    def _centred_twice(
        self, residuals: Residuals, x: HostArray, r: HostArray, j: int, h: float
    ) -> HostArray:
        (farthest, _), (opposite, _) = _shifted(x, j, 2.0 * h), _shifted(x, j, -2.0 * h)
        if not (self._inside(farthest, j) and self._inside(opposite, j)):
            return self._centred(residuals, x, r, j, float(self._steps(x, "3-point")[j]))
        near, far = (self._centred(residuals, x, r, j, k * h) for k in (1.0, 2.0))
        return (4.0 * near - far) / 3.0

    def _extrapolated(
        self, residuals: Residuals, x: HostArray, r: HostArray, j: int, h: float
    ) -> HostArray:
        room = math.inf
        if self.box is not None:
            room = float(min(self.box.upper[j] - x[j], x[j] - self.box.lower[j]))
        if abs(h) >= room:  # no pair of points fits
            return self._centred(residuals, x, r, j, h)
        column: HostArray = neville(residuals, x, j, h, room)[0]
        return column

    def _complex(
        self, residuals: Residuals, x: HostArray, r: HostArray, j: int, h: float
    ) -> HostArray:
        shifted = x.astype(complex)
        shifted[j] += 1e-20j
        return np.imag(residuals(shifted)) / 1e-20

    def _inside(self, x: HostArray, j: int) -> bool:
        return self.box is None or bool(self.box.lower[j] <= x[j] <= self.box.upper[j])

    def _inward(self, x: HostArray, j: int, h: float) -> float:
        """``h`` if ``x + h`` is within the bounds, else ``-h``, else what room there is."""
        if self.box is None:
            return h
        room = self.box.upper[j] - x[j], x[j] - self.box.lower[j]
        ahead, behind = room if h > 0.0 else room[::-1]
        if abs(h) <= ahead:
            return h
        if abs(h) <= behind:
            return -h
        return float(np.copysign(ahead, h) if ahead >= behind else np.copysign(behind, -h))


class Refining:
    """Forward differences, and centred ones of two steps once those have led as far as they can.

    Parameters
    ----------
    forward : Differences
    """

    def __init__(self, forward: Differences) -> None:
        self.now = forward

    @property
    def scheme(self) -> str:
        """The scheme in use."""
        return self.now.scheme

    def relative_error(self, eps: float) -> float:
        """About how wrong the Jacobian is."""
        return self.now.relative_error(eps)

    def refine(self) -> bool:
        """Change to centred differences; False if they are in use already."""
        if self.now.scheme == "5-point":
            return False
        self.now = replace(self.now, scheme="5-point")
        return True

    def __call__(self, residuals: Residuals, x: HostArray, r: HostArray) -> HostArray:
        """The Jacobian at ``x``, where the residuals are ``r``."""
        return self.now(residuals, x, r)


def _shifted(x: HostArray, j: int, h: float) -> tuple[HostArray, float]:
    """``x + h e_j``, and the step really taken, after rounding."""
    shifted = x.copy()
    shifted[j] += h
    return shifted, float(shifted[j] - x[j])
