"""One iteration of Levenberg-Marquardt's method: its trials, and whether it was the last."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from secant.arrays import Array, HostArray, eps_of, norm_one, to_numpy
from secant.leastsquares import lapack
from secant.leastsquares.bounds import step_in_box
from secant.leastsquares.damping import Damped, Outcome
from secant.leastsquares.judgement import Judgement, is_exact
from secant.leastsquares.model import Model
from secant.leastsquares.problem import LeastSquares, ResidualPoint
from secant.leastsquares.state import FitMemory, FitState, on_host
from secant.leastsquares.step_size import StepSize
from secant.linesearch.acceptance import reduction_ratio
from secant.status import Status

if TYPE_CHECKING:
    from secant.leastsquares.levenberg_marquardt import Geodesic, LevenbergMarquardt

_FLAT_STEPS = 3
"""So many accepted steps in a row without a visible gain are round-off."""

_FREER = 1e-2
"""Before they are put down to it the damping is lowered by this factor, again and again."""

_DESERTED = 1e-6
"""A column of J that shrinks by this factor in one step has been left behind."""

_NEARLY = 1e-3
"""The step without damping is looked at where the step that was taken is below this in every variable."""

_RETREATS = 10
"""So many trials may be rejected for that."""

_FEW = 30
"""Up to so many numbers a list is faster than NumPy."""

_NO_STEP = Outcome(-math.inf, math.inf, 0.0, -math.inf, False)
"""None was found, or one whose gain cannot be told."""


class Iteration:
    """The trials of one iteration, all with the same model.

    Parameters
    ----------
    method : LevenbergMarquardt
    problem : LeastSquares
    state : FitState
        Where the iteration begins; it is not changed.
    """

    def __init__(self, method: LevenbergMarquardt, problem: LeastSquares, state: FitState) -> None:
        point, memory = state.point, state.memory
        self.method = method
        self.problem = problem
        self.state = state
        self.point = point
        self.model = point.model
        self.scale = memory.scale
        self.damped = memory.damped
        self.x = on_host(point)
        self.eps = eps_of(point.x)
        self.noise = problem.noise(point)
        self.longest_column = _of(max, self.model.column_norms)
        self._tried: Array = None
        self._rejected = 0

    @cached_property
    def size(self) -> StepSize:
        """What is a short step from there."""
        return StepSize(self.x, self.scale, self.eps)

    @cached_property
    def judgement(self) -> Judgement:
        """What can be said of the point where the iteration begins."""
        return Judgement(self.problem, self.point, self.scale)

    # ---------------------------------------------------------------------------------- the trials

    def attempt(self) -> FitState | None:
        """The next state if the trial is accepted; else the damping has grown."""
        problem, point, p = self.problem, self.point, self._propose()
        if p is None:
            self._reject(_NO_STEP)
            return None
        slope: float = lapack.ddot(self.model.g, p)
        predicted = -slope - 0.5 * self.model.length2(p)
        if not 0.0 < predicted < math.inf:
            self._reject(_NO_STEP)
            return None
        used = problem.damping = self.damped.value
        is_bare = self.damped.is_bare
        self._tried = problem.moved(point.x, p)
        trial = problem.at(self._tried)
        actual = problem.reduction(point, trial)
        ratio = reduction_ratio(actual, predicted, self.noise)
        length: float = lapack.dnrm2(self.scale * p)
        if not ratio >= self.method.least_gain:
            self._reject(Outcome(ratio, length, slope, actual, False))
            return None
        # where J is not finite, no iteration could begin
        if not problem.linearised(trial).optimality < math.inf or self._is_deserted(trial):
            self._reject(Outcome(-math.inf, length, slope, -math.inf, False))
            return None
        outcome = Outcome(ratio, length, slope, actual, True)
        self.damped = self.method.damping.learn(self.damped, outcome)
        memory = self._next_memory(trial, actual)
        status = self._verdict(trial, p, predicted, is_bare, outcome)
        if memory.flat_steps >= _FLAT_STEPS and status is None:
            status, memory = self._where_flat(trial, memory)
        event = f"{self._rejected} rejected" if self._rejected else ""
        state = self.state
        return FitState(trial, state.k + 1, memory, used, event, status, state.is_bounded)

    def _is_deserted(self, trial: ResidualPoint) -> bool:
        """Whether a variable has all but lost its influence in this one step.

        Exponentials underflow where a step is too long, and nothing leads back from there.
        """
        if self.problem.is_network or self._rejected >= _RETREATS:
            return False
        now, before = trial.model.column_norms, self.model.column_norms
        if _of(min, now) >= _DESERTED * self.longest_column:  # tells enough of most in less time
            return False
        return bool((now < _DESERTED * before).any())

    def _next_memory(self, trial: ResidualPoint, actual: float) -> FitMemory:
        memory = self.state.memory
        scale = self.method.scaling.update(self.scale, trial.model)
        # with More's scale they are one and the same
        is_scale = memory.largest is memory.scale
        largest = scale if is_scale else np.maximum(memory.largest, trial.model.column_norms)
        flat_steps, cosine = 0, math.inf
        if not (trial.f < memory.lowest and self._has_fallen(actual)):
            now = Judgement(self.problem, trial, scale).cosine
            flat_steps = memory.flat_steps + 1 if now > 0.9 * memory.cosine else 0
            cosine = min(now, memory.cosine)
        return FitMemory(
            scale,
            self.damped,
            memory.f0,
            largest,
            min(memory.lowest, trial.f),
            flat_steps,
            cosine,
            memory.refined,
        )

    def _reject(self, outcome: Outcome) -> None:
        self._rejected += 1
        self.damped = self.method.damping.learn(self.damped, outcome)

    def _propose(self) -> HostArray | None:
        box = self.problem.box
        if box is not None:
            return step_in_box(self._solve_or_stay, self.model, self.x, box, self.scale)
        method = self.method
        p, self.damped = method.damping.propose(self.model, self.scale, self.damped)
        if p is None or method.geodesic is None:
            return p
        return self._accelerated(p, method.geodesic)

    def _solve_or_stay(self, model: Model, scale: HostArray) -> HostArray:
        without_past = self.damped._replace(spares=(), last=None)  # of other free variables
        p, self.damped = self.method.damping.propose(model, scale, without_past)
        return p if p is not None and math.isfinite(norm_one(p)) else np.zeros_like(model.g)

    def _accelerated(self, v: HostArray, geodesic: Geodesic) -> HostArray | None:
        """``v + a / 2``, or None where the correction is too large to be one."""
        h, evaluation = geodesic.h, self.point.evaluation
        factor = self.model.factor(self.damped.value, self.scale)
        ahead = self.problem.evaluate(self.problem.moved(self.point.x, h * v)).r
        bend = (2.0 / h) * ((ahead - evaluation.r) / h - evaluation.forward(v))
        if factor is None or not bool(np.isfinite(to_numpy(bend)).all()):
            return None
        bend = self.problem.weighted(self.problem.weighted(bend))
        a = -factor.correction(evaluation.backward(bend))
        if not lapack.dnrm2(self.scale * a) <= geodesic.limit * lapack.dnrm2(self.scale * v):
            return None
        return v + 0.5 * a

    # ------------------------------------------------------------------------------------- the end

    def at_the_start(self) -> Status | None:
        """Whether the iterate is a solution already, or one from which nothing can be learned."""
        gtol, length_r = self.method.tolerances.gtol, math.sqrt(2.0 * self.point.f)
        # the cosines of r with the columns of J are no more than the offset, and cheaper
        most = gtol * length_r
        steepest = most * self.longest_column
        if length_r > 0.0 and self.problem.box is None and self.point.optimality > steepest:
            return None
        free = self.judgement.model
        if free is None:
            return Status.GRADIENT
        if self.point.f == 0.0:
            # if not a zero, the squares have underflowed: nothing more can be seen
            return Status.GRADIENT if self._is_zero() else Status.SEARCH_FAILED
        for slope, size in zip(free.g.tolist(), free.column_norms.tolist(), strict=True):
            if abs(slope) > most * size:
                return None
        if not free.column_norms.any():
            return Status.SEARCH_FAILED
        return Status.GRADIENT if self.judgement.offset <= gtol else None

    def _is_zero(self) -> bool:
        """Whether every residual is zero, or beside those of the start so small that its square is."""
        seen = self.eps**2 * self.state.memory.f0 > sys.float_info.min
        return seen or not bool((to_numpy(self.point.evaluation.r) != 0.0).any())

    def is_hopeless(self) -> bool:
        """Whether trials have become too short to show anything."""
        if self.damped.exhausted or self._stays():
            return True
        return self._rejected > 3 and not self.judgement.gains_more_than(self.noise)

    def _stays(self) -> bool:
        """Whether the last trial was at the iterate itself, the step being lost in rounding."""
        if self._tried is None:
            return False
        return not bool((to_numpy(self._tried) != to_numpy(self.point.x)).any())

    def failure(self) -> Status:
        """Round-off, if the undamped step could not have been seen to lower f; else a failure."""
        is_visible = self.judgement.gains_more_than(self.noise)
        return Status.SEARCH_FAILED if is_visible else Status.ROUNDOFF

    def _verdict(
        self, trial: ResidualPoint, p: HostArray, predicted: float, is_bare: bool, step: Outcome
    ) -> Status | None:
        """Why to stop after the step ``p``, Gauss-Newton's own or not, if there is a reason."""
        tolerances, length = self.method.tolerances, step.length
        least = tolerances.ftol * self.point.f
        is_perfect = trial.f <= self.eps**2 * self.state.memory.f0
        if is_perfect and self.size.is_small(p, length, math.sqrt(self.eps), 1.0):
            return Status.ROUNDOFF
        is_seen = predicted > least and predicted > self.noise
        nearly = tolerances.xtol if is_bare else max(tolerances.xtol, _NEARLY)
        if is_seen and not self.size.is_small(p, length, nearly):
            return None
        if not (is_bare and is_exact(self.model, self.scale)):
            if self.judgement.is_beyond(self.size.longest(tolerances.xtol), least):
                return None
            p, predicted = self.judgement.step
            length = lapack.dnrm2(self.scale * p)
        if self.size.is_small(p, length, tolerances.xtol):
            return Status.NO_PROGRESS
        if predicted <= least and abs(step.actual) <= least:
            return Status.NO_PROGRESS
        return None

    def _where_flat(
        self, trial: ResidualPoint, memory: FitMemory
    ) -> tuple[Status | None, FitMemory]:
        """Whether f is flat because it is at its lowest; if damping may be the reason, what to go on with."""
        if _FLAT_STEPS < memory.flat_steps < 2 * _FLAT_STEPS:
            return None, memory  # without damping
        freer, floor = self._freer(trial, memory), trial.model.floor
        if freer is not None:
            return None, replace(memory, damped=freer, flat_steps=0, cosine=math.inf)
        if not Judgement(self.problem, trial, self.scale).is_fitted:
            return Status.SEARCH_FAILED, memory
        is_damped = memory.damped.value > floor and memory.damped.radius == math.inf
        if is_damped and memory.flat_steps == _FLAT_STEPS:
            # such steps still know the digits of x that no longer show in f
            return None, replace(memory, damped=Damped(floor))
        return Status.ROUNDOFF, memory

    def _freer(self, trial: ResidualPoint, memory: FitMemory) -> Damped | None:
        """Less damping with which f falls visibly, if it is damping that hides how it could.

        Along the floor of a steep valley r is at right angles with every column of J, and yet within reach.
        """
        problem, model, value = self.problem, trial.model, memory.damped.value
        if memory.damped.radius < math.inf or problem.box is not None:
            return None
        while value > model.floor:
            value *= _FREER
            factor = model.factor(value, memory.scale)
            if factor is None:
                break
            there = problem.at(problem.moved(trial.x, factor.solve()))
            reduction = problem.reduction(trial, there)
            if reduction > problem.noise_by_rows(trial) and there.f < memory.lowest:
                return Damped(value)
        return None

    def _has_fallen(self, actual: float) -> bool:
        """Whether rounding alone cannot have made f fall so much.

        What it can is overrated, which takes a look at all rows to see; one flat step is not worth that.
        """
        if actual > self.noise or self.state.memory.flat_steps == 0:
            return actual > self.noise
        return actual > self.problem.noise_by_rows(self.point)


def _of(extreme: Callable[[Iterable[float]], float], values: HostArray) -> float:
    """``min`` or ``max``, of few numbers by the list of them, which takes a third of NumPy's time."""
    if values.size <= _FEW:
        return extreme(values.tolist())
    return float(values.min() if extreme is min else values.max())
