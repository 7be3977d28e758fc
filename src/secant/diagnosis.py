"""Why a search found no lower value: the gradient, noise, chance, a kink or round-off.

A descent direction along which no step lowers f is a contradiction, and something that the method was
told is not so. Some twenty further values of f at the iterate tell which:

- f again at the same x: another value means that f depends on more than x;
- seven values on a short line along -g: their difference table shows noise, their slopes the
  derivative and kinks, their curvature the decrease that a step could have brought;
- the derivative along a second, random direction; where one of the two is not ``g'v``, the set of
  coordinates is halved until the wrong component is found.

References
----------
.. [1] J. J. Moré, S. M. Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33 (2011).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from secant.arrays import HostArray, eps_of, like, step_along, to_numpy
from secant.derivatives.line import (
    Along,
    Line,
    Precision,
    Slope,
    centred_curvature,
    centred_slope,
    fitted_slope,
    sample,
)
from secant.derivatives.locate import Suspect, worst_component
from secant.derivatives.noise import noise_level
from secant.problem import Exhausted, Point, Problem
from secant.status import Status
from secant.trace import Trace

_CERTAIN = 5.0
"""A slope is wrong when it is so many times its error away from differences of f, and by more than"""

_DIGITS = 1e-4
"""this fraction of itself."""

_CONFIRMED = 10.0
"""It must still be so many times the error of a fit to more values away."""

_FARTHER = 30.0
"""A slope that is wrong must be found again over a step so many times longer."""

_FRACTIONS = (1e-3, 1e-2, 0.1, 0.5)
"""Parts of themselves that variables are changed by to see whether f falls."""

_PATIENCE = 32
"""A run that is so many iterations long, or two, four ... times as many, may be asked why it is slow,"""

_PROGRESS = 1e-2
"""if it has lowered f by no more than this fraction in the second half of them."""

_WIDE = 0.1
"""Differences of a very noisy f take steps up to this fraction of x."""


class Cause(Enum):
    """What a `Diagnosis` found; the value is a short name for it."""

    WRONG_GRADIENT = "the gradient is not that of f"
    COARSE_DIFFERENCES = "the gradient by differences is too coarse"
    NOISY = "f is noisy"
    NON_DETERMINISTIC = "f is not deterministic"
    KINK = "f has a kink"
    ROUND_OFF = "f can fall no further in this precision"
    UNKNOWN = "no cause was found"


@dataclass(frozen=True)
class Diagnosis:
    """Why a search failed.

    Attributes
    ----------
    kind : Cause
    message : str
        One sentence with the numbers behind it.
    noise : float
        How much values of f at neighbouring points differ by chance (0 where none showed).
    promise : float
        The decrease that slope and curvature promise along -g (also with every variable in units of
        itself); infinite without curvature, NaN where nothing was computed.
    component : int or None
        The component of the flattened gradient that is wrong, if one is.

    Examples
    --------
    >>> import secant
    >>> result = secant.minimize(lambda x: float(x @ x), [3.0, 4.0], jac=lambda x: x * [2.0, -2.0])
    >>> result.status.name, result.diagnosis.kind.name, result.diagnosis.component
    ('WRONG_GRADIENT', 'WRONG_GRADIENT', 1)
    """

    kind: Cause
    message: str
    noise: float = 0.0
    promise: float = math.nan
    component: int | None = None

    @property
    def status(self) -> Status:
        """That of a run which ends with this diagnosis; where no cause was found it was not round-off."""
        return _STATUS.get(self.kind, Status.SEARCH_FAILED)


_STATUS = {
    Cause.WRONG_GRADIENT: Status.WRONG_GRADIENT,
    Cause.NOISY: Status.NOISY,
    Cause.NON_DETERMINISTIC: Status.NON_DETERMINISTIC,
    Cause.ROUND_OFF: Status.ROUNDOFF,
}


def diagnose(
    problem: Problem, point: Point, status: Status | None, trace: Trace
) -> Diagnosis | None:
    """The cause of a failed search, or of a convergence that is hard to believe.

    Parameters
    ----------
    problem : Problem
    point : Point
        Where the run ended.
    status : Status or None
        How it ended: only `SEARCH_FAILED`, and `ROUNDOFF` at a gradient that has hardly fallen, are
        looked into.
    trace : Trace
        Of the run up to there: how large f and its gradient have been.

    Returns
    -------
    Diagnosis or None
        None also where the budget is used up that a failed search would be looked into with.

    Raises
    ------
    Exhausted
        If the budget is used up before a doubtful convergence could be looked into.
    """
    if status is Status.ROUNDOFF:
        if not _is_doubtful(point, max(row.optimality for row in trace)):
            return None
    elif status is not Status.SEARCH_FAILED or point.optimality == 0.0:
        return None  # a gradient of zeros, at which a fit may fail, points nowhere
    try:
        return _Examination(problem, point, max(abs(row.f) for row in trace)).verdict()
    except Exhausted:
        if status is Status.ROUNDOFF:
            raise
        return None


def _is_doubtful(point: Point, largest: float) -> bool:
    """Whether the gradient is larger than round-off explains: beside those before, or beside f and x.

    With ``f = f* + (x - x*)^2 / 2`` known to eps, x is known to ``sqrt(eps)``, and so is ``g``.
    """
    root = math.sqrt(eps_of(point.x))
    x, g = (to_numpy(a).astype(np.float64) for a in (point.x, point.g))
    return point.optimality > root * largest or float(np.abs(g) @ np.abs(x)) > root * abs(point.f)


def why_stalled(problem: Problem, point: Point, trace: Trace) -> Diagnosis | None:
    """The noise that a run without progress is walking about in, if that is what holds it up.

    A search along a direction made of noise need not fail: of many values one is the lowest by chance.
    After 32, 64, 128 ... iterations whose second half has lowered f by less than a hundredth of itself f is
    examined, and noise is the reason if it is larger than what that half has gained.
    """
    k = len(trace) - 1
    if k < _PATIENCE or k & (k - 1):
        return None
    f = trace.f
    lowest = f.min()
    gain = f[: k // 2 + 1].min() - lowest
    if not gain <= _PROGRESS * abs(lowest):
        return None
    found = _Examination(problem, point, float(np.abs(f).max())).verdict()
    if found.kind in (Cause.NOISY, Cause.NON_DETERMINISTIC) and found.noise >= gain:
        return found
    return None


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
        return gap > _CERTAIN * self.slope.error and gap > _DIGITS * size


class _Examination:
    """The point in question, how precisely f can be known there, and directions through it."""

    def __init__(self, problem: Problem, point: Point, highest: float) -> None:
        self.problem, self.point, self.highest = problem, point, highest
        self.x, self.g = (to_numpy(a).astype(np.float64) for a in (point.x, point.g))
        self.eps = eps_of(point.x)
        self.magnitude = abs(point.f) + float(np.abs(self.g) @ np.abs(self.x))
        self.round_off = self.eps * self.magnitude
        self.scale = float(np.maximum(1.0, np.abs(self.x)).max())

    def verdict(self) -> Diagnosis:
        again = [self.problem.at(self.point.x).f for _ in range(2)]
        spread = max(abs(f - self.point.f) for f in again)
        if not spread <= 10.0 * self.eps * abs(self.point.f):
            return _not_deterministic(self.point.f, again)
        line = self._downhill()
        if not line.is_finite:
            return Diagnosis(
                Cause.UNKNOWN,
                f"f is not finite at a distance of {line.h:.1g} from the last iterate",
            )
        if line.kink is not None:
            return _kink(line.kink)
        return self._of_smooth(line)

    def _of_smooth(self, line: Line) -> Diagnosis:
        # A small difference of terms as large as f was at the start is noisy by rounding alone.
        by_rounding = max(self.eps**0.75 * self.magnitude, 10.0 * self.eps * self.highest)
        is_noisy = line.noise > by_rounding
        by_differences = self.problem.gradient_error > 4.0 * self.eps
        suspicion = None if is_noisy and by_differences else self._suspicion(line, is_noisy)
        if suspicion is not None:
            roughness = self._roughness(suspicion, line)
            if roughness > 0.0:
                is_noisy, line = True, replace(line, noise=max(line.noise, roughness))
            elif by_differences:
                return _coarse(suspicion)
            else:
                return self._after_trial(suspicion, line)
        return self._by_promise(line, is_noisy)

    def _after_trial(self, found: Suspicion, line: Line) -> Diagnosis:
        """The gradient is accused only by differences that more values, and other gradients, confirm."""
        slope, noise = fitted_slope(self._along(found.v), self.point.f, found.h)
        gap = abs(slope.value - found.given)
        if not _CONFIRMED * slope.error <= gap:
            noise = noise if noise < math.inf else 0.0
            return self._by_promise(replace(line, noise=max(line.noise, noise)), False)
        if not _CERTAIN * self._bend(found) <= gap:
            return Diagnosis(
                Cause.UNKNOWN,
                f"f and its gradient change too fast to be compared {found.h:.1g} away",
            )
        return self._accuse(found)

    def _by_promise(self, line: Line, is_noisy: bool) -> Diagnosis:
        """What is left to say of a right gradient."""
        if is_noisy:
            line = replace(line, noise=max(line.noise, self._noise_farther(line)))
        promise = max(self._promise(line), self._promise_in_units(line.error))
        # the values farther off may be so much larger that their rounding says nothing of f here
        round_off = self.round_off if is_noisy else max(self.round_off, line.noise)
        if promise <= 10.0 * round_off:
            return _round_off(promise, round_off)
        return _noisy(line, self.point.f, promise) if is_noisy else _unknown(promise, line)

    def _promise(self, line: Line) -> float:
        """``(g'p)^2 / 2 phi''``: the decrease to the parabola's bottom; infinite if it has none."""
        p = self._steepest()
        curvature = line.curvature
        if curvature.value <= 2.0 * curvature.error:
            h = self._step(line.error, 0.25) * self.scale
            curvature = centred_curvature(self._along(p), self.point.f, h, line.error)
        if not curvature.value > 2.0 * curvature.error:
            return math.inf
        far = centred_curvature(self._along(p), self.point.f, _FARTHER * line.h, line.error)
        if 2.0 * far.error < far.value < curvature.value:  # a wave that looks smooth from close by
            curvature = far
        slope = float(p @ self.g)
        return slope * (slope / (2.0 * curvature.value))  # the power of a float may raise

    def _promise_in_units(self, error: float) -> float:
        """The same along -g with each variable in units of itself, or what a few values there are lower.

        Where variables differ by many orders of magnitude, f cannot be lowered along -g itself.
        """
        parts = self.g * self.x
        largest = float(np.abs(parts).max())
        if not 0.0 < largest < math.inf:
            return 0.0
        p = -parts / largest * self.x
        phi = self._along(p)
        seen = self.point.f - min(phi(t) for t in _FRACTIONS)  # lower values need no model
        curvature = centred_curvature(phi, self.point.f, self._step(error, 0.25), error)
        if not curvature.value > 2.0 * curvature.error:
            return max(0.0, seen)
        slope = float(p @ self.g)
        return max(seen, slope * (slope / (2.0 * curvature.value)))

    # ------------------------------------------------------------------------------ directions

    def _along(self, v: HostArray) -> Along:
        direction = like(v, self.point.x)

        def phi(t: float) -> float:
            return self.problem.at(step_along(self.point.x, t, direction)).f

        return phi

    def _downhill(self) -> Line:
        """Seven values along ``-g / |g|``."""
        h = self.eps**0.4 * self.scale
        return sample(self._along(self._steepest()), self.point.f, h, self._precision(self.scale))

    def _steepest(self) -> HostArray:
        unit = self.g / np.abs(self.g).max()  # squares of tiny components would underflow
        steepest: HostArray = -unit / math.sqrt(unit @ unit)
        return steepest

    def _random(self) -> HostArray:
        """Every coordinate up or down by its own size: an error in any component shows."""
        signs = np.random.default_rng(0).choice([-1.0, 1.0], self.x.size)
        random: HostArray = signs * np.maximum(1.0, np.abs(self.x))
        return random

    # --------------------------------------------------------------------------- the gradient

    def _suspicion(self, line: Line, is_noisy: bool) -> Suspicion | None:
        """A direction along which f's slope is not the gradient's, -g first, then any other."""
        h, p, v = self._step(line.error), self._steepest(), self._random()
        along_p = Suspicion(p, float(p @ self.g), line.h, line.slope, self.scale)
        if is_noisy:  # the step that shows noise best is too short for a slope
            along_p = self._slope(p, h * self.scale, line.error, self.scale)
        if along_p.is_certain:
            return along_p
        along_v = self._slope(v, h, line.error, 1.0)
        return along_v if along_v.is_certain else None

    def _step(self, error: float, power: float = 1.0 / 3.0) -> float:
        """The best step of differences of values with this error, as a fraction of x."""
        relative = max(self.eps, error / self.magnitude) if self.magnitude else self.eps
        return float(min(_WIDE, relative**power))

    def _slope(self, v: HostArray, h: float, error: float, size: float) -> Suspicion:
        """The slope along ``v``, with a much shorter step too if f bends within the first."""
        phi, precision = self._along(v), self._precision(size)
        slope = centred_slope(phi, self.point.f, h, error, precision)
        if slope.error > max(0.01 * abs(slope.value), 4.0 * error / h):
            closer = centred_slope(phi, self.point.f, 0.01 * h, error, precision)
            if closer.error < slope.error:
                h, slope = 0.01 * h, closer
        return Suspicion(v, float(v @ self.g), h, slope, size)

    def _roughness(self, found: Suspicion, line: Line) -> float:
        """The noise that would explain a slope which is another one over a longer step; 0 if none.

        A wave of high frequency, seen at equal distances, may look smooth; not at two distances.
        """
        phi, precision = self._along(found.v), self._precision(found.size)
        slope = centred_slope(phi, self.point.f, _FARTHER * found.h, line.error, precision)
        gap = abs(slope.value - found.slope.value)
        same = not gap > slope.error + found.slope.error
        return 0.0 if same or slope.error > gap else 0.5 * gap * found.h

    def _bend(self, found: Suspicion) -> float:
        """How far the gradient itself is from linear within the step of the differences.

        Next to a pole, or where f waves faster than its arguments are spaced, differences and a right
        gradient disagree, but the gradients on both sides of x then disagree as much.
        """
        direction = like(found.v, self.point.x)

        def slope(t: float) -> float:
            g = self.problem.at(step_along(self.point.x, t, direction)).g
            return float(to_numpy(g).astype(np.float64) @ found.v)

        return abs(slope(found.h) - 2.0 * found.given + slope(-found.h))

    def _noise_farther(self, line: Line) -> float:
        """The noise at another distance: that of a wave depends on where it is met."""
        phi = self._along(self._steepest())
        values = np.array([phi(math.pi * k * line.h) for k in range(-3, 4)])
        return noise_level(values).level if np.isfinite(values).all() else 0.0

    def _precision(self, size: float) -> Precision:
        return Precision(self.eps, self.round_off, size)

    def _accuse(self, found: Suspicion) -> Diagnosis:
        h = found.h

        def differences(part: HostArray) -> float:
            phi = self._along(part)
            return (phi(h) - phi(-h)) / (2.0 * h)

        gap = found.slope.value - found.given
        return _wrong_gradient(worst_component(differences, self.g, found.v, gap), self.g.size)


# -------------------------------------------------------------------------------------- sentences


def _not_deterministic(f: float, again: list[float]) -> Diagnosis:
    values = ", ".join(f"{value:.8g}" for value in (f, *again))
    return Diagnosis(
        Cause.NON_DETERMINISTIC,
        f"three evaluations at one x gave {values}; fix the random numbers, the batch or the dropout",
        float(np.std([f, *again])),
    )


def _kink(slopes: tuple[float, float]) -> Diagnosis:
    left, right = slopes
    return Diagnosis(
        Cause.KINK,
        f"f has a kink at the last iterate: along -g its slope jumps from {left:.3g} to {right:.3g}",
    )


def _wrong_gradient(suspect: Suspect, n: int) -> Diagnosis:
    others = "" if suspect.is_alone else "; it is not the only one"
    return Diagnosis(
        Cause.WRONG_GRADIENT,
        f"component {suspect.index} of {n} is {suspect.given:.6g}, "
        f"differences of f give {suspect.expected:.6g}{others}",
        component=suspect.index,
    )


def _coarse(found: Suspicion) -> Diagnosis:
    return Diagnosis(
        Cause.COARSE_DIFFERENCES,
        f"along one line f's slope is {found.slope.value:.3g} and the gradient by differences makes "
        f"it {found.given:.3g}; "
        "give jac, or jac='3-point', or a larger gtol",
    )


def _noisy(line: Line, f: float, promise: float) -> Diagnosis:
    level = line.noise
    relative = level / abs(f) if f else math.inf
    single = " (so are values computed in single precision)" if 1e-8 < relative < 1e-6 else ""
    promised = f"; the decrease left along -g is {promise:.2g}" if promise < math.inf else ""
    return Diagnosis(
        Cause.NOISY,
        f"values {line.h:.1g} apart vary by {level:.2g} at random, {relative:.1g} of f{single}"
        f"{promised}",
        level,
        promise,
    )


def _round_off(promise: float, error: float) -> Diagnosis:
    return Diagnosis(
        Cause.ROUND_OFF,
        f"the decrease left along -g, {promise:.2g}, drowns in the round-off of f, {error:.2g}",
        promise=promise,
    )


def _unknown(promise: float, line: Line) -> Diagnosis:
    certain = line.slope.error <= 0.01 * abs(line.slope.value)
    agrees = "differences of f confirm the gradient" if certain else "differences of f tell nothing"
    return Diagnosis(
        Cause.UNKNOWN,
        f"{agrees}, and values {line.h:.1g} apart show no noise above {line.error:.1g}",
        line.noise,
        promise if certain and 1e3 * line.error < promise < math.inf else math.nan,
    )
