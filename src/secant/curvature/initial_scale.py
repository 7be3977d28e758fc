"""How large the first inverse Hessian ``H = gamma I`` is.

Too small a ``gamma`` costs more than too large a one: the line search shortens a step that is too long
at once, while unit steps that are too short pass the curvature test with its usual constant and are
lengthened update by update. `benchmarks/searches.py` has the comparison on which the default rests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

from secant import checks
from secant.arrays import dot, norm_two, read
from secant.point import Point


class InitialScale(Protocol):
    """Chooses ``gamma`` at the start, and whether the first pair corrects it."""

    @property
    def corrected_by_first_pair(self) -> bool:
        """Whether the first update brings ``gamma`` to ``s'y / y'y``."""
        ...

    def gamma(self, point: Point) -> float:
        """The scale at the start, or at a reset."""
        ...


@dataclass(frozen=True)
class StepScale:
    """``gamma = length max(1, |x|) / |g|``: the first step is as long as x. Invariant to the scale of f.

    Parameters
    ----------
    length : float
        Length of the first step, relative to ``max(1, |x|)``.
    """

    length: float = 1.0
    corrected_by_first_pair: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checks.positive("length", self.length)

    def gamma(self, point: Point) -> float:
        """``length max(1, |x|) / |g|``."""
        x, g = point.x, point.g
        xx, gg = read(dot(x, x), dot(g, g))
        size = norm_two(g, gg)
        gamma = self.length * max(1.0, math.sqrt(xx)) / size if size > 0.0 else 1.0
        return gamma if 0.0 < gamma < math.inf else 1.0


@dataclass(frozen=True)
class PairScale:
    """``gamma = s'y / y'y`` from the first pair (N&W eq. 6.20), 1 until then."""

    corrected_by_first_pair: ClassVar[bool] = True

    def gamma(self, point: Point) -> float:
        """One."""
        return 1.0


@dataclass(frozen=True)
class UnitScale:
    """``gamma = 1``, left to the updates."""

    corrected_by_first_pair: ClassVar[bool] = False

    def gamma(self, point: Point) -> float:
        """One."""
        return 1.0
