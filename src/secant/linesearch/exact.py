"""The exact step of a quadratic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from secant import checks
from secant.linesearch.acceptance import ceiling
from secant.linesearch.ray import Ray, Trial
from secant.linesearch.search import LineSearch, Memory


@dataclass(frozen=True)
class ExactQuadratic(LineSearch):
    """The minimiser of the second-order model of phi, by one Hessian-vector product.

        alpha = -g'd / d'Bd

    Where the curvature ``d'Bd`` is not positive the model has no minimiser, and phi falls at least
    as fast as its tangent: the first guess is then doubled for as long as phi decreases. Either
    way, a step to a higher value (the function is no quadratic) or out of the domain is halved.

    Parameters
    ----------
    max_trials : int, default 60
        Evaluations of the value; one on a quadratic.

    References
    ----------
    .. [1] J. Nocedal, S. J. Wright, *Numerical Optimization*, 2nd ed., equation (3.55).

    Examples
    --------
    >>> import secant
    >>> method = secant.GradientDescent(search=ExactQuadratic())
    >>> secant.start(lambda x: 5.0 * x[0] ** 2, [1.0], method=method).step().alpha
    0.1
    """

    uses_hessian: ClassVar[bool] = True

    max_trials: int = 60

    def __post_init__(self) -> None:
        checks.count("max_trials", self.max_trials)

    def __call__(self, ray: Ray, alpha0: float, memory: Memory = ()) -> Trial:
        curvature = ray.curvature()
        alpha = -ray.start.slope / curvature if curvature > 0.0 else math.nan
        if 0.0 < alpha < math.inf:
            return _halved(ray, alpha, self.max_trials)
        if not 0.0 < alpha0 < math.inf:
            alpha0 = 1.0
        trial = _halved(ray, alpha0, self.max_trials)
        if trial.alpha == alpha0:
            return _doubled(ray, trial, self.max_trials - 1)
        return trial


def _halved(ray: Ray, alpha: float, trials: int) -> Trial:
    """The first of ``alpha``, ``alpha / 2``, ... that is not higher than the start."""
    for _ in range(trials):
        trial = ray.value(alpha)
        if trial.f <= ceiling(ray):
            return trial
        alpha *= 0.5
        if not ray.moves(alpha):
            break
    return ray.start


def _doubled(ray: Ray, best: Trial, trials: int) -> Trial:
    """The last of ``2 alpha``, ``4 alpha``, ... before phi rises."""
    for _ in range(trials):
        trial = ray.value(2.0 * best.alpha)
        if not trial.f < best.f:
            break
        best = trial
    return best
