"""Gauss-Newton's model of a network in the space of its residuals.

Unless there are many more residuals than weights, the damped step is cheapest from the products of the
Jacobian's rows with one another, which never have to be written down (`inner_products`):

    p = -S^-1 (q + J'u),   (I + J S^-1 J') u = r - J S^-1 q

with the damping and the penalty in the diagonal ``S``, and the penalty's gradient ``q``. A step costs
(residuals)^2 units instead of residuals (weights)^2.

Strong damping makes these equations well conditioned. Their matrix is then made and factorised in single
precision, which takes little more than half the time. What a solution leaves of the equations,
``e = r + J p - u``, is evaluated in double precision: the step falls short of the best reduction of the
model by at most ``|e|^2 / 2``, and is corrected until that is next to nothing. Values, gradients and gain
ratios are those of double precision in any case.

References
----------
Hager, *SIAM Rev.* 31, 221 (1989), the inverse of a matrix that differs from a diagonal one in few
directions; Ren & Goldfarb, arXiv:1906.02353 (2019), Gauss-Newton steps in the space of the residuals;
Higham, *Accuracy and Stability of Numerical Algorithms* (2002), section 12.1, refinement in two precisions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from secant.arrays import HostArray, inner
from secant.learn.closed_form.backpropagation import Values
from secant.learn.closed_form.inner_products import DampedKernel
from secant.learn.closed_form.rows import Rows, Vector
from secant.leastsquares import lapack
from secant.leastsquares.model import Model

__all__ = ["KernelFactor", "KernelModel", "Kernels", "influential"]

_INFLUENCE = 1e-5
"""A weight counts as having at least this part of the largest influence: units may saturate for a while."""

_SINGLE, _DOUBLE = np.dtype(np.float32), np.dtype(np.float64)

_MANY = 64
"""Residuals from which single precision is faster."""

_WELL_CONDITIONED = 1e6
"""Largest trace of ``J S^-1 J'``, a bound of the condition number, for single precision."""

_LOST = 1e-4
"""The part of the model's reduction that a step in single precision may lose."""

_CORRECTIONS = 4
"""Solutions in single precision, the last ones of what is left, before double precision takes over."""


class Kernels:
    """The matrices of one training in either precision: fresh memory costs more than they do."""

    def __init__(self) -> None:
        self._kernels: dict[np.dtype, DampedKernel] = {}

    def of(self, rows: Rows, dtype: np.dtype) -> DampedKernel:
        """Where ``I + J S^-1 J'`` is made, of as many rows each time."""
        if dtype not in self._kernels:
            self._kernels[dtype] = DampedKernel(rows, dtype)
        return self._kernels[dtype]


class KernelModel:
    """Gauss-Newton's model of not many more residuals than weights; see the module's first lines.

    Parameters
    ----------
    rows : Rows
        All of the Jacobian.
    r : array, shape (m,)
        Residuals of the data.
    x : array, shape (n,)
        Weights and biases.
    sizes : tuple of int
        Of the network's layers.
    penalty : array, shape (n,)
        Second derivatives of the penalty: one number for all weights, 0 for biases.
    kernels : Kernels, optional
        That the models of one training share: of all their factors the last one alone is valid.
    """

    def __init__(
        self,
        rows: Rows,
        r: Vector,
        x: Vector,
        sizes: tuple[int, ...],
        penalty: Vector,
        kernels: Kernels | None = None,
    ) -> None:
        self.rows, self.r, self.sizes, self.penalty = rows, r, sizes, penalty
        self.kernels = Kernels() if kernels is None else kernels
        self.pull = penalty * x
        self.g: Vector = rows.transposed_times(r) + self.pull
        squares = rows.squares()
        self.trace = float(squares.sum())
        self.column_norms: Vector = influential(squares + penalty)
        self.floor = 10.0 * len(x) * float(np.finfo(rows.deltas[0].dtype).eps)
        self._latest: tuple[HostArray, Values] | None = None

    def with_penalty(self, x: Vector, penalty: Vector) -> KernelModel:
        """The same rows under another penalty."""
        return KernelModel(self.rows, self.r, x, self.sizes, penalty, self.kernels)

    def factor(self, damping: float, scale: HostArray) -> KernelFactor | None:
        """Factorise with one and the same ``D_j`` for every weight; `Model.factor`."""
        ridge = damping * float(scale[0]) ** 2
        if not ridge > 0.0:
            return None
        found = None
        if len(self.r) >= _MANY and self.trace <= _WELL_CONDITIONED * ridge:
            found = self._factor(ridge, _SINGLE)
        return self.exact_factor(ridge) if found is None else found

    def exact_factor(self, ridge: float) -> KernelFactor | None:
        """The factor in double precision; None if there is none."""
        return self._factor(ridge, _DOUBLE)

    def _factor(self, ridge: float, dtype: np.dtype) -> KernelFactor | None:
        shift = ridge + self.penalty
        M = self.kernels.of(self.rows, dtype).of(self.rows, float(shift.max()), ridge)
        potrf = lapack.spotrf if dtype == _SINGLE else lapack.dpotrf
        L, info = potrf(M, lower=1, overwrite_a=1, clean=0)
        return KernelFactor(self, ridge, shift, L) if info == 0 else None

    def change(self, p: HostArray) -> Values:
        """``J p``, kept for the last ``p``."""
        if self._latest is None or self._latest[0] is not p:
            self._latest = p, self.rows.times(p, self.sizes)
        return self._latest[1]

    def length2(self, p: HostArray) -> float:
        """``|J p|^2``, the penalty's rows among ``J``."""
        change = self.change(p)
        return float(np.dot(change, change)) + float((self.penalty * p) @ p)

    def restrict(self, free: HostArray, p: HostArray) -> Model:
        """Networks are trained without bounds."""
        raise NotImplementedError("the weights of a network have no bounds")

    def covariance(self) -> None:
        """Not to be had: with more weights than residuals there is none."""


