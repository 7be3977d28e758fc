"""The most memory that L-BFGS holds beyond the user's own, in units of n numbers.

    python -m benchmarks memory

The user's own is the start, and one gradient that every evaluation returns. On NumPy the allocations are
counted by `tracemalloc`. PyTorch reports its own only in part, so there it is the greatest size of a
process that runs the solver less that of one that makes everything ready and does not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import host_reads, machine, timed
from benchmarks.stopwatch import Subject, Watch
from benchmarks.tables import table

MEMORY = 10
"""Pairs."""

ITERATIONS = 16

CURVATURES = np.geomspace(1.0, 1e6, 100).tolist()


class Slope:
    """A convex quadratic that allocates nothing but the gradient it returns.

    ``f = 1/2 sum_i d_i (x_i - 1)^2`` with d from 1 to 10^6. Not even its tables are made with temporary
    arrays: the size of a process never falls below its peak.
    """

    def __init__(self, n: int, library: str) -> None:
        self._d, self._away = np.empty(n), np.empty(n)
        for i, curvature in enumerate(CURVATURES):
            self._d[i :: len(CURVATURES)] = curvature
        if library == "torch":
            import torch

            self._d, self._away = (torch.from_numpy(a) for a in (self._d, self._away))
        self._xp: Any = machine.array_module(library)

    def start(self) -> Any:
        """The origin."""
        return self._xp.zeros_like(self._d)

    def __call__(self, x: Any) -> tuple[float, Any]:
        """Value and gradient."""
        self._xp.subtract(x, self._one(), out=self._away)
        g = self._d * self._away
        return 0.5 * float(g @ self._away), g

    def _one(self) -> Any:
        return 1.0 if isinstance(self._d, np.ndarray) else self._d.new_ones(())


def measure(n: int = 1_000_000) -> dict[str, Any]:
    """Peaks of all solvers and reads from tensors, as plain data."""
    libraries = [name for name in ("numpy", "torch") if name == "numpy" or machine.available(name)]
    rows = []
    for library in libraries:
        for i, subject in enumerate(timed.limited_memory(library, MEMORY)):
            peak = numpy_peak(subject, n) if library == "numpy" else process_peak(library, i, n)
            rows.append({"library": library, "solver": subject.label, "words": peak / 8 / n})
    reads = host_reads.measure() if "torch" in libraries else []
    return {"machine": machine.describe(), "n": n, "memory": MEMORY, "rows": rows, "reads": reads}


def numpy_peak(subject: Subject, n: int) -> int:
    """Bytes that the solver holds at the highest point."""
    function, x0 = ready(subject, "numpy", n)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        subject.iterate(Watch(function), x0, ITERATIONS)
        return tracemalloc.get_traced_memory()[1] - before - 8 * n  # the gradient is the user's
    finally:
        tracemalloc.stop()


def ready(subject: Subject, library: str, n: int) -> tuple[Slope, Any]:
    """Function and start, once the solver has imported and kept what it keeps for good."""
    small = Slope(1_000, library)
    subject.iterate(Watch(small), small.start(), ITERATIONS)
    function = Slope(n, library)
    x0 = function.start()
    function(x0)
    return function, x0


def process_peak(library: str, index: int, n: int) -> int:
    """Bytes by which running the solver makes a process larger that holds start and gradient."""
    with_solver, without = (_child(library, index, n, runs) for runs in (True, False))
    return with_solver - without


def _child(library: str, index: int, n: int, runs: bool) -> int:
    command = [sys.executable, "-m", "benchmarks.memory", "--child", library, str(index), str(n)]
    # Blocks above the threshold go back to the system when they are freed, and do not blur the peak.
    environment = machine.environment("1") | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    done = subprocess.run(
        [*command, str(int(runs))], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return int(done.stdout.split()[-1])


def child(library: str, index: int, n: int, runs: bool) -> None:
    """Print the greatest size of this process in bytes."""
    subject = timed.limited_memory(library, MEMORY)[index]
    function, x0 = ready(subject, library, n)
    if runs:
        subject.iterate(Watch(function), x0, ITERATIONS)
    print(largest_size())


def largest_size() -> int:
    """Bytes that this process has had in memory at most."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, whose ru_maxrss begins with the size of the parent
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    import resource

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else 1024 * largest


def tables(found: dict[str, Any]) -> str:
    """Peak words of each solver, in units of n."""
    m = found["memory"]
    lines = [
        [
            row["library"],
            row["solver"],
            f"{row['words']:.1f} n",
            f"(2m {row['words'] - 2 * m:+.1f}) n",
        ]
        for row in found["rows"]
    ]
    title = (
        f"L-BFGS, m = {m}, n = {found['n']:,}: peak beyond the start and one gradient, in numbers"
    )
    peaks = f"{title}\n\n{table(['arrays', 'solver', 'peak', 'or'], lines)}"
    return f"{peaks}\n\n{host_reads.tables(found['reads'])}" if found["reads"] else peaks


def main() -> None:
    """Run in this process and write the data to a file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        library, *numbers = arguments.child
        index, n, runs = map(int, numbers)
        child(library, index, n, bool(runs))
    else:
        arguments.out.write_text(json.dumps(measure()), encoding="utf-8")


if __name__ == "__main__":
    main()
