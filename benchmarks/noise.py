"""What becomes of a run on a function that is noisy, badly scaled, flat, unbounded, kinked, or lied about.

    python -m benchmarks.noise

Each difficulty is given to secant's main methods and to their counterparts in SciPy and PyTorch, from one
start and with one budget. The table shows how each run ended, how far above the attainable level its value
is, and its evaluations. The level is what nobody can go below: the noise, or the round-off.
"""

from __future__ import annotations

import argparse
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import scipy.optimize

import secant
from benchmarks import machine, tables
from benchmarks.recorder import OutOfBudget
from secant import problems

METHODS = ("l-bfgs", "bfgs", "ssbroyden", "cg", "tr-bfgs")
"""secant's side."""

PEERS = ("SciPy L-BFGS-B", "SciPy BFGS", "torch LBFGS")

BUDGET = 5000
"""Values that a run may evaluate, those of differences among them."""

GTOL = 1e-6
"""Tolerance of every solver on the largest gradient component."""

LEVELS = (1e-8, 1e-6, 1e-4, 1e-3)

Vector = np.ndarray
Value = Callable[[Vector], float]
Gradient = Callable[[Vector], Vector]


@dataclass
class Difficulty:
    """A function and what is difficult about it.

    Attributes
    ----------
    name : str
    fun : callable
        What solvers see.
    true : callable
        What the value really is.
    jac : callable or None
        What solvers are given as the gradient; differences are theirs where it is None.
    x0 : array
    least : float
        The least value of ``true`` (``-inf`` where there is none).
    level : float
        What can be seen of values near it.
    """

    name: str
    fun: Value
    true: Value
    jac: Gradient | None
    x0: Vector
    least: float = 0.0
    level: float = 2.0**-52


@dataclass
class Row:
    """One solver on one difficulty."""

    difficulty: str
    solver: str
    end: str
    excess: float
    evaluations: int


@dataclass
class Counted:
    """A function that counts its calls and ends a solver that wants too many of them."""

    difficulty: Difficulty
    calls: int = 0
    lowest: float = math.inf
    best: Vector = field(default_factory=lambda: np.zeros(0))

    def __call__(self, x: Vector) -> float:
        if self.calls >= BUDGET:
            raise OutOfBudget
        self.calls += 1
        f = self.difficulty.fun(np.asarray(x))
        if f < self.lowest:
            self.lowest, self.best = f, np.array(x)
        return f


# ----------------------------------------------------------------------------- the functions

ROSENBROCK = problems.extended_rosenbrock(4)
"""Rosenbrock's function twice over; 1 is added, so that relative noise has a size at the minimum."""


def valley(x: Vector) -> float:
    """1 at its least."""
    return 1.0 + float(ROSENBROCK(x))


def slope(x: Vector) -> Vector:
    """Its gradient."""
    return np.asarray(ROSENBROCK.gradient(x))


def by_chance(x: Vector) -> float:
    """A number in [-1, 1] that depends on every bit of ``x``, always the same one."""
    return zlib.crc32(x.tobytes()) / 2.0**31 - 1.0


def noisy(level: float, with_gradient: bool) -> Difficulty:
    """Deterministic noise, another one at every x."""
    return Difficulty(
        f"noise {level:g}, {'jac' if with_gradient else 'no jac'}",
        lambda x: valley(x) * (1.0 + level * by_chance(x)),
        valley,
        slope if with_gradient else None,
        ROSENBROCK.start(),
        1.0,
        level,
    )


def random(level: float) -> Difficulty:
    """Noise that is never the same."""
    rng = np.random.default_rng(0)
    return Difficulty(
        f"random {level:g}, jac",
        lambda x: valley(x) * (1.0 + level * rng.uniform(-1.0, 1.0)),
        valley,
        slope,
        ROSENBROCK.start(),
        1.0,
        level,
    )


def single_precision() -> Iterator[Difficulty]:
    """A function computed in single precision: variables in double precision, and in single."""

    def fun(x: Vector) -> float:
        return float(np.float32(1.0) + ROSENBROCK(x.astype(np.float32)))

    def jac(x: Vector) -> Vector:
        return np.asarray(ROSENBROCK.gradient(x.astype(np.float32)), dtype=x.dtype)

    start = ROSENBROCK.start()
    level = 2.0**-23
    yield Difficulty("float32 inside, float64 x", fun, valley, jac, start, 1.0, level)
    yield Difficulty("float32", fun, valley, jac, start.astype(np.float32), 1.0, level)


