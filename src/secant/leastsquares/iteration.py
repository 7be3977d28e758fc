"""One iteration of Levenberg-Marquardt's method: its trials, and whether it was the last."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from secant.arrays import Array, HostArray, eps_of, norm_one, to_numpy
from secant.leastsquares import lapack
from secant.leastsquares.bounds import step_in_box
from secant.leastsquares.damping import Damped, Outcome, least_damped
from secant.leastsquares.model import Model, predicted_reduction
from secant.leastsquares.problem import LeastSquares, ResidualPoint
from secant.leastsquares.state import FitMemory, FitState, on_host
from secant.linesearch.acceptance import reduction_ratio
from secant.status import Status

if TYPE_CHECKING:
    from secant.leastsquares.levenberg_marquardt import Geodesic, LevenbergMarquardt

_FLAT_STEPS = 3
"""So many accepted steps in a row without a visible gain are round-off."""

_FREER = 1e-2
"""The damping is lowered by this factor, again and again, before flat steps are put down to round-off."""

_DESERTED = 1e-6
"""A column of J that shrinks by this factor in one step has been left behind."""

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
        self._tried: Array = None
        self._rejected = 0

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
        is_bare = self.damped.is_bare(self.model.floor)
        self._tried = problem.moved(point.x, p)
        trial = problem.at(self._tried)
        actual = problem.reduction(point, trial)
        ratio = reduction_ratio(actual, predicted, self.noise)
        length: float = lapack.dnrm2(self.scale * p)
        if not ratio >= self.method.least_gain:
            self._reject(Outcome(ratio, length, slope, actual, False))
            return None
        # where J is not finite, no iteration could begin
        if not trial.optimality < math.inf or self._is_deserted(trial):
            self._reject(Outcome(-math.inf, length, slope, -math.inf, False))
            return None
        outcome = Outcome(ratio, length, slope, actual, True)
        self.damped = self.method.damping.learn(self.damped, outcome)
        memory = self._next_memory(trial, actual)
        status = self._verdict(trial, p, predicted, is_bare, outcome)
        if memory.flat_steps >= _FLAT_STEPS and status is None:
            freer = self._freer(trial, memory)
            status = self._flat_verdict(memory) if freer is None else None
            if freer is not None:
                memory = replace(memory, damped=freer, flat_steps=0, cosine=math.inf)
        event = f"{self._rejected} rejected" if self._rejected else ""
        state = self.state
        return FitState(trial, state.k + 1, memory, used, event, status, state.is_bounded)

    def _is_deserted(self, trial: ResidualPoint) -> bool:
        """Whether a variable has all but lost its influence in this one step.

        Exponentials underflow and units die where a step is too long, and nothing leads back from there.
        """
        if self._rejected >= _RETREATS:
            return False
        now, before = trial.model.column_norms, self.model.column_norms
        if _of(min, now) >= _DESERTED * _of(max, before):  # tells enough of most in less time
            return False
        return bool((now < _DESERTED * before).any())

    def _next_memory(self, trial: ResidualPoint, actual: float) -> FitMemory:
        memory = self.state.memory
        scale = self.method.scaling.update(self.scale, trial.model)
        largest = np.maximum(memory.largest, trial.model.column_norms)
        flat_steps, cosine = 0, math.inf
        if not (actual > self.noise and trial.f < memory.lowest):
            now = self._cosine(trial)
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
        if not 2.0 * lapack.dnrm2(self.scale * a) <= geodesic.limit * lapack.dnrm2(self.scale * v):
            return None
        return v + 0.5 * a

    # ------------------------------------------------------------------------------------- the end

    def at_the_start(self) -> Status | None:
        """Whether the iterate is a solution already, or one from which nothing can be learned."""
        gtol, length_r = self.method.tolerances.gtol, math.sqrt(2.0 * self.point.f)
        # the cosines of r with the columns of J are no more than the offset, and cheaper
        most = gtol * length_r
        steepest = most * _of(max, self.model.column_norms)
        if length_r > 0.0 and self.problem.box is None and self.point.optimality > steepest:
            return None
        free = self._free_model(self.point)
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
        offset = math.sqrt(2.0 * self._decrement(self.point)) / length_r
        return Status.GRADIENT if offset <= gtol else None

    def _is_zero(self) -> bool:
        """Whether every residual is zero, or beside those of the start so small that its square is."""
        seen = self.eps**2 * self.state.memory.f0 > sys.float_info.min
        return seen or not bool((to_numpy(self.point.evaluation.r) != 0.0).any())

    def is_hopeless(self) -> bool:
        """Whether trials have become too short to show anything."""
        if self.damped.exhausted or self._stays():
            return True
        return self._rejected > 3 and self._decrement(self.point) <= self.noise

    def _stays(self) -> bool:
        """Whether the last trial was at the iterate itself, the step being lost in rounding."""
        if self._tried is None:
            return False
        return not bool((to_numpy(self._tried) != to_numpy(self.point.x)).any())

    def failure(self) -> Status:
        """Round-off, if the undamped step could not have been seen to lower f; else a failure."""
        invisible = self._decrement(self.point) <= self.noise
        return Status.ROUNDOFF if invisible else Status.SEARCH_FAILED

    def _verdict(
        self, trial: ResidualPoint, p: HostArray, predicted: float, is_bare: bool, step: Outcome
    ) -> Status | None:
        """Why to stop after the step ``p``, Gauss-Newton's own or not, if there is a reason."""
        tolerances, length = self.method.tolerances, step.length
        least = tolerances.ftol * self.point.f
        is_perfect = trial.f <= self.eps**2 * self.state.memory.f0
        if is_perfect and self._is_small(p, length, math.sqrt(self.eps), 1.0):
            return Status.ROUNDOFF
        if not is_bare:
            if predicted > max(least, self.noise) and not self._is_small(p, length, 1e-3):
                return None
            p, predicted = self._undamped_step()
            length = lapack.dnrm2(self.scale * p)
        if self._is_small(p, length, tolerances.xtol):
            return Status.NO_PROGRESS
        if predicted <= least and abs(step.actual) <= least:
            return Status.NO_PROGRESS
        return None

    def _freer(self, trial: ResidualPoint, memory: FitMemory) -> Damped | None:
        """Less damping with which f falls visibly, if it is damping that hides how it could.

        Along the floor of a steep valley r is at right angles with every column of J, and yet within reach.
        """
        model, value = trial.model, memory.damped.value
        if memory.damped.radius < math.inf or self.problem.box is not None:
            return None
        while value > model.floor:
            value *= _FREER
            factor = model.factor(value, memory.scale)
            if factor is None:
                break
            there = self.problem.at(self.problem.moved(trial.x, factor.solve()))
            falls = self.problem.reduction(trial, there) > self.problem.noise(trial)
            if falls and there.f < memory.lowest:
                return Damped(value)
        return None

    def _flat_verdict(self, memory: FitMemory) -> Status:
        return Status.ROUNDOFF if memory.cosine <= self.eps**0.25 else Status.SEARCH_FAILED

    def _is_small(self, p: HostArray, length: float, tolerance: float, unit: float = 0.0) -> bool:
        """Every ``|p_i|`` below the tolerance; where ``x_i`` is as good as 0, below what can be seen.

        ``length`` is ``|D p|``.
        """
        length_x: float = lapack.dnrm2(self.scale * self.x)
        most = tolerance + self.x.size * self.eps
        if unit == 0.0 and length > 2.0 * most * length_x:
            return False  # longer than all steps that are small in every variable
        size = np.abs(self.x)
        small = np.abs(p) <= tolerance * np.maximum(size, unit)
        if small.all():
            return True
        is_zero = self.scale * size <= math.sqrt(self.eps) * length_x
        unseen = self.scale * np.abs(p) <= self.eps * length_x
        return bool((small | (is_zero & unseen)).all())

    def _undamped_step(self) -> tuple[HostArray, float]:
        """The step without damping in the variables that no bound holds, and what it should gain."""
        p = np.zeros_like(self.x)
        free = self._free(self.point)
        model = self._free_model(self.point)
        if model is None:
            return p, 0.0
        _, factor = least_damped(model, self.scale[free])
        if factor is None:
            return np.full_like(p, math.inf), math.inf
        p[free] = factor.solve()
        return p, predicted_reduction(model, p[free])

    def _decrement(self, point: ResidualPoint) -> float:
        """What the undamped step should gain, ``g' (J'J)^-1 g / 2``."""
        model = self._free_model(point)
        if model is None:
            return 0.0
        _, factor = least_damped(model, self.scale[self._free(point)])
        return math.inf if factor is None else 0.5 * factor.inverse_norm2(model.g)

    def _cosine(self, point: ResidualPoint) -> float:
        """The largest ``|J_j'r| / |J_j| |r|`` of the variables that no bound holds."""
        free = self._free_model(point)
        if free is None or point.f == 0.0:
            return 0.0
        with np.errstate(invalid="ignore"):
            cosines = np.abs(free.g) / free.column_norms
        return float(np.fmax.reduce(cosines, initial=0.0)) / math.sqrt(2.0 * point.f)

    def _free(self, point: ResidualPoint) -> HostArray:
        if self.problem.box is None:
            return np.ones(self.x.size, dtype=bool)
        return ~self.problem.box.pushed_out(to_numpy(point.x), point.model.g)

    def _free_model(self, point: ResidualPoint) -> Model | None:
        """The model of the variables that no bound holds; None if there are none."""
        if self.problem.box is None:
            return point.model
        free = self._free(point)
        if free.all():
            return point.model
        return point.model.restrict(free, np.zeros_like(self.x)) if free.any() else None


def _of(extreme: Callable[[Iterable[float]], float], values: HostArray) -> float:
    """``min`` or ``max``, of few numbers by the list of them, which takes a third of NumPy's time."""
    if values.size <= _FEW:
        return extreme(values.tolist())
    return float(values.min() if extreme is min else values.max())
