"""Two solvers of a sum of squares in turn, each timed to the loss that the first of them reaches."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.interleaved import progress
from benchmarks.tables import ratios, spread


@dataclass(frozen=True)
class Run:
    """What one solver did: processor seconds, and half the sum of squares where it ended."""

    seconds: float
    cost: float


def timed(work: Callable[[], float]) -> Run:
    """Run ``work``, which returns the cost it has reached."""
    began = time.process_time()
    cost = work()
    return Run(time.process_time() - began, cost)


def compare(
    problem: str,
    peer: str,
    theirs: Callable[[], float],
    ours: Callable[[float], float],
    repetitions: int,
    floor: Callable[[], float] | None = None,
) -> dict[str, Any]:
    """Interleaved repeats; ``ours(goal)`` stops at the peer's cost, ``floor`` evaluates and no more."""
    goal = theirs()  # a first run compiles and warms caches
    ours(goal)
    rows = [
        (timed(theirs), timed(lambda: ours(goal)), timed(floor) if floor else None)
        for _ in range(repetitions)
    ]
    found = {
        "problem": problem,
        "peer": peer,
        "peer seconds": [theirs.seconds for theirs, _, _ in rows],
        "seconds": [ours.seconds for _, ours, _ in rows],
        "floor": [least.seconds for _, _, least in rows if least],
        "peer loss": goal,
        "loss": rows[-1][1].cost,
    }
    progress(f"{problem}, {peer}: {spread(ratios(found['peer seconds'], found['seconds']))}")
    return found
