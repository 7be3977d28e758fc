"""Jacobians of networks of linear layers, a row for every sample, at the price of one backward pass.

For ``z = W a + b`` and a residual r of the same sample, ``dr/dW = delta a'`` and ``dr/db = delta`` with
``delta = dr/dz``. One backward pass of the sum of all residuals gives every sample's delta, because a
sample's z reaches its own residuals alone. Whether that is so (batch normalisation mixes samples) is tested
against autograd, with random weights of the residuals, before it is relied on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from secant.leastsquares.problem import Block

Tensor = torch.Tensor

ROWS = 2048
"""Samples to a block: with some hundred columns it stays in a cache until it is multiplied."""


@dataclass(frozen=True, eq=False)
class Part:
    """A linear layer and where its parameters are among all; -1 for one that is not a variable."""

    layer: torch.nn.Linear
    weight: int
    bias: int


@dataclass(eq=False)
class Layers:
    """The linear layers of a module that has no other parameters.

    Attributes
    ----------
    are_trusted : bool
        False once a module has turned out to be more than its layers.
    """

    parts: list[Part]
    n: int
    parameters: list[Any]
    are_trusted: bool = True
    is_proven: bool = False

    @classmethod
    def of(cls, module: torch.nn.Module, parameters: list[Any]) -> Layers | None:
        """The layers of ``module``; None if some parameter belongs to none, or to two."""
        offsets, n = {}, 0
        for p in parameters:
            offsets[id(p)] = n
            n += p.numel()
        parts, found = [], 0
        for layer in module.modules():
            if type(layer) is not torch.nn.Linear:
                continue
            weight = offsets.get(id(layer.weight), -1)
            bias = -1 if layer.bias is None else offsets.get(id(layer.bias), -1)
            if weight >= 0 or bias >= 0:
                parts.append(Part(layer, weight, bias))
            found += (weight >= 0) + (bias >= 0)
        return cls(parts, n, parameters) if found == len(parameters) else None

    def record(self, fun: Callable[[], Any]) -> LayerRecord | None:
        """Call ``fun`` and keep what enters and leaves every layer; None if this is not enough."""
        seen: dict[int, list[tuple[Tensor, Tensor]]] = {}

        def keep(layer: torch.nn.Module, inputs: Any, output: Any) -> None:
            seen.setdefault(id(layer), []).append((inputs[0], output))

        handles = [part.layer.register_forward_hook(keep) for part in self.parts]
        try:
            r = fun()
        finally:
            for handle in handles:
                handle.remove()
        calls = [seen.get(id(part.layer), []) for part in self.parts]
        if not isinstance(r, Tensor) or r.ndim == 0 or not r.requires_grad or r.is_complex():
            return None
        if any(len(call) != 1 for call in calls):
            return None
        inputs = [call[0][0] for call in calls]
        if any(a.ndim != 2 or a.shape[0] != r.shape[0] for a in inputs):
            return None
        return LayerRecord(
            self, r.reshape(r.shape[0], -1), [a.detach() for a in inputs], [c[0][1] for c in calls]
        )

    def agrees(self, record: LayerRecord) -> bool:
        """Whether the rows are those of autograd: tested once, on ``J'u`` with a random u."""
        if self.is_proven or not self.are_trusted:
            return self.are_trusted
        generator = torch.Generator().manual_seed(0)
        u = torch.randn(record.r.numel(), generator=generator, dtype=torch.float64)
        u = u.to(device=record.r.device, dtype=record.r.dtype)
        try:
            grads = torch.autograd.grad(
                record.output.reshape(-1), self.parameters, u, retain_graph=True, allow_unused=True
            )
            expected = torch.cat(
                [
                    torch.zeros_like(p).reshape(-1) if g is None else g.reshape(-1)
                    for g, p in zip(grads, self.parameters, strict=True)
                ]
            )
            found = torch.zeros_like(expected)
            for rows, J in record.blocks(keep=True):
                found += J.T @ u[rows]
        except RuntimeError:  # a layer's output was overwritten, or does not reach the residuals
            self.are_trusted = False
            return False
        size = torch.linalg.vector_norm(expected)
        error = torch.linalg.vector_norm(found - expected)
        if bool(torch.isfinite(error)):
            self.are_trusted = bool(error <= torch.finfo(u.dtype).eps ** 0.75 * size)
            self.is_proven = bool(size > 0.0)  # where all is zero, rows agree whatever they are
        return self.are_trusted


