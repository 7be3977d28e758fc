"""``d = -H g`` for an ``H`` that need not be positive definite, such as SR1's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from secant.arrays import Array, dot, read
from secant.curvature.operator import Curvature
from secant.directions.descent import gradient_step
from secant.pair import SecantPair
from secant.point import Point

_COSINE = 1e-6
"""Least cosine between ``d`` and ``-g``; what is closer to a right angle hardly descends."""


@dataclass(frozen=True)
class Indefinite:
    """The quasi-Newton direction, and ``-gamma g`` for as long as that does not descend.

    What has been learned is kept meanwhile: an indefinite ``H`` is right where the function is.

    Parameters
    ----------
    curvature : Curvature
        Keeps ``H`` and judges the pairs itself.
    """

    has_scale: ClassVar[bool] = True
    is_unit_free: ClassVar[bool] = True

    curvature: Curvature

    def init(self, point: Point) -> Any:
        """The operator at the start."""
        return self.curvature.init(point)

    def propose(self, point: Point, memory: Any) -> tuple[Array, Any]:
        """``-H g``, if it descends."""
        g = point.g
        d = memory.solve(g, scale=-1.0)
        slope, dd, gg = read(dot(g, d), dot(d, d), dot(g, g))
        descends = slope < 0.0 and slope * slope > _COSINE**2 * dd * gg
        return (d if descends else gradient_step(point)), memory

    def learn(self, memory: Any, pair: SecantPair, point: Point) -> tuple[Any, str]:
        """The update."""
        return self.curvature.update(memory, pair, point), ""

    def is_initial(self, memory: Any) -> bool:
        """Whether the operator has learned nothing yet."""
        return bool(memory.is_initial)
