"""The loss index of a perceptron as a function of one flat vector, in closed form.

    f(x) = error(outputs(x), targets) + regularisation(x)

Rows pass through the network in blocks whose activations stay in a cache of the processor; what they
add to the gradient is summed up. One block's workspace is all the memory there is beyond the data.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from secant.learn.activations import ACTIVATIONS
from secant.learn.closed_form.backpropagation import Backpropagation, Values, layers_of
from secant.learn.closed_form.rows import Rows
from secant.learn.error_terms import SquaredTerm, Targets
from secant.learn.loss import LossIndex
from secant.learn.network import Perceptron

__all__ = ["Block", "Objective", "has_closed_form", "weights_of"]

_CACHE = 200_000
"""Numbers in the workspaces of a block, about: 1.6 MB in float64."""


@dataclass(frozen=True)
class Block:
    """Some rows: inputs, encoded targets and weights."""

    inputs: Values
    targets: Targets
    weights: Values | None


class Objective:
    """Value, gradient and products with second derivatives of the loss index on some rows.

    Parameters
    ----------
    network : Perceptron
        Only its sizes and its activation are looked at.
    index : LossIndex
        Fitted to the training targets.
    inputs, targets : tensor
        On the CPU; the inputs' dtype is that of all arithmetic.
    weights : tensor, shape (rows,), optional
        Of the rows.

    Examples
    --------
    >>> import torch
    >>> from secant.learn import LossIndex, Perceptron
    >>> from secant.learn.error_terms import MeanSquared
    >>> network = Perceptron((2, 3, 1), seed=0)
    >>> x, y = torch.ones(5, 2, dtype=torch.float64), torch.ones(5, 1, dtype=torch.float64)
    >>> objective = Objective(network, LossIndex(MeanSquared()), x, y)
    >>> f, g = objective(weights_of(network))
    >>> g.shape
    (13,)
    """

    def __init__(
        self,
        network: Perceptron,
        index: LossIndex,
        inputs: Tensor,
        targets: Tensor,
        weights: Tensor | None = None,
    ) -> None:
        self.index = index
        self._regularisation = index.regularisation
        self.sizes = network.sizes
        data = inputs.detach().numpy()
        self.dtype = data.dtype
        units = 2 * sum(self.sizes[1:])
        rows = max(1, min(len(data), max(_CACHE // units, 64)))
        self.passes = Backpropagation(self.sizes, ACTIVATIONS[network.activation], rows, self.dtype)
        self._inputs: Values = np.ascontiguousarray(data)
        encoded = index.error.encoded(targets.detach().numpy(), self.dtype, self.sizes[-1])
        self._targets: Targets = encoded
        self._weights: Values | None = None
        amount = float(len(data))
        if weights is not None:
            self._weights = weights.detach().numpy().astype(self.dtype, copy=False)
            amount = float(weights.sum())
        self.divisor = index.error.divisor(amount, self.sizes[-1])
        self.is_weight = is_weight(network, self.dtype)
        self._g: Values = np.empty_like(self.is_weight)
        self._gradient = layers_of(self._g, self.sizes)

    def __len__(self) -> int:
        return len(self._inputs)

    def blocks(self) -> Iterator[Block]:
        """The rows, as many at a time as the workspaces hold."""
        step = self.passes.rows
        for start in range(0, len(self._inputs), step):
            part = slice(start, start + step)
            weights = None if self._weights is None else self._weights[part]
            yield Block(self._inputs[part], self._targets[part], weights)

    def __call__(self, x: Values) -> tuple[float, Values]:
        """``f`` without the part that has no gradient, and ``g``, which the next call overwrites."""
        layers, term = layers_of(x, self.sizes), self.index.error
        total, g = 0.0, self._g
        with np.errstate(all="ignore"):  # what is not finite is judged by who called
            for place, block in enumerate(self.blocks()):
                outputs = self.passes.forward(layers, block.inputs)
                costs, slope = term.closed_form(outputs, block.targets)
                total += _sum(costs, block.weights)
                slope *= _shares(block, self.divisor)
                self.passes.backward(layers, block.inputs, slope, self._gradient, place == 0)
            self._regularisation.add_gradient(x, self.is_weight, g)
            penalty = self._regularisation.smooth_value(x, self.is_weight)
            return total / self.divisor + penalty, g

    def error(self, x: Values) -> float:
        """The error term alone."""
        layers, total = layers_of(x, self.sizes), 0.0
        with np.errstate(all="ignore"):
            for block in self.blocks():
                outputs = self.passes.forward(layers, block.inputs)
                costs, _ = self.index.error.closed_form(outputs, block.targets)
                total += _sum(costs, block.weights)
        return total / self.divisor

    def penalty(self, x: Values) -> float:
        """The regularisation term alone."""
        return self._regularisation.value(x, self.is_weight)

    # ------------------------------------------------------------------------------------ variations

    def selected(self, rows: NDArray[np.intp]) -> Objective:
        """The same on some of the rows, sharing the workspaces; the penalty is as it was."""
        part = copy.copy(self)
        part._inputs = self._inputs[rows]
        part._targets = self._targets[rows]
        amount = float(len(rows))
        if self._weights is not None:
            part._weights = self._weights[rows]
            amount = float(part._weights.sum())
        part.divisor = self.index.error.divisor(amount, self.sizes[-1])
        return part

    def in_single(self) -> Objective:
        """The same in float32, with data and workspaces of its own."""
        part, single = copy.copy(self), np.dtype(np.float32)
        part.dtype = single
        part.passes = Backpropagation(self.sizes, self.passes.activation, self.passes.rows, single)
        with np.errstate(over="ignore"):  # what is not finite is judged by who calls
            part._inputs = self._inputs.astype(single)
            if np.issubdtype(self._targets.dtype, np.floating):
                part._targets = self._targets.astype(single)
        if self._weights is not None:
            part._weights = self._weights.astype(single)
        part.is_weight = self.is_weight.astype(single)
        part._g = np.empty_like(part.is_weight)
        part._gradient = layers_of(part._g, self.sizes)
        return part

    def with_index(self, index: LossIndex) -> Objective:
        """The same with another regularisation."""
        other = copy.copy(self)
        other.index = index
        other._regularisation = index.regularisation
        return other

    # ------------------------------------------------------------------------- second derivatives

    def hessian_product(self, x: Values, v: Values) -> Values:
        """The Hessian at ``x`` times ``v``, in a new array."""
        return self._product(x, v, whole=True)

    def gauss_newton_product(self, x: Values, v: Values) -> Values:
        """The Gauss-Newton matrix at ``x`` times ``v``, with the penalty's Hessian."""
        return self._product(x, v, whole=False)

    def gradient_squares(self, x: Values) -> Values:
        """``sum_i w_i g_i o g_i`` of the rows' costs, and the diagonal of the penalty's Hessian."""
        layers, total = layers_of(x, self.sizes), np.zeros_like(x)
        with np.errstate(all="ignore"):
            for block in self.blocks():
                outputs = self.passes.forward(layers, block.inputs)
                seed = self.index.error.closed_form(outputs, block.targets)[1]
                seed *= np.sqrt(_shares(block, self.divisor))
                deltas = self.passes.deltas(layers, seed, self.passes.slopes(len(outputs)))
                total += Rows(deltas, self.passes.below(block.inputs)).squares()
            self._regularisation.add_product(x, self.is_weight, np.ones_like(x), total)
        return total

    def _product(self, x: Values, v: Values, whole: bool) -> Values:
        layers, along = layers_of(x, self.sizes), layers_of(v, self.sizes)
        product = np.zeros_like(x)
        into = layers_of(product, self.sizes)
        with np.errstate(all="ignore"):
            for block in self.blocks():
                outputs = self.passes.forward(layers, block.inputs).copy()
                share = _shares(block, self.divisor)
                delta = None
                if whole:
                    delta = share * self.index.error.closed_form(outputs, block.targets)[1]
                bend = self._curvature(outputs, block.targets, share, whole)
                self.passes.product(layers, block.inputs, along, bend, into, delta)
            self._regularisation.add_product(x, self.is_weight, v, product)
        return product

    def _curvature(
        self, outputs: Values, targets: Targets, share: Values | float, whole: bool
    ) -> Callable[[Values], Values]:
        term = self.index.error
        second = (
            term.gauss_newton if isinstance(term, SquaredTerm) and not whole else term.curvature
        )
        return lambda change: share * second(outputs, targets, change)


