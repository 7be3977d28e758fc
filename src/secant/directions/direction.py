"""What a direction is: it proposes from a point, and learns from accepted steps."""

from __future__ import annotations

from typing import Any, Protocol

from secant.arrays import Array
from secant.pair import SecantPair
from secant.point import Point


class Direction(Protocol):
    """A way of choosing ``d``: configuration only; what is learned lives in the memory."""

    @property
    def has_scale(self) -> bool:
        """Whether ``d`` is the model's own step, so that ``-g'd / 2`` is the decrease it expects."""
        ...

    def init(self, point: Point) -> Any:
        """Memory at the start, and after a reset."""
        ...

    def propose(self, point: Point, memory: Any) -> tuple[Array, Any]:
        """The direction at ``point`` and the memory to go on with."""
        ...

    def learn(self, memory: Any, pair: SecantPair, point: Point) -> tuple[Any, str]:
        """The memory after an accepted step, and an event to report or ``""``."""
        ...

    def is_initial(self, memory: Any) -> bool:
        """Whether ``memory`` is as after `init`, so that a reset would change nothing."""
        ...
