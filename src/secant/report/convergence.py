"""The picture of a trace: value and gradient over the work done."""

from __future__ import annotations

from typing import Any

import numpy as np

from secant import checks
from secant.report.canvas import canvas
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

    Raises
    ------
    ImportError
        If Matplotlib is not there.

    Examples
    --------
    >>> import secant
    >>> from secant.report.convergence import plot_trace
    >>> figure = plot_trace(secant.minimize(lambda x: (x**4).sum(), [1.0, 2.0]).trace, against="k")
    >>> figure.axes[0].get_xlabel()
    'iterations'
    """
    checks.one_of("against", against, _LABELS)
    work, f, g = trace[against], trace["f"], trace["optimality"]
    above = f - np.min(f)
    with canvas(7.0, 4.0) as figure:
        axes = figure.add_subplot()
        axes.semilogy(work[above > 0], above[above > 0], ".-", label="f above the lowest value")
        axes.semilogy(work[g > 0], g[g > 0], ".-", label="largest gradient component")
        axes.set_xlabel(_LABELS[against])
        axes.set_title(title)
        axes.legend()
    return figure
