"""Rows of a table as a network sees them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

__all__ = ["Sample"]


@dataclass(frozen=True)
class Sample:
    """Inputs of shape (rows, width), encoded targets, and how much each row counts.

    Attributes
    ----------
    inputs, targets : tensor
    weights : tensor, shape (rows,), optional
        In the inputs' dtype; every row counts as much as any other when left out.
    """

    inputs: Tensor
    targets: Tensor
    weights: Tensor | None = None

    def __len__(self) -> int:
        return len(self.inputs)
