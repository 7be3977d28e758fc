"""The pictures of a training: losses, gradient, parity, confusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from secant.report.svg import drawing

if TYPE_CHECKING:
    from secant.learn.history import History

__all__ = ["confusion_matrix", "error_histogram", "gradient_norm", "loss_curves", "parity"]

_SIZE = (5.6, 3.9)
_COLOURS = {"train": "#1f5fbf", "validation": "#e07b00", "test": "#16803c"}
_MOST_POINTS = 2_000
_MOST_ANNOTATED_CLASSES = 15


def loss_curves(history: History) -> Figure:
    """Training and validation loss over the iterations, log scale, the kept iteration marked."""
    with drawing():
        figure, axes = _axes("iteration", "loss")
        iterations = history.column("iteration")
        for part in ("train", "validation"):
            name = {"train": "training_loss", "validation": "validation_loss"}[part]
            label = {"train": "training", "validation": "validation"}[part]
            axes.plot(iterations, _above_zero(history, name), color=_COLOURS[part], label=label)
        best = history.best
        axes.axvline(best.iteration, color="#9aa4b2", linewidth=1, linestyle=(0, (4, 3)))
        axes.plot(
            best.iteration,
            best.validation_loss,
            "o",
            color=_COLOURS["validation"],
            markeredgecolor="white",
            markersize=8,
            label=f"best: iteration {best.iteration}",
        )
        _log_scale(axes)
        axes.legend()
        return figure


def gradient_norm(history: History) -> Figure:
    """The largest component of the gradient over the iterations, log scale."""
    with drawing():
        figure, axes = _axes("iteration", "largest gradient component")
        axes.plot(
            history.column("iteration"), _above_zero(history, "gradient_norm"), color="#6b3fa0"
        )
        axes.axvline(history.best.iteration, color="#9aa4b2", linewidth=1, linestyle=(0, (4, 3)))
        _log_scale(axes)
        return figure


def parity(
    actual: NDArray[np.float64],
    predicted: NDArray[np.float64],
    parts: Mapping[str, NDArray[np.intp]],
    target: str,
) -> Figure:
    """Predictions against actual values, a colour for each part of the rows, test rows on top.

    Of more than 2000 rows an even selection is drawn.
    """
    with drawing():
        figure, axes = _axes(f"actual {target}", f"predicted {target}")
        axes.set_box_aspect(1)
        ends = np.array([min(actual.min(), predicted.min()), max(actual.max(), predicted.max())])
        axes.plot(ends, ends, color="#9aa4b2", linewidth=1)
        every = max(1, -(-len(actual) // _MOST_POINTS))
        for name, rows in parts.items():
            drawn = rows[::every]
            front = name == "test"
            axes.plot(
                actual[drawn],
                predicted[drawn],
                "o",
                color=_COLOURS[name],
                alpha=0.9 if front else 0.35,
                markersize=5 if front else 4,
                markeredgecolor="white",
                markeredgewidth=0.5,
                label=name,
            )
        axes.legend(loc="upper left", handletextpad=0.2)
        return figure


def error_histogram(errors: NDArray[np.float64], target: str) -> Figure:
    """How often errors of each size occur, zero marked."""
    with drawing():
        figure, axes = _axes(f"predicted minus actual {target}", "rows")
        bins = min(40, max(8, round(2 * len(errors) ** 0.5)))
        axes.hist(errors, bins=bins, color=_COLOURS["test"], edgecolor="white")
        axes.axvline(0, color="#1c2430", linewidth=1)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        return figure


def confusion_matrix(counts: NDArray[np.int64], classes: Sequence[str]) -> Figure:
    """How many rows of each class (down) were taken for each class (across)."""
    with drawing():
        figure, axes = _axes("predicted class", "actual class")
        axes.grid(False)
        axes.spines[:].set_visible(False)
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="equal")
        places = range(len(classes))
        labels = [label if len(label) <= 16 else f"{label[:15]}…" for label in classes]
        crowded = len(classes) * max(map(len, labels)) > 30
        turn, side = (45, "right") if crowded else (0, "center")
        axes.set_xticks(places, labels, rotation=turn, ha=side, parse_math=False)
        axes.set_yticks(places, labels, parse_math=False)
        axes.tick_params(length=0)
        if len(classes) <= _MOST_ANNOTATED_CLASSES:
            _annotate(axes, counts, share)
        return figure


def _annotate(axes: Axes, counts: NDArray[np.int64], share: NDArray[np.float64]) -> None:
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if share[row, column] > 0.55 else "#1c2430"
        axes.text(column, row, str(count), ha="center", va="center", color=colour)


def _axes(xlabel: str, ylabel: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    # Column names are not formulas: a dollar sign in one must not start one.
    axes.set_xlabel(xlabel, parse_math=False)
    axes.set_ylabel(ylabel, parse_math=False)
    return figure, axes


def _log_scale(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def _above_zero(history: History, name: str) -> NDArray[np.float64]:
    """A column with gaps where a log scale has no place for the value."""
    values = np.array(history.column(name))
    return np.where(values > 0, values, np.nan)
