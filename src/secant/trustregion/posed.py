"""The subproblem in units in which squares of the gradient and of curvatures neither over- nor underflow.

With ``p = s q`` and values divided by ``b s^2``, ``m(p) = g'p + p'Bp / 2`` becomes

    (g / (b s))'q + q'(B / b) q / 2   subject to  |q| <= radius / s

``b`` takes the unit of f out of the curvatures; ``s`` is what then is left of the size of ``g``, which is small
close to a minimum. Both are powers of two, so that nothing is rounded, and one unless they must not be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from secant.arrays import Array, HostArray, norm_inf, power_near, read, unit_of
from secant.point import Point
from secant.trustregion.step import Model, Step
from secant.units import loses_products


@dataclass(frozen=True)
class InUnits:
    """``B / unit``."""

    B: Model
    unit: float

    def __matmul__(self, v: Array) -> Array:
        return (self.B @ v) / self.unit

    def dense(self) -> HostArray:
        """All of it, in double precision on the host."""
        return self.B.dense() / self.unit


class Posed(NamedTuple):
    """``g`` and ``B`` in their units.

    Attributes
    ----------
    g : array, shape (n,)
    B : Model
    s, b : float
        Unit of lengths, and of curvatures.
    """

    g: Array
    B: Model
    s: float = 1.0
    b: float = 1.0

    def restored(self, step: Step) -> Step:
        """A step of this subproblem in the units of x and f."""
        if self.s == self.b == 1.0:
            return step
        reduction = self.s * (self.s * (self.b * step.predicted_reduction))
        return Step(self.s * step.p, reduction, step.on_boundary, self.s * step.length)


def posed(point: Point, B: Model, unit: float, scales_curvature: bool) -> Posed:
    """The subproblem at ``point`` with the ``B`` of ``f / unit``; another unit for that costs a product."""
    g, size = point.g, point.optimality
    if unit != 1.0:
        g, size = g / unit, size / unit
    b, scales_curvature = 1.0, scales_curvature and loses_products(size, g)
    long = power_near(size) if scales_curvature else unit_of(size, g)
    if long == 1.0:
        return Posed(g, B, 1.0, unit)
    short = g / long
    if scales_curvature:
        b = power_near(float(read(norm_inf(B @ short))[0]))
    s = unit_of(size / b, g)
    return Posed(short * (long / (b * s)), B if b == 1.0 else InUnits(B, b), s, b * unit)