def _sum(costs: Values, weights: Values | None) -> float:
    """The weighted sum of the costs, added up in float64."""
    if weights is None:
        return float(np.add.reduce(costs, dtype=np.float64))
    return float(np.dot(costs.astype(np.float64), weights))


def _shares(block: Block, divisor: float) -> Values | float:
    """What each row's cost counts in the error."""
    return 1.0 / divisor if block.weights is None else block.weights[:, None] / divisor


def is_weight(network: Perceptron, dtype: np.dtype) -> Values:
    """1 for each weight and 0 for each bias, in the order of the flat vector."""
    flags: Values = np.zeros(network.count, dtype)
    for weights, _ in layers_of(flags, network.sizes):
        weights.fill(1.0)
    return flags


def weights_of(network: Perceptron) -> Values:
    """The network's weights and biases as one new flat array."""
    with torch.no_grad():
        flat: Values = torch.cat([part.reshape(-1) for part in network.tensors()]).cpu().numpy()
    return flat


def set_weights(network: Perceptron, x: Values) -> None:
    """Fill the network's weights and biases with those of a flat array."""
    network.fill(part for layer in layers_of(x, network.sizes) for part in layer)


def has_closed_form(network: object, inputs: Tensor) -> bool:
    """Whether `Objective` can stand for autograd: a plain perceptron, on the CPU."""
    return (
        type(network) is Perceptron
        and inputs.device.type == "cpu"
        and inputs.dtype in (torch.float32, torch.float64)
        and all(p.device.type == "cpu" and p.dtype == inputs.dtype for p in network.tensors())
    )
