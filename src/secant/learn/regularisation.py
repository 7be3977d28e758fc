"""The regularisation term: how much large weights cost. Biases cost nothing.

    l2 sum w^2 + smooth_l1 sum (sqrt(w^2 + s^2) - s) + l1 sum |w|

The last one has no gradient where a weight is zero, which is where it wants weights to be: only
orthant-wise methods minimise it. `smooth_l1` is its smooth stand-in for all others: weights become
small compared with the smoothing ``s``, but not zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from secant.learn.errors import InputError
from secant.learn.plain import settle_types

__all__ = ["Regularisation"]

Values = NDArray[np.floating]


@dataclass(frozen=True)
class Regularisation:
    """The factors of the three terms.

    Parameters
    ----------
    l2, l1, smooth_l1 : float
        From 0.
    smoothing : float
        ``s``, positive: the size below which a weight counts as small.
    """

    l2: float = 0.0
    l1: float = 0.0
    smooth_l1: float = 0.0
    smoothing: float = 1e-3

    def __post_init__(self) -> None:
        settle_types(self)
        for entry in fields(self):
            value = getattr(self, entry.name)
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"{entry.name} must be a number from 0, not {value}")
        if self.smoothing == 0:
            raise InputError(f"smoothing must be a positive number, not {self.smoothing}")

    def on_tensors(self, weights: list[Tensor], smooth_only: bool = False) -> Tensor:
        """The term for autograd, with or without the part that has no gradient."""
        terms = [torch.zeros((), dtype=weights[0].dtype, device=weights[0].device)]
        for w in weights:
            if self.l2:
                terms.append(self.l2 * w.square().sum())
            if self.smooth_l1:
                root = (w.square() + self.smoothing**2).sqrt()
                terms.append(self.smooth_l1 * (root - self.smoothing).sum())
            if self.l1 and not smooth_only:
                terms.append(self.l1 * w.abs().sum())
        return torch.stack(terms).sum()

    def value(self, x: Values, is_weight: Values) -> float:
        """The whole term at the flat vector ``x``; ``is_weight`` is 0 for biases, else 1."""
        rough = self.l1 * float(np.abs(x) @ is_weight) if self.l1 else 0.0
        return self.smooth_value(x, is_weight) + rough

    def smooth_value(self, x: Values, is_weight: Values) -> float:
        """The part that has a gradient."""
        total = self.l2 * float((x * is_weight) @ x) if self.l2 else 0.0
        if self.smooth_l1:
            root = np.sqrt(x * x + self.smoothing**2)
            total += self.smooth_l1 * float((root - self.smoothing) @ is_weight)
        return total

    def add_gradient(self, x: Values, is_weight: Values, g: Values) -> None:
        """Add the gradient of the smooth part."""
        if self.l2:
            g += (2.0 * self.l2) * (x * is_weight)
        if self.smooth_l1:
            g += self.smooth_l1 * is_weight * x / np.sqrt(x * x + self.smoothing**2)

    def add_product(self, x: Values, is_weight: Values, v: Values, into: Values) -> None:
        """Add the Hessian of the smooth part times ``v``."""
        if self.l2:
            into += (2.0 * self.l2) * (v * is_weight)
        if self.smooth_l1:
            bend = self.smoothing**2 / (x * x + self.smoothing**2) ** 1.5
            into += self.smooth_l1 * is_weight * bend * v
