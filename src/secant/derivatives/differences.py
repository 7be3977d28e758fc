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
from typing import Any, NamedTuple

import numpy as np

from secant.arrays import HostArray, eps_of

Function = Callable[[HostArray], Any]
"""From a vector to a number or an array."""

POWERS = {"2-point": 0.5, "3-point": 1.0 / 3.0}
"""Powers of epsilon: the best steps of the two schemes, in units of ``max(1, |x_i|)``."""


class Uncertainty(NamedTuple):
    """How wrong values may be besides by rounding: a number or an array like the values.

    Attributes
    ----------
    level : float or array
    relative : float or array
        As a fraction of the value.
    """

    level: Any = 0.0
    relative: Any = 0.0

    def of(self, size: Any) -> Any:
        """How wrong values of this size may be."""
        return np.maximum(self.relative * size, self.level)


NONE = Uncertainty()

_LEVELS = 10
"""Richardson's steps: the centred difference's best step and, one after the other,"""

_FACTOR = 3.0
"""steps so many times longer,"""

_WORSE = 10.0
"""until the estimated error has grown by this factor."""

_REACH = 0.15
"""Steps are at most this fraction of ``max(1, |x_i|)``: where f is flat far away, differences agree on 0."""

_AGREES = 4.0
"""Entries farther than so many times its error from the best so far are those of another place than x."""

_CLOSER, _ATTEMPTS = 0.01, 4
"""Where f is not finite within the first step, shorter ones by this factor are tried."""


def forward(fun: Function, x: HostArray, f: Any, relative_step: float | None = None) -> HostArray:
    """Forward differences; ``f`` is the value at ``x``. n evaluations, error O(h)."""
    h = steps(x, POWERS["2-point"], relative_step)
    columns = []
    for i in range(x.size):
        shifted = x.copy()
        shifted[i] += h[i]
        width = shifted[i] - x[i]  # the step really taken, after rounding; fun may write into it
        columns.append((fun(shifted) - f) / width)
    return _stacked(columns, x)


def centred(fun: Function, x: HostArray, f: Any, relative_step: float | None = None) -> HostArray:
    """Centred differences. 2n evaluations, error O(h^2)."""
    h = steps(x, POWERS["3-point"], relative_step)
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


def extrapolated(
    fun: Function, x: HostArray, noise: Uncertainty = NONE
) -> tuple[HostArray, HostArray]:
    """Richardson's derivatives and their estimated errors [2]_; ``noise`` as in `neville`."""
    widths = enumerate(steps(x, POWERS["3-point"]).tolist())
    pairs = [neville(fun, x, i, h, noise=noise) for i, h in widths]
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


_FAR = 27.0
"""Kinks are looked for at so many times the centred difference's best step: x is beside them, not on them."""


def steps(x: HostArray, power: float, relative_step: float | None = None) -> HostArray:
    """``eps^power max(1, |x_i|)`` with the sign of ``x_i``, so that a step never crosses zero."""
    relative = float(np.finfo(x.dtype).eps) ** power if relative_step is None else relative_step
    return np.copysign(relative * np.maximum(1.0, np.abs(x)), x)


def _around(x: HostArray, i: int, h: float) -> tuple[HostArray, HostArray, Any]:
    """The points on both sides, and their distance after rounding, before ``fun`` writes into them."""
    above, below = x.copy(), x.copy()
    above[i] += h
    below[i] -= h
    return above, below, above[i] - below[i]


def _centred(fun: Function, x: HostArray, i: int, h: float) -> Any:
    above, below, width = _around(x, i, h)
    return (fun(above) - fun(below)) / width


def _difference(
    fun: Function, x: HostArray, i: int, h: float, noise: Uncertainty
) -> tuple[Any, Any]:
    """The centred difference, and the error that its two values' own make of it."""
    above, below, width = _around(x, i, h)
    with np.errstate(all="ignore"):  # far away f may be infinite on both sides, or not be there
        f_above, f_below = fun(above), fun(below)
        size = np.maximum(np.abs(f_above), np.abs(f_below))
        error = np.maximum(_eps(x, f_above) * size, noise.of(size))
        return (f_above - f_below) / width, error / abs(width)