def badly_scaled(factor: float) -> Difficulty:
    """Variables in units that differ by ``factor^2``."""
    units = factor ** np.linspace(-1.0, 1.0, 4)
    return Difficulty(
        f"units {1.0 / factor:g} ... {factor:g}",
        lambda x: valley(units * x),
        lambda x: valley(units * x),
        lambda x: units * slope(units * x),
        ROSENBROCK.start() / units,
        1.0,
    )


def shapes() -> Iterator[Difficulty]:
    """Saddles, plains, functions without a minimum, regions without values, kinks."""

    def saddle(x: Vector) -> float:
        return float(x[0] ** 2 - x[1] ** 2 + x[1] ** 4)

    def saddle_slope(x: Vector) -> Vector:
        return np.array([2.0 * x[0], -2.0 * x[1] + 4.0 * x[1] ** 3])

    for name, offset in (("at a saddle", 0.0), ("near a saddle", 1e-4)):
        yield Difficulty(name, saddle, saddle, saddle_slope, np.array([1.0, offset]), -0.25)

    def hole(x: Vector) -> float:
        return -math.exp(-float(x @ x))

    def hole_slope(x: Vector) -> Vector:
        return 2.0 * x * math.exp(-float(x @ x))

    yield Difficulty("flat region", hole, hole, hole_slope, np.array([3.0, 2.0]), -1.0)
    yield Difficulty("f constant", lambda x: 1.0, lambda x: 1.0, lambda x: 0.0 * x, np.ones(2), 1.0)

    def falling(x: Vector) -> float:
        return float(-x.sum() + np.sum(x[1:] ** 2))

    def falling_slope(x: Vector) -> Vector:
        return np.array([-1.0, *(2.0 * x[1:] - 1.0)])

    yield Difficulty("unbounded", falling, falling, falling_slope, np.ones(3), -math.inf)

    def barrier(x: Vector) -> float:
        return float(np.sum(100.0 * x**2 - np.log(x)))

    least = 2.0 * (0.5 + 0.5 * math.log(200.0))
    yield Difficulty(
        "NaN region", barrier, barrier, lambda x: 200.0 * x - 1.0 / x, np.array([0.7, 0.001]), least
    )

    def walled(x: Vector) -> float:
        return valley(x) if x.max() < 1.4 else math.inf

    yield Difficulty("inf region", walled, valley, slope, ROSENBROCK.start(), 1.0)

    def kinked(x: Vector) -> float:
        return float(np.abs(x).sum() + 0.5 * x @ x)

    yield Difficulty(
        "kink, abs(x)", kinked, kinked, lambda x: np.sign(x) + x, np.array([1.0, -2.3, 0.7])
    )


def wrong_gradients() -> Iterator[Difficulty]:
    """All components a little wrong, one wrong, one of the wrong sign."""
    signs = np.array([1.0, -1.0, -1.0, 1.0])
    for error in (1e-6, 1e-4, 1e-2, 1e-1):
        yield _lied_about(
            f"jac wrong by {error:g}", lambda x, e=error: slope(x) * (1.0 + e * signs)
        )
    for error in (1e-6, 1e-3, 1e-1):
        one = error * np.array([0.0, 0.0, 1.0, 0.0])
        yield _lied_about(f"one component + {error:g}", lambda x, o=one: slope(x) + o)
    flipped = np.array([1.0, -1.0, 1.0, 1.0])
    yield _lied_about("one sign wrong", lambda x: slope(x) * flipped)


def _lied_about(name: str, jac: Gradient) -> Difficulty:
    return Difficulty(name, valley, valley, jac, ROSENBROCK.start(), 1.0)


def difficulties() -> list[Difficulty]:
    """All of them, in the order of the table."""
    return [
        *single_precision(),
        *[noisy(level, True) for level in LEVELS],
        *[noisy(level, False) for level in LEVELS],
        *[random(level) for level in LEVELS],
        *[badly_scaled(factor) for factor in (1e3, 1e6)],
        *shapes(),
        *wrong_gradients(),
    ]


# ------------------------------------------------------------------------------ the solvers


def solve(difficulty: Difficulty, solver: str) -> Row:
    """One run."""
    counted = Counted(difficulty)
    with np.errstate(all="ignore"):
        if solver in METHODS:
            x, end = _secant(counted, solver)
        elif solver == "torch LBFGS":
            x, end = _torch(counted)
        else:
            x, end = _scipy(counted, solver.removeprefix("SciPy "))
        f = difficulty.true(np.asarray(x, dtype=float))
    excess = f if difficulty.least == -math.inf else f - difficulty.least
    return Row(difficulty.name, solver, end, excess / difficulty.level, counted.calls)


