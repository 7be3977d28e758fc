"""A problem that logs every evaluation of a solver, and when the solver had solved it.

Solved at the first evaluation, the lowest so far, where

    |g|_inf <= tol max(1, |g0|_inf)     or     f - f_best <= 1e-8 (f0 - f_best)

with f_best the lowest value that any solver found. It is known only after all have run, so
the whole course is kept.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from time import process_time
from typing import Any

import numpy as np

from benchmarks.recorder import OutOfBudget, Solved
from secant.problems import Objective

BUDGET = 20_000
"""Evaluations that a solver may spend on a problem."""

VALUE = 1e-8
"""The part of the possible decrease that may be missing."""

ENOUGH = 1e-7, 1e-12
"""A solver is stopped where, at the lowest value so far, the gradient has fallen to the first part of
``max(1, |g0|_inf)`` or f to the second part of ``f0 - f*``: a small gradient at a trial far out on a plateau
solves nothing."""

PATIENCE = 500
"""A solver that finds neither a lower value nor a smaller gradient in so many evaluations is stopped."""


class OutOfSeconds(OutOfBudget):
    """The solver has run for longer than it may."""


class Stuck(OutOfBudget):
    """The solver does no longer find anything better."""


@dataclass
class Race:
    """Value and gradient of a problem; each call is one evaluation.

    Attributes
    ----------
    problem : Objective
    budget : int
        Evaluations after which `OutOfBudget` is raised.
    seconds : float
        Time after which `OutOfSeconds` is raised.
    f, gradient, clock : array of float
        Value, largest gradient component and seconds of processor time since the start, for each
        evaluation; what else the machine does is not counted.
    """

    problem: Objective
    budget: int = BUDGET
    seconds: float = math.inf
    f: array[float] = field(default_factory=lambda: array("d"))
    gradient: array[float] = field(default_factory=lambda: array("d"))
    clock: array[float] = field(default_factory=lambda: array("d"))
    _began: float = field(default_factory=process_time)
    _enough: tuple[float, float] = (-math.inf, -math.inf)
    _best: tuple[float, float] = (math.inf, math.inf)
    _improved: int = 0

    def __call__(self, x: Any) -> tuple[float, np.ndarray]:
        self._check_limits()
        with np.errstate(all="ignore"):
            f, g = self.problem.value_and_gradient(np.asarray(x, dtype=float))
            f, size = float(f), float(np.max(np.abs(g)))
        if not self.f:
            self._enough = self._ends(f, size)
        self.f.append(f)
        self.gradient.append(size)
        self.clock.append(process_time() - self._began)
        lowest, smallest = self._best
        if f < lowest or size < smallest:
            self._best = min(f, lowest), min(size, smallest)
            self._improved = len(self.f)
        if f <= lowest and (size <= self._enough[0] or f <= self._enough[1]):
            raise Solved
        return f, g

    def _check_limits(self) -> None:
        if len(self.f) >= self.budget:
            raise OutOfBudget
        if self.clock and self.clock[-1] > self.seconds:
            raise OutOfSeconds
        if len(self.f) > self._improved + PATIENCE:
            raise Stuck

    def _ends(self, f: float, size: float) -> tuple[float, float]:
        """Gradient and value at which nothing more is to be learned."""
        least = self.problem.f_star
        value = -math.inf if least is None else least + ENOUGH[1] * (f - least)
        return ENOUGH[0] * max(1.0, size), value

    def start(self) -> np.ndarray:
        """The problem's start; the clock begins."""
        self._began = process_time()
        return self.problem.start()

    @property
    def lowest(self) -> float:
        """The lowest value found."""
        values = np.frombuffer(self.f)
        return float(values[np.isfinite(values)].min(initial=math.inf))

    def solved_at(self, tol: float, f_best: float) -> int | None:
        """Index of the evaluation at which the criterion first held."""
        f = np.where(np.isnan(self.f), math.inf, self.f)
        lowest = np.minimum.accumulate(f)
        seen = f <= lowest + 1e-12 * np.maximum(np.abs(lowest), 1.0)
        flat = np.asarray(self.gradient) <= tol * max(1.0, self.gradient[0])
        low = f - f_best <= VALUE * (f[0] - f_best)
        held = np.flatnonzero(seen & (flat | low) & np.isfinite(f))
        return int(held[0]) if held.size else None