def _eps(x: HostArray, value: Any) -> float:
    """Machine epsilon of ``x``, or of a value in less precision."""
    dtype = getattr(value, "dtype", x.dtype)
    if dtype is x.dtype or dtype.kind != "f":
        return eps_of(x)
    return max(eps_of(x), float(np.finfo(dtype).eps))


def _first(
    fun: Function, x: HostArray, i: int, h: float, noise: Uncertainty
) -> tuple[Any, Any, float]:
    """The first difference and its step: shorter than ``h`` where that leaves the domain of f."""
    for k in range(_ATTEMPTS):
        try:
            value, error = _difference(fun, x, i, h * _CLOSER**k, noise)
        except (ArithmeticError, ValueError):  # so `math` says that f's domain ends here
            continue
        if not np.isfinite(value).all():
            continue
        if k == 0:
            return value, error, h
        h *= _CLOSER ** (k + 1)  # with room for longer steps
        break
    return *_difference(fun, x, i, h, noise), h


def _stacked(columns: Any, x: HostArray) -> HostArray:
    return np.stack([np.asarray(column) for column in columns], axis=-1).astype(x.dtype)


def neville(
    fun: Function, x: HostArray, i: int, h: float, room: float = math.inf, noise: Uncertainty = NONE
) -> tuple[Any, Any]:
    """Neville's tableau of centred differences, whose error is a series in h^2; element by element.

    The first step is ``h``, and no step is longer than ``room``. Values may be wrong by ``noise``, and
    always by rounding. Returns the derivatives by ``x_i`` and their estimated errors.

    Ridders shortens the step. Here it grows from the best one without extrapolation: a step that
    leaves the neighbourhood, or the domain of f, is taken only after shorter ones have agreed. The
    error of an entry is its distance from the two entries that it is made of, and their round-off.
    """
    room = min(room, _REACH * abs(h) / eps_of(x) ** POWERS["3-point"])
    first, floor, h = _first(fun, x, i, h, noise)
    row, noises = [np.asarray(first)], [floor]
    best, error = row[0], np.full(row[0].shape, math.inf)
    is_open = np.ones(row[0].shape, dtype=bool)
    for _ in range(_LEVELS - 1):
        h *= _FACTOR
        if abs(h) > room:
            break
        try:
            wide, floor = _difference(fun, x, i, h, noise)
        except (ArithmeticError, ValueError):  # so `math` says that f's domain ends here
            break
        finer, row, noises = row, [np.asarray(wide)], [floor, *noises]
        lowest = np.full(error.shape, math.inf)
        for k, before in enumerate(finer):
            with np.errstate(all="ignore"):
                entry = before + (before - row[k]) / (_FACTOR ** (2 * k + 2) - 1.0)
                wrong = np.fmax(np.abs(entry - row[k]), np.abs(entry - before)) + noises[k + 1]
                agrees = np.abs(entry - best) <= _AGREES * error
            row.append(entry)
            lowest = np.fmin(lowest, wrong)
            better = is_open & agrees & (wrong < error)  # false for NaN
            best, error = np.where(better, entry, best), np.where(better, wrong, error)
        is_open = is_open & ~(lowest > _WORSE * error)
        if not is_open.any():
            break
    return best, error


def slope_jump(fun: Function, x: HostArray, i: int) -> HostArray:
    """By how much the slope along ``x_i`` jumps near ``x``; 0 where it does not.

    ``(f(x + h e_i) - 2 f(x) + f(x - h e_i)) / h`` is the same for every h at a kink, and in proportion to
    h where f has a curvature.
    """
    jumps = []
    for h in (_FAR * abs(steps(x, POWERS["3-point"])[i]) * k for k in (1.0, _FACTOR)):
        above, below, width = _around(x, i, h)
        try:
            with np.errstate(all="ignore"):
                jumps.append(2.0 * np.abs(fun(above) - 2.0 * fun(x.copy()) + fun(below)) / width)
        except (ArithmeticError, ValueError):  # so `math` says that f's domain ends here
            return np.asarray(0.0)
    near, far = jumps
    with np.errstate(all="ignore"):
        return np.where(np.abs(far - near) <= 0.1 * near, near, 0.0)


__all__ = [
    "DIFFERENCES",
    "ERRORS",
    "POWERS",
    "Uncertainty",
    "centred",
    "complex_step",
    "extrapolated",
    "forward",
    "neville",
    "richardson",
    "slope_jump",
    "steps",
]
