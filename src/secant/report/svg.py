"""Matplotlib figures as SVG markup that can stand inside an HTML page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

__all__ = ["drawing", "to_svg"]

_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#9aa4b2",
    "axes.grid": True,
    "axes.labelcolor": "#3a4452",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "white",
    "font.size": 10.0,
    "grid.color": "#e8ebf0",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "xtick.color": "#5b6675",
    "ytick.color": "#5b6675",
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
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    markup = buffer.getvalue()
    markup = markup[markup.index("<svg") :]
    markup = re.sub(r"<metadata>.*?</metadata>", "", markup, flags=re.DOTALL)
    # Inside HTML the namespaces are known; these addresses would be the page's only ones.
    return re.sub(r' xmlns(:\w+)?="[^"]*"', "", markup)
