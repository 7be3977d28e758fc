"""Which method trains a network fastest, by its weights and the rows: what ``auto`` goes by.

    python -m benchmarks.choice             all sizes, about five minutes
    python -m benchmarks.choice --quick     the small ones
    python -m benchmarks.choice --tables    the last results again

One network of 10 inputs and one hidden layer of tanh units is trained on tables made by scikit-learn's
generators; all methods but Levenberg-Marquardt and Adam begin in float32 where "auto" would. The goal is
the training loss at which L-BFGS is after 200 iterations, as many as scikit-learn makes; a cell has the
processor seconds to within 1 % of that loss, one thread: the median over several initial weights.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median
from time import process_time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import machine
from benchmarks.interleaved import progress
from benchmarks.single import in_one_thread
from benchmarks.tables import QUICK_FOLDER, RESULTS, save, short, table
from secant.learn.choice import SINGLE_WORK
from secant.learn.error_terms import BinaryCrossEntropy, CrossEntropy, ErrorTerm, MeanSquared
from secant.learn.history import History
from secant.learn.initial import initialise
from secant.learn.loss import LossIndex
from secant.learn.network import Perceptron
from secant.learn.strategy import Sample, Strategy, train_network

INPUTS = 10
ITERATIONS = 200
SLOWEST = 1.5
"""Processor seconds after which a method is given up on one cell."""

METHODS = {
    "regression": ("lm", "ssbroyden", "l-bfgs 60", "adam"),
    "two classes": ("ssbroyden", "l-bfgs 60", "l-bfgs 12", "adam"),
    "five classes": ("ssbroyden", "l-bfgs 60", "l-bfgs 12", "adam"),
}


OUTPUTS = {"five classes": 5}


@dataclass(frozen=True)
class Extent:
    """The sizes that are measured."""

    rows: tuple[int, ...]
    units: tuple[int, ...]
    seeds: int


QUICK = Extent((200, 1_000), (4, 16), 1)
DEFAULT = Extent((300, 3_000, 30_000), (4, 16, 64, 160), 3)


@dataclass
class Cell:
    """One size of one task: seconds to the goal by method, infinite where it was not reached."""

    task: str
    rows: int
    weights: int
    goal: float
    seconds: dict[str, float]


def measure(extent: Extent) -> dict[str, Any]:
    """All cells."""
    cells = []
    for task, rows, units in sizes(extent):
        cell = one_cell(task, rows, units, extent.seeds)
        progress(f"choice: {task}, {rows:,} rows, {cell.weights:,} weights: {fastest(cell)}")
        cells.append(asdict(cell))
    return {"machine": machine.describe(), "cells": cells}


def sizes(extent: Extent) -> Iterator[tuple[str, int, int]]:
    """Tasks, rows and hidden units."""
    for task in METHODS:
        for rows in extent.rows:
            for units in extent.units:
                yield task, rows, units


def one_cell(task: str, rows: int, units: int, seeds: int) -> Cell:
    """The methods in turn from each of the starts."""
    train, index = problem(task, rows)
    network = Perceptron((INPUTS, units, OUTPUTS.get(task, 1)))
    goals = []
    seconds: dict[str, list[float]] = {method: [] for method in METHODS[task]}
    for seed in range(seeds):
        strategy = Strategy("l-bfgs", max_iter=ITERATIONS, gtol=1e-9)
        first = train_network(started(network, seed), index, train, None, strategy)
        goals.append(1.01 * first.best.training_loss)
        for method, found in seconds.items():
            found.append(seconds_to(method, goals[-1], started(network, seed), index, train))
    medians = {method: median(found) for method, found in seconds.items()}
    return Cell(task, rows, network.count, median(goals), medians)


def seconds_to(
    method: str, goal: float, network: Perceptron, index: LossIndex, train: Sample
) -> float:
    """Processor seconds until the training loss is at the goal; infinite if it never is."""
    name, *pairs = method.split()
    large = len(train) * network.count >= SINGLE_WORK
    strategy = Strategy(
        name,
        pairs=int(pairs[0]) if pairs else None,
        single_first=large and name not in ("lm", "adam"),
        goal=goal,
        max_seconds=3600.0,
        gtol=1e-12,
        max_iter=100_000,
    )
    begun = process_time()

    def give_up(history: History) -> None:
        if process_time() - begun > SLOWEST:
            raise KeyboardInterrupt  # as a person would: the clock of `max_seconds` is the wall's

    training = train_network(network, index, train, None, strategy, give_up)
    spent = process_time() - begun
    return spent if training.best.training_loss <= goal else math.inf


def started(network: Perceptron, seed: int) -> Perceptron:
    """The network with the same initial weights every time."""
    initialise(network, "scikit-learn", np.random.RandomState(seed))
    return network


def problem(task: str, rows: int) -> tuple[Sample, LossIndex]:
    """A table and the loss index of scikit-learn's default penalty."""
    from sklearn.datasets import make_classification, make_friedman1

    term: ErrorTerm
    if task == "regression":
        X, y = make_friedman1(rows, INPUTS, noise=0.5, random_state=0)
        y, term = (y - y.mean()) / y.std(), MeanSquared()
    else:
        classes = OUTPUTS.get(task, 2)
        X, y = make_classification(
            rows, INPUTS, n_informative=8, n_redundant=0, n_classes=classes, random_state=0
        )
        term = BinaryCrossEntropy() if classes == 2 else CrossEntropy()
    targets = torch.as_tensor(y) if isinstance(term, CrossEntropy) else tensor(y[:, None])
    return Sample(tensor(standardised(X)), targets), LossIndex(term, 1e-4 / rows)


def standardised(X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns of mean 0 and deviation 1."""
    return (X - X.mean(axis=0)) / X.std(axis=0)


def tensor(values: NDArray[Any]) -> torch.Tensor:
    """In double precision."""
    return torch.as_tensor(values, dtype=torch.float64)


def fastest(cell: Cell) -> str:
    """The method with the fewest seconds; empty if none reached the goal."""
    best = min(cell.seconds, key=lambda method: cell.seconds[method])
    return best if math.isfinite(cell.seconds[best]) else ""


def tables(found: dict[str, Any]) -> str:
    """One table for each task, the fastest of each row marked."""
    cells = [Cell(**cell) for cell in found["cells"]]
    parts = []
    for task, methods in METHODS.items():
        lines = [line(cell, methods) for cell in cells if cell.task == task]
        head = ["rows", "weights", *methods]
        parts.append(
            f"{task}: seconds to the loss of 200 iterations of L-BFGS\n\n" + table(head, lines)
        )
    return "\n\n".join(parts)


def line(cell: Cell, methods: tuple[str, ...]) -> list[str]:
    """A star marks the fastest; a dash, a goal that was not reached."""
    best = fastest(cell)
    cells = [
        "-"
        if math.isinf(cell.seconds[m])
        else short(cell.seconds[m]) + (" *" if m == best else "  ")
        for m in methods
    ]
    return [f"{cell.rows:,}", f"{cell.weights:,}", *cells]


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.choice", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--tables", action="store_true")
    arguments = parser.parse_args()
    folder = QUICK_FOLDER if arguments.quick else RESULTS
    if arguments.tables:
        found = json.loads((folder / "choice.json").read_text(encoding="utf-8"))
    else:
        in_one_thread("benchmarks.choice")
        found = measure(QUICK if arguments.quick else DEFAULT)
        save("choice", found, folder)
    print(f"{machine.sentence(found['machine'])}\n\n{tables(found)}")


if __name__ == "__main__":
    main()
