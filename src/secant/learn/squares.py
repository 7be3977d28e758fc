"""The squared errors of a perceptron as a least-squares problem, with the network's own Jacobian.

    f(x) = 1/2 |r|^2 = error + l2 |w|^2,   r_i = sqrt(2 w_i / N) (prediction_i - t_i)

One residual for each row and output, and with a penalty one for each weight, ``sqrt(2 l2) w_j``. With many
more residuals than weights the rows of the Jacobian are written down in blocks, and ``J'J`` is added up, in
single precision where strong damping hides the difference; else the step is found in the space of the
residuals (`secant.learn.kernel`). The gradient has all its digits in either case.

References
----------
Hagan & Menhaj, *IEEE Trans. Neural Netw.* 5, 989 (1994), Levenberg-Marquardt for networks.
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
from secant.learn.backpropagation import Backpropagation, Layer, Values, layers_of
from secant.learn.error_terms import SquaredTerm
from secant.learn.errors import InputError
from secant.learn.kernel import KernelModel, Kernels, influential
from secant.learn.objective import Block, Objective
from secant.learn.rows import Rows, Vector
from secant.leastsquares.matrix_free import InnerStops
from secant.leastsquares.model import Model
from secant.leastsquares.normal import Gram, GramBuilder
from secant.leastsquares.problem import LeastSquares, ResidualPoint, Solver

__all__ = ["NetworkResiduals", "NetworkSquares"]

_JACOBIAN = 250_000
"""Numbers in a block of rows of the Jacobian: 2 MB stay in a cache."""

_SQUARE = 1.5
"""Residuals per weight up to which a step costs less in the space of the residuals."""

_LARGE, _STRONG = 1e7, 1e-3
"""Multiplications that ``J'J`` must cost to be worth single precision, and the damping that hides it."""


class NetworkSquares(LeastSquares):
    """The squares of one training.

    Parameters
    ----------
    objective : Objective
        Its error term must be a sum of squares, and its penalty one, too.

    Raises
    ------
    InputError
        If one of them is not.
    """

    may_round = True
    """Whether single precision will do for ``J'J`` under strong damping."""

    def __init__(self, objective: Objective) -> None:
        super().__init__(self._evaluated, _no_choice)
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
        self._kernels = Kernels()
        # of its own, for what is in the workspaces after one evaluation is used in the next
        shared = objective.passes
        self._passes = Backpropagation(
            shared.sizes, shared.activation, shared.rows, objective.dtype
        )
        self._passed: _Pass | None = None

    @property
    def residuals_of_data(self) -> int:
        """One for each row and output."""
        return len(self.objective) * self.objective.sizes[-1]

    def _evaluated(self, x: Array) -> NetworkResiduals:
        return NetworkResiduals(self, x, self._residuals_at(x))

    def _residuals_at(self, x: Array) -> Values:
        layers, parts = layers_of(x, self.objective.sizes), []
        with np.errstate(all="ignore"):
            for number, block in enumerate(self.objective.blocks()):
                outputs = self._forward(x, layers, number, block)
                r, _ = self.term.residuals(outputs, block.targets)
                parts.append((_roots(block, self.objective.divisor) * r).ravel())
            parts.append(self.penalty_root * x[self.penalised])
        return np.concatenate(parts).astype(x.dtype, copy=False)

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

    def linearise(self, point: ResidualPoint) -> Model:
        """Gauss-Newton's model: of products of rows unless they are too many, else ``J'J``."""
        self.counts.njev += 1
        r = np.asarray(point.evaluation.r[: self.residuals_of_data], dtype=np.float64)
        x = np.asarray(point.x, dtype=np.float64)
        if self.residuals_of_data <= _SQUARE * len(x):
            rows = _joined(list(self.rows(point.x)))
            penalty = 2.0 * self.l2 * self.is_weight
            return KernelModel(rows, r, x, self.objective.sizes, penalty, self._kernels)
        return self._penalised(self._gram(point.x, r), x, 2.0 * self.l2)

    def _gram(self, x: Array, r: Vector) -> Gram:
        """``J'J``, in single precision where the damping hides the difference, and the exact ``J'r``."""
        n, start = len(x), 0
        single = self.may_round and self.damping > _STRONG and float(len(r)) * n * n > _LARGE
        builder, g, step = GramBuilder(n, single), np.zeros(n), max(1, _JACOBIAN // n)
        for rows in self.rows(x):
            g += rows.transposed_times(r[start : start + len(rows)])
            start += len(rows)
            factors = rows.in_single() if single else rows
            for first in range(0, len(rows), step):
                builder.multiply(_part(factors, slice(first, first + step)).jacobian())
        gram = builder.finish()
        gram.g = g
        return gram

    def repenalised(self, model: Model, x: Vector, l2: float) -> Model:
        """The same model with `l2` instead of the penalty that it has; ``J`` is as it was."""
        if isinstance(model, KernelModel):
            return model.with_penalty(x, 2.0 * l2 * self.is_weight)
        assert isinstance(model, Gram)
        return self._penalised(Gram(model.A.copy(order="F"), model.g), x, 2.0 * (l2 - self.l2))

    def _penalised(self, gram: Gram, x: Vector, factor: float) -> Gram:
        """Add ``factor |w|^2 / 2`` to the model, and see to it that no column seems lost."""
        gram.A.reshape(-1, order="F")[:: len(x) + 1] += factor * self.is_weight
        gram.g = gram.g + factor * self.is_weight * x
        gram.column_norms = influential(gram.A.diagonal())
        return gram


class _Pass(NamedTuple):
    """What is in the workspaces: which weights went through which block of rows, and the outputs."""

    x: Array
    block: int
    outputs: Values


@dataclass(frozen=True)
class NetworkResiduals:
    """`Evaluation` of a network: the residuals of the data, then those of the penalty."""

    problem: NetworkSquares
    x: Array
    r: Array
    fits: bool = True

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """The Jacobian in blocks of rows."""
        start, n = 0, len(self.x)
        for rows in self.problem.rows(self.x):
            J = rows.jacobian()
            yield slice(start, start + len(J)), J
            start += len(J)
        J = np.zeros((len(self.problem.penalised), n), self.x.dtype)
        J[np.arange(len(J)), self.problem.penalised] = self.problem.penalty_root
        yield slice(start, start + len(J)), J

    def forward(self, v: HostArray) -> Array:
        """``J v``."""
        sizes = self.problem.objective.sizes
        parts = [rows.times(v, sizes) for rows in self.problem.rows(self.x)]
        return np.concatenate([*parts, self.problem.penalty_root * v[self.problem.penalised]])

    def backward(self, u: Array) -> HostArray:
        """``J'u``."""
        total, start = np.zeros(len(self.x)), 0
        for rows in self.problem.rows(self.x):
            count = len(rows.deltas[0])
            total += rows.transposed_times(u[start : start + count])
            start += count
        total[self.problem.penalised] += self.problem.penalty_root * u[start:]
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


def _joined(blocks: list[Rows]) -> Rows:
    if len(blocks) == 1:
        return blocks[0]
    layers = range(len(blocks[0].deltas))
    return Rows(
        [np.concatenate([rows.deltas[layer] for rows in blocks]) for layer in layers],
        [np.concatenate([rows.below[layer] for rows in blocks]) for layer in layers],
    )


def _part(rows: Rows, part: slice) -> Rows:
    return Rows([delta[part] for delta in rows.deltas], [below[part] for below in rows.below])


def _no_choice(m: int, n: int, fits: bool) -> Solver:
    return InnerStops()
