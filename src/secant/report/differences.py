"""The picture of differences: error against step on logarithmic axes, with the orders and best steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from secant.arrays import HostArray
from secant.derivatives.numerical import jacobian
from secant.report.canvas import canvas

__all__ = ["difference_errors", "plot_difference_errors"]

_SCHEMES = {
    "2-point": ("forward", "#c2410c"),
    "3-point": ("centred", "#1f5fbf"),
    "cs": ("complex step", "#16803c"),
}
_LOWEST = 1e-17
"""Where errors of exactly zero are drawn."""


def difference_errors(
    fun: Callable[..., Any], exact: Callable[..., Any], x: npt.ArrayLike, steps: npt.ArrayLike
) -> dict[str, HostArray]:
    """Median relative error of each scheme at each step.

    Parameters
    ----------
    fun, exact : callable
        An analytic function that works element by element, and its derivative.
    x : array_like
        The points whose errors the median is of.
    steps : array_like
        Relative steps.

    Returns
    -------
    dict
        ``"h"`` and a column for each scheme and for ``"richardson"``, the last without a step.
    """
    points, expected = np.asarray(x, dtype=float), np.asarray(exact(np.asarray(x, dtype=float)))
    eps = np.finfo(float).eps

    def error(method: str, h: float | None) -> float:
        if h is not None and h < eps and method != "cs":  # x + h is x itself
            return 1.0
        with np.errstate(all="ignore"):
            found = [
                jacobian(lambda t: fun(t[0]), [p], method=method, relative_step=h)[0]
                for p in points
            ]
        return float(np.median(np.abs(np.array(found) / expected - 1.0)))

    h = np.asarray(steps, dtype=float)
    columns = {scheme: np.array([error(scheme, step) for step in h]) for scheme in _SCHEMES}
    return {"h": h, **columns, "richardson": np.array([error("richardson", None)])}


def plot_difference_errors(errors: dict[str, HostArray], title: str = "") -> Any:
    """Draw what `difference_errors` found.

    Parameters
    ----------
    errors : dict
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    h, eps = errors["h"], float(np.finfo(float).eps)
    with canvas(7.6, 5.0) as figure:
        axes = figure.add_subplot()
        for scheme, (name, colour) in _SCHEMES.items():
            axes.loglog(h, np.maximum(errors[scheme], _LOWEST), color=colour, label=name)
        level = float(max(errors["richardson"][0], _LOWEST))
        axes.axhline(level, color="#6b3fa0", linestyle=(0, (5, 3)), label="Richardson, own steps")
        for power, text in ((1 / 2, r"$\epsilon^{1/2}$"), (1 / 3, r"$\epsilon^{1/3}$")):
            axes.axvline(eps**power, color="#5b6675", linewidth=1.0, linestyle=":")
            axes.text(eps**power, 3.0, text, ha="center", color="#3a4452")
        _order(axes, errors["2-point"], h, 1, 2e-2)
        _order(axes, errors["3-point"], h, 2, 2e-5)
        axes.set_xlim(h.max(), h.min())
        axes.set_ylim(0.5 * _LOWEST, 30.0)
        axes.set_xlabel("step h, in units of max(1, |x|)")
        axes.set_ylabel("relative error of the derivative")
        axes.set_title(title)
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.26))
    return figure


def _order(axes: Any, error: HostArray, h: HostArray, order: int, at: float) -> None:
    """Name the order beside a curve."""
    i = int(np.argmin(np.abs(np.log(h / at))))
    first = order == 1  # above its curve; the other below and to the left of all
    axes.annotate(
        r"slope 1: $O(h)$" if first else rf"slope {order}: $O(h^{order})$",
        (h[i], error[i]),
        xytext=(8, 5) if first else (-30, -6),
        textcoords="offset points",
        ha="left" if first else "right",
        color="#3a4452",
    )
