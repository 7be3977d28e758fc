"""``d = -B^-1 g`` for whatever keeps ``B`` up to date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from secant.arrays import Array
from secant.curvature.operator import Curvature
from secant.pair import CurvatureTest, SecantPair, Skip
from secant.point import Point


@dataclass(frozen=True)
class NewtonLike:
    """The quasi-Newton direction.

    Parameters
    ----------
    curvature : Curvature
        Keeps the operator ``B``.
    test : Skip or Damp
        Judges each pair before ``curvature`` sees it.
    """

    has_scale: ClassVar[bool] = True

    curvature: Curvature
    test: CurvatureTest = Skip()

    @property
    def is_unit_free(self) -> bool:
        """Unless the operator begins as something in the unit of f."""
        return getattr(self.curvature, "is_unit_free", True)

    def init(self, point: Point) -> Any:
        """The operator at the start."""
        return self.curvature.init(point)

    def propose(self, point: Point, memory: Any) -> tuple[Array, Any]:
        """``-B^-1 g``."""
        return memory.solve(point.g, scale=-1.0), memory

    def learn(self, memory: Any, pair: SecantPair, point: Point) -> tuple[Any, str]:
        """The update, unless the pair fails its test."""
        usable = self.test(pair)
        if usable is None:
            # how the first pair compares with what a guess expected says nothing of it
            scaled_by_pairs = getattr(self.curvature, "scaled_by_pairs", False)
            if not (scaled_by_pairs and memory.is_initial and pair.has_curvature):
                return memory, "pair skipped"
            usable = pair
        event = "pair damped" if usable.is_damped else ""
        return self.curvature.update(memory, usable, point), event

    def is_initial(self, memory: Any) -> bool:
        """Whether the operator has learned nothing yet."""
        return bool(memory.is_initial)
