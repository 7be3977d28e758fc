"""Rows of a network's Jacobian, kept as back-propagation has them.

A row is, layer by layer, an outer product

    dr_i / dW_l = delta_il a_i(l-1)',   dr_i / db_l = delta_il

so that products with the rows, and of the rows with one another, never need them written down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from secant.learn.closed_form.backpropagation import Values, layers_of

__all__ = ["Rows", "Vector"]

Vector = NDArray[np.float64]


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

    def __len__(self) -> int:
        return len(self.deltas[0])

    def in_single(self) -> Rows:
        """The same in float32."""
        deltas = [delta.astype(np.float32, copy=False) for delta in self.deltas]
        return Rows(deltas, [below.astype(np.float32, copy=False) for below in self.below])

    def jacobian(self) -> Values:
        """The rows written down, shape (residuals, weights)."""
        m = len(self)
        pairs = list(zip(self.deltas, self.below, strict=True))
        n = sum(d.shape[1] * (a.shape[1] + 1) for d, a in pairs)
        J = np.empty((m, n), self.deltas[0].dtype)
        start = 0
        for delta, below in pairs:
            units, inputs = delta.shape[1], below.shape[1]
            middle = start + units * inputs
            # a view: only the last axis is split
            part = J[:, start:middle].reshape(m, units, inputs)
            np.multiply(delta[:, :, None], below[:, None, :], out=part)
            J[:, middle : middle + units] = delta
            start = middle + units
        return J

    def times(self, v: Values, sizes: tuple[int, ...]) -> Values:
        """``J v``."""
        total = np.zeros(len(self), self.deltas[0].dtype)
        layers = layers_of(v.astype(total.dtype, copy=False), sizes)
        for delta, below, (V, change) in zip(self.deltas, self.below, layers, strict=True):
            if len(V) == 1:
                total += (below @ V[0] + change[0]) * delta[:, 0]
            else:
                total += np.einsum("ij,ij->i", delta @ V, below)
                total += delta @ change
        return total

    def transposed_times(self, u: Values) -> Vector:
        """``J'u``."""
        u = u.astype(self.deltas[0].dtype, copy=False)
        parts = []
        for delta, below in zip(self.deltas, self.below, strict=True):
            if delta.shape[1] == 1:  # a vector, and no product of matrices
                scaled = u * delta[:, 0]
                parts += [scaled @ below, scaled.sum(keepdims=True)]
            else:
                parts += [((u[:, None] * delta).T @ below).ravel(), u @ delta]
        return np.concatenate(parts).astype(np.float64, copy=False)

    def squares(self) -> Vector:
        """The squared norms of the Jacobian's columns."""
        parts, ones = [], np.ones(len(self), self.deltas[0].dtype)
        for delta, below in zip(self.deltas, self.below, strict=True):
            square = np.square(delta)
            parts += [(square.T @ np.square(below)).ravel(), ones @ square]
        return np.concatenate(parts).astype(np.float64, copy=False)
