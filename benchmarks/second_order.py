"""Newton's methods and trust regions against SciPy's of the same names, exact second derivatives given.

    python -m benchmarks second_order
    python -m benchmarks.second_order --only newton-cg --extent quick

Both get ``fun``, ``jac`` and ``hessp`` (``hess`` where the method factorises) of one instrument, which ends
a run at the first gradient with ``max |g_i| <= 1e-6 max(1, max |g_i(x0)|)``: no stopping rule, and no
multiple of one, is part of the comparison. Repeats take turns, short runs many times; times are processor
time of one thread, and a ratio above 1 means that secant was faster. Rows whose two runs end in different
minima are listed apart, with the values found, and not looked at for the least ratio.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

import secant
from benchmarks import machine
from benchmarks.interleaved import progress
from benchmarks.tables import ratios, short, spread, table

Vector = NDArray[np.float64]

PRODUCTS, MATRICES = ("newton-cg", "trust-ncg", "trust-krylov"), ("trust-exact", "dogleg")
METHODS = (*PRODUCTS, *MATRICES)

TOLERANCE = 1e-6

ENOUGH = 0.4
"""Seconds of a row after which repeats may end."""

MOST_REPEATS = 61

SAME = 1e-3
"""Values so close, relative to the larger or to 1, are those of one minimum."""

# ------------------------------------------------------------------------------------- the problems


@dataclass(frozen=True)
class Problem:
    """A function with its derivatives.

    Attributes
    ----------
    name : str
    x0 : array, shape (n,)
    fun, jac : callable
    matrix : callable
        ``x -> B``.
    at : callable
        ``x -> (p -> B p)``.
    """

    name: str
    x0: Vector
    fun: Callable[[Vector], float]
    jac: Callable[[Vector], Vector]
    matrix: Callable[[Vector], Vector]
    at: Callable[[Vector], Callable[[Vector], Vector]]

    @property
    def n(self) -> int:
        """The number of variables."""
        return self.x0.size


def tridiagonal(
    name: str,
    x0: Vector,
    fun: Callable[[Vector], float],
    jac: Callable[[Vector], Vector],
    bands: Callable[[Vector], tuple[Vector, Vector]],
) -> Problem:
    """A problem by the diagonal of its Hessian and what is beside it."""

    def matrix(x: Vector) -> Vector:
        middle, beside = bands(x)
        B = np.diag(middle)
        k = np.arange(beside.size)
        B[k, k + 1] = B[k + 1, k] = beside
        return B

    def at(x: Vector) -> Callable[[Vector], Vector]:
        middle, beside = bands(x)

        def product(p: Vector) -> Vector:
            Bp = middle * p
            Bp[:-1] += beside * p[1:]
            Bp[1:] += beside * p[:-1]
            return Bp

        return product

    return Problem(f"{name}(n={x0.size})", x0, fun, jac, matrix, at)


def rosenbrock(n: int) -> Problem:
    """A curved valley in all variables, ``sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2``."""

    def bands(x: Vector) -> tuple[Vector, Vector]:
        a, b = x[:-1], x[1:]
        middle = np.zeros(n)
        middle[:-1] = 1200.0 * a * a - 400.0 * b + 2.0
        middle[1:] += 200.0
        return middle, -400.0 * a

    x0 = np.where(np.arange(n) % 2 == 0, -1.2, 1.0)
    return tridiagonal("rosenbrock", x0, optimize.rosen, optimize.rosen_der, bands)


def engval1(n: int) -> Problem:
    """``sum_i (x_i^2 + x_{i+1}^2)^2 - 4 x_i + 3``: easy, and nearly quadratic."""

    def fun(x: Vector) -> float:
        q = x[:-1] ** 2 + x[1:] ** 2
        return float(q @ q + (3.0 - 4.0 * x[:-1]).sum())

    def jac(x: Vector) -> Vector:
        q = x[:-1] ** 2 + x[1:] ** 2
        g = np.zeros(n)
        g[:-1] += 4.0 * q * x[:-1] - 4.0
        g[1:] += 4.0 * q * x[1:]
        return g

    def bands(x: Vector) -> tuple[Vector, Vector]:
        a, b = x[:-1], x[1:]
        q = a * a + b * b
        middle = np.zeros(n)
        middle[:-1] += 4.0 * q + 8.0 * a * a
        middle[1:] += 4.0 * q + 8.0 * b * b
        return middle, 8.0 * a * b

    return tridiagonal("engval1", np.full(n, 2.0), fun, jac, bands)


def wells(n: int) -> Problem:
    """Coupled double wells, ``sum_i (x_i^2 - 1)^2 / 4 + (x_{i+1} - x_i)^2 / 2``, from beside their saddle."""

    def fun(x: Vector) -> float:
        z, d = x * x - 1.0, np.diff(x)
        return float(0.25 * (z @ z) + 0.5 * (d @ d))

    def jac(x: Vector) -> Vector:
        g = (x * x - 1.0) * x
        d = np.diff(x)
        g[:-1] -= d
        g[1:] += d
        return g

    def bands(x: Vector) -> tuple[Vector, Vector]:
        middle = 3.0 * x * x - 1.0
        middle[:-1] += 1.0
        middle[1:] += 1.0
        return middle, -np.ones(n - 1)

    x0 = 0.01 * np.random.default_rng(n).standard_normal(n)
    return tridiagonal("wells", x0, fun, jac, bands)


def ill(n: int) -> Problem:
    """``sum_i i^2 (x_i^2 / 2 + x_i^4 / 4) / n^2`` in coordinates that a reflection has mixed."""
    c = (np.arange(1.0, n + 1.0) / n) ** 2
    v = np.random.default_rng(0).standard_normal(n)
    v /= np.linalg.norm(v)

    def reflect(x: Vector) -> Vector:
        return x - (2.0 * (v @ x)) * v

    def fun(x: Vector) -> float:
        y = reflect(x)
        return float(c @ (0.5 * y * y + 0.25 * y**4))

    def jac(x: Vector) -> Vector:
        y = reflect(x)
        return reflect(c * (y + y**3))

    def matrix(x: Vector) -> Vector:
        Q = np.eye(n) - 2.0 * np.outer(v, v)
        y = reflect(x)
        return Q @ ((c * (1.0 + 3.0 * y * y))[:, None] * Q)

    def at(x: Vector) -> Callable[[Vector], Vector]:
        y = reflect(x)
        middle = c * (1.0 + 3.0 * y * y)
        return lambda p: reflect(middle * reflect(p))

    return Problem(f"ill(n={n})", np.full(n, 1.0), fun, jac, matrix, at)


def logistic(n: int) -> Problem:
    """Logistic regression of ``3 n`` noisy labels with a little weight decay."""
    rng = np.random.default_rng(n)
    X = rng.standard_normal((3 * n, n)) * np.geomspace(1.0, 0.05, n)
    labels = np.where(X @ rng.standard_normal(n) + rng.standard_normal(3 * n) > 0.0, 1.0, -1.0)
    decay, A = 1e-3, labels[:, None] * X

    def fun(w: Vector) -> float:
        return float(np.logaddexp(0.0, -(A @ w)).mean() + 0.5 * decay * (w @ w))

    def half(w: Vector) -> Vector:
        return 0.5 * (1.0 - np.tanh(0.5 * (A @ w)))

    def jac(w: Vector) -> Vector:
        return -(half(w) @ A) / len(A) + decay * w

    def weights(w: Vector) -> Vector:
        s = half(w)
        return s * (1.0 - s) / len(A)

    def matrix(w: Vector) -> Vector:
        return A.T @ (weights(w)[:, None] * A) + decay * np.eye(n)

    def at(w: Vector) -> Callable[[Vector], Vector]:
        d = weights(w)
        return lambda p: (d * (A @ p)) @ A + decay * p

    return Problem(f"logistic(n={n})", np.zeros(n), fun, jac, matrix, at)


FAMILIES = (rosenbrock, engval1, wells, ill, logistic)

# ------------------------------------------------------------------------------------ one run


class Solved(Exception):
    """The gradient is small enough."""


class OutOfBudget(Exception):
    """Evaluations or time are used up."""


class Watch:
    """A problem that counts, and ends the run that is solved or too long."""

    def __init__(self, problem: Problem, most: int, seconds: float) -> None:
        self._problem, self._most = problem, most
        self.nfev = self.njev = self.products = 0
        self.solution: Vector | None = None
        self._x: Vector | None = None
        self._end = time.process_time() + seconds
        size = float(np.abs(problem.jac(problem.x0)).max())
        self._small = TOLERANCE * max(1.0, size)

    def fun(self, x: Vector) -> float:
        """The value."""
        self.nfev += 1
        if self.nfev > self._most or time.process_time() > self._end:
            raise OutOfBudget
        return self._problem.fun(x)

    def jac(self, x: Vector) -> Vector:
        """The gradient."""
        self.njev += 1
        g = self._problem.jac(x)
        if np.maximum.reduce(np.abs(g)) <= self._small:
            self.solution = x.copy()
            raise Solved
        return g

    def hess(self, x: Vector) -> Vector:
        """The whole Hessian."""
        self.products += 1
        return self._problem.matrix(x)

    def hessp(self, x: Vector, p: Vector) -> Vector:
        """A product; what depends on x alone is computed once for each x."""
        self.products += 1
        if time.process_time() > self._end:
            raise OutOfBudget
        if self._x is None or not np.array_equal(x, self._x):
            self._x, self._product = x.copy(), self._problem.at(x)
        return self._product(p)


@dataclass(frozen=True)
class Outcome:
    """How a run went; ``seconds`` for one that did not solve the problem are those it took to fail."""

    solved: bool
    f: float | None
    nfev: int
    njev: int
    products: int
    seconds: float


def run(solve: Callable[[Watch], object], problem: Problem, most: int, limit: float) -> Outcome:
    """One solver on one problem."""
    watch, solved = Watch(problem, most, limit), False
    began = time.process_time()
    try:
        solve(watch)
    except Solved:
        solved = True
    except (OutOfBudget, np.linalg.LinAlgError, ValueError):
        solved = False  # SciPy's dogleg refuses indefinite matrices with a ValueError
    seconds = time.process_time() - began
    f = None if watch.solution is None else problem.fun(watch.solution)
    return Outcome(solved, f, watch.nfev, watch.njev, watch.products, seconds)


def solvers(method: str, problem: Problem) -> dict[str, Callable[[Watch], object]]:
    """Ours and SciPy's, with stopping rules that never stop."""

    def second(watch: Watch) -> dict[str, Any]:
        return {"hess": watch.hess} if method in MATRICES else {"hessp": watch.hessp}

    tight = {"xtol": 1e-16} if method == "newton-cg" else {"gtol": 1e-16}

    def ours(watch: Watch) -> object:
        return secant.minimize(
            watch.fun, problem.x0, jac=watch.jac, method=method, gtol=0.0, **second(watch)
        )

    def scipys(watch: Watch) -> object:
        return optimize.minimize(
            watch.fun,
            problem.x0,
            jac=watch.jac,
            method=method,
            options={**tight, "maxiter": 10**6},
            **second(watch),
        )

    return {"secant": ours, "SciPy": scipys}


