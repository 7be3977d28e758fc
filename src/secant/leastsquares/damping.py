"""How strongly a Gauss-Newton step is damped, and what is learned from its gain ratio.

    (J'J + lambda D^2) p = -J'r,      rho = (f(x) - f(x + p)) / (m(0) - m(p))

Three rules set ``lambda``: `Nielsen` and `Marquardt` change it by factors; `TrustRadius` keeps a radius
instead and takes the ``lambda`` at which ``|D p|`` has that length, which is 0 as soon as the whole step
fits. `Undamped` is Gauss-Newton, halving the step where it fails. ``D`` makes ``lambda`` a pure number: 1 is
as much damping as there is curvature.

References
----------
.. [1] H. B. Nielsen, "Damping Parameter in Marquardt's Method", IMM-REP-1999-05 (1999), (2.4)-(2.6).
.. [2] D. W. Marquardt, "An Algorithm for Least-Squares Estimation of Nonlinear Parameters", *J. SIAM* 11
   (1963).
.. [3] J. J. More, "The Levenberg-Marquardt Algorithm: Implementation and Theory", *Lecture Notes in
   Mathematics* 630 (1978), Algorithms 5.5 and 7.1, with the constants of MINPACK.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from secant import checks
from secant.arrays import HostArray
from secant.leastsquares import lapack
from secant.leastsquares.matrix_free import Products
from secant.leastsquares.model import Factor, Model

_LARGEST = 1e30
"""More damping than this leaves no step worth a look."""


class Damped(NamedTuple):
    """What a rule remembers.

    Attributes
    ----------
    value : float
        ``lambda`` of the last step, or of the next.
    growth : float
        By how much the next rejection multiplies it (`Nielsen`).
    radius : float
        Longest ``|D p|`` allowed; infinite for rules without one.
    shrink : float
        Factor of the step (`Undamped`).
    """

    value: float
    growth: float = 2.0
    radius: float = math.inf
    shrink: float = 1.0

    @property
    def exhausted(self) -> bool:
        """Whether no shorter step is worth a look."""
        return self.value > _LARGEST or self.radius < 1e-300 or self.shrink < 1e-12


class Outcome(NamedTuple):
    """How a step turned out.

    Attributes
    ----------
    ratio : float
        The gain ratio ``rho``; ``-inf`` if the trial was not finite.
    length : float
        ``|D p|``.
    slope : float
        ``g'p``.
    actual : float
        ``f(x) - f(x + p)``.
    accepted : bool
    """

    ratio: float
    length: float
    slope: float
    actual: float
    accepted: bool


class Damping(Protocol):
    """A rule for ``lambda``."""

    def begin(self, model: Model, x: HostArray, scale: HostArray) -> Damped:
        """The first damping, at ``x``."""
        ...

    def propose(
        self, model: Model, scale: HostArray, damped: Damped
    ) -> tuple[HostArray | None, Damped]:
        """The step, None if the matrix is singular; with the damping it was made with."""
        ...

    def learn(self, damped: Damped, outcome: Outcome) -> Damped:
        """The next damping."""
        ...


def least_damped(model: Model, scale: HostArray) -> tuple[float, Factor | None]:
    """The smallest ``lambda`` for which the matrix is regular in this precision, with its factor."""
    damping, factor = 0.0, model.factor(0.0, scale)
    while factor is None and damping < 1.0:
        damping = max(model.floor, 100.0 * damping)
        factor = model.factor(damping, scale)
    return damping, factor


@dataclass(frozen=True)
class Nielsen:
    """``lambda`` falls smoothly with the gain ratio and rises ever faster with rejections [1]_.

    ``lambda <- lambda max(1/3, 1 - (2 rho - 1)^3)`` and ``nu <- 2`` after a gain, else
    ``lambda <- nu lambda``, ``nu <- 2 nu``.

    Parameters
    ----------
    tau : float
        The first ``lambda``.

    Examples
    --------
    >>> from secant.leastsquares.damping import Nielsen, Outcome
    >>> from secant.leastsquares.damping import Damped
    >>> rule, good = Nielsen(), Outcome(1.0, 1.0, -1.0, 1.0, True)
    >>> rule.learn(Damped(1e-3), good).value
    0.000333
    """

    tau: float = 1e-3

    def __post_init__(self) -> None:
        checks.positive("tau", self.tau)

    def begin(self, model: Model, x: HostArray, scale: HostArray) -> Damped:
        """``lambda = tau``."""
        return Damped(self.tau)

    def propose(
        self, model: Model, scale: HostArray, damped: Damped
    ) -> tuple[HostArray | None, Damped]:
        """The step with the ``lambda`` remembered."""
        return _damped_step(model, scale, damped)

    def learn(self, damped: Damped, outcome: Outcome) -> Damped:
        """The cubic of the gain ratio, or the growing factor."""
        if not outcome.accepted:
            return Damped(damped.value * damped.growth, 2.0 * damped.growth)
        # capped where the cubic is long above any use: a step can be far better than predicted
        cubic = 1.0 - (2.0 * min(outcome.ratio, 1.0) - 1.0) ** 3
        return Damped(damped.value * max(1.0 / 3.0, cubic))


@dataclass(frozen=True)
class Marquardt:
    """``lambda`` divided by a factor after a gain, multiplied by one after a loss [2]_.

    Parameters
    ----------
    initial : float
        The first ``lambda``.
    decrease, increase : float
        The factors, below and above one.
    good : float
        ``lambda`` falls only where the gain ratio is above this.

    Examples
    --------
    >>> from secant.leastsquares.damping import Marquardt, Outcome
    >>> from secant.leastsquares.damping import Damped
    >>> Marquardt().learn(Damped(1e-3), Outcome(-1.0, 1.0, -1.0, -1.0, False)).value
    0.01
    """

    initial: float = 1e-3
    decrease: float = 0.1
    increase: float = 10.0
    good: float = 0.0

    def __post_init__(self) -> None:
        checks.positive("initial", self.initial)
        checks.between("decrease", self.decrease, 0.0, 1.0)
        checks.require(self.increase > 1.0, "increase", self.increase, "above 1")
        checks.non_negative("good", self.good)

    def begin(self, model: Model, x: HostArray, scale: HostArray) -> Damped:
        """``lambda = initial``."""
        return Damped(self.initial)

    def propose(
        self, model: Model, scale: HostArray, damped: Damped
    ) -> tuple[HostArray | None, Damped]:
        """The step with the ``lambda`` remembered."""
        return _damped_step(model, scale, damped)

    def learn(self, damped: Damped, outcome: Outcome) -> Damped:
        """One factor or the other."""
        if not outcome.accepted:
            return Damped(damped.value * self.increase)
        return Damped(damped.value * self.decrease) if outcome.ratio > self.good else damped


@dataclass(frozen=True)
class Undamped:
    """Gauss-Newton: ``lambda = 0`` (or what it takes to be regular), the step halved where it fails."""

    def begin(self, model: Model, x: HostArray, scale: HostArray) -> Damped:
        """No damping."""
        return Damped(0.0)

    def propose(
        self, model: Model, scale: HostArray, damped: Damped
    ) -> tuple[HostArray | None, Damped]:
        """The Gauss-Newton step, shortened."""
        value, factor = least_damped(model, scale)
        if factor is None:
            return None, damped
        return damped.shrink * factor.solve(), damped._replace(value=value)

    def learn(self, damped: Damped, outcome: Outcome) -> Damped:
        """Half the step after a loss, the whole step after a gain."""
        return damped._replace(shrink=1.0 if outcome.accepted else 0.5 * damped.shrink)


@dataclass(frozen=True)
class TrustRadius:
    """``lambda`` such that ``|D p|`` is the radius, or 0 if the whole step is shorter [3]_.

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
        """The step of the radius, to a tenth; [3]_ Algorithm 5.5, but with the last ``lambda`` first.

        Where steps are damped the next one mostly is, too, and there is no need to know how long it
        would be without: that takes two factorisations where ``J`` is singular.
        """
        if damped.value > 0.0:
            p, value = _RadiusSearch(model, scale, damped.radius).run(damped.value)
            if p is not None:
                return p, damped._replace(value=value)
        value, factor = least_damped(model, scale)
        if factor is None:
            return None, damped
        p = factor.solve()
        length = _length(scale, p)
        if length > 1.1 * damped.radius:
            search = _RadiusSearch(model, scale, damped.radius)
            guess = search.above(value, factor, p, length)
            p, value = search.run(min(max(damped.value, guess), search.upper))
        return p, damped if value == damped.value else damped._replace(value=value)

    def learn(self, damped: Damped, outcome: Outcome) -> Damped:
        """[3]_ Algorithm 7.1; after the first step the radius is at most its length."""
        radius = damped.radius
        if damped.growth == math.inf and outcome.length > 0.0:  # nothing was learned before
            radius = min(radius, outcome.length)
        ratio, value = outcome.ratio, damped.value
        if ratio <= 0.25:
            cut = _cut(outcome)
            return Damped(value / cut, 1.0, cut * min(radius, 10.0 * outcome.length))
        if value == 0.0 or ratio >= 0.75:
            return Damped(0.5 * value, 1.0, 2.0 * outcome.length)
        return Damped(value, 1.0, radius)


