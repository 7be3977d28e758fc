"""In which minimum Newton's methods and trust regions end, ours and SciPy's, from disturbed starts.

    python -m benchmarks.second_order --minima

A function with several minima is started many times beside its standard start; counted are the runs that end
in the lowest minimum that any of them has found, and their evaluations.
"""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.interleaved import progress
from benchmarks.second_order_problems import Problem, from_objective, rosenbrock, wells
from benchmarks.second_order_runs import METHODS, run, solvers
from benchmarks.tables import short, table
from secant import problems

STARTS = 50

DISTURBANCE = 0.1
"""Standard deviation of what is added to each variable."""

SAME = 1e-3
"""Values so close to the lowest, relative to it or to 1, are its."""

MOST, SECONDS = 3000, 10.0


def several_minima() -> list[Problem]:
    """Functions with more than one minimum near their standard start."""
    return [
        *(rosenbrock(n) for n in (5, 10, 30, 100)),
        *(wells(n) for n in (10, 100)),
        from_objective(problems.chebyquad(8)),
    ]


def disturbed(problem: Problem, count: int = STARTS) -> Iterable[Problem]:
    """The problem from starts beside its own, the same in every run."""
    noise = np.random.default_rng(0)
    for _ in range(count):
        yield problem.started_at(problem.x0 + DISTURBANCE * noise.standard_normal(problem.n))


def measure(methods: Sequence[str] = METHODS) -> dict[str, Any]:
    """A row for each method and problem, with all its runs."""
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    with np.errstate(all="ignore"):
        rows = [_row(method, problem) for problem in several_minima() for method in methods]
    return {"machine": machine.describe(), "rows": rows}


def _row(method: str, problem: Problem) -> dict[str, Any]:
    row: dict[str, Any] = {"method": method, "problem": problem.name, "secant": [], "SciPy": []}
    for start in disturbed(problem):
        for name, solve in solvers(method, start).items():
            row[name].append(asdict(run(solve, start, MOST, SECONDS)))
    progress(" ".join(_cells(row, _lowest([row]))))
    return row


def tables(found: dict[str, Any]) -> str:
    """Runs in the lowest minimum, and evaluations, for each problem and method."""
    rows = found["rows"]
    lowest = {
        name: _lowest([row for row in rows if row["problem"] == name])
        for name in dict.fromkeys(row["problem"] for row in rows)
    }
    head = ["problem", "method", "secant lowest", "SciPy lowest", "secant solves", "SciPy solves"]
    head += ["secant evaluations", "SciPy evaluations", "time"]
    note = (
        f"of {STARTS} starts each; evaluations: medians of the runs that solve; time: SciPy's over secant's, "
        "medians over the starts from which both do"
    )
    return f"{table(head, [_cells(row, lowest[row['problem']]) for row in rows])}\n\n{note}"


def _lowest(rows: Sequence[dict[str, Any]]) -> float:
    """The least value at a solution."""
    return min(
        one["f"]
        for row in rows
        for name in ("secant", "SciPy")
        for one in row[name]
        if one["solved"]
    )


def _cells(row: dict[str, Any], lowest: float) -> list[str]:
    ends, solved, evaluations = [], [], []
    near = lowest + SAME * max(1.0, abs(lowest))
    for name in ("secant", "SciPy"):
        done = [one for one in row[name] if one["solved"]]
        solved.append(str(len(done)))
        ends.append(str(sum(one["f"] <= near for one in done)))
        evaluations.append(f"{statistics.median(one['nfev'] for one in done):.0f}" if done else "-")
    pairs = zip(row["secant"], row["SciPy"], strict=True)
    times = [b["seconds"] / a["seconds"] for a, b in pairs if a["solved"] and b["solved"]]
    time = short(statistics.median(times)) if times else "-"
    return [row["problem"], row["method"], *ends, *solved, *evaluations, time]
