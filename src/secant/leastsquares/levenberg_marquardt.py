"""Levenberg-Marquardt: the damped Gauss-Newton step, judged by its gain ratio.

    (J'J + lambda D^2) p = -J'r,   rho = (f(x) - f(x + p)) / (-g'p - |J p|^2 / 2)

One method for every way to have the Jacobian, to solve, to damp and to scale; `Undamped` makes it
Gauss-Newton. It converges where the Gauss-Newton step with no damping at all says so, never because a
strongly damped step is short:

- *relative offset* ``|J (J'J)^-1 J'r| <= gtol |r|``: what is left of r in the range of J [1]_, whatever the
  units of x, of r and however nearly dependent the columns of J;
- that step is below ``xtol`` in every variable, or what it gains is below ``ftol f``;
- neither f nor the angle between r and the columns of J gets visibly smaller: round-off, if that angle is
  close to a right one; if it is not, the Jacobian does not belong to the residuals.

References
----------
.. [1] D. M. Bates, D. G. Watts, "A Relative Offset Orthogonality Convergence Criterion for Nonlinear Least
   Squares", *Technometrics* 23 (1981).
.. [2] M. K. Transtrum, J. P. Sethna, "Improvements to the Levenberg-Marquardt algorithm for nonlinear
   least-squares minimization", arXiv:1201.5885 (2012), (13), (15) and section 6.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field, replace

import numpy as np

from secant import checks
from secant.arrays import Array, HostArray, eps_of, inner, norm_one, to_numpy
from secant.leastsquares.bounds import step_in_box
from secant.leastsquares.damping import Automatic, Damped, Damping, Outcome, least_damped
from secant.leastsquares.model import Model, predicted_reduction
from secant.leastsquares.problem import LeastSquares, ResidualPoint, WholeJacobian
from secant.leastsquares.scaling import ColumnNorms, Scaling
from secant.linesearch.acceptance import reduction_ratio
from secant.status import Status

_FLAT_STEPS = 3
"""So many accepted steps in a row without a visible gain are round-off."""

_DESERTED = 1e-6
"""A column of J that shrinks by this factor in one step has been left behind."""

_VISIBLE = 1e4
"""So many eps of r are more than the second derivative, or rounding, makes of a step of sqrt(eps)."""

_RETREATS = 10
"""So many trials may be rejected for that."""

_TRIES = 200
"""Trials of one iteration: enough to shorten a step from the largest number to the smallest."""


@dataclass(frozen=True)
class Tolerances:
    """When a fit has converged.

    Parameters
    ----------
    ftol : float
        The undamped step would lower f, and the last step has lowered it, by at most ``ftol f``.
    xtol : float
        The undamped step is at most ``xtol |x_i|`` in every variable.
    gtol : float
        Relative offset.
    """

    ftol: float = 0.0
    xtol: float = 1e-10
    gtol: float = 1e-10

    def __post_init__(self) -> None:
        for name in ("ftol", "xtol", "gtol"):
            checks.non_negative(name, getattr(self, name))


@dataclass(frozen=True)
class Geodesic:
    """Second-order correction of the step [2]_: the geodesic's acceleration.

    ``r_vv = (2 / h) ((r(x + h v) - r(x)) / h - J v)`` and ``(J'J + lambda D^2) a = -J'r_vv``; the step is
    ``v + a / 2`` if ``2 |D a| <= limit |D v|``, else it is rejected. One evaluation more a trial.

    Parameters
    ----------
    h : float
    limit : float
    """

    h: float = 0.1
    limit: float = 0.75

    def __post_init__(self) -> None:
        checks.positive("h", self.h)
        checks.positive("limit", self.limit)


@dataclass(frozen=True, eq=False)
class FitMemory:
    """What the method has learned.

    Attributes
    ----------
    scale : array, shape (n,)
        ``D``.
    damped : Damped
        ``lambda`` or the radius.
    f0 : float
        f at the start, against which a perfect fit is told from a good one.
    largest : array, shape (n,)
        The largest ``|J e_j|`` so far.
    flat_steps : int
        Accepted steps in a row that lowered neither f nor the cosine visibly.
    cosine : float
        Smallest ``max_j |J_j'r| / |J_j| |r|`` where f was flat.
    refined : bool
        Whether the Jacobian has been made more accurate.
    """

    scale: HostArray
    damped: Damped
    f0: float
    largest: HostArray
    flat_steps: int = 0
    cosine: float = math.inf
    refined: bool = False


@dataclass(slots=True)
class FitState:
    """Everything that the next iteration depends on.

    Attributes
    ----------
    point : ResidualPoint
    k : int
    memory : FitMemory
    alpha : float
        ``lambda`` of the last step.
    event : str
    status : Status or None
    is_bounded : bool
        Whether the fit has bounds, which a file does not hold.
    """

    point: ResidualPoint
    k: int
    memory: FitMemory
    alpha: float = 0.0
    event: str = ""
    status: Status | None = None
    is_bounded: bool = False


@dataclass(frozen=True)
class LevenbergMarquardt:
    """A rule for the damping, one for the scale, and tolerances.

    Parameters
    ----------
    damping : Damping
        `Automatic`, `TrustRadius`, `Nielsen`, `Marquardt`, or `Undamped` for Gauss-Newton.
    scaling : Scaling
    tolerances : Tolerances
    geodesic : Geodesic, optional
    least_gain : float
        Gain ratio from which a step is accepted.
    name : str
    """

    damping: Damping = field(default_factory=Automatic)
    scaling: Scaling = field(default_factory=ColumnNorms)
    tolerances: Tolerances = Tolerances()
    geodesic: Geodesic | None = None
    least_gain: float = 1e-4
    name: str = "lm"

    def __post_init__(self) -> None:
        checks.between("least_gain", self.least_gain, 0.0, 1.0)

    @property
    def uses_hessian(self) -> bool:
        """No second derivatives."""
        return False

    @property
    def needs_residuals(self) -> bool:
        """The terms of the sum, which `secant.minimize` does not know."""
        return True

    def init(self, problem: LeastSquares, point: ResidualPoint) -> FitState:
        """The state at the start."""
        if not point.is_finite:
            ones = np.ones(point.x.shape[0])
            memory = FitMemory(ones, Damped(0.0), point.f, ones)
        else:
            memory = self._fresh_memory(point, point.f)
        return FitState(point, 0, memory, is_bounded=problem.box is not None)

    def forget(self, state: FitState) -> None:
        """Begin anew with the damping and the scale of the iterate."""
        state.memory = self._fresh_memory(state.point, state.memory.f0)

    def step(self, problem: LeastSquares, state: FitState) -> FitState:
        """One iteration; ``state`` stays usable if the user's function raises."""
        if state.memory.refined:
            problem.refine()  # the run may come from a file
        problem.damping = state.alpha
        iteration = Iteration(self, problem, state)
        verdict = iteration.at_the_start()
        for _ in range(0 if verdict else _TRIES):
            following = iteration.attempt()
            if following is not None:
                return self._confirmed(problem, following)
            if iteration.is_hopeless():
                break
        verdict = verdict or iteration.failure()
        event = "" if verdict.success else "no step accepted"
        return self._confirmed(problem, replace(state, status=verdict, event=event))

    def _confirmed(self, problem: LeastSquares, state: FitState) -> FitState:
        """``state``; if it has converged on a rough Jacobian, without that status on a better one."""
        if state.status is None:
            return state
        if state.status.success and _has_lost_a_variable(state):
            return replace(
                state, status=Status.SEARCH_FAILED, event="a variable has no influence left"
            )
        if state.status.success and _ignores_a_variable(problem, state.point):
            return replace(
                state,
                status=Status.SEARCH_FAILED,
                event="a column of zeros, yet r depends on the variable",
            )
        if not problem.refine():
            return state
        memory = replace(state.memory, flat_steps=0, cosine=math.inf, refined=True)
        point = problem.anew(state.point)
        if not point.is_finite:
            return state
        return replace(state, point=point, memory=memory, status=None, event="finer differences")

    def _fresh_memory(self, point: ResidualPoint, f0: float) -> FitMemory:
        scale = self.scaling.begin(point.model)
        return FitMemory(
            scale,
            self.damping.begin(point.model, on_host(point), scale),
            f0,
            point.model.column_norms,
        )


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
        self.method = method
        self.problem = problem
        self.state = state
        self.point = state.point
        self.model = state.point.model
        self.scale = state.memory.scale
        self.damped = state.memory.damped
        self.x = on_host(state.point)
        self.eps = eps_of(state.point.x)
        self.noise = self.problem.noise(self.point)
        self.length_r = math.sqrt(2.0 * state.point.f)
        self._tried: Array = None
        self._rejected = 0

    # ---------------------------------------------------------------------------------- the trials

    def attempt(self) -> FitState | None:
        """The next state if the trial is accepted; else the damping has grown."""
        p, slope, predicted = self._propose(), 0.0, 0.0
        if p is not None:
            slope = inner(self.model.g, p)
            predicted = -slope - 0.5 * self.model.length2(p)
        if p is None or not 0.0 < predicted < math.inf:
            self._reject(Outcome(-math.inf, math.inf, 0.0, -math.inf, False))
            return None
        self._tried = self.problem.moved(self.point.x, p)
        self.problem.damping = self.damped.value
        trial = self.problem.at(self._tried)
        actual = self.problem.reduction(self.point, trial)
        ratio = reduction_ratio(actual, predicted, self.noise)
        length = _norm(self.scale * p)
        if not ratio >= self.method.least_gain:
            self._reject(Outcome(ratio, length, slope, actual, False))
            return None
        # where J is not finite, no iteration could begin
        if not trial.is_finite or self._is_deserted(trial):
            self._reject(Outcome(-math.inf, length, slope, -math.inf, False))
            return None
        used = self.damped.value
        self.damped = self.method.damping.learn(
            self.damped, Outcome(ratio, length, slope, actual, True)
        )
        memory = self._next_memory(trial, actual)
        status = self._verdict(trial, p, predicted, actual, used) or self._flat_verdict(memory)
        event = f"{self._rejected} rejected" if self._rejected else ""
        bounded = self.state.is_bounded
        return FitState(trial, self.state.k + 1, memory, used, event, status, bounded)

    def _is_deserted(self, trial: ResidualPoint) -> bool:
        """Whether a variable has all but lost its influence in this one step.

        Exponentials underflow and units die where a step is too long, and nothing leads back from there.
        """
        if self._rejected >= _RETREATS:
            return False
        lost = trial.model.column_norms < _DESERTED * self.model.column_norms
        return bool(np.logical_or.reduce(lost))

    def _next_memory(self, trial: ResidualPoint, actual: float) -> FitMemory:
        memory = self.state.memory
        scale = self.method.scaling.update(self.scale, trial.model)
        largest = np.maximum(memory.largest, trial.model.column_norms)
        flat_steps, cosine = 0, math.inf
        if not actual > self.noise:
            now = self._cosine(trial)
            flat_steps = memory.flat_steps + 1 if now > 0.9 * memory.cosine else 0
            cosine = min(now, memory.cosine)
        return FitMemory(scale, self.damped, memory.f0, largest, flat_steps, cosine, memory.refined)

    def _reject(self, outcome: Outcome) -> None:
        self._rejected += 1
        self.damped = self.method.damping.learn(self.damped, outcome)

    def _propose(self) -> HostArray | None:
        box = self.problem.box
        if box is not None:
            return step_in_box(self._solve_or_stay, self.model, self.x, box, self.scale)
        p = self._solve(self.model, self.scale)
        if p is None or self.method.geodesic is None:
            return p
        return self._accelerated(p, self.method.geodesic)

    def _solve(self, model: Model, scale: HostArray) -> HostArray | None:
        p, self.damped = self.method.damping.propose(model, scale, self.damped)
        return p if p is not None and math.isfinite(norm_one(p)) else None

    def _solve_or_stay(self, model: Model, scale: HostArray) -> HostArray:
        p = self._solve(model, scale)
        return np.zeros_like(model.g) if p is None else p

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
        if not 2.0 * _norm(self.scale * a) <= geodesic.limit * _norm(self.scale * v):
            return None
        return v + 0.5 * a

    # ------------------------------------------------------------------------------------- the end

    def at_the_start(self) -> Status | None:
        """Whether the iterate is a solution already, or one from which nothing can be learned."""
        free = self._free_model(self.point)
        if free is None or self._is_zero():
            return Status.GRADIENT
        if self.point.f == 0.0:  # the squares have underflowed: nothing more can be seen
            return Status.SEARCH_FAILED
        gtol = self.method.tolerances.gtol
        # the cosines of r with the columns of J are no more than the offset, and cheaper
        most = gtol * self.length_r
        for slope, size in zip(free.g.tolist(), free.column_norms.tolist(), strict=True):
            if abs(slope) > most * size:
                return None
        if not free.column_norms.any():
            return Status.SEARCH_FAILED
        offset = math.sqrt(2.0 * self._decrement(self.point)) / self.length_r
        return Status.GRADIENT if offset <= gtol else None

    def _is_zero(self) -> bool:
        """Whether every residual is zero, or beside those of the start so small that its square is."""
        if self.point.f != 0.0:
            return False
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
        self, trial: ResidualPoint, p: HostArray, predicted: float, actual: float, used: float
    ) -> Status | None:
        """Why to stop after the step ``p``, if there is a reason."""
        ftol, f = self.method.tolerances.ftol, self.point.f
        if trial.f <= self.eps**2 * self.state.memory.f0 and self._is_small(
            p, math.sqrt(self.eps), 1.0
        ):
            return Status.ROUNDOFF
        if used > self.model.floor:
            if predicted > max(ftol * f, self.noise) and not self._is_small(p, 1e-3):
                return None
            p, predicted = self._undamped_step()
        if self._is_small(p, self.method.tolerances.xtol):
            return Status.NO_PROGRESS
        if predicted <= ftol * f and abs(actual) <= ftol * f:
            return Status.NO_PROGRESS
        return None

    def _flat_verdict(self, memory: FitMemory) -> Status | None:
        if memory.flat_steps < _FLAT_STEPS:
            return None
        return Status.ROUNDOFF if memory.cosine <= self.eps**0.25 else Status.SEARCH_FAILED

    def _is_small(self, p: HostArray, tolerance: float, unit: float = 0.0) -> bool:
        """Every ``|p_i|`` below the tolerance; where ``x_i`` is as good as 0, below what can be seen."""
        length = _norm(self.scale * self.x)
        most = tolerance + self.x.size * self.eps
        if unit == 0.0 and _norm(self.scale * p) > 2.0 * most * length:
            return False  # longer than all steps that are small in every variable
        size = np.abs(self.x)
        small = np.abs(p) <= tolerance * np.maximum(size, unit)
        if small.all():
            return True
        is_zero = self.scale * size <= math.sqrt(self.eps) * length
        unseen = self.scale * np.abs(p) <= self.eps * length
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


