"""Fits on disk: what `Run.save` wrote, read back for the residuals it belongs to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from secant.arrays import Array
from secant.leastsquares.problem import LeastSquares, ResidualPoint
from secant.persistence import Reader, _read, _whole
from secant.run import Run
from secant.status import Status
from secant.trace import Row, Trace


@dataclass(frozen=True, eq=False)
class SavedFit:
    """A run's state and its past."""

    state: Any
    best: ResidualPoint
    trace: Trace
    seconds: float
    status: Status | None

    def hand_over(self, run: Run) -> None:
        """Let ``run``, which begins at the state, have the past too."""
        run.take_up(self.best, self.trace, self.seconds, self.status)


def read_fit(path: str | os.PathLike[str], problem: LeastSquares, x0: Array) -> SavedFit:
    """What ``path`` holds, its points known to ``problem``, whose counts go on from there.

    Raises
    ------
    ValueError
        If the file is not a saved run, or one of another number of variables.
    """
    content, stored = _read(Path(path))
    with _whole(path):
        reader = Reader(stored, x0, problem)
        status = content["status"]
        saved = SavedFit(
            reader.decode(content["state"]),
            reader.decode(content["best"]),
            Trace([Row(*row) for row in content["trace"]]),
            float(content["seconds"]),
            None if status is None else Status[status],
        )
        counts = problem.counts
        counts.nfev, counts.njev, counts.nhev = content["counts"]
    return saved
