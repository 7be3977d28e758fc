"""Which of `secant.problems` Newton's methods and trust regions solve, from near and from far, beside SciPy's.

    python -m benchmarks.second_order --starts
    python -m benchmarks.second_order --starts --only trust-krylov

Every problem is started at its standard start and, as Moré, Garbow and Hillstrom do, at 10 and at 100 times
it (where that is not zero). What is solved is what `benchmarks.second_order_runs` says, by the gradient of the
standard start: those of the far starts are so large that a part of theirs would say nothing. The part is 1e-8:
penalties have passed 1e-6 of their first gradients long before their minima.
"""

from __future__ import annotations

import math
import statistics
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.interleaved import progress
from benchmarks.second_order_problems import Problem, every_objective
from benchmarks.second_order_runs import METHODS, run, solvers
from benchmarks.tables import short, table

FACTORS = (1, 10, 100)

MOST, SECONDS = 1000, 20.0
"""Evaluations and seconds that a run may take."""

TOLERANCE = 1e-8
"""Of the gradient at the standard start."""

LOWER = 1e-3
"""Values so far apart, relative to the larger or to 1, are those of two minima."""


def started(factors: Sequence[int] = FACTORS) -> Iterable[tuple[int, Problem]]:
    """Every problem from every start."""
    for problem in every_objective():
        for factor in factors:
            if factor == 1 or problem.x0.any():
                yield factor, problem.started_at(float(factor) * problem.x0)


def measure(methods: Sequence[str] = METHODS) -> dict[str, Any]:
    """A row for each method, problem and start."""
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    with np.errstate(all="ignore"):
        return {"machine": machine.describe(), "rows": list(_rows(methods))}


def _rows(methods: Sequence[str]) -> Iterable[dict[str, Any]]:
    for method in methods:
        for factor, problem in started():
            row: dict[str, Any] = {"method": method, "problem": problem.name, "factor": factor}
            for name, solve in solvers(method, problem).items():
                row[name] = asdict(run(solve, problem, MOST, SECONDS, TOLERANCE))
            if not (row["secant"]["solved"] and row["SciPy"]["solved"]):
                progress(_unsolved(row))
            yield row


def tables(found: dict[str, Any]) -> str:
    """For each method who solves how many, and what SciPy alone solves."""
    lines, only_scipy = [], []
    for method in dict.fromkeys(row["method"] for row in found["rows"]):
        rows = [row for row in found["rows"] if row["method"] == method]
        a, b = ([row[name]["solved"] for row in rows] for name in ("secant", "SciPy"))
        both = [row for row, ours, scipys in zip(rows, a, b, strict=True) if ours and scipys]
        only_scipy += [_unsolved(row) for row in rows if not row["secant"]["solved"]]
        lines.append(
            [
                method,
                str(len(rows)),
                str(sum(a)),
                str(sum(b)),
                str(sum(x and not y for x, y in zip(a, b, strict=True))),
                str(sum(y and not x for x, y in zip(a, b, strict=True))),
                *(short(_quotient(both, what)) for what in ("nfev", "products")),
                f"{sum(_sign(row) < 0 for row in both)} : {sum(_sign(row) > 0 for row in both)}",
            ]
        )
    head = ["method", "runs", "secant solves", "SciPy solves", "secant alone", "SciPy alone"]
    head += ["evaluations", "products", "ends lower"]
    note = (
        "evaluations, and Hessians or products: SciPy's over secant's, geometric means over what both\n"
        "solve; ends lower: of these, secant in a lower minimum : SciPy in a lower one"
    )
    return "\n\n".join([table(head, lines), note, *filter(None, ["\n".join(only_scipy)])])


def _unsolved(row: dict[str, Any]) -> str:
    start = f"{row['method']}, {row['problem']}, {row['factor']} x0:"
    return f"- {start} secant {_end(row['secant'])}; SciPy {_end(row['SciPy'])}"


def _end(outcome: dict[str, Any]) -> str:
    f = "" if outcome["f"] is None else f", f = {outcome['f']:.4g}"
    return f"{outcome['end']} ({outcome['nfev']}{f})"


def _sign(row: dict[str, Any]) -> int:
    """-1 where secant's minimum is lower, 1 where SciPy's is, 0 where they are one."""
    a, b = row["secant"]["f"], row["SciPy"]["f"]
    if abs(a - b) <= LOWER * max(1.0, abs(a), abs(b)):
        return 0
    return -1 if a < b else 1


def _quotient(rows: Sequence[dict[str, Any]], what: str) -> float:
    logs = [math.log((row["SciPy"][what] + 1) / (row["secant"][what] + 1)) for row in rows]
    return math.exp(statistics.fmean(logs)) if logs else math.nan
