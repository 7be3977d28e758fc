"""A rate that grows while f falls and shrinks where f rises: no search, one value an iteration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from secant import checks
from secant.arrays import dot, read
from secant.linesearch.ray import Ray, Trial
from secant.linesearch.search import LineSearch, Memory


@dataclass(frozen=True)
class AdaptiveRate(LineSearch):
    """``x + rate d``, taken unless f rises too much.

        f+ <= f                  the rate is multiplied by ``increase``
        f+ > f + rise |f|        not taken: the rate is multiplied by ``decrease``, and the direction
                                 begins anew along -g

    For directions with momentum (`secant.AdaptiveMomentum`): a later one along -g is taken for one that
    begins anew. MATLAB asks for ``f+ < f``. A rate that has become so small that f stays the same would
    then stay so small.

    Parameters
    ----------
    rate : float, optional
        The first rate; the first guess that the search is called with when left out.
    increase, decrease : float
        Factors of the rate, above and below one.
    rise : float
        The relative rise of f that is still taken. MATLAB's 0.04 lets momentum carry the iterates over a
        hill; it supposes an f that falls to 0, or else they go on oscillating about a minimum.
    max_trials : int
        Values that may be evaluated.

    References
    ----------
    .. [1] T. P. Vogl et al., "Accelerating the convergence of the back-propagation method", Biol. Cybern.
       59 (1988) 257-263; the factors are those of MATLAB's ``traingdx``.

    Examples
    --------
    >>> import secant
    >>> method = secant.AdaptiveMomentum(rate=0.01)
    >>> run = secant.start(lambda x: (x**2).sum(), [1.0, 2.0], method=method)
    >>> [run.step().alpha for _ in range(3)]
    [0.01, 0.0105, 0.011025]
    """

    needs_descent: ClassVar[bool] = False

    rate: float | None = None
    increase: float = 1.05
    decrease: float = 0.7
    rise: float = 0.0
    max_trials: int = 100

    def __post_init__(self) -> None:
        if self.rate is not None:
            checks.positive("rate", self.rate)
        grows = checks.is_number(self.increase) and self.increase >= 1.0
        checks.require(grows, "increase", self.increase, "at least 1")
        checks.between("decrease", self.decrease, 0.0, 1.0)
        checks.non_negative("rise", self.rise)
        checks.count("max_trials", self.max_trials)

    def begin(self, f: float) -> Memory:
        """No rate yet, and the value."""
        return (0.0, f)

    def learn(self, memory: Memory, trial: Trial) -> Memory:
        """The next rate, and the value that the next is compared with."""
        rose = trial.f > memory[1]
        return (trial.alpha if rose else self.increase * trial.alpha, trial.f)

    def __call__(self, ray: Ray, alpha0: float, memory: Memory = ()) -> Trial:
        known = memory[0] if memory else 0.0
        along_gradient = self._is_along_gradient(ray)
        rate = known or self.rate or alpha0
        if known and along_gradient:  # the momentum was dropped after a rise
            rate *= self.decrease
        allowed = ray.start.f + self.rise * abs(ray.start.f) + ray.noise
        for _ in range(self.max_trials):
            trial = ray.value(rate)
            if trial.is_finite and trial.f <= allowed:
                return trial
            if not along_gradient:
                break
            rate *= self.decrease
        return ray.start

    @staticmethod
    def _is_along_gradient(ray: Ray) -> bool:
        """Whether ``d`` is ``-g``, as it is at the start and after a reset."""
        (dd,) = read(dot(ray.d, ray.d))
        return abs(ray.start.slope + dd) <= 1e-6 * dd
