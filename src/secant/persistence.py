"""Runs on disk: saved, and taken up again where they were."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from secant import checks
from secant.arrays import HostArray
from secant.diagnosis import Diagnosis
from secant.encoding import Reader as Reader
from secant.encoding import Writer as Writer
from secant.point import Point
from secant.run import Callback, Run
from secant.saved_run import (
    FORMAT,
    empty_start,
    method_fields,
    read_saved,
    saved_method,
    whole_run,
    write_saved,
)
from secant.status import Status
from secant.stopping import Stop
from secant.trace import Row, Trace

if TYPE_CHECKING:
    from secant.functions import Task

__all__ = ["Reader", "Writer", "resume", "save_run"]


def save_run(run: Run, path: str | os.PathLike[str]) -> None:
    """Write ``run`` to ``path``: first beside it, then renamed, so that no half-written file is left."""
    writer = Writer()
    point = run.point
    vector = run.structure.vector(point.x)
    content = {
        "format": FORMAT,
        "library": type(vector).__module__.split(".")[0],
        "dtype": str(vector.dtype).rpartition(".")[2],
        "method": method_fields(run.method),
        "state": writer.encode(run.state),
        "best": writer.encode(run.best),
        "trace": [list(row) for row in run.trace],
        "seconds": run.seconds,
        "status": None if run.status is None else run.status.name,
        "diagnosis": writer.encode(run.diagnosis),
        "counts": [run.problem.counts.nfev, run.problem.counts.njev, run.problem.counts.nhev],
    }
    write_saved(Path(path), content, writer.arrays)


def resume(
    path: str | os.PathLike[str],
    fun: Callable[..., Any],
    x0: Any = None,
    args: tuple[Any, ...] = (),
    method: Any = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    *,
    gtol: float = 1e-5,
    max_iter: int | None = None,
    max_evals: int | None = None,
    max_seconds: float | None = None,
    target: float | None = None,
    stop: Sequence[Stop] = (),
    callback: Callback | None = None,
) -> Run:
    """Go on with a run that `Run.save` wrote; with the same function it gives what it would have given.

    Parameters
    ----------
    path : path-like
        The file.
    fun, args, jac, hess, hessp
        The function and its derivatives, as given to `start`.
    x0 : optional
        Needed where the run's variables were a module, its parameters or a nest (for their structure),
        and to choose a device; the values come from the file.
    method : optional
        Needed where the method was configured with a function of the user's (a schedule).
    gtol, max_iter, max_evals, max_seconds, target, stop, callback
        As in `minimize`; limits count from the start of the run, not from here. A fit (of
        `start_least_squares`; ``fun`` gives its residuals) keeps its own tolerances instead of ``gtol``.

    Returns
    -------
    Run

    Raises
    ------
    ValueError
        If the file is not a saved run, or does not fit ``x0`` or ``method``.

    Examples
    --------
    >>> import secant, tempfile, os
    >>> def f(x):
    ...     return (x**4).sum()
    >>> run = secant.start(f, [1.0, 2.0])
    >>> _ = run.step()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "run.npz")
    ...     run.save(path)
    ...     again = secant.resume(path, f)
    >>> bool((run.finish().x == again.finish().x).all())
    True
    """
    from secant.leastsquares.saved import holds_fit, resume_fit
    from secant.minimize import launch

    content, stored = read_saved(Path(path))
    with whole_run(path):
        if holds_fit(content):
            for name, given in (("hess", hess), ("hessp", hessp)):
                checks.require(given is None, name, given, "None: the file holds a fit")
            return resume_fit(
                path,
                (content, stored),
                fun,
                x0,
                method,
                jac,
                args=args,
                max_nfev=max_evals,
                max_iter=max_iter,
                max_seconds=max_seconds,
                target=target,
                stop=stop,
                callback=callback,
            )
        method = saved_method(content["method"]) if method is None else method
        start = empty_start(content, stored) if x0 is None else x0
        n = content["state"]["fields"]["point"]["n"]
    task = _task(fun, start, args, jac, hess, hessp, n)
    with whole_run(path):
        past = _read_past(content, stored, task)
    run = launch(
        task,
        method,
        None,
        gtol=gtol,
        max_iter=max_iter,
        max_evals=max_evals,
        max_seconds=max_seconds,
        target=target,
        stop=stop,
        callback=callback,
        state=past.state,
    )
    run.take_up(past.best, past.trace, past.seconds, past.status, past.diagnosis)
    return run


class _Past(NamedTuple):
    """What a saved run had come to."""

    state: Any
    best: Point
    trace: Trace
    seconds: float
    status: Status | None
    diagnosis: Diagnosis | None


def _read_past(content: dict[str, Any], stored: dict[str, HostArray], task: Task) -> _Past:
    """The past in a file's content; the counts go on from there."""
    reader = Reader(stored, task.x0, task.problem)
    state, best = reader.decode(content["state"]), reader.decode(content["best"])
    _ = state.point.f, state.k, best.f
    diagnosis = reader.decode(content.get("diagnosis"))
    if not isinstance(diagnosis, Diagnosis | None):
        raise TypeError(f"its diagnosis is a {type(diagnosis).__name__}")
    status = content["status"]
    counts = task.problem.counts
    counts.nfev, counts.njev, counts.nhev = content["counts"]
    return _Past(
        state,
        best,
        Trace([Row(*row) for row in content["trace"]]),
        float(content["seconds"]),
        None if status is None else Status[status],
        diagnosis,
    )


def _task(fun: Any, x0: Any, args: Any, jac: Any, hess: Any, hessp: Any, n: int) -> Task:
    from secant.minimize import make_task

    task = make_task(fun, x0, args, jac, hess, hessp)
    if task.x0.shape[0] != n:
        raise ValueError(f"x0 must have {n} elements as in the saved run, got {task.x0.shape[0]}")
    return task
