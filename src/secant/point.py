"""One ``x`` and what is known there: nothing is evaluated before it is asked for, and nothing twice."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from secant.arrays import Array, Scalar, dot, measured, norm_inf, read

if TYPE_CHECKING:
    from secant.problem import Problem

Pullback = Callable[[], Array]
"""The gradient at one point, when it is called."""


class Point:
    """One ``x`` and what is known there; each attribute is evaluated when first read, and once.

    Attributes
    ----------
    x : array, shape (n,)
    f : float
        Value of the objective.
    g : array, shape (n,)
        Gradient.
    optimality : float
        ``max |g_i|``.
    hessian : array, shape (n, n)
        Second derivatives, symmetric.
    """

    __slots__ = (
        "_measured",
        "_problem",
        "_pullback",
        "_value",
        "f",
        "g",
        "hessian",
        "optimality",
        "x",
    )

    x: Array
    f: float
    g: Array
    optimality: float
    hessian: Array

    def __init__(self, problem: Problem, x: Array, value: Scalar, pullback: Pullback) -> None:
        self.x = x
        self._problem = problem
        self._value = value
        self._pullback: Pullback | None = pullback
        self._measured = False
        if type(value) is float:
            self.f = value

    def __getattr__(self, name: str) -> Any:
        # Called for a slot that is still empty; a filled one is found without a call.
        if name == "g" and self._pullback is not None:
            self._problem.counts.njev += 1
            self.g = self._pullback()
            self._pullback = None  # frees what it kept alive, such as an autograd graph
            return self.g
        if name == "f":
            (self.f,) = read(self._value)
            return self.f
        if name == "optimality":
            (self.optimality,) = read(norm_inf(self.g))
            return self.optimality
        if name == "hessian":
            self.hessian = self._problem.hessian(self)
            return self.hessian
        raise AttributeError(name)

    def hvp(self, v: Array) -> Array:
        """The Hessian times ``v``."""
        return self._problem.hvp(self, v)

    def gauss_newton(self, v: Array) -> Array:
        """The Gauss-Newton matrix times ``v`` where the problem offers it, else the Hessian."""
        return self._problem.gauss_newton(self, v)

    def gradient_squares(self) -> Array:
        """``sum_i w_i g_i o g_i`` over samples; None where the problem knows of none."""
        return self._problem.gradient_squares(self)

    def gauss_newton_diagonal(self) -> Array:
        """The diagonal of the Gauss-Newton matrix; None where the problem does not offer it."""
        return self._problem.gauss_newton_diagonal(self)

    def presented(self) -> Array:
        """A copy of ``x`` in the library that the user's functions know."""
        return self._problem.presented(self.x)

    def slope(self, d: Array) -> float:
        """``g'd``; ``f`` and ``optimality`` come to the host in the same transfer."""
        g = self.g
        if self._measured:
            (slope,) = read(dot(g, d))
        else:
            self.f, self.optimality, slope = measured(self._value, g, d)
            if slope != slope:  # a NaN in g, which the maximum may have missed
                self.optimality = math.nan
            self._measured = True
        return slope

    @property
    def is_finite(self) -> bool:
        """Whether ``f`` and every element of ``g`` are finite."""
        return math.isfinite(self.f) and math.isfinite(self.optimality)
