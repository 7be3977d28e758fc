"""Many random runs, each of whose results is examined: nothing may raise, hang, or claim what is not so.

    python -m benchmarks.soak --starts 100000
    python -m benchmarks.soak --replay 4711

Problem, start, method, search, precision, gradient, tolerance and budget of a run are all drawn from its
seed. The summary counts runs by status, method, search and precision, and lists what was found wrong with
the seeds to replay it.
"""

from __future__ import annotations

import argparse
import math
import signal
import time
import traceback
import types
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import secant
from benchmarks import families, machine, tables
from benchmarks.earned import Watched, faults
from secant import problems
from secant.methods import REGISTRY
from secant.pair import Damp, Skip
from secant.problems import Objective

ALARM = 20.0
"""Seconds of this process's own time after which a run counts as hanging."""

WEIGHTS = {"l-bfgs": 12, "bfgs": 8, "ssbfgs": 4, "ssbroyden": 4, "cg": 3, "tr-sr1": 2}
"""How often a method is drawn; the others of the registry once."""

SEARCHES: tuple[Callable[[], Any], ...] = (
    secant.HagerZhang,
    secant.MoreThuente,
    secant.StrongWolfe,
    secant.Backtracking,
    secant.Nash,
    secant.Brent,
    secant.GoldenSection,
    secant.NonMonotone,
    secant.NonMonotoneAverage,
)

SEARCHING: dict[str, Callable[..., Any]] = {
    "l-bfgs": secant.LBFGS,
    "bfgs": secant.BFGS,
    "dfp": secant.DFP,
    "broyden": secant.Broyden,
    "ssbfgs": secant.SSBFGS,
    "ssbroyden": secant.SSBroyden,
    "memoryless-bfgs": secant.MemorylessBFGS,
    "cg": secant.NonlinearCG,
    "gd": secant.GradientDescent,
    "newton": secant.Newton,
    "sr1": secant.SR1,
}
"""Methods whose search is drawn, too, and what builds them."""

GRADIENTS = ("separate", "joint", "joint", "2-point", "3-point")


@dataclass(frozen=True)
class Draw:
    """One run, ready to begin."""

    seed: int
    problem: Objective
    x0: np.ndarray
    name: str
    search: str
    method: Any
    jac: str
    gtol: float
    max_evals: int

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.name} ({self.search}) on {self.problem}, {self.x0.dtype}, "
            f"{self.jac} gradient, gtol {self.gtol:.2g}, max_evals {self.max_evals}"
        )


@dataclass
class Tally:
    """What has happened so far."""

    runs: int = 0
    evaluations: int = 0
    by: dict[str, Counter[str]] = field(default_factory=dict)
    wrong: list[dict[str, Any]] = field(default_factory=list)

    def count(self, **what: str) -> None:
        """One more of each kind."""
        for kind, name in what.items():
            self.by.setdefault(kind, Counter())[name] += 1


class Hangs(Exception):
    """The alarm went off."""


@cache
def objectives() -> tuple[Objective, ...]:
    """The problems: of the library, and families of a few variables."""
    few = [problem for problem in problems.catalogue() if problem.n <= 12]
    return (*few, *families.families(4), *families.families(12))


def draw(seed: int) -> Draw:
    """The run of a seed."""
    rng = np.random.default_rng(seed)
    problem = objectives()[rng.integers(len(objectives()))]
    dtype = np.float64 if rng.random() < 0.7 else np.float32
    names = [name for name, entry in REGISTRY.items() if not entry.needs_residuals]
    weights = np.array([float(WEIGHTS.get(name, 1)) for name in names])
    name = str(rng.choice(names, p=weights / weights.sum()))
    search, method = _method(rng, name)
    gtol = (
        10.0 ** rng.uniform(-9.0, -3.0) if dtype is np.float64 else 10.0 ** rng.uniform(-5.0, -1.0)
    )
    jac = str(rng.choice(GRADIENTS))
    start = problem.start()
    size = 10.0 ** rng.uniform(-3.0, 3.0)
    x0 = start + size * np.maximum(1.0, np.abs(start)) * rng.standard_normal(start.size)
    max_evals = int(rng.choice([3, 30, 100, 300]))
    return Draw(seed, problem, x0.astype(dtype), name, search, method, jac, gtol, max_evals)


