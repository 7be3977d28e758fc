"""Sums of squares: the points that are visited, their cost, and the model that residuals and J make.

    f(x) = 1/2 |r(x)|^2,   g = J'r

What a front end evaluates is in `evaluation`, a point and what is known there in `point`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np

from secant import arrays
from secant.arrays import Array, HostArray, Scalar, inner, like, read, to_numpy
from secant.counts import Counts
from secant.leastsquares import lapack
from secant.leastsquares.bounds import Box
from secant.leastsquares.evaluation import Block as Block
from secant.leastsquares.evaluation import Evaluation as Evaluation
from secant.leastsquares.evaluation import ResidualFunction as ResidualFunction
from secant.leastsquares.evaluation import WholeJacobian as WholeJacobian
from secant.leastsquares.evaluation import column_norms, scaled_products
from secant.leastsquares.loss import Robust
from secant.leastsquares.matrix_free import InnerStops, Products
from secant.leastsquares.model import Builder, Model
from secant.leastsquares.normal import GramBuilder
from secant.leastsquares.point import ResidualPoint as ResidualPoint
from secant.leastsquares.qr import TriangularBuilder
from secant.point import Pullback
from secant.problem import Problem
from secant.second_derivatives import SecondOrder

_LARGE = 1e9
"""Multiplications that J'J must cost before it is worth single precision,"""

_STRONG = 1e-3
"""and the damping that hides the difference."""

_PLAIN = 1e-3
"""A change of f by a larger part of it loses three digits at most to cancellation."""

_DOUBLE = np.dtype(np.float64)

