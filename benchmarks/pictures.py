"""The pictures of docs/performance.md, drawn from saved results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib
import numpy as np

from benchmarks import dense, overhead, profiles, suite
from benchmarks.interleaved import ONE, Measured
from benchmarks.tables import IMAGES

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import NullFormatter

INK, FAINT, GREY = "#22262b", "#d9dde2", "#565c64"

OURS = ("#1f5fa8", "#0f8a6d", "#6a4fb3", "#3fa7e0", "#7fb800", "#c06be0")
PEERS = (
    "#d1661b",
    "#b5483a",
    "#c2a33a",
    "#8a8f98",
    "#5d6670",
    "#a05c8c",
    "#7f6a4a",
    "#c98a8a",
    "#9aa0a6",
)


def colours(labels: Sequence[str]) -> dict[str, str]:
    """Cold colours for secant's solvers, warm and grey ones for the others."""
    ours = [label for label in labels if label.startswith("secant")]
    others = [label for label in labels if label not in ours]
    return dict(zip(ours, OURS * 2, strict=False)) | dict(zip(others, PEERS * 2, strict=False))


def overheads(found: dict[str, Any], folder: Path = IMAGES) -> Path:
    """Microseconds over n for both libraries and memories, with the floor."""
    rows = [row for row in overhead.load(found) if row.way == ONE and row.cell.dtype == "float64"]
    memories = sorted({row.cell.memory for row in rows})
    figure, panels = _figure(len(memories), 2, (10.4, 4.2 * len(memories)))
    for column, library in enumerate(overhead.PEER):
        for line, memory in enumerate(memories):
            chosen = [r for r in rows if (r.cell.library, r.cell.memory) == (library, memory)]
            _times(panels[line][column], chosen, floor_from=1_000)
            panels[line][column].set_title(f"{library}, m = {memory}", loc="left", color=INK)
    title = (
        "L-BFGS: microseconds per iteration outside of the user's function (float64, one thread)"
    )
    return _finish(figure, title, folder / "overhead.png")


def matrices(found: dict[str, Any], folder: Path = IMAGES) -> Path:
    """The same for dense matrices."""
    rows = overhead.load(found)
    figure, panels = _figure(1, 2, (10.4, 4.2))
    for axes, library in zip(panels[0], dense.PEER, strict=True):
        _times(axes, [row for row in rows if row.cell.library == library], floor_from=100)
        axes.set_title(library, loc="left", color=INK)
    title = "Dense methods: microseconds per iteration outside of the user's function (float64, one thread)"
    return _finish(figure, title, folder / "dense.png")


def _times(axes: Any, rows: Sequence[Measured], floor_from: int) -> None:
    labels = list(dict.fromkeys(label for row in rows for label in row.seconds))
    for label, colour in colours(labels).items():
        points = [(r.cell.n, 1e6 * median(r.seconds[label])) for r in rows if label in r.seconds]
        axes.loglog(*zip(*points, strict=True), "o-", color=colour, markersize=3.5, label=label)
    axes.yaxis.set_minor_formatter(NullFormatter())
    floor = [(r.cell.n, 1e6 * median(r.floor)) for r in rows if r.cell.n >= floor_from]
    if floor:
        axes.loglog(*zip(*floor, strict=True), "--", color=GREY, linewidth=1.2, label="floor")
    axes.set_xlabel("n", color=GREY)
    axes.legend(frameon=False, fontsize=8.5)


def performance(found: dict[str, Any], folder: Path = IMAGES) -> Path:
    """Profiles by evaluations and by seconds: all solvers on small problems, light ones on all."""
    outcomes = suite.load(found)
    every = list(dict.fromkeys(one.solver for one in outcomes))
    colour = colours(every)
    figure, panels = _figure(2, 2, (11.4, 9.6))
    kinds = (
        (f"all solvers, n up to {suite.DENSE}", profiles.small(outcomes)),
        ("solvers without a matrix, all n", profiles.light(outcomes)),
    )
    for line, (kind, chosen) in zip(panels, kinds, strict=True):
        for axes, by in zip(line, ("evaluations", "seconds"), strict=True):
            _profile(axes, profiles.ratios(profiles.costs(chosen, 1e-6, by)), colour)
            axes.set_title(f"by {by}: {kind}", loc="left", color=INK, fontsize=10)
        line[1].legend(framealpha=0.9, edgecolor="none", fontsize=8, loc="lower right", ncols=2)
    title = "Part of the problems solved within a factor tau of the best solver"
    return _finish(figure, title, folder / "profiles.png")


def _profile(axes: Any, ratios: Mapping[str, np.ndarray], colour: Mapping[str, str]) -> None:
    for label, row in ratios.items():
        finite = row[np.isfinite(row)]
        part = np.arange(1, finite.size + 1) / row.size
        tau = np.append(finite, 1e4)
        axes.step(
            tau,
            np.append(part, part[-1:] if part.size else [0.0]),
            where="post",
            color=colour[label],
            linewidth=2.0 if label.startswith("secant") else 1.1,
            label=label,
        )
    axes.set_xscale("log", base=2)
    axes.set_xlim(1.0, 64.0)
    axes.set_ylim(0.0, 1.02)
    axes.set_xlabel("tau", color=GREY)


def _figure(lines: int, columns: int, size: tuple[float, float]) -> tuple[Any, Any]:
    plt.rcParams.update({"font.family": "DejaVu Sans", "font.size": 9.5, "text.color": INK})
    figure, panels = plt.subplots(lines, columns, figsize=size, dpi=150, squeeze=False)
    for axes in panels.flat:
        axes.grid(color=FAINT, linewidth=0.7)
        axes.tick_params(length=0, which="both", colors=GREY)
        for side in ("top", "right", "left", "bottom"):
            axes.spines[side].set_visible(False)
    return figure, panels


def _finish(figure: Any, title: str, path: Path) -> Path:
    figure.suptitle(title, x=0.02, ha="left", fontsize=12, fontweight="bold", color=INK)
    figure.tight_layout(rect=(0.0, 0.0, 1.0, 0.985))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)
    return path
