"""How long a step is beside the variables: when it is too short to go on."""

from __future__ import annotations

import math

import numpy as np

from secant.arrays import HostArray
from secant.leastsquares import lapack


class StepSize:
    """The measure of steps from ``x``.

    Parameters
    ----------
    x : array, shape (n,)
    scale : array, shape (n,)
        ``D``.
    eps : float
        Of the dtype of x.
    """

    __slots__ = ("eps", "length_x", "scale", "x")

    def __init__(self, x: HostArray, scale: HostArray, eps: float) -> None:
        self.x = x
        self.scale = scale
        self.eps = eps
        self.length_x: float = lapack.dnrm2(scale * x)

    def longest(self, tolerance: float) -> float:
        """More than ``|D p|`` of all steps that are small in every variable."""
        return 2.0 * (tolerance + self.x.size * self.eps) * self.length_x

    def is_small(self, p: HostArray, length: float, tolerance: float, unit: float = 0.0) -> bool:
        """Every ``|p_i|`` below the tolerance; where ``x_i`` is as good as 0, below what can be seen.

        ``length`` is ``|D p|``.
        """
        if unit == 0.0 and length > self.longest(tolerance):
            return False
        size = np.abs(self.x)
        small = np.abs(p) <= tolerance * np.maximum(size, unit)
        if small.all():
            return True
        is_zero = self.scale * size <= math.sqrt(self.eps) * self.length_x
        unseen = self.scale * np.abs(p) <= self.eps * self.length_x
        return bool((small | (is_zero & unseen)).all())
