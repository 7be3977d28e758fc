"""What the defaults of the quasi-Newton methods rest on: pairs kept, first matrix, history, DFP's search.

    python -m benchmarks.defaults
    python -m benchmarks.defaults pairs

Evaluations until a problem is solved as `benchmarks.recorder` defines it, on 39 problems: families of 100
variables, Rosenbrock's function, quadratics, and (with scikit-learn) logistic regressions and a network
from several random starts. A problem that is not solved within `BUDGET` evaluations counts with all of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import secant
from benchmarks import families, machine, real_data, tables
from benchmarks.recorder import Recorder
from benchmarks.searches import Case
from benchmarks.solvers import run, secant_solver
from secant import problems

BUDGET = 3_000
"""Evaluations that a setting may spend on one problem."""

PAIRS = (3, 5, 8, 10, 12, 20, 40)

NETWORK = "diabetes_network"
"""The network that is started from several random weights: 97 of them."""


class Found(NamedTuple):
    """What a setting needed on every case; None where it was not solved."""

    label: str
    counts: list[int | None]

    @property
    def spent(self) -> np.ndarray:
        """Evaluations, the whole budget where the case was not solved."""
        return np.array([BUDGET if count is None else count for count in self.counts])


def large() -> list[Case]:
    """Problems on which a memory of pairs fills up."""
    chosen = [*families.families(100), *[problems.rosenbrock(n) for n in (10, 100)]]
    chosen += [problems.quadratic(kappa, 100) for kappa in (1e2, 1e4, 1e6)]
    if machine.available("sklearn"):
        chosen += [
            p for p in real_data.problems() if p.name in real_data.QUICK and p.name != NETWORK
        ]
    return [*[Case(problem, problem.start()) for problem in chosen], *networks()]


def networks(starts: int = 8) -> list[Case]:
    """The network from several starts."""
    if not machine.available("sklearn"):
        return []
    (network,) = [problem for problem in real_data.problems() if problem.name == NETWORK]
    rng = np.random.default_rng(0)
    size = float(np.std(network.start()))
    return [Case(network, size * rng.standard_normal(network.n)) for _ in range(starts)]


def measure(settings: dict[str, Any], cases: Sequence[Case]) -> list[Found]:
    """Each setting on each case."""
    found = []
    for label, method in settings.items():
        counts = []
        for problem, x0 in cases:
            recorder = Recorder(problem, BUDGET, stop_when_solved=True)
            counts.append(run("", secant_solver(method), recorder, x0).solved_at)
        found.append(Found(label, counts))
    return found


def show(title: str, found: Sequence[Found]) -> str:
    """Sums, cases that were not solved, and the geometric mean of the ratios to the first setting."""
    first = found[0].spent
    rows = [
        (
            one.label,
            int(one.spent.sum()),
            one.counts.count(None),
            f"{np.exp(np.mean(np.log(one.spent / first))):.3f}",
        )
        for one in found
    ]
    head = (f"{title}, {len(first)} runs", "evaluations", "unsolved", "ratio to the first")
    return tables.table(head, rows)


# --------------------------------------------------------------------------------- questions


def pairs() -> str:
    """How many pairs L-BFGS keeps, and the most that choosing them for every problem could gain."""
    settings = {f"{m} pairs": secant.LBFGS(memory=m) for m in dict.fromkeys((12, *PAIRS))}
    found = measure(settings, large())
    best = np.min([one.spent for one in found], axis=0)
    found.append(Found("the best of these for each run, known beforehand", best.tolist()))
    return show("L-BFGS", found)


def scales() -> str:
    """How large BFGS's first inverse Hessian is."""
    settings = {
        type(scale).__name__: secant.BFGS(scale=scale)
        for scale in (secant.StepScale(), secant.PairScale(), secant.UnitScale())
    }
    tables_of = {"BFGS": large(), f"BFGS, {NETWORK}": networks()}
    return "\n\n".join(show(t, measure(settings, cases)) for t, cases in tables_of.items() if cases)


def history() -> str:
    """Pairs kept in single precision under a run in double precision."""
    settings = {
        "pairs in float64": secant.LBFGS(),
        "pairs in float32": secant.LBFGS(history_dtype="float32"),
    }
    return show("L-BFGS", measure(settings, large()))


def dfp() -> str:
    """How exact DFP's searches are."""
    settings = {f"c2 = {c2}": secant.DFP(search=secant.HagerZhang(c2=c2)) for c2 in (0.1, 0.5, 0.9)}
    cases = [Case(problem, problem.start()) for problem in problems.mgh()]
    return show("DFP, Moré-Garbow-Hillstrom", measure(settings, cases))


QUESTIONS: dict[str, Callable[[], str]] = {
    "pairs": pairs,
    "scales": scales,
    "history": history,
    "dfp": dfp,
}


def main() -> None:
    """Print a table for each question."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.defaults", description="what the defaults rest on"
    )
    parser.add_argument("questions", nargs="*", help=f"{', '.join(QUESTIONS)}; all if none")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.questions if name not in QUESTIONS]
    if unknown:
        parser.error(f"there is no question {unknown[0]!r}; there are {', '.join(QUESTIONS)}")
    for name in arguments.questions or QUESTIONS:
        print(QUESTIONS[name](), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
