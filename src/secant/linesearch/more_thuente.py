"""The search of Moré and Thuente, with the trial sequence of MINPACK-2's ``dcsrch``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from secant import checks
from secant.linesearch.acceptance import strong_wolfe
from secant.linesearch.interpolation import cubic, quadratic, secant
from secant.linesearch.proposals import Proposals, ProposingSearch, inside
from secant.linesearch.ray import Ray, Trial


class End(NamedTuple):
    """A step length with value and slope, of phi or of the auxiliary function psi."""

    alpha: float
    f: float
    slope: float

    def tilted(self, by: float) -> End:
        """The same step length on ``f - by alpha``."""
        return End(self.alpha, self.f - by * self.alpha, self.slope - by)


class Bracket(NamedTuple):
    """The interval of uncertainty: ``x`` is its best end; it holds a minimiser once ``closed``."""

    x: End
    y: End
    closed: bool

    @property
    def width(self) -> float:
        return abs(self.y.alpha - self.x.alpha)

    def tilted(self, by: float) -> Bracket:
        return Bracket(self.x.tilted(by), self.y.tilted(by), self.closed)


@dataclass(frozen=True)
class MoreThuente(ProposingSearch):
    """Safeguarded cubic and quadratic steps that end at a strong Wolfe point in finitely many
    trials.

    A trial is accepted if

        phi(alpha) <= phi(0) + c1 alpha phi'(0)   and   |phi'(alpha)| <= c2 |phi'(0)|

    Until a trial has shown that phi goes below the line of the first test and turns up there, the
    steps are taken on ``psi(alpha) = phi(alpha) - phi(0) - c1 alpha phi'(0)``.

    Parameters
    ----------
    c1, c2 : float, default 1e-3 and 0.9
        Constants mu and eta of the paper.
    xtol : float, default 1e-10
        The search gives up when its interval is this narrow, relative to its upper end.
    alpha_max : float, default 1e20
        Longest step.
    max_trials : int, default 50
        Evaluations of value and slope; the lowest trial is returned when they are used up.

    References
    ----------
    .. [1] J. J. Moré, D. J. Thuente, "Line search algorithms with guaranteed sufficient decrease",
       ACM Trans. Math. Softw. 20 (1994) 286-307.

    Examples
    --------
    One step down (x - 3)^4 from 0, where the first trial is 10:

    >>> import secant
    >>> method = secant.GradientDescent(search=MoreThuente(c2=0.1), first=secant.Length(10.0))
    >>> secant.start(lambda x: (x[0] - 3.0) ** 4, [0.0], method=method).step().x.round(2)
    array([3.18])
    """

    c1: float = 1e-3
    c2: float = 0.9
    xtol: float = 1e-10
    alpha_max: float = 1e20

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.between("c1", self.c1, 0.0, 1.0)
        checks.between("c2", self.c2, 0.0, 1.0)
        checks.non_negative("xtol", self.xtol)
        checks.positive("alpha_max", self.alpha_max)

    def accepts(self, ray: Ray, trial: Trial) -> bool:
        return strong_wolfe(self, ray, trial)

    def proposals(self, ray: Ray, first: Trial) -> Proposals:
        """The search algorithm of section 2, with the modified updating of section 3."""
        start = End(0.0, ray.start.f, ray.start.slope)
        tilt = self.c1 * start.slope
        bracket = Bracket(start, start, closed=False)
        low, high = 0.0, 5.0 * first.alpha
        alpha_max = max(self.alpha_max, first.alpha)
        width, older_width = alpha_max, 2.0 * alpha_max
        wall = math.inf  # the shortest step known to leave the domain
        on_psi = True
        trial = first
        while True:
            while not trial.is_finite:
                wall = trial.alpha
                trial = yield inside(bracket.x.alpha, wall)
            t = End(trial.alpha, trial.f, trial.slope)
            line = start.f + tilt * t.alpha
            if t.alpha >= alpha_max and t.f <= line and t.slope <= tilt:
                return
            on_psi = on_psi and not (t.f <= line and t.slope >= 0.0)
            by = tilt if on_psi and line < t.f <= bracket.x.f else 0.0
            alpha, bracket = _step(bracket.tilted(by), t.tilted(by), low, high)
            bracket = bracket.tilted(-by)
            if bracket.closed:
                if bracket.width >= 0.66 * older_width:
                    alpha = bracket.x.alpha + 0.5 * (bracket.y.alpha - bracket.x.alpha)
                width, older_width = bracket.width, width
                low, high = sorted((bracket.x.alpha, bracket.y.alpha))
                if high - low <= self.xtol * high or not low < alpha < high:
                    return
            else:
                low = alpha + 1.1 * (alpha - bracket.x.alpha)
                high = alpha + 4.0 * (alpha - bracket.x.alpha)
            if alpha >= wall:
                alpha = inside(t.alpha, wall)
            trial = yield min(alpha, alpha_max)


def _step(bracket: Bracket, t: End, low: float, high: float) -> tuple[float, Bracket]:
    """Section 4: the next step length and the next bracket, from a trial ``t``."""
    x, y, closed = bracket
    turned = t.slope * math.copysign(1.0, x.slope) < 0.0
    if t.f > x.f:
        alpha = _case1(x, t)
    elif turned:
        alpha = _case2(x, t)
    elif abs(t.slope) < abs(x.slope):
        alpha = _case3(bracket, t, low, high)
    elif closed:
        alpha = cubic(y, t)
    else:
        alpha = high if t.alpha > x.alpha else low
    if t.f > x.f:
        return alpha, Bracket(x, t, closed=True)
    if turned:
        return alpha, Bracket(t, x, closed=True)
    return alpha, Bracket(t, y, closed)


def _case1(x: End, t: End) -> float:
    """Higher value: the cubic step if nearer to x than the quadratic one, else their mean."""
    by_cubic, by_quadratic = cubic(x, t), quadratic(x, t)
    if abs(by_cubic - x.alpha) < abs(by_quadratic - x.alpha):
        return by_cubic
    return by_cubic + 0.5 * (by_quadratic - by_cubic)


def _case2(x: End, t: End) -> float:
    """Lower value, slope of the other sign: the cubic or the secant step, the farther from t."""
    by_cubic, by_secant = cubic(x, t), secant(x, t)
    return by_cubic if abs(by_cubic - t.alpha) > abs(by_secant - t.alpha) else by_secant


def _case3(bracket: Bracket, t: End, low: float, high: float) -> float:
    """Lower value, slope of the same sign but smaller: extrapolate, with care."""
    x, y, closed = bracket
    by_cubic, by_secant = _cubic_beyond(x, t, low, high), secant(x, t)
    cubic_is_nearer = abs(by_cubic - t.alpha) < abs(by_secant - t.alpha)
    if closed:
        alpha = by_cubic if cubic_is_nearer else by_secant
        limit = t.alpha + 0.66 * (y.alpha - t.alpha)
        return min(alpha, limit) if t.alpha > x.alpha else max(alpha, limit)
    alpha = by_secant if cubic_is_nearer else by_cubic
    return min(max(alpha, low), high)


def _cubic_beyond(x: End, t: End, low: float, high: float) -> float:
    """The cubic step if it goes beyond t, else as far as is allowed."""
    alpha = cubic(x, t)
    if (alpha - t.alpha) * (t.alpha - x.alpha) > 0.0:
        return alpha
    return high if t.alpha > x.alpha else low
