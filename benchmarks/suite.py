"""Which solver solves which problem, after how many evaluations and seconds.

    python -m benchmarks problems

Each solver runs on each problem from its standard start, solvers in turn; short runs are repeated and
the median of their seconds is taken. Dense methods take part in problems of up to `DENSE` variables.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import families, machine, real_data
from benchmarks.contestants import Contestant, contestants
from benchmarks.interleaved import progress
from benchmarks.race import Race
from secant import problems
from secant.problems import Objective

DENSE = 300
"""The most variables that dense methods are run with."""

TOLERANCES = (1e-5, 1e-6)
"""Parts of the first gradient at which a problem counts as solved."""

SHORT = 0.2
"""Races that take fewer seconds than this are repeated."""


@dataclass(frozen=True)
class Extent:
    """How much is run: sizes of the families, repeats, seconds for each race, and whether JAX's."""

    sizes: tuple[int, ...]
    repeats: int
    seconds: float
    jax: bool


QUICK = Extent((12,), 1, 1.0, False)
DEFAULT = Extent((12, 100, 1_000), 3, 10.0, True)
LARGE = Extent((12, 100, 1_000, 10_000), 3, 60.0, True)


@dataclass
class Outcome:
    """One solver on one problem.

    Attributes
    ----------
    set, problem, solver : str
    n : int
    is_dense : bool
        Whether the solver keeps a matrix.
    solved : dict
        For each tolerance, evaluations and seconds until it held; None where it never did.
    evaluations, seconds : int, float
        Until the solver stopped.
    f, gradient : float
        The lowest value seen, and the largest gradient component there.
    end : str
        Why the solver stopped.
    """

    set: str
    problem: str
    n: int
    solver: str
    is_dense: bool
    solved: dict[str, tuple[int, float] | None]
    evaluations: int
    seconds: float
    f: float
    gradient: float
    end: str

    def cost(self, tol: float, by: str) -> float | None:
        """Evaluations or seconds to solve the problem."""
        found = self.solved[f"{tol:g}"]
        return None if found is None else float(found[0 if by == "evaluations" else 1])


def sets(extent: Extent) -> dict[str, list[Objective]]:
    """The problems, by name of their set."""
    found = {"MGH": more_garbow_hillstrom()}
    for n in extent.sizes:
        found[f"families, n ~ {n:,}"] = families.families(n)
    if machine.available("sklearn"):
        names = real_data.QUICK if extent is QUICK else None
        found["real data"] = [p for p in real_data.problems() if names is None or p.name in names]
    return found


def more_garbow_hillstrom() -> list[Objective]:
    """The 18 problems, and those of variable size in other sizes."""
    others = [
        *[problems.rosenbrock(n) for n in (2, 10, 50)],
        *[problems.extended_rosenbrock(n) for n in (2, 100)],
        *[problems.extended_powell(n) for n in (4, 100)],
        *[problems.trigonometric(n) for n in (30, 100)],
        *[problems.variably_dimensioned(n) for n in (4, 50)],
        *[problems.penalty_1(n) for n in (4, 100)],
        problems.penalty_2(4),
        *[problems.watson(n) for n in (6, 20)],
        *[problems.chebyquad(n) for n in (5, 20)],
    ]
    return [*problems.mgh(), *others]


def race_all(
    name: str, problem: Objective, solvers: Sequence[Contestant], extent: Extent
) -> list[Outcome]:
    """All solvers on one problem."""
    taking_part = [s for s in solvers if problem.n <= DENSE or not s.is_dense]
    rounds = [[_race(problem, solver, extent) for solver in taking_part]]
    for _ in range(extent.repeats - 1):
        rounds.append(
            [
                _race(problem, solver, extent) if first[0].clock[-1] < SHORT else first
                for solver, first in zip(taking_part, rounds[0], strict=True)
            ]
        )
    bests = [race.lowest for race, _ in rounds[0]]
    best = min([*bests, *([] if problem.f_star is None else [problem.f_star])])
    return [
        outcome(name, solver, [course[i] for course in rounds], best)
        for i, solver in enumerate(taking_part)
    ]


def _race(problem: Objective, solver: Contestant, extent: Extent) -> tuple[Race, str]:
    race = Race(problem, seconds=extent.seconds)
    return race, solver.run(race)


def outcome(name: str, solver: Contestant, repeats: list[tuple[Race, str]], best: float) -> Outcome:
    """Evaluations of the first repeat, the median of the seconds of all."""
    race, end = repeats[0]
    solved: dict[str, tuple[int, float] | None] = {}
    for tol in TOLERANCES:
        at = [one.solved_at(tol, best) for one, _ in repeats]
        times = [one.clock[i] for (one, _), i in zip(repeats, at, strict=True) if i is not None]
        solved[f"{tol:g}"] = None if at[0] is None else (at[0] + 1, median(times))
    lowest = race.lowest
    gradient = race.gradient[race.f.index(lowest)] if lowest in race.f else float("nan")
    problem = race.problem
    return Outcome(
        name,
        str(problem),
        problem.n,
        solver.label,
        solver.is_dense,
        solved,
        len(race.f),
        race.clock[-1],
        lowest,
        gradient,
        end,
    )


def measure(extent: Extent) -> dict[str, Any]:
    """All problems, as plain data."""
    solvers = [s for s in contestants() if extent.jax or s.needs not in ("optax", "optimistix")]
    for solver in solvers:  # imports and first calls are not timed
        _race(problems.rosenbrock(2), solver, extent)
    found: list[Outcome] = []
    for name, members in sets(extent).items():
        progress(f"problems: {name}, {len(members)} of them")
        for problem in members:
            found += race_all(name, problem, solvers, extent)
    return {"machine": machine.describe(), "outcomes": [asdict(one) for one in found]}


def load(found: dict[str, Any]) -> list[Outcome]:
    """The outcomes of saved data."""
    return [Outcome(**row) for row in found["outcomes"]]


def main() -> None:
    """Run in this process and write the data to a file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suite")
    parser.add_argument("--extent", choices=("quick", "default", "large"), default="default")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    extent = {"quick": QUICK, "default": DEFAULT, "large": LARGE}[arguments.extent]
    arguments.out.write_text(json.dumps(measure(extent)), encoding="utf-8")


if __name__ == "__main__":
    main()
