"""Gradients from values: forward and centred differences and the complex step.

    forward       (f(x + h e_i) - f(x)) / h              h = eps^(1/2) max(1, |x_i|)
    centred       (f(x + h e_i) - f(x - h e_i)) / 2h     h = eps^(1/3) max(1, |x_i|)
    complex step  Im f(x + i h e_i) / h                  h = 1e-20

References
----------
Nocedal & Wright, *Numerical Optimization*, 2nd ed., section 8.1; Squire & Trapp, *SIAM Rev.* 40, 110 (1998).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from secant.arrays import HostArray

Value = Callable[[HostArray], float]


def forward(fun: Value, x: HostArray, f: float) -> HostArray:
    """Forward differences; ``f`` is the value at ``x``. n evaluations, error O(h)."""
    h = _steps(x, 0.5)
    g = np.empty_like(x)
    for i in range(x.size):
        shifted = x.copy()
        shifted[i] += h[i]
        # the step really taken, after rounding, is what divides
        g[i] = (fun(shifted) - f) / (shifted[i] - x[i])
    return g


def centred(fun: Value, x: HostArray, f: float) -> HostArray:
    """Centred differences. 2n evaluations, error O(h^2)."""
    h = _steps(x, 1.0 / 3.0)
    g = np.empty_like(x)
    for i in range(x.size):
        above, below = x.copy(), x.copy()
        above[i] += h[i]
        below[i] -= h[i]
        g[i] = (fun(above) - fun(below)) / (above[i] - below[i])
    return g


def complex_step(fun: Callable[[HostArray], complex], x: HostArray, f: float) -> HostArray:
    """Complex steps; ``fun`` must be analytic and take complex arrays. n evaluations, no cancellation."""
    h = 1e-20
    g = np.empty_like(x)
    for i in range(x.size):
        shifted = x.astype(complex)
        shifted[i] += 1j * h
        g[i] = np.imag(fun(shifted)) / h
    return g


DIFFERENCES = {"2-point": forward, "3-point": centred, "cs": complex_step}
"""SciPy's names of the schemes."""


def _steps(x: HostArray, power: float) -> HostArray:
    """``eps^power max(1, |x_i|)`` with the sign of ``x_i``, so that a step never crosses zero."""
    size = math.pow(float(np.finfo(x.dtype).eps), power) * np.maximum(1.0, np.abs(x))
    return np.copysign(size, x)
