"""Fits on disk: what `Run.save` wrote, read back for the residuals it belongs to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from secant import checks
from secant.arrays import Array, HostArray
from secant.counts import Exhausted
from secant.diagnosis import Diagnosis
from secant.encoding import Reader
from secant.leastsquares.problem import LeastSquares, ResidualPoint
from secant.run import Run
from secant.saved_run import empty_start, read_saved, saved_method, whole_run
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
    diagnosis: Diagnosis | None

    def hand_over(self, run: Run) -> None:
        """Let ``run``, which begins at the state, have the past too."""
        run.take_up(self.best, self.trace, self.seconds, self.status, self.diagnosis)


def read_fit(path: str | os.PathLike[str], problem: LeastSquares, x0: Array) -> SavedFit:
    """What ``path`` holds, its points known to ``problem``, whose counts go on from there.

    Raises
    ------
    ValueError
        If the file is not a saved run, or one of another number of variables.
    """
    content, stored = read_saved(Path(path))
    with whole_run(path):
        reader = Reader(stored, x0, problem)
        status = content["status"]
        saved = SavedFit(
            reader.decode(content["state"]),
            reader.decode(content["best"]),
            Trace([Row(*row) for row in content["trace"]]),
            float(content["seconds"]),
            None if status is None else Status[status],
            reader.decode(content.get("diagnosis")),
        )
        problem.damping = saved.state.alpha
        counts = problem.counts
        counts.nfev, counts.njev, counts.nhev = content["counts"]
    return saved


def holds_fit(content: dict[str, Any]) -> bool:
    """Whether a file's content is that of a fit."""
    return str(content["state"]["class"]).endswith(":FitState")


def resume_fit(
    path: str | os.PathLike[str],
    saved: tuple[dict[str, Any], dict[str, HostArray]],
    fun: Any,
    x0: Any,
    method: Any,
    jac: Any,
    **options: Any,
) -> Run:
    """Go on with a fit of residuals alone; `secant.resume` for what `start_least_squares` began.

    Parameters
    ----------
    path : path-like
    saved : tuple
        What the file holds.
    fun, x0, method, jac
        As in `secant.resume`.
    **options
        Limits, stops and the callback, in the names of `secant.start_least_squares`.

    Raises
    ------
    ValueError
        If the fit had bounds, or if ``fun`` has another sum of squares at the saved point: bounds,
        weights, losses and samples are not in the file.
    """
    from secant.least_squares import start_least_squares

    content, stored = saved
    again = (
        "go on with secant.start_least_squares(..., resume=path) and the arguments it began with"
    )
    with whole_run(path):
        checks.require(
            not content["state"]["fields"]["is_bounded"],
            "path",
            path,
            f"a fit without bounds; {again}",
        )
        method = saved_method(content["method"]) if method is None else method
        start = empty_start(content, stored) if x0 is None else x0
    run = start_least_squares(fun, start, jac, method=method, resume=path, **options)
    point = run.point
    assert isinstance(point, ResidualPoint)
    if run.status is None and point.is_finite:
        try:
            f = run.problem.cost(point)
        except Exhausted:
            return run
        if not abs(f - point.f) <= 1e-6 * abs(point.f):
            raise ValueError(
                f"fun must have the sum of squares of the saved point, half of it {point.f:.8g}, got "
                f"{f:.8g}; weights, losses and samples are not in the file: {again}"
            )
    return run
