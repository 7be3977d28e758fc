"""The box in which all fits stay."""

from __future__ import annotations

from dataclasses import dataclass

from secant import arrays
from secant.arrays import Array


@dataclass(frozen=True, eq=False)
class Box:
    """The same bounds for every fit.

    Parameters
    ----------
    lower, upper : array, shape (n, 1)
    """

    lower: Array
    upper: Array

    def clip(self, x: Array) -> Array:
        """The nearest points of the box."""
        xp = arrays.namespace(x)
        return xp.minimum(xp.maximum(x, self.lower), self.upper)

    def free(self, x: Array, g: Array) -> Array:
        """Where no bound stops ``-g``, shape (n, k)."""
        return ~(((x <= self.lower) & (g > 0.0)) | ((x >= self.upper) & (g < 0.0)))
