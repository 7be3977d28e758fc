"""Methods that factorise 2000 x 2000 Hessians, where whole runs take many minutes.

    python -m benchmarks.second_order --long

The curved valley and the double wells for a fixed number of evaluations: seconds for each of them, and the
values at the time at which the quicker of the two had used up its own or was done. A Newton's method that
factorises SciPy does not have, and its `dogleg` refuses indefinite Hessians, so that everything stands
beside its `trust-exact`.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks import machine
from benchmarks.interleaved import progress
from benchmarks.second_order_problems import Problem, Vector, rosenbrock, wells
from benchmarks.second_order_runs import Watch, solvers, watched
from benchmarks.tables import short, table

N = 2000

FAMILIES: tuple[tuple[Callable[[int], Problem], int], ...] = ((rosenbrock, 30), (wells, 80))
"""Problems, and the evaluations of one run."""

SECONDS = 120.0
"""Processor time that a run may take."""

CONTESTANTS = (
    ("secant", "newton"),
    ("secant", "trust-exact"),
    ("secant", "dogleg"),
    ("SciPy", "trust-exact"),
    ("SciPy", "dogleg"),
)


class Clocked(Watch):
    """A watch that notes when which least value was reached.

    Attributes
    ----------
    falls : list of (seconds, f)
    """

    def __init__(self, problem: Problem, most: int, seconds: float) -> None:
        super().__init__(problem, most, seconds)
        self.falls: list[tuple[float, float]] = []
        self._began = time.process_time()

    def fun(self, x: Vector) -> float:
        """The value."""
        f = super().fun(x)
        self.falls.append((time.process_time() - self._began, self.lowest))
        return f


def measure(n: int = N) -> dict[str, Any]:
    """A row for each problem and contestant."""
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    return {"machine": machine.describe(), "rows": list(_rows(n))}


def _rows(n: int) -> Iterable[dict[str, Any]]:
    for family, most in FAMILIES:
        problem = family(n)
        for library, method in CONTESTANTS:
            for warm in (family(2), problem):  # the first run imports
                watch = Clocked(warm, most, SECONDS)
                outcome = watched(solvers(method, warm)[library], watch)
            row = {
                "problem": problem.name,
                "library": library,
                "method": method,
                "solved": outcome.solved,
                "end": outcome.end,
                "evaluations": outcome.nfev,
                "hessians": outcome.products,
                "seconds": outcome.seconds,
                "falls": watch.falls,
            }
            progress(f"{library:7}{method:12}{problem.name:20}{outcome.seconds:8.1f} s")
            yield row


def tables(found: dict[str, Any]) -> str:
    """Seconds of an evaluation, and values after equal time, beside SciPy's `trust-exact`."""
    lines = []
    for row in found["rows"]:
        peer = next(
            one
            for one in found["rows"]
            if one["problem"] == row["problem"]
            and (one["library"], one["method"]) == ("SciPy", "trust-exact")
        )
        at = min(row["seconds"], peer["seconds"])
        lines.append(
            [
                f"{row['library']} {row['method']}",
                row["problem"],
                str(row["evaluations"]),
                str(row["hessians"]),
                f"{row['seconds'] / row['evaluations']:.3f}",
                short(_pace(peer) / _pace(row)),
                "yes" if row["solved"] else "no",
                f"{at:.1f}",
                *(f"{_value_at(one, at):.6g}" for one in (row, peer)),
            ]
        )
    head = ["method", "problem", "evaluations", "Hessians", "s each", "ratio", "solved"]
    return table([*head, "after s", "f", "SciPy's f"], lines)


def _pace(row: dict[str, Any]) -> float:
    """Seconds for each evaluation."""
    return float(row["seconds"] / row["evaluations"])


def _value_at(row: dict[str, Any], seconds: float) -> float:
    """The least value known at a time."""
    known = [f for at, f in row["falls"] if at <= seconds]
    return known[-1] if known else row["falls"][0][1]
