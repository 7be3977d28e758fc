"""Seconds per iteration that a solver spends outside of the user's function.

The function notes when it is entered and left. What lies between two evaluations is the solver's time;
summed from the evaluation that ends iteration ``first`` to the one that ends iteration ``last`` it is the
cost of ``last - first`` iterations, free of the start, of the end, and of everything inside the function.

Two clocks run: time on the wall, and processor time of the calling thread. With one thread the second is
what the work costs whatever else the machine does; with more threads only the first tells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter, thread_time
from typing import Any


@dataclass
class Watch:
    """A function that notes the times at which it is entered and left."""

    function: Callable[[Any], Any]
    entered: list[tuple[float, float]] = field(default_factory=list)
    left: list[tuple[float, float]] = field(default_factory=list)

    def __call__(self, x: Any) -> Any:
        self.entered.append((perf_counter(), thread_time()))
        out = self.function(x)
        self.left.append((perf_counter(), thread_time()))
        return out

    def outside(self, first: int) -> tuple[float, float]:
        """Seconds between evaluations, from the end of number ``first`` to the last one's start.

        On the wall, and of processor time.
        """
        wall, processor = (
            sum(times[clock] for times in self.entered[first:])
            - sum(times[clock] for times in self.left[first - 1 : -1])
            for clock in (0, 1)
        )
        return wall, processor


Run = Callable[[Watch, Any, int], int]
"""Minimises a function from a start for so many iterations, and returns how many were made."""


class Stalled(Exception):
    """A solver stopped before the iterations that it was to be timed on."""


@dataclass
class Subject:
    """One solver, and where its timed iterations begin.

    Attributes
    ----------
    label : str
    run : callable
    offset : int
        Evaluations until the end of iteration ``first``; found by an untimed run.
    """

    label: str
    run: Run
    offset: int = 0

    def warm_up(self, function: Callable[[Any], Any], x0: Any, first: int) -> None:
        """Run to iteration ``first``, which also fills caches and imports."""
        watch = Watch(function)
        self.iterate(watch, x0, first)
        self.offset = len(watch.entered)

    def measure(self, function: Callable[[Any], Any], x0: Any, first: int, last: int) -> Timing:
        """One timed run."""
        watch = Watch(function)
        self.iterate(watch, x0, last)
        iterations = last - first
        evaluations = len(watch.entered) - self.offset
        wall, processor = watch.outside(self.offset)
        return Timing(wall / iterations, processor / iterations, evaluations / iterations)

    def iterate(self, watch: Watch, x0: Any, iterations: int) -> None:
        """Run, and see to it that nothing was cut short."""
        made = self.run(watch, x0, iterations)
        if made != iterations:
            raise Stalled(f"{self.label} stopped after {made} of {iterations} iterations")


@dataclass(frozen=True)
class Timing:
    """Seconds outside of the function by both clocks, and evaluations, per iteration."""

    wall: float
    processor: float
    evaluations: float
