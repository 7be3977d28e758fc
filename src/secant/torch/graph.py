"""The graph from variables to residuals: Jacobians by rows or by columns, and products with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from secant.arrays import HostArray, like
from secant.leastsquares.problem import Block

Tensor = torch.Tensor


@dataclass(eq=False)
class Graph:
    """`Evaluation` with the graph from the leaves to the residuals.

    Parameters
    ----------
    make : callable
        Builds the graph: the flat residuals and the leaves; called again if the graph is gone.
    memory : int
        Bytes that the Jacobian may take.
    is_valid : callable
        Whether the graph's tensors still hold what they held.
    """

    make: Callable[[], tuple[Tensor, list[Tensor]]]
    memory: int
    is_valid: Callable[[], bool]
    r: Tensor = field(init=False)

    def __post_init__(self) -> None:
        with torch.enable_grad():
            self._graph, self._leaves = self.make()
        if not self._graph.requires_grad:
            raise ValueError(
                "fun must return a tensor that depends on x through PyTorch operations, got one "
                "without a graph to x; give jac if it computes outside of autograd"
            )
        self.r = self._graph.detach()
        self.n = sum(leaf.numel() for leaf in self._leaves)

    @property
    def fits(self) -> bool:
        """Whether the whole Jacobian is within the memory allowed."""
        return self.r.numel() * self.n * self.r.element_size() <= self.memory

    def blocks(self) -> Iterator[Block]:
        """All rows in one block."""
        yield slice(None), self.jacobian()

    def jacobian(self) -> Tensor:
        """The whole Jacobian, by rows or by columns, whichever are fewer."""
        blocks = list(self._blocks())
        return torch.cat(blocks) if self._has_few_rows else torch.cat(blocks).T

    def squares(self) -> Tensor:
        """The squared norms of the Jacobian's columns, of which only a part is made at a time."""
        axis = 0 if self._has_few_rows else 1
        sums = [block.square().sum(dim=axis) for block in self._blocks()]
        return torch.stack(sums).sum(dim=0) if self._has_few_rows else torch.cat(sums)

    @property
    def _has_few_rows(self) -> bool:
        return self.r.numel() < self.n

    def _blocks(self) -> Iterator[Tensor]:
        """Rows of the Jacobian if they are fewer than its columns, else columns, some at a time."""
        r, leaves = self._live()
        m = r.numel()
        if self._has_few_rows:
            outputs, inputs, count = r, leaves, m
        else:
            u = torch.zeros_like(r, requires_grad=True)
            with torch.enable_grad():
                pulled = cat_flat(_gradients(r, leaves, u, create_graph=True), leaves)
            if not pulled.requires_grad:
                yield torch.zeros(self.n, m, dtype=r.dtype, device=r.device)
                return
            outputs, inputs, count = pulled, [u], self.n
        at_once = max(1, self.memory // (8 * r.element_size() * max(m, self.n)))
        for start in range(0, count, at_once):
            size = min(at_once, count - start)
            vectors = torch.zeros(size, count, dtype=r.dtype, device=r.device)
            vectors.diagonal(start).fill_(1.0)  # some rows of the identity
            yield self._batched(outputs, inputs, vectors)

    def forward(self, v: HostArray) -> Tensor:
        """``J v``: the derivative by ``u`` of ``(J'u)'v``."""
        r, leaves = self._live()
        u = torch.zeros_like(r, requires_grad=True)
        with torch.enable_grad():
            pulled = cat_flat(_gradients(r, leaves, u, create_graph=True), leaves)
        if not pulled.requires_grad:
            return torch.zeros_like(r)
        (pushed,) = torch.autograd.grad(pulled, u, like(v, r), allow_unused=True)
        return torch.zeros_like(r) if pushed is None else pushed

    def backward(self, u: Tensor) -> HostArray:
        """``J'u``."""
        r, leaves = self._live()
        pulled = cat_flat(_gradients(r, leaves, u), leaves)
        host: HostArray = pulled.detach().cpu().double().numpy()
        return host

    def release(self) -> None:
        """Let the graph go; it is built again if need be."""
        self._graph = self.r

    def _live(self) -> tuple[Tensor, list[Tensor]]:
        if not (self._graph.requires_grad and self.is_valid()):
            with torch.enable_grad():
                self._graph, self._leaves = self.make()
        return self._graph, self._leaves

    def _batched(self, outputs: Tensor, inputs: list[Tensor], vectors: Tensor) -> Tensor:
        """One gradient for each row of ``vectors``, as the rows of a matrix."""
        grads = torch.autograd.grad(
            outputs,
            inputs,
            vectors,
            retain_graph=True,
            allow_unused=True,
            is_grads_batched=True,
        )
        parts = [
            vectors.new_zeros(len(vectors), leaf.numel())
            if g is None
            else g.reshape(len(vectors), -1)
            for g, leaf in zip(grads, inputs, strict=True)
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def _gradients(r: Tensor, leaves: list[Tensor], u: Tensor, create_graph: bool = False) -> Any:
    return torch.autograd.grad(
        r, leaves, u, retain_graph=True, create_graph=create_graph, allow_unused=True
    )


def cat_flat(grads: Any, leaves: list[Tensor]) -> Tensor:
    """Gradients as one flat vector, zeros where there is none."""
    parts = [
        leaf.new_zeros(leaf.numel()) if g is None else g.reshape(-1)
        for g, leaf in zip(grads, leaves, strict=True)
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts)
