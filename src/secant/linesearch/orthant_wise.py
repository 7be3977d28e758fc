"""Orthant-wise quasi-Newton: a smooth function plus absolute values.

    F(x) = f(x) + sum c_i |x_i|

Within one orthant F is smooth. Each iteration picks the orthant that the *pseudo-gradient* v points to
(the element of F's subdifferential closest to zero), takes the L-BFGS direction of the smooth part, and
does not leave the orthant: a variable that would change its sign becomes zero, where it stays for as
long as its slope is less than c_i. So minimisers have zeros, not small numbers.

What the run sees as f, g and the optimality is F, v and max |v_i|, which is 0 at a minimum and nowhere else
where f is convex.

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
from secant.arrays import Array, HostArray, dot, eps_of, is_array, like, namespace, read
from secant.curvature.limited_memory import LimitedMemory
from secant.linesearch.acceptance import ROUND_OFF, reduction_ratio
from secant.pair import CurvatureTest, SecantPair, Skip
from secant.problem import Point, Problem
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
            checks.require(bool(0.0 <= self.l1 < math.inf), "l1", self.l1, "a finite number >= 0")
        checks.between("c1", self.c1, 0.0, 1.0)
        checks.count("max_trials", self.max_trials)

    @property
    def uses_hessian(self) -> bool:
        """No second derivatives."""
        return False

    def pose(self, problem: Problem) -> Problem:
        """The problem with the absolute values added."""
        return problem if self._is_smooth else WithAbsoluteValues(problem, self)

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
        d = self._within(memory.solve(v, scale=-1.0), v)
        alpha = self._first_step(point, d) if memory.is_initial else 1.0
        noise = eps_of(x) * abs(point.f)
        for _ in range(self.max_trials):
            moved = self._project(x + alpha * d, x, v)
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
        (slope,) = read(dot(v, self._within(state.memory.solve(v, scale=-1.0), v)))
        return -0.5 * slope

    @staticmethod
    def _first_step(point: Point, d: Array) -> float:
        xx, dd = read(dot(point.x, point.x), dot(d, d))
        return min(1.0, _FIRST_LENGTH * math.sqrt(max(1.0, xx) / dd)) if dd > 0.0 else 1.0

    # ------------------------------------------------------------------------ the absolute values

    @property
    def _is_smooth(self) -> bool:
        return not is_array(self.l1) and self.l1 == 0.0

    def _factors(self, x: Array) -> Array:
        if is_array(self.l1):
            if tuple(self.l1.shape) != tuple(x.shape):  # type: ignore[union-attr]
                raise ValueError(
                    f"l1 must be a number or an array of {x.shape[0]} numbers, one for each "
                    f"variable, got shape {tuple(self.l1.shape)}"  # type: ignore[union-attr]
                )
            return like(self.l1, x)
        return self.l1 * namespace(x).ones_like(x)

    def absolute_values(self, x: Array) -> float:
        """``sum c_i |x_i|``."""
        return float(read(dot(self._factors(x), namespace(x).abs(x)))[0])

    def pseudo_gradient(self, x: Array, g: Array) -> Array:
        """(4) of the paper, from the gradient of the smooth part."""
        c, xp = self._factors(x), namespace(x)
        zero = xp.zeros_like(x)
        right, left = g + c, g - c
        at_zero = xp.where(right < 0.0, right, xp.where(left > 0.0, left, zero))
        return xp.where(x > 0.0, right, xp.where(x < 0.0, left, at_zero))

    def _within(self, d: Array, v: Array) -> Array:
        """The direction without what it would move uphill, (6) of the paper.

        Penalised variables alone, as long as the rest still descends; the paper takes all.
        """
        if self._is_smooth:
            return d
        xp = namespace(d)
        zero, uphill = xp.zeros_like(d), d * v >= 0.0
        penalised = xp.logical_and(uphill, self._factors(d) > 0.0)
        aligned = xp.where(penalised, zero, d)
        (slope,) = read(dot(aligned, v))
        return aligned if slope < 0.0 else xp.where(uphill, zero, d)

    def _project(self, moved: Array, x: Array, v: Array) -> Array:
        """``moved`` with 0 where a penalised variable has left its orthant."""
        if self._is_smooth:
            return moved
        xp = namespace(x)
        orthant = xp.where(x == 0.0, -v, x)
        outside = xp.logical_and(moved * orthant <= 0.0, self._factors(x) > 0.0)
        return xp.where(outside, xp.zeros_like(x), moved)


class PenalisedPoint(Point):
    """A point of the whole function.

    Attributes
    ----------
    smooth_g : array
        Gradient of the smooth part, known as soon as ``g`` is.
    """

    __slots__ = ("smooth_g",)

    smooth_g: Array


class WithAbsoluteValues(Problem):
    """The problem whose values are F and whose gradients are pseudo-gradients.

    Parameters
    ----------
    smooth : Problem
        Its functions, counts and budget are shared.
    method : OrthantWise
        Knows the factors.
    """

    def __init__(self, smooth: Problem, method: OrthantWise) -> None:
        super().__init__(smooth._evaluate, smooth._second, smooth.counts)
        self._method = method

    def at(self, x: Array) -> Point:
        """The point ``x``, its value evaluated, its gradient when asked for."""
        smooth = super().at(x)

        def pseudo_gradient() -> Array:
            point.smooth_g = smooth._pullback() if smooth._pullback else smooth.g
            return self._method.pseudo_gradient(x, point.smooth_g)

        value = smooth.f + self._method.absolute_values(x)
        point = PenalisedPoint(self, x, value, pseudo_gradient)
        return point


def smooth_gradient(point: Point) -> Array:
    """The gradient of the smooth part."""
    return point.smooth_g if isinstance(point, PenalisedPoint) else point.g
