"""Many small fits at once, beside loops over single fits and JAX's vmap.

    python -m benchmarks.many_fits

Every set of data has parameters and noise of its own and starts where all others do, near or far; everybody
gets exact derivatives. Microseconds a fit, processor time of one thread, medians of interleaved repetitions.
Loops are timed on the first `LOOPED` sets. optimistix solves blocks of `BLOCK` sets (which is faster than all
of them at once, the slowest of a block being waited for), its compilation not counted. Solved is the share of
the first `LOOPED` sets whose cost is within 1e-6 of the lowest that anybody has found.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)

import numpy as np  # noqa: E402 (after the number of threads is set)
from scipy import optimize  # noqa: E402

import secant  # noqa: E402
from benchmarks.interleaved import progress  # noqa: E402
from benchmarks.tables import table  # noqa: E402

LOOPED = 300
BLOCK = 1000
REPETITIONS = 5

Array = np.ndarray


@dataclass(frozen=True)
class Sets:
    """Data of one kind.

    Attributes
    ----------
    name : str
    x : array, shape (m,)
    y : array, shape (k, m)
    start : tuple of float
    model : callable
        ``model(xp, x, *parameters)``.
    columns : callable
        ``columns(x, *parameters)``, the derivatives of the model.
    """

    name: str
    x: Array
    y: Array
    start: tuple[float, ...]
    model: Callable[..., Array]
    columns: Callable[..., list[Array]]

    def cost(self, popt: Array) -> Array:
        """Half the sums of squares at parameters of shape (k, n)."""
        values = self.model(np, self.x[:, None], *popt.T)
        return 0.5 * ((values.T - self.y[: len(popt)]) ** 2).sum(axis=1)


def decays(count: int) -> Sets:
    """An exponential and a constant, 3 parameters, 14 data."""
    rng, x = np.random.default_rng(0), np.linspace(0.0, 4.0, 14)

    def model(xp, x, a, b, c):
        return a * xp.exp(-b * x) + c

    def columns(x, a, b, c):
        e = np.exp(-b * x)
        return [e, -a * x * e, np.ones_like(x)]

    p = [rng.uniform(*ends, count) for ends in ((1.0, 4.0), (0.5, 2.0), (0.0, 1.0))]
    y = model(np, x[:, None], *p).T + 0.02 * rng.standard_normal((count, 14))
    return Sets("decay, 14 data", x, y, (1.0, 0.5, 0.0), model, columns)


def peaks(count: int) -> Sets:
    """A Gaussian on a straight line, 5 parameters, 50 data."""
    rng, x = np.random.default_rng(1), np.linspace(0.0, 5.0, 50)

    def model(xp, x, height, centre, width, level, slope):
        return height * xp.exp(-(((x - centre) / width) ** 2)) + level + slope * x

    def columns(x, height, centre, width, level, slope):
        z = (x - centre) / width
        e = np.exp(-z * z)
        by_centre = 2.0 * height * e * z / width
        return [e, by_centre, by_centre * z, np.ones_like(x), x]

    ends = ((1.0, 4.0), (2.0, 3.0), (0.3, 0.8), (0.0, 1.0), (-0.1, 0.1))
    p = [rng.uniform(*pair, count) for pair in ends]
    y = model(np, x[:, None], *p).T + 0.05 * rng.standard_normal((count, 50))
    return Sets("peak, 50 data", x, y, (1.0, 2.5, 0.6, 0.0, 0.0), model, columns)


def batched(sets: Sets) -> Array:
    """`secant.batched_curve_fit`."""

    def f(x, *p):
        return sets.model(np, x, *p)

    return secant.batched_curve_fit(f, sets.x, sets.y, sets.start, jac=sets.columns).popt


def loop(sets: Sets, fit: Callable[..., tuple[Array, Array]]) -> Array:
    """One fit after the other."""

    def f(x, *p):
        return sets.model(np, x, *p)

    def jac(x, *p):
        return np.stack(sets.columns(x, *p), axis=1)

    found = np.full((LOOPED, len(sets.start)), np.nan)
    for i in range(LOOPED):
        try:
            found[i], _ = fit(f, sets.x, sets.y[i], sets.start, jac=jac)
        except RuntimeError:  # SciPy's word for no convergence
            continue
    return found


def vmapped(sets: Sets) -> Callable[[], Array] | None:
    """optimistix's Levenberg-Marquardt under `jax.vmap`, compiled; None if it is not installed."""
    try:
        import jax
        import optimistix
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    solver = optimistix.LevenbergMarquardt(rtol=1e-8, atol=1e-8)
    x, start = jax.numpy.asarray(sets.x), jax.numpy.asarray(sets.start)

    @jax.jit
    @jax.vmap
    def solve(y):
        def residuals(p, _):
            return sets.model(jax.numpy, x, *p) - y

        return optimistix.least_squares(residuals, solver, start, max_steps=200, throw=False).value

    blocks = [sets.y[i : i + BLOCK] for i in range(0, len(sets.y), BLOCK)]
    return lambda: np.concatenate([np.asarray(solve(block)) for block in blocks])


def rows(sets: Sets) -> list[list[str]]:
    """One line for each solver."""
    works: dict[str, Callable[[], Array]] = {
        "secant.batched_curve_fit": lambda: batched(sets),
        "secant.curve_fit": lambda: loop(sets, secant.curve_fit),
        "SciPy curve_fit": lambda: loop(sets, optimize.curve_fit),
    }
    by_jax = vmapped(sets)
    if by_jax is not None:
        works["optimistix LM, vmap"] = by_jax
    found = {name: work() for name, work in works.items()}  # compiles, and warms caches
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for repetition in range(REPETITIONS):
        for name, work in works.items():
            began = time.process_time()
            work()
            seconds[name].append((time.process_time() - began) / len(found[name]))
        progress(f"{sets.name}: {repetition + 1} of {REPETITIONS}")
    costs = {name: sets.cost(popt)[:LOOPED] for name, popt in found.items()}
    lowest = np.fmin.reduce(list(costs.values()))
    ours = statistics.median(seconds["secant.batched_curve_fit"])
    return [
        [
            f"{len(sets.y)} x {sets.name}",
            name,
            f"{1e6 * statistics.median(taken):.1f}",
            f"{statistics.median(taken) / ours:.1f}",
            f"{100 * np.mean(costs[name] <= (1.0 + 1e-6) * lowest):.0f} %",
        ]
        for name, taken in seconds.items()
    ]


def main() -> None:
    """Print the table."""
    decay, peak = decays(20_000), peaks(5_000)
    every = (
        decay,
        peak,
        replace(decay, name="decay, far start", start=(100.0, 0.1, 100.0)),
        replace(peak, name="peak, far start", start=(1.0, 1.5, 0.3, 0.0, 0.0)),
    )
    lines = [line for sets in every for line in rows(sets)]
    print(table(["fits", "solver", "us a fit", "over secant's", "solved"], lines))


if __name__ == "__main__":
    main()