@dataclass(frozen=True)
class KernelFactor:
    """``C = J'J + S`` by Cholesky's factor ``L L'`` of ``M = I + J S^-1 J'``."""

    model: KernelModel
    ridge: float
    shift: Vector
    L: Values

    def solve(self) -> HostArray:
        """``-C^-1 g``; with ``g = J'r + q`` written so that no large terms cancel."""
        return self._solved(self.model.r, self.model.pull, self.model.g)

    def inverse_norm2(self, v: HostArray) -> float:
        """``v'C^-1 v``."""
        return float(v @ self.correction(v))

    def correction(self, v: HostArray) -> HostArray:
        """``C^-1 v``."""
        return self._solved(np.zeros_like(self.model.r), -v, -v)

    def weights_trace(self, is_weight: Vector) -> float:
        """The trace of ``C^-1`` over the weights, biases left out.

        ``M^-1 (M - I)`` has the trace ``m - tr M^-1``, and ``|L^-1 Delta|^2 / s_b`` is the biases' part.
        """
        exact = self if self.L.dtype == _DOUBLE else self.model.exact_factor(self.ridge)
        if exact is None:
            return math.nan
        inverse = np.tril(lapack.dtrtri(exact.L, lower=1)[0])
        determined = len(inverse) - float(np.vdot(inverse, inverse))
        for delta in self.model.rows.deltas:
            part = inverse @ delta
            determined -= float(np.vdot(part, part)) / self.ridge
        return (float(is_weight.sum()) - determined) / float(self.shift.max())

    def _solved(self, r: Vector, q: HostArray, g: HostArray) -> HostArray:
        """``-C^-1 g`` of ``g = J'r + q``."""
        away = q / self.shift
        if self.L.dtype == _DOUBLE:
            return self._step(away, self._inverse(r - self.model.change(away)))
        p = self._corrected(r, away, g)
        if p is not None:
            return p
        exact = self.model.exact_factor(self.ridge)
        return np.full_like(g, np.nan) if exact is None else exact._solved(r, q, g)

    def _corrected(self, r: Vector, away: HostArray, g: HostArray) -> HostArray | None:
        """The same in single precision, corrected; None if that does not help."""
        left, u = r, np.zeros_like(r)
        for _ in range(_CORRECTIONS):
            u = u + self._inverse(left)
            p = self._step(away, u)
            left = r + self.model.change(p) - u
            if inner(left, left) <= _LOST * -inner(g, p):
                return p
        return None

    def _step(self, away: HostArray, u: Vector) -> HostArray:
        p: HostArray = -away - self.model.rows.transposed_times(u) / self.shift
        return p

    def _inverse(self, u: Values) -> Vector:
        """``M^-1 u``; for a single vector, two of BLAS's solutions take half the time of LAPACK's."""
        trsv = lapack.strsv if self.L.dtype == _SINGLE else lapack.dtrsv
        half = trsv(self.L, u.astype(self.L.dtype, copy=False), lower=1)
        found: Values = trsv(self.L, half, lower=1, trans=1, overwrite_x=1)
        return found.astype(np.float64, copy=False)


def influential(squares: Vector) -> Vector:
    """Norms of columns, those of saturated units not taken for lost."""
    norms = np.sqrt(np.maximum(squares, 0.0))
    return np.maximum(norms, _INFLUENCE * float(norms.max(initial=0.0)))
