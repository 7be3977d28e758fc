"""The loop that every search shares: evaluate what is proposed, end when it is accepted.

A search is written as a generator that yields step lengths and receives trials,

    trial = yield alpha

so that an algorithm of several nested routines reads as its paper prints it, while the sentence
that all papers share ("the search ends as soon as a trial is accepted"), the budget, the best
trial so far and the promise never to evaluate the same step length twice stand here alone.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from secant import checks
from secant.linesearch.ray import Ray, Trial
from secant.linesearch.search import LineSearch, Memory

R = TypeVar("R")

Routine = Generator[float, Trial, R]
"""A part of a search: yields step lengths, receives their trials, returns ``R``."""

Proposals = Routine[None]
"""A whole search; returning means that it has nothing more to propose."""

SHRINK = 0.1
"""Factor on a step that left the domain, as long as no shorter trial was inside it."""


@dataclass(frozen=True)
class ProposingSearch(LineSearch):
    """A search given by what it accepts and what it proposes after a rejected first trial."""

    values_only: ClassVar[bool] = False
    """Whether rejected trials are evaluated without their slopes."""

    max_trials: int = field(default=50, kw_only=True)

    def __post_init__(self) -> None:
        checks.count("max_trials", self.max_trials)

    def accepts(self, ray: Ray, trial: Trial) -> bool:
        """Whether the search ends with this trial."""
        raise NotImplementedError

    def proposals(self, ray: Ray, first: Trial) -> Proposals:
        """Step lengths after the rejected ``first`` trial."""
        raise NotImplementedError

    def __call__(self, ray: Ray, alpha0: float, memory: Memory = ()) -> Trial:
        if not 0.0 < alpha0 < math.inf:
            alpha0 = 1.0
        evaluate = ray.value if self.values_only else ray
        trial = evaluate(alpha0)
        if self.accepts(ray, trial):
            return trial
        best = self._better(ray, ray.start, trial)
        seen = {0.0, alpha0}
        steps = self.proposals(ray, trial)
        try:
            alpha = next(steps)
            while len(seen) <= self.max_trials and _is_new(alpha, seen, ray, alpha0):
                seen.add(alpha)
                trial = evaluate(alpha)
                if self.accepts(ray, trial):
                    return trial
                best = self._better(ray, best, trial)
                alpha = steps.send(trial)
        except StopIteration:
            pass
        return best

    def _better(self, ray: Ray, best: Trial, trial: Trial) -> Trial:
        """The lower trial; what is not below the reference is not better than the start."""
        lowest = ray.reference if best is ray.start else best.f
        lower, other = (trial, best) if trial.f < lowest else (best, trial)
        if other is not ray.start and not self.values_only:
            other.release()  # two vectors that nobody comes back to
        return lower


def _is_new(alpha: float, seen: set[float], ray: Ray, alpha0: float) -> bool:
    """Whether ``alpha`` was not tried yet; if it was, the search is at its resolution."""
    if alpha in seen or not 0.0 < alpha < math.inf:
        return False
    # A step this much shorter may leave x as it is; longer ones are not worth the look.
    return alpha > 1e-6 * alpha0 or ray.moves(alpha)


def inside(a: float, outside: float) -> float:
    """A step length between ``a``, where phi is finite, and ``outside``, where it is not."""
    return SHRINK * outside if a == 0.0 else a + 0.5 * (outside - a)
