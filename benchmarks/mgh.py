"""Evaluations to solve the 18 problems of Moré, Garbow and Hillstrom, secant beside SciPy.

    python -m benchmarks.mgh
    python -m benchmarks.mgh --search more-thuente --c2 0.5

An evaluation is one value with its gradient. A problem counts as solved at the first evaluation where

    |g|_inf <= 1e-6 max(1, |g0|_inf)     or     f - f* <= 1e-10 max(1, |f*|)

with f* the least value, or a known local minimum. Solvers get the analytic gradient and tolerances so
tight that none stops before that.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from benchmarks.recorder import Recorder
from benchmarks.solvers import (
    METHODS,
    PEERS,
    SEARCHES,
    Row,
    Solver,
    run,
    scipy_solver,
    secant_solver,
)
from secant import methods, problems


def solvers(
    names: Sequence[str] = tuple(METHODS), search: Any = None, peers: bool = True
) -> dict[str, Solver]:
    """secant's methods by their registry names, each followed by its peer of SciPy.

    Parameters
    ----------
    names : sequence of str
    search : LineSearch, optional
        Instead of the default search.
    peers : bool
    """
    chosen: dict[str, Solver] = {}
    for name in names:
        build = methods.get(name).build
        chosen[f"secant {name}"] = secant_solver(
            build() if search is None else build(search=search)
        )
        if peers and name in PEERS:
            chosen[f"SciPy {PEERS[name]}"] = scipy_solver(PEERS[name])
    return chosen


def measure(chosen: dict[str, Solver] | None = None) -> list[Row]:
    """One row for each problem and solver."""
    chosen = solvers() if chosen is None else chosen
    return [
        run(label, solver, Recorder(problem))
        for problem in problems.mgh()
        for label, solver in chosen.items()
    ]


def totals(rows: Sequence[Row]) -> dict[str, tuple[int, int]]:
    """For each solver: problems solved, and evaluations to solve these, added up.

    A problem that was not solved adds all evaluations spent on it.
    """
    sums: dict[str, tuple[int, int]] = {}
    for row in rows:
        solved, evaluations = sums.get(row.solver, (0, 0))
        spent = row.evaluations if row.solved_at is None else row.solved_at
        sums[row.solver] = solved + (row.solved_at is not None), evaluations + spent
    return sums


def table(rows: Sequence[Row]) -> str:
    """Evaluations to solve each problem, a column for each solver, and the totals."""
    names = list(dict.fromkeys(row.solver for row in rows))
    by_problem: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_problem.setdefault(row.problem, {})[row.solver] = row
    first = max(map(len, by_problem)) + 2
    widths = [max(len(name), 6) + 2 for name in names]

    def line(head: str, cells: Sequence[str]) -> str:
        parts = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        return head.ljust(first) + "".join(parts)

    lines = [line("evaluations", names)]
    for problem, found in by_problem.items():
        lines.append(line(problem, [_cell(found[name]) for name in names]))
    sums = totals(rows)
    lines.append(line("total", [str(sums[name][1]) for name in names]))
    lines.append(line("solved", [f"{sums[name][0]}/{len(by_problem)}" for name in names]))
    return "\n".join(lines)


def pairs(rows: Sequence[Row]) -> str:
    """Each of secant's methods against SciPy's: totals over the problems that both solved."""
    lines = []
    solved = {(row.problem, row.solver): row.solved_at for row in rows}
    for name, peer in PEERS.items():
        ours, theirs = f"secant {name}", f"SciPy {peer}"
        both = [
            (solved[problem, ours], solved[problem, theirs])
            for problem in dict.fromkeys(row.problem for row in rows)
            if solved.get((problem, ours)) and solved.get((problem, theirs))
        ]
        if both:
            a, b = sum(pair[0] for pair in both), sum(pair[1] for pair in both)
            lines.append(
                f"{ours} / {theirs}: {a} / {b} = {a / b:.2f} over {len(both)} problems that both solved"
            )
    return "\n".join(lines)


def ends(rows: Sequence[Row]) -> str:
    """Where each solver stopped in the end."""
    width = max(len(row.problem) for row in rows) + 2
    solver = max(len(row.solver) for row in rows) + 2
    lines = [f"{'':<{width}}{'':<{solver}}{'evaluations':>11}{'lowest f':>18}{'|g|_inf':>10}  end"]
    for row in rows:
        lines.append(
            f"{row.problem:<{width}}{row.solver:<{solver}}{row.evaluations:>11}"
            f"{row.f:>18.9g}{row.gradient:>10.1e}  {row.end}"
        )
    return "\n".join(lines)


def _cell(row: Row) -> str:
    return "-" if row.solved_at is None else str(row.solved_at)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mgh", description="evaluations to solve the MGH problems"
    )
    parser.add_argument("--method", action="append", help="registry name; may be repeated")
    parser.add_argument("--search", choices=SEARCHES, help="instead of the default search")
    parser.add_argument("--c1", type=float, help="sufficient decrease of --search")
    parser.add_argument("--c2", type=float, help="curvature constant of --search")
    parser.add_argument("--ends", action="store_true", help="also say how every solver ended")
    arguments = parser.parse_args()
    constants = {name: getattr(arguments, name) for name in ("c1", "c2")}
    constants = {name: value for name, value in constants.items() if value is not None}
    if constants and arguments.search is None:
        parser.error("--c1 and --c2 need --search")
    search = SEARCHES[arguments.search](**constants) if arguments.search else None
    rows = measure(solvers(arguments.method or tuple(METHODS), search))
    print(table(rows))
    print(f"\n{pairs(rows)}" if pairs(rows) else "")
    if arguments.ends:
        print(f"\n{ends(rows)}")


if __name__ == "__main__":
    main()
