"""The pictures that judge predictions of classes: confusion, ROC, precision-recall, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from secant.arrays import HostArray
from secant.report.classification import (
    Calibration,
    PrecisionRecall,
    Roc,
    calibration,
    precision_recall,
    roc,
)
from secant.report.numbers import short
from secant.report.plots import axes_for, name_axes, panel_axes
from secant.report.svg import COLOURS, INK, MARK, drawing

__all__ = [
    "calibration_curve",
    "confusion_matrix",
    "panels",
    "precision_recall_curves",
    "roc_curves",
]

_MOST_ANNOTATED_CLASSES = 15
_LETTERS = 16


def confusion_matrix(counts: HostArray, classes: Sequence[str]) -> Figure:
    """How many rows of each class (down) were taken for each class (across)."""
    with drawing():
        figure, axes = axes_for("predicted class", "actual class")
        axes.grid(False)
        axes.spines[:].set_visible(False)
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        _tiles(axes, share)
        places = range(len(classes))
        labels = [_label(name) for name in classes]
        crowded = len(classes) * max(map(len, labels)) > 30
        turn, side = (45, "right") if crowded else (0, "center")
        axes.set_xticks(places, labels, rotation=turn, ha=side, parse_math=False)
        axes.set_yticks(places, labels, parse_math=False)
        axes.tick_params(length=0)
        if len(classes) <= _MOST_ANNOTATED_CLASSES:
            _annotate(axes, counts, share)
        return figure


def _tiles(axes: Axes, share: HostArray) -> None:
    """One square each rather than an image: sharp at every size, and no embedded file."""
    size = len(share)
    shades = colormaps["Blues"](0.04 + 0.9 * share)
    for row, column in np.ndindex(size, size):
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(
            Rectangle(corner, 1, 1, facecolor=shades[row, column], edgecolor="#fefefe", linewidth=1)
        )
    axes.set_xlim(-0.5, size - 0.5)
    axes.set_ylim(size - 0.5, -0.5)
    axes.set_aspect("equal")


def _annotate(axes: Axes, counts: HostArray, share: HostArray) -> None:
    for (row, column), count in np.ndenumerate(counts):
        # Not the page's ink: the tiles are as light in the dark.
        colour = "white" if share[row, column] > 0.55 else "#1c2431"
        axes.text(column, row, f"{count:,}", ha="center", va="center", color=colour)


def _label(name: str) -> str:
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"


def roc_curves(curves: Mapping[str, Roc]) -> Figure:
    """True over false positive rate, one curve for each class that is told from the others."""
    with drawing():
        figure, axes = axes_for("", "")
        _roc(axes, curves)
        return figure


def precision_recall_curves(curves: Mapping[str, PrecisionRecall]) -> Figure:
    """Precision over recall; the dashed line of the only class is what guessing gets."""
    with drawing():
        figure, axes = axes_for("", "")
        _precision_recall(axes, curves)
        return figure


def calibration_curve(found: Calibration) -> Figure:
    """Observed shares over predicted probabilities; the larger a point, the more rows."""
    with drawing():
        figure, axes = axes_for("", "")
        _calibration(axes, found)
        return figure


def panels(target: str, name: str, positive: HostArray, probability: HostArray) -> Figure:
    """The three pictures of one target of two classes side by side, its name above.

    Parameters
    ----------
    target, name : str
        The column, and the class that `positive` rows have.
    positive : array of bool, shape (rows,)
        Rows of both classes.
    probability : array, shape (rows,)
        Of that class.
    """
    with drawing():
        figure, (left, middle, right) = panel_axes(target)
        _roc(left, {name: roc(positive, probability)})
        _precision_recall(middle, {name: precision_recall(positive, probability)})
        _calibration(right, calibration(positive, probability))
        return figure


def _roc(axes: Axes, curves: Mapping[str, Roc]) -> None:
    _scale_rates(axes, "false positive rate", "true positive rate")
    axes.plot([0, 1], [0, 1], color=MARK, linewidth=1, linestyle=(0, (4, 3)))
    for place, (name, curve) in enumerate(curves.items()):
        label = f"{_label(name)}: AUC {short(curve.area)}"
        axes.plot(curve.false, curve.true, label=label, **_style(place, len(curves)))
    _legend(axes, len(curves), "lower right")


def _precision_recall(axes: Axes, curves: Mapping[str, PrecisionRecall]) -> None:
    _scale_rates(axes, "recall", "precision")
    for place, (name, curve) in enumerate(curves.items()):
        style = _style(place, len(curves))
        if len(curves) == 1:
            axes.axhline(curve.share, color=MARK, linewidth=1, linestyle=(0, (4, 3)))
        label = f"{_label(name)}: average {short(curve.average)}"
        axes.plot(curve.recall, curve.precision, drawstyle="steps-pre", label=label, **style)
    _legend(axes, len(curves), "best")


def _calibration(axes: Axes, found: Calibration) -> None:
    _scale_rates(axes, "predicted probability", "observed share")
    axes.plot([0, 1], [0, 1], color=MARK, linewidth=1, linestyle=(0, (4, 3)))
    sizes = 20 + 220 * found.rows / found.rows.max()
    axes.plot(found.predicted, found.observed, color=COLOURS["test"], linewidth=1)
    axes.scatter(
        found.predicted,
        found.observed,
        s=sizes,
        color=COLOURS["test"],
        edgecolor="#fefefe",
        zorder=3,
        clip_on=False,
    )


def _scale_rates(axes: Axes, xlabel: str, ylabel: str) -> None:
    name_axes(axes, xlabel, ylabel)
    axes.set_box_aspect(1)
    for axis, limits in ((axes.xaxis, axes.set_xlim), (axes.yaxis, axes.set_ylim)):
        limits(-0.02, 1.02)
        axis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))


def _style(place: int, curves: int) -> dict[str, Any]:
    if curves == 1:
        return {"color": COLOURS["test"]}
    return {"color": colormaps["tab10"](place % 10), "linewidth": 1.4}


def _legend(axes: Axes, curves: int, place: Literal["best", "lower right"]) -> None:
    legend = axes.legend(loc=place, fontsize=9 if curves < 6 else 7)
    for text in legend.get_texts():
        text.set_parse_math(False)
        text.set_color(INK)