# ------------------------------------------------------------------------------------ the part


@dataclass(frozen=True)
class Extent:
    """Sizes for methods of products and of matrices, repeats at least, and the limits of a run."""

    sizes: tuple[int, ...]
    dense: tuple[int, ...]
    repeats: int
    most: int = 3000
    seconds: float = 15.0


QUICK = Extent((2, 10, 100), (2, 10), 3, seconds=3.0)
DEFAULT = Extent((2, 10, 100, 500, 2000), (2, 10, 100, 500), 5, seconds=8.0)
LARGE = Extent((2, 10, 100, 500, 2000), (2, 10, 100, 500, 2000), 5, seconds=60.0)


def measure(extent: Extent, methods: Sequence[str] = METHODS) -> dict[str, Any]:
    """A row for each method and problem."""
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    warnings.filterwarnings("ignore", category=optimize.OptimizeWarning)
    return {"machine": machine.describe(), "rows": list(_rows(extent, methods))}


def _rows(extent: Extent, methods: Sequence[str]) -> Iterable[dict[str, Any]]:
    for method in methods:
        for solve in solvers(method, rosenbrock(2)).values():
            run(solve, rosenbrock(2), extent.most, extent.seconds)  # what the first run imports
        for n in extent.dense if method in MATRICES else extent.sizes:
            for family in FAMILIES:
                yield _row(method, family(n), extent)


