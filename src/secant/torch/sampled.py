"""Residuals of samples, evaluated and differentiated in blocks of them, so that J need not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from secant.arrays import HostArray, like
from secant.leastsquares.functions import Samples
from secant.leastsquares.problem import Block, Evaluation

Tensor = torch.Tensor


@dataclass(frozen=True, eq=False)
class SampledResiduals:
    """Residuals of samples, evaluated and differentiated in blocks.

    Parameters
    ----------
    residuals : callable
        ``x, rows -> r``, flat.
    block : callable
        ``x, rows -> J`` of these rows.
    samples : Samples
    """

    residuals: Callable[[Tensor, tuple[Any, ...]], Tensor]
    block: Callable[[Tensor, tuple[Any, ...]], Tensor]
    samples: Samples

    def __call__(self, x: Tensor) -> Evaluation:
        """The residuals at ``x``."""
        with torch.no_grad():
            parts = [
                self.residuals(x, self.samples.take(rows)).detach().clone()
                for rows in self.samples.slices()
            ]
        return SampleBlocks(self, x, [len(part) for part in parts], torch.cat(parts))


@dataclass(frozen=True, eq=False)
class SampleBlocks:
    """`Evaluation` of samples."""

    of: SampledResiduals
    x: Tensor
    lengths: list[int]
    r: Tensor
    fits: bool = True

    def blocks(self) -> Iterator[Block]:
        """The Jacobian of a block of samples after the other."""
        start = 0
        for rows, length in zip(self.of.samples.slices(), self.lengths, strict=True):
            yield slice(start, start + length), self.of.block(self.x, self.of.samples.take(rows))
            start += length

    def forward(self, v: HostArray) -> Tensor:
        """``J v``."""
        return torch.cat([J @ like(v, J) for _, J in self.blocks()])

    def backward(self, u: Tensor) -> HostArray:
        """``J'u``."""
        total = torch.zeros_like(self.x, dtype=torch.float64)
        for rows, J in self.blocks():
            total += J.T @ u[rows]
        host: HostArray = total.cpu().numpy()
        return host


def per_sample(
    residuals: Callable[[Tensor, tuple[Any, ...]], Tensor], x: Tensor, rows: tuple[Any, ...]
) -> Tensor:
    """The Jacobian of independent samples: reverse mode, vmapped over the samples."""

    def of_one(y: Tensor, *row: Any) -> Tensor:
        return residuals(y, tuple(part[None] for part in row)).reshape(-1)

    jacobian = torch.func.vmap(
        torch.func.jacrev(of_one), in_dims=(None, *(0 for _ in rows)), randomness="error"
    )
    J: Tensor = jacobian(x, *rows)
    return J.reshape(-1, x.numel())
