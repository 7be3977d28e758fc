"""Results that every textbook knows, as secant gets them: docs/reference-results.md.

python -m benchmarks.reference_results
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

import secant
from benchmarks import networks
from secant import problems
from secant.problems import Objective

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference-results.md"

COMMAND = "python -m benchmarks.reference_results"

SECONDS = 5.0
"""Processor time for each optimiser of the network."""

NAMES = {
    "gd": "gradient descent",
    "cg": "conjugate gradients",
    "bfgs": "BFGS",
    "l-bfgs": "L-BFGS",
}


class Valley(NamedTuple):
    """One method in Rosenbrock's valley."""

    start: tuple[float, float]
    method: str
    iterations: int
    evaluations: int
    gradients: int
    f: float
    status: secant.Status


class Rate(NamedTuple):
    """One method on a quadratic."""

    n: int
    method: str
    iterations: int
    measured: float
    theory: float | None


class Minimum(NamedTuple):
    """Where a method ended."""

    problem: str
    method: str
    start: str
    x: str
    f: float
    error: float
    iterations: int
    evaluations: int
    status: secant.Status


class Loss(NamedTuple):
    """What an optimiser reached on the network."""

    seed: int
    optimizer: str
    steps: int
    loss: float


# ------------------------------------------------------------------------------------ Rosenbrock


def rosenbrock() -> list[Valley]:
    """Iterations and evaluations to ``|g|_inf <= 1e-6`` from the two customary starts."""
    f = problems.rosenbrock()
    rows = []
    for start in ((-1.2, 1.0), (-1.0, 0.0)):
        for method in NAMES:
            r = secant.minimize(
                f.value_and_gradient, np.array(start), method=method, jac=True, gtol=1e-6
            )
            rows.append(Valley(start, method, r.nit, r.nfev, r.njev, r.fun, r.status))
    return rows


def condition_number() -> float:
    """Of Rosenbrock's analytic Hessian at (1, 1)."""
    f = problems.rosenbrock()
    return float(np.linalg.cond(f.hessian(np.array(f.x_star))))


# ------------------------------------------------------------------------------------- quadratics


def quadratic(n: int, kappa: float = 100.0) -> list[Rate]:
    """Iterations until ``|x - x*| <= 1e-6 |x0 - x*|``, and the factor on the error per iteration."""
    f = problems.quadratic(kappa, n)
    alpha, beta = secant.optimal_momentum(1.0, kappa)
    methods: dict[str, tuple[Any, float | None]] = {
        "gradient descent, rate 2 / (L + mu)": (
            secant.GradientDescent(2.0 / (kappa + 1.0)),
            (kappa - 1.0) / (kappa + 1.0),
        ),
        "heavy ball, optimal_momentum(mu, L)": (
            secant.HeavyBall(alpha, beta),
            math.sqrt(beta),
        ),
        "linear CG": (secant.LinearCG(), None),
    }
    return [_rate(f, name, method, theory) for name, (method, theory) in methods.items()]


def _rate(f: Objective, name: str, method: Any, theory: float | None) -> Rate:
    x_star = np.array(f.x_star)
    A = f.hessian(f.start())
    errors: list[float] = []

    def watch(snapshot: secant.Snapshot) -> bool:
        errors.append(float(np.linalg.norm(snapshot.x - x_star)))
        return errors[-1] <= 1e-6 * errors[0]

    products = {"hessp": lambda x, p: A @ p} if method.uses_hessian else {}
    secant.minimize(
        f.value_and_gradient,
        f.start(),
        method=method,
        jac=True,
        gtol=0.0,
        callback=watch,
        **products,
    )
    last, middle = len(errors) - 1, (len(errors) - 1) // 2
    measured = (errors[last] / errors[middle]) ** (1.0 / (last - middle))
    return Rate(f.n, name, last, measured, theory)


# ------------------------------------------------------------------------------------ known minima


def minima() -> list[Minimum]:
    """Where BFGS and L-BFGS end on functions whose minima are known."""
    rows = []
    tests = [problems.booth(), problems.beale(), problems.himmelblau(), problems.rastrigin()]
    tests += [problems.rosenbrock(n) for n in (2, 10, 100, 1000)]
    for f in tests:
        for method in ("bfgs", "l-bfgs"):
            r = secant.minimize(f.value_and_gradient, f.start(), method=method, jac=True, gtol=1e-8)
            known = (f.f_star, *f.local_minima)
            error = min(abs(r.fun - value) for value in known)
            rows.append(
                Minimum(
                    str(f),
                    method,
                    _vector(f.x0),
                    _vector(r.x),
                    r.fun,
                    error,
                    r.nit,
                    r.nfev,
                    r.status,
                )
            )
    return rows


def logarithms() -> list[Minimum]:
    """``10 x^2 - log x`` from 0.5 and ``100 x^2 - log x`` from 0.7: the domain ends at zero."""
    rows = []
    for a, start in ((10.0, 0.5), (100.0, 0.7)):

        def fun(x: np.ndarray, a: float = a) -> tuple[float, np.ndarray]:
            with np.errstate(all="ignore"):
                return a * x[0] ** 2 - np.log(x[0]), 2.0 * a * x - 1.0 / x

        x_star = 1.0 / math.sqrt(2.0 * a)
        for method in NAMES:
            r = secant.minimize(fun, np.array([start]), method=method, jac=True, gtol=1e-6)
            error = abs(float(r.x[0]) - x_star)
            rows.append(
                Minimum(
                    f"{a:g} x^2 - log x",
                    method,
                    f"{start:g}",
                    _vector(r.x),
                    r.fun,
                    error,
                    r.nit,
                    r.nfev,
                    r.status,
                )
            )
    return rows


