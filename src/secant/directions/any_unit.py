"""A direction in a unit of f in which squares of gradients neither over- nor underflow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from secant.arrays import Array
from secant.directions.direction import Direction
from secant.pair import SecantPair
from secant.point import Point
from secant.units import Remembered, begun, in_unit, taught, unit_and_content


@dataclass(frozen=True)
class AnyUnit:
    """``direction``, which learns in a unit of its own where the first gradient makes that necessary.

    Parameters
    ----------
    direction : Direction
        One whose steps do not depend on the unit of f: it says that it `is_unit_free`.
    """

    direction: Direction

    def init(self, point: Point) -> Any:
        """Memory at the start, and after a reset."""
        return begun(self.direction.init, point)

    def propose(self, point: Point, memory: Any) -> tuple[Array, Any]:
        """The direction at ``point`` and the memory to go on with."""
        if not isinstance(memory, Remembered):
            return self.direction.propose(point, memory)
        d, content = self.direction.propose(in_unit(point, memory.unit), memory.content)
        return d, replace(memory, content=content)

    def learn(self, memory: Any, pair: SecantPair, point: Point) -> tuple[Any, str]:
        """The memory after an accepted step, and an event to report."""
        if not isinstance(memory, Remembered):
            return self.direction.learn(memory, pair, point)
        return taught(self.direction.learn, memory, pair, point)

    def is_initial(self, memory: Any) -> bool:
        """Whether ``memory`` is as after `init`."""
        return self.direction.is_initial(unit_and_content(memory)[1])
