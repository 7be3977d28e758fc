"""One step of an optimizer: from where the parameters are, and what the last step left, to a run."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from secant.arrays import eps_of
from secant.run import Run
from secant.snapshot import Snapshot
from secant.status import Status
from secant.stopping import GradientBelow, MaxIterations, Stop, Unbounded
from secant.torch import options
from secant.torch.carried import Carried, Last, continued, scale_radius
from secant.torch.chance import BriefRun, has_long_search, is_repeatable
from secant.torch.variables import Variables


@dataclass(frozen=True)
class LossChange:
    """``|f - f_before| < tolerance |f|`` in one iteration; never where the tolerance is zero."""

    tolerance: float

    def __call__(self, snapshot: Snapshot) -> Status | None:
        rows = snapshot.trace.rows
        if len(rows) < 2:
            return None
        change = abs(rows[-1].f - rows[-2].f)
        return Status.NO_PROGRESS if change < self.tolerance * abs(rows[-1].f) else None


@dataclass
class Step:
    """The parts of a step.

    Attributes
    ----------
    problem : object
        The closure.
    variables : Variables
    method : object
    group : dict
        The options, which are those of the first group.
    carried : Carried or None
        What the last step left, if it belongs to these variables and this method.
    is_first_order : bool
        Whether a search may be told that the closure is one of chance.
    repeats : bool or None
        Whether the closure has one value at one point; None as long as nothing made one ask.
    """

    problem: Any
    variables: Variables
    method: Any
    group: dict[str, Any]
    carried: Carried | None
    is_first_order: bool
    repeats: bool | None = None

    def begin(self, z: Any, kind: type[Run], scaler: Any) -> Run:
        """The run, of this kind where the closure is not one of chance, at its first point."""
        point = self._first_point(z, scaler)
        self.repeats = self._whether_it_repeats(point)
        lr = self.variables.largest_lr
        if self.carried is None:
            state = self.method.init(self.problem, point)
            scale_radius(state, lr)
        else:
            state = continued(self.carried, point, lr)
        run = (BriefRun if self.repeats is False and self.is_first_order else kind)(
            self.problem,
            self.method,
            state,
            self.variables,
            self._stops(state),
            max_evals=options.max_eval(self.group),
            max_seconds=math.inf,
        )
        run.trace.add(Snapshot(run))
        run.take_up(point, run.trace, 0.0, Status.NOT_FINITE_START)
        return run

    def settle(self, run: Run) -> None:
        """Leave the parameters at the last iterate, or at a trial cut short that is below it."""
        if run.status in (Status.MAX_EVALUATIONS, Status.NON_DETERMINISTIC):
            better = self.problem.better_than(run.point)
            if better is not None:
                run.state = replace(run.state, point=better)
        run.structure.present(run.point.x)

    def leave(self, run: Run, loss: Any) -> Carried:
        """What the next step is to know. The run keeps its point without graph and Jacobian."""
        point = run.point
        g = point.g if point.is_finite else math.nan * point.x
        is_known = self._is_deterministic and point.is_finite
        carried = Carried(
            replace(run.state, point=None, status=None, event=""),
            self.variables.signature,
            self.method,
            self.variables.largest_lr,
            Last(point.x, point.f, g, loss, self.variables.decays) if is_known else None,
            False if run.status is Status.NON_DETERMINISTIC else self.repeats,
            has_long_search(run),
        )
        run.best = run.problem.known(point.x, point.f, g)
        run.best.optimality = point.optimality  # with bounds more than the gradient goes into it
        run.state = replace(run.state, point=run.best)
        return carried

    @property
    def _is_deterministic(self) -> bool:
        return bool(self.group.get("deterministic", False))

    def _first_point(self, z: Any, scaler: Any) -> Any:
        """Where the parameters are: evaluated, unless a deterministic closure was there already."""
        problem, variables = self.problem, self.variables
        counts = problem.counts
        counts.max_evals = options.max_eval(self.group)
        last = None if self.carried is None else self.carried.last
        is_same = last is not None and self._is_deterministic and last.decays == variables.decays
        if last is not None and is_same and variables.adopt(last.z):
            return problem.again(last.z, last.f, last.g, last.loss)
        point = problem.at(z)
        while scaler is not None and scaler.get_scale() >= 1.0 and counts.nfev < counts.max_evals:
            if point.is_finite:
                break
            scaler.update(new_scale=scaler.get_scale() * scaler.get_backoff_factor())
            point = problem.at(z)
        return point

    def _whether_it_repeats(self, point: Any) -> bool | None:
        carried = self.carried
        if carried is None or self._is_deterministic:
            return None
        if carried.repeats is not None or not (carried.is_doubtful and self.is_first_order):
            return carried.repeats
        return is_repeatable(self.problem, point)

    def _stops(self, state: Any) -> list[Stop]:
        return [
            GradientBelow(self.group["tolerance_grad"]),
            Unbounded(eps_of(state.point.x)),
            LossChange(self.group["tolerance_change"]),
            MaxIterations(state.k + self.group["max_iter"]),
        ]