def _method(rng: np.random.Generator, name: str) -> tuple[str, Any]:
    """A method with a search; of the quasi-Newton ones other parts are drawn as well."""
    if name not in SEARCHING or rng.random() < 0.4:
        return "its own", REGISTRY[name].build()
    search = SEARCHES[rng.integers(len(SEARCHES))]
    keywords: dict[str, Any] = {"search": search()}
    if name == "l-bfgs":
        keywords["memory"] = int(rng.integers(1, 20))
        keywords["history_dtype"] = str(rng.choice(["float32", "float64"]))
    if name in ("l-bfgs", "bfgs", "ssbfgs", "ssbroyden"):
        keywords["curvature_test"] = Damp() if rng.random() < 0.3 else Skip()
    return search.__name__, SEARCHING[name](**keywords)


def run(chosen: Draw) -> tuple[secant.Result, Watched]:
    """Minimise, with every call seen."""
    watched = Watched(chosen.problem)
    fun = watched.both if chosen.jac == "joint" else watched.value
    jac = {"joint": True, "separate": watched.gradient}.get(chosen.jac, chosen.jac)
    options = {"gtol": chosen.gtol, "max_evals": chosen.max_evals}
    return secant.minimize(fun, chosen.x0, jac=jac, method=chosen.method, **options), watched


def examine(chosen: Draw, tally: Tally) -> None:
    """One run and its examination, entered into ``tally``."""
    status = "RAISED"
    try:
        with _alarm(ALARM), np.errstate(all="ignore"):
            result, watched = run(chosen)
            found = faults(result, watched, chosen.x0, chosen.jac, chosen.gtol, chosen.max_evals)
        status = "NONE" if result.status is None else result.status.name
        tally.evaluations += watched.calls
    except Hangs:
        found, status = [f"hangs: {ALARM:g} seconds"], "HANGS"
    except Exception:
        found = [traceback.format_exc(limit=-3)]
    tally.runs += 1
    precision = str(chosen.x0.dtype)
    tally.count(
        status=status,
        method=chosen.name,
        search=chosen.search,
        precision=precision,
        gradient=chosen.jac,
    )
    tally.wrong += [
        {"seed": chosen.seed, "run": str(chosen), "status": status, "fault": one} for one in found
    ]


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(number: int, frame: types.FrameType | None) -> None:
        raise Hangs

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


def soak(seeds: Sequence[int], seconds: float = math.inf) -> Tally:
    """Every seed in turn, as far as the time goes."""
    tally, began = Tally(), time.monotonic()
    for seed in seeds:
        if time.monotonic() - began > seconds:
            break
        examine(draw(seed), tally)
    return tally


def summary(tally: Tally, first: int, seconds: float) -> dict[str, Any]:
    """What is written to the file of results."""
    return {
        "runs": tally.runs,
        "first_seed": first,
        "evaluations": tally.evaluations,
        "seconds": round(seconds, 1),
        "machine": machine.describe(),
        **{f"by_{kind}": dict(counter.most_common()) for kind, counter in tally.by.items()},
        "wrong": tally.wrong,
    }


def replay(seed: int) -> None:
    """Show one run."""
    chosen = draw(seed)
    print(chosen, f"x0 = {chosen.x0!r}", sep="\n")
    tally = Tally()
    with np.errstate(all="ignore"):
        print(run(chosen)[0])
    examine(chosen, tally)
    print("\n".join(one["fault"] for one in tally.wrong) or "nothing is wrong with it")


def main() -> None:
    """Run, print what was found, and write the summary."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak", description="random runs, each result examined"
    )
    parser.add_argument("--starts", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after so long")
    parser.add_argument("--replay", type=int, metavar="SEED", help="show one run")
    parser.add_argument("--out", type=Path, default=tables.RESULTS, help="folder of the summary")
    arguments = parser.parse_args()
    if arguments.replay is not None:
        replay(arguments.replay)
        return
    began = time.monotonic()
    seeds = range(arguments.first, arguments.first + arguments.starts)
    tally = soak(seeds, arguments.seconds)
    found = summary(tally, arguments.first, time.monotonic() - began)
    path = tables.save("soak", found, arguments.out)
    for one in tally.wrong[:50]:
        print(one["run"], f"    {one['status']}: {one['fault']}", sep="\n")
    print(f"{tally.runs} runs, {len(tally.wrong)} of them wrong; {dict(tally.by['status'])}")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
