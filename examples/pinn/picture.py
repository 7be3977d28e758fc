"""Loss and true error against seconds, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from examples.pinn.race import Curve

matplotlib.use("Agg")
import matplotlib.pyplot as plt

INK, GREY, FAINT = "#22262b", "#565c64", "#d9dde2"

STYLES = {
    "SSBroyden (secant)": ("#b3261e", "-", 2.2),
    "BFGS (secant)": ("#0f8a6d", "-", 2.0),
    "L-BFGS, 100 pairs (secant)": ("#1f5fa8", "-", 2.0),
    "torch.optim.LBFGS, 100 pairs": ("#22262b", "--", 1.5),
    "torch.optim.LBFGS, 10 pairs": ("#8a8f98", "--", 1.5),
    "torch.optim.Adam": ("#d1661b", ":", 1.8),
}
"""Colour, dash and width of each curve."""


def draw(curves: Sequence[Curve], title: str, subtitle: str, seconds: float, path: Path) -> None:
    """Write the picture, whole or not at all."""
    plt.rcParams.update({"font.family": "DejaVu Sans", "font.size": 10.5, "text.color": INK})
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.4, 5.0), dpi=160)
    for curve in curves:
        colour, dash, width = STYLES[curve.label]
        look = {"color": colour, "linestyle": dash, "linewidth": width, "label": curve.label}
        # a constant to the end: the best so far stays the best
        left.step(
            [*curve.seconds, curve.ended], [*curve.loss, curve.loss[-1]], where="post", **look
        )
        right.plot([*curve.moments, curve.ended], [*curve.errors, curve.errors[-1]], **look)
    for axes, name in ((left, "Loss"), (right, "True error, relative, in the L2 norm")):
        _finish(axes, name, seconds)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="lower center", ncol=3, frameon=False, handlelength=2.6, fontsize=10
    )
    figure.text(0.022, 0.94, title, fontsize=14, fontweight="bold")
    figure.text(0.022, 0.893, subtitle, color=GREY, fontsize=9.6)
    figure.subplots_adjust(left=0.07, right=0.975, top=0.80, bottom=0.25, wspace=0.17)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}")
    figure.savefig(unfinished, format="png")
    unfinished.replace(path)
    plt.close(figure)


def _finish(axes: Axes, name: str, seconds: float) -> None:
    axes.set_title(name, loc="left", fontsize=11, color=GREY)
    axes.set_yscale("log")
    axes.set_xlim(0.0, seconds)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=seconds >= 5.0))
    axes.minorticks_off()
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.tick_params(length=0, colors=GREY, pad=6)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#a9afb7")
    axes.set_xlabel("seconds of processor time, one thread", color=GREY, labelpad=6)