Solver = Callable[[int], Builder] | InnerStops


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
    is_network : bool
        Whether the variables are weights: units die, and others take their place. Elsewhere a fit is lost with
        the influence of one variable.
    """

    is_network = False

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
        self._size = (0, 0, False)
        self._solver: Solver
        self._residuals = residuals
        self._weights = weights

    # ------------------------------------------------------------------------------- evaluations

    def at(self, x: Array) -> ResidualPoint:
        """The point ``x``, its residuals evaluated."""
        self.counts.value()
        point = ResidualPoint(self, x)
        point.evaluation = evaluation = self._residuals(x)
        self._latest = x, evaluation
        point.residuals = r = self.weighted(evaluation.r)
        point.f = 0.5 * _product(r, r) if self.robust is None else self.cost(point)
        return point

    def cost(self, point: ResidualPoint) -> float:
        """``f``, by its residuals."""
        r = point.residuals
        return 0.5 * _product(r, r) if self.robust is None else read(self.robust.cost(r))[0]

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
        again.evaluation, again.f, again.scaled = evaluation, point.f, point.scaled
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
        r, rows = self.local_fit(point)
        size = m, n, _ = r.shape[0], point.x.shape[0], evaluation.fits
        if size != self._size:
            self._size, self._solver = size, self._choose(*size)
        solver = self._solver
        if isinstance(solver, InnerStops):
            norms = column_norms(evaluation, rows) if evaluation.fits else None
            return Products(*scaled_products(evaluation, rows), r, solver, norms)
        if solver is GramBuilder and self.damping > _STRONG and float(m) * n * n > _LARGE:
            builder: Builder = GramBuilder(n, single=True)
        else:
            builder = solver(n)
        if type(evaluation) is WholeJacobian:
            J = evaluation.J
            return builder.whole(J if rows is None else rows[:, None] * J, r)
        for part, J in evaluation.blocks():
            builder.add(J if rows is None else rows[part, None] * J, r[part])
        return builder.finish()

    def by_rows(self, point: ResidualPoint) -> Model | None:
        """The model by QR of the Jacobian's rows; None where these are not at hand."""
        evaluation = point.evaluation
        if not isinstance(evaluation, WholeJacobian):
            return None
        r, rows = self.local_fit(point)
        J = evaluation.J
        return TriangularBuilder(J.shape[1]).whole(J if rows is None else rows[:, None] * J, r)

    def linearised(self, point: ResidualPoint) -> ResidualPoint:
        """``point`` with its model and optimality, which need not be found missing first."""
        point.model = self.linearise(point)
        point.optimality = self.optimality(point)
        return point

    def local_fit(self, point: ResidualPoint) -> tuple[Array, Array | None]:
        """The residuals of the local linear fit, and the factors of the Jacobian's rows."""
        if self.robust is None:
            return point.residuals, self._weights
        if point.scaled is None:
            r, rows = self.robust.scaled(point.residuals)
            point.scaled = r, rows if self._weights is None else rows * self._weights
        return point.scaled

    def jacobian(self, point: ResidualPoint) -> Array | None:
        """The Jacobian times the weights, its rows scaled by a robust loss as SciPy does; None if not whole."""
        if not isinstance(point.evaluation, WholeJacobian):
            return None
        rows, J = self._weights, point.evaluation.J
        if self.robust is not None:
            factors = self.robust.factors(point.residuals)
            rows = factors if rows is None else factors * rows
        return J if rows is None else like(to_numpy(rows)[:, None], J) * J

    def optimality(self, point: ResidualPoint) -> float:
        """``max |g_i|`` over the variables that no bound holds."""
        g = point.model.g
        if self.box is not None:
            g = np.where(self.box.pushed_out(to_numpy(point.x), g), 0.0, g)
        if lapack.dasum(g) < math.inf:
            return float(abs(g[lapack.idamax(g)]))  # which may miss a NaN
        return float(arrays.norm_inf(g))

    # -------------------------------------------------------------------------------------- steps

    def moved(self, x: Array, p: HostArray) -> Array:
        """A new vector ``x + p``, in the dtype of x and in the box."""
        host = to_numpy(x)
        moved = host + p
        if moved.dtype is not host.dtype:
            moved = moved.astype(host.dtype)
        if self.box is not None:
            moved = self.box.clip(moved)
        return moved if type(x) is np.ndarray else like(moved, x)

    def noise(self, point: ResidualPoint) -> float:
        """How much rounding x and r to their dtype may change f."""
        if self.robust is not None and type(point.evaluation) is WholeJacobian:
            return self.noise_by_rows(point)  # outliers have large residuals and short rows
        through_x: float = lapack.dnrm2(point.model.column_norms * to_numpy(point.x))
        r = math.sqrt(2.0 * point.f)
        return arrays.eps_of(point.x) * (through_x + r) * r

    def noise_by_rows(self, point: ResidualPoint) -> float:
        """The same row by row: less, where the rows that rounding shakes have small residuals."""
        evaluation = point.evaluation
        if type(evaluation) is not WholeJacobian:
            return self.noise(point)
        J, x, r = map(to_numpy, (evaluation.J, point.x, evaluation.r))
        error = arrays.eps_of(point.x) * (np.abs(J) @ np.abs(x) + np.abs(r))
        r, rows = self.local_fit(point)
        pull = np.abs(to_numpy(r if rows is None else rows * r))
        shaken = to_numpy(self.weighted(like(error, point.x)))
        return float(error @ pull + 0.5 * (shaken @ shaken))

    def reduction(self, before: ResidualPoint, after: ResidualPoint) -> float:
        """``f(before) - f(after)``, without the cancellation of two sums where there is any."""
        if not math.isfinite(after.f):
            return -math.inf
        change = before.f - after.f
        if abs(change) > _PLAIN * before.f:
            return change
        old, new = before.residuals, after.residuals
        if self.robust is None:
            step = new - old
            return -_product(old, step) - 0.5 * _product(step, step)
        return read(self.robust.reduction(old, new))[0]


def _product(a: Array, b: Array) -> float:
    """``a'b``, by the shortest way where that matters."""
    product: float = lapack.ddot(a, b) if a.dtype is _DOUBLE else inner(a, b)
    return product


def _never(x: Array) -> tuple[Scalar, Pullback]:
    raise NotImplementedError("a sum of squares is evaluated by its residuals")
