"""Which component of a gradient is wrong: by halving, at two evaluations of the function a level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from secant.arrays import HostArray

Slopes = Callable[[HostArray], float]
"""Derivative of f along a vector by differences of f."""


@dataclass(frozen=True)
class Suspect:
    """A component of the gradient, as given and by differences of f.

    Attributes
    ----------
    index : int
        In the flat gradient.
    given, expected : float
    is_alone : bool
        Whether its error is all of the gradient's error along the vector that was searched.
    """

    index: int
    given: float
    expected: float
    is_alone: bool


def worst_component(slope: Slopes, g: HostArray, v: HostArray, gap: float) -> Suspect:
    """Halve the set of coordinates again and again, keeping the half that more of the error is in.

    The error along ``v`` is the sum of the errors along its halves, so one of them is enough to know
    both: ``2 log2 n`` evaluations find one wrong component among ``n``. When several are wrong their
    errors may cancel, and the one found need not be the worst.

    Parameters
    ----------
    slope : callable
        ``slope(v) -> f'(x; v)`` by two values of f.
    g, v : array, shape (n,)
        The gradient under test, and a vector along which it is wrong.
    gap : float
        ``f'(x; v) - g'v``.
    """
    low, high, rest = 0, g.size, gap
    while high - low > 1:
        middle = (low + high) // 2
        part = np.zeros_like(v)
        part[low:middle] = v[low:middle]
        first = slope(part) - float(g @ part)
        if abs(first) >= abs(rest - first):
            high, rest = middle, first
        else:
            low, rest = middle, rest - first
    given = float(g[low])
    return Suspect(low, given, given + rest / float(v[low]), abs(rest) >= 0.9 * abs(gap))
