"""What momentum does for Levenberg-Marquardt on networks: steps to a loss.

    python -m benchmarks.momentum            about a minute
    python -m benchmarks.momentum --quick    one table in four

Scikit-learn's diabetes, Friedman problems and a linear one, 150 and 330 rows; three networks, three
activations and two penalties each. The goals are the losses of Nielsen's rule after so many steps; how many
another rule takes is given over that number, in the geometric mean (the median; of how many). A goal that is
not reached counts as half as many steps again as there are. `secant.learn.runs` goes by it.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from itertools import product
from statistics import fmean, median
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.interleaved import progress
from benchmarks.tables import table
from benchmarks.tabular import made, real
from secant.learn import LossIndex, Perceptron
from secant.learn.closed_form.objective import Objective, weights_of
from secant.learn.closed_form.squares import NetworkSquares
from secant.learn.error_terms import MeanSquared
from secant.leastsquares import LevenbergMarquardt
from secant.leastsquares.damping import Damping, Nielsen, WithMomentum
from secant.leastsquares.levenberg_marquardt import Tolerances
from secant.leastsquares.result import FitRun
from secant.leastsquares.scaling import Fixed
from secant.stopping import MaxIterations
from secant.structure import Shape

STEPS = 60
GOALS = (6, 12, 25, STEPS)
NIELSEN = "Nielsen"
TAU = 1e-2
"""The first damping."""

RULES: dict[str, Damping] = {
    NIELSEN: Nielsen(TAU),
    "WithMomentum": WithMomentum(Nielsen(TAU)),
    "without momentum": WithMomentum(Nielsen(TAU), momentum=0.0),
    "part 0.8, momentum 0.1": WithMomentum(Nielsen(TAU), 0.8, 0.1),
    "WithMomentum, tau 2e-3": WithMomentum(Nielsen(2e-3)),
}

LOADERS = {
    "diabetes": real("diabetes"),
    "friedman1": made("friedman1", 1_000, noise=1.0),
    "friedman3": made("friedman3", 1_000, noise=0.1),
    "regression": made("regression", 1_000, n_features=10, noise=10.0),
}


class Case(NamedTuple):
    """A table's name, its rows, and the network that learns them."""

    name: str
    rows: int
    hidden: tuple[int, ...]
    activation: str
    alpha: float


def cases() -> list[Case]:
    """All of them."""
    networks = product(((32,), (16, 16), (8,)), ("tanh", "logistic", "relu"), (1e-4, 0.1))
    return [
        Case(name, rows, *network)
        for (name, rows), network in product(product(LOADERS, (150, 330)), list(networks))
    ]


def problem(case: Case) -> tuple[NetworkSquares, NDArray[Any]]:
    """The squares, and where the training begins."""
    X, y = LOADERS[case.name]()
    rows = np.random.default_rng(case.rows).permutation(len(X))[: case.rows]
    X, y = X[rows], y[rows]
    X, y = (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()
    network = Perceptron((X.shape[1], *case.hidden, 1), case.activation, seed=len(case.hidden))
    index = LossIndex(MeanSquared(), l2=case.alpha / case.rows)
    objective = Objective(network, index, torch.as_tensor(X), torch.as_tensor(y[:, None]))
    return NetworkSquares(objective), weights_of(network)


def losses(case: Case, rule: Damping) -> list[float]:
    """The lowest after each step."""
    squares, x0 = problem(case)
    run = FitRun(
        squares,
        LevenbergMarquardt(rule, Fixed((1.0,) * len(x0)), Tolerances(0.0, 0.0, 0.0)),
        None,
        Shape((len(x0),)),
        (MaxIterations(STEPS),),
        max_evals=math.inf,
        max_seconds=math.inf,
        callback=None,
        x0=x0,
    )
    run.finish()
    return list(np.minimum.accumulate(run.trace.f))


def shares(found: dict[str, list[float]], goal: int) -> Iterator[tuple[str, float]]:
    """Each rule's steps over Nielsen's to the loss of his step ``goal``, unless he ended before."""
    own = found[NIELSEN]
    if goal >= len(own):
        return
    level = own[goal] * (1.0 + 1e-6)
    first = next(k for k, loss in enumerate(own) if loss <= level)
    for name, path in found.items():
        reached = next((k for k, loss in enumerate(path) if loss <= level), 1.5 * STEPS)
        yield name, max(reached, 0.5) / max(first, 1)


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.momentum")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    chosen = cases()[:: 5 if arguments.quick else 1]
    every: dict[tuple[str, int], list[float]] = {}
    for count, case in enumerate(chosen, 1):
        found = {name: losses(case, rule) for name, rule in RULES.items()}
        for goal in GOALS:
            for name, share in shares(found, goal):
                every.setdefault((name, goal), []).append(share)
        if count % 20 == 0:
            progress(f"momentum: {count} of {len(chosen)}")
    lines = [[name, *(cell(every.get((name, goal), [])) for goal in GOALS)] for name in RULES]
    print(table(["rule", *(f"loss of step {goal}" for goal in GOALS)], lines))


def cell(found: list[float]) -> str:
    """The means, and of how many."""
    if not found:
        return "-"
    mean = math.exp(fmean(math.log(share) for share in found))
    return f"{mean:.2f} ({median(found):.2f}; {len(found)})"


if __name__ == "__main__":
    main()
