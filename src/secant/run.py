"""The one loop: steps, stops, callbacks, limits, and the best point seen."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from secant import threads
from secant.arrays import eps_of
from secant.counts import Exhausted, OutOfEvaluations
from secant.diagnosis import Diagnosis, diagnose, why_stalled
from secant.point import Point
from secant.problem import Problem
from secant.snapshot import Snapshot
from secant.status import Status
from secant.stopping import Stop
from secant.structure import Structure
from secant.trace import Trace
from secant.warm_start import Learned, taken_over

if TYPE_CHECKING:
    from secant.result import Result

Callback = Callable[[Snapshot], object]

_UNKNOWN = math.nan
"""Stands for the gradient at a start whose evaluation the budget cut short."""


class Run:
    """A minimisation that can be stepped, watched, saved and resumed; made by `secant.start`.

    Iterating yields a `Snapshot` after every iteration until the run ends; `step` makes one iteration.
    An exception of the user's function leaves the run where the last iteration ended, and the step may
    be tried again.

    Attributes
    ----------
    status : Status or None
        Why the run ended; None while it has not.
    diagnosis : Diagnosis or None
        Why the search failed, if it did.
    trace : Trace
        What happened so far.

    Examples
    --------
    >>> import secant
    >>> run = secant.start(lambda x: ((x - 1.0) ** 4).sum(), [4.0, -2.0])
    >>> for snapshot in run:
    ...     if snapshot.f < 1e-3:
    ...         break
    >>> run.result().success, run.status
    (False, None)
    """

    def __init__(
        self,
        problem: Problem,
        method: Any,
        state: Any,
        structure: Structure,
        stops: Sequence[Stop],
        *,
        max_evals: float,
        max_seconds: float,
        callback: Callback | None = None,
        x0: Any = None,
        warm_start: Any = None,
    ) -> None:
        # a method may add to f what the user's function does not know
        self.problem: Problem = method.pose(problem) if hasattr(method, "pose") else problem
        self.method = method
        self.structure = structure
        self.trace = Trace()
        self.status: Status | None = None
        self.diagnosis: Diagnosis | None = None
        self.seconds = 0.0
        self._max_evals = max_evals
        self._max_seconds = max_seconds
        self._stops = tuple(stops)
        self._callback = callback
        self.state = state
        self._clock = time.perf_counter()
        self._arm()
        if state is None:
            self._begin(x0, warm_start)
        else:
            self.best: Point = state.point
        x = self.point.x
        size = getattr(self.state.memory, "size", x.shape[0])
        self._advance: Callable[[Problem, Any], Any] = method.step
        if threads.may_wake(x, size):
            self._advance = threads.on_one_thread(method.step)
            self.problem.evaluate_within(threads.AsBefore())

    @property
    def point(self) -> Point:
        """The iterate."""
        point: Point = self.state.point
        return point

    # --------------------------------------------------------------------------------- stepping

    def step(self) -> Snapshot:
        """Make one iteration.

        Returns
        -------
        Snapshot
            The iterate after it (the old one if the run ended without finding a better).

        Raises
        ------
        RuntimeError
            If the run has ended.
        Exception
            Whatever the user's function raises; the run stays usable.
        """
        if self.status is not None:
            raise RuntimeError(f"the run has ended ({self.status}); start a new one to go on")
        self._clock = time.perf_counter()
        self._arm()
        try:
            state = self._advance(self.problem, self.state)
            if state.status is not None:
                self._examine(state)
        except Exhausted as limit:
            self.status = _exhausted(limit)
            if limit.lowest is not None and limit.lowest.f < self.best.f:
                self.best = limit.lowest
            return Snapshot(self)
        except KeyboardInterrupt:
            self.status = Status.INTERRUPTED
            self.method.forget(self.state)  # an update may have been cut in half
            return Snapshot(self)
        finally:
            self.seconds += time.perf_counter() - self._clock
        moved = state.k > self.state.k
        self.state = state
        self.status = state.status
        snapshot = self._record() if moved else Snapshot(self)
        self._ask(snapshot)
        if self.status is None:
            self._look_for_noise()
        return snapshot

    def __iter__(self) -> Iterator[Snapshot]:
        while self.status is None:
            yield self.step()

    def finish(self) -> Result:
        """Step until the run ends."""
        while self.status is None:
            self.step()
        return self.result()

    # ------------------------------------------------------------------------------ the outcome

    def result(self) -> Result:
        """The best point seen and why the run ended, in SciPy's names.

        Parameters that belong to the user (of a module) are left at that point.
        """
        from secant.result import make_result  # SciPy's optimize takes half a second to import

        best = self._best_point()
        self.structure.present(best.x)
        return make_result(self, best)

    def restore(self) -> None:
        """Leave the user's parameters, where there are any, at the best point seen."""
        self.structure.present(self._best_point().x)

    @property
    def memory(self) -> Learned:
        """What the method has learned so far, for ``warm_start``."""
        x = self.point.x
        return Learned(self.method.name, int(x.shape[0]), self.state.memory, x.dtype)

    def reset(self) -> None:
        """Forget what the method has learned of the curvature; the iterate stays."""
        self.method.forget(self.state)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole run to a file that `secant.resume` goes on from, bit for bit.

        Parameters
        ----------
        path : path-like
            An ``.npz`` file of plain arrays and JSON; written beside itself and then renamed.
        """
        from secant.persistence import save_run

        save_run(self, path)

    def take_up(
        self,
        best: Point,
        trace: Trace,
        seconds: float,
        status: Status | None = None,
        diagnosis: Diagnosis | None = None,
    ) -> None:
        """Continue a saved run's past; what had ended for good, or has met a stop, ends here too."""
        self.best, self.trace, self.seconds = best, trace, seconds
        self.diagnosis = diagnosis
        self.status = self.state.status if self.point.is_finite else status
        self._ask_stops(Snapshot(self))

    # -------------------------------------------------------------------------------- internals

    def _begin(self, x0: Any, warm_start: Any) -> None:
        limit: Exhausted | None = None
        try:
            point = self._first_point(x0)
            finite = math.isfinite(point.optimality) and point.is_finite
        except Exhausted as exhausted:  # in the gradient: differences count as evaluations
            limit = exhausted
            point = self.problem.known(point.x, point.f, _UNKNOWN * point.x)
            finite = math.isfinite(point.f)
        finally:
            self.seconds = time.perf_counter() - self._clock
        self.best = point
        self.state = self.method.init(self.problem, point)
        if warm_start is not None:
            self.state.memory = taken_over(warm_start, self.method.name, point.x)
        snapshot = self._record()
        if not finite:
            self.status = Status.NOT_FINITE_START
        elif limit is not None:
            self.status = _exhausted(limit)
        else:
            self._ask(snapshot)

    def _first_point(self, x0: Any) -> Point:
        """The start with its value, which no limit on the time forbids."""
        counts = self.problem.counts
        deadline, counts.deadline = counts.deadline, math.inf
        point = self.problem.at(x0)
        counts.deadline = deadline
        return point

    def _arm(self) -> None:
        counts = self.problem.counts
        counts.max_evals = self._max_evals
        counts.deadline = self._clock + self._max_seconds - self.seconds

    def _examine(self, state: Any) -> None:
        """Find out why a method cannot go on, and let its status say so."""
        self.diagnosis = diagnose(self.problem, state.point, state.status, self.trace)
        if self.diagnosis is not None:
            state.status = self.diagnosis.status

    def _look_for_noise(self) -> None:
        """End a run that no longer gets anywhere if noise is the reason."""
        try:
            found = why_stalled(self.problem, self.point, self.trace)
        except Exhausted as limit:
            self.status = _exhausted(limit)
            return
        except KeyboardInterrupt:
            self.status = Status.INTERRUPTED
            return
        if found is not None:
            self.diagnosis, self.status = found, found.status

    def _record(self) -> Snapshot:
        point: Point = self.state.point
        if point.f < self.best.f:
            self.best = point
        snapshot = Snapshot(self)
        self.trace.add(snapshot)
        return snapshot

    def _ask(self, snapshot: Snapshot) -> None:
        """Stops and the callback, which sees the user's parameters at the snapshot."""
        self.structure.present(self.state.point.x)
        self._ask_stops(snapshot)
        if self._callback is None:
            return
        try:
            wants_stop = bool(self._callback(snapshot))
        except StopIteration:
            wants_stop = True
        except KeyboardInterrupt:
            self.status = Status.INTERRUPTED
            return
        if wants_stop and self.status is None:
            self.status = Status.CALLBACK

    def _ask_stops(self, snapshot: Snapshot) -> None:
        for stop in self._stops:
            if self.status is not None:
                return
            self.status = stop(snapshot)

    def _best_point(self) -> Point:
        """The last iterate unless an earlier one was visibly lower and nothing is claimed of the last."""
        best, last = self.best, self.point
        if not last.is_finite:
            return best
        if self.status in (Status.GRADIENT, Status.ROUNDOFF):
            return last
        return last if last.f <= best.f + 4.0 * eps_of(last.x) * abs(best.f) else best

    def __repr__(self) -> str:
        state = "running" if self.status is None else self.status.name
        return f"Run({self.method.name}, {state}, {self.trace!r})"


def _exhausted(limit: Exhausted) -> Status:
    """The status of a budget that is used up."""
    evaluations = isinstance(limit, OutOfEvaluations)
    return Status.MAX_EVALUATIONS if evaluations else Status.TIME_LIMIT
