"""secant's estimators beside scikit-learn's networks on tables, real ones and larger ones made offline.

    python -m benchmarks.tabular            all tables, about three minutes
    python -m benchmarks.tabular --quick    the small ones, once
    python -m benchmarks.tabular --only "digits 32,friedman1"
    python -m benchmarks.tabular --tables   the last results again

The set was fixed before it was measured: scikit-learn's four small real tables, its Friedman problems, a
linear one and two of classes with 10^4 to 3x10^4 rows; 32 tanh units, on the real tables also 32 x 32.
Both have the same network, penalty (scikit-learn's default) and initial weights, the same rows to train
on and no scaling but that of the columns beforehand. scikit-learn's lbfgs and adam run to their own ends;
the goal is the lower of the two losses (with the penalty) at which they end. An untimed fit of secant with
``solver="auto"`` finds the iteration at which it is below, and a timed one makes as many. All times are
of whole calls of ``fit``, short ones the median of five: processor seconds, one thread, solvers in turn,
each repeat with another random state (split and weights); a goal that is not reached counts as an infinite
time. "Going on" is the loss of the untimed fit after 600 iterations; the score is that at the goal on the
rows held out, and the gain is against scikit-learn's where its loss was the goal.
"""

from __future__ import annotations

import argparse
import json
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from statistics import median
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine
from benchmarks.interleaved import progress
from benchmarks.single import in_one_thread
from benchmarks.tables import QUICK_FOLDER, RESULTS, save, short, spread, table

REGRESSION, CLASSIFICATION = "regression", "classification"
PEERS = ("lbfgs", "adam")
HELD_OUT = 0.25
REPEATS = 3
"""With other random states: another split, and another start."""

SHORT, AGAIN = 0.1, 5
"""Seconds below which a call of ``fit`` is repeated, and how often at most; the median counts."""

FURTHER = 600
"""Iterations of the fit that goes on; scikit-learn's lbfgs makes 200 at most."""

Matrix = NDArray[np.float64]
Data = tuple[Matrix, NDArray[Any]]


@dataclass(frozen=True)
class Table:
    """One table and the network that learns it.

    Attributes
    ----------
    name, task : str
    load : callable
        Inputs and targets.
    hidden : tuple of int
    large : bool
        Whether a quick run leaves it out.
    """

    name: str
    task: str
    load: Callable[[], Data]
    hidden: tuple[int, ...]
    large: bool = False


def real(name: str) -> Callable[[], Data]:
    """A table that scikit-learn ships."""

    def load() -> Data:
        from sklearn import datasets

        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        return X, y

    return load


def made(name: str, rows: int, seed: int = 0, **options: Any) -> Callable[[], Data]:
    """A table from one of scikit-learn's generators."""

    def load() -> Data:
        from sklearn import datasets

        X, y = getattr(datasets, f"make_{name}")(rows, random_state=seed, **options)
        return X, y

    return load


SMALL, DEEP = (32,), (32, 32)
"""The networks: one hidden layer on all tables, and two on the real ones."""

_CLASSES = {"n_features": 20, "n_informative": 10}

REAL = {
    "diabetes": REGRESSION,
    "breast_cancer": CLASSIFICATION,
    "wine": CLASSIFICATION,
    "digits": CLASSIFICATION,
}

MADE = (
    Table("friedman1", REGRESSION, made("friedman1", 10_000, noise=1.0), SMALL, True),
    Table("friedman2", REGRESSION, made("friedman2", 10_000, noise=50.0), SMALL, True),
    Table("friedman3", REGRESSION, made("friedman3", 10_000, noise=0.1), SMALL, True),
    Table(
        "regression",
        REGRESSION,
        made("regression", 20_000, n_features=20, noise=10.0),
        SMALL,
        True,
    ),
    Table(
        "three classes",
        CLASSIFICATION,
        made("classification", 10_000, n_classes=3, **_CLASSES),
        SMALL,
        True,
    ),
    Table("two classes", CLASSIFICATION, made("classification", 30_000, **_CLASSES), SMALL, True),
)

