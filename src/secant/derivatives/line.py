"""Seven values of a function on a line: its slope with an error, its curvature, noise and kinks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from secant.arrays import HostArray
from secant.derivatives.noise import Spacing, noise_level

FITTED = 2.0 / np.sqrt([1.0, 2.0, 3.0, 5.0, 7.0, 11.0])
"""Distances, in steps, of the values that a slope is fitted to: without a common measure, so that no wave
looks smooth at all of them."""

Along = Callable[[float], float]
"""``phi(t) = f(x + t v)``."""

_ALIKE = 0.01
"""Slopes of one straight piece differ by less than this fraction of the jump between two pieces."""

_CLOSER = 0.01
"""A spacing that was wrong is changed by this factor."""


@dataclass(frozen=True)
class Slope:
    """A derivative, the first or the second, by differences, and how wrong it may be."""

    value: float
    error: float


@dataclass(frozen=True)
class Precision:
    """What rounding leaves of values and slopes on a line.

    Attributes
    ----------
    eps : float
        Machine epsilon.
    round_off : float
        How much ``phi(0)`` may be wrong.
    size : float
        The distance on the line that corresponds to x itself.
    """

    eps: float
    round_off: float
    size: float

    def of(self, values: npt.ArrayLike) -> float:
        """How much one of these values may be wrong."""
        return max(self.round_off, self.eps * float(np.abs(values).max()))

    def of_slope(self, curvature: float) -> float:
        """How much any slope may be wrong, as the x is that it is computed at: ``eps |x| |phi''|``."""
        return self.eps * self.size * abs(curvature)


@dataclass(frozen=True)
class Line:
    """``phi(-3h) ... phi(3h)``.

    Attributes
    ----------
    h : float
        Distance of two points.
    values : array, shape (7,)
    precision : Precision
    noise : float
        How much values differ by chance, 0 where that does not show.
    """

    h: float
    values: HostArray
    precision: Precision
    noise: float = 0.0

    @property
    def is_finite(self) -> bool:
        """Whether every value is."""
        return bool(np.isfinite(self.values).all())

    @property
    def error(self) -> float:
        """How much a value may be wrong: by noise where it shows, else by rounding."""
        return max(self.noise, self.round_off)

    @property
    def round_off(self) -> float:
        """How much a value may be wrong by rounding alone."""
        return self.precision.of(self.values)

    @property
    def slope(self) -> Slope:
        """``phi'(0)`` by centred differences, extrapolated twice; its error from one extrapolation."""
        d1, d2, d3 = (
            (self.values[3 + k] - self.values[3 - k]) / (2 * k * self.h) for k in (1, 2, 3)
        )
        once, twice = (4.0 * d1 - d2) / 3.0, (15.0 * d1 - 6.0 * d2 + d3) / 10.0
        error = float(abs(twice - once)) + 2.0 * self.error / self.h
        bend = (self.values[4] - 2.0 * self.values[3] + self.values[2]) / self.h**2
        return Slope(float(twice), error + self.precision.of_slope(float(bend)))

    @property
    def curvature(self) -> Slope:
        """``phi''(0)``, by the same rule."""
        _, below2, below1, value, above1, above2, _ = self.values.tolist()
        return _second(below2 + above2, below1 + above1, value, self.h, self.error)

    @property
    def kink(self) -> tuple[float, float] | None:
        """The slopes left and right of a kink, if two straight pieces meet near ``t = 0``."""
        slopes = np.diff(self.values) / self.h
        for i in (2, 3):  # the piece that the kink may lie inside
            left, right = slopes[:i], slopes[i + 1 :]
            jump = abs(right.mean() - left.mean())
            straight = max(np.ptp(left), np.ptp(right)) <= _ALIKE * jump
            if straight and jump > 100.0 * self.round_off / self.h:
                return float(left.mean()), float(right.mean())
        return None


def sample(phi: Along, value: float, h: float, precision: Precision) -> Line:
    """Seven values around ``phi(0) = value``, with the noise that they or others nearby show.

    Evaluates ``phi`` six times at each of one to three spacings.
    """
    line = Line(h, _values(phi, value, h), precision)
    if not line.is_finite:
        h *= _CLOSER
        line = Line(h, _values(phi, value, h), precision)
    if not line.is_finite:
        return line
    noise = noise_level(line.values)
    if noise.spacing is Spacing.TOO_LARGE:  # smooth at this distance: seek the noise closer by
        values = _values(phi, value, _CLOSER * h)
        return replace(line, noise=noise_level(values).level if np.isfinite(values).all() else 0.0)
    for _ in range(2):
        if noise.spacing is not Spacing.TOO_SMALL:
            break
        h /= _CLOSER  # f is flat, or rounded more coarsely than its arguments
        wide = Line(h, _values(phi, value, h), precision)
        if not wide.is_finite:
            break
        line, noise = wide, noise_level(wide.values)
    return replace(line, noise=noise.level)


def _values(phi: Along, value: float, h: float) -> HostArray:
    return np.array([value if k == 0 else phi(k * h) for k in range(-3, 4)])


def centred_slope(phi: Along, value: float, h: float, noise: float, precision: Precision) -> Slope:
    """``phi'(0)`` from ``phi(0) = value`` and four values with this noise, extrapolated once."""
    values = np.array([phi(k * h) for k in (-2, -1, 1, 2)])
    d1, d2 = (values[2] - values[1]) / (2.0 * h), (values[3] - values[0]) / (4.0 * h)
    best = (4.0 * d1 - d2) / 3.0
    if not math.isfinite(best):
        return Slope(math.nan, math.inf)
    error = float(abs(best - d1)) + 2.0 * max(noise, precision.of(values)) / h
    bend = float((values[2] - 2.0 * value + values[1]) / h**2)
    return Slope(float(best), error + precision.of_slope(bend))


def fitted_slope(phi: Along, value: float, h: float) -> tuple[Slope, float]:
    """The slope at 0 of the quintic through thirteen values, `FITTED` from 0, and their noise.

    Least squares show what values differ by at random, whatever their size: where f is a small sum of
    large terms that is far more than ``eps |f|``. Where f is no quintic they show that as well.
    """
    t = np.concatenate([-FITTED, [0.0], FITTED[::-1]])
    rises = np.array([0.0 if k == 0.0 else phi(h * k) - value for k in t])
    if not np.isfinite(rises).all():
        return Slope(math.nan, math.inf), math.inf
    powers = np.vander(t, 6, increasing=True)
    inverse = np.linalg.pinv(powers)
    weights = inverse @ rises
    noise = float(np.linalg.norm(rises - powers @ weights)) / math.sqrt(t.size - 6.0)
    error = noise * float(np.linalg.norm(inverse[1])) / h
    return Slope(float(weights[1]) / h, error), noise


def centred_curvature(
    phi: Along, value: float, h: float, noise: float, precision: Precision
) -> Slope:
    """``phi''(0)`` from ``phi(0) = value`` and four values with this noise, extrapolated once."""
    below2, below1, above1, above2 = (phi(k * h) for k in (-2, -1, 1, 2))
    error = max(noise, precision.of([below2, below1, above1, above2]))
    return _second(below2 + above2, below1 + above1, value, h, error)


def _second(outer: float, inner: float, value: float, h: float, error: float) -> Slope:
    s1, s2 = (inner - 2.0 * value) / h**2, (outer - 2.0 * value) / (2.0 * h) ** 2
    best = (4.0 * s1 - s2) / 3.0
    if not math.isfinite(best):
        return Slope(math.nan, math.inf)
    return Slope(best, abs(best - s1) + 4.0 * error / h**2)
