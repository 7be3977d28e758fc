"""f in another unit, where squares of its gradient would over- or underflow in its own.

Where f is 1e-200, or 1e-30 in single precision, ``y'y`` is zero, and a quasi-Newton method learns nothing. Long
before, where f is 1e-20, a first step along -g is too short to be seen, and where it is 1e80 products of two
squares overflow. What does not depend on the unit of f learns from points of ``f / unit`` instead, with a power
of two for the unit, so that nothing is rounded, and remembers the unit with what it has learned. Where the
gradient has become so much smaller or larger that its squares are lost in that unit, too, it begins again in
another.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any, cast

from secant.arrays import Array, namespace, power_near
from secant.pair import SecantPair
from secant.point import Point
from secant.problem import Problem


@dataclass(frozen=True)
class Remembered:
    """The memory of a method in a unit other than one.

    Attributes
    ----------
    unit : float
    content : object
        What would be remembered of ``f / unit``.
    """

    unit: float
    content: Any


@dataclass(frozen=True)
class RememberedInverse(Remembered):
    """One that holds an inverse Hessian: that of f itself can be asked for."""

    def solve(self, v: Array, scale: float = 1.0) -> Array:
        """``scale * H v``; the products that an operator keeps for its next pair stay as they are."""
        solution: Array = copy(self.content).solve(v, scale=scale / self.unit)
        return solution


def remembered(unit: float, content: Any) -> Any:
    """``content`` with its unit, unless that is one."""
    if unit == 1.0:
        return content
    return (RememberedInverse if hasattr(content, "solve") else Remembered)(unit, content)


def unit_and_content(memory: Any) -> tuple[float, Any]:
    """The unit of a memory, and what is remembered in it."""
    return (memory.unit, memory.content) if isinstance(memory, Remembered) else (1.0, memory)


def loses_squares(size: float, x: Array) -> bool:
    """Whether sums of squares of numbers as large as ``size`` under- or overflow, or come near it."""
    if 1e-8 <= size <= 1e8 or not 0.0 < size < math.inf:
        return False
    numbers, square = namespace(x).finfo(x.dtype), size * size
    eps = float(numbers.eps)
    return not float(numbers.smallest_normal) / eps < square < float(numbers.max) * eps


def loses_products(size: float, x: Array) -> bool:
    """The same of ``g'Bg`` and ``|Bg|^2``, where ``g`` and ``B`` are both so large, f being in such a unit."""
    return loses_squares(size, x) or loses_squares(size * size, x)


def unit_at(point: Point) -> float:
    """A unit for a memory that begins at ``point``: one for gradients between 1e-8 and 1e8."""
    return power_near(point.optimality)


def begun(init: Callable[[Point], Any], point: Point) -> Any:
    """What ``init`` remembers at ``point``, in a unit of f in which it can learn."""
    unit = unit_at(point)
    return remembered(unit, init(in_unit(point, unit)))


def taught(
    learn: Callable[[Any, SecantPair, Point], tuple[Any, str]],
    memory: Remembered,
    pair: SecantPair,
    point: Point,
    Bs: Array | None = None,
) -> tuple[Any, str]:
    """What ``learn`` makes of ``pair`` in the unit of the memory, in which the model's ``Bs`` is already."""
    unit, point = memory.unit, in_unit(point, memory.unit)
    pair = pair.in_unit(unit, in_unit(pair.before, unit), point, Bs)
    content, event = learn(memory.content, pair, point)
    return remembered(unit, content), event


OUTGROWN = "squares of the gradient lost, begun again in another unit of f"
"""What is reported where a memory `is_outgrown`."""


def is_outgrown(memory: Any, point: Point) -> bool:
    """Whether squares of the gradient at ``point`` are lost in the unit of the memory."""
    size = point.optimality
    if isinstance(memory, Remembered):
        size /= memory.unit
    return not 1e-8 <= size <= 1e8 and loses_squares(size, point.g)


def in_unit(point: Point, unit: float) -> Point:
    """``point`` of ``f / unit``."""
    if unit == 1.0:
        return point
    derivatives = cast(Problem, _Derivatives(point, unit))
    scaled = Point(derivatives, point.x, point.f / unit, lambda: point.g)
    scaled.g, scaled.optimality = point.g / unit, point.optimality / unit
    return scaled


@dataclass(frozen=True)
class _Derivatives:
    """What a point of ``f / unit`` asks its problem for: the second derivatives at the point of f."""

    original: Point
    unit: float

    def hessian(self, point: Point) -> Array:
        return self.original.hessian / self.unit

    def hvp(self, point: Point, v: Array) -> Array:
        return self.original.hvp(v) / self.unit

    def gauss_newton(self, point: Point, v: Array) -> Array:
        return self.original.gauss_newton(v) / self.unit

    def gradient_squares(self, point: Point) -> Array:
        squares = self.original.gradient_squares()
        return None if squares is None else squares / self.unit / self.unit

    def gauss_newton_diagonal(self, point: Point) -> Array:
        diagonal = self.original.gauss_newton_diagonal()
        return None if diagonal is None else diagonal / self.unit

    def presented(self, x: Array) -> Array:
        return self.original.presented()
