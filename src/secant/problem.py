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

import numpy as np
import numpy.typing as npt

from secant.arrays import (
    Array,
    HostArray,
    Scalar,
    copy,
    device,
    dot,
    eps_of,
    measured,
    namespace,
    norm_inf,
    read,
    step_along,
    symmetric_part,
    to_numpy,
)

Pullback = Callable[[], Array]
Evaluate = Callable[[Array], tuple[Scalar, Pullback]]
Product = Callable[[Array, Array], Array]
Matrix = Callable[[Array], Array]
Diagonal = Callable[[Array], Array]


class Exhausted(Exception):
    """The run's budget of evaluations or seconds is used up; raised *before* an evaluation.

    Attributes
    ----------
    lowest : Point or None
        The lowest point of the step that was cut short, if it is known with its gradient.
    """

    lowest: Point | None = None


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
        if self.deadline != math.inf and time.perf_counter() >= self.deadline:
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


@dataclass(frozen=True)
class SecondOrder:
    """Second derivatives as far as somebody gives them; the rest are differences of gradients.

    Attributes
    ----------
    hvp : callable, optional
        ``hvp(x, v) -> B v``, the Hessian at ``x`` times ``v``.
    hess : callable, optional
        ``hess(x) -> B``, shape (n, n).
    gauss_newton : callable, optional
        ``gauss_newton(x, v) -> G v``, a positive semi-definite part of the Hessian times ``v``.
    gradient_error : float
        Relative error of the gradient; 0 stands for the dtype's epsilon.
    gradient_squares : callable, optional
        ``gradient_squares(x) -> sum_i w_i g_i o g_i`` for ``f = sum_i w_i c_i`` over samples, where
        ``g_i`` is the gradient of ``c_i``.
    gauss_newton_diagonal : callable, optional
        ``gauss_newton_diagonal(x)``, the diagonal of ``G``.
    """

    hvp: Product | None = None
    hess: Matrix | None = None
    gauss_newton: Product | None = None
    gradient_error: float = 0.0
    gradient_squares: Diagonal | None = None
    gauss_newton_diagonal: Diagonal | None = None

    def wrapped(
        self, product: Callable[[Product], Product], matrix: Callable[[Matrix], Matrix]
    ) -> SecondOrder:
        """The same with a wrapper around each function that is given."""
        return SecondOrder(
            self.hvp and product(self.hvp),
            self.hess and matrix(self.hess),
            self.gauss_newton and product(self.gauss_newton),
            self.gradient_error,
            self.gradient_squares and matrix(self.gradient_squares),
            self.gauss_newton_diagonal and matrix(self.gauss_newton_diagonal),
        )


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
        """``B v`` at ``point``: the user's product or matrix, or a difference of gradients along ``v``.

        Without either, ``(g(x + h v) - g(x)) / h``, which is exact up to round-off when the
        objective is quadratic.
        """
        if self._second.hvp is not None:
            self.counts.nhev += 1
            return self._second.hvp(point.x, v)
        if self._second.hess is not None:
            return point.hessian @ v
        self.counts.nhev += 1
        return self._difference(point, v)

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
        """All of ``B`` at ``point``: the user's, or n products; made symmetric.

        Of forward differences that contradict each other across the diagonal, those whose step is the longer
        beside its variable are made centred ones, and the others where that was not enough.
        """
        if self._second.hess is not None:
            self.counts.nhev += 1
            B = self._second.hess(point.x)
        else:
            B = self._columns(point)
        return symmetric_part(B)

    def _columns(self, point: Point) -> Array:
        n, xp, x = point.x.shape[0], namespace(point.x), point.x
        identity = xp.eye(n, dtype=x.dtype, device=device(x))
        if self._second.hvp is not None:
            return xp.stack([self.hvp(point, identity[i, :]) for i in range(n)])
        sizes = read(*(abs(x[i]) for i in range(n)))

        def column(i: int, sign: float) -> Array:
            self.counts.nhev += 1
            return self._slope(point, sign * identity[i, :], sizes[i])

        B, error = xp.stack([column(i, 1.0) for i in range(n)]), self._gradient_error(x)
        is_centred = np.zeros(n, dtype=bool)
        while (suspects := _contradicting(to_numpy(B), point, error, is_centred)).size:
            for i in suspects.tolist():
                B[i, :] = 0.5 * (B[i, :] - column(i, -1.0))
            is_centred[suspects] = True
        return B

    def _difference(self, point: Point, v: Array) -> Array:
        size_x, size_v = read(norm_inf(point.x), norm_inf(v))
        return self._slope(point, v, size_x, size_v) if size_v > 0.0 else v

    def _gradient_error(self, x: Array) -> float:
        return max(self._second.gradient_error, eps_of(x))

    def _slope(self, point: Point, v: Array, size_x: float, size_v: float = 1.0) -> Array:
        """``(g(x + h v) - g(x)) / h`` with ``h |v| = sqrt(error) max(1, |x|)``."""
        h = math.sqrt(self._gradient_error(point.x)) * max(1.0, size_x) / size_v
        return (self.at(step_along(point.x, h, v)).g - point.g) / h


def _contradicting(
    B: HostArray, point: Point, error: float, is_centred: HostArray
) -> npt.NDArray[np.intp]:
    """The columns by forward differences to be made centred, as ``B_ij`` and ``B_ji`` are not one number.

    A step of ``sqrt(error)`` is long for a variable of 1e-6. What it does to the gradient's other components
    then shows third derivatives more than second ones, which centred differences are free of. The gap is
    compared with ``sqrt(B_ii B_jj)``, so that the units of the variables do not matter, and with the
    round-off of the differences. Of two columns the one with the longer step beside its variable is suspect.
    """
    B = B.astype(np.float64)
    x, g = (np.abs(to_numpy(a), dtype=np.float64) for a in (point.x, point.g))
    with np.errstate(all="ignore"):  # what is not finite contradicts nothing
        sizes, root = np.abs(B), np.sqrt(np.abs(B.diagonal()))
        bound = np.maximum(np.multiply.outer(root, root), np.minimum(sizes, sizes.T))
        shares = math.sqrt(error) / np.maximum(1.0, x)
        noise = np.multiply.outer(shares, g + sizes @ x)
        contradict = np.abs(B - B.T) > np.maximum(bound, 4.0 * (noise + noise.T))
        reach = np.where(is_centred, -1.0, np.maximum(1.0, x) / x)
    suspect = (contradict & (reach[:, None] >= reach)).any(axis=1)
    return np.flatnonzero(suspect & ~is_centred)