# ----------------------------------------------------------------------------------------- network


def network(seconds: float = SECONDS, seeds: Sequence[int] = (0, 1, 2)) -> list[Loss]:
    """Training losses after the same processor time: secant's methods, Adam, gradient descent."""
    rows = []
    for seed in seeds:
        curves = [
            networks.by_secant("L-BFGS (secant)", "l-bfgs", seconds, seed),
            networks.by_secant("BFGS (secant)", "bfgs", seconds, seed),
            networks.best_rate("Adam", seconds, seed),
            networks.best_rate("gradient descent", seconds, seed),
        ]
        rows += [Loss(seed, curve.label, curve.steps, curve.lowest) for curve in curves]
    return rows


# -------------------------------------------------------------------------------------------- page


def page() -> str:
    """The whole page as Markdown."""
    parts = [
        "# Reference results",
        f"Written by `{COMMAND}` with secant {secant.__version__}; do not edit by hand.",
        *_rosenbrock_section(),
        *_quadratic_section(),
        *_minima_section(),
        *_network_section(),
    ]
    return "\n\n".join(parts) + "\n"


def _rosenbrock_section() -> list[str]:
    rows = (
        (
            f"({row.start[0]:g}, {row.start[1]:g})",
            NAMES[row.method],
            row.iterations,
            row.evaluations,
            row.gradients,
            f"{row.f:.1e}",
            row.status.name,
        )
        for row in rosenbrock()
    )
    return [
        "## Rosenbrock's valley",
        "Iterations and evaluations until the largest gradient component is at most 1e-6, every method"
        " with its defaults.",
        _table(
            ("start", "method", "iterations", "values", "gradients", "f at the end", "status"), rows
        ),
        "The condition number of the analytic Hessian at the minimiser (1, 1) is"
        f" **{condition_number():.0f}**.",
    ]


def _quadratic_section() -> list[str]:
    rows = (
        (
            row.n,
            row.method,
            row.iterations,
            f"{row.measured:.4f}",
            "" if row.theory is None else f"{row.theory:.4f}",
        )
        for n in (10, 30, 100)
        for row in quadratic(n)
    )
    return [
        "## A quadratic of condition number 100",
        "`problems.quadratic(kappa=100, n)`, eigenvalues log-spaced from mu = 1 to L = 100, from the"
        " origin until the distance to the minimiser has fallen by 1e-6. The rate is the mean factor on"
        " that distance over the second half of the iterations. Theory says (kappa - 1)/(kappa + 1) for"
        " gradient descent and, in the limit, (sqrt(kappa) - 1)/(sqrt(kappa) + 1) for the heavy ball. In"
        " exact arithmetic conjugate gradients end after n iterations; where n is large the tolerance is"
        " met earlier.",
        _table(("n", "method", "iterations", "measured rate", "theory"), rows),
    ]


def _minima_section() -> list[str]:
    ends = ("iterations", "evaluations", "status")
    rows = (
        (
            row.problem,
            NAMES[row.method],
            row.start,
            row.x,
            f"{row.f:.6g}",
            f"{row.error:.1e}",
            row.iterations,
            row.evaluations,
            row.status.name,
        )
        for row in minima()
    )
    of_one_variable = (
        (
            row.problem,
            NAMES[row.method],
            row.start,
            row.x,
            f"{row.error:.1e}",
            row.iterations,
            row.evaluations,
            row.status.name,
        )
        for row in logarithms()
    )
    return [
        "## Minimisers",
        "From the standard starts of `secant.problems`, to a largest gradient component of 1e-8. The"
        " error is the distance of f from the nearest known minimum: the global one or, for Rastrigin and"
        " the longer Rosenbrock functions, possibly a local one.",
        _table(("problem", "method", "start", "end", "f", "error of f", *ends), rows),
        "Two functions of one variable whose domain ends at zero, where a step that is too long meets a"
        " value that is not a number. The minimiser of `a x^2 - log x` is 1 / sqrt(2 a).",
        _table(("function", "method", "start", "end", "error of x", *ends), of_one_variable),
    ]


def _network_section() -> list[str]:
    rates = {
        name: ", ".join(f"{rate:g}" for rate in networks.RATES[name]) for name in networks.RATES
    }
    return [
        "## A small network: L-BFGS against Adam",
        "scikit-learn's diabetes table (442 rows, 10 columns), a network of two hidden layers of 24 tanh"
        " units in float64 (889 weights), mean squared error of the standardised target over all rows,"
        f" {SECONDS:g} seconds of processor time for each optimiser, one thread, the same start for all. Adam"
        " and gradient descent are PyTorch's, with a constant learning rate: the best of"
        f" {rates['Adam']} for Adam and of {rates['gradient descent']} for gradient descent. This is the"
        " loss on the training rows, the quantity being minimised: it compares optimisers, not models, and"
        " a network of this size can learn 442 rows by heart.",
        _table(
            ("seed", "optimiser", "iterations", "lowest training loss"),
            ((row.seed, row.optimizer, row.steps, f"{row.loss:.1e}") for row in network()),
        ),
    ]


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(map(str, row)) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _vector(x: Sequence[float]) -> str:
    shown = [f"{value:.6g}" for value in list(x)[:3]]
    return "(" + ", ".join(shown) + (", ...)" if len(x) > 3 else ")")


def main() -> None:
    """Print the page and write it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reference_results")
    parser.add_argument("--out", type=Path, default=PAGE)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    text = page()
    print(text, end="")
    arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
