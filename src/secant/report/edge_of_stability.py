"""The picture of a run at the edge of stability: sharpness against 2 / eta, and the loss below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secant.report.canvas import canvas

if TYPE_CHECKING:
    from secant.spectrum.edge_of_stability import EdgeOfStability

__all__ = ["plot_edge_of_stability"]

_LIMIT = {"color": "#5b6675", "linestyle": (0, (5, 3)), "linewidth": 1.4}


def plot_edge_of_stability(*runs: EdgeOfStability, title: str = "") -> Any:
    """Draw sharpness and value over the iterations, with the line ``2 / eta`` of each run.

    Parameters
    ----------
    *runs : EdgeOfStability
        Callbacks that have watched a run.
    title : str

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    if not any(run.rows for run in runs):
        raise ValueError("runs must hold a callback that has watched a run, got none")
    with canvas(7.6, 5.4) as figure:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
        colours = ["#1f5fbf", "#c2410c", "#16803c", "#6b3fa0"]
        for i, run in enumerate(runs):
            colour = colours[i % len(colours)]
            above.plot(run["k"], run["sharpness"], color=colour, label=f"eta = {run.eta:g}")
            above.axhline(run.limit, **_LIMIT)
            above.annotate(
                f"2 / eta = {run.limit:g}",
                (1.0, run.limit),
                xycoords=("axes fraction", "data"),
                xytext=(4, 0),  # beside the axes, where it hides nothing
                textcoords="offset points",
                va="center",
                color="#5b6675",
                fontsize=9,
            )
            below.semilogy(run["k"], run["f"], color=colour)
        above.set_ylabel("largest eigenvalue of the Hessian")
        above.set_ylim(bottom=0.0)
        above.set_title(title)
        above.legend(loc="lower right")
        below.set_ylabel("f")
        below.set_xlabel("iterations")
    return figure
