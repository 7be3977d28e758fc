"""Where an iteration of L-BFGS spends its time on NumPy arrays.

    python -m benchmarks.where
    python -m benchmarks.where --sizes 10 1000000

For each number of variables: the parts that touch arrays, each timed inside of a run of `secant.LBFGS`, the
rest, which is Python between them; and beside it the same calls of NumPy and BLAS written out in a
straight line without any structure, which is what an iteration in Python costs at least when vectors are short.
Processor time of one thread; timing a part adds some tenths of a microsecond to it.
"""

from __future__ import annotations

import argparse
import importlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from time import thread_time
from typing import Any

import numpy as np
from scipy.linalg import blas

import secant
from benchmarks.tables import table
from benchmarks.valley import Valley, valley

MEMORY = 10

SIZES = {10: 3_000, 1_000: 2_000, 100_000: 40, 1_000_000: 20}
"""Iterations by number of variables."""

PARTS = {
    "d = -Hg, without W'g": ("curvature.limited_memory", "PairRing.solve"),
    "products of the rows with the new gradient": (
        "curvature.limited_memory",
        "PairRing._products",
    ),
    "storing the pair": ("pair", "SecantPair.write"),
    "s'y and y'y": ("pair", "change_products"),
    "x + alpha d": ("linesearch.ray", "step_along"),
    "max |g_i| and g'd": ("point", "measured"),
    "g'd of the new direction": ("point", "dot"),
    "copies of x for the user and of g from the user": ("problem", "Problem.at"),
}
"""What is timed, by module and name; `Problem.at` less the user's function."""


class Timed:
    """The function with its own time noted."""

    def __init__(self, function: Valley) -> None:
        self.function = function
        self.seconds = 0.0

    def __call__(self, x: Any) -> Any:
        began = thread_time()
        both = self.function(x)
        self.seconds += thread_time() - began
        return both


@contextmanager
def timed(module: str, name: str, user: Timed, found: list[float]) -> Iterator[None]:
    """Replace one function of the library by itself with a stopwatch."""
    owner: Any = importlib.import_module(f"secant.{module}")
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    call: Callable[..., Any] = getattr(owner, last)

    def stopped(*args: Any, **options: Any) -> Any:
        inside, began = user.seconds, thread_time()
        out = call(*args, **options)
        found.append(thread_time() - began - (user.seconds - inside))
        return out

    setattr(owner, last, stopped)
    try:
        yield
    finally:
        setattr(owner, last, call)


def run(n: int, iterations: int, part: str | None = None) -> float:
    """Seconds an iteration of a part, or of all outside of the user's function."""
    user, found = Timed(valley(n)), list[float]()
    start = secant.start(
        user,
        user.function.start(),
        method=secant.LBFGS(memory=MEMORY),
        jac=True,
        gtol=0.0,
        max_iter=iterations + MEMORY,
    )
    for _ in range(MEMORY):
        start.step()
    user.seconds, began = 0.0, thread_time()
    if part is None:
        start.finish()
        return (thread_time() - began - user.seconds) / iterations
    with timed(*PARTS[part], user, found):
        start.finish()
    return sum(found) / iterations


def straight(n: int, iterations: int) -> float:
    """Seconds of one iteration's calls of NumPy and BLAS, one after the other, and nothing else."""
    rng = np.random.default_rng(0)
    W, g, x = rng.standard_normal((2 * MEMORY, n)), rng.standard_normal(n), np.zeros(n)
    gram = np.stack([np.triu(rng.standard_normal((MEMORY, MEMORY))) + 10.0 * np.eye(MEMORY)] * 2)
    order, flat, k, gamma = np.arange(2 * MEMORY), gram.reshape(-1).copy(), MEMORY, 0.5
    Wg, given = W.dot(g), g.copy()
    began = thread_time()
    for _ in range(iterations):
        p, L = Wg[order], gram[0].T
        blas.dtrsv(L, p, 1, 0, 1, 1, 0, 1)
        blas.dgemv(gamma, gram[1].T, p, -gamma, p, 0, 1, k, 1, 0, 1)
        p[k:] += gram[0].diagonal() * p[:k]
        blas.dtrsv(L, p, 1, k, 1, 0, 0, 1)
        blas.dscal(-gamma, p, k)
        d = blas.dgemv(-1.0, W.T, p[order], -gamma, g)
        blas.ddot(g, d)
        after = blas.daxpy(d, x.copy(), n, 1e-9)
        after.copy()
        g_after = np.array(given, dtype=g.dtype)
        abs(g_after.item(blas.idamax(g_after))), blas.ddot(g_after, d)
        y = g_after - g
        blas.ddot(d, y), blas.ddot(y, y)
        flat[: -MEMORY - 1] = flat[MEMORY + 1 :]
        W[0][:] = d
        np.subtract(g_after, g, out=W[1])
        Wg_after = blas.dgemv(1.0, W.T, g_after, 0.0, np.empty(2 * k), 0, 1, 0, 1, 1, 1)
        column = (Wg_after - Wg)[order]
        flat[:k], flat[k : 2 * k], flat[2 * k : 3 * k] = column[:k], column[k:], column[k:]
        Wg = Wg_after
    return (thread_time() - began) / iterations


def report(sizes: dict[int, int], repeats: int = 5) -> str:
    """Microseconds an iteration, part by part."""
    measures: dict[str, Callable[[int, int], float]] = {
        part: partial(run, part=part) for part in PARTS
    }
    measures["an iteration outside of f"] = run
    measures["the calls of one iteration in a straight line"] = straight
    times: dict[tuple[str, int], list[float]] = defaultdict(list)
    for _ in range(repeats):
        for name, measure in measures.items():
            for n, iterations in sizes.items():
                times[name, n].append(measure(n, iterations))
    rows = [[name, *[f"{1e6 * median(times[name, n]):,.1f}" for n in sizes]] for name in measures]
    return table(["microseconds", *[f"n = {n:,}" for n in sizes]], rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.where")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), choices=SIZES)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    print(report({n: SIZES[n] for n in arguments.sizes}, arguments.repeats))


if __name__ == "__main__":
    main()