TABLES = (
    *(
        Table(f"{name} {'x'.join(map(str, hidden))}", task, real(name), hidden)
        for name, task in REAL.items()
        for hidden in (SMALL, DEEP)
    ),
    *MADE,
)


@dataclass(frozen=True)
class Fit:
    """One call of ``fit``."""

    seconds: float
    loss: float
    iterations: int
    score: float


@dataclass(frozen=True)
class Contest:
    """The solvers on one table with one random state.

    Attributes
    ----------
    peers : dict of str to Fit
        scikit-learn's solvers.
    goal : float
        The lower of their losses.
    ours : Fit
        secant, stopped at the goal.
    solver : str
        What "auto" chose.
    further : Fit
        secant, going on.
    """

    table: str
    task: str
    rows: int
    weights: int
    peers: dict[str, Fit]
    goal: float
    ours: Fit
    solver: str
    further: Fit

    @property
    def ratio(self) -> float:
        """Our seconds to the goal over those of the faster peer, which may have ended above it."""
        return self.ours.seconds / min(fit.seconds for fit in self.peers.values())

    @property
    def score_gain(self) -> float:
        """Our score at the goal, less that of the peer whose loss was the goal."""
        best = min(self.peers.values(), key=lambda fit: fit.loss)
        return self.ours.score - best.score


def contest(one: Table, seed: int) -> Contest:
    """One repeat."""
    split = divided(one, seed)
    peers = {solver: timed(theirs(one, solver, seed), split) for solver in PEERS}
    goal = min(fit.loss for fit in peers.values())
    probe = ours(one, seed, max_iter=FURTHER, tol=0.0, gtol=1e-9)
    further = timed(probe, split)
    reached = next((k for k, loss in enumerate(probe.loss_curve_, 1) if loss <= goal), None)
    if reached is None:
        found = Fit(math.inf, further.loss, further.iterations, further.score)
    else:
        found = timed(ours(one, seed, max_iter=reached, tol=0.0, gtol=0.0), split)
    rows, weights = len(split[0]), sum(c.size for c in probe.coefs_ + probe.intercepts_)
    return Contest(one.name, one.task, rows, weights, peers, goal, found, probe.solver_, further)


def divided(one: Table, seed: int) -> tuple[Matrix, NDArray[Any], Matrix, NDArray[Any]]:
    """Training and test rows, columns (and numbers to be learnt) scaled by the training rows."""
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    X, y = one.load()
    stratify = y if one.task == CLASSIFICATION else None
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=HELD_OUT, random_state=seed, stratify=stratify
    )
    scaler = StandardScaler().fit(X)
    if one.task == REGRESSION:
        mean, deviation = y.mean(), y.std()
        y, y_test = (y - mean) / deviation, (y_test - mean) / deviation
    return scaler.transform(X), y, scaler.transform(X_test), y_test


def theirs(one: Table, solver: str, seed: int) -> Any:
    """scikit-learn's estimator with its own stops."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    kind = MLPRegressor if one.task == REGRESSION else MLPClassifier
    return kind(
        hidden_layer_sizes=one.hidden,
        activation="tanh",
        solver=solver,
        random_state=seed,
    )


def ours(one: Table, seed: int, **options: Any) -> Any:
    """secant's estimator; the same random state draws the same weights."""
    from secant.learn import MLPClassifier, MLPRegressor

    kind = MLPRegressor if one.task == REGRESSION else MLPClassifier
    return kind(one.hidden, "tanh", random_state=seed, **options)


