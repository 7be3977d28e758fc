"""Runs on closures of chance, whose value is another one at every call: dropout, sampled points.

Among such values a search may look for ever for one that suits it, and when it gives up, a method forgets
its curvature and begins anew. Here an iteration takes a few trials at most; where they do not satisfy the
search the step ends at the lowest of them, and the curvature stays.
"""

from __future__ import annotations

import itertools

from secant.arrays import eps_of
from secant.point import Point
from secant.problem import Problem
from secant.run import Run
from secant.snapshot import Snapshot
from secant.status import Status

_TRIALS = 3
"""Evaluations of one iteration: on networks with dropout 2 gave up too early, 5 searched too long."""

_LONG = 10
"""Evaluations of an iteration above which one may doubt that the closure has one value at one point."""


def is_repeatable(problem: Problem, point: Point) -> bool | None:
    """Whether another evaluation at ``point`` has the same value; None if it cannot be said."""
    counts = problem.counts
    if counts.nfev >= counts.max_evals or not point.is_finite:
        return None
    difference = abs(problem.at(point.x).f - point.f)
    return bool(difference <= 10.0 * eps_of(point.x) * abs(point.f))


def has_long_search(run: Run) -> bool:
    """Whether an iteration, or a failed attempt at one, took suspiciously many evaluations."""
    nfev = [row.nfev for row in run.trace.rows] + [run.problem.counts.nfev]
    return any(after - before > _LONG for before, after in itertools.pairwise(nfev))


class BriefRun(Run):
    """A run that ends when the first few trials of a search do not satisfy it."""

    def step(self) -> Snapshot:
        """One iteration."""
        snapshot = super().step()
        if self.status is Status.MAX_EVALUATIONS and self.problem.counts.nfev < self._max_evals:
            self.status = Status.NON_DETERMINISTIC
        return snapshot

    def _arm(self) -> None:
        super()._arm()
        counts = self.problem.counts
        counts.max_evals = min(counts.max_evals, counts.nfev + _TRIALS)
