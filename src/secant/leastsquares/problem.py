"""Sums of squares: residuals, their Jacobian in whatever form it can be had, and the model they make.

    f(x) = 1/2 |r(x)|^2,   g = J'r

A front end (arrays in `functions`, PyTorch in `secant.torch.residuals`) turns what the user gave into one
callable ``x -> Evaluation``. The Jacobian comes whole, in blocks of rows that are forgotten once they are
added to the model, or as products only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from secant import arrays
from secant.arrays import Array, HostArray, Scalar, inner, like, read, to_numpy
from secant.leastsquares.bounds import Box
from secant.leastsquares.loss import Robust
from secant.leastsquares.matrix_free import InnerStops, Products
from secant.leastsquares.model import Builder, Model
from secant.leastsquares.normal import GramBuilder
from secant.problem import Counts, Point, Problem, Pullback, SecondOrder

_LARGE = 1e9
"""Multiplications that J'J must cost before it is worth single precision,"""

_STRONG = 1e-3
"""and the damping that hides the difference."""

Block = tuple[slice, Array]
"""Some rows, and the Jacobian there."""


class Evaluation(Protocol):
    """The residuals at one x and what else can be known there."""

    @property
    def r(self) -> Array:
        """Residuals, shape (m,)."""
        ...

    @property
    def fits(self) -> bool:
        """Whether `blocks` needs no more memory than allowed."""
        ...

    def blocks(self) -> Iterator[Block]:
        """The Jacobian in blocks of rows; a block may be overwritten by the next."""
        ...

    def forward(self, v: HostArray) -> Array:
        """``J v``."""
        ...

    def backward(self, u: Array) -> HostArray:
        """``J'u``."""
        ...


Solver = Callable[[int], Builder] | InnerStops

ResidualFunction = Callable[[Array], Evaluation]


class ResidualPoint(Point):
    """One x with its residuals; the model is made when first asked for.

    Attributes
    ----------
    evaluation : Evaluation
    model : Model
        Gauss-Newton's model there.
    """

    __slots__ = ("evaluation", "model")

    evaluation: Evaluation
    model: Model
    _problem: LeastSquares

    def __init__(self, problem: LeastSquares, x: Array) -> None:
        self.x = x
        self._problem = problem
        self._pullback = None
        self._measured = True

    def __getattr__(self, name: str) -> Any:
        if name == "evaluation":  # a point that was read from a file
            self.evaluation = self._problem.evaluate(self.x)
            return self.evaluation
        if name == "model":
            self.model = self._problem.linearise(self)
            return self.model
        if name == "g":
            self.g = like(self.model.g, self.x)
            return self.g
        if name == "optimality":
            self.optimality = self._problem.optimality(self)
            return self.optimality
        raise AttributeError(name)


