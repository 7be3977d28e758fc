"""The pictures of a training: losses, gradient, step, damping over the iterations."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterSciNotation, LogLocator, MaxNLocator

from secant.arrays import HostArray
from secant.report.curves import Curves
from secant.report.svg import COLOURS, MARK, drawing

__all__ = ["axes_for", "log_scale", "loss_curves", "name_axes", "over_iterations", "panel_axes"]

_SIZE = (5.6, 3.9)
_PANELS = (11.2, 3.9)
_LETTERS = 80


def loss_curves(curves: Curves, kept: int) -> Figure:
    """Training and validation loss over the iterations, log scale, the kept iteration marked."""
    with drawing():
        figure, axes = axes_for("iteration", "loss")
        for name, label in (("train", "training"), ("validation", "validation")):
            column = {"train": "training_loss", "validation": "validation_loss"}[name]
            if curves.shows(column):
                axes.plot(
                    curves["iteration"],
                    _above_zero(curves, column),
                    color=COLOURS[name],
                    label=label,
                )
        _mark_kept(axes, kept)
        judge = "validation" if curves.shows("validation_loss") else "train"
        column = {"train": "training_loss", "validation": "validation_loss"}[judge]
        axes.plot(
            kept,
            curves[column][curves.row_of(kept)],
            "o",
            color=COLOURS[judge],
            markeredgecolor="#fefefe",
            markersize=8,
            label=f"best: iteration {kept}",
        )
        log_scale(axes)
        axes.legend()
        return figure


def over_iterations(
    curves: Curves, name: str, label: str, colour: str, kept: int, logarithmic: bool = True
) -> Figure:
    """One quantity over the iterations, the kept iteration marked."""
    with drawing():
        figure, axes = axes_for("iteration", label)
        values = _above_zero(curves, name) if logarithmic else curves[name]
        lonely = "." if len(curves) < 3 else ""
        axes.plot(curves["iteration"], values, color=COLOURS[colour], marker=lonely)
        _mark_kept(axes, kept)
        if logarithmic:
            log_scale(axes)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        return figure


def _mark_kept(axes: Axes, kept: int) -> None:
    axes.axvline(kept, color=MARK, linewidth=1, linestyle=(0, (4, 3)))


def axes_for(
    xlabel: str, ylabel: str, size: tuple[float, float] = _SIZE, figure: Figure | None = None
) -> tuple[Figure, Axes]:
    """A figure with one pair of axes, or one more pair for a figure."""
    figure = figure or Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    name_axes(axes, xlabel, ylabel)
    return figure, axes


def panel_axes(title: str) -> tuple[Figure, tuple[Axes, Axes, Axes]]:
    """A figure of three pictures side by side below a title."""
    figure = Figure(figsize=_PANELS, layout="constrained")
    shown = title if len(title) <= _LETTERS else f"{title[: _LETTERS - 1]}…"
    figure.suptitle(shown, x=0.01, ha="left", fontweight="bold", parse_math=False)
    left, middle, right = figure.subplots(1, 3)
    return figure, (left, middle, right)


def name_axes(axes: Axes, xlabel: str, ylabel: str) -> None:
    """Label both axes. Column names are not formulas: a dollar sign in one must not start one."""
    axes.set_xlabel(xlabel, parse_math=False)
    axes.set_ylabel(ylabel, parse_math=False)


def log_scale(axes: Axes) -> None:
    """Logarithmic upwards, with labels between the powers of ten where there are few of these."""
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.yaxis.set_major_formatter(_LogLabels())
    axes.yaxis.set_minor_formatter(_LogLabels(minor_thresholds=(2, 2)))


class _LogLabels(LogFormatterSciNotation):
    """Powers of ten for very large and very small numbers only."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        text = str(super().__call__(x, pos))
        return f"{x:g}" if text and 1e-3 <= x < 1e4 else text


def _above_zero(curves: Curves, name: str) -> HostArray:
    """A column with gaps where a log scale has no place for the value."""
    values = curves[name]
    return np.where(values > 0, values, np.nan)
