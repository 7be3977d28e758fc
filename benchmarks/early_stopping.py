"""Which method predicts best where a validation loss ends the training.

    python -m benchmarks.early_stopping            about two minutes
    python -m benchmarks.early_stopping --quick    four starts of each

Networks with as many weights as numbers to learn, or more, and with fewer; a tenth of the training rows
is set aside, and the weights of the lowest error there are kept (`MLPRegressor(early_stopping=True)`,
scikit-learn's own with Adam beside it). The mean of R2 on the rows held out of all, and of the iterations.
Nothing is timed. `secant.learn.choice` goes by it.
"""

from __future__ import annotations

import argparse
import warnings
from statistics import fmean
from typing import Any

from benchmarks.interleaved import progress
from benchmarks.tables import table
from benchmarks.tabular import REGRESSION, Table, divided, made, real

STARTS, ITERATIONS = 16, 3_000
METHODS = ("lm", "ssbroyden", "l-bfgs", "adam")
PEER = "scikit-learn's adam"


def tables() -> list[Table]:
    """More weights than numbers, then fewer and fewer."""
    diabetes = real("diabetes")
    small = made("friedman1", 400, noise=1.0)
    large = made("friedman1", 1_500, noise=1.0)
    linear = made("regression", 400, n_features=20, noise=30.0)
    chosen = (
        ("diabetes", diabetes, ((32, 32), (32,), (16,), (8,), (4,))),
        ("friedman1, 400 rows", small, ((32,), (16,), (8,), (4,))),
        ("friedman1, 1,500 rows", large, ((8,), (4,))),
        ("friedman3, 400 rows", made("friedman3", 400, noise=0.1), ((32,),)),
        ("linear, 400 rows", linear, ((32,),)),
    )
    return [
        Table(name, REGRESSION, load, hidden) for name, load, every in chosen for hidden in every
    ]


def scores(one: Table, starts: int) -> dict[str, list[tuple[float, int]]]:
    """R2 on the rows held out, and iterations, of each method from each start."""
    from sklearn.neural_network import MLPRegressor as Theirs

    from secant.learn import MLPRegressor

    found: dict[str, list[tuple[float, int]]] = {name: [] for name in (*METHODS, PEER)}
    for start in range(starts):
        X, y, X_test, y_test = divided(one, start)
        options: dict[str, Any] = {
            "hidden_layer_sizes": one.hidden,
            "activation": "tanh",
            "early_stopping": True,
            "max_iter": ITERATIONS,
            "random_state": start,
        }
        models = {name: MLPRegressor(solver=name, **options) for name in METHODS}
        for name, model in {**models, PEER: Theirs(**options)}.items():
            model.fit(X, y)
            found[name].append((float(model.score(X_test, y_test)), int(model.n_iter_)))
    return found


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.early_stopping")
    parser.add_argument("--quick", action="store_true")
    starts = 4 if parser.parse_args().quick else STARTS
    lines = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # limits are met
        for one in tables():
            found = scores(one, starts)
            cells = [
                f"{fmean(score for score, _ in runs):.3f} ({fmean(k for _, k in runs):.0f})"
                for runs in found.values()
            ]
            units = " x ".join(map(str, one.hidden))
            lines.append([f"{one.name}, {units} units", *cells])
            progress(f"early stopping: {one.name}, {units}")
    print(table(["table and network", *METHODS, PEER], lines))


if __name__ == "__main__":
    main()
