"""Regularised limited-memory steps: the ball of a trust region replaced by a term in the model.

    p = -(B + mu I)^-1 g,   predicted reduction  -g'p - p'Bp / 2 = (mu p'p - g'p) / 2

Unlike a line search this needs one evaluation of f for each ``mu``, accepts by the ratio of the reductions, and
bends the step towards -g as ``mu`` grows. ``1 / mu`` plays the part of the radius.

References
----------
Kanzow & Steck, *Math. Program. Comput.* 15, 417 (2023), Algorithm 2; Ueda & Yamashita, *Comput. Optim.
Appl.* 58, 321 (2014).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from secant import checks
from secant.arrays import Array, dot, norm_two, read
from secant.curvature.compact import CompactMatrix
from secant.point import Point
from secant.trustregion.step import Step, Within


@dataclass(frozen=True)
class Regularized:
    """``p = -(B + mu I)^-1 g`` by the compact form, with ``mu`` one over the radius."""

    def __call__(self, g: Array, B: CompactMatrix) -> Within:
        """The steps of one iterate."""

        def within(radius: float) -> Step:
            mu = 1.0 / radius
            p = B.solve(g, mu)
            p *= -1.0
            gp, pp = read(dot(g, p), dot(p, p))
            return Step(p, 0.5 * (mu * pp - gp), True, math.sqrt(pp) if pp >= 0.0 else math.nan)

        return within


@dataclass(frozen=True)
class RegularizationRule:
    """Regularise more after poor steps, less after very good ones.

        ratio < poor     mu = more mu
        ratio > good     mu = max(less mu, smallest kappa),   kappa = 2 (m(0) - m(p)) / |p|^2

    Parameters
    ----------
    initial : float
        First ``mu``, relative to ``|g|``: 10 makes the first step at most about 0.1 long.
    smallest : float
        ``mu`` is not lowered below it times ``kappa``, the curvature of the model along the step plus 2 mu.
    accept, poor, good : float
        Thresholds of the ratio of the actual to the predicted reduction,
        ``0 < accept <= poor < good < 1``.
    more, less : float
        Factors.

    Examples
    --------
    >>> import secant
    >>> method = secant.RegularizedLBFGS(radius=secant.RegularizationRule(more=10.0))
    """

    initial: float = 10.0
    smallest: float = 1e-12
    accept: float = 1e-4
    poor: float = 1e-4
    good: float = 0.75
    more: float = 4.0
    less: float = 0.1
    is_length: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checks.positive("initial", self.initial)
        checks.positive("smallest", self.smallest)
        checks.between("accept", self.accept, 0.0, 1.0)
        in_range = checks.is_number(self.poor) and self.accept <= self.poor < 1.0
        checks.require(in_range, "poor", self.poor, f"in [accept = {self.accept}, 1)")
        checks.between("good", self.good, self.poor, 1.0)
        grows = checks.is_number(self.more) and self.more > 1.0
        checks.require(grows, "more", self.more, "above 1")
        checks.between("less", self.less, 0.0, 1.0)

    def first(self, point: Point) -> float:
        """``1 / mu`` at the start."""
        (square,) = read(dot(point.g, point.g))
        size = norm_two(point.g, square)
        return 1.0 / (self.initial * size) if 0.0 < size < math.inf else 1.0 / self.initial

    def within_reach(self, radius: float, g: Array, B: CompactMatrix) -> float:
        """``radius``: `first` has looked at ``g``."""
        return radius

    def after(self, radius: float, step: Step, ratio: float) -> float:
        """``1 / mu`` after a step that was tried."""
        if not ratio >= self.poor:
            return radius / self.more
        if ratio > self.good:
            least = self.smallest * (2.0 * step.predicted_reduction / step.length / step.length)
            return min(radius / self.less, max(radius, 1.0 / least)) if least > 0.0 else radius
        return radius
