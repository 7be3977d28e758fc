"""The picture of a trace: value and gradient over the work done."""

from __future__ import annotations

from typing import Any

import numpy as np

from secant import checks
from secant.trace import Trace

_LABELS = {"nfev": "function evaluations", "k": "iterations", "seconds": "seconds"}


def plot_trace(trace: Trace, against: str = "nfev", title: str = "") -> Any:
    """Draw ``f - min f`` and ``max |g|`` on a logarithmic axis.

    Parameters
    ----------
    trace : Trace
    against : str
        ``"nfev"``, ``"k"`` or ``"seconds"``.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    checks.one_of("against", against, _LABELS)
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(
            "plots need matplotlib; install it with: pip install 'secant[plot]'"
        ) from None
    work, f, g = trace[against], trace["f"], trace["optimality"]
    figure = Figure(figsize=(7.0, 4.0), layout="constrained")
    axes = figure.add_subplot()
    above = f - np.min(f)
    axes.semilogy(work[above > 0], above[above > 0], marker=".", label="f above the lowest value")
    axes.semilogy(work[g > 0], g[g > 0], marker=".", label="largest gradient component")
    axes.set_xlabel(_LABELS[against])
    axes.set_title(title)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
