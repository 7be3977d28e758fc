"""Inner products of the rows of a network's Jacobian.

    J S^-1 J' = sum over l of (Delta_l Delta_l') o (A_(l-1) A_(l-1)' / s_w + 1 / s_b)

element by element, with one number ``s_w`` for all weights and one for all biases: inner products of outer
products are products of inner products. All matrices are symmetric; their lower triangles are made.
"""

from __future__ import annotations

import math

import numpy as np

from secant.learn.closed_form.backpropagation import Values
from secant.learn.closed_form.rows import Rows
from secant.leastsquares import lapack

__all__ = ["DampedKernel"]


class DampedKernel:
    """``M = I + J S^-1 J'`` of the Jacobians of one training, one after the other in the same memory.

    Parameters
    ----------
    rows : Rows
        One of the Jacobians; of the others the layers have as many units.
    dtype : dtype
        Of the matrix and of all arithmetic.
    """

    def __init__(self, rows: Rows, dtype: np.dtype) -> None:
        m, self._dtype = len(rows), dtype
        # one block, which the C library keeps for the next training: fresh memory costs more than what is
        # computed in it; zeros, for products of whole matrices take along what is above the diagonal
        parts = any(delta.shape[1] > 1 for delta in rows.deltas[1:])
        memory = np.zeros((3 if parts else 2, m, m), dtype)
        self._matrix: Values = memory[0].T
        self._other: Values = memory[1].T
        self._part: Values = memory[-1].T  # another one where it is written to

    def of(self, rows: Rows, weights: float, biases: float) -> Values:
        """The lower triangle of ``M``, valid until the next call.

        Parameters
        ----------
        rows : Rows
            ``J``.
        weights, biases : float
            ``S`` of the weights and of the biases.
        """
        M, bias = self._matrix, math.sqrt(weights / biases)
        with np.errstate(all="ignore"):  # what is not finite is told from the steps
            for place, (delta, below) in enumerate(zip(rows.deltas, rows.below, strict=True)):
                scaled = delta.astype(self._dtype)
                scaled *= 1.0 / math.sqrt(weights)
                given = _beside(below, bias, self._dtype)
                if place == 0:
                    self._write_product(scaled, given, M)
                elif delta.shape[1] == 1:  # products of numbers: one matrix instead of two
                    given *= scaled
                    _multiply(given, M, 1.0)
                else:
                    self._write_product(scaled, given, self._part)
                    np.add(M, self._part, out=M)
        M.reshape(-1, order="F")[:: len(M) + 1] += 1.0
        return M

    def _write_product(self, V: Values, W: Values, out: Values) -> None:
        """``(V V') o (W W')``."""
        _multiply(V, out)
        _multiply(W, self._other)
        np.multiply(out, self._other, out=out)


def _multiply(V: Values, out: Values, kept: float = 0.0) -> None:
    """``V V' + kept * out``, in place."""
    syrk = lapack.ssyrk if out.dtype == np.float32 else lapack.dsyrk
    syrk(1.0, V.T, kept, out, 1, 1, 1)  # transposed, lower, in place


def _beside(values: Values, number: float, dtype: np.dtype) -> Values:
    """The values and a column of one number, whose square an inner product then has added."""
    whole = np.empty((len(values), values.shape[1] + 1), dtype)
    whole[:, :-1] = values
    whole[:, -1] = number
    return whole
