"""The trust-region step: the other of the library's two step functions.

    p = subproblem(g, B, radius);   ratio = (f(x) - f(x + p)) / (m(0) - m(p));   radius rule;   B.learn(pair)

An iteration ends with an accepted step: rejected ones shrink the radius, and teach a quasi-Newton ``B``,
inside it. What can go wrong is met here: a trial that is not finite is rejected; a quasi-Newton model
whose steps have shrunk to nothing is forgotten once; and what is left when even that fails is told
apart: round-off, or a failure.

References
----------
Nocedal & Wright, *Numerical Optimization*, 2nd ed., Algorithms 4.1 and 6.2; Conn, Gould & Toint,
*Trust-Region Methods*, SIAM (2000), section 17.4.2 (round-off).
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Any

from secant.arrays import eps_of, namespace, norm_one, read
from secant.linesearch.acceptance import reduction_ratio
from secant.pair import SecantPair
from secant.point import Point
from secant.problem import Problem
from secant.status import Status
from secant.trustregion.parts import Rule, Source
from secant.trustregion.posed import Posed, posed
from secant.trustregion.radius import RadiusRule
from secant.trustregion.step import Step, Subproblem, check_subproblem, in_iteration
from secant.units import OUTGROWN, in_unit, is_outgrown

_FLAT = 20
"""Accepted steps in a row without a visible decrease of f or of |g| are round-off when their weights add
up to this, once before and once after what was learned is forgotten. Steps that the radius kept short weigh
1, as it grows after them; the others weigh 4."""

_ROUNDOFF = 4.0
"""Predicted decreases below this many times the round-off in f cannot be seen."""

_WILD = 10.0
"""A trial so many times the predicted reduction above the iterate is too far away to teach anything."""

_VISIBLE = 100.0
"""A model that promised this many times the round-off and delivered nothing has failed."""


@dataclass(slots=True)
class TrustRegionState:
    """Everything that the next iteration depends on.

    Attributes
    ----------
    point : Point
        The iterate: x, f, g.
    k : int
        Iterations done.
    memory : object
        What is known of B.
    radius : float
        Of the region in which the next step is looked for.
    alpha : float
        Length of the last step.
    flatness : int
        Weight of the accepted steps in a row that lowered neither f nor |g| visibly.
    smallest, lowest : float
        Smallest ``max |g_i|`` and f so far.
    event : str
        What was out of the ordinary in the last iteration.
    status : Status or None
        Set when the method cannot go on.
    """

    point: Point
    k: int
    memory: Any
    radius: float
    alpha: float = 0.0
    flatness: int = 0
    smallest: float = math.inf
    lowest: float = math.inf
    event: str = ""
    status: Status | None = None


@dataclass(frozen=True)
class TrustRegion:
    """A model, a way to minimise it inside a ball, and a rule for the ball's radius.

    Parameters
    ----------
    source : Source
        `ExactHessian`, or `Learned` from secant pairs.
    subproblem : Subproblem
        `Cauchy`, `Dogleg`, `Steihaug`, `Krylov` or `MoreSorensen`.
    radius : RadiusRule
    name : str
        What messages and results call the method.
    """

    source: Source
    subproblem: Subproblem
    radius: Rule = RadiusRule()
    name: str = "trust region"

    def __post_init__(self) -> None:
        check_subproblem(self.subproblem)

    def init(self, problem: Problem, point: Point) -> TrustRegionState:
        """The state at the start."""
        return TrustRegionState(
            point,
            0,
            self.source.init(point),
            self.radius.first(point),
            smallest=point.optimality,
            lowest=point.f,
        )

    def step(self, problem: Problem, state: TrustRegionState) -> TrustRegionState:
        """One iteration; ``state`` stays usable if the user's function raises."""
        attempt = _Attempt(self, problem, state)
        while True:
            step, trial, ratio = attempt.try_step()
            if trial is not None and ratio > self.radius.accept and trial.is_finite:
                return self._accept(state, attempt, step, trial, ratio)
            if trial is not None and attempt.can_shrink(step):
                attempt.reject(step, trial, ratio)
            elif attempt.may_forget():
                attempt.forget()
            else:
                return _stopped(state, attempt)

    def forget(self, state: TrustRegionState) -> None:
        """Drop what has been learned of the curvature."""
        state.memory = self.source.init(state.point)

    @property
    def uses_hessian(self) -> bool:
        """Whether a Hessian, or products with it, would be used."""
        return self.source.uses_hessian

    def _accept(
        self, state: TrustRegionState, attempt: _Attempt, step: Step, trial: Point, ratio: float
    ) -> TrustRegionState:
        before, eps = state.point, eps_of(trial.x)
        # a step whose decrease drowns in round-off says nothing against a larger radius
        flat = before.f - trial.f <= eps * abs(before.f)
        radius = self.radius.after(attempt.radius, step, math.inf if flat else ratio)
        memory, event = attempt.learned(step, trial)
        if event:
            attempt.events.append(event)
        no_lower = trial.f >= state.lowest - eps * abs(state.lowest)
        stuck = no_lower and trial.optimality >= 0.9 * state.smallest
        flatness = state.flatness + (1 if step.on_boundary else 4) if stuck else 0
        doubt = self._doubt(state.flatness < _FLAT <= flatness, memory, trial)
        if doubt:
            memory, radius = self.source.init(trial), self.radius.first(trial)
            attempt.events.append(doubt)
        limit = 2 * _FLAT if self.source.learns else _FLAT
        return TrustRegionState(
            trial,
            state.k + 1,
            memory,
            radius,
            step.length,
            flatness,
            min(state.smallest, trial.optimality),
            min(state.lowest, trial.f),
            "; ".join(attempt.events),
            Status.ROUNDOFF if flatness >= limit else None,
        )

    def _doubt(self, is_flat: bool, memory: Any, point: Point) -> str:
        """Why what was learned had better be learned anew, or ``""``."""
        if not self.source.learns:
            return ""
        if is_flat:  # the steps of a model on a wrong scale are flat, too
            return "no visible decrease, model reset"
        return OUTGROWN if is_outgrown(memory, point) else ""


