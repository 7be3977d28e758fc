"""First iterations in single precision, which take half the time, the last ones in double.

Far from a minimum a step needs few digits: what the rounding of float32 adds to a gradient is lost among
the rows. So a training begins in float32, with data, weights and what the method learns of the curvature,
for as long as an iteration lowers the loss by a visible part of itself. Whatever then ends this run - the
goal, the gradient, the round-off - is for float64 to judge: from the same weights, with the curvature
learned so far, a second run goes on, and ends the training. Where a limit does, the loss of the weights
that are kept is evaluated once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

import secant
from secant.learn.closed_form.objective import weights_of
from secant.learn.monitor import Monitor
from secant.learn.runs import ClosedForm
from secant.snapshot import Snapshot
from secant.status import Status

__all__ = ["SingleFirst"]

_VISIBLE = 1e-4
"""Part of itself by which an iteration has to lower the loss: a thousand times the round-off of float32."""


_FINAL = {
    Status.INTERRUPTED,
    Status.MAX_ITERATIONS,
    Status.MAX_EVALUATIONS,
    Status.TIME_LIMIT,
    Status.VALIDATION_STOP,
}
"""What ends a training whatever the precision."""


@dataclass
class SingleFirst(ClosedForm):
    """Value and gradient by `Objective`, first in float32."""

    def runs(self, monitor: Monitor) -> Iterator[secant.Run]:
        """Two, the second from where the first has ended."""
        exact = self.learner.train
        x0 = weights_of(self.learner.network)
        limits = self._limits(monitor)
        limits["stop"] = (*limits["stop"], _slow)
        rough = self._start(exact.in_single(), x0.astype(np.float32), limits)
        yield rough
        if rough.status in _FINAL:
            return
        done = monitor.go_on(rough.problem.counts.nfev)
        limits = self._limits(monitor)
        limits["max_iter"] = max(0, self.options.max_iter - done)
        limits["max_seconds"] = max(self.options.max_seconds - rough.seconds, 1e-9)
        if rough.status is Status.NOT_FINITE_START:  # in float32, which cannot hold the numbers
            yield self._start(exact, x0, limits)
        else:
            x = rough.point.x.astype(exact.dtype)
            yield self._start(exact, x, limits, warm_start=rough)


def _slow(seen: Snapshot) -> Status | None:
    """Stop where two iterations in a row did not lower the loss visibly."""
    last = [row.f for row in seen.trace.rows[-3:]]
    if len(last) < 3 or last[0] - last[2] > 2.0 * _VISIBLE * abs(last[2]):
        return None
    return Status.NO_PROGRESS
