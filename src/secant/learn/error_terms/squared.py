"""Squared errors, whose residuals Levenberg-Marquardt takes: mean, normalised, balanced."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from secant.learn.activations import logistic
from secant.learn.error_terms.term import SquaredTerm, Targets, Values
from secant.learn.errors import InputError


@dataclass(frozen=True)
class MeanSquared(SquaredTerm):
    """``mean (o - t)^2`` over rows and outputs.

    Examples
    --------
    >>> import torch
    >>> float(MeanSquared()(torch.tensor([[2.0], [0.5]]), torch.tensor([[1.0], [0.0]])))
    0.625
    """

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

    Examples
    --------
    >>> import torch
    >>> float(NormalisedSquared()(torch.tensor([[2.0], [0.5]]), torch.tensor([[1.0], [0.0]])))
    2.5
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

    Examples
    --------
    >>> import torch
    >>> float(WeightedSquared()(torch.tensor([[2.0], [0.5]]), torch.tensor([[1.0], [0.0]])))
    0.2008
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