@dataclass(frozen=True)
class Automatic:
    """`TrustRadius` where a factorisation tells how long a step will be, else `Nielsen`."""

    radius: TrustRadius = TrustRadius()
    factor: Nielsen = Nielsen()

    def begin(self, model: Model, x: HostArray, scale: HostArray) -> Damped:
        """By the kind of the model."""
        rule: Damping = self.factor if isinstance(model, Products) else self.radius
        return rule.begin(model, x, scale)

    def propose(
        self, model: Model, scale: HostArray, damped: Damped
    ) -> tuple[HostArray | None, Damped]:
        """By the rule that began."""
        rule: Damping = self.radius if damped.radius < math.inf else self.factor
        return rule.propose(model, scale, damped)

    def learn(self, damped: Damped, outcome: Outcome) -> Damped:
        """By the rule that began."""
        rule: Damping = self.radius if damped.radius < math.inf else self.factor
        return rule.learn(damped, outcome)


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
        """The root of ``1/radius - 1/|D p|``, linear in ``lambda`` nearly: [3]_ (5.5)."""
        derivative = factor.inverse_norm2(self.scale * self.scale * p / length)
        return (
            value + (length - self.radius) / self.radius / derivative if derivative > 0 else value
        )


def _damped_step(model: Model, scale: HostArray, damped: Damped) -> tuple[HostArray | None, Damped]:
    factor = model.factor(damped.value, scale)
    return (None if factor is None else factor.solve()), damped


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
