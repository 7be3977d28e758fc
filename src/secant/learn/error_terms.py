"""What an output costs, given the target: a mean over the rows, for autograd and in closed form.

    error = sum_i w_i cost_i / N

with the rows' weights ``w`` (1 if there are none) and ``N`` their sum, or a multiple of it. With
``e = output - target`` and ``q = logistic(output)`` the cost of a row is

    mean squared            |e|^2,                     N = outputs * sum w
    normalised squared      |e|^2 / mean |t - mean t|^2:  1 for the best constant, 1 - R2 of the fit
    weighted squared        c_t (q - t)^2,             c balances the two classes
    Minkowski               sum |e|^p,                 N = outputs * sum w
    Huber                   sum of e^2 / 2 up to delta, delta (|e| - delta / 2) beyond
    binary cross-entropy    sum of log(1 + exp(o)) - t o
    cross-entropy           log sum exp(o) - o_t

Exponentials are taken of numbers that are not positive, so that no output overflows.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from secant.learn.activations import logistic
from secant.learn.errors import InputError

__all__ = [
    "BinaryCrossEntropy",
    "CrossEntropy",
    "ErrorTerm",
    "Huber",
    "MeanSquared",
    "Minkowski",
    "NormalisedSquared",
    "SquaredTerm",
    "WeightedSquared",
]

Values = NDArray[np.floating]
Targets = NDArray[np.floating] | NDArray[np.int64]

_SAFE = 30.0
"""Exponentials of outputs up to this, and sums of them, keep all their digits in float32, too."""


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


@dataclass(frozen=True)
class MeanSquared(SquaredTerm):
    """``mean (o - t)^2`` over rows and outputs."""

    name: ClassVar[str] = "mean squared error"

    def costs(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """``|o - t|^2``."""
        return (outputs - targets).square().sum(dim=1)

    def closed_form(self, outputs: Values, targets: Targets) -> tuple[Values, Values]:
        """``|e|^2`` and ``2 e``."""
        error = outputs - targets
        squares = error * error
        costs = squares[:, 0] if squares.shape[1] == 1 else squares.sum(axis=1)
        error *= 2.0
        return costs, error

    def curvature(self, outputs: Values, targets: Targets, change: Values) -> Values:
        """2."""
        return 2.0 * change

    def residuals(self, outputs: Values, targets: Targets) -> tuple[Values, Values | None]:
        """``o - t``."""
        return outputs - targets, None

    def divisor(self, amount: float, outputs: int) -> float:
        """The mean is one over the outputs, too."""
        return amount * outputs


@dataclass(frozen=True)
class NormalisedSquared(SquaredTerm):
    """The squared error in units of the targets' own variation.

    Parameters
    ----------
    variation : float, optional
        Mean over the rows of ``|t - mean t|^2``; that of the targets at hand when left out.
    """

    name: ClassVar[str] = "normalised squared error"

    variation: float | None = None

    def fitted(self, targets: Tensor, weights: Tensor | None = None) -> Self:
        """The variation of these targets, unless it is known."""
        if self.variation is not None:
            return self
        share = torch.full((len(targets), 1), 1.0, dtype=targets.dtype, device=targets.device)
        if weights is not None:
            share = weights[:, None]
        share = share / share.sum()
        mean = (share * targets).sum(dim=0)
        variation = float((share * (targets - mean).square()).sum())
        if not variation > 0.0:
            raise InputError(
                "the normalised squared error divides by the variation of the targets, which is "
                f"{variation}: the target must vary"
            )
        return replace(self, variation=variation)

    def costs(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """``|o - t|^2 / variation``."""
        return (outputs - targets).square().sum(dim=1) / self._scale

    def closed_form(self, outputs: Values, targets: Targets) -> tuple[Values, Values]:
        """``|e|^2`` and ``2 e``, over the variation."""
        error = outputs - targets
        return np.einsum("ij,ij->i", error, error) / self._scale, (2.0 / self._scale) * error

    def curvature(self, outputs: Values, targets: Targets, change: Values) -> Values:
        """``2 / variation``."""
        return (2.0 / self._scale) * change

    def residuals(self, outputs: Values, targets: Targets) -> tuple[Values, Values | None]:
        """``(o - t) / sqrt(variation)``."""
        root = 1.0 / math.sqrt(self._scale)
        return root * (outputs - targets), np.full_like(outputs, root)

    @property
    def _scale(self) -> float:
        if self.variation is None:
            raise ValueError("the normalised squared error must be fitted to targets first")
        return self.variation


@dataclass(frozen=True)
class WeightedSquared(SquaredTerm):
    """``c_t (logistic(o) - t)^2`` for the classes 0 and 1, both counting as much.

    Parameters
    ----------
    balance : pair of float, optional
        ``c_0`` and ``c_1``; ``rows / (2 rows of the class)`` of the targets at hand when left out.
    """

    name: ClassVar[str] = "weighted squared error"

    balance: tuple[float, float] | None = None

    def fitted(self, targets: Tensor, weights: Tensor | None = None) -> Self:
        """The balance of these targets, unless it is known."""
        if self.balance is not None:
            return self
        share = torch.ones(len(targets), device=targets.device) if weights is None else weights
        total = float(share.sum())
        one = float(share[targets.reshape(-1) > 0.5].sum())
        if not 0.0 < one < total:
            raise InputError("the weighted squared error needs rows of both classes")
        return replace(self, balance=(0.5 * total / (total - one), 0.5 * total / one))

    def costs(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """``c_t (q - t)^2``."""
        wanted = targets.reshape(-1).to(outputs.dtype)
        zero, one = self._factors
        return (zero + (one - zero) * wanted) * (torch.sigmoid(outputs[:, 0]) - wanted).square()

    def closed_form(self, outputs: Values, targets: Targets) -> tuple[Values, Values]:
        """The squares of the residuals, and twice them times their derivatives."""
        r, derivative = self._parts(outputs, targets)
        return (r * r)[:, 0], 2.0 * r * derivative

    def curvature(self, outputs: Values, targets: Targets, change: Values) -> Values:
        """``2 c_t (q'^2 + (q - t) q'')``, with ``q' = q (1 - q)`` and ``q'' = q' (1 - 2 q)``."""
        r, derivative = self._parts(outputs, targets)
        q = np.empty_like(outputs)
        logistic(outputs, q)
        return 2.0 * derivative * (derivative + r * (1.0 - 2.0 * q)) * change

    def residuals(self, outputs: Values, targets: Targets) -> tuple[Values, Values | None]:
        """``sqrt(c_t) (q - t)``."""
        return self._parts(outputs, targets)

    def _parts(self, outputs: Values, targets: Targets) -> tuple[Values, Values]:
        q = np.empty_like(outputs)
        logistic(outputs, q)
        zero, one = (math.sqrt(factor) for factor in self._factors)
        root = zero + (one - zero) * targets
        return root * (q - targets), root * q * (1.0 - q)

    @property
    def _factors(self) -> tuple[float, float]:
        if self.balance is None:
            raise ValueError("the weighted squared error must be fitted to targets first")
        return self.balance


@dataclass(frozen=True)
class Minkowski(ErrorTerm):
    """``mean |o - t|^p``: below 2, outliers count less.

    Parameters
    ----------
    exponent : float
        ``p``, above 1, so that there is a gradient everywhere.
    """

    name: ClassVar[str] = "Minkowski error"

    exponent: float = 1.5

    def __post_init__(self) -> None:
        if not 1.0 < self.exponent < math.inf:
            raise InputError(f"exponent must be a number above 1, not {self.exponent}")

    def costs(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """``sum |e|^p``."""
        return (outputs - targets).abs().pow(self.exponent).sum(dim=1)

    def closed_form(self, outputs: Values, targets: Targets) -> tuple[Values, Values]:
        """``sum |e|^p`` and ``p |e|^(p - 1) sign(e)``."""
        error = outputs - targets
        size = np.abs(error)
        slope = size ** (self.exponent - 1.0)
        return (size * slope).sum(axis=1), self.exponent * np.copysign(slope, error)

    def curvature(self, outputs: Values, targets: Targets, change: Values) -> Values:
        """``p (p - 1) |e|^(p - 2)``, which has a pole at 0 for ``p < 2``: cut off there."""
        p, size = self.exponent, np.abs(outputs - targets)
        if p < 2.0:
            size = np.maximum(size, np.finfo(size.dtype).eps)
        return p * (p - 1.0) * size ** (p - 2.0) * change

    def divisor(self, amount: float, outputs: int) -> float:
        """The mean is one over the outputs, too."""
        return amount * outputs


@dataclass(frozen=True)
class Huber(ErrorTerm):
    """The mean of ``e^2 / 2`` up to ``delta`` and of ``delta (|e| - delta / 2)`` beyond.

    Parameters
    ----------
    delta : float
        In the units of the scaled targets.
    """

    name: ClassVar[str] = "Huber error"

    delta: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.delta < math.inf:
            raise InputError(f"delta must be a positive number, not {self.delta}")

    def costs(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """PyTorch's."""
        each = functional.huber_loss(outputs, targets, reduction="none", delta=self.delta)
        return each.sum(dim=1)

    def closed_form(self, outputs: Values, targets: Targets) -> tuple[Values, Values]:
        """With the clipped error ``c``: ``c (e - c / 2)`` and ``c``."""
        error = outputs - targets
        clipped = np.clip(error, -self.delta, self.delta)
        return (clipped * (error - 0.5 * clipped)).sum(axis=1), clipped

    def curvature(self, outputs: Values, targets: Targets, change: Values) -> Values:
        """1 inside, 0 beyond."""
        return np.where(np.abs(outputs - targets) <= self.delta, change, np.zeros_like(change))

    def divisor(self, amount: float, outputs: int) -> float:
        """The mean is one over the outputs, too."""
        return amount * outputs


@dataclass(frozen=True)
class BinaryCrossEntropy(ErrorTerm):
    """``log(1 + exp(o)) - t o`` with ``t`` 0 or 1; several outputs are several questions."""

    name: ClassVar[str] = "binary cross-entropy"

    def costs(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """PyTorch's, with logits."""
        wanted = targets.to(outputs.dtype).reshape(outputs.shape)
        return functional.binary_cross_entropy_with_logits(outputs, wanted, reduction="none").sum(1)

    def closed_form(self, outputs: Values, targets: Targets) -> tuple[Values, Values]:
        """The cost by ``log(1 + exp(-|o|))``, and ``q - t``."""
        far = np.abs(outputs)
        np.exp(np.negative(far, out=far), out=far)
        costs = np.maximum(outputs, 0.0)
        costs -= targets * outputs
        costs += np.log1p(far)
        q = np.exp(np.minimum(outputs, 0.0))  # 1, or as far as it is from there
        far += 1.0
        q /= far
        q -= targets
        return (costs[:, 0] if costs.shape[1] == 1 else costs.sum(axis=1)), q

    def curvature(self, outputs: Values, targets: Targets, change: Values) -> Values:
        """``q (1 - q)``."""
        far = np.exp(-np.abs(outputs))
        return far / (1.0 + far) ** 2 * change


@dataclass(frozen=True)
class CrossEntropy(ErrorTerm):
    """``log sum_j exp(o_j) - o_t`` with the number ``t`` of the row's class."""

    name: ClassVar[str] = "cross-entropy"

    def costs(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """PyTorch's."""
        return functional.cross_entropy(outputs, targets, reduction="none")

    def closed_form(self, outputs: Values, targets: Targets) -> tuple[Values, Values]:
        """The cost, and the softmax less 1 at the class."""
        count, classes = outputs.shape
        places = np.arange(0, count * classes, classes) + targets.astype(np.int64, copy=False)
        softmax, costs = _softmax(outputs)
        costs -= outputs.take(places)
        softmax.put(places, softmax.take(places) - 1.0)
        return costs, softmax

    def curvature(self, outputs: Values, targets: Targets, change: Values) -> Values:
        """``diag(q) - q q'`` with the softmax ``q``."""
        q, _ = _softmax(outputs)
        product: Values = q * change
        product -= q * product.sum(axis=1, keepdims=True)
        return product

    def encoded(self, targets: NDArray[np.generic], dtype: np.dtype, outputs: int) -> Targets:
        """The numbers of the classes."""
        return np.ascontiguousarray(targets, dtype=np.int64)


def _softmax(outputs: Values) -> tuple[Values, Values]:
    """The softmax of each row, and the logarithm of the sum of its exponentials."""
    ones = np.ones(outputs.shape[1], outputs.dtype)
    if outputs.size and np.abs(outputs).max() < _SAFE:  # all rows at once, without their maxima
        q = np.exp(outputs)
        total = q @ ones
        q /= total[:, None]
        return q, np.log(total)
    largest = outputs.max(axis=1, keepdims=True)
    q = np.exp(outputs - largest)
    total = q @ ones
    q /= total[:, None]
    return q, largest[:, 0] + np.log(total)