@dataclass(eq=False)
class LayerRecord:
    """One evaluation: the residuals and what entered and left the layers.

    Attributes
    ----------
    output : tensor, shape (samples, outputs)
        The residuals with their graph.
    inputs, outputs : list of tensor
        One of each for every layer.
    """

    layers: Layers
    output: Tensor
    inputs: list[Tensor]
    outputs: list[Tensor]
    is_spent: bool = False
    _signals: list[tuple[Tensor, ...]] = field(default_factory=list)

    @property
    def r(self) -> Tensor:
        """The flat residuals."""
        return self.output.detach().reshape(-1)

    @property
    def samples(self) -> int:
        """The number of samples."""
        return int(self.output.shape[0])

    def blocks(self, keep: bool = False) -> Iterator[Block]:
        """The Jacobian in blocks of samples, all in one buffer; ``keep`` the graph for another time."""
        width = int(self.output.shape[1])
        self._backward()
        rows = max(1, ROWS // width)
        buffer = self.output.new_empty(min(rows, self.samples) * width, self.layers.n)
        for start in range(0, self.samples, rows):
            stop = min(start + rows, self.samples)
            J = buffer[: (stop - start) * width]
            self._fill(J.view(stop - start, width, self.layers.n), start, stop)
            yield slice(start * width, stop * width), J
        if not keep:
            self._signals, self.is_spent = [], True
            self.output = self.output.detach()
            self.inputs, self.outputs = [], []

    def rows(self, start: int, stop: int) -> Tensor:
        """The Jacobian of some samples in an array of its own."""
        width = int(self.output.shape[1])
        self._backward()
        J = self.output.new_empty((stop - start), width, self.layers.n)
        self._fill(J, start, stop)
        return J.reshape(-1, self.layers.n)

    def squares(self) -> Tensor:
        """The squared norms of the Jacobian's columns: of squares, without an outer product."""
        self._backward()
        total = self.output.new_zeros(self.layers.n)
        for number, part in enumerate(self.layers.parts):
            below = self.inputs[number].square()
            for signals in self._signals:
                delta = signals[number].square()
                if part.weight >= 0:
                    size = delta.shape[1] * below.shape[1]
                    total[part.weight : part.weight + size] += (delta.T @ below).reshape(-1)
                if part.bias >= 0:
                    total[part.bias : part.bias + delta.shape[1]] += delta.sum(dim=0)
        return total

    def _backward(self) -> None:
        """Every layer's delta for every output."""
        if self._signals:
            return
        width = int(self.output.shape[1])
        for k in range(width):
            seed = torch.zeros_like(self.output)
            seed[:, k] = 1.0
            self._signals.append(
                torch.autograd.grad(self.output, self.outputs, seed, retain_graph=True)
            )

    def _fill(self, J: Tensor, start: int, stop: int) -> None:
        """Outer products, written where they belong."""
        count = stop - start
        for number, part in enumerate(self.layers.parts):
            a = self.inputs[number][start:stop]
            for k, signals in enumerate(self._signals):
                delta = signals[number][start:stop]
                if part.weight >= 0:
                    size = delta.shape[1] * a.shape[1]
                    columns = J[:, k, part.weight : part.weight + size]
                    target = columns.view(count, delta.shape[1], a.shape[1])
                    torch.mul(delta[:, :, None], a[:, None, :], out=target)
                if part.bias >= 0:
                    J[:, k, part.bias : part.bias + delta.shape[1]] = delta
