"""One cell of a table of times: a size, its solvers, its floor; measured in a process of its own.

    python -m benchmarks.cell

A worker reads requests from its standard input, a JSON object a line, and answers on its standard
output. Workers differ in their threads, which are fixed when a process starts. Each measures one repeat
at a time, so that the parent can interleave repeats of all of them: what else the machine does then
troubles all alike.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any

from benchmarks import floor, machine, timed
from benchmarks.stopwatch import Stalled, Subject, Timing
from benchmarks.valley import valley


@dataclass(frozen=True)
class Cell:
    """What is measured.

    Attributes
    ----------
    kind : "limited-memory" or "dense"
    library, dtype : str
    n : int
    first, last : int
        The timed iterations come after ``first``, up to ``last``.
    memory : int
        Pairs, for limited memory.
    peers : bool
        Whether the peers take part in a dense cell.
    """

    kind: str
    library: str
    dtype: str
    n: int
    first: int
    last: int
    memory: int = 0
    peers: bool = True

    def subjects(self) -> list[Subject]:
        """The solvers."""
        if self.kind == "dense":
            return timed.dense(self.library, self.peers)
        mixed = self.dtype == "float64" and self.n >= 100_000
        return timed.limited_memory(self.library, self.memory, mixed)

    def floor(self) -> floor.Floor:
        """What bandwidth allows at best."""
        if self.kind == "dense":
            return floor.dense(self.n, self.library, self.dtype)
        return floor.limited_memory(self.n, self.memory, self.library, self.dtype)


class Bench:
    """A cell made ready: tables built, solvers warm."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.function = valley(cell.n, cell.library, cell.dtype)
        self.x0 = self.function.start()
        self.floor = cell.floor()
        self.subjects = []
        self.stalled = []
        for subject in cell.subjects():
            try:
                subject.warm_up(self.function, self.x0, cell.first)
                self.subjects.append(subject)
            except Stalled as stalled:
                self.stalled.append(str(stalled))

    def measure(self, busy: bool = False) -> dict[str, Any]:
        """One repeat: a `Timing` for each solver, and the floor's seconds."""
        answer: dict[str, Any] = {"floor": self.floor.measure()}
        with Busy() if busy else Idle():
            answer["timings"] = {s.label: asdict(self._time(s)) for s in self.subjects}
        return answer

    def _time(self, subject: Subject) -> Timing:
        return subject.measure(self.function, self.x0, self.cell.first, self.cell.last)


class Busy:
    """Context: another process computes on one core inside."""

    def __enter__(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        time.sleep(0.1)  # until it has started

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()


class Idle:
    """Context: nothing else."""

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None: ...


class Worker:
    """The parent's side of a process that measures with a fixed number of threads.

    Parameters
    ----------
    threads : "1" or "all"
    """

    def __init__(self, threads: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.cell"],
            env=machine.environment(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def prepare(self, cell: Cell) -> dict[str, Any]:
        """Make the cell ready; answers which solvers stalled."""
        return self._ask({"prepare": asdict(cell)})

    def measure(self, busy: bool = False) -> dict[str, Any]:
        """One repeat of the cell."""
        return self._ask({"measure": {"busy": busy}})

    def describe(self) -> dict[str, Any]:
        """Threads that the worker's libraries use."""
        return self._ask({"describe": {}})

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the measuring process ended with status {process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def serve() -> None:
    """Answer requests until the input ends."""
    bench: Bench | None = None
    for line in sys.stdin:
        request = json.loads(line)
        if "prepare" in request:
            bench = None  # frees the last cell's arrays before the next are made
            bench = Bench(Cell(**request["prepare"]))
            answer: dict[str, Any] = {"stalled": bench.stalled}
        elif "describe" in request:
            answer = machine.describe()
        else:
            assert bench is not None
            answer = bench.measure(**request["measure"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
