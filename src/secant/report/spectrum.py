"""The picture of a spectrum: its density on a logarithmic axis, and the eigenvalues that stand apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from secant.report.canvas import canvas

if TYPE_CHECKING:
    from secant.spectrum.front import Spectrum

__all__ = ["plot_spectrum"]

_BULK, _OUTLIER = "#1f5fbf", "#c2410c"
_LOWEST = 1e-7
"""Densities below this fraction of the highest are not drawn."""


def plot_spectrum(spectrum: Spectrum, title: str = "") -> Any:
    """Draw density, bulk and outliers of a `Spectrum`.

    Parameters
    ----------
    spectrum : Spectrum
        With its density.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    density = spectrum.density
    if density is None:
        raise ValueError("spectrum must have a density to be drawn; leave with_density=True")
    with canvas(7.6, 4.2) as figure:
        axes = figure.add_subplot()
        low, high = density.nodes.min(), density.nodes.max()
        margin = 0.04 * (high - low) or 1.0
        at = np.linspace(low - margin, high + margin, 3000)
        height = density(at)
        floor = _LOWEST * float(height.max())
        shown = np.maximum(height, floor)
        axes.fill_between(at, floor, shown, color=_BULK, alpha=0.18, linewidth=0)
        axes.semilogy(at, shown, color=_BULK, label="density")
        apart = spectrum.outliers
        if apart.size:
            axes.plot(
                apart,
                np.full(apart.size, 2.0 * floor),
                "|",
                color=_OUTLIER,
                markersize=13,
                markeredgewidth=1.6,
                label=f"{apart.size} outliers",
            )
        axes.set_ylim(floor, 3.0 * float(height.max()))
        axes.set_xlabel("eigenvalue")
        axes.set_ylabel("density")
        axes.set_title(title or f"{spectrum.n} eigenvalues, largest {spectrum.sharpness:.4g}")
        axes.legend()
    return figure
