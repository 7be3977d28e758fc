"""What an error term is: the cost of each row for autograd, and in closed form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Values = NDArray[np.floating]
Targets = NDArray[np.floating] | NDArray[np.int64]


class ErrorTerm(ABC):
    """A mean over the rows of what an output costs, given the target."""

    name: ClassVar[str]

    @abstractmethod
    def costs(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The cost of each row, shape (rows,), for autograd."""

    @abstractmethod
    def closed_form(self, outputs: Values, targets: Targets) -> tuple[Values, Values]:
        """The cost of each row, and its derivative by the outputs, shape (rows, outputs)."""

    @abstractmethod
    def curvature(self, outputs: Values, targets: Targets, change: Values) -> Values:
        """The second derivative of each row's cost by its outputs, times a change of them."""

    def __call__(self, outputs: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The error, a scalar."""
        costs = self.fitted(targets, weights).costs(outputs, targets)
        total = costs.sum() if weights is None else costs @ weights
        return total / self.divisor(_amount(targets, weights), outputs.shape[1])

    def divisor(self, amount: float, outputs: int) -> float:
        """``N``, from the sum of the rows' weights and the number of outputs."""
        return amount

    def fitted(self, targets: Tensor, weights: Tensor | None = None) -> Self:
        """The term with the constants that it takes from the training targets."""
        return self

    def encoded(self, targets: NDArray[np.generic], dtype: np.dtype, outputs: int) -> Targets:
        """The targets as `closed_form` takes them."""
        return np.ascontiguousarray(targets, dtype=dtype).reshape(len(targets), outputs)


def _amount(targets: Tensor, weights: Tensor | None) -> float:
    return float(len(targets)) if weights is None else float(weights.sum())


class SquaredTerm(ErrorTerm):
    """A term whose cost is the square of residuals, ``cost = |factor (prediction - t)|^2``."""

    @abstractmethod
    def residuals(self, outputs: Values, targets: Targets) -> tuple[Values, Values | None]:
        """Residuals whose squares are the cost, and their derivatives; None stands for 1.

        Both have the shape (rows, outputs): a residual depends on its own output alone.
        """

    def gauss_newton(self, outputs: Values, targets: Targets, change: Values) -> Values:
        """Twice the squared derivative of the residuals, times a change of the outputs."""
        _, derivative = self.residuals(outputs, targets)
        return 2.0 * change if derivative is None else 2.0 * derivative**2 * change
