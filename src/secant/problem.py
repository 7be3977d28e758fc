"""The user's function in flat form, and points at which it is known.

A front end (`secant.minimize` for array callables, `secant.torch.problem` for autograd and modules)
turns what the user gave into one callable, ``evaluate(x) -> (f, pullback)``: the value, and a function
without arguments that returns the gradient there. Like that a front end may share work between the
two (autograd keeps its graph, ``jac=True`` has the gradient already, differences reuse ``f``), and a
method that looks at values alone never pays for a gradient.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from secant.arrays import Array, Scalar, dot, eps_of, norm_inf, peak, read, step_along

Pullback = Callable[[], Array]
Evaluate = Callable[[Array], tuple[Scalar, Pullback]]
Product = Callable[[Array, Array], Array]


class Exhausted(Exception):
    """The run's budget of evaluations or seconds is used up; raised *before* an evaluation."""


class OutOfEvaluations(Exhausted):
    """`Exhausted`: no evaluation is left."""


class OutOfTime(Exhausted):
    """`Exhausted`: no time is left."""


@dataclass(slots=True)
class Counts:
    """Evaluations done and the budget that is left to them.

    Attributes
    ----------
    nfev, njev, nhev : int
        Values, gradients and Hessian products evaluated so far.
    max_evals : float
        Values that may be evaluated.
    deadline : float
        `time.perf_counter` after which nothing more is evaluated.
    """

    nfev: int = 0
    njev: int = 0
    nhev: int = 0
    max_evals: float = math.inf
    deadline: float = math.inf

    def value(self) -> None:
        """Count a value about to be evaluated; raise `Exhausted` instead if the budget is used up."""
        if self.nfev >= self.max_evals:
            raise OutOfEvaluations
        if self.deadline < math.inf and time.perf_counter() >= self.deadline:
            raise OutOfTime
        self.nfev += 1


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
    """

    __slots__ = ("_measured", "_problem", "_pullback", "_value", "f", "g", "optimality", "x")

    x: Array
    f: float
    g: Array
    optimality: float

    def __init__(self, problem: Problem, x: Array, value: Scalar, pullback: Pullback) -> None:
        self.x = x
        self._problem = problem
        self._value = value
        self._pullback: Pullback | None = pullback
        self._measured = False

    def __getattr__(self, name: str) -> Any:
        # Called for a slot that is still empty; a filled one is found without a call.
        if name == "f":
            (self.f,) = read(self._value)
            return self.f
        if name == "g" and self._pullback is not None:
            self._problem.counts.njev += 1
            self.g = self._pullback()
            self._pullback = None  # frees what it kept alive, such as an autograd graph
            return self.g
        if name == "optimality":
            (self.optimality,) = read(norm_inf(self.g))
            return self.optimality
        raise AttributeError(name)

    def slope(self, d: Array) -> float:
        """``g'd``; ``f`` and ``optimality`` come to the host in the same transfer."""
        g = self.g
        if self._measured:
            (slope,) = read(dot(g, d))
        else:
            self.f, self.optimality, slope = read(self._value, peak(g), dot(g, d))
            if math.isnan(slope):
                self.optimality = math.nan  # a NaN in g shows in the slope for certain
            self._measured = True
        return slope

    @property
    def is_finite(self) -> bool:
        """Whether ``f`` and every element of ``g`` are finite."""
        return math.isfinite(self.f) and math.isfinite(self.optimality)


class Problem:
    """The objective of one run: evaluations, their counts and their budget.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(x) -> (f, pullback)`` as the module's docstring says.
    hvp : callable, optional
        ``hvp(x, v) -> B v``, the Hessian at ``x`` times ``v``.
    counts : Counts, optional
        Shared with ``evaluate`` when that evaluates the user's function more than once a call.
    """

    def __init__(
        self, evaluate: Evaluate, hvp: Product | None = None, counts: Counts | None = None
    ) -> None:
        self._evaluate = evaluate
        self._hvp = hvp
        self.counts = Counts() if counts is None else counts

    def translated(
        self, outside: Callable[[Array], Array], inside: Callable[[Array], Array]
    ) -> Problem:
        """The same problem for vectors of another library.

        Parameters
        ----------
        outside, inside : callable
            From the other library's arrays to this problem's, and back.
        """
        evaluate, hvp = self._evaluate, self._hvp

        def translated_evaluate(x: Array) -> tuple[Scalar, Pullback]:
            value, pullback = evaluate(outside(x))
            return value, lambda: inside(pullback())

        def translated_hvp(x: Array, v: Array) -> Array:
            assert hvp is not None
            return inside(hvp(outside(x), outside(v)))

        return Problem(translated_evaluate, hvp and translated_hvp, self.counts)

    def evaluate_within(self, context: AbstractContextManager[None]) -> None:
        """Enter ``context`` around every call of the user's functions from now on."""
        evaluate, hvp = self._evaluate, self._hvp

        def guarded_evaluate(x: Array) -> tuple[Scalar, Pullback]:
            with context:
                value, pullback = evaluate(x)

            def guarded_pullback() -> Array:
                with context:
                    return pullback()

            return value, guarded_pullback

        def guarded_hvp(x: Array, v: Array) -> Array:
            assert hvp is not None
            with context:
                return hvp(x, v)

        self._evaluate, self._hvp = guarded_evaluate, hvp and guarded_hvp

    def at(self, x: Array) -> Point:
        """The point ``x``, its value evaluated, its gradient when asked for."""
        self.counts.value()
        value, pullback = self._evaluate(x)
        return Point(self, x, value, pullback)

    def known(self, x: Array, f: float, g: Array) -> Point:
        """The point ``x`` where value and gradient are known already."""
        point = Point(self, x, f, lambda: g)
        point.f, point.g = f, g
        (point.optimality,) = read(norm_inf(g))
        point._measured = True
        return point

    def hvp(self, point: Point, v: Array) -> Array:
        """``B v`` at ``point``: the user's product, or a difference of gradients along ``v``.

        Without a product, ``(g(x + h v) - g(x)) / h``, which is exact up to round-off when the
        objective is quadratic.
        """
        self.counts.nhev += 1
        if self._hvp is not None:
            return self._hvp(point.x, v)
        size_x, size_v = read(norm_inf(point.x), norm_inf(v))
        if size_v == 0.0:
            return v
        h = math.sqrt(eps_of(point.x)) * max(1.0, size_x) / size_v
        return (self.at(step_along(point.x, h, v)).g - point.g) / h
