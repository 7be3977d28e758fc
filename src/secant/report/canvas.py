"""A figure for those who may not have Matplotlib: the pictures that the core can draw."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["canvas"]


@contextmanager
def canvas(width: float, height: float) -> Iterator[Figure]:
    """A figure of that size in inches, to be drawn on in the look of all figures.

    Raises
    ------
    ImportError
        If Matplotlib is not there.
    """
    try:
        from matplotlib.figure import Figure

        from secant.report.svg import drawing
    except ImportError:
        raise ImportError(
            "plots need matplotlib; install it with: pip install 'secant[plot]'"
        ) from None
    with drawing():
        yield Figure(figsize=(width, height), layout="constrained")
