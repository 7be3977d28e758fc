"""Brent's search: parabolic steps, safeguarded by golden section."""

from __future__ import annotations

from dataclasses import dataclass

from secant.linesearch.bracketing import GOLDEN, BracketingSearch, Triple, bracketed, resolved
from secant.linesearch.proposals import Proposals
from secant.linesearch.ray import Ray, Trial


@dataclass(frozen=True)
class Brent(BracketingSearch):
    """Minimise phi by values alone: the vertex of the parabola through the three best trials.

    A parabolic step is taken if it falls inside the bracket and is less than half the step before
    last; otherwise the larger part of the bracket is cut in the golden ratio.

    Parameters
    ----------
    tol : float, default 1e-6
        Accuracy relative to the step length. Values alone cannot resolve a minimum better than
        ``sqrt(eps)`` (1.5e-8 in float64, 3.5e-4 in float32): the search also ends when the values
        in its bracket differ by round-off alone.
    growth : float, default 1.618
        Each expansion of the bracket is that many times the one before.
    max_trials : int, default 60
        Evaluations of the value; the lowest trial is returned when they are used up.

    References
    ----------
    .. [1] R. P. Brent, *Algorithms for Minimization without Derivatives*, Prentice-Hall (1973),
       chapter 5.

    Examples
    --------
    One step down (x - 3)^4 from 0, where the first trial is 10:

    >>> import secant
    >>> method = secant.GradientDescent(search=Brent(), first=secant.Length(10.0))
    >>> secant.start(lambda x: (x[0] - 3.0) ** 4, [0.0], method=method).step().x.round(2)
    array([3.])
    """

    tol: float = 1e-6

    def proposals(self, ray: Ray, first: Trial) -> Proposals:
        triple = yield from bracketed(ray, first, self.growth)
        a, x, b = triple
        # Brent's names: x the best, w the second best, v the previous w
        w, v = (a, b) if a.f <= b.f else (b, a)
        step = older = b.alpha - a.alpha
        while not resolved(ray, Triple(a, x, b), self.tol):
            least = 0.25 * self.tol * x.alpha
            middle = 0.5 * (a.alpha + b.alpha)
            if abs(x.alpha - middle) + 0.5 * (b.alpha - a.alpha) <= 2.0 * least:
                return
            parabolic = _vertex(x, w, v) - x.alpha
            if abs(parabolic) < 0.5 * abs(older) and a.alpha < x.alpha + parabolic < b.alpha:
                older, step = step, parabolic
                u = x.alpha + step
                if min(u - a.alpha, b.alpha - u) < 2.0 * least:
                    step = least if x.alpha < middle else -least
            else:
                older = (a.alpha if x.alpha >= middle else b.alpha) - x.alpha
                step = GOLDEN * older
            if abs(step) < least:
                step = least if step > 0.0 else -least
            t = yield x.alpha + step
            if t.f <= x.f:
                a, b = (a, x) if t.alpha < x.alpha else (x, b)
                x, w, v = t, x, w
            else:
                a, b = (t, b) if t.alpha < x.alpha else (a, t)
                if t.f <= w.f:
                    w, v = t, w
                elif t.f <= v.f:
                    v = t


def _vertex(x: Trial, w: Trial, v: Trial) -> float:
    """Extremum of the parabola through three trials; NaN if there is none."""
    if not (w.is_finite and v.is_finite) or w.alpha == v.alpha:
        return float("nan")
    r = (x.alpha - w.alpha) * (x.f - v.f)
    q = (x.alpha - v.alpha) * (x.f - w.f)
    if q == r:
        return float("nan")
    p = (x.alpha - v.alpha) * q - (x.alpha - w.alpha) * r
    return x.alpha - 0.5 * p / (q - r)
