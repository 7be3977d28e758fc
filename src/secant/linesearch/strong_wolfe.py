"""Bracket and zoom with cubic interpolation: the strong Wolfe search of Nocedal and Wright."""

from __future__ import annotations

import math
from dataclasses import dataclass

from secant import checks
from secant.linesearch.acceptance import decreases, distinguishable, rises, strong_wolfe
from secant.linesearch.interpolation import cubic, quadratic, safeguarded, secant
from secant.linesearch.proposals import Proposals, ProposingSearch, inside
from secant.linesearch.ray import Ray, Trial

_MARGIN = 0.03
"""Trials keep this part of the interval away from its ends."""


@dataclass(frozen=True)
class StrongWolfe(ProposingSearch):
    """Expand until a minimum is bracketed, then zoom in by cubic interpolation.

    A trial is accepted if

        phi(alpha) <= phi(0) + c1 alpha phi'(0)   and   |phi'(alpha)| <= c2 |phi'(0)|

    with the allowance for round-off of `secant.linesearch.acceptance`.

    Parameters
    ----------
    c1 : float, default 1e-4
        Sufficient decrease.
    c2 : float, default 0.9
        Curvature, ``c1 <= c2 < 1``: 0.9 for quasi-Newton directions, 0.1 for conjugate gradients.
    growth : float, default 10
        Largest expansion from one trial to the next.
    max_trials : int, default 50
        Evaluations of value and slope; the lowest trial is returned when they are used up.

    References
    ----------
    .. [1] J. Nocedal, S. J. Wright, *Numerical Optimization*, 2nd ed., Algorithms 3.5 and 3.6.

    Examples
    --------
    One step down (x - 3)^4 from 0, where the first trial is 10:

    >>> import secant
    >>> method = secant.GradientDescent(search=StrongWolfe(c2=0.1), first=secant.Length(10.0))
    >>> secant.start(lambda x: (x[0] - 3.0) ** 4, [0.0], method=method).step().x.round(2)
    array([2.52])
    """

    c1: float = 1e-4
    c2: float = 0.9
    growth: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.between("c1", self.c1, 0.0, 1.0)
        in_range = checks.is_number(self.c2) and self.c1 <= self.c2 < 1.0
        checks.require(in_range, "c2", self.c2, f"from c1 = {self.c1} to below 1")
        checks.require(
            checks.is_number(self.growth) and self.growth > 1.0, "growth", self.growth, "above 1"
        )

    def accepts(self, ray: Ray, trial: Trial) -> bool:
        return strong_wolfe(self, ray, trial)

    def proposals(self, ray: Ray, first: Trial) -> Proposals:
        """Algorithm 3.5: bracket."""
        previous, trial = ray.start, first
        while True:
            if not decreases(self, ray, trial) or rises(ray, previous, trial):
                return (yield from self._zoom(ray, previous, trial))
            if trial.slope >= 0.0:
                return (yield from self._zoom(ray, trial, previous))
            alpha = self._expanded(previous, trial)
            previous, trial = trial, (yield alpha)

    def _expanded(self, previous: Trial, trial: Trial) -> float:
        """The minimiser of the cubic, kept beyond ``trial``."""
        least, most = 2.0 * trial.alpha, self.growth * trial.alpha
        alpha = cubic(previous, trial)
        return min(max(alpha, least), most) if alpha > trial.alpha else most

    def _zoom(self, ray: Ray, lo: Trial, hi: Trial) -> Proposals:
        """Algorithm 3.6: ``lo`` is the lowest trial so far, and phi'(lo) (hi - lo) < 0."""
        older_width = width = abs(hi.alpha - lo.alpha)
        while True:
            trial = yield self._between(ray, lo, hi, bisect=width > 0.66 * older_width)
            if not decreases(self, ray, trial) or rises(ray, lo, trial):
                hi = trial
            else:
                if trial.slope * (hi.alpha - lo.alpha) >= 0.0:
                    hi = lo
                lo = trial
            older_width, width = width, abs(hi.alpha - lo.alpha)

    def _between(self, ray: Ray, lo: Trial, hi: Trial, bisect: bool) -> float:
        """The next step length, by the cubic unless something speaks against it."""
        if not hi.is_finite:
            return inside(lo.alpha, hi.alpha)
        if bisect:
            return 0.5 * (lo.alpha + hi.alpha)
        if not distinguishable(ray, lo, hi):
            return safeguarded(secant(lo, hi), lo.alpha, hi.alpha, _MARGIN)
        alpha = cubic(lo, hi)
        if math.isnan(alpha):
            alpha = quadratic(lo, hi)
        return safeguarded(alpha, lo.alpha, hi.alpha, _MARGIN)
