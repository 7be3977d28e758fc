"""Which line search, which constants, which first step and initial scale need the fewest evaluations.

    python -m benchmarks.searches
    python -m benchmarks.searches --first
    python -m benchmarks.searches --units

The problems are those of `benchmarks.mgh` and some more, each from its standard start and from starts
disturbed by a tenth, ``x0 (1 + 0.1 N(0, 1))``, so that no setting wins by luck on one path. A problem
counts as solved as in `benchmarks.mgh`; one that is not solved adds the whole budget.
"""

from __future__ import annotations

import argparse
import contextlib
import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

import secant
from benchmarks.recorder import GRADIENT, OutOfBudget, Recorder, Solved
from benchmarks.solvers import METHODS, PEERS, Solver, run, scipy_solver, secant_solver
from secant import problems
from secant.arrays import read
from secant.linesearch import FirstStep, Length, QuadraticFit, Relative, UnitStep
from secant.problems import Objective

BUDGET = 2_000
"""Evaluations that a setting may spend on one problem."""


@dataclass(frozen=True)
class UnitLength(FirstStep):
    """``min(1, length / |g|_2)``, whatever the size of ``x``: SciPy's first step for ``length=1``."""

    length: float = 1.0

    def guess(self, ray: Any, previous: Any = None) -> float:
        (dd,) = read(ray.d @ ray.d)
        return min(1.0, self.length / math.sqrt(dd)) if dd > 0.0 else 1.0


class Case(NamedTuple):
    """A problem and where to start."""

    problem: Objective
    x0: np.ndarray


@dataclass(frozen=True)
class Units:
    """A recorder in other units: ``f`` multiplied by ``factor``; what it records stays as it was."""

    recorder: Recorder
    factor: float

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        f, g = self.recorder(x)
        return self.factor * f, self.factor * g


class Score(NamedTuple):
    """What a solver needed on all cases."""

    label: str
    standard: int
    disturbed: int
    unsolved: int
    ratio: float


def cases(disturbed: int = 5, seed: int = 0) -> tuple[list[Case], list[Case]]:
    """Standard starts, and disturbed ones."""
    extra = [problems.rosenbrock(n) for n in (2, 10, 100)]
    extra += [problems.quadratic(1e2, 10), problems.quadratic(1e4, 50), problems.himmelblau()]
    every = [*problems.mgh(), *extra]
    standard = [Case(problem, problem.start()) for problem in every]
    rng = np.random.default_rng(seed)
    others = []
    for problem, x0 in standard:
        for _ in range(disturbed):
            noise = 0.1 * rng.standard_normal(x0.shape)
            others.append(Case(problem, x0 * (1.0 + noise) if x0.any() else noise))
    return standard, others


def counts(solver: Solver, chosen: Sequence[Case], factor: float = GRADIENT) -> list[int | None]:
    """Evaluations to solve each case."""
    found = []
    for problem, x0 in chosen:
        recorder = Recorder(problem, BUDGET, factor, stop_when_solved=True)
        found.append(run("", solver, recorder, x0).solved_at)
    return found


def score(label: str, solver: Solver, baseline: Sequence[int], factor: float) -> Score:
    """One line of the table; ``baseline`` holds SciPy's evaluations on all cases."""
    standard, disturbed = cases()
    found = counts(solver, [*standard, *disturbed], factor)
    spent = [BUDGET if count is None else count for count in found]
    ratio = math.exp(np.mean(np.log(np.array(spent) / np.array(baseline))))
    m = len(standard)
    return Score(label, sum(spent[:m]), sum(spent[m:]), found.count(None), ratio)


def searches(c1s: Sequence[float], c2s: Sequence[float]) -> dict[str, dict[str, Any]]:
    """Labels and keyword arguments of methods with different searches and constants."""
    return {
        f"{search.__name__}(c1={c1:g}, c2={c2:g})": {"search": search(c1=c1, c2=c2)}
        for search in (secant.HagerZhang, secant.MoreThuente, secant.StrongWolfe)
        for c1 in c1s
        for c2 in c2s
        if c1 < c2
    }


