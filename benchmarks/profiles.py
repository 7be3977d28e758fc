"""Performance profiles, and what solvers solve: tables from the outcomes of a suite.

The profile of a solver is the part of the problems that it solves at a cost within a factor tau of the
least cost of any solver.

References
----------
E. D. Dolan, J. J. Moré, *Math. Program.* 91 (2002) 201-213.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.suite import DENSE, Outcome
from benchmarks.tables import table

Costs = Mapping[str, Mapping[str, float | None]]
"""For each solver, its cost on each problem; None where it is not solved."""

REFERENCE = {False: "secant l-bfgs", True: "secant bfgs"}
"""With whom limited-memory and dense solvers are compared."""


def costs(outcomes: Sequence[Outcome], tol: float, by: str) -> dict[str, dict[str, float | None]]:
    """Evaluations or seconds, as a table."""
    found: dict[str, dict[str, float | None]] = {}
    for one in outcomes:
        found.setdefault(one.solver, {})[f"{one.set}: {one.problem}"] = one.cost(tol, by)
    return found


def ratios(costs: Costs) -> dict[str, np.ndarray]:
    """Each solver's cost over the least one, sorted; infinite where it does not solve.

    Problems that no solver solves count too.
    """
    problems = list(next(iter(costs.values())))
    table = np.array(
        [[math.inf if row[p] is None else row[p] for p in problems] for row in costs.values()]
    )
    least = table.min(axis=0)
    with np.errstate(invalid="ignore"):
        quotients = np.where(np.isinf(table), math.inf, table / least)
    return {name: np.sort(row) for name, row in zip(costs, quotients, strict=True)}


def within(ratios: np.ndarray, tau: float) -> float:
    """The profile at tau."""
    return float(np.searchsorted(ratios, tau, side="right")) / len(ratios)


def small(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Problems that dense solvers took part in."""
    return [one for one in outcomes if one.n <= DENSE]


def light(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Solvers without a matrix, which ran on every problem."""
    return [one for one in outcomes if not one.is_dense]


# ------------------------------------------------------------------------------------------ tables


def robustness(outcomes: Sequence[Outcome], tol: float) -> str:
    """Solved problems by set."""
    sets = list(dict.fromkeys(one.set for one in outcomes))
    solvers = list(dict.fromkeys(one.solver for one in outcomes))
    lines = []
    for solver in solvers:
        cells: list[str] = []
        total = [0, 0]
        for name in sets:
            mine = [one for one in outcomes if (one.solver, one.set) == (solver, name)]
            solved = sum(one.cost(tol, "evaluations") is not None for one in mine)
            total = [total[0] + solved, total[1] + len(mine)]
            cells.append(f"{solved}/{len(mine)}" if mine else "-")
        lines.append([solver, *cells, f"{total[0]}/{total[1]}", f"{total[0] / total[1]:.3f}"])
    return table(["solved", *sets, "all", "part"], lines)


def comparison(outcomes: Sequence[Outcome], tol: float) -> str:
    """Profiles at a few tau, and costs beside the reference's on problems that both solved."""
    by_evaluations, by_seconds = (costs(outcomes, tol, by) for by in ("evaluations", "seconds"))
    profile = ratios(by_evaluations)
    reference = next(name for name in REFERENCE.values() if name in by_evaluations)
    lines = []
    for solver, row in profile.items():
        lines.append(
            [
                solver,
                *[f"{within(row, tau):.2f}" for tau in (1.0, 1.2, 2.0, 10.0)],
                f"{within(row, 1e300):.3f}",
                f"{total_ratio(by_evaluations[solver], by_evaluations[reference]):.2f}",
                f"{mean_ratio(by_evaluations[solver], by_evaluations[reference]):.2f}",
                f"{mean_ratio(by_seconds[solver], by_seconds[reference]):.2f}",
            ]
        )
    head = ["within tau of the fewest evaluations", "1", "1.2", "2", "10", "solved"]
    head += [
        f"evaluations / {reference}: total",
        "geometric mean",
        "processor time: geometric mean",
    ]
    return table(head, lines)


Row = Mapping[str, float | None]
"""Costs of one solver by problem."""


def total_ratio(mine: Row, others: Row) -> float:
    """Costs added up over the problems that both solved, one over the other."""
    pairs = _both(mine, others)
    return sum(a for a, _ in pairs) / sum(b for _, b in pairs) if pairs else math.nan


def mean_ratio(mine: Row, others: Row) -> float:
    """The geometric mean of the quotients of costs over the problems that both solved."""
    pairs = _both(mine, others)
    return math.exp(np.mean([math.log(a / b) for a, b in pairs])) if pairs else math.nan


def _both(mine: Row, others: Row) -> list[tuple[float, float]]:
    return [(a, b) for p, a in mine.items() if a is not None and (b := others[p]) is not None]


def misses(outcomes: Sequence[Outcome], tol: float) -> str:
    """Problems that a peer solves and secant's method of the same kind does not."""
    lines = []
    for kind, ours in REFERENCE.items():
        for mine in (one for one in outcomes if one.solver == ours):
            if mine.cost(tol, "evaluations") is not None:
                continue
            solved = [
                f"{one.solver} ({one.cost(tol, 'evaluations'):.0f})"
                for one in outcomes
                if (one.set, one.problem) == (mine.set, mine.problem)
                and one.is_dense == kind
                and one.cost(tol, "evaluations") is not None
            ]
            theirs = [text for text in solved if not text.startswith("secant")]
            if theirs:
                lines.append(
                    [
                        mine.problem,
                        ours,
                        mine.end,
                        mine.evaluations,
                        f"{mine.f:.6g}",
                        f"{mine.gradient:.1e}",
                        ", ".join(solved),
                    ]
                )
    head = ["not solved", "by", "end", "evaluations", "f", "|g|", "solved by (evaluations)"]
    return table(head, lines) if lines else "Every problem that a peer solves is solved."


def slowest(outcomes: Sequence[Outcome], tol: float, most: int = 10) -> str:
    """Where secant's method needs the most evaluations beside the best peer of its kind."""
    found = []
    for kind, ours in REFERENCE.items():
        for mine in (one for one in outcomes if one.solver == ours):
            peers = [
                (cost, one.solver)
                for one in outcomes
                if (one.set, one.problem) == (mine.set, mine.problem)
                and not one.solver.startswith("secant")
                and one.is_dense == kind
                and (cost := one.cost(tol, "evaluations")) is not None
            ]
            cost = mine.cost(tol, "evaluations")
            if cost is not None and peers:
                least, peer = min(peers)
                found.append((cost / least, mine.problem, ours, int(cost), peer, int(least)))
    found.sort(reverse=True)
    lines = [
        [problem, ours, cost, peer, least, f"{ratio:.2f}"]
        for ratio, problem, ours, cost, peer, least in found[:most]
    ]
    return table(["most behind", "method", "evaluations", "peer", "evaluations", "ratio"], lines)


def tables(outcomes: Sequence[Outcome]) -> str:
    """Everything that is printed."""
    strict = 1e-6
    parts = ["Solved: |g|_inf <= 1e-5 max(1, |g0|_inf), or f within 1e-8 of the best decrease"]
    parts.append(robustness(outcomes, 1e-5))
    parts += ["The same with 1e-6", robustness(outcomes, strict)]
    parts += [f"All solvers, n <= {DENSE}, 1e-6", comparison(small(outcomes), strict)]
    parts += ["Solvers without a matrix, all n, 1e-6", comparison(light(outcomes), strict)]
    parts += [misses(outcomes, strict), slowest(outcomes, strict)]
    return "\n\n".join(parts)
