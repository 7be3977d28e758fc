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
    levels, changes_sign = _table(column / top)  # squares of huge values would overflow
    for k in range(len(levels) - 2):
        low, high = levels[k : k + 3].min(), levels[k : k + 3].max()
        if high <= _SAME * low and changes_sign[k]:
            return Noise(float(top * levels[k]), Spacing.RIGHT)
    return Noise(0.0, Spacing.TOO_LARGE)


def _table(column: HostArray) -> tuple[HostArray, list[bool]]:
    """The level of every column of differences, and whether its entries change sign."""
    levels, changes_sign, gamma = [], [], 1.0
    for k in range(1, column.size - 1):
        column = np.diff(column)
        gamma *= 0.5 * k / (2 * k - 1)
        levels.append(np.sqrt(gamma * np.mean(column**2)))
        changes_sign.append(bool(column.min() * column.max() < 0.0))
    return np.array(levels), changes_sign
