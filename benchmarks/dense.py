"""BFGS and SSBroyden with dense matrices: seconds per iteration outside of the user's function.

python -m benchmarks dense
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.cell import Cell
from benchmarks.interleaved import ONE, Measured, Workers, progress
from benchmarks.overhead import load
from benchmarks.tables import microseconds, ratios, spread, table

TIMED = {10: 100, 100: 100, 300: 40, 1_000: 10, 2_000: 4, 4_000: 4}
"""Iterations that are timed, by number of variables."""

FIRST = 3

PEER = {"numpy": "SciPy BFGS", "torch": "torchmin BFGS"}


@dataclass(frozen=True)
class Extent:
    """How much is measured: repeats, the largest n, and the largest n of the peers."""

    repeats: int
    largest: int
    peers: int


QUICK = Extent(3, 1_000, 1_000)
DEFAULT = Extent(3, 4_000, 2_000)
LARGE = Extent(5, 4_000, 4_000)


def measure(extent: Extent) -> dict[str, Any]:
    """All cells, one thread."""
    rows: list[Measured] = []
    with Workers() as workers:
        machine = workers.describe(ONE)
        for library in PEER:
            for n in (n for n in TIMED if n <= extent.largest):
                progress(f"dense: {library} n={n:,}")
                rows += workers.measure(cell(library, n, n <= extent.peers), (ONE,), extent.repeats)
    return {"machine": machine, "rows": [row.to_dict() for row in rows]}


def cell(library: str, n: int, peers: bool) -> Cell:
    """One size."""
    return Cell("dense", library, "float64", n, FIRST, FIRST + TIMED[n], peers=peers)


def tables(found: dict[str, Any]) -> str:
    """A table for each library."""
    rows = load(found)
    parts = []
    for library, peer in PEER.items():
        chosen = [row for row in rows if row.cell.library == library]
        if chosen:
            title = f"dense, {library}, float64, one thread: microseconds of processor time per iteration"
            parts.append(f"{title}\n\n{one_library(chosen, peer)}")
    return "\n\n".join(parts)


def one_library(rows: Sequence[Measured], peer: str) -> str:
    """Times, ratios to the peer, and to three passes over H."""
    lines = []
    for row in rows:
        bfgs, broyden = row.seconds["secant BFGS"], row.seconds["secant SSBroyden"]
        theirs = row.seconds.get(peer, [])
        lines.append(
            [
                f"{row.cell.n:,}",
                microseconds(bfgs),
                microseconds(broyden),
                microseconds(theirs) if theirs else "-",
                spread(ratios(theirs, bfgs)) if theirs else "-",
                spread(ratios(broyden, bfgs)),
                microseconds(row.floor) if row.cell.n >= 100 else "-",
                spread(ratios(bfgs, row.floor)) if row.cell.n >= 100 else "-",
            ]
        )
    head = ["n", "secant BFGS", "secant SSBroyden", peer, f"{peer} / BFGS", "SSBroyden / BFGS"]
    return table([*head, "three passes over H", "BFGS / passes"], lines)
