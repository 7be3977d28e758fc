"""Cells measured in turn by processes that differ in their threads."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import mean
from typing import Any

from benchmarks.cell import Cell, Worker

ONE, ALL, BUSY = "one thread", "all threads", "all threads, other core busy"
"""The three ways of measuring."""


@dataclass
class Measured:
    """All repeats of one cell in one way.

    Attributes
    ----------
    cell : Cell
    way : str
        `ONE`, `ALL` or `BUSY`.
    seconds, evaluations : dict
        For each solver its repeats, per iteration. Seconds are processor time in the way `ONE`.
    wall : dict
        Seconds on the wall.
    floor : list of float
        Seconds of the floor, a number for each repeat.
    stalled : list of str
        Solvers that stopped too early to be timed.
    """

    cell: Cell
    way: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    wall: dict[str, list[float]] = field(default_factory=dict)
    evaluations: dict[str, list[float]] = field(default_factory=dict)
    floor: list[float] = field(default_factory=list)
    stalled: list[str] = field(default_factory=list)

    def add(self, answer: dict[str, Any]) -> None:
        """Append one repeat."""
        self.floor.append(answer["floor"])
        for label, timing in answer["timings"].items():
            clock = "processor" if self.way == ONE else "wall"
            self.seconds.setdefault(label, []).append(timing[clock])
            self.wall.setdefault(label, []).append(timing["wall"])
            self.evaluations.setdefault(label, []).append(timing["evaluations"])

    def evaluations_of(self, label: str) -> float:
        """Mean number of evaluations per iteration."""
        return mean(self.evaluations[label])

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


class Workers:
    """One process for each number of threads, started when first needed; a context."""

    def __init__(self) -> None:
        self._workers: dict[str, Worker] = {}

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers.values():
            worker.close()

    def get(self, way: str) -> Worker:
        """The process that measures in this way."""
        threads = "1" if way == ONE else "all"
        if threads not in self._workers:
            self._workers[threads] = Worker(threads)
        return self._workers[threads]

    def describe(self, way: str) -> dict[str, Any]:
        """What that process runs on."""
        return self.get(way).describe()

    def measure(self, cell: Cell, ways: Sequence[str], repeats: int) -> list[Measured]:
        """``repeats`` of one cell, all ways in turn within each repeat."""
        found = [Measured(cell, way) for way in ways]
        ready: dict[int, dict[str, Any]] = {}
        for one in found:
            worker = self.get(one.way)
            if id(worker) not in ready:
                ready[id(worker)] = worker.prepare(cell)
            one.stalled = ready[id(worker)]["stalled"]
        for _ in range(repeats):
            for one in found:
                one.add(self.get(one.way).measure(one.way == BUSY))
        return found


def progress(text: str) -> None:
    """A line for whoever waits, apart from the tables."""
    print(text, file=sys.stderr, flush=True)
