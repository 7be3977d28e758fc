"""The outcome of a fit, in SciPy's names, with the covariance of its parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from secant import arrays
from secant.arrays import HostArray, to_numpy
from secant.leastsquares.judgement import Judgement
from secant.leastsquares.matrix_free import Products
from secant.leastsquares.problem import LeastSquares, ResidualPoint
from secant.leastsquares.qr import TriangularBuilder
from secant.leastsquares.state import FitState
from secant.result import Result, make_result
from secant.run import Run
from secant.status import Status


class Fit(Result):
    """SciPy's fields of ``least_squares``, a typed status, the trace and the covariance.

    Attributes
    ----------
    x : array or nest
        Best point found, in the shape of ``x0``.
    cost : float
        ``f``, half the sum of squares (or of the loss) there.
    fun : array, shape (m,)
        Residuals there.
    jac : array, shape (m, n), or None
        Jacobian there, its rows scaled by a robust loss; None if it never was whole.
    grad : array or nest
        Gradient of ``f``.
    optimality : float
        ``max |g_i|`` over the variables that no bound holds.
    active_mask : array, shape (n,)
        -1 and 1 for variables at their lower and upper bounds, 0 for the others.
    nit, nfev, njev : int
        Iterations, evaluations of the residuals (differences included) and of the Jacobian.
    status, message, success
        Why the run ended.
    model : Model or None
        Gauss-Newton's model at ``x``; None where it is not finite.
    trace : Trace
        Its column ``alpha`` is the damping ``lambda``.

    Examples
    --------
    >>> import numpy as np, secant
    >>> t = np.arange(6.0)
    >>> y = np.array([2.0, 1.3, 0.7, 0.5, 0.25, 0.2])
    >>> fit = secant.least_squares(lambda b: b[0] * np.exp(-b[1] * t) - y, [1.0, 1.0])
    >>> fit.x
    array([2.017, 0.487])
    >>> fit.standard_errors
    array([0.048, 0.022])
    """

    @property
    def cov_x(self) -> HostArray | None:
        """``(J'J)^-1``, or its pseudo-inverse; None without a factorisation."""
        if "_cov_x" not in self.__dict__:
            model = self.model
            if model is not None and self.jac is not None and not isinstance(model, Products):
                # steps make up for the rounding of J'J and for the rows of outliers, its inverse does not
                model = TriangularBuilder(len(model.g)).whole(self.jac, self.fun)
            self.__dict__["_cov_x"] = None if model is None else model.covariance()
        covariance: HostArray | None = self.__dict__["_cov_x"]
        return covariance

    @property
    def residual_variance(self) -> float:
        """``s^2 = 2 f / (m - n)``; NaN without a degree of freedom left."""
        free = int(np.prod(self.fun.shape)) - self.active_mask.size
        return 2.0 * self.cost / free if free > 0 else math.nan

    @property
    def covariance(self) -> HostArray | None:
        """``s^2 (J'J)^-1``, shape (n, n), the covariance of ``x`` if the errors of the data are alike."""
        return None if self.cov_x is None else self.residual_variance * self.cov_x

    @property
    def standard_errors(self) -> HostArray | None:
        """Square roots of the covariance's diagonal."""
        covariance = self.covariance
        return None if covariance is None else np.sqrt(covariance.diagonal())

    def __repr__(self) -> str:
        lines = [
            f"{'success' if self.success else 'no success'}: {self.message}",
            f"   method: {self.method}",
            f"     cost: {self.cost:.10g}",
            f"  max |g|: {self.optimality:.3g}",
            f"        x: {_short(self.x)}",
            f"     work: {self.nit} iterations, {self.nfev} residual and {self.njev} Jacobian "
            f"evaluations, {self.seconds:.3g} s",
        ]
        return "\n".join(lines)


class FitRun(Run):
    """A `Run` whose result is a `Fit`."""

    problem: LeastSquares

    def result(self) -> Fit:
        """The best point seen and why the run ended."""
        best = self._best_point()
        self.structure.present(best.x)
        return make_fit(self, best)

    def finish(self) -> Fit:
        """Step until the run ends."""
        while self.status is None:
            self.step()
        return self.result()

    def _best_point(self) -> ResidualPoint:
        """The last iterate unless an earlier one was lower by more than rounding."""
        best, last = self.best, self.point
        assert isinstance(best, ResidualPoint)
        assert isinstance(last, ResidualPoint)
        if last.is_finite and last.f <= best.f + 10.0 * self.problem.noise(last):
            return last
        return best

    def _examine(self, state: Any) -> None:
        """Failures are examined, but not where bounds do not allow to evaluate on both sides of x.

        Round-off is the method's own to judge: it knows the residuals, and how x is rounded in them. Along
        the gradient variables of different units promise next to nothing, wherever they are.
        """
        if self.problem.box is None and state.status is Status.SEARCH_FAILED:
            super()._examine(state)
            found = self.diagnosis
            is_round_off = found is not None and found.status is Status.ROUNDOFF
            if is_round_off and not self._may_be_fitted(state):
                self.diagnosis, state.status = None, Status.SEARCH_FAILED

    def _may_be_fitted(self, state: FitState) -> bool:
        """Whether, in the precision of x, next to nothing is left of f or of r in the range of J."""
        point, memory = state.point, state.memory
        if point.f <= arrays.eps_of(point.x) ** 2 * memory.f0:
            return True
        return Judgement(self.problem, point, memory.scale).is_fitted

    def _look_for_noise(self) -> None:
        """Left out: the method has its own test for steps that no longer lower f, without evaluations."""


def make_fit(run: FitRun, best: ResidualPoint) -> Fit:
    """The result of ``run`` at its best point."""
    fit = Fit()
    fit.update(make_result(run, best))
    problem, x = run.problem, to_numpy(best.x)
    box = problem.box
    fit.update(
        cost=best.f,
        fun=arrays.copy(best.evaluation.r),
        jac=problem.jacobian(best) if best.is_finite else None,
        grad=fit["jac"],
        active_mask=np.zeros(x.size, dtype=int) if box is None else box.active(x),
        model=best.model if best.is_finite else None,
    )
    return fit


def _short(x: Any) -> str:
    if not arrays.is_array(x):
        return type(x).__name__
    with np.printoptions(precision=6, threshold=8, edgeitems=3):
        return str(to_numpy(x)).replace("\n", "\n" + 11 * " ")
