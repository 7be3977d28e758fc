"""Orthant-wise quasi-Newton: a smooth function plus absolute values.

    F(x) = f(x) + sum c_i |x_i|

Within one orthant F is smooth. Each iteration picks the orthant that the *pseudo-gradient* v points to
(the element of F's subdifferential closest to zero), takes the L-BFGS direction of the smooth part, and
does not leave the orthant: a variable that would change its sign becomes zero, where it stays for as
long as its slope is less than c_i. So minimisers have zeros, not small numbers.

References
----------
Andrew & Gao, "Scalable training of L1-regularized log-linear models", ICML 2007, Algorithm 1; Byrd, Nocedal
& Schnabel, *Math. Program.* 63, 129 (1994), the curvature.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from secant import checks
from secant.arrays import Array, HostArray, dot, eps_of, is_array, namespace, read
from secant.curvature.limited_memory import LimitedMemory
from secant.linesearch.absolute_values import AbsoluteValues, PenalisedProblem, smooth_gradient
from secant.linesearch.acceptance import ROUND_OFF, reduction_ratio
from secant.pair import CurvatureTest, SecantPair, Skip
from secant.point import Point
from secant.problem import Problem
from secant.status import Status

_FIRST_LENGTH = 0.3
"""Length of the first step, relative to x, as in L-BFGS."""

_FLAT_STEPS = 10
"""So many accepted steps in a row without a visible gain end the run."""


@dataclass(slots=True)
class OrthantState:
    """Everything that the next iteration depends on.

    Attributes
    ----------
    point : Point
        The iterate: x, F and the pseudo-gradient.
    k : int
        Iterations done.
    memory : object
        The curvature's operator.
    smooth_g : array
        Gradient of the smooth part.
    alpha : float
        Length of the last step.
    flat_steps : int
        Accepted steps in a row that lowered neither F nor the optimality visibly.
    smallest : float
        The smallest optimality so far.
    event : str
        What was out of the ordinary in the last iteration.
    status : Status or None
        Set when the method cannot go on.
    """

    point: Point
    k: int
    memory: Any
    smooth_g: Array
    alpha: float = 0.0
    flat_steps: int = 0
    smallest: float = math.inf
    event: str = ""
    status: Status | None = None


@dataclass(frozen=True, eq=False)
class OrthantWise:
    """L-BFGS on a smooth function plus weighted absolute values.

    Parameters
    ----------
    l1 : float or array, shape (n,)
        ``c``, not negative; variables with 0 are free of it.
    curvature : LimitedMemory
    test : Skip or Damp
        Judges each pair.
    c1 : float
        Sufficient decrease.
    max_trials : int
        Evaluations of one iteration.
    name : str
    """

    l1: float | HostArray = 0.0
    curvature: LimitedMemory = field(default_factory=LimitedMemory)
    test: CurvatureTest = Skip()
    c1: float = 1e-4
    max_trials: int = 50
    name: str = "owl-qn"

    def __post_init__(self) -> None:
        if is_array(self.l1):
            smallest, largest = float(self.l1.min()), float(self.l1.max())  # type: ignore[union-attr]
            allowed = "an array of finite numbers >= 0"
            checks.require(smallest >= 0.0 and largest < math.inf, "l1", self.l1, allowed)
        else:
            in_range = checks.is_number(self.l1) and bool(self.l1 < math.inf and self.l1 >= 0.0)
            checks.require(in_range, "l1", self.l1, "a finite number >= 0")
        checks.between("c1", self.c1, 0.0, 1.0)
        checks.count("max_trials", self.max_trials)

    @property
    def uses_hessian(self) -> bool:
        """No second derivatives."""
        return False

    @property
    def _penalty(self) -> AbsoluteValues:
        return AbsoluteValues(self.l1)

    def pose(self, problem: Problem) -> Problem:
        """The problem with the absolute values added."""
        penalty = self._penalty
        return problem if penalty.is_zero else PenalisedProblem(problem, penalty)

    def init(self, problem: Problem, point: Point) -> OrthantState:
        """The state at the start."""
        memory, smallest = self.curvature.init(point), point.optimality
        return OrthantState(point, 0, memory, smooth_gradient(point), smallest=smallest)

    def forget(self, state: OrthantState) -> None:
        """Drop what has been learned of the curvature."""
        state.memory = self.curvature.init(state.point)

    def step(self, problem: Problem, state: OrthantState) -> OrthantState:
        """One iteration; ``state`` stays usable if the user's function raises."""
        found = self._search(problem, state, state.memory)
        event = ""
        if found is None and not state.memory.is_initial:
            event = "search failed, curvature reset"
            state = replace(state, memory=self.curvature.init(state.point))
            found = self._search(problem, state, state.memory)
        if found is None:
            unseen = self._promise(state) <= ROUND_OFF * eps_of(state.point.x) * abs(state.point.f)
            status = Status.ROUNDOFF if unseen else Status.SEARCH_FAILED
            return replace(state, alpha=0.0, status=status, event="search failed")
        return self._accept(problem, state, *found, event)

    # ------------------------------------------------------------------------------- the parts

    def _search(
        self, problem: Problem, state: OrthantState, memory: Any
    ) -> tuple[float, Point, Array, float] | None:
        """Backtracking on the projected ray: step, trial of the smooth part, ``s`` and ``v's``."""
        point = state.point
        x, v, xp = point.x, point.g, namespace(point.x)
        penalty = self._penalty
        d = penalty.descending(memory.solve(v, scale=-1.0), v)
        alpha = self._first_step(point, d) if memory.is_initial else 1.0
        noise = eps_of(x) * abs(point.f)
        for _ in range(self.max_trials):
            moved = penalty.within_orthant(x + alpha * d, x, v)
            s = moved - x
            if not bool(xp.any(s != 0.0)):
                return None
            trial = problem.at(moved)
            (slope,) = read(dot(v, s))
            reduction = point.f - trial.f
            if reduction_ratio(reduction, -slope, noise) >= self.c1 and trial.is_finite:
                return alpha, trial, s, slope
            alpha *= 0.5 if math.isfinite(reduction) else 0.1
        return None

    def _accept(
        self,
        problem: Problem,
        state: OrthantState,
        alpha: float,
        trial: Point,
        s: Array,
        slope: float,
        event: str,
    ) -> OrthantState:
        before = problem.known(state.point.x, state.point.f, state.smooth_g)
        after = problem.known(trial.x, trial.f, smooth_gradient(trial))
        # s = alpha d nearly, so that s'Bs is alpha |v's| where nothing was cut off
        usable = self.test(SecantPair(1.0, s, before, after, alpha * slope))
        memory = state.memory
        if usable is None:
            event = event or "pair skipped"
        else:
            memory = self.curvature.update(memory, usable, after)
        gained = state.point.f - trial.f
        flat = gained <= ROUND_OFF * eps_of(s) * abs(trial.f)
        flat = flat and trial.optimality > 0.9 * state.smallest
        flat_steps = state.flat_steps + 1 if flat else 0
        return OrthantState(
            trial,
            state.k + 1,
            memory,
            after.g,
            alpha,
            flat_steps,
            min(state.smallest, trial.optimality),
            event,
            Status.ROUNDOFF if flat_steps >= _FLAT_STEPS else None,
        )

    def _promise(self, state: OrthantState) -> float:
        """The decrease that the model expects of the full step."""
        v = state.point.g
        d = self._penalty.descending(state.memory.solve(v, scale=-1.0), v)
        (slope,) = read(dot(v, d))
        return -0.5 * slope

    @staticmethod
    def _first_step(point: Point, d: Array) -> float:
        xx, dd = read(dot(point.x, point.x), dot(d, d))
        return min(1.0, _FIRST_LENGTH * math.sqrt(max(1.0, xx) / dd)) if dd > 0.0 else 1.0
