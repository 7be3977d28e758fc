"""What the engine is to reach, beside what the last run measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks import overhead, profiles, suite
from benchmarks.interleaved import BUSY, ONE, Measured
from benchmarks.tables import ratios, short, table
from benchmarks.timed import MIXED


@dataclass(frozen=True)
class Target:
    """One line: a bound and the worst that was measured.

    Attributes
    ----------
    what : str
    bound, worst : float
    at_least : bool
        Whether the bound is from below.
    where : str
        Where the worst was measured.
    """

    what: str
    bound: float
    worst: float
    at_least: bool
    where: str

    @property
    def is_met(self) -> bool:
        """Whether even the worst keeps the bound."""
        return self.worst >= self.bound if self.at_least else self.worst <= self.bound


def targets(found: dict[str, dict[str, Any]]) -> list[Target]:
    """All targets of the parts that were measured."""
    lines: list[Target] = []
    if "overhead" in found:
        rows = overhead.load(found["overhead"])
        lines += [*_speed(rows), *_floor(rows), *_threads(rows)]
    if "dense" in found:
        lines += _dense(overhead.load(found["dense"]))
    if "memory" in found:
        lines += _memory(found["memory"])
    if "problems" in found:
        lines += _problems(suite.load(found["problems"]))
    return lines


def tables(found: dict[str, dict[str, Any]]) -> str:
    """A line for each target."""
    lines = [
        [
            one.what,
            f"{'>=' if one.at_least else '<='} {short(one.bound)}",
            short(one.worst),
            one.where,
            "met" if one.is_met else "MISSED",
        ]
        for one in targets(found)
    ]
    return table(["target (worst of the medians)", "bound", "measured", "at", ""], lines)


Measure = Callable[[Measured], float]


def _worst(
    what: str, bound: float, at_least: bool, rows: Iterable[Measured], measure: Measure
) -> list[Target]:
    found = [(measure(row), f"{row.cell.library}, n = {row.cell.n:,}") for row in rows]
    if not found:
        return []
    worst, where = (min if at_least else max)(found)
    return [Target(what, bound, worst, at_least, where)]


def _speed(rows: list[Measured]) -> list[Target]:
    def gain(row: Measured) -> float:
        return median(ratios(row.seconds[overhead.PEER[row.cell.library]], row.seconds["secant"]))

    def chosen(library: str, memory: int, low: int, high: int) -> list[Measured]:
        return [
            row
            for row in rows
            if (row.way, row.cell.library, row.cell.dtype) == (ONE, library, "float64")
            and row.cell.memory == memory
            and low <= row.cell.n <= high
        ]

    large = 10**9
    scipy, torch = "SciPy L-BFGS-B / secant", "torch.optim.LBFGS / secant"
    return [
        *_worst(f"{scipy}, n = 10", 1.0, True, chosen("numpy", 10, 10, 10), gain),
        *_worst(f"{scipy}, n = 1,000", 2.0, True, chosen("numpy", 10, 1_000, 1_000), gain),
        *_worst(f"{scipy}, n >= 100,000", 3.0, True, chosen("numpy", 10, 100_000, large), gain),
        *_worst(f"{torch}, n <= 10,000", 3.0, True, chosen("torch", 10, 10, 10_000), gain),
        *_worst(
            f"{torch}, m = 100, n <= 10,000", 8.0, True, chosen("torch", 100, 10, 10_000), gain
        ),
        *_worst(f"{torch}, n >= 100,000", 1.5, True, chosen("torch", 10, 100_000, large), gain),
    ]


def _floor(rows: list[Measured]) -> list[Target]:
    far = [
        row
        for row in rows
        if row.way == ONE and row.cell.dtype == "float64" and row.cell.n >= 100_000
    ]
    mixed = [row for row in far if MIXED in row.seconds]

    def distance(label: str) -> Measure:
        return lambda row: median(ratios(row.seconds[label], row.floor))

    return [
        *_worst("L-BFGS / floor, n >= 100,000", 1.5, False, far, distance("secant")),
        *_worst("the same, pairs in float32", 0.9, False, mixed, distance(MIXED)),
    ]


def _threads(rows: list[Measured]) -> list[Target]:
    one = {row.cell: row for row in rows if row.way == ONE}

    def slower(row: Measured) -> float:
        return median(ratios(row.wall["secant"], one[row.cell].wall["secant"]))

    busy = [row for row in rows if row.way == BUSY]
    return _worst("all threads, other core busy / one thread", 1.3, False, busy, slower)


def _dense(rows: list[Measured]) -> list[Target]:
    sized = [row for row in rows if row.cell.n == 1_000]
    numpy = [row for row in sized if row.cell.library == "numpy"]

    def gain(row: Measured) -> float:
        return median(ratios(row.seconds["SciPy BFGS"], row.seconds["secant BFGS"]))

    def passes(row: Measured) -> float:
        return median(ratios(row.seconds["secant BFGS"], row.floor))

    def broyden(row: Measured) -> float:
        return median(ratios(row.seconds["secant SSBroyden"], row.seconds["secant BFGS"]))

    return [
        *_worst("SciPy BFGS / secant BFGS, n = 1,000", 20.0, True, numpy, gain),
        *_worst("BFGS / three passes over H, n = 1,000", 2.0, False, sized, passes),
        *_worst("SSBroyden / BFGS, n = 1,000", 1.5, False, sized, broyden),
    ]


def _memory(found: dict[str, Any]) -> list[Target]:
    m = found["memory"]
    ours = [row for row in found["rows"] if row["solver"] == "secant"]
    peak, library = max((row["words"], row["library"]) for row in ours)
    lines = [Target("L-BFGS: n words beyond 2m", 8.0, round(peak - 2 * m, 1), False, library)]
    reads = [
        (row["reads"] - row["evaluations"], f"m = {row['memory']}")
        for row in found["reads"]
        if row["solver"] == "secant"
    ]
    if reads:
        lines.append(Target("host reads beyond evaluations", 2.0, *_split(max(reads))))
    return lines


def _split(pair: tuple[float, str]) -> tuple[float, bool, str]:
    return pair[0], False, pair[1]


def _problems(outcomes: list[suite.Outcome], tol: float = 1e-6) -> list[Target]:
    lines = []
    for is_dense, ours in profiles.REFERENCE.items():
        kind = [one for one in outcomes if one.is_dense == is_dense]
        peers = {one.solver for one in kind if not one.solver.startswith("secant")}
        for name in dict.fromkeys(one.set for one in kind):
            costs = profiles.costs([one for one in kind if one.set == name], tol, "evaluations")
            solved = {s: sum(c is not None for c in row.values()) for s, row in costs.items()}
            best = max(solved[peer] for peer in peers)
            lines.append(Target(f"{ours}: solved of {name}", best, solved[ours], True, "best peer"))
        costs = profiles.costs(kind, tol, "evaluations")
        solved = {peer: sum(c is not None for c in costs[peer].values()) for peer in peers}
        best_peers = [peer for peer in peers if solved[peer] == max(solved.values())]
        least, peer = min((profiles.total_ratio(costs[p], costs[ours]), p) for p in best_peers)
        lines.append(
            Target(f"evaluations in total, peers that solve most / {ours}", 1.0, least, True, peer)
        )
    return lines
