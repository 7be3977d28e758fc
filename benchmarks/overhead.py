"""L-BFGS: seconds per iteration outside of the user's function, beside the peers and the floor.

python -m benchmarks overhead
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.cell import Cell
from benchmarks.interleaved import ALL, BUSY, ONE, Measured, Workers, progress
from benchmarks.tables import microseconds, ratios, spread, table
from benchmarks.timed import MIXED

TIMED = {10: 300, 100: 300, 1_000: 200, 10_000: 100, 100_000: 30, 1_000_000: 8, 10_000_000: 4}
"""Iterations that are timed, by number of variables."""

PEER = {"numpy": "SciPy L-BFGS-B", "torch": "torch.optim.LBFGS"}
"""Whom secant is divided by."""


@dataclass(frozen=True)
class Extent:
    """How much is measured.

    Attributes
    ----------
    repeats, few : int
        Repeats of a cell, and of one that takes many seconds.
    share : int
        One in so many of the iterations in `TIMED` is made.
    largest : dict
        The largest n for each memory.
    float32 : tuple of int
        Sizes that are measured in single precision too.
    all_threads : tuple of int
        Sizes that are measured with all threads too, alone and while another core is busy.
    """

    repeats: int
    few: int
    share: int
    largest: dict[int, int]
    float32: tuple[int, ...]
    all_threads: tuple[int, ...]

    def sizes(self, memory: int) -> list[int]:
        """The numbers of variables measured with this memory."""
        return [n for n in TIMED if n <= self.largest[memory]]


SINGLE = (1_000, 100_000, 1_000_000)
QUICK = Extent(3, 2, 6, {10: 100_000, 100: 1_000}, (), (10, 1_000))
DEFAULT = Extent(5, 3, 1, {10: 1_000_000, 100: 100_000}, SINGLE, (10, 1_000, 100_000))
LARGE = Extent(5, 3, 1, {10: 10_000_000, 100: 1_000_000}, SINGLE, (10, 1_000, 100_000, 1_000_000))


def cells(extent: Extent) -> list[tuple[Cell, tuple[str, ...]]]:
    """What is measured, and in which ways."""
    found: list[tuple[Cell, tuple[str, ...]]] = []
    for library in PEER:
        for memory in extent.largest:
            for n in extent.sizes(memory):
                many = memory == 10 and n in extent.all_threads
                ways = (ONE, ALL, BUSY) if many else (ONE,)
                found.append((cell(library, "float64", n, memory, extent.share), ways))
        found += [(cell(library, "float32", n, 10, extent.share), (ONE,)) for n in extent.float32]
    return found


def cell(library: str, dtype: str, n: int, memory: int, share: int = 1) -> Cell:
    """A cell whose timed iterations begin when the memory is full."""
    first = memory + 3
    return Cell(
        "limited-memory", library, dtype, n, first, first + max(4, TIMED[n] // share), memory
    )


def is_long(cell: Cell) -> bool:
    """Whether a run of the slowest solver takes many seconds."""
    return cell.n * cell.memory * cell.last > 5e8


def measure(extent: Extent, threads: str = "all") -> dict[str, Any]:
    """All cells, as plain data with what they were measured on."""
    rows: list[Measured] = []
    with Workers() as workers:
        machines = {ONE: workers.describe(ONE)}
        for cell, ways in cells(extent):
            progress(f"overhead: {cell.library} {cell.dtype} m={cell.memory} n={cell.n:,}")
            chosen = ways if threads == "all" else (ONE,)
            rows += workers.measure(cell, chosen, extent.few if is_long(cell) else extent.repeats)
    return {"machine": machines[ONE], "rows": [row.to_dict() for row in rows]}


def load(found: dict[str, Any]) -> list[Measured]:
    """The rows of saved data."""
    return [Measured(**{**row, "cell": Cell(**row["cell"])}) for row in found["rows"]]


# ------------------------------------------------------------------------------------------ tables


def tables(found: dict[str, Any]) -> str:
    """A table for each library and dtype with one thread, and one for the threads."""
    rows = load(found)
    parts = []
    for library in PEER:
        for dtype in ("float64", "float32"):
            chosen = [
                row
                for row in rows
                if (row.cell.library, row.cell.dtype, row.way) == (library, dtype, ONE)
            ]
            if chosen:
                title = (
                    f"L-BFGS, {library}, {dtype}, one thread: microseconds of processor time "
                    "per iteration outside of f"
                )
                parts.append(f"{title}\n\n{one_thread(chosen)}")
    many = threads(rows)
    if many:
        title = "L-BFGS, float64, m = 10: time on the wall with all threads over time with one"
        parts.append(f"{title}\n\n{many}")
    stalled = sorted({text for row in rows for text in row.stalled})
    return "\n\n".join([*parts, *stalled])


def one_thread(rows: Sequence[Measured]) -> str:
    """Microseconds of all solvers, ratios of the peers' to secant's, distance to the floor."""
    labels = [label for label in rows[0].seconds if label != MIXED]
    peers = [label for label in labels if label != "secant"]
    dtype = rows[0].cell.dtype
    names = [f"{p} (float64)" if dtype == "float32" and "SciPy" in p else p for p in peers]
    head = ["n", "m", "secant", *names, *[f"{name} / secant" for name in names], "floor"]
    head += ["secant / floor"]
    if is_mixed := any(MIXED in row.seconds for row in rows):
        head += ["pairs in float32 / floor"]
    head += [f"evals/iter {label}" for label in labels]
    lines = []
    for row in rows:
        ours, theirs = row.seconds["secant"], [row.seconds.get(p, []) for p in peers]
        floor = row.floor if row.cell.n >= 1_000 else []
        mixed = row.seconds.get(MIXED, [])
        lines.append(
            [
                f"{row.cell.n:,}",
                row.cell.memory,
                *[microseconds(times) if times else "-" for times in (ours, *theirs)],
                *[spread(ratios(times, ours)) if times else "-" for times in theirs],
                microseconds(floor) if floor else "-",
                spread(ratios(ours, floor)) if floor else "-",
                *([spread(ratios(mixed, floor)) if mixed else "-"] if is_mixed else []),
                *[f"{row.evaluations_of(p):.2f}" if p in row.seconds else "-" for p in labels],
            ]
        )
    return table(head, lines)


def threads(rows: Sequence[Measured]) -> str:
    """How much longer an iteration takes with all threads, alone and beside a busy core."""
    by_way = {(row.cell, row.way): row for row in rows}
    lines = []
    for (cell, way), one in by_way.items():
        if way != ONE or (cell, ALL) not in by_way:
            continue
        for label in ("secant", PEER[cell.library]):
            base = one.wall[label]
            alone, busy = (by_way[cell, other].wall[label] for other in (ALL, BUSY))
            lines.append(
                [
                    f"{cell.library}, {label}",
                    f"{cell.n:,}",
                    microseconds(base),
                    spread(ratios(alone, base)),
                    spread(ratios(busy, base)),
                ]
            )
    head = ["solver", "n", "one thread", "all threads / one", "all, other core busy / one"]
    return table(head, lines) if lines else ""
