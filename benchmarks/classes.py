"""How much curvature a method should know that learns classes: time to a loss, and the score there.

    python -m benchmarks.classes            about two minutes
    python -m benchmarks.classes --quick    one table of each size

Tables of scikit-learn's generator, 2 to 5 classes, none of them in `benchmarks.tabular`; 32 tanh units. The
goal is the loss at which scikit-learn's lbfgs ends, from the same weights. An untimed training finds the
iteration at which a method is below, a timed one makes as many: processor seconds over scikit-learn's, one
thread. The gain is the score there on the rows held out, less scikit-learn's. `secant.learn.choice` goes by it.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean, median
from time import process_time
from typing import Any

import numpy as np
import torch

from benchmarks import machine
from benchmarks.interleaved import progress
from benchmarks.single import in_one_thread
from benchmarks.tables import short, table
from benchmarks.tabular import CLASSIFICATION, SMALL, Table, divided, made, theirs, timed
from secant.learn import LossIndex, Perceptron, Strategy, train_network
from secant.learn.error_terms import BinaryCrossEntropy, CrossEntropy, ErrorTerm
from secant.learn.initial import initialise
from secant.learn.sample import Sample
from secant.learn.strategy import Training

METHODS: dict[str, dict[str, Any]] = {
    "ssbroyden": {"method": "ssbroyden"},
    "l-bfgs 60": {"method": "l-bfgs", "pairs": 60},
    "l-bfgs 12": {"method": "l-bfgs", "pairs": 12},
}
SIZES = ((2, 6_000), (2, 20_000), (3, 6_000), (4, 6_000), (5, 12_000))
SEEDS, STARTS, ITERATIONS = (31, 32, 33), (0, 1), 500


@dataclass(frozen=True)
class Reached:
    """One method on one table from one start; infinite and NaN where it did not come down."""

    ratio: float
    gain: float


def measure(seeds: tuple[int, ...]) -> Iterator[tuple[str, dict[str, list[Reached]]]]:
    """What each method did on each size."""
    for classes, rows in SIZES:
        found: dict[str, list[Reached]] = {name: [] for name in METHODS}
        for seed in seeds:
            options = {"n_classes": classes, "n_features": 20, "n_informative": 10}
            load = made("classification", rows, seed=seed, **options)
            one = Table(f"{classes} classes", CLASSIFICATION, load, SMALL)
            for start in STARTS:
                contest(one, classes, start, found)
        name = f"{classes} classes, {rows:,} rows"
        progress(f"classes: {name}")
        yield name, found


def contest(one: Table, classes: int, start: int, found: dict[str, list[Reached]]) -> None:
    """All methods from one start."""
    split = divided(one, start)
    peer = timed(theirs(one, "lbfgs", start), split)
    for name, options in METHODS.items():
        training, _, _ = trained(split, classes, start, ITERATIONS, options)
        losses = training.history.column("objective")
        reached = next((k for k, loss in enumerate(losses) if loss <= peer.loss), None)
        if reached is None:
            found[name].append(Reached(math.inf, math.nan))
            continue
        _, seconds, score = trained(split, classes, start, max(reached, 1), options)
        found[name].append(Reached(seconds / peer.seconds, score - peer.score))


def trained(
    split: tuple[Any, ...], classes: int, start: int, limit: int, options: dict[str, Any]
) -> tuple[Training, float, float]:
    """A training of so many iterations, its processor seconds, and the test score."""
    X, y, X_test, y_test = split
    term: ErrorTerm = BinaryCrossEntropy() if classes == 2 else CrossEntropy()
    targets = y[:, None].astype(float) if classes == 2 else y
    train = Sample(torch.as_tensor(X), torch.as_tensor(targets))
    network = Perceptron((X.shape[1], *SMALL, 1 if classes == 2 else classes))
    initialise(network, "scikit-learn", np.random.RandomState(start))
    strategy = Strategy(**options, single_first=True, gtol=1e-9, max_iter=limit, max_seconds=3600.0)
    begun = process_time()
    training = train_network(network, LossIndex(term, 0.5e-4 / len(X)), train, None, strategy)
    seconds = process_time() - begun
    outputs = network.outputs(X_test)
    guess = outputs[:, 0] > 0.0 if classes == 2 else outputs.argmax(axis=1)
    return training, seconds, float(np.mean(guess == y_test))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classes")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    in_one_thread("benchmarks.classes")
    every: dict[str, list[Reached]] = {name: [] for name in METHODS}
    lines = []
    for size, found in measure(SEEDS[:1] if arguments.quick else SEEDS):
        for name, runs in found.items():
            every[name] += runs
            lines.append(line(size, name, runs))
    lines += [line("all", name, runs) for name, runs in every.items()]
    head = ["tables", "method", "reached", "time, median", "gain, mean"]
    print(f"{machine.sentence(machine.describe())}\n\n{table(head, lines)}")


def line(size: str, name: str, runs: list[Reached]) -> list[str]:
    """One row of the table."""
    down = [run for run in runs if math.isfinite(run.ratio)]
    ratio, gain = median(run.ratio for run in runs), fmean(run.gain for run in down)
    return [size, name, f"{len(down)} of {len(runs)}", short(ratio), f"{gain:+.4f}"]


if __name__ == "__main__":
    main()
