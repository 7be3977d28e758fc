"""Fixed steps and step sequences: no search at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from secant import checks
from secant.linesearch.ray import Ray, Trial
from secant.linesearch.search import LineSearch, Memory

Schedule = Callable[[int], float]
"""Step length of iteration ``k = 0, 1, ...``."""


@dataclass(frozen=True)
class Inverse:
    """The schedule ``alpha / (1 + k / delay)``, whose steps sum to infinity and their squares do
    not.

    References
    ----------
    .. [1] H. Robbins, S. Monro, "A stochastic approximation method", Ann. Math. Statist. 22
       (1951).

    Examples
    --------
    >>> [Inverse(1.0)(k) for k in range(4)]
    [1.0, 0.5, 0.333, 0.25]
    """

    alpha: float = 1.0
    delay: float = 1.0

    def __post_init__(self) -> None:
        checks.positive("alpha", self.alpha)
        checks.positive("delay", self.delay)

    def __call__(self, k: int) -> float:
        return self.alpha / (1.0 + k / self.delay)


@dataclass(frozen=True)
class InverseSqrt:
    """The schedule ``alpha / sqrt(1 + k / delay)``, for convex functions and averaged iterates.

    Examples
    --------
    >>> InverseSqrt(1.0)(3)
    0.5
    """

    alpha: float = 1.0
    delay: float = 1.0

    def __post_init__(self) -> None:
        checks.positive("alpha", self.alpha)
        checks.positive("delay", self.delay)

    def __call__(self, k: int) -> float:
        return self.alpha / math.sqrt(1.0 + k / self.delay)


@dataclass(frozen=True)
class FixedStep(LineSearch):
    """The step ``alpha``, or ``alpha_k`` of a sequence, whatever the value there.

    Only a value that is not finite is not taken: the step is then halved. The gradient is not
    evaluated, and the first guess that the search is called with is ignored.

    Parameters
    ----------
    alpha : float, sequence of float, or callable, default 1
        The step length; those of iterations 0, 1, ... (the last one holds for all that follow); or
        a schedule ``k -> alpha``, such as `Inverse`, `InverseSqrt` or any function.
    max_trials : int, default 60
        Evaluations of the value.

    Raises
    ------
    ValueError
        If a step length is not a positive finite number.

    Examples
    --------
    >>> FixedStep([1.0, 0.1]).at(7)
    0.1
    >>> FixedStep(Inverse(2.0)).at(3)
    0.5
    """

    needs_descent: ClassVar[bool] = False

    alpha: float | Sequence[float] | Schedule = 1.0
    max_trials: int = 60

    def __post_init__(self) -> None:
        checks.count("max_trials", self.max_trials)
        if isinstance(self.alpha, Sequence):
            checks.require(
                len(self.alpha) > 0, "alpha", self.alpha, "a sequence of at least one step"
            )
            for step in self.alpha:
                checks.positive("alpha", step)
            object.__setattr__(self, "alpha", tuple(self.alpha))  # stays what it was, and hashable
        elif not callable(self.alpha):
            checks.positive("alpha", self.alpha)

    def begin(self, f: float) -> Memory:
        """The counter k of iterations, zero."""
        return (0.0,)

    def learn(self, memory: Memory, trial: Trial) -> Memory:
        """One more iteration."""
        return (memory[0] + 1.0,) if memory else (1.0,)

    def at(self, k: int) -> float:
        """Step length of iteration ``k``."""
        if isinstance(self.alpha, Sequence):
            return self.alpha[min(k, len(self.alpha) - 1)]
        if callable(self.alpha):
            step = float(self.alpha(k))
            checks.positive(f"alpha({k})", step)
            return step
        return self.alpha

    def __call__(self, ray: Ray, alpha0: float, memory: Memory = ()) -> Trial:
        alpha = self.at(int(memory[0]) if memory else 0)
        for _ in range(self.max_trials):
            trial = ray.value(alpha)
            if trial.is_finite:
                return trial
            alpha *= 0.5
        return ray.start
