"""A radius instead of ``lambda``: More's rule.

References
----------
.. [1] J. J. More, "The Levenberg-Marquardt Algorithm: Implementation and Theory", *Lecture Notes in
   Mathematics* 630 (1978), Algorithms 5.5 and 7.1, with the constants of MINPACK.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from secant import checks
from secant.arrays import HostArray
from secant.leastsquares import lapack
from secant.leastsquares.damping.rule import Damped, Outcome, least_damped
from secant.leastsquares.model import Factor, Model

_SHORTER = 0.5
"""After a rejection no step is longer than this part of the rejected one."""


@dataclass(frozen=True)
class TrustRadius:
    """``lambda`` such that ``|D p|`` is the radius, or 0 if the whole step is shorter [1]_.

    Parameters
    ----------
    factor : float
        The first radius is so many times ``|D x0|`` (or so much, if that is 0).
    """

    factor: float = 100.0

    def __post_init__(self) -> None:
        checks.positive("factor", self.factor)

    def begin(self, model: Model, x: HostArray, scale: HostArray) -> Damped:
        """The radius of the start."""
        size = _length(scale, x)
        return Damped(0.0, math.inf, self.factor * (size if size > 0.0 else 1.0))

    def propose(
        self, model: Model, scale: HostArray, damped: Damped
    ) -> tuple[HostArray | None, Damped]:
        """The step of the radius, to a tenth; [1]_ Algorithm 5.5, but with the last ``lambda`` first.

        Where steps are damped the next one mostly is, too, and there is no need to know how long it
        would be without: that takes two factorisations where ``J`` is singular.
        """
        if damped.value > 0.0:
            p, value = _RadiusSearch(model, scale, damped.radius).run(damped.value)
            if p is not None:
                return p, Damped(value, damped.growth, damped.radius)
        value, factor = least_damped(model, scale)
        if factor is None:
            return None, damped
        p = factor.solve()
        length = _length(scale, p)
        if length > 1.1 * damped.radius:
            search = _RadiusSearch(model, scale, damped.radius)
            guess = search.above(value, factor, p, length)
            p, value = search.run(min(max(damped.value, guess), search.upper))
        same = value == damped.value
        return p, damped if same else Damped(value, damped.growth, damped.radius)

    def learn(self, damped: Damped, outcome: Outcome) -> Damped:
        """[1]_ Algorithm 7.1; after the first step the radius is at most its length.

        A radius that a rejected step still fits into, as there, would let it be tried again.
        """
        radius = damped.radius
        if damped.growth == math.inf and outcome.length > 0.0:  # nothing was learned before
            radius = min(radius, outcome.length)
        ratio, value = outcome.ratio, damped.value
        if ratio <= 0.25:
            cut = _cut(outcome)
            radius = cut * min(radius, 10.0 * outcome.length)
            if not outcome.accepted and outcome.length > 0.0:
                radius = min(radius, _SHORTER * outcome.length)
            return Damped(value / cut, 1.0, radius)
        if value == 0.0 or ratio >= 0.75:
            return Damped(0.5 * value, 1.0, 2.0 * outcome.length)
        return Damped(value, 1.0, radius)


class _RadiusSearch:
    """Newton's iteration on ``|D p(lambda)| = radius``, safeguarded by a shrinking bracket."""

    def __init__(self, model: Model, scale: HostArray, radius: float) -> None:
        self.model = model
        self.scale = scale
        self.radius = radius
        self.lower = 0.0
        self.upper = math.inf

    def above(self, least: float, factor: Factor, p: HostArray, length: float) -> float:
        """The first guess, given that the step with the least ``lambda`` is too long."""
        self.lower = max(least, self._newton(least, factor, p, length))
        steepest = _length(1.0 / self.scale, self.model.g)
        self.upper = min(self.upper, max(steepest / self.radius, self.lower))
        return self.lower or steepest / length

    def run(self, value: float) -> tuple[HostArray | None, float]:
        """The step and its ``lambda``; no step where ``lambda`` may have to be as small as can be."""
        p = None
        for _ in range(10):
            factor = self.model.factor(value, self.scale)
            if factor is None:
                self.lower = value
                value = 10.0 * value
                continue
            p = factor.solve()
            length = _length(self.scale, p)
            if abs(length - self.radius) <= 0.1 * self.radius:
                break
            if length > self.radius:
                self.lower = max(self.lower, value)
            else:
                self.upper = min(self.upper, value)
            # 1/|D p| is concave in lambda: from above the root, too, its tangent leads below it
            following = self._newton(value, factor, p, length)
            if following <= self.lower == 0.0:
                return None, value
            value, used = min(max(self.lower, following), self.upper), value
            if value == used:
                break
        return p, value

    def _newton(self, value: float, factor: Factor, p: HostArray, length: float) -> float:
        """The root of ``1/radius - 1/|D p|``, linear in ``lambda`` nearly: [1]_ (5.5)."""
        derivative = factor.inverse_norm2(self.scale * self.scale * p / length)
        return (
            value + (length - self.radius) / self.radius / derivative if derivative > 0 else value
        )


def _cut(outcome: Outcome) -> float:
    """Where the parabola through the values and the slope has its minimum, between 0.1 and 0.5."""
    if outcome.actual >= 0.0:
        return 0.5
    if not math.isfinite(outcome.actual):
        return 0.1
    return min(0.5, max(0.1, 0.5 * outcome.slope / (outcome.slope + outcome.actual)))


def _length(scale: HostArray, p: HostArray) -> float:
    length: float = lapack.dnrm2(scale * p)
    return length