class LeastSquares(Problem):
    """The sum of squares of one run: evaluations, their counts and their budget.

    Parameters
    ----------
    residuals : callable
        ``x -> Evaluation``.
    choose : callable
        ``choose(m, n, fits)`` gives what makes a builder for n variables, or the stops of a model of
        products; ``fits`` says whether the Jacobian can be had in the memory allowed.
    robust : Robust, optional
    weights : array, shape (m,), optional
        Factors of the residuals: the square roots of the squares' weights.
    box : Box, optional
    counts : Counts, optional
        Shared with ``residuals`` when that calls the user's function more than once.
    gradient_error : float
        Relative error of the Jacobian, where it is one of differences.
    refine : callable, optional
        Makes Jacobians more accurate from now on, and tells whether it could.

    Attributes
    ----------
    damping : float
        ``lambda`` of the step to the points to come, which tells how accurate J'J has to be.
    """

    def __init__(
        self,
        residuals: ResidualFunction,
        choose: Callable[[int, int, bool], Solver],
        robust: Robust | None = None,
        weights: Array | None = None,
        box: Box | None = None,
        counts: Counts | None = None,
        gradient_error: float = 0.0,
        refine: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__(_never, SecondOrder(gradient_error=gradient_error), counts)
        self.robust = robust
        self.box = box
        self.damping = 0.0
        self._choose = choose
        self._refine = refine
        self._latest: tuple[Array, Evaluation] | None = None
        self._residuals = residuals
        self._weights = weights

    # ------------------------------------------------------------------------------- evaluations

    def at(self, x: Array) -> ResidualPoint:
        """The point ``x``, its residuals evaluated."""
        evaluation = self.evaluate(x)
        point = ResidualPoint(self, x)
        point.evaluation = evaluation
        self._latest = x, evaluation
        point.f = self.cost(evaluation)
        return point

    def cost(self, evaluation: Evaluation) -> float:
        """``f``, by its residuals."""
        r = self.weighted(evaluation.r)
        if self.robust is not None:
            return read(self.robust.cost(r))[0]
        return 0.5 * inner(r, r)

    def known(self, x: Array, f: float, g: Array) -> ResidualPoint:
        """The point ``x`` of an earlier run; its residuals are evaluated if they are needed."""
        point = ResidualPoint(self, x)
        point.f, point.g = f, g
        if self._latest is not None and self._latest[0] is x:
            point.evaluation = self._latest[1]
        if not bool(np.isfinite(to_numpy(g)).all()):
            point.optimality = math.nan
        elif self.box is None:
            (point.optimality,) = read(arrays.norm_inf(g))
        return point

    def refine(self) -> bool:
        """Whether Jacobians are more accurate from now on than they were."""
        return self._refine is not None and self._refine()

    def anew(self, point: ResidualPoint) -> ResidualPoint:
        """The same point with the same residuals and a Jacobian yet to be evaluated."""
        again, evaluation = ResidualPoint(self, point.x), point.evaluation
        if isinstance(evaluation, WholeJacobian):
            evaluation = WholeJacobian(evaluation.r, evaluation.make)
        again.evaluation, again.f = evaluation, point.f
        return again

    def evaluate(self, x: Array) -> Evaluation:
        """The residuals and what comes with them, counted."""
        self.counts.value()
        return self._residuals(x)

    def evaluate_within(self, context: AbstractContextManager[None]) -> None:
        """Enter ``context`` around every evaluation from now on."""
        residuals = self._residuals

        def guarded(x: Array) -> Evaluation:
            with context:
                return residuals(x)

        self._residuals = guarded

    def weighted(self, r: Array) -> Array:
        """The residuals times the square roots of their weights."""
        if self._weights is None:
            return r
        if self._weights.shape[0] not in (1, r.shape[0]):
            raise ValueError(
                f"weights must be one number or {r.shape[0]}, one for each residual, "
                f"got {self._weights.shape[0]}"
            )
        return self._weights * r

    # ---------------------------------------------------------------------------------- the model

    def linearise(self, point: ResidualPoint) -> Model:
        """Gauss-Newton's model at ``point``."""
        self.counts.njev += 1
        evaluation = point.evaluation
        r, rows = self.local_fit(evaluation.r)
        n = int(point.x.shape[0])
        solver = self._choose(int(r.shape[0]), n, evaluation.fits)
        if isinstance(solver, InnerStops):
            return Products(*_scaled_products(evaluation, rows), r, solver)
        large = float(r.shape[0]) * n * n > _LARGE
        if solver is GramBuilder and large and self.damping > _STRONG:
            builder: Builder = GramBuilder(n, single=True)
        else:
            builder = solver(n)
        for part, J in evaluation.blocks():
            builder.add(J if rows is None else rows[part, None] * J, r[part])
        return builder.finish()

    def local_fit(self, r: Array) -> tuple[Array, Array | None]:
        """The residuals of the local linear fit, and the factors of the Jacobian's rows."""
        r = self.weighted(r)
        if self.robust is None:
            return r, self._weights
        r, rows = self.robust.scaled(r)
        return r, rows if self._weights is None else rows * self._weights

    def optimality(self, point: ResidualPoint) -> float:
        """``max |g_i|`` over the variables that no bound holds."""
        g = point.model.g
        if self.box is not None:
            g = np.where(self.box.pushed_out(to_numpy(point.x), g), 0.0, g)
        return float(arrays.norm_inf(g))

    # -------------------------------------------------------------------------------------- steps

    def moved(self, x: Array, p: HostArray) -> Array:
        """A new vector ``x + p``, in the dtype of x and in the box."""
        host = to_numpy(x)
        moved = host + p
        if moved.dtype != host.dtype:
            moved = moved.astype(host.dtype)
        if self.box is not None:
            moved = self.box.clip(moved)
        return moved if type(x) is np.ndarray else like(moved, x)

    def noise(self, point: ResidualPoint) -> float:
        """How much rounding x and r to their dtype may change f."""
        Dx = point.model.column_norms * to_numpy(point.x)
        through_x = math.sqrt(inner(Dx, Dx))
        r = math.sqrt(2.0 * point.f)
        return arrays.eps_of(point.x) * (through_x + r) * r

    def reduction(self, before: ResidualPoint, after: ResidualPoint) -> float:
        """``f(before) - f(after)``, without the cancellation of two sums."""
        if not math.isfinite(after.f):
            return -math.inf
        old, new = self.weighted(before.evaluation.r), self.weighted(after.evaluation.r)
        if self.robust is not None:
            (reduction,) = read(self.robust.reduction(old, new))
        else:
            reduction = 0.5 * inner(old - new, old + new)
        return reduction


@dataclass
class WholeJacobian:
    """`Evaluation` of residuals whose Jacobian is one array.

    Parameters
    ----------
    r : array, shape (m,)
    make : callable
        The Jacobian, shape (m, n), evaluated when first asked for.
    """

    r: Array
    make: Callable[[], Array]
    fits: bool = True

    @property
    def J(self) -> Array:
        """The Jacobian."""
        if "_J" not in self.__dict__:
            self._J = self.make()
        return self._J

    def blocks(self) -> Iterator[Block]:
        """All rows in one block."""
        yield slice(None), self.J

    def forward(self, v: HostArray) -> Array:
        """``J v``."""
        return self.J @ like(v, self.r)

    def backward(self, u: Array) -> HostArray:
        """``J'u``."""
        return to_numpy(self.J.T @ u).astype(float, copy=False)


def _scaled_products(
    evaluation: Evaluation, rows: Array | None
) -> tuple[Callable[[HostArray], Array], Callable[[Array], HostArray]]:
    if rows is None:
        return evaluation.forward, evaluation.backward
    return (
        lambda v: rows * evaluation.forward(v),
        lambda u: evaluation.backward(rows * u),
    )


def _never(x: Array) -> tuple[Scalar, Pullback]:
    raise NotImplementedError("a sum of squares is evaluated by its residuals")
