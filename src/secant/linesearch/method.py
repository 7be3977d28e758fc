"""The line-search step: one of the library's two step functions.

    d = direction.propose(point);   trial = search(ray);   direction.learn(pair)

Everything that can go wrong on the way is met here: a direction that does not descend is replaced by
the direction of an empty memory, a search that finds nothing is repeated from there once, and what is
left when even that fails is told apart: round-off, or a failure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from secant.arrays import eps_of, namespace, read
from secant.counts import Exhausted
from secant.directions.any_unit import AnyUnit
from secant.directions.direction import Direction
from secant.linesearch.acceptance import ROUND_OFF
from secant.linesearch.initial import FirstStep, Previous, UnitStep
from secant.linesearch.ray import Ray, Trial
from secant.linesearch.search import LineSearch
from secant.pair import SecantPair
from secant.point import Point
from secant.problem import Problem
from secant.status import Status
from secant.units import OUTGROWN, is_outgrown

_FLAT_STEPS = 5
"""After so many accepted steps in a row without a visible decrease of f or of |g|, ask why."""

_SHORTENINGS = 20
"""Searches by value alone may end where the gradient is not finite; so often they are repeated."""

_ROUNDOFF = 4.0
"""Predicted decreases below this many times the round-off in f cannot be seen."""


@dataclass(slots=True)
class LineSearchState:
    """Everything that the next iteration depends on.

    Attributes
    ----------
    point : Point
        The iterate: x, f, g.
    k : int
        Iterations done.
    memory : object
        The direction's memory.
    search : tuple of float
        The search's memory.
    previous : Previous or None
        Step, slope and value of the last iteration, None after a reset.
    alpha : float
        Length of the last step.
    flat_steps : int
        Accepted steps in a row that lowered neither f nor |g| visibly.
    smallest, lowest : float
        Smallest ``max |g_i|`` and lowest f so far.
    event : str
        What was out of the ordinary in the last iteration.
    status : Status or None
        Set when the method cannot go on.
    """

    point: Point
    k: int
    memory: Any
    search: tuple[float, ...]
    previous: Previous | None = None
    alpha: float = 0.0
    flat_steps: int = 0
    smallest: float = math.inf
    lowest: float = math.inf
    event: str = ""
    status: Status | None = None


@dataclass(frozen=True)
class LineSearchMethod:
    """A direction and a search along it.

    Parameters
    ----------
    direction : Direction
    search : LineSearch
    first : FirstStep
        The step length that the search tries first.
    name : str
        What messages and results call the method.
    """

    direction: Direction
    search: LineSearch
    first: FirstStep = UnitStep()
    name: str = "line search"

    def init(self, problem: Problem, point: Point) -> LineSearchState:
        """The state at the start."""
        return LineSearchState(
            point,
            0,
            self._direction.init(point),
            self.search.begin(point.f),
            smallest=point.optimality,
            lowest=point.f,
        )

    def step(self, problem: Problem, state: LineSearchState) -> LineSearchState:
        """One iteration; ``state`` stays usable if the user's function raises."""
        eps = eps_of(state.point.x)
        ray, memory, events = self._descending_ray(problem, state, eps)
        previous = None if events else state.previous
        alpha0 = self.first.guess(ray, previous)
        trial = self._search(ray, alpha0, state)
        if trial.alpha == 0.0:
            unseen = self.direction.has_scale and _is_below_round_off(ray, alpha0)
            failure = Status.ROUNDOFF if unseen else Status.SEARCH_FAILED
            if self._direction.is_initial(memory):
                return _stopped(state, failure)
            events.append("search failed, direction reset")
            ray, memory = self._fresh_ray(problem, state.point, eps)
            trial = self._search(ray, self.first.guess(ray, None), state)
            if trial.alpha == 0.0:
                return _stopped(state, failure)
        return self._accept(state, ray, alpha0, trial, memory, events)

    def forget(self, state: LineSearchState) -> None:
        """Drop what the direction has learned."""
        state.memory = self._direction.init(state.point)
        state.previous = None

    @property
    def uses_hessian(self) -> bool:
        """Whether a Hessian, or products with it, would be used."""
        return self.search.uses_hessian or getattr(self.direction, "uses_hessian", False)

    # ------------------------------------------------------------------------------- the parts

    @cached_property
    def _direction(self) -> Direction | AnyUnit:
        """The direction, in a unit of its own where f needs one and the direction does not mind."""
        is_unit_free = getattr(self.direction, "is_unit_free", False)
        return AnyUnit(self.direction) if is_unit_free else self.direction

    def _descending_ray(
        self, problem: Problem, state: LineSearchState, eps: float
    ) -> tuple[Ray, Any, list[str]]:
        d, memory = self._direction.propose(state.point, state.memory)
        slope = state.point.slope(d)
        if not self.search.needs_descent or -math.inf < slope < 0.0:
            return Ray(problem, state.point, d, slope, eps), memory, []
        ray, memory = self._fresh_ray(problem, state.point, eps)
        return ray, memory, ["not a descent direction, reset"]

    def _fresh_ray(self, problem: Problem, point: Point, eps: float) -> tuple[Ray, Any]:
        d, memory = self._direction.propose(point, self._direction.init(point))
        return Ray(problem, point, d, point.slope(d), eps), memory

    def _search(self, ray: Ray, alpha0: float, state: LineSearchState) -> Trial:
        """The search's trial, and a shorter one while its gradient is not finite."""
        for _ in range(_SHORTENINGS):
            try:
                trial = self.search(ray, alpha0, state.search)
            except Exhausted as limit:
                limit.lowest = ray.lowest.point
                raise
            if trial.alpha == 0.0 or trial.point.is_finite:
                return trial
            alpha0 = 0.1 * trial.alpha
        return ray.start

    def _accept(
        self,
        state: LineSearchState,
        ray: Ray,
        alpha0: float,
        trial: Trial,
        memory: Any,
        events: list[str],
    ) -> LineSearchState:
        point, start = trial.point, ray.start
        pair = SecantPair(trial.alpha, ray.d, ray.point, point, start.slope)
        memory, event = self._direction.learn(memory, pair, point)
        if event:
            events.append(event)
        lowered = state.lowest - trial.f > ray.noise or point.optimality < 0.9 * state.smallest
        flat = not lowered and abs(start.f - trial.f) <= ROUND_OFF * ray.noise
        after = LineSearchState(
            point,
            state.k + 1,
            memory,
            self.search.learn(state.search, trial),
            Previous(trial.alpha, start.slope, start.f),
            trial.alpha,
            state.flat_steps + 1 if flat and self.search.needs_descent else 0,
            min(state.smallest, point.optimality),
            min(state.lowest, trial.f),
        )
        if after.flat_steps >= _FLAT_STEPS:
            self._question(after, ray, alpha0, events)
        if isinstance(self._direction, AnyUnit) and is_outgrown(after.memory, point):
            events.append(OUTGROWN)
            self.forget(after)
        after.event = "; ".join(events)
        return after

    def _question(self, state: LineSearchState, ray: Ray, alpha0: float, events: list[str]) -> None:
        """Flat steps: a fresh start, then round-off if the model still expects no more, else a failure."""
        if state.flat_steps == _FLAT_STEPS:  # the steps of a wrong scale are flat, too
            events.append("no visible decrease, direction reset")
            self.forget(state)
        elif self.direction.has_scale and _is_below_round_off(ray, alpha0):
            state.status = Status.ROUNDOFF
        elif state.flat_steps >= 2 * _FLAT_STEPS:
            state.status = Status.SEARCH_FAILED


def _is_below_round_off(ray: Ray, alpha0: float) -> bool:
    """Whether the decrease that the model predicts cannot be seen in f; widens ``ray.noise``.

    Besides its own rounding f has that of each ``x_i``: together ``eps (|f| + |g|'|x|)``.
    """
    xp, x = namespace(ray.d), ray.point.x
    (through_x,) = read(xp.abs(ray.point.g) @ xp.abs(x))
    ray.noise = eps_of(x) * (abs(ray.start.f) + through_x)
    return -0.5 * alpha0 * ray.start.slope <= _ROUNDOFF * ray.noise


def _stopped(state: LineSearchState, status: Status) -> LineSearchState:
    return LineSearchState(
        state.point, state.k, state.memory, state.search, status=status, event="search failed"
    )
