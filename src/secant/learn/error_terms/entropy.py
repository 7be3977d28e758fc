"""Cross-entropies of classes, by exponentials of numbers that are not large, whatever the outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from secant.learn.error_terms.term import ErrorTerm, Targets, Values

_SAFE = 30.0
"""Exponentials of outputs up to this, and sums of them, keep all their digits in float32, too."""


@dataclass(frozen=True)
class BinaryCrossEntropy(ErrorTerm):
    """``log(1 + exp(o)) - t o`` with ``t`` 0 or 1; several outputs are several questions.

    Examples
    --------
    >>> import torch
    >>> float(BinaryCrossEntropy()(torch.tensor([[2.0], [0.5]]), torch.tensor([[1.0], [0.0]])))
    0.5505
    """

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
    """``log sum_j exp(o_j) - o_t`` with the number ``t`` of the row's class.

    Examples
    --------
    >>> import torch
    >>> float(CrossEntropy()(torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1])))
    0.2201
    """

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
