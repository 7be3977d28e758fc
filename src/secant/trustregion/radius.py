"""The radius: where it starts, and what a step's success makes of it.

References
----------
Nocedal & Wright, *Numerical Optimization*, 2nd ed., Algorithm 4.1; Conn, Gould & Toint, *Trust-Region
Methods*, SIAM (2000), section 17.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from secant import checks
from secant.arrays import Array, dot, inner, read
from secant.point import Point
from secant.trustregion.step import Model, Step


@dataclass(frozen=True)
class RadiusRule:
    """Shrink after poor steps, grow after good ones that the radius kept short.

        ratio < poor                         radius = shrink |p|
        ratio > good and |p| = radius        radius = grow radius

    with the ratio of the actual to the predicted reduction. Steps with ``ratio > accept`` are taken.

    Parameters
    ----------
    initial : float, optional
        ``max(1, |x|)`` when left out.
    largest : float
        The radius never exceeds it.
    reach : float
        The radius of the first iteration is at most so many times the step ``|g|^3 / g'Bg`` to the minimum of
        the model along ``-g``, which takes a product with ``B``; any when infinite.
    accept, poor, good : float
        Thresholds of the ratio, ``0 <= accept < poor < good < 1``.
    shrink, grow : float
        Factors.

    Examples
    --------
    >>> import secant
    >>> method = secant.TrustNCG(radius=secant.RadiusRule(initial=0.1))
    """

    initial: float | None = None
    largest: float = math.inf
    reach: float = math.inf
    accept: float = 1e-4
    poor: float = 0.25
    good: float = 0.75
    shrink: float = 0.25
    grow: float = 3.0
    is_length: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.initial is not None:
            checks.positive("initial", self.initial)
        for name in ("largest", "reach"):
            value = getattr(self, name)
            checks.require(
                checks.is_number(value) and value > 0.0, name, value, "a positive number"
            )
        checks.between("poor", self.poor, 0.0, 1.0)
        in_range = checks.is_number(self.accept) and 0.0 <= self.accept < self.poor
        checks.require(in_range, "accept", self.accept, f"in [0, poor = {self.poor})")
        checks.between("good", self.good, self.poor, 1.0)
        checks.between("shrink", self.shrink, 0.0, 1.0)
        grows = checks.is_number(self.grow) and self.grow > 1.0
        checks.require(grows, "grow", self.grow, "above 1")

    def first(self, point: Point) -> float:
        """The radius at the start."""
        if self.initial is not None:
            return min(self.initial, self.largest)
        return min(math.sqrt(max(1.0, inner(point.x, point.x))), self.largest)

    def within_reach(self, radius: float, g: Array, B: Model) -> float:
        """``radius``, or the `reach` of the model at the start if that is less.

        A flat direction beside a steep one says little about f at the distance ``|x|`` (Conn, Gould &
        Toint, section 17.2): on Powell's badly scaled function that is 1e6 steps along ``-g`` away.
        """
        if self.reach == math.inf:
            return radius
        gg, gBg = read(dot(g, g), dot(g, B @ g))
        if not (0.0 < gBg < math.inf and 0.0 < gg < math.inf):
            return radius
        return min(radius, self.reach * math.sqrt(gg) * (gg / gBg))

    def after(self, radius: float, step: Step, ratio: float) -> float:
        """The radius after a step that was tried."""
        if not ratio >= self.poor:
            # where squares of the step under- or overflow, its length may be anything
            return self.shrink * min(step.length, radius)
        if ratio > self.good and step.on_boundary:
            return min(self.grow * radius, self.largest)
        return radius
