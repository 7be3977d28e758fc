"""A quasi-Newton matrix as the model of a trust region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from secant.pair import SecantPair, Skip
from secant.point import Point
from secant.units import Remembered, begun, taught, unit_and_content


class PairTest(Protocol):
    """Judges a pair before the curvature sees it."""

    def __call__(self, pair: SecantPair) -> SecantPair | None:
        """The pair, perhaps damped, or None if it must not be used."""
        ...


class DirectCurvature(Protocol):
    """A way of getting ``B`` itself, not its inverse."""

    @property
    def keeps_definite(self) -> bool:
        """Whether ``B`` is positive definite but for round-off."""
        ...

    @property
    def scaled_by_pairs(self) -> bool:
        """Whether a pair replaces the multiple of the identity that ``B`` begins as."""
        ...

    def init(self, point: Point) -> Any:
        """The operator at the start."""
        ...

    def update(self, B: Any, pair: SecantPair, point: Point) -> Any:
        """The operator after ``pair``; it takes ownership of ``B`` and may work in place."""
        ...


@dataclass(frozen=True)
class Learned:
    """``B`` from secant pairs, those of rejected steps among them.

    A rejected step says where the model is wrong, and an update there is what makes the next model
    better (N&W Algorithm 6.2).

    Parameters
    ----------
    curvature : DirectCurvature
        Keeps ``B`` up to date.
    test : callable
        Judges each pair: `Skip`, `Damp`, or `Denominator` for SR1.
    """

    curvature: DirectCurvature
    test: PairTest = Skip()
    uses_hessian: ClassVar[bool] = False
    learns: ClassVar[bool] = True

    def init(self, point: Point) -> Any:
        """The operator at the start, in a unit of f in which it can learn."""
        return begun(self.curvature.init, point)

    def model(self, point: Point, memory: Any) -> tuple[Any, float]:
        """The operator, and the unit of f in which it is one."""
        unit, B = unit_and_content(memory)
        return B, unit

    def learn(self, memory: Any, pair: SecantPair, point: Point) -> tuple[Any, str]:
        """The update, unless the pair fails its test."""
        if not isinstance(memory, Remembered):
            return self._updated(memory, pair, point)
        return taught(self._updated, memory, pair, point, pair.Bs)

    def _updated(self, memory: Any, pair: SecantPair, point: Point) -> tuple[Any, str]:
        # how the first pair compares with what a guess expected says nothing of it: where the guess was far
        # too large, all pairs would fail, and every step would stay too short
        is_first = self.curvature.scaled_by_pairs and memory.is_initial and pair.has_curvature
        usable = pair if is_first else self.test(pair)
        if self.curvature.keeps_definite and not pair.sBs > 0.0:
            return self.curvature.init(point), "definiteness lost to round-off, model reset"
        if usable is None:
            return memory, "pair skipped"
        event = "pair damped" if usable.is_damped else ""
        return self.curvature.update(memory, usable, point), event

    def is_initial(self, memory: Any) -> bool:
        """Whether the operator has learned nothing yet."""
        return bool(unit_and_content(memory)[1].is_initial)
