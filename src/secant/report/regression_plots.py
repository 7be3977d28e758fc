"""The pictures that judge predictions of numbers: parity, error histogram, residuals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from secant.arrays import HostArray
from secant.report.plots import axes_for, name_axes, panel_axes
from secant.report.svg import COLOURS, INK, MARK, drawing

__all__ = ["error_histogram", "panels", "parity", "residuals"]

_MOST_POINTS = 2_000

Pairs = Mapping[str, tuple[HostArray, HostArray]]
"""Actual and predicted values of each part of the rows, the test rows last."""


def parity(pairs: Pairs, target: str) -> Figure:
    """Predictions against actual values, a colour for each part of the rows, test rows on top.

    Of more than 2000 rows an even selection is drawn.
    """
    with drawing():
        figure, axes = axes_for(f"actual {target}", f"predicted {target}")
        _parity(axes, pairs, _MOST_POINTS)
        return figure


def residuals(actual: HostArray, predicted: HostArray, target: str) -> Figure:
    """Errors of test rows against their predictions: a pattern is what the network has not learnt."""
    with drawing():
        figure, axes = axes_for(f"predicted {target}", "predicted minus actual")
        _residuals(axes, actual, predicted, _MOST_POINTS)
        return figure


def error_histogram(errors: HostArray, target: str) -> Figure:
    """How often errors of each size occur, zero marked."""
    with drawing():
        figure, axes = axes_for(f"predicted minus actual {target}", "rows")
        _histogram(axes, errors)
        return figure


def panels(pairs: Pairs, target: str, most: int = _MOST_POINTS) -> Figure:
    """The three pictures of one target side by side, its name above; `most` points in each."""
    actual, predicted = pairs["test"]
    with drawing():
        figure, (left, middle, right) = panel_axes(target)
        for axes in (left, middle, right):  # labels of small numbers are wide
            axes.xaxis.set_major_locator(MaxNLocator(4))
        name_axes(left, "actual", "predicted")
        _parity(left, pairs, most)
        name_axes(middle, "predicted minus actual", "rows")
        _histogram(middle, predicted - actual)
        name_axes(right, "predicted", "predicted minus actual")
        _residuals(right, actual, predicted, most)
        return figure


def _parity(axes: Axes, pairs: Pairs, most: int) -> None:
    axes.set_box_aspect(1)
    values = np.concatenate([numbers for pair in pairs.values() for numbers in pair])
    ends = np.array([values.min(), values.max()])
    axes.plot(ends, ends, color=MARK, linewidth=1)
    rows = sum(len(actual) for actual, _ in pairs.values())
    every = max(1, -(-rows // most))
    for name, (actual, predicted) in pairs.items():
        _points(axes, actual[::every], predicted[::every], name)
    if len(pairs) > 1:  # a table that is judged has no parts
        axes.legend(loc="upper left", handletextpad=0.2)


def _residuals(axes: Axes, actual: HostArray, predicted: HostArray, most: int) -> None:
    every = max(1, -(-len(actual) // most))
    errors = predicted - actual
    axes.axhline(0, color=MARK, linewidth=1)
    spread = float(np.sqrt(np.mean(errors**2)))
    for level in (-spread, spread):
        axes.axhline(level, color=MARK, linewidth=1, linestyle=(0, (4, 3)))
    _points(axes, predicted[::every], errors[::every], "test")


def _histogram(axes: Axes, errors: HostArray) -> None:
    bins = min(40, max(8, round(2 * len(errors) ** 0.5)))
    axes.hist(errors, bins=bins, color=COLOURS["test"], edgecolor="#fefefe")
    axes.axvline(0, color=INK, linewidth=1)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def _points(axes: Axes, x: HostArray, y: HostArray, name: str) -> None:
    front = name == "test"
    axes.plot(
        x,
        y,
        "o",
        color=COLOURS[name],
        alpha=0.9 if front else 0.35,
        markersize=5 if front else 4,
        markeredgecolor="#fefefe",
        markeredgewidth=0.5,
        label=name,
    )