def timed(estimator: Any, split: tuple[Matrix, NDArray[Any], Matrix, NDArray[Any]]) -> Fit:
    """Fit, again if that was short, and judge."""
    X, y, X_test, y_test = split
    every: list[float] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # limits are met on purpose
        while not every or (sum(every) < SHORT and len(every) < AGAIN):
            begun = process_time()
            estimator.fit(X, y)
            every.append(process_time() - begun)
    seconds = median(every)
    score = float(estimator.score(X_test, y_test))
    return Fit(seconds, float(estimator.loss_), int(estimator.n_iter_), score)


def measure(chosen: list[Table], repeats: int) -> dict[str, Any]:
    """All tables, after one small fit of everybody that loads what is loaded late."""
    for one in TABLES[1:3]:
        contest(one, 0)
    rows = []
    for one in chosen:
        for seed in range(repeats):
            found = contest(one, seed)
            progress(f"tabular: {one.name}, {found.solver}: {found.ratio:.2f}")
            rows.append(asdict(found))
    return {"machine": machine.describe(), "contests": rows}


def load(found: dict[str, Any]) -> Iterator[tuple[str, list[Contest]]]:
    """The contests of each table."""
    contests = []
    for row in found["contests"]:
        peers = {name: Fit(**fit) for name, fit in row["peers"].items()}
        fits = {name: Fit(**row[name]) for name in ("ours", "further")}
        contests.append(Contest(**{**row, "peers": peers, **fits}))
    for name in dict.fromkeys(one.table for one in contests):
        yield name, [one for one in contests if one.table == name]


def tables(found: dict[str, Any]) -> str:
    """Times and losses, then the targets."""
    head = ["table", "rows", "weights", "sklearn lbfgs", "adam", "auto", "seconds", "ratio"]
    head += ["goal", "going on", "score", "gain"]
    every = list(load(found))
    text = table(head, [line(contests) for _, contests in every])
    ratio = {name: median(one.ratio for one in contests) for name, contests in every}
    worst = max(ratio, key=lambda name: ratio[name])
    squares = [ratio[name] for name, contests in every if contests[0].solver == "lm"]
    lines = [
        f"median of the ratios over tables: {median(ratio.values()):.2f} (target 0.5)",
        f"largest: {ratio[worst]:.2f}, {worst} (target 1.2)",
    ]
    if squares:
        lines.append(f"median with Levenberg-Marquardt: {median(squares):.2f} (target 0.25)")
    return text + "\n\n" + "\n".join(lines)


def line(contests: list[Contest]) -> list[str]:
    """Medians over the repeats; of the ratios the range, too."""
    first = contests[0]

    def middle(value: Callable[[Contest], float]) -> str:
        return short(median(value(one) for one in contests))

    return [
        first.table,
        f"{first.rows:,}",
        f"{first.weights:,}",
        *(middle(lambda one, p=peer: one.peers[p].seconds) for peer in PEERS),  # type: ignore[misc]
        first.solver,
        middle(lambda one: one.ours.seconds),
        spread([one.ratio for one in contests]),
        middle(lambda one: one.goal),
        middle(lambda one: one.further.loss),
        middle(lambda one: one.ours.score),
        f"{median(one.score_gain for one in contests):+.3f}",
    ]


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tabular")
    parser.add_argument("--quick", action="store_true", help="the small tables, once")
    parser.add_argument("--only", help="names of tables, separated by commas; saved nowhere")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--tables", action="store_true", help="print the last results")
    arguments = parser.parse_args()
    folder = QUICK_FOLDER if arguments.quick else RESULTS
    if arguments.tables:
        found = json.loads((folder / "tabular.json").read_text(encoding="utf-8"))
    else:
        in_one_thread("benchmarks.tabular")
        chosen = [one for one in TABLES if not (arguments.quick and one.large)]
        if arguments.only:
            chosen = [one for one in TABLES if one.name in arguments.only.split(",")]
        found = measure(chosen, 1 if arguments.quick else arguments.repeats)
        if not arguments.only:
            save("tabular", found, folder)
    print(f"{machine.sentence(found['machine'])}\n\n{tables(found)}")


if __name__ == "__main__":
    main()
