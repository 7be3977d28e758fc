"""Hessians of torch functions and modules as operators: one graph, a backward pass for each product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from secant.torch.parameters import Parameters, check_mode, check_tensor, is_parameters

Tensor = torch.Tensor


class HessianOperator:
    """The Hessian at one point, ``B @ v`` by Pearlmutter's product.

    The gradient and its graph are computed once and kept, so that a product costs one backward pass
    through it: half of what it costs to begin anew each time, for the memory of the graph.

    Parameters
    ----------
    fun : callable
        Of a tensor; for a module, ``fun(*args)`` computes its loss.
    x : Tensor, Module or iterable of Parameter
        Where. A module's parameters must not change while the operator is in use.
    args : tuple
        Extra arguments of ``fun``.

    Attributes
    ----------
    shape : tuple of int
        ``(n, n)``.
    example : Tensor, shape (n,)
        A vector of the kind that it multiplies.
    f : float
        The value there.

    References
    ----------
    B. A. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Comput. 6 (1994).
    """

    def __init__(self, fun: Callable[..., Any], x: Any, args: tuple[Any, ...] = ()) -> None:
        check_mode()
        with torch.enable_grad():
            if is_parameters(x):
                self._leaves = Parameters(x, "x").parameters
                f = fun(*args)
            else:
                check_tensor("x", x)
                leaf = x.detach().clone().requires_grad_(True)
                self._leaves = [leaf]
                f = fun(leaf, *args)
            if not isinstance(f, Tensor) or f.numel() != 1 or not f.requires_grad:
                raise ValueError(f"fun must return one number that depends on x, got {f!r}")
            self._g = torch.autograd.grad(
                f.reshape(()), self._leaves, create_graph=True, allow_unused=True
            )
        self.f = float(f.detach())
        n = sum(leaf.numel() for leaf in self._leaves)
        self.shape = (n, n)
        self.example = self._flat(self._g)

    def __matmul__(self, v: Tensor) -> Tensor:
        sizes = [leaf.numel() for leaf in self._leaves]
        parts = [
            p.view_as(leaf) for p, leaf in zip(torch.split(v, sizes), self._leaves, strict=True)
        ]
        pairs = [
            (g, p) for g, p in zip(self._g, parts, strict=True) if g is not None and g.requires_grad
        ]
        if not pairs:  # f is linear
            return torch.zeros_like(v)
        gs, vs = zip(*pairs, strict=True)
        products = torch.autograd.grad(gs, self._leaves, vs, retain_graph=True, allow_unused=True)
        return self._flat(products)

    def _flat(self, parts: Any) -> Tensor:
        pieces = [
            (torch.zeros_like(leaf) if part is None else part.detach()).reshape(-1)
            for part, leaf in zip(parts, self._leaves, strict=True)
        ]
        return torch.cat(pieces)
