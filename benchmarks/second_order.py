"""Newton's methods and trust regions against SciPy's of the same names, exact second derivatives given.

    python -m benchmarks second_order
    python -m benchmarks.second_order --only newton-cg --extent quick
    python -m benchmarks.second_order --starts | --minima | --long

Both get ``fun``, ``jac`` and ``hessp`` (``hess`` where the method factorises) of one instrument, which ends
a run at the first gradient with ``max |g_i| <= 1e-6 max(1, max |g_i(x0)|)``: no stopping rule, and no
multiple of one, is part of the comparison. Repeats take turns, short runs many times; times are processor
time of one thread, and a ratio above 1 means that secant was faster. Rows whose two runs end in different
minima are listed apart, with the values found, and not looked at for the least ratio.

The options measure something else instead: who solves which of `secant.problems` from near and far starts,
in which minimum disturbed starts end, and 2000 x 2000 Hessians for a fixed number of evaluations.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy import optimize

from benchmarks import machine, second_order_long, second_order_minima, second_order_starts
from benchmarks.interleaved import progress
from benchmarks.second_order_problems import FAMILIES, Problem, rosenbrock
from benchmarks.second_order_runs import MATRICES, METHODS, Outcome, run, solvers
from benchmarks.tables import ratios, short, spread, table

ENOUGH = 0.4
"""Seconds of a row after which repeats may end."""

MOST_REPEATS = 61

SAME = 1e-3
"""Values so close, relative to the larger or to 1, are those of one minimum."""


@dataclass(frozen=True)
class Extent:
    """Sizes for methods of products and of matrices, repeats at least, and the limits of a run."""

    sizes: tuple[int, ...]
    dense: tuple[int, ...]
    repeats: int
    most: int = 3000
    seconds: float = 15.0


QUICK = Extent((2, 10, 100), (2, 10), 3, seconds=3.0)
DEFAULT = Extent((2, 10, 100, 500, 2000), (2, 10, 100, 500), 5, seconds=8.0)
LARGE = Extent((2, 10, 100, 500, 2000), (2, 10, 100, 500, 2000), 5, seconds=60.0)


def measure(extent: Extent, methods: Sequence[str] = METHODS) -> dict[str, Any]:
    """A row for each method and problem."""
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    warnings.filterwarnings("ignore", category=optimize.OptimizeWarning)
    return {"machine": machine.describe(), "rows": list(_rows(extent, methods))}


def _rows(extent: Extent, methods: Sequence[str]) -> Iterable[dict[str, Any]]:
    for method in methods:
        for solve in solvers(method, rosenbrock(2)).values():
            run(solve, rosenbrock(2), extent.most, extent.seconds)  # what the first run imports
        for n in extent.dense if method in MATRICES else extent.sizes:
            for family in FAMILIES:
                yield _row(method, family(n), extent)


def _row(method: str, problem: Problem, extent: Extent) -> dict[str, Any]:
    both = solvers(method, problem)
    outcomes: dict[str, list[Outcome]] = {name: [] for name in both}
    spent, turn = 0.0, list(both)
    for done in range(1, MOST_REPEATS + 1):
        for name in turn:
            outcomes[name].append(run(both[name], problem, extent.most, extent.seconds))
            spent += outcomes[name][-1].seconds
        turn.reverse()
        if spent > extent.seconds or (done >= extent.repeats and spent > ENOUGH):
            break
    row: dict[str, Any] = {"method": method, "problem": problem.name, "n": problem.n}
    for name, found in outcomes.items():
        last = found[-1]
        row[name] = {
            "solved": last.solved,
            "f": last.f,
            "evaluations": last.nfev,
            "gradients": last.njev,
            "products": last.products,
            "seconds": [one.seconds for one in found],
        }
    progress(_line(row))
    return row


def _line(row: dict[str, Any]) -> str:
    a, b = row["secant"], row["SciPy"]
    words = [f"{row['method']:13}{row['problem']:20}"]
    for one in (a, b):
        words.append(
            f"{'solved' if one['solved'] else 'FAILED':7}{one['evaluations']:>6}{one['products']:>7}"
            f"{statistics.median(one['seconds']):>9.4f}"
        )
    return " ".join([*words, spread(_ratios(row))])


def _ratios(row: dict[str, Any]) -> list[float]:
    if not (row["secant"]["solved"] and row["SciPy"]["solved"]):
        return []
    return ratios(row["SciPy"]["seconds"], row["secant"]["seconds"])


def _same_minimum(row: dict[str, Any]) -> bool:
    a, b = row["secant"]["f"], row["SciPy"]["f"]
    return bool(abs(a - b) <= SAME * max(1.0, abs(a), abs(b)))


def tables(found: dict[str, Any]) -> str:
    """For each method the problems solved, and means over those that both have solved."""
    lines, apart = [], []
    for method in dict.fromkeys(row["method"] for row in found["rows"]):
        rows = [row for row in found["rows"] if row["method"] == method]
        both = [row for row in rows if _ratios(row)]
        apart += [_elsewhere(row) for row in both if not _same_minimum(row)]
        times = [statistics.median(_ratios(row)) for row in both]
        alike = [row for row in both if _same_minimum(row)]
        slowest = min(alike, key=lambda row: statistics.median(_ratios(row)))
        least = statistics.median(_ratios(slowest))
        lines.append(
            [
                method,
                str(len(rows)),
                *(str(sum(row[name]["solved"] for row in rows)) for name in ("secant", "SciPy")),
                *(short(_quotient(both, what)) for what in ("evaluations", "products")),
                short(_mean(times)),
                f"{short(least)} at {slowest['problem']}",
            ]
        )
    head = [
        "method",
        "problems",
        "secant solves",
        "SciPy solves",
        "evaluations",
        "products",
        "time",
        "least",
    ]
    note = "evaluations, Hessians or products, and time: SciPy's over secant's, geometric means"
    return "\n\n".join([table(head, lines), note, *filter(None, ["\n".join(apart)])])


def _elsewhere(row: dict[str, Any]) -> str:
    """A row whose runs have ended in different minima."""
    a, b = row["secant"]["f"], row["SciPy"]["f"]
    time_ratio = short(statistics.median(_ratios(row)))
    return f"- {row['method']}, {row['problem']}: {time_ratio}, to {a:.4g} (SciPy to {b:.4g})"


def _quotient(rows: Sequence[dict[str, Any]], what: str) -> float:
    return _mean([(row["SciPy"][what] + 1) / (row["secant"][what] + 1) for row in rows])


def _mean(values: Sequence[float]) -> float:
    """The geometric mean."""
    return math.exp(statistics.fmean(math.log(value) for value in values))


def main() -> None:
    """Print the table, or write the data to a file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.second_order")
    parser.add_argument("--only", choices=METHODS)
    parser.add_argument("--extent", choices=("quick", "default", "large"), default="default")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--starts", action="store_true", help="who solves secant.problems")
    instead.add_argument("--minima", action="store_true", help="where disturbed starts end")
    instead.add_argument("--long", action="store_true", help="2000 x 2000 Hessians")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    methods = (arguments.only,) if arguments.only else METHODS
    if arguments.starts:
        found, text = second_order_starts.measure(methods), second_order_starts.tables
    elif arguments.minima:
        found, text = second_order_minima.measure(methods), second_order_minima.tables
    elif arguments.long:
        found, text = second_order_long.measure(), second_order_long.tables
    else:
        extent = {"quick": QUICK, "default": DEFAULT, "large": LARGE}[arguments.extent]
        found, text = measure(extent, methods), tables
    if arguments.out is None:
        print(text(found))
    else:
        arguments.out.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
