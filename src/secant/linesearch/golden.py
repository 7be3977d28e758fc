"""Golden section search."""

from __future__ import annotations

from dataclasses import dataclass

from secant.linesearch.bracketing import GOLDEN, BracketingSearch, bracketed, resolved
from secant.linesearch.proposals import Proposals
from secant.linesearch.ray import Ray, Trial


@dataclass(frozen=True)
class GoldenSection(BracketingSearch):
    """Minimise phi by values alone: bracket, then cut the larger part in the golden ratio.

    Each trial shortens the bracket by the factor 0.618, whatever phi looks like.

    Parameters
    ----------
    tol : float, default 1e-5
        Width of the final bracket, relative to the step length. Values alone cannot resolve a
        minimum better than ``sqrt(eps)`` (1.5e-8 in float64, 3.5e-4 in float32): the search also
        ends when the values in its bracket differ by round-off alone.
    growth : float, default 1.618
        Each expansion of the bracket is that many times the one before.
    max_trials : int, default 60
        Evaluations of the value; the lowest trial is returned when they are used up.

    References
    ----------
    .. [1] J. Kiefer, "Sequential minimax search for a maximum", Proc. AMS 4 (1953) 502-506.

    Examples
    --------
    One step down (x - 3)^4 from 0, where the first trial is 10:

    >>> import secant
    >>> method = secant.GradientDescent(search=GoldenSection(), first=secant.Length(10.0))
    >>> secant.start(lambda x: (x[0] - 3.0) ** 4, [0.0], method=method).step().x.round(2)
    array([3.])
    """

    def proposals(self, ray: Ray, first: Trial) -> Proposals:
        triple = yield from bracketed(ray, first, self.growth)
        while not resolved(ray, triple, self.tol):
            a, b, c = triple
            if b.alpha - a.alpha > c.alpha - b.alpha:
                t = yield b.alpha - GOLDEN * (b.alpha - a.alpha)
                triple = triple._replace(c=b, b=t) if t.f < b.f else triple._replace(a=t)
            else:
                t = yield b.alpha + GOLDEN * (c.alpha - b.alpha)
                triple = triple._replace(a=b, b=t) if t.f < b.f else triple._replace(c=t)
