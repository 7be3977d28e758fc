"""What a trust-region method is made of besides its subproblem: where ``B`` comes from, and the radius."""

from __future__ import annotations

from typing import Any, Protocol

from secant.pair import SecantPair
from secant.point import Point
from secant.trustregion.step import Model, Step


class Source(Protocol):
    """Where ``B`` comes from: configuration only; what is learned lives in the memory."""

    @property
    def uses_hessian(self) -> bool:
        """Whether a Hessian, or products with it, would be used."""
        ...

    @property
    def learns(self) -> bool:
        """Whether pairs change the model."""
        ...

    def init(self, point: Point) -> Any:
        """Memory at the start, and after a reset."""
        ...

    def model(self, point: Point, memory: Any) -> tuple[Model, float]:
        """``B`` at ``point``, and the unit of f in which it is that."""
        ...

    def learn(self, memory: Any, pair: SecantPair, point: Point) -> tuple[Any, str]:
        """The memory after a step that was tried, and an event to report or ``""``.

        The ``Bs`` of the pair is in the unit of the model.
        """
        ...

    def is_initial(self, memory: Any) -> bool:
        """Whether ``memory`` is as after `init`, so that a reset would change nothing."""
        ...


class Rule(Protocol):
    """What chooses the radius: `RadiusRule`, or another of its kind."""

    @property
    def accept(self) -> float:
        """Steps with a larger ratio of the reductions are taken."""
        ...

    @property
    def is_length(self) -> bool:
        """Whether the radius is one of x, so that it grows with the step when g does."""
        ...

    def first(self, point: Point) -> float:
        """The radius at the start."""
        ...

    def within_reach(self, radius: float, g: Any, B: Any) -> float:
        """The radius of the first iteration, from what `first` says and the model there."""
        ...

    def after(self, radius: float, step: Step, ratio: float) -> float:
        """The radius after a step that was tried."""
        ...
