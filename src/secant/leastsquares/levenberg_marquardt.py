"""Levenberg-Marquardt: the damped Gauss-Newton step, judged by its gain ratio.

    (J'J + lambda D^2) p = -J'r,   rho = (f(x) - f(x + p)) / (-g'p - |J p|^2 / 2)

One method for every way to have the Jacobian, to solve, to damp and to scale; `Undamped` makes it
Gauss-Newton. It converges where the Gauss-Newton step with no damping at all says so, never because a
strongly damped step is short:

- *relative offset* ``|J (J'J)^-1 J'r| <= gtol |r|``: what is left of r in the range of J [1]_, whatever the
  units of x, of r and however nearly dependent the columns of J;
- that step is below ``xtol`` in every variable, or what it gains is below ``ftol f``;
- neither f nor the angle between r and the columns of J gets visibly smaller: round-off, if next to nothing of
  r is in their span (`judgement`) and no less damping lowers f either; if not, the Jacobian does not belong to
  the residuals, or the valley is too steep for the precision of x.

References
----------
.. [1] D. M. Bates, D. G. Watts, "A Relative Offset Orthogonality Convergence Criterion for Nonlinear Least
   Squares", *Technometrics* 23 (1981).
.. [2] M. K. Transtrum, J. P. Sethna, "Improvements to the Levenberg-Marquardt algorithm for nonlinear
   least-squares minimization", arXiv:1201.5885 (2012), (13), (15) and section 6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from secant import checks
from secant.arrays import HostArray, eps_of, to_numpy
from secant.leastsquares.damping import Automatic, Damped, Damping
from secant.leastsquares.iteration import Iteration
from secant.leastsquares.problem import LeastSquares, ResidualPoint, WholeJacobian
from secant.leastsquares.scaling import ColumnNorms, Scaling
from secant.leastsquares.state import FitMemory, on_host
from secant.leastsquares.state import FitState as FitState
from secant.status import Status

_VISIBLE = 1e4
"""So many eps of r are more than the second derivative, or rounding, makes of a step of sqrt(eps)."""

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
    ``v + a / 2`` if ``|D a| <= limit |D v|``, else it is rejected. One evaluation more a trial.

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


@dataclass(frozen=True)
class LevenbergMarquardt:
    """A rule for the damping, one for the scale, and tolerances.

    Parameters
    ----------
    damping : Damping
        `Automatic`, `TrustRadius`, `Nielsen`, `Marquardt`, `WithMomentum`, or `Undamped` for Gauss-Newton.
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
                return (
                    following if following.status is None else self._confirmed(problem, following)
                )
            if iteration.is_hopeless():
                break
        verdict = verdict or iteration.failure()
        event = "" if verdict.success else "no step accepted"
        return self._confirmed(problem, replace(state, status=verdict, event=event))

    def _confirmed(self, problem: LeastSquares, state: FitState) -> FitState:
        """``state``; if it has converged on a rough Jacobian, without that status on a better one."""
        success = state.status is not None and state.status.success
        is_suspect = success and not problem.is_network
        if is_suspect and _has_lost_a_variable(state):
            return replace(
                state, status=Status.SEARCH_FAILED, event="a variable has no influence left"
            )
        if is_suspect and _ignores_a_variable(problem, state.point):
            return replace(
                state,
                status=Status.SEARCH_FAILED,
                event="a column of zeros, yet r depends on the variable",
            )
        if not problem.refine():
            return state
        point, memory = problem.anew(state.point), state.memory
        if not point.is_finite:
            return state
        # steps may have become short by the errors of the rough Jacobian alone
        damped = self.damping.begin(point.model, on_host(point), memory.scale)
        memory = replace(
            memory,
            damped=damped,
            lowest=point.f,
            flat_steps=0,
            cosine=math.inf,
            refined=True,
        )
        return replace(state, point=point, memory=memory, status=None, event="finer differences")

    def _fresh_memory(self, point: ResidualPoint, f0: float) -> FitMemory:
        scale = self.scaling.begin(point.model)
        return FitMemory(
            scale,
            self.damping.begin(point.model, on_host(point), scale),
            f0,
            point.model.column_norms,
        )


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
    return not np.linalg.norm(to_numpy(there - r)) <= _VISIBLE * eps_of(point.x) * math.sqrt(
        2.0 * point.f
    )
