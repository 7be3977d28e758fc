"""How noisy a function is: the difference table of Moré and Wild.

Values at equally spaced points are differenced again and again. What is smooth dies out column by
column; noise does not, and its level shows as the same number in column after column:

    sigma_k^2 = gamma_k mean_i (Delta^k f_i)^2,     gamma_k = (k!)^2 / (2k)!

References
----------
.. [1] J. J. Moré, S. M. Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33 (2011)
   1292-1314, algorithm ECnoise (section 5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from secant.arrays import HostArray

_SAME = 4.0
"""Columns whose levels are within this factor of each other show noise."""

_LARGE_CHANGE = 0.1
"""A relative change of f that no noise level can be read off."""


class Spacing(Enum):
    """Whether the points were the right distance apart."""

    RIGHT = "right"
    TOO_SMALL = "too small: half of the neighbours have equal values"
    TOO_LARGE = "too large: the differences are those of a smooth function"


@dataclass(frozen=True)
class Noise:
    """Outcome of `noise_level`.

    Attributes
    ----------
    level : float
        Standard deviation of the noise; 0 where the spacing was not right.
    spacing : Spacing
    """

    level: float
    spacing: Spacing


def noise_level(values: npt.ArrayLike) -> Noise:
    """The noise in values of a function at seven or more equally spaced points.

    Parameters
    ----------
    values : array_like, shape (m,)
        Finite values, ``m >= 7``, in the order of the points.

    Returns
    -------
    Noise

    References
    ----------
    Moré & Wild 2011, section 5, algorithm ECnoise.

    Examples
    --------
    >>> import numpy as np
    >>> t = 1e-4 * np.arange(9)
    >>> bool(3e-9 < noise_level(np.exp(t) + 1e-8 * np.sin(1e8 * t**2)).level < 3e-8)
    True
    >>> noise_level(np.exp(1e3 * t)).spacing.name
    'TOO_LARGE'
    """
    column: HostArray = np.array(values, dtype=np.float64)
    if column.size < 7:
        raise ValueError(f"values must be seven or more, got {column.size}")
    top = np.abs(column).max()
    if np.ptp(column) > _LARGE_CHANGE * top:
        return Noise(0.0, Spacing.TOO_LARGE)
    if np.count_nonzero(np.diff(column) == 0.0) >= column.size // 2:
        return Noise(0.0, Spacing.TOO_SMALL)
    level = float(noise_levels(column[:, None])[0])
    return Noise(level, Spacing.RIGHT if level > 0.0 else Spacing.TOO_LARGE)


def noise_levels(values: HostArray) -> HostArray:
    """`noise_level` of each column of ``values``, shape (m, n); 0 where the spacing was not right."""
    top = np.abs(values).max(axis=0)
    equal = np.count_nonzero(np.diff(values, axis=0) == 0.0, axis=0)
    is_open = (np.ptp(values, axis=0) <= _LARGE_CHANGE * top) & (equal < len(values) // 2)
    unit = np.where(top > 0.0, top, 1.0)
    levels, changes_sign = _table(values / unit)  # squares of huge values would overflow
    found = np.zeros(values.shape[1])
    for k in range(len(levels) - 2):
        low, high = levels[k : k + 3].min(axis=0), levels[k : k + 3].max(axis=0)
        shows = is_open & (high <= _SAME * low) & changes_sign[k]
        found[shows] = (top * levels[k])[shows]
        is_open = is_open & ~shows
    return found


def repeated(fun: Callable[[HostArray], HostArray], x: HostArray) -> tuple[HostArray, HostArray]:
    """The value at ``x``, and by how much three of them differ: 0 where a function is deterministic."""
    same = np.stack([fun(x) for _ in range(3)])
    return same[0], np.ptp(same, axis=0)


def noise_around(
    fun: Callable[[HostArray], HostArray], x: HostArray, rng: np.random.Generator
) -> HostArray:
    """How much values of a vector-valued function differ by chance, or by rounding, near ``x``.

    The largest of what values at ``x`` itself differ by, and of the levels on a random line, at three
    spacings. Evaluates ``fun`` 21 times.
    """
    value, level = repeated(fun, x)
    direction = rng.choice([-1.0, 1.0], x.size) * np.maximum(1.0, np.abs(x))
    best = float(np.finfo(x.dtype).eps) ** 0.4
    for spacing in (0.01 * best, best, min(100.0 * best, 0.1)):
        try:
            with np.errstate(all="ignore"):
                values = np.stack([fun(x + k * spacing * direction) for k in range(-3, 4) if k])
        except (ArithmeticError, ValueError):  # so `math` says that the function's domain ends here
            continue
        values = np.insert(values, 3, value, axis=0)
        found = noise_levels(np.where(np.isfinite(values), values, 0.0).reshape(7, -1))
        is_finite = np.isfinite(values).all(axis=0)
        level = np.maximum(level, np.where(is_finite, found.reshape(level.shape), 0.0))
    return np.asarray(level)


def _table(column: HostArray) -> tuple[HostArray, HostArray]:
    """The level of every column of differences, and whether its entries change sign."""
    levels, changes_sign, gamma = [], [], 1.0
    for k in range(1, len(column) - 1):
        column = np.diff(column, axis=0)
        gamma *= 0.5 * k / (2 * k - 1)
        levels.append(np.sqrt(gamma * np.mean(column**2, axis=0)))
        changes_sign.append(column.min(axis=0) * column.max(axis=0) < 0.0)
    return np.array(levels), np.array(changes_sign)
