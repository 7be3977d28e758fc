"""Dense Hessians by autograd: backward passes through the gradient, many rows at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

Tensor = torch.Tensor

_ROWS = 128
"""Rows in one batch: enough to fill the machine, few enough that a batch of graphs fits into memory."""


def hessian_of(value: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """``x -> B`` for a function of a flat tensor."""

    def hessian(x: Tensor) -> Tensor:
        leaf = x.detach().requires_grad_(True)
        with torch.enable_grad():
            f = value(leaf).reshape(())
            (g,) = torch.autograd.grad(f, leaf, create_graph=True)
            return rows(g, [leaf])

    return hessian


def rows(g: Tensor, leaves: Sequence[Tensor]) -> Tensor:
    """The Jacobian of the flat gradient ``g`` with respect to ``leaves``, shape (n, n)."""
    n = g.shape[0]
    if not g.requires_grad:  # f is linear
        return g.new_zeros((n, n))
    identity = torch.eye(n, dtype=g.dtype, device=g.device)
    try:
        parts = [_batch(g, leaves, block) for block in torch.split(identity, _ROWS)]
    except RuntimeError:  # an operation without a batching rule: one row after another
        parts = [_row(g, leaves, e) for e in identity]
    return torch.cat(parts)


def _batch(g: Tensor, leaves: Sequence[Tensor], v: Tensor) -> Tensor:
    grads = torch.autograd.grad(
        g, leaves, v, retain_graph=True, allow_unused=True, is_grads_batched=True
    )
    return _flat(grads, leaves, v.shape[0])


def _row(g: Tensor, leaves: Sequence[Tensor], e: Tensor) -> Tensor:
    grads = torch.autograd.grad(g, leaves, e, retain_graph=True, allow_unused=True)
    return _flat(grads, leaves, 1)


def _flat(grads: Sequence[Tensor | None], leaves: Sequence[Tensor], count: int) -> Tensor:
    parts = [
        leaf.new_zeros((count, leaf.numel())) if grad is None else grad.reshape(count, -1)
        for grad, leaf in zip(grads, leaves, strict=True)
    ]
    return torch.cat(parts, dim=1)
