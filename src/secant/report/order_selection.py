"""The picture of an order selection: losses over the number of neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from secant.report.svg import drawing

if TYPE_CHECKING:
    from secant.learn.order_selection import OrderSelection

__all__ = ["order_curves"]

_TRAINING, _VALIDATION = "#1f5fbf", "#e07b00"


def order_curves(selection: OrderSelection) -> Figure:
    """Training and validation loss of the best start of each size, log scale, the chosen one marked.

    The other starts are dots: how far they lie apart shows how much of a difference is chance.
    """
    trials = selection.trials
    neurons = [trial.neurons for trial in trials]
    with drawing():
        figure = Figure(figsize=(5.6, 3.9), layout="constrained")
        axes = figure.add_subplot()
        for trial in trials:
            losses = np.array(trial.validation_losses)
            losses = losses[np.isfinite(losses) & (losses > 0)]
            axes.plot(
                np.full(len(losses), trial.neurons), losses, ".", color=_VALIDATION, alpha=0.35
            )
        for name, colour in (("training", _TRAINING), ("validation", _VALIDATION)):
            values = np.array([getattr(trial, f"{name}_loss") for trial in trials])
            shown = np.where(np.isfinite(values) & (values > 0), values, np.nan)
            axes.plot(neurons, shown, color=colour, marker="o", markersize=4, label=name)
        best = selection.best
        axes.axvline(best.neurons, color="#9aa4b2", linewidth=1, linestyle=(0, (4, 3)))
        axes.plot(
            best.neurons,
            best.validation_loss,
            "o",
            color=_VALIDATION,
            markeredgecolor="white",
            markersize=9,
            label=f"chosen: {best.neurons}",
        )
        axes.set_yscale("log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("neurons")
        axes.set_ylabel("loss")
        axes.legend()
        return figure