def _secant(counted: Counted, method: str) -> tuple[Vector, str]:
    given = counted.difficulty
    result = secant.minimize(
        counted, given.x0, jac=given.jac, method=method, gtol=GTOL, max_evals=BUDGET
    )
    end = "none" if result.status is None else result.status.name
    kind = result.diagnosis.kind.name if result.diagnosis is not None else ""
    return result.x, end if kind in ("", "UNKNOWN", "ROUND_OFF", end) else f"{end} ({kind})"


def _scipy(counted: Counted, method: str) -> tuple[Vector, str]:
    given = counted.difficulty
    options = {"gtol": GTOL, "maxiter": BUDGET}
    if method == "L-BFGS-B":
        options |= {"ftol": 0.0, "maxfun": BUDGET}
    try:
        result = scipy.optimize.minimize(
            counted, given.x0, jac=given.jac, method=method, options=options
        )
    except OutOfBudget:
        return counted.best, "budget"
    return result.x, _shortened(result)


def _shortened(result: scipy.optimize.OptimizeResult) -> str:
    """SciPy's sentence in a word."""
    words = {
        "PROJECTED GRADIENT": "gradient",
        "Optimization terminated": "gradient",
        "REL_REDUCTION": "no reduction",
        "RELATIVE REDUCTION": "no reduction",
        "ABNORMAL": "abnormal",
        "precision loss": "precision loss",
        "NaN": "NaN",
        "EXCEEDS": "budget",
        "Maximum": "budget",
    }
    found = [short for words_of, short in words.items() if words_of in result.message]
    return f"{'success' if result.success else 'failure'}: {found[0] if found else result.message}"


def _torch(counted: Counted) -> tuple[Vector, str]:
    """PyTorch's L-BFGS says nothing of how it ended, and needs a gradient."""
    import torch

    given = counted.difficulty
    if given.jac is None:
        return given.x0, "needs a gradient"
    jac = given.jac
    x = torch.tensor(given.x0, requires_grad=True)
    options = {"max_iter": BUDGET, "max_eval": BUDGET, "tolerance_grad": GTOL}
    optimizer = torch.optim.LBFGS(
        [x], line_search_fn="strong_wolfe", tolerance_change=0.0, **options
    )

    def closure() -> float:
        at = x.detach().numpy()
        x.grad = torch.tensor(np.asarray(jac(at), dtype=at.dtype))
        return counted(at)

    try:
        optimizer.step(closure)
    except OutOfBudget:
        return x.detach().numpy(), "budget"
    except (RuntimeError, ZeroDivisionError, OverflowError) as reason:
        return x.detach().numpy(), f"raised {type(reason).__name__}"
    return x.detach().numpy(), "silent"


# -------------------------------------------------------------------------------- the table


def measure() -> list[Row]:
    """Every solver on every difficulty."""
    return [
        solve(difficulty, solver)
        for solver in (*METHODS, *PEERS)
        for difficulty in difficulties()  # afresh, as random noise goes on
    ]


def table(rows: Sequence[Row]) -> str:
    """Markdown, a line for each difficulty and each solver's end, excess and evaluations."""
    solvers = list(dict.fromkeys(row.solver for row in rows))
    found = {(row.difficulty, row.solver): row for row in rows}
    lines = ["| difficulty | " + " | ".join(solvers) + " |", "| --- |" + " --- |" * len(solvers)]
    for name in dict.fromkeys(row.difficulty for row in rows):
        cells = [_cell(found[name, solver]) for solver in solvers]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(row: Row) -> str:
    if row.end == "needs a gradient":
        return "-"
    return f"{row.end}, {row.excess:.2g}, {row.evaluations}"


def main() -> None:
    """Print the table and save what it is made of."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.noise", description="difficult functions, beside the peers"
    )
    parser.add_argument("--out", type=Path, default=tables.RESULTS, help="folder of the results")
    arguments = parser.parse_args()
    rows = measure()
    print(table(rows))
    found = {"machine": machine.describe(), "rows": [vars(row) for row in rows]}
    print(f"\nwritten to {tables.save('noise', found, arguments.out)}")


if __name__ == "__main__":
    main()
