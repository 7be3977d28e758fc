"""The squared errors of a perceptron as a least-squares problem, with the network's own Jacobian.

    f(x) = 1/2 |r|^2 = error + l2 |w|^2,   r_i = sqrt(2 w_i / N) (prediction_i - t_i)

With many more residuals (`residuals`) than weights the rows of the Jacobian are written down in
blocks, and ``J'J`` is added up, in single precision where strong damping hides the difference; else the step
is found in the space of the residuals (`kernel`). The gradient has all its digits in either case.

References
----------
Hagan & Menhaj, *IEEE Trans. Neural Netw.* 5, 989 (1994), Levenberg-Marquardt for networks.
"""

from __future__ import annotations

import numpy as np

from secant.arrays import Array
from secant.learn.closed_form.kernel import KernelModel, Kernels, influential
from secant.learn.closed_form.objective import Objective
from secant.learn.closed_form.residuals import NetworkResiduals
from secant.learn.closed_form.rows import Rows, Vector
from secant.leastsquares.matrix_free import InnerStops
from secant.leastsquares.model import Model
from secant.leastsquares.normal import Gram, GramBuilder
from secant.leastsquares.problem import LeastSquares, ResidualPoint, Solver

__all__ = ["NetworkSquares"]

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
        # which does not refer to the squares, or their memory would wait for a garbage collection
        self.residuals = NetworkResiduals(objective)
        super().__init__(self.residuals, _no_choice)
        self._kernels = Kernels()

    @property
    def is_weight(self) -> Vector:
        """1 for weights, which a penalty is for, and 0 for biases."""
        return self.residuals.is_weight

    @property
    def l2(self) -> float:
        """The factor of the penalty."""
        return self.residuals.l2

    @l2.setter
    def l2(self, l2: float) -> None:
        self.residuals.l2 = l2

    def linearise(self, point: ResidualPoint) -> Model:
        """Gauss-Newton's model: of products of rows unless they are too many, else ``J'J``."""
        self.counts.njev += 1
        r = np.asarray(point.evaluation.r[: self.residuals.of_data], dtype=np.float64)
        x = np.asarray(point.x, dtype=np.float64)
        if self.residuals.of_data <= _SQUARE * len(x):
            rows = _joined(list(self.residuals.rows(point.x)))
            penalty = 2.0 * self.l2 * self.is_weight
            return KernelModel(rows, r, x, self.residuals.objective.sizes, penalty, self._kernels)
        return self._penalised(self._gram(point.x, r), x, 2.0 * self.l2)

    def _gram(self, x: Array, r: Vector) -> Gram:
        """``J'J``, in single precision where the damping hides the difference, and the exact ``J'r``."""
        n, start = len(x), 0
        single = self.may_round and self.damping > _STRONG and float(len(r)) * n * n > _LARGE
        builder, g, step = GramBuilder(n, single), np.zeros(n), max(1, _JACOBIAN // n)
        for rows in self.residuals.rows(x):
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