def _has_lost_a_variable(state: FitState) -> bool:
    """Whether a column of J has vanished on the way to where the fit, not a perfect one, ends."""
    eps, memory = eps_of(state.point.x), state.memory
    vanished = state.point.model.column_norms <= eps * memory.largest
    perfect = state.point.f <= eps**2 * memory.f0
    return not perfect and bool((vanished & (memory.largest > 0.0)).any())


def _ignores_a_variable(problem: LeastSquares, point: ResidualPoint) -> bool:
    """Whether r depends on a variable whose column of J is zero.

    Such a J has not been thought through, or the variable is where it has no influence: at a saddle, or
    far outside of where the data are. Two evaluations tell, one near x and one elsewhere.
    """
    flat = np.flatnonzero(point.model.column_norms == 0.0)
    if len(flat) == 0 or not isinstance(point.evaluation, WholeJacobian) or point.f == 0.0:
        return False
    x = on_host(point)
    size = np.abs(x[flat])
    near = math.sqrt(eps_of(point.x)) * np.maximum(size, 1.0)
    elsewhere = np.where(size > 1.0, -0.999 * x[flat], 1.0)
    return _changes(problem, point, flat, near) or _changes(problem, point, flat, elsewhere)


def _changes(
    problem: LeastSquares, point: ResidualPoint, variables: HostArray, by: HostArray
) -> bool:
    """Whether r changes visibly where the variables do; what is not finite has changed."""
    p = np.zeros(point.x.shape[0])
    p[variables] = by
    r = problem.weighted(point.evaluation.r)
    there = problem.weighted(problem.evaluate(problem.moved(point.x, p)).r)
    # where the derivative is zero indeed what a short step changes is of second order, some eps
    return not _norm(to_numpy(there - r)) <= _VISIBLE * eps_of(point.x) * math.sqrt(2.0 * point.f)


def on_host(point: ResidualPoint) -> HostArray:
    """``x`` as a float64 array on the host."""
    return np.asarray(to_numpy(point.x), dtype=float)


def _norm(v: HostArray) -> float:
    return math.sqrt(inner(v, v))
