"""The step length of scaled conjugate gradients: no search, a model of the curvature along d instead.

    delta = d'Bd + lambda |d|^2,   alpha = -g'd / delta,
    Delta = (f(x) - f(x + alpha d)) / (alpha |g'd| / 2)

The curvature ``d'Bd`` comes from one more slope, a little way along ``d``. Where it is not positive, or
where the comparison ``Delta`` of what was gained with what the model expected is poor, ``lambda`` grows;
where the model is good, it falls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from secant import checks
from secant.arrays import dot, eps_of, read
from secant.linesearch.acceptance import reduction_ratio
from secant.linesearch.ray import Ray, Trial
from secant.linesearch.search import LineSearch, Memory


class DampedTrial(Trial):
    """A trial and the ``lambda`` to go on with.

    Attributes
    ----------
    damping : float
    """

    __slots__ = ("damping",)

    def __init__(self, trial: Trial, damping: float) -> None:
        super().__init__(trial.alpha, trial.point, trial._d)
        self.f = trial.f
        self.damping = damping


@dataclass(frozen=True)
class ScaledStep(LineSearch):
    """The minimiser of a damped quadratic model along the direction.

    Parameters
    ----------
    sigma : float, default 5e-5
        How far along ``d`` the second slope is taken, relative to ``max(1, |x|)``; at least the square
        root of the precision, below which slopes cannot be told apart (the paper has no such bound).
    damping : float, default 5e-7
        The first ``lambda``.
    max_trials : int, default 50
        Values that may be evaluated.

    References
    ----------
    .. [1] M. F. Moller, "A scaled conjugate gradient algorithm for fast supervised learning", Neural
       Networks 6 (1993) 525-533, steps 2 to 8 of the algorithm.

    Examples
    --------
    >>> import secant
    >>> method = secant.GradientDescent(search=ScaledStep())
    >>> secant.start(lambda x: 5.0 * x[0] ** 2, [1.0], method=method).step().alpha
    0.1000
    """

    sigma: float = 5e-5
    damping: float = 5e-7
    max_trials: int = 50

    def __post_init__(self) -> None:
        checks.between("sigma", self.sigma, 0.0, 1.0)
        checks.positive("damping", self.damping)
        checks.count("max_trials", self.max_trials)

    def begin(self, f: float) -> Memory:
        """The first ``lambda``."""
        return (self.damping,)

    def learn(self, memory: Memory, trial: Trial) -> Memory:
        """The ``lambda`` that the trial ended with."""
        return (trial.damping,) if isinstance(trial, DampedTrial) else memory

    def __call__(self, ray: Ray, alpha0: float, memory: Memory = ()) -> Trial:
        damping = memory[0] if memory else self.damping
        dd, xx = read(dot(ray.d, ray.d), dot(ray.point.x, ray.point.x))
        if not 0.0 < dd < math.inf:
            return ray.start  # no curvature along d can be told
        curvature = self._curvature(ray, math.sqrt(max(1.0, xx) / dd))
        delta = curvature + damping * dd
        if delta <= 0.0:  # step 4: as much damping as makes the model convex
            damping, delta = 2.0 * (damping - delta / dd), damping * dd - delta
        for _ in range(self.max_trials):
            if not 0.0 < delta < math.inf:
                break
            alpha = -ray.start.slope / delta
            trial = ray.value(alpha)
            predicted = -0.5 * alpha * ray.start.slope
            ratio = reduction_ratio(ray.start.f - trial.f, predicted, ray.noise)
            more = damping + delta * (1.0 - ratio) / dd if trial.is_finite else 10.0 * delta / dd
            if ratio >= 0.0:
                if ratio >= 0.75:
                    return DampedTrial(trial, 0.25 * damping)
                return DampedTrial(trial, more if ratio < 0.25 else damping)
            damping, delta = more, delta + (more - damping) * dd
        return ray.start

    def _curvature(self, ray: Ray, unit: float) -> float:
        """``d'Bd`` by a difference of slopes; NaN where nothing near the start is finite."""
        sigma = max(self.sigma, math.sqrt(eps_of(ray.point.x))) * unit
        for _ in range(self.max_trials):
            trial = ray(sigma)
            if trial.is_finite:
                return (trial.slope - ray.start.slope) / sigma
            sigma *= 0.1
        return math.nan
