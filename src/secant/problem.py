"""The user's function in flat form: values, gradients, second derivatives, counted.

A front end (`secant.minimize` for array callables, `secant.torch` for autograd and modules)
turns what the user gave into one callable, ``evaluate(x) -> (f, pullback)``: the value, and a function
without arguments that returns the gradient there. Like that a front end may share work between the
two (autograd keeps its graph, ``jac=True`` has the gradient already, differences reuse ``f``), and a
method that looks at values alone never pays for a gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from secant.arrays import (
    Array,
    Scalar,
    copy,
    device,
    namespace,
    norm_inf,
    read,
    symmetric_part,
)
from secant.counts import Counts
from secant.derivatives.hessians import forward_product, hessian_by_differences
from secant.point import Point, Pullback
from secant.second_derivatives import Diagonal, Matrix, Product, SecondOrder

Evaluate = Callable[[Array], tuple[Scalar, Pullback]]


class Problem:
    """The objective of one run: evaluations, their counts and their budget.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(x) -> (f, pullback)`` as the module's docstring says.
    second : SecondOrder or callable, optional
        What is known of second derivatives; a callable is ``hvp(x, v) -> B v``.
    counts : Counts, optional
        Shared with ``evaluate`` when that evaluates the user's function more than once a call.

    Attributes
    ----------
    presented : callable
        From a flat ``x`` to a copy in the library of the user's functions.
    """

    def __init__(
        self,
        evaluate: Evaluate,
        second: SecondOrder | Product | None = None,
        counts: Counts | None = None,
    ) -> None:
        self._evaluate = evaluate
        self._second = second if isinstance(second, SecondOrder) else SecondOrder(second)
        self.counts = Counts() if counts is None else counts
        self.presented: Callable[[Array], Array] = copy

    def translated(
        self, outside: Callable[[Array], Array], inside: Callable[[Array], Array]
    ) -> Problem:
        """The same problem for vectors of another library.

        Parameters
        ----------
        outside, inside : callable
            From the other library's arrays to this problem's, and back.
        """
        evaluate = self._evaluate

        def translated_evaluate(x: Array) -> tuple[Scalar, Pullback]:
            value, pullback = evaluate(outside(x))
            return value, lambda: inside(pullback())

        second = self._second.wrapped(
            lambda product: lambda x, v: inside(product(outside(x), outside(v))),
            lambda matrix: lambda x: inside(matrix(outside(x))),
        )
        translation = Problem(translated_evaluate, second, self.counts)
        translation.presented = lambda x: self.presented(outside(x))
        return translation

    def evaluate_within(self, context: AbstractContextManager[None]) -> None:
        """Enter ``context`` around every call of the user's functions from now on."""
        evaluate = self._evaluate

        def guarded_evaluate(x: Array) -> tuple[Scalar, Pullback]:
            with context:
                value, pullback = evaluate(x)

            def guarded_pullback() -> Array:
                with context:
                    return pullback()

            return value, guarded_pullback

        def guarded_product(product: Product) -> Product:
            def guarded(x: Array, v: Array) -> Array:
                with context:
                    return product(x, v)

            return guarded

        def guarded_matrix(matrix: Matrix) -> Matrix:
            def guarded(x: Array) -> Array:
                with context:
                    return matrix(x)

            return guarded

        self._evaluate = guarded_evaluate
        self._second = self._second.wrapped(guarded_product, guarded_matrix)

    @property
    def has_products(self) -> bool:
        """Whether `hvp` is more than a difference of gradients."""
        return self._second.hvp is not None or self._second.hess is not None

    @property
    def gradient_error(self) -> float:
        """Relative error of the gradient where it is made of differences; 0 where it is exact."""
        return self._second.gradient_error

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
        """``B v`` at ``point``: the user's product or matrix, or a difference of gradients along ``v``."""
        if self._second.hvp is not None:
            self.counts.nhev += 1
            return self._second.hvp(point.x, v)
        if self._second.hess is not None:
            return point.hessian @ v
        self.counts.nhev += 1
        return forward_product(self, point, v)

    def gauss_newton(self, point: Point, v: Array) -> Array:
        """The Gauss-Newton matrix times ``v`` where there is one, else `hvp`."""
        if self._second.gauss_newton is None:
            return self.hvp(point, v)
        self.counts.nhev += 1
        return self._second.gauss_newton(point.x, v)

    def gradient_squares(self, point: Point) -> Array:
        """The weighted sum of the samples' squared gradients; None where there are no samples."""
        return self._diagonal(self._second.gradient_squares, point)

    def gauss_newton_diagonal(self, point: Point) -> Array:
        """The diagonal of the Gauss-Newton matrix; None where it is not offered."""
        return self._diagonal(self._second.gauss_newton_diagonal, point)

    def _diagonal(self, diagonal: Diagonal | None, point: Point) -> Array:
        if diagonal is None:
            return None
        self.counts.njev += 1  # a backward pass, or one for each output
        return diagonal(point.x)

    def hessian(self, point: Point) -> Array:
        """All of ``B`` at ``point``: the user's, n products, or differences; made symmetric."""
        if self._second.hess is not None:
            B = self.given_hessian(point)
        elif self._second.hvp is not None:
            B = self._products(point)
        else:
            B = hessian_by_differences(self, point)
        return symmetric_part(B)

    def given_hessian(self, point: Point) -> Array:
        """``B`` as it is given, symmetric or not; None where products or differences stand for it."""
        if self._second.hess is None:
            return None
        self.counts.nhev += 1
        return self._second.hess(point.x)

    def _products(self, point: Point) -> Array:
        n, xp, x = point.x.shape[0], namespace(point.x), point.x
        identity = xp.eye(n, dtype=x.dtype, device=device(x))
        return xp.stack([self.hvp(point, identity[i, :]) for i in range(n)])
