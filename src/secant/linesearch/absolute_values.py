"""A smooth function plus absolute values: its values, pseudo-gradients and orthants.

    F(x) = f(x) + sum c_i |x_i|

The *pseudo-gradient* v is the element of F's subdifferential closest to zero. What a run sees as f, g and the
optimality is F, v and max |v_i|, which is 0 at a minimum and nowhere else where f is convex.

References
----------
Andrew & Gao, "Scalable training of L1-regularized log-linear models", ICML 2007, equations 4 to 6.
"""

from __future__ import annotations

from dataclasses import dataclass

from secant.arrays import Array, HostArray, dot, is_array, like, namespace, read
from secant.point import Point
from secant.problem import Problem


@dataclass(frozen=True, eq=False)
class AbsoluteValues:
    """``sum c_i |x_i|``.

    Attributes
    ----------
    c : float or array, shape (n,)
        Not negative.

    Examples
    --------
    >>> import numpy as np
    >>> penalty = AbsoluteValues(1.0)
    >>> x, g = np.array([0.0, 0.0, -2.0]), np.array([0.5, 3.0, 0.0])
    >>> penalty.value(x), penalty.pseudo_gradient(x, g)
    (2.0, array([ 0.,  2., -1.]))
    """

    c: float | HostArray

    @property
    def is_zero(self) -> bool:
        """Whether the number 0 was given: there is no penalty."""
        return not is_array(self.c) and self.c == 0.0

    def value(self, x: Array) -> float:
        """``sum c_i |x_i|``."""
        return float(read(dot(self._factors(x), namespace(x).abs(x)))[0])

    def pseudo_gradient(self, x: Array, g: Array) -> Array:
        """(4) of the paper, from the gradient of the smooth part."""
        c, xp = self._factors(x), namespace(x)
        zero = xp.zeros_like(x)
        right, left = g + c, g - c
        at_zero = xp.where(right < 0.0, right, xp.where(left > 0.0, left, zero))
        return xp.where(x > 0.0, right, xp.where(x < 0.0, left, at_zero))

    def descending(self, d: Array, v: Array) -> Array:
        """The direction without what it would move uphill, (6) of the paper.

        Penalised variables alone, as long as the rest still descends; the paper takes all.
        """
        if self.is_zero:
            return d
        xp = namespace(d)
        zero, uphill = xp.zeros_like(d), d * v >= 0.0
        penalised = xp.logical_and(uphill, self._factors(d) > 0.0)
        aligned = xp.where(penalised, zero, d)
        (slope,) = read(dot(aligned, v))
        return aligned if slope < 0.0 else xp.where(uphill, zero, d)

    def within_orthant(self, moved: Array, x: Array, v: Array) -> Array:
        """``moved`` with 0 where a penalised variable has left its orthant."""
        if self.is_zero:
            return moved
        xp = namespace(x)
        orthant = xp.where(x == 0.0, -v, x)
        outside = xp.logical_and(moved * orthant <= 0.0, self._factors(x) > 0.0)
        return xp.where(outside, xp.zeros_like(x), moved)

    def _factors(self, x: Array) -> Array:
        """``c`` as an array like x."""
        if is_array(self.c):
            if tuple(self.c.shape) != tuple(x.shape):  # type: ignore[union-attr]
                raise ValueError(
                    f"l1 must be a number or an array of {x.shape[0]} numbers, one for each "
                    f"variable, got shape {tuple(self.c.shape)}"  # type: ignore[union-attr]
                )
            return like(self.c, x)
        return self.c * namespace(x).ones_like(x)


class PenalisedPoint(Point):
    """A point of the whole function.

    Attributes
    ----------
    smooth_g : array
        Gradient of the smooth part, known as soon as ``g`` is.
    """

    __slots__ = ("smooth_g",)

    smooth_g: Array


class PenalisedProblem(Problem):
    """The problem whose values are F and whose gradients are pseudo-gradients.

    Parameters
    ----------
    smooth : Problem
        Its functions, counts and budget are shared.
    penalty : AbsoluteValues
    """

    def __init__(self, smooth: Problem, penalty: AbsoluteValues) -> None:
        super().__init__(smooth._evaluate, smooth._second, smooth.counts)
        self._penalty = penalty

    def at(self, x: Array) -> Point:
        """The point ``x``, its value evaluated, its gradient when asked for."""
        smooth = super().at(x)

        def pseudo_gradient() -> Array:
            point.smooth_g = smooth._pullback() if smooth._pullback else smooth.g
            return self._penalty.pseudo_gradient(x, point.smooth_g)

        value = smooth.f + self._penalty.value(x)
        point = PenalisedPoint(self, x, value, pseudo_gradient)
        return point


def smooth_gradient(point: Point) -> Array:
    """The gradient of the smooth part."""
    return point.smooth_g if isinstance(point, PenalisedPoint) else point.g
