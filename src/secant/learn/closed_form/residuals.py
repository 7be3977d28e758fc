"""The residuals of a perceptron's squared errors, and the rows of their Jacobian.

    error + l2 |w|^2 = 1/2 |r|^2,   r_i = sqrt(2 w_i / N) (prediction_i - t_i)

One for each row and output, and with a penalty one for each weight, ``sqrt(2 l2) w_j``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from secant.arrays import Array, HostArray
from secant.learn.closed_form.backpropagation import Backpropagation, Layer, Values, layers_of
from secant.learn.closed_form.objective import Block, Objective
from secant.learn.closed_form.rows import Rows
from secant.learn.error_terms import SquaredTerm
from secant.learn.errors import InputError

__all__ = ["NetworkResiduals", "ResidualsAt"]


class NetworkResiduals:
    """``r`` as a function of the weights.

    Parameters
    ----------
    objective : Objective
        Its error term must be a sum of squares, and its penalty one, too.

    Attributes
    ----------
    l2 : float
        The factor of the penalty.

    Raises
    ------
    InputError
        If one of them is not.
    """

    def __init__(self, objective: Objective) -> None:
        if not isinstance(objective.index.error, SquaredTerm):
            raise InputError(
                "method 'lm' needs an error that is a sum of squares, not "
                f"{objective.index.error.name}"
            )
        if objective.index.l1 or objective.index.smooth_l1:
            raise InputError("method 'lm' needs a penalty that is a sum of squares: l2 alone")
        self.objective = objective
        self.term: SquaredTerm = objective.index.error
        self.l2 = objective.index.l2
        self.is_weight = objective.is_weight.astype(np.float64)
        # of its own, for what is in the workspaces after one evaluation is used in the next
        shared = objective.passes
        self._passes = Backpropagation(
            shared.sizes, shared.activation, shared.rows, objective.dtype
        )
        self._passed: _Pass | None = None

    def __call__(self, x: Array) -> ResidualsAt:
        """Evaluate."""
        return ResidualsAt(self, x, self.at(x))

    @property
    def of_data(self) -> int:
        """How many do not belong to the penalty: one for each row and output."""
        return len(self.objective) * self.objective.sizes[-1]

    def at(self, x: Array) -> Values:
        """``r``, shape (residuals,)."""
        layers, parts = layers_of(x, self.objective.sizes), []
        with np.errstate(all="ignore"):
            for number, block in enumerate(self.objective.blocks()):
                outputs = self._forward(x, layers, number, block)
                r, _ = self.term.residuals(outputs, block.targets)
                parts.append((_roots(block, self.objective.divisor) * r).ravel())
            parts.append(self.of_penalty(x))
        return np.concatenate(parts).astype(x.dtype, copy=False)

    def of_penalty(self, x: Array) -> Array:
        """The last part of ``r``, ``sqrt(2 l2) w_j``; as it is linear, of the products ``J x``, too."""
        return self.penalty_root * x[self.penalised]

    @property
    def penalty_root(self) -> float:
        """``sqrt(2 l2)``."""
        return math.sqrt(2.0 * self.l2)

    @cached_property
    def penalised(self) -> NDArray[np.intp]:
        """Where the weights are in the flat vector."""
        return np.flatnonzero(self.is_weight)

    def rows(self, x: Array) -> Iterator[Rows]:
        """The Jacobian of the data's residuals, block by block."""
        passes, layers = self._passes, layers_of(x, self.objective.sizes)
        for number, block in enumerate(self.objective.blocks()):
            outputs = self._forward(x, layers, number, block)
            with np.errstate(all="ignore"):
                _, slope = self.term.residuals(outputs, block.targets)
            scale = _roots(block, self.objective.divisor) * (
                np.ones_like(outputs) if slope is None else slope
            )
            count, k = outputs.shape
            first = np.zeros((count, k, k), outputs.dtype)
            first[:, range(k), range(k)] = scale
            slopes = [_repeated(s, k) for s in passes.slopes(count)]
            deltas = passes.deltas(layers, first.reshape(count * k, k), slopes)
            inputs, *activations = passes.below(block.inputs)
            below = [inputs, *(a.copy() for a in activations)]  # the next pass overwrites them
            yield Rows(deltas, [_repeated(a, k) for a in below])

    def _forward(self, x: Array, layers: list[Layer], number: int, block: Block) -> Values:
        """The outputs of a block of rows; of the pass before, if that was the same one."""
        last, rows = self._passed, len(block.inputs)
        if last is not None and last.x is x and (last.block, len(last.outputs)) == (number, rows):
            return last.outputs
        self._passed = None
        self._passed = _Pass(x, number, self._passes.forward(layers, block.inputs))
        return self._passed.outputs


class _Pass(NamedTuple):
    """What is in the workspaces: which weights went through which block of rows, and the outputs."""

    x: Array
    block: int
    outputs: Values


@dataclass(frozen=True)
class ResidualsAt:
    """`Evaluation` of a network: the residuals of the data, then those of the penalty."""

    residuals: NetworkResiduals
    x: Array
    r: Array
    fits: bool = True

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """The Jacobian in blocks of rows."""
        start, n = 0, len(self.x)
        for rows in self.residuals.rows(self.x):
            J = rows.jacobian()
            yield slice(start, start + len(J)), J
            start += len(J)
        J = np.zeros((len(self.residuals.penalised), n), self.x.dtype)
        J[np.arange(len(J)), self.residuals.penalised] = self.residuals.penalty_root
        yield slice(start, start + len(J)), J

    def forward(self, v: HostArray) -> Array:
        """``J v``."""
        sizes = self.residuals.objective.sizes
        parts = [rows.times(v, sizes) for rows in self.residuals.rows(self.x)]
        return np.concatenate([*parts, self.residuals.of_penalty(v)])

    def backward(self, u: Array) -> HostArray:
        """``J'u``."""
        total, start = np.zeros(len(self.x)), 0
        for rows in self.residuals.rows(self.x):
            count = len(rows.deltas[0])
            total += rows.transposed_times(u[start : start + count])
            start += count
        total[self.residuals.penalised] += self.residuals.penalty_root * u[start:]
        return total


def _roots(block: Block, divisor: float) -> Values | float:
    """``sqrt(2 w / N)``: half the squares of the residuals then add up to the error."""
    if block.weights is None:
        return math.sqrt(2.0 / divisor)
    roots: Values = np.sqrt(2.0 / divisor * block.weights)[:, None]
    return roots


def _repeated(values: Values, times: int) -> Values:
    """Each row as often as it has outputs."""
    return values if times == 1 else np.repeat(values, times, axis=0)
