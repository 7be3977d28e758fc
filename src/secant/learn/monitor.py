"""What watches a training: it records, counts failures, keeps the best weights and says stop."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Protocol

import secant
from secant.learn.history import Epoch, History
from secant.learn.learner import Learner, Seen

__all__ = ["Limits", "Monitor"]


class Limits(Protocol):
    """When a training stops besides where the optimiser does: a part of `Strategy`."""

    @property
    def max_seconds(self) -> float: ...

    @property
    def max_evals(self) -> int | None: ...

    @property
    def patience(self) -> int: ...

    @property
    def goal(self) -> float | None: ...

    @property
    def tol(self) -> float: ...

    @property
    def n_iter_no_change(self) -> int: ...


@dataclass
class _Stall:
    """Counts the iterations in a row without a visible decrease."""

    lowest: float = math.inf
    count: int = 0

    def add(self, value: float, tol: float) -> int:
        self.count = 0 if value < self.lowest - tol else self.count + 1
        self.lowest = min(self.lowest, value)
        return self.count


class Monitor:
    """Records each iteration, counts failures, keeps the best weights, says stop.

    Parameters
    ----------
    learner : Learner
    limits : Strategy
    """

    def __init__(self, learner: Learner, limits: Limits) -> None:
        self.learner = learner
        self.limits = limits
        self.history = History()
        # The epoch and its weights change in one assignment, so that Ctrl-C cannot part them.
        self.best: tuple[Epoch, Any] | None = None
        self.paused = 0.0
        self._before = 0, 0  # iterations and evaluations of a run that has ended
        self._again: Epoch | None = None  # its last one, until the next run has told of it
        self._lowest = math.inf
        self._stall = _Stall()
        self._stalled = 0
        self._started = perf_counter()

    @property
    def seconds(self) -> float:
        """Wall-clock time since the start."""
        return perf_counter() - self._started

    def go_on(self, evaluations: int) -> int:
        """Expect another run, which begins at the last weights; return the iterations so far.

        What it says of these weights takes the place of what the last run said, which has made so
        many `evaluations`.
        """
        self._again = self.history.epochs[-1] if self.history.epochs else None
        done = self._again.iteration if self._again else 0
        self._before = done, evaluations
        return done

    def settle(self) -> None:
        """Let the best iteration tell the loss in the network's own precision."""
        if self.best is None:
            return
        epoch, kept = self.best
        objective = self.learner.objective_at(kept)
        if objective is not None:
            loss = objective - self.learner.penalty(kept)
            exact = replace(epoch, objective=objective, training_loss=loss)
            self.history.put(exact)
            self.best = (exact, kept)

    def stop(self, seen: Seen) -> secant.Status | None:
        """Observe, then judge; a stop of `secant.start`."""
        self.observe(seen)
        limits, last = self.limits, self.history.epochs[-1]
        if limits.goal is not None and last.training_loss <= limits.goal:
            return secant.Status.TARGET
        best = self.best[0] if self.best and self.learner.has_validation else last
        if last.iteration - best.iteration >= limits.patience:
            return secant.Status.VALIDATION_STOP
        if limits.max_evals is not None and last.evaluations >= limits.max_evals:
            return secant.Status.MAX_EVALUATIONS
        if limits.tol > 0.0 and self._stalled >= limits.n_iter_no_change:
            return secant.Status.NO_PROGRESS
        # The run counts the time inside its steps alone; here the validation counts, too.
        return secant.Status.TIME_LIMIT if self.seconds > limits.max_seconds else None

    def observe(self, seen: Seen) -> None:
        """Record an iteration, unless it was recorded."""
        again, (iterations, evaluations) = self._again, self._before
        iteration = seen.k + iterations
        if again is None and self.history.epochs and self.history.epochs[-1].iteration >= iteration:
            return
        x, learner = seen.flat, self.learner
        columns = learner.columns(seen)
        if again is not None:
            columns["step"] = again.step
        validation_loss = learner.validation_loss(x)
        epoch = Epoch(
            iteration=iteration,
            seconds=self.seconds - self.paused,
            objective=seen.f,
            training_loss=seen.f - learner.penalty(x),
            validation_loss=validation_loss,
            gradient_norm=seen.optimality,
            evaluations=seen.nfev + evaluations,
            **columns,
        )
        if again is not None:
            self._take_back(again)
        self.history.put(epoch)
        compared = validation_loss if learner.has_validation else learner.comparable(seen)
        if self.best is None or compared < self._lowest:
            self._lowest = compared if math.isfinite(compared) else math.inf
            self.best = (epoch, learner.keep(x))
        self._stalled = self._stall.add(seen.f, self.limits.tol)

    def _take_back(self, again: Epoch) -> None:
        """Let an iteration that is told once more count once."""
        self._again = None
        self._stall.count -= 1
        if self.best is not None and self.best[0] is again:
            self._lowest = math.inf