def _row(method: str, problem: Problem, extent: Extent) -> dict[str, Any]:
    both = solvers(method, problem)
    outcomes: dict[str, list[Outcome]] = {name: [] for name in both}
    spent, turn = 0.0, list(both)
    for done in range(1, MOST_REPEATS + 1):
        for name in turn:
            outcomes[name].append(run(both[name], problem, extent.most, extent.seconds))
            spent += outcomes[name][-1].seconds
        turn.reverse()
        if spent > extent.seconds or (done >= extent.repeats and spent > ENOUGH):
            break
    row: dict[str, Any] = {"method": method, "problem": problem.name, "n": problem.n}
    for name, found in outcomes.items():
        last = found[-1]
        row[name] = {
            "solved": last.solved,
            "f": last.f,
            "evaluations": last.nfev,
            "gradients": last.njev,
            "products": last.products,
            "seconds": [one.seconds for one in found],
        }
    progress(_line(row))
    return row


def _line(row: dict[str, Any]) -> str:
    a, b = row["secant"], row["SciPy"]
    words = [f"{row['method']:13}{row['problem']:20}"]
    for one in (a, b):
        words.append(
            f"{'solved' if one['solved'] else 'FAILED':7}{one['evaluations']:>6}{one['products']:>7}"
            f"{statistics.median(one['seconds']):>9.4f}"
        )
    return " ".join([*words, spread(_ratios(row))])


