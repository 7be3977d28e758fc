"""Gauss-Newton's model of a network in the space of its residuals.

A row of the Jacobian is, layer by layer, an outer product of what back-propagation has there,

    dr_i / dW_l = delta_il a_i(l-1)',   dr_i / db_l = delta_il

so that the damped step, which with fewer residuals than weights needs only the products of the rows with one
another, never needs the rows themselves:

    J D^-1 J' = sum over l of (Delta_l Delta_l') o (A_(l-1) A_(l-1)' / d_w + 1 / d_b)

element by element, because inner products of outer products are products of inner products. A step costs
(residuals)^2 units instead of residuals (weights)^2.

References
----------
Hager, *SIAM Rev.* 31, 221 (1989), the inverse of a matrix that differs from a diagonal one in few
directions; Ren & Goldfarb, arXiv:1906.02353 (2019), Gauss-Newton steps in the space of the residuals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from secant.arrays import HostArray
from secant.learn.backpropagation import Values, layers_of
from secant.leastsquares.model import Model

__all__ = ["KernelFactor", "KernelModel", "Rows", "Vector", "influential"]

Vector = NDArray[np.float64]

_INFLUENCE = 1e-5
"""A weight counts as having at least this part of the largest influence: units may saturate for a while."""


_STRIP = 32
"""Rows of a matrix of inner products that are made at a time: they stay in a cache."""


def _strips(m: int) -> Iterator[tuple[slice, slice]]:
    """The upper triangle of a square matrix in strips of rows, each from the diagonal on."""
    for start in range(0, m, _STRIP):
        yield slice(start, min(start + _STRIP, m)), slice(start, m)


@dataclass(frozen=True)
class Rows:
    """What back-propagation has of some rows of the Jacobian.

    Attributes
    ----------
    deltas : list of array, shape (residuals, units of the layer)
        ``dr / dz`` of each layer.
    below : list of array, shape (residuals, inputs of the layer)
        What each layer was given.
    """

    deltas: list[Values]
    below: list[Values]

    def jacobian(self) -> Values:
        """The rows written down, shape (residuals, weights)."""
        m = len(self.deltas[0])
        pairs = list(zip(self.deltas, self.below, strict=True))
        n = sum(d.shape[1] * (a.shape[1] + 1) for d, a in pairs)
        J = np.empty((m, n), self.deltas[0].dtype)
        start = 0
        for delta, below in pairs:
            units, inputs = delta.shape[1], below.shape[1]
            middle = start + units * inputs
            part = J[:, start:middle].reshape(
                m, units, inputs
            )  # a view: only the last axis is split
            np.multiply(delta[:, :, None], below[:, None, :], out=part)
            J[:, middle : middle + units] = delta
            start = middle + units
        return J

    def times(self, v: Values, sizes: tuple[int, ...]) -> Values:
        """``J v``."""
        total = np.zeros(len(self.deltas[0]), self.deltas[0].dtype)
        layers = layers_of(v.astype(total.dtype, copy=False), sizes)
        for delta, below, (V, change) in zip(self.deltas, self.below, layers, strict=True):
            total += np.einsum("ij,ij->i", below @ V.T, delta)
            total += delta @ change
        return total

    def transposed_times(self, u: Values) -> Vector:
        """``J'u``."""
        u = u.astype(self.deltas[0].dtype, copy=False)
        parts = []
        for delta, below in zip(self.deltas, self.below, strict=True):
            parts += [((u[:, None] * delta).T @ below).ravel(), u @ delta]
        return np.concatenate(parts).astype(np.float64, copy=False)

    def squares(self) -> Vector:
        """The squared norms of the Jacobian's columns."""
        parts = []
        for delta, below in zip(self.deltas, self.below, strict=True):
            square = np.square(delta)
            parts += [(square.T @ np.square(below)).ravel(), square.sum(axis=0)]
        return np.concatenate(parts).astype(np.float64, copy=False)

    def kernels(self, in_weights: Vector, in_biases: Vector) -> None:
        """Write the inner products of the rows, in the weights and in the biases: upper triangles."""
        for rows, columns in _strips(len(self.deltas[0])):
            weights, biases = in_weights[rows, columns], in_biases[rows, columns]
            weights.fill(0.0)
            biases.fill(0.0)
            for delta, below in zip(self.deltas, self.below, strict=True):
                products = delta[rows] @ delta[columns].T
                biases += products
                products *= below[rows] @ below[columns].T
                weights += products


