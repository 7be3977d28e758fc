"""Matplotlib figures as SVG markup that can stand inside an HTML page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

__all__ = ["COLOURS", "INK", "MARK", "SOFT", "drawing", "to_svg"]

INK, SOFT, MARK = "#1c2430", "#5b6675", "#9aa4b2"
"""Of what stands in front, of words, and of marks behind the data."""

COLOURS = {
    "train": "#1f5fbf",
    "validation": "#e07b00",
    "test": "#16803c",
    "gradient": "#6b3fa0",
    "step": "#0f7d86",
    "damping": "#b3325f",
}
"""Of the parts of the rows, and of quantities over the iterations."""

# In a page these colours are its variables, so figures are at home in light and dark.
_VARIABLES = {
    INK: "--ink",
    "#3a4452": "--label",
    SOFT: "--soft",
    MARK: "--mark",
    "#e8ebf0": "--grid",
    "#fefefe": "--paper",
    **{colour: f"--{name}" for name, colour in COLOURS.items()},
}

_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MARK,
    "axes.grid": True,
    "axes.labelcolor": "#3a4452",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.facecolor": "none",
    "figure.facecolor": "#fefefe",
    "font.size": 10.0,
    "grid.color": "#e8ebf0",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.labelcolor": "#3a4452",
    "text.color": INK,
    "lines.linewidth": 1.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    # Text stays text: small files, the page's own font, and words that can be searched and copied.
    "svg.fonttype": "none",
}


@contextmanager
def drawing() -> Iterator[None]:
    """The look of all figures; the global settings of Matplotlib are as before afterwards."""
    with mpl.rc_context(_STYLE):
        yield


def to_svg(figure: Figure, name: str) -> str:
    """The `<svg>` element of a figure.

    Parameters
    ----------
    figure : Figure
        What to draw.
    name : str
        Different for each figure of a page: identifiers inside the markup depend on it, so that two
        figures never share one, and the same figure gives the same markup every time.
    """
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.set_facecolor("none")
        # `savefig` draws twice: once to measure, which the layout of these figures has done itself.
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})  # type: ignore[no-untyped-call]
    markup = buffer.getvalue()
    markup = markup[markup.index("<svg") :]
    markup = re.sub(r"<metadata>.*?</metadata>", "", markup, flags=re.DOTALL)
    # Inside HTML the namespaces are known; these addresses would be the page's only ones.
    markup = re.sub(r' xmlns(:\w+)?="[^"]*"', "", markup)
    return re.sub(r"(?<=: )#[0-9a-f]{6}\b", _variable, markup)


def _variable(found: re.Match[str]) -> str:
    colour = found.group()
    return f"var({_VARIABLES[colour]})" if colour in _VARIABLES else colour