def starts(method: str) -> dict[str, dict[str, Any]]:
    """The same for rules of the first step and, in dense methods, of the initial scale of H."""
    rules = {
        "Length(0.1)": Length(0.1),
        "Length(1)": Length(1.0),
        "Length(10)": Length(10.0),
        "1/|g|": UnitLength(1.0),
        "Relative(0.01)": Relative(0.01),
        "Relative(0.1)": Relative(0.1),
        "Relative(1)": Relative(1.0),
    }
    chosen: dict[str, dict[str, Any]] = {
        f"UnitStep({name})": {"first": UnitStep(rule)} for name, rule in rules.items()
    }
    for name in ("Length(1)", "Relative(1)"):
        chosen[f"QuadraticFit({name})"] = {"first": QuadraticFit(rules[name])}
    if method == "bfgs":
        for scale in (secant.StepScale(), secant.PairScale(), secant.UnitScale()):
            for rule in (UnitStep(), QuadraticFit()):
                label = f"{type(scale).__name__}, {type(rule).__name__}"
                chosen[label] = {"scale": scale, "first": rule}
    return chosen


def units(factors: Sequence[float] = (1.0, 1e6, 1e-6)) -> list[tuple[str, list[int]]]:
    """Total evaluations of each method of `METHODS` with f in other units: they should not matter."""
    standard, disturbed = cases(disturbed=1)
    rows = []
    for name, build in METHODS.items():
        sums = []
        for factor in factors:
            total = 0
            for problem, x0 in [*standard, *disturbed]:
                recorder = Recorder(problem, BUDGET, stop_when_solved=True)
                with contextlib.suppress(Solved, OutOfBudget):
                    secant.minimize(Units(recorder, factor), x0, method=build(), jac=True, gtol=0.0)
                total += recorder.solved_at or BUDGET
            sums.append(total)
        rows.append((name, sums))
    return rows


def _score(job: tuple[str, str, dict[str, Any], list[int], float]) -> Score:
    method, label, keywords, baseline, factor = job
    return score(label, secant_solver(METHODS[method](**keywords)), baseline, factor)


def measure(
    method: str, chosen: dict[str, dict[str, Any]], factor: float = GRADIENT, processes: int = 1
) -> list[Score]:
    """SciPy's score, and that of each setting, in their order."""
    standard, disturbed = cases()
    found = counts(scipy_solver(PEERS[method]), [*standard, *disturbed], factor)
    baseline = [BUDGET if count is None else count for count in found]
    m = len(standard)
    peer = Score(
        f"SciPy {PEERS[method]}", sum(baseline[:m]), sum(baseline[m:]), found.count(None), 1.0
    )
    jobs = [(method, label, keywords, baseline, factor) for label, keywords in chosen.items()]
    if processes == 1:
        return [peer, *map(_score, jobs)]
    with ProcessPoolExecutor(processes) as pool:
        return [peer, *pool.map(_score, jobs)]


def table(method: str, scores: Sequence[Score]) -> str:
    """Total evaluations, unsolved cases, and the geometric mean of the ratios to SciPy's counts."""
    width = max(len(score.label) for score in scores) + 2
    lines = [f"{method:<{width}}{'standard':>10}{'disturbed':>11}{'unsolved':>10}{'ratio':>8}"]
    for s in scores:
        lines.append(
            f"{s.label:<{width}}{s.standard:>10}{s.disturbed:>11}{s.unsolved:>10}{s.ratio:>8.3f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Print a table for each method."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.searches", description="compare searches and first steps"
    )
    parser.add_argument("--method", choices=METHODS, action="append")
    parser.add_argument("--first", action="store_true", help="compare first steps and scales")
    parser.add_argument("--units", action="store_true", help="multiply f by 1, 1e6 and 1e-6")
    parser.add_argument("--c1", type=float, nargs="+", default=[1e-4, 1e-3, 1e-2, 0.1])
    parser.add_argument("--c2", type=float, nargs="+", default=[0.1, 0.5, 0.7, 0.9])
    parser.add_argument("--gradient", type=float, default=GRADIENT, help="factor of the criterion")
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.units:
        for name, sums in units():
            print(f"{name:<8}f times 1: {sums[0]}   1e6: {sums[1]}   1e-6: {sums[2]}")
        return
    for method in arguments.method or METHODS:
        chosen = starts(method) if arguments.first else searches(arguments.c1, arguments.c2)
        scores = measure(method, chosen, arguments.gradient, arguments.processes)
        print(table(method, scores), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
