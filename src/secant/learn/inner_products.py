"""Inner products of the rows of a network's Jacobian.

    J S^-1 J' = sum over l of (Delta_l Delta_l') o (A_(l-1) A_(l-1)' / s_w + 1 / s_b)

element by element, with one number ``s_w`` for all weights and one for all biases: inner products of outer
products are products of inner products. The matrix is made in strips of rows that stay in a cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from secant.learn.backpropagation import Values
from secant.learn.rows import Rows

__all__ = ["DampedKernel"]

_STRIP = 84
"""Rows that are made at a time: fewer keep BLAS from its speed, more leave the cache."""


@dataclass(frozen=True)
class _Strip:
    """Some rows of the upper triangle, from the diagonal on."""

    number: int
    rows: slice
    columns: slice


def _strips(m: int) -> Iterator[_Strip]:
    for number, start in enumerate(range(0, m, _STRIP)):
        yield _Strip(number, slice(start, min(start + _STRIP, m)), slice(start, m))


class _Products:
    """``V V'``, strip by strip."""

    def __init__(self, values: Values) -> None:
        self._left = values
        self._right = np.ascontiguousarray(values.T)

    def write(self, strip: _Strip, out: Values) -> None:
        np.matmul(self._left[strip.rows], self._right[:, strip.columns], out=out)


class _OfInputs:
    """``A_0 A_0' + bias``, whose products never change."""

    def __init__(self, inputs: Values) -> None:
        self.bias = 1.0
        self._strips: list[Values] = []
        products = _Products(inputs)
        for strip in _strips(len(inputs)):
            out = np.empty(_shape(strip), inputs.dtype)
            products.write(strip, out)
            self._strips.append(out)

    def write(self, strip: _Strip, out: Values) -> None:
        np.add(self._strips[strip.number], self.bias, out=out)


Factors = tuple[_Products | _OfInputs, ...]
"""Matrices whose product, element by element, is a layer's part."""


class DampedKernel:
    """``M = I + J S^-1 J'`` of the Jacobians of one training, one after the other in the same memory.

    Parameters
    ----------
    inputs : array, shape (residuals, inputs)
        Of the network, the same for all Jacobians.
    dtype : dtype
        Of the matrix and of all arithmetic.
    """

    def __init__(self, inputs: Values, dtype: np.dtype) -> None:
        m = len(inputs)
        self._dtype = dtype
        with np.errstate(all="ignore"):  # what is not finite is told from the steps
            self._inputs = _OfInputs(inputs.astype(dtype, copy=False))
        self._matrix: Values = np.empty((m, m), dtype)
        self._work: Values = np.empty((3, min(m, _STRIP) * m), dtype)

    def of(self, rows: Rows, weights: float, biases: float) -> Values:
        """The upper triangle of ``M``, valid until the next call.

        Parameters
        ----------
        rows : Rows
            ``J``.
        weights, biases : float
            ``S`` of the weights and of the biases.
        """
        with np.errstate(all="ignore"):
            layers = self._layers(rows, weights, weights / biases)
            for strip in _strips(len(rows)):
                self._write_sum(layers, strip, self._matrix[strip.rows, strip.columns])
        self._matrix.reshape(-1)[:: len(rows) + 1] += 1.0
        return self._matrix

    def _layers(self, rows: Rows, weights: float, bias: float) -> list[Factors]:
        """The layers' factors: a column of ``sqrt(bias)`` beside what a layer was given adds ``bias``."""
        layers: list[Factors] = []
        for place, (delta, below) in enumerate(zip(rows.deltas, rows.below, strict=True)):
            scaled = delta.astype(self._dtype)
            scaled *= 1.0 / math.sqrt(weights)
            if place == 0:
                self._inputs.bias = bias
                layers.append((_Products(scaled), self._inputs))
                continue
            given = np.empty((len(below), below.shape[1] + 1), self._dtype)
            given[:, :-1] = below
            given[:, -1] = math.sqrt(bias)
            if delta.shape[1] == 1:  # products of numbers: one matrix instead of two
                given *= scaled
                layers.append((_Products(given),))
            else:
                layers.append((_Products(scaled), _Products(given)))
        return layers

    def _write_sum(self, layers: list[Factors], strip: _Strip, out: Values) -> None:
        """The layers' parts are added up in contiguous memory, where that takes half the time."""
        total, part, other = (memory[: out.size].reshape(out.shape) for memory in self._work)
        _write_product(layers[0], strip, total, other)
        for layer in layers[1:-1]:
            _write_product(layer, strip, part, other)
            total += part
        if len(layers) == 1:
            out[...] = total
        else:
            _write_product(layers[-1], strip, part, other)
            np.add(total, part, out=out)


def _write_product(factors: Factors, strip: _Strip, out: Values, work: Values) -> None:
    first, *others = factors
    first.write(strip, out)
    for factor in others:
        factor.write(strip, work)
        out *= work


def _shape(strip: _Strip) -> tuple[int, int]:
    return (
        strip.rows.stop - strip.rows.start,
        strip.columns.stop - strip.columns.start,
    )
