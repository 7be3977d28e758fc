"""A direction along which the slope of f is not the gradient's, and f and its gradients on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from secant.arrays import HostArray, like, step_along, to_numpy
from secant.derivatives.line import FITTED, Slope
from secant.point import Point
from secant.problem import Problem

CERTAIN = 5.0
"""A slope is wrong when it is so many times its error away from differences of f, and by more than"""

_DIGITS = 1e-4
"""this fraction of itself."""


@dataclass(frozen=True)
class Suspicion:
    """A direction, its slope by the gradient, and by differences with the step ``h``; x's size on it."""

    v: HostArray
    given: float
    h: float
    slope: Slope
    size: float

    @property
    def is_certain(self) -> bool:
        """Whether the two slopes are further apart than errors of the differences explain."""
        gap = abs(self.slope.value - self.given)
        size = max(abs(self.slope.value), abs(self.given))
        return gap > CERTAIN * self.slope.error and gap > _DIGITS * size


class Course:
    """f along a line, whose points are kept: their gradients may be asked for."""

    def __init__(self, problem: Problem, point: Point, v: HostArray) -> None:
        self._problem, self._point, self._v = problem, point, v
        self._direction = like(v, point.x)
        self._points: dict[float, Point] = {}

    def __call__(self, t: float) -> float:
        return self._at(t).f

    def slope(self, t: float) -> float:
        """``g'v``, by the gradient that is examined."""
        return float(to_numpy(self._at(t).g).astype(np.float64) @ self._v)

    def _at(self, t: float) -> Point:
        if t not in self._points:
            x = step_along(self._point.x, t, self._direction)
            self._points[t] = self._problem.at(x)
        return self._points[t]


def bend(phi: Course, found: Suspicion) -> float:
    """How far the gradient itself is from linear within the step of the differences.

    Next to a pole, or where f waves faster than it is sampled, differences and a right gradient
    disagree, but the gradients on both sides of x then disagree as much: at one distance by chance
    not, at four without a common measure hardly ever.
    """
    distances = found.h * np.sort(FITTED)[:4]
    return max(abs(phi.slope(t) - 2.0 * found.given + phi.slope(-t)) for t in distances)