@dataclass
class _Attempt:
    """One iteration while it looks for a step to accept."""

    method: TrustRegion
    problem: Problem
    state: TrustRegionState
    promised: float = 0.0  # the largest reduction that a model has predicted
    events: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.memory = self.state.memory
        self.radius = self.state.radius
        self._noise: float | None = None
        self._owns_memory = self._was_reset = False
        self._pose()
        if self.state.k == 0:
            s, rule = self._posed.s, self.method.radius
            self.radius = s * rule.within_reach(self.radius / s, self._posed.g, self._posed.B)

    def _pose(self) -> None:
        point = self.state.point
        method, source = self.method, self.method.source
        self._model, unit = source.model(point, self.memory)
        if method.radius.is_length:
            self._posed = posed(point, self._model, unit, scales_curvature=not source.learns)
        else:
            self._posed = Posed(in_unit(point, unit).g, self._model, b=unit)
        subproblem = in_iteration(method.subproblem, self.state.k)
        self._within = subproblem(self._posed.g, self._posed.B)

    @property
    def noise(self) -> float:
        """How much f may change by rounding its own value and each ``x_i``: ``eps (|f| + |g|'|x|)``."""
        if self._noise is None:
            self._noise = _round_off(self.state.point)
        return self._noise

    @property
    def _may_be_noise(self) -> bool:
        """Whether no more was promised than round-off may hide; its simple bound settles most cases."""
        point = self.state.point
        bound = abs(point.f) + point.optimality * norm_one(point.x)
        if self.promised > _VISIBLE * eps_of(point.x) * bound:
            return False
        return self.promised <= _VISIBLE * self.noise

    def try_step(self) -> tuple[Step, Point | None, float]:
        """The subproblem's step, its trial, and the ratio of the reductions."""
        point = self.state.point
        s, b = self._posed.s, self._posed.b
        radius = self.radius / s if self.method.radius.is_length else self.radius * b
        step = self._posed.restored(self._within(radius))
        if math.isnan(step.predicted_reduction):  # that it was kept will never be known
            self.promised = math.inf
        if not (step.predicted_reduction > 0.0 and 0.0 < step.length < math.inf):
            return step, None, -math.inf
        self.promised = max(self.promised, step.predicted_reduction)
        x = point.x + step.p
        if step.length < 1e-6 * self.state.radius and not namespace(x).any(x != point.x):
            return step, None, -math.inf
        trial = self.problem.at(x)
        # after a promise that was seen not to come true, an equal value is no success
        noise = self.noise if self._may_be_noise else 0.0
        return step, trial, reduction_ratio(point.f - trial.f, step.predicted_reduction, noise)

    def can_shrink(self, step: Step) -> bool:
        """Whether a shorter step would still promise a decrease that can be seen."""
        return step.predicted_reduction > _ROUNDOFF * self.noise

    def reject(self, step: Step, trial: Point, ratio: float) -> None:
        """A smaller radius, and what the rejected step says of the model."""
        self.radius = self.method.radius.after(self.radius, step, -math.inf)
        if self.method.source.learns and ratio > -_WILD and trial.is_finite:
            if not self._owns_memory:  # the state's own stays as it is, should an evaluation raise
                self.memory, self._owns_memory = copy.deepcopy(self.memory), True
                self._model, _ = self.method.source.model(self.state.point, self.memory)
            self.memory, _ = self.learned(step, trial)
            self._pose()

    def learned(self, step: Step, trial: Point) -> tuple[Any, str]:
        """The memory after the pair of ``step``."""
        source, point = self.method.source, self.state.point
        if not source.learns:
            return self.memory, ""
        pair = SecantPair(1.0, step.p, point, trial, math.nan, Bs=self._model @ step.p)
        return source.learn(self.memory, pair, trial)

    def may_forget(self) -> bool:
        """Whether another start was made than one here would be, and none has been made here yet."""
        source, state = self.method.source, self.state
        if self._was_reset or not source.learns:
            return False
        return state.k > 0 or not source.is_initial(state.memory)

    def forget(self) -> None:
        """Start again without what was learned of the curvature."""
        method, point = self.method, self.state.point
        self.memory, self._owns_memory = method.source.init(point), True
        self.radius = method.radius.first(point)
        self.promised, self._was_reset = 0.0, True
        self.events.append("no step found, model reset")
        self._pose()


def _round_off(point: Point) -> float:
    xp = namespace(point.x)
    (through_x,) = read(xp.abs(point.g) @ xp.abs(point.x))
    return eps_of(point.x) * (abs(point.f) + through_x)


def _stopped(state: TrustRegionState, attempt: _Attempt) -> TrustRegionState:
    """Nothing was promised that could be seen, or what was promised never came."""
    kept = attempt.promised <= _VISIBLE * attempt.noise
    return TrustRegionState(
        state.point,
        state.k,
        state.memory,
        state.radius,
        status=Status.ROUNDOFF if kept else Status.SEARCH_FAILED,
        event="no step found",
    )