class Kernels:
    """Memory for the inner products of one set of rows at a time: fresh memory costs more than they do."""

    def __init__(self) -> None:
        self._rows: Rows | None = None
        self._pair: tuple[Vector, Vector] | None = None

    def of(self, rows: Rows) -> tuple[Vector, Vector]:
        """Inner products of the rows, in the weights and in the biases: upper triangles."""
        m = len(rows.deltas[0])
        if self._pair is None or len(self._pair[0]) != m:
            self._pair = np.zeros((m, m)), np.zeros((m, m))
            self._rows = None
        if self._rows is not rows:
            rows.kernels(*self._pair)
            self._rows = rows
        return self._pair


class KernelModel:
    """Gauss-Newton's model of fewer residuals than weights; see the module's first lines.

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
    memory : Kernels, optional
        That the models of one training share.
    """

    def __init__(
        self,
        rows: Rows,
        r: Vector,
        x: Vector,
        sizes: tuple[int, ...],
        penalty: Vector,
        memory: Kernels | None = None,
    ) -> None:
        self.rows, self.r, self.sizes, self.penalty = rows, r, sizes, penalty
        self.memory = Kernels() if memory is None else memory
        self.pull = penalty * x
        self.g: Vector = rows.transposed_times(r) + self.pull
        self.column_norms: Vector = influential(rows.squares() + penalty)
        self.floor = 10.0 * len(x) * float(np.finfo(rows.deltas[0].dtype).eps)

    def with_penalty(self, x: Vector, penalty: Vector) -> KernelModel:
        """The same rows under another penalty."""
        return KernelModel(self.rows, self.r, x, self.sizes, penalty, self.memory)

    def factor(self, damping: float, scale: HostArray) -> KernelFactor | None:
        """Factorise with one and the same ``D_j`` for every weight; `Model.factor`."""
        ridge = damping * float(scale[0]) ** 2
        if not ridge > 0.0:
            return None
        shift = ridge + self.penalty
        in_weights, in_biases = self.memory.of(self.rows)
        A = np.empty_like(in_weights)
        for strip in _strips(len(A)):
            part = A[strip]
            np.multiply(in_weights[strip], 1.0 / float(shift.max()), out=part)
            part += in_biases[strip] * (1.0 / ridge)
        A.reshape(-1)[:: len(A) + 1] += 1.0
        L, info = lapack.dpotrf(A.T, lower=1, overwrite_a=1, clean=0)
        return KernelFactor(self, shift, L) if info == 0 else None

    def length2(self, p: HostArray) -> float:
        """``|J p|^2``, the penalty's rows among ``J``."""
        change = self.rows.times(p, self.sizes)
        return float(np.dot(change, change)) + float((self.penalty * p) @ p)

    def restrict(self, free: HostArray, p: HostArray) -> Model:
        """Networks are trained without bounds."""
        raise NotImplementedError("the weights of a network have no bounds")

    def covariance(self) -> None:
        """Not to be had: there are more weights than residuals."""


@dataclass(frozen=True)
class KernelFactor:
    """``C = J'J + S``, with a diagonal ``S``, by Cholesky's factor ``L L'`` of ``M = I + J S^-1 J'``."""

    model: KernelModel
    shift: Vector
    L: Vector

    def solve(self) -> HostArray:
        """``-C^-1 g``; with ``g = J'r + q`` written so that no large terms cancel."""
        model = self.model
        away = model.pull / self.shift
        rest = self._inverse(model.r - model.rows.times(away, model.sizes))
        return -away - model.rows.transposed_times(rest) / self.shift

    def inverse_norm2(self, v: HostArray) -> float:
        """``v'C^-1 v``."""
        return float(v @ self.correction(v))

    def correction(self, v: HostArray) -> HostArray:
        """``C^-1 v``."""
        v = v / self.shift
        rest = self._inverse(self.model.rows.times(v, self.model.sizes))
        return v - self.model.rows.transposed_times(rest) / self.shift

    def weights_trace(self, is_weight: Vector) -> float:
        """The trace of ``C^-1`` over the weights, biases left out."""
        in_weights, _ = self.model.memory.of(self.model.rows)
        shift = float(self.shift.max())
        inverse, _ = lapack.dpotri(self.L, lower=1)
        half = np.triu(inverse.T)
        products = 2.0 * float(np.vdot(half, in_weights))
        products -= float(half.diagonal() @ in_weights.diagonal())
        return float(is_weight.sum()) / shift - products / shift**2

    def _inverse(self, u: Values) -> Vector:
        found: Vector = lapack.dpotrs(self.L, u.astype(np.float64, copy=False), lower=1)[0]
        return found


def influential(squares: Vector) -> Vector:
    """Norms of columns, those of saturated units not taken for lost."""
    norms = np.sqrt(np.maximum(squares, 0.0))
    return np.maximum(norms, _INFLUENCE * float(norms.max(initial=0.0)))
