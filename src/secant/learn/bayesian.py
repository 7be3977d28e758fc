"""Bayesian regularisation: the data themselves say how large the penalty should be.

With the errors' variance 1 / (2 beta) and the weights' 1 / (2 alpha), training minimises
``beta E_D + alpha E_W``, where ``E_D`` is the sum of the squared errors and ``E_W`` that of the squared
weights. Where the evidence for ``alpha`` and ``beta`` is largest,

    gamma = n - 2 alpha tr H^-1,   2 alpha E_W = gamma,   2 beta E_D = m - gamma

with the Gauss-Newton Hessian ``H`` of what is minimised and ``m`` errors. ``gamma`` is the number of
parameters that the data determine. Biases are not penalised here: the trace goes over the weights, and
each bias counts as one determined parameter. In units of the loss index ``l2 = alpha / (beta N)``.
The factors are estimated anew after every step, as Foresee and Hagan do.

References
----------
MacKay, *Neural Comput.* 4, 415 (1992), eq. 4.8; Foresee & Hagan, *Proc. ICNN* 3, 1930 (1997).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import lapack

from secant.learn.closed_form.kernel import KernelModel
from secant.learn.closed_form.objective import Objective
from secant.learn.closed_form.residuals import ResidualsAt
from secant.learn.closed_form.squares import NetworkSquares
from secant.leastsquares.damping import least_damped
from secant.leastsquares.levenberg_marquardt import FitState, LevenbergMarquardt
from secant.leastsquares.model import Model
from secant.leastsquares.normal import CholeskyFactor
from secant.leastsquares.problem import LeastSquares, ResidualPoint

__all__ = ["BayesianLevenbergMarquardt", "BayesianSquares"]

_FIRST_PENALTY = 1e-3
"""The factor of the squared weights to start from when none is given."""

_RIDGE = 1e-10
"""What stands for no damping where the factorisation needs some, relative to the largest curvature."""


class BayesianSquares(NetworkSquares):
    """Squares whose penalty is estimated anew on request.

    Attributes
    ----------
    effective_parameters : float
        ``gamma`` as estimated last; NaN before.
    """

    may_round = False  # the trace of the inverse needs all digits of the smallest curvatures

    def __init__(self, objective: Objective) -> None:
        super().__init__(objective)
        self.l2 = self.l2 or _FIRST_PENALTY
        self.effective_parameters = math.nan

    def reestimated(self, point: ResidualPoint) -> ResidualPoint:
        """The same weights under the penalty for which they speak."""
        x = np.asarray(point.x, dtype=np.float64)
        gamma = len(x) - 2.0 * self.l2 * self._trace(point.model)
        self.effective_parameters = gamma
        squares = float((self.is_weight * x) @ x)
        error = point.f - self.l2 * squares
        l2 = self._most_evident(gamma, squares, error)
        after = ResidualPoint(self, point.x)
        after.model = self.repenalised(point.model, x, l2)
        self.l2 = l2
        r = np.array(point.evaluation.r)
        r[self.residuals.of_data :] = self.residuals.of_penalty(point.x)
        after.evaluation = ResidualsAt(self.residuals, point.x, r)
        after.f = error + l2 * squares
        return after

    def _most_evident(self, gamma: float, squares: float, error: float) -> float:
        """``alpha / (beta N) = gamma_w E_D / (|w|^2 (m - gamma) N)``; as before where that has no sense."""
        of_weights = gamma - float(len(self.is_weight) - self.is_weight.sum())
        freedom = max(self.residuals.of_data - gamma, 1.0)
        if of_weights > 0.0 and squares > 0.0 and error > 0.0:
            return of_weights / squares * error / freedom
        return self.l2

    def _trace(self, model: Model) -> float:
        """The trace of ``(J'J + 2 l2)^-1`` over the weights."""
        largest = np.full(len(model.g), float(model.column_norms.max()))
        if isinstance(model, KernelModel):
            factor = model.factor(_RIDGE, largest)
            return math.nan if factor is None else factor.weights_trace(self.is_weight)
        _, cholesky = least_damped(model, largest)
        if not isinstance(cholesky, CholeskyFactor):
            return math.nan
        inverse, _ = lapack.dpotri(cholesky.L, 1)
        return float(inverse.diagonal() @ self.is_weight)


@dataclass(frozen=True)
class BayesianLevenbergMarquardt(LevenbergMarquardt):
    """Levenberg-Marquardt with the penalty estimated anew after every step."""

    def step(self, problem: LeastSquares, state: FitState) -> FitState:
        """One iteration, and the penalty that follows from it."""
        after = super().step(problem, state)
        if after.k == state.k or not isinstance(problem, BayesianSquares):
            return after
        point = problem.reestimated(after.point)
        return replace(after, point=point, status=None) if point.is_finite else after
