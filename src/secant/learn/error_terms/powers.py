"""Errors that outliers count less in than in squared ones: Minkowski's and Huber's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor
from torch.nn import functional

from secant.learn.error_terms.term import ErrorTerm, Targets, Values
from secant.learn.errors import InputError
from secant.learn.plain import settle_types


@dataclass(frozen=True)
class Minkowski(ErrorTerm):
    """``mean |o - t|^p``: below 2, outliers count less.

    Parameters
    ----------
    exponent : float
        ``p``, above 1, so that there is a gradient everywhere.

    Examples
    --------
    >>> import torch
    >>> float(Minkowski(1.5)(torch.tensor([[2.0], [0.5]]), torch.tensor([[1.0], [0.0]])))
    0.6768
    """

    name: ClassVar[str] = "Minkowski error"

    exponent: float = 1.5

    def __post_init__(self) -> None:
        settle_types(self)
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

    Examples
    --------
    >>> import torch
    >>> float(Huber(delta=1.0)(torch.tensor([[2.0], [0.5]]), torch.tensor([[1.0], [0.0]])))
    0.3125
    """

    name: ClassVar[str] = "Huber error"

    delta: float = 1.0

    def __post_init__(self) -> None:
        settle_types(self)
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
