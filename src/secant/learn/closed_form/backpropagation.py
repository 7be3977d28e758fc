"""A perceptron's outputs and all the derivatives it can be asked for, in closed form.

    a_0 = inputs,   z_l = a_(l-1) W_l' + b_l,   a_l = phi(z_l),   outputs = z_L

    delta_L = d cost / d outputs,   delta_(l-1) = (delta_l W_l) phi'(z_(l-1))
    d cost / d W_l = delta_l' a_(l-1),   d cost / d b_l = sum of the rows of delta_l

Everything is a product of matrices with its result written into a workspace, because autograd's
bookkeeping costs more than the arithmetic of a network of this kind. The weights are views into one
flat vector in the order of the module's parameters: W_1, b_1, W_2, b_2, ...

References
----------
Rumelhart, Hinton & Williams, *Nature* 323, 533 (1986); Pearlmutter, *Neural Comput.* 6, 147 (1994), the
R-operator; Schraudolph, *Neural Comput.* 14, 1723 (2002), products with the Gauss-Newton matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from secant.learn.activations import Activation

__all__ = ["Backpropagation", "Layer", "layers_of"]

Values = NDArray[np.floating]

Layer = tuple[Values, Values]
"""Weights, shape (outputs, inputs), and biases."""


def layers_of(x: Values, sizes: Sequence[int]) -> list[Layer]:
    """Weights and biases of each layer as views into the flat vector ``x``."""
    layers: list[Layer] = []
    start = 0
    for inputs, outputs in pairwise(sizes):
        middle = start + inputs * outputs
        end = middle + outputs
        layers.append((x[start:middle].reshape(outputs, inputs), x[middle:end]))
        start = end
    return layers


class Backpropagation:
    """Passes through a network for blocks of up to ``rows`` rows.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden units of each layer, outputs.
    activation : Activation
    rows : int
        Most rows of one block: the size of the workspaces.
    dtype : dtype
        float64 or float32.

    Notes
    -----
    The outputs and everything `backward` is given are overwritten by the next pass.
    """

    def __init__(
        self, sizes: Sequence[int], activation: Activation, rows: int, dtype: np.dtype
    ) -> None:
        self.sizes = tuple(sizes)
        self.activation = activation
        self.rows = rows
        hidden = self.sizes[1:-1]
        self._a: list[Values] = [np.empty((rows, units), dtype) for units in hidden]
        kept = activation.keeps_input
        self._z: list[Values] = [np.empty_like(a) for a in self._a] if kept else self._a
        self._delta: list[Values] = [np.empty((rows, units), dtype) for units in hidden]
        self._outputs: Values = np.empty((rows, self.sizes[-1]), dtype)
        self._ones: Values = np.ones(rows, dtype)
        self._part: Values = np.empty(max(a * b for a, b in pairwise(self.sizes)), dtype)

    # ------------------------------------------------------------------------------ first derivatives

    def forward(self, layers: list[Layer], inputs: Values) -> Values:
        """The outputs, shape (rows, outputs)."""
        count, values = len(inputs), inputs
        *hidden, (W, b) = layers
        for (weights, biases), z, a in zip(hidden, self._z, self._a, strict=True):
            z, a = z[:count], a[:count]
            np.matmul(values, weights.T, out=z)
            z += biases
            self.activation.apply(z, a)
            values = a
        outputs = self._outputs[:count]
        np.matmul(values, W.T, out=outputs)
        outputs += b
        return outputs

    def backward(
        self,
        layers: list[Layer],
        inputs: Values,
        delta: Values,
        gradient: list[Layer],
        is_first: bool = False,
    ) -> None:
        """Add the gradient of the cost whose derivatives by the last `outputs` are ``delta``.

        Uses up the workspaces of the last `forward`. The first block overwrites ``gradient``.
        """
        put = self._set_products if is_first else self._add_products
        count = len(inputs)
        for place in range(len(layers) - 1, -1, -1):
            below = self._a[place - 1][:count] if place else inputs
            put(delta, below, gradient[place])
            if place:
                following = self._delta[place - 1][:count]
                _times(delta, layers[place][0], following)
                # a is not needed any more, and its memory is warm
                self.activation.slope(self._z[place - 1][:count], below, below)
                following *= below
                delta = following

    def _set_products(self, delta: Values, below: Values, into: Layer) -> None:
        weights, biases = into
        np.matmul(delta.T, below, out=weights)
        np.matmul(self._ones[: len(delta)], delta, out=biases)

    def _add_products(self, delta: Values, below: Values, into: Layer) -> None:
        weights, biases = into
        part = self._part[: weights.size].reshape(weights.shape)
        np.matmul(delta.T, below, out=part)
        weights += part
        biases += self._ones[: len(delta)] @ delta

    # ----------------------------------------------------------------------- slopes, kept for products

    def slopes(self, count: int) -> list[Values]:
        """``phi'(z)`` of each hidden layer after `forward`, in arrays of their own."""
        found: list[Values] = []
        for z, a in zip(self._z, self._a, strict=True):
            slope = np.empty((count, a.shape[1]), a.dtype)
            self.activation.slope(z[:count], a[:count], slope)
            found.append(slope)
        return found

    def bends(self, count: int) -> list[Values]:
        """``phi''(z)`` of each hidden layer after `forward`."""
        pairs = zip(self._z, self._a, strict=True)
        return [self.activation.bend(z[:count], a[:count]) for z, a in pairs]

    def below(self, inputs: Values) -> list[Values]:
        """What each layer was given in the last `forward`: views, valid until the next."""
        return [inputs, *(a[: len(inputs)] for a in self._a)]

    def deltas(self, layers: list[Layer], delta: Values, slopes: list[Values]) -> list[Values]:
        """``d cost / d z_l`` of every layer, in new arrays, from that of the outputs."""
        found = [delta]
        for place in range(len(layers) - 1, 0, -1):
            following = np.empty_like(slopes[place - 1])
            _times(found[0], layers[place][0], following)
            following *= slopes[place - 1]
            found.insert(0, following)
        return found

    # ------------------------------------------------------------------------------------- products

    def product(
        self,
        layers: list[Layer],
        inputs: Values,
        along: list[Layer],
        curvature: Callable[[Values], Values],
        into: list[Layer],
        delta: Values | None = None,
    ) -> None:
        """Add the Gauss-Newton matrix, or with ``delta`` the Hessian, times a vector.

        Parameters
        ----------
        layers, inputs
            Those of the last `forward`, whose workspaces must be as it left them.
        along : list of layers
            The vector.
        curvature : callable
            The second derivative of the cost by the outputs, times a change of the outputs.
        into : list of layers
            Where the product is added.
        delta : array, shape (rows, outputs), optional
            The first derivative by the outputs.
        """
        count = len(inputs)
        slopes, below = self.slopes(count), self.below(inputs)
        changes_z, changes_a = self._forward_changes(layers, along, slopes, below)
        change = curvature(changes_z[-1])
        deltas = bends = None
        if delta is not None:
            deltas, bends = self.deltas(layers, delta, slopes), self.bends(count)
        for place in range(len(layers) - 1, -1, -1):
            self._add_products(change, below[place], into[place])
            coming_in = changes_a[place]
            if deltas is not None and coming_in is not None:
                into[place][0][...] += deltas[place].T @ coming_in
            if place:
                following = np.empty_like(slopes[place - 1])
                _times(change, layers[place][0], following)
                following *= slopes[place - 1]
                if deltas is not None and bends is not None:
                    following += slopes[place - 1] * (deltas[place] @ along[place][0])
                    coming = deltas[place] @ layers[place][0]
                    following += coming * bends[place - 1] * changes_z[place - 1]
                change = following

    def _forward_changes(
        self,
        layers: list[Layer],
        along: list[Layer],
        slopes: list[Values],
        below: list[Values],
    ) -> tuple[list[Values], list[Values | None]]:
        """How z of each layer, and what each layer is given, change along the vector."""
        changes_z: list[Values] = []
        changes_a: list[Values | None] = [None]
        for place, ((W, _), (V, v)) in enumerate(zip(layers, along, strict=True)):
            change = below[place] @ V.T
            change += v
            coming = changes_a[place]
            if coming is not None:
                change += coming @ W.T
            changes_z.append(change)
            if place < len(slopes):
                changes_a.append(slopes[place] * change)
        return changes_z, changes_a


def _times(delta: Values, weights: Values, out: Values) -> None:
    """``delta W``; for a single output an outer product, which is faster than BLAS's."""
    if delta.shape[1] == 1:
        np.multiply(delta, weights, out=out)
    else:
        np.matmul(delta, weights, out=out)
