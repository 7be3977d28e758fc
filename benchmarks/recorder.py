"""An objective that remembers at which evaluation it was first solved."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from secant.problems import Objective

GRADIENT = 1e-6
"""Solved when ``|g|_inf <= GRADIENT * max(1, |g0|_inf)`` at the lowest value so far, or ...

A trial far out on a plateau may have a small gradient at a high value: that solves nothing.
"""

VALUE = 1e-10
"""... when ``f - f* <= VALUE * max(1, |f*|)``, or, likewise at the lowest value so far, when f is as
near to a known local minimum."""


class OutOfBudget(Exception):
    """The solver asked for more evaluations than it may have."""


class Solved(Exception):
    """The criterion holds, and nobody wants to see how the solver goes on."""


@dataclass
class Recorder:
    """Value and gradient of a problem, counted together as one evaluation.

    Attributes
    ----------
    problem : Objective
    budget : int
        Evaluations after which `OutOfBudget` is raised.
    gradient_factor : float
        In the place of `GRADIENT`.
    stop_when_solved : bool
        Raise `Solved` at once instead of letting the solver go on.
    evaluations : int
        Calls so far.
    solved_at : int or None
        The evaluation at which the criterion first held, whether the solver kept that point or not.
    f, gradient : float
        The lowest value seen and the largest gradient component there.
    """

    problem: Objective
    budget: int = 20_000
    gradient_factor: float = GRADIENT
    stop_when_solved: bool = False
    evaluations: int = 0
    solved_at: int | None = None
    f: float = math.inf
    gradient: float = math.nan
    _limit: float = field(default=math.nan, repr=False)

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        if self.evaluations >= self.budget:
            raise OutOfBudget
        self.evaluations += 1
        with np.errstate(all="ignore"):
            f, g = self.problem.value_and_gradient(np.asarray(x, dtype=float))
            f, size = float(f), float(np.max(np.abs(g)))
        if self.evaluations == 1:
            self._limit = self.gradient_factor * max(1.0, size)
        if self.solved_at is None and self._is_solved(f, size):
            self.solved_at = self.evaluations
            if self.stop_when_solved:
                raise Solved
        if f < self.f:
            self.f, self.gradient = f, size
        return f, g

    def _is_solved(self, f: float, size: float) -> bool:
        least = self.problem.f_star
        if least is not None and f - least <= VALUE * max(1.0, abs(least)):
            return True
        if not f <= self.f:
            return False
        local = self.problem.local_minima
        return size <= self._limit or any(abs(f - e) <= VALUE * max(1.0, abs(e)) for e in local)