def _ratios(row: dict[str, Any]) -> list[float]:
    if not (row["secant"]["solved"] and row["SciPy"]["solved"]):
        return []
    return ratios(row["SciPy"]["seconds"], row["secant"]["seconds"])


def _same_minimum(row: dict[str, Any]) -> bool:
    a, b = row["secant"]["f"], row["SciPy"]["f"]
    return bool(abs(a - b) <= SAME * max(1.0, abs(a), abs(b)))


def tables(found: dict[str, Any]) -> str:
    """For each method the problems solved, and means over those that both have solved."""
    lines, apart = [], []
    for method in dict.fromkeys(row["method"] for row in found["rows"]):
        rows = [row for row in found["rows"] if row["method"] == method]
        both = [row for row in rows if _ratios(row)]
        apart += [_elsewhere(row) for row in both if not _same_minimum(row)]
        times = [statistics.median(_ratios(row)) for row in both]
        alike = [row for row in both if _same_minimum(row)]
        slowest = min(alike, key=lambda row: statistics.median(_ratios(row)))
        least = statistics.median(_ratios(slowest))
        lines.append(
            [
                method,
                str(len(rows)),
                *(str(sum(row[name]["solved"] for row in rows)) for name in ("secant", "SciPy")),
                *(short(_quotient(both, what)) for what in ("evaluations", "products")),
                short(_mean(times)),
                f"{short(least)} at {slowest['problem']}",
            ]
        )
    head = [
        "method",
        "problems",
        "secant solves",
        "SciPy solves",
        "evaluations",
        "products",
        "time",
        "least",
    ]
    note = "evaluations, Hessians or products, and time: SciPy's over secant's, geometric means"
    return "\n\n".join([table(head, lines), note, *filter(None, ["\n".join(apart)])])


def _elsewhere(row: dict[str, Any]) -> str:
    """A row whose runs have ended in different minima."""
    a, b = row["secant"]["f"], row["SciPy"]["f"]
    time_ratio = short(statistics.median(_ratios(row)))
    return f"- {row['method']}, {row['problem']}: {time_ratio}, to {a:.4g} (SciPy to {b:.4g})"


def _quotient(rows: Sequence[dict[str, Any]], what: str) -> float:
    return _mean([(row["SciPy"][what] + 1) / (row["secant"][what] + 1) for row in rows])


def _mean(values: Sequence[float]) -> float:
    """The geometric mean."""
    return math.exp(statistics.fmean(math.log(value) for value in values))


def main() -> None:
    """Print the table, or write the data to a file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.second_order")
    parser.add_argument("--only", choices=METHODS)
    parser.add_argument("--extent", choices=("quick", "default", "large"), default="default")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    extent = {"quick": QUICK, "default": DEFAULT, "large": LARGE}[arguments.extent]
    found = measure(extent, (arguments.only,) if arguments.only else METHODS)
    if arguments.out is None:
        print(tables(found))
    else:
        arguments.out.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
