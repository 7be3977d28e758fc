"""Derivatives from values: forward and centred differences, Richardson's extrapolation, complex step.

    forward       (f(x + h e_i) - f(x)) / h              h = eps^(1/2) max(1, |x_i|)    error O(h)
    centred       (f(x + h e_i) - f(x - h e_i)) / 2h     h = eps^(1/3) max(1, |x_i|)    error O(h^2)
    Richardson    centred, extrapolated to h = 0         3^k eps^(1/3) max(1, |x_i|)    error estimated
    complex step  Im f(x + i h e_i) / h                  h = 1e-20                      error O(h^2)

A scheme takes a function whose values are numbers or arrays, and returns the derivatives with respect
to ``x_i`` along a last axis: a gradient for numbers, a Jacobian for vectors.

References
----------
.. [1] J. Nocedal, S. J. Wright, *Numerical Optimization*, 2nd ed., section 8.1.
.. [2] C. J. F. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Adv. Eng. Softw. 4 (1982).
.. [3] W. Squire, G. Trapp, "Using complex variables to estimate derivatives of real functions",
   SIAM Rev. 40 (1998) 110-112.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from secant.arrays import HostArray

Function = Callable[[HostArray], Any]
"""From a vector to a number or an array."""

_LEVELS = 10
"""Richardson's steps: the centred difference's best step and, one after the other,"""

_FACTOR = 3.0
"""steps so many times longer,"""

_WORSE = 10.0
"""until the estimated error has grown by this factor."""


def forward(fun: Function, x: HostArray, f: Any, relative_step: float | None = None) -> HostArray:
    """Forward differences; ``f`` is the value at ``x``. n evaluations, error O(h)."""
    h = steps(x, 0.5, relative_step)
    columns = []
    for i in range(x.size):
        shifted = x.copy()
        shifted[i] += h[i]
        # the step really taken, after rounding, is what divides
        columns.append((fun(shifted) - f) / (shifted[i] - x[i]))
    return _stacked(columns, x)


def centred(fun: Function, x: HostArray, f: Any, relative_step: float | None = None) -> HostArray:
    """Centred differences. 2n evaluations, error O(h^2)."""
    h = steps(x, 1.0 / 3.0, relative_step)
    return _stacked([_centred(fun, x, i, h[i]) for i in range(x.size)], x)


def richardson(fun: Function, x: HostArray, f: Any) -> HostArray:
    """Centred differences, extrapolated until the estimated error grows. Up to 20n evaluations."""
    return extrapolated(fun, x)[0]


def complex_step(
    fun: Function, x: HostArray, f: Any, relative_step: float | None = None
) -> HostArray:
    """Complex steps; ``fun`` must be analytic and take complex arrays. n evaluations, no cancellation."""
    h = 1e-20 if relative_step is None else relative_step
    columns = []
    for i in range(x.size):
        shifted = x.astype(np.result_type(x.dtype, np.complex64))
        shifted[i] += 1j * h
        columns.append(np.imag(fun(shifted)) / h)
    return _stacked(columns, x)


def extrapolated(fun: Function, x: HostArray) -> tuple[HostArray, HostArray]:
    """Richardson's derivatives and their estimated errors [2]_."""
    pairs = [neville(fun, x, i, h) for i, h in enumerate(steps(x, 1.0 / 3.0).tolist())]
    values, errors = zip(*pairs, strict=True)
    return _stacked(values, x), _stacked(errors, x)


DIFFERENCES: dict[str, Callable[[Function, HostArray, Any], HostArray]] = {
    "2-point": forward,
    "3-point": centred,
    "richardson": richardson,
    "cs": complex_step,
}
"""The schemes that a gradient may be made by in a minimisation: SciPy's names, and extrapolation."""

ERRORS = {"2-point": 0.5, "3-point": 2.0 / 3.0, "5-point": 0.8, "richardson": 0.8, "cs": math.inf}
"""Powers of epsilon: the relative errors of their derivatives."""


def steps(x: HostArray, power: float, relative_step: float | None = None) -> HostArray:
    """``eps^power max(1, |x_i|)`` with the sign of ``x_i``, so that a step never crosses zero."""
    relative = float(np.finfo(x.dtype).eps) ** power if relative_step is None else relative_step
    return np.copysign(relative * np.maximum(1.0, np.abs(x)), x)


def _centred(fun: Function, x: HostArray, i: int, h: float) -> Any:
    above, below = x.copy(), x.copy()
    above[i] += h
    below[i] -= h
    return (fun(above) - fun(below)) / (above[i] - below[i])


def _difference(fun: Function, x: HostArray, i: int, h: float) -> tuple[Any, Any]:
    """The centred difference, and the round-off in it."""
    above, below = x.copy(), x.copy()
    above[i] += h
    below[i] -= h
    f_above, f_below, width = fun(above), fun(below), above[i] - below[i]
    with np.errstate(all="ignore"):  # far away f may be infinite on both sides
        size = np.maximum(np.abs(f_above), np.abs(f_below))
        return (f_above - f_below) / width, np.finfo(x.dtype).eps * size / abs(width)


def _stacked(columns: Any, x: HostArray) -> HostArray:
    return np.stack([np.asarray(column) for column in columns], axis=-1).astype(x.dtype)


def neville(
    fun: Function, x: HostArray, i: int, h: float, room: float = math.inf
) -> tuple[Any, Any]:
    """Neville's tableau of centred differences, whose error is a series in h^2; element by element.

    The first step is ``h``, and no step is longer than ``room``. Returns the derivatives by ``x_i``
    and their estimated errors.

    Ridders shortens the step. Here it grows from the best one without extrapolation: a step that
    leaves the neighbourhood, or the domain of f, is taken only after shorter ones have agreed. The
    error of an entry is its distance from the two entries that it is made of, and their round-off.
    """
    first, noise = _difference(fun, x, i, h)
    row, noises = [np.asarray(first)], [noise]
    best, error = row[0], np.full(row[0].shape, math.inf)
    for _ in range(_LEVELS - 1):
        h *= _FACTOR
        if abs(h) > room:
            break
        try:
            wide, noise = _difference(fun, x, i, h)
        except (ArithmeticError, ValueError):  # so `math` says that f's domain ends here
            break
        finer, row, noises = row, [np.asarray(wide)], [noise, *noises]
        lowest = np.full(error.shape, math.inf)
        for k, before in enumerate(finer):
            with np.errstate(all="ignore"):
                entry = before + (before - row[k]) / (_FACTOR ** (2 * k + 2) - 1.0)
                wrong = np.fmax(np.abs(entry - row[k]), np.abs(entry - before)) + noises[k + 1]
            row.append(entry)
            lowest = np.fmin(lowest, wrong)
            better = wrong < error  # false for NaN
            best, error = np.where(better, entry, best), np.where(better, wrong, error)
        if np.all(lowest > _WORSE * error):
            break
    return best, error


__all__ = [
    "DIFFERENCES",
    "ERRORS",
    "centred",
    "complex_step",
    "extrapolated",
    "forward",
    "neville",
    "richardson",
    "steps",
]
