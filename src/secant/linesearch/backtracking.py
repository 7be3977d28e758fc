"""Armijo backtracking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from secant import checks
from secant.linesearch.acceptance import decreases_by_value
from secant.linesearch.interpolation import cubic_from_values, quadratic
from secant.linesearch.proposals import Proposals, ProposingSearch, inside
from secant.linesearch.ray import Ray, Trial


@dataclass(frozen=True)
class Backtracking(ProposingSearch):
    """Shorten the step until phi has decreased enough.

    A trial is accepted if

        phi(alpha) <= phi(0) + c1 alpha phi'(0)

    with round-off added to both reductions (`secant.linesearch.acceptance`). Rejected trials cost
    no gradient.

    Parameters
    ----------
    c1 : float, default 1e-4
        Sufficient decrease.
    rho : float, default 0.5
        Factor on the step after a rejected trial.
    interpolation : {"none", "quadratic", "cubic"}, default "none"
        Shorten to the minimiser of what is known of phi instead: the parabola through phi(0),
        phi'(0) and the last value, or the cubic through the last two; kept between 0.1 and 0.5 of
        the last step.
    max_trials : int, default 50
        Evaluations of the value; the lowest trial is returned when they are used up.

    References
    ----------
    .. [1] J. Nocedal, S. J. Wright, *Numerical Optimization*, 2nd ed., Algorithm 3.1 and section
       3.5.

    Examples
    --------
    One step down (x - 3)^4 from 0, where the first trial is 10:

    >>> import secant
    >>> method = secant.GradientDescent(search=Backtracking(), first=secant.Length(10.0))
    >>> secant.start(lambda x: (x[0] - 3.0) ** 4, [0.0], method=method).step().x.round(2)
    array([5.])
    """

    values_only: ClassVar[bool] = True

    c1: float = 1e-4
    rho: float = 0.5
    interpolation: Literal["none", "quadratic", "cubic"] = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.between("c1", self.c1, 0.0, 1.0)
        checks.between("rho", self.rho, 0.0, 1.0)
        checks.one_of("interpolation", self.interpolation, ("none", "quadratic", "cubic"))

    def accepts(self, ray: Ray, trial: Trial) -> bool:
        return decreases_by_value(self, ray, trial)

    def proposals(self, ray: Ray, first: Trial) -> Proposals:
        longer, trial = first, first
        while True:
            alpha = self._shorter(ray, longer, trial)
            longer, trial = trial, (yield alpha)

    def _shorter(self, ray: Ray, longer: Trial, trial: Trial) -> float:
        """Step length after the rejected ``trial``; ``longer`` was rejected before it."""
        if not trial.is_finite:
            return inside(0.0, trial.alpha)
        if self.interpolation == "none":
            return self.rho * trial.alpha
        alpha = float("nan")
        if self.interpolation == "cubic" and longer is not trial:
            alpha = cubic_from_values(ray.start, trial, longer)
        if alpha != alpha:
            alpha = quadratic(ray.start, trial)
        if alpha != alpha:
            return self.rho * trial.alpha
        return min(max(alpha, 0.1 * trial.alpha), 0.5 * trial.alpha)
