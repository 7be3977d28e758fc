"""``d = -B^-1 g`` for whatever keeps ``B`` up to date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from secant.arrays import Array
from secant.curvature.operator import Curvature
from secant.pair import CurvatureTest, SecantPair, Skip
from secant.problem import Point


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
            return memory, "pair skipped"
        event = "pair damped" if usable.is_damped else ""
        return self.curvature.update(memory, usable, point), event

    def is_initial(self, memory: Any) -> bool:
        """Whether the operator has learned nothing yet."""
        return bool(memory.is_initial)
