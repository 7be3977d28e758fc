"""Losses of outputs, whose Gauss-Newton matrix autograd can multiply with.

For ``f(x) = loss(outputs(x))`` with the Jacobian ``J`` of the outputs and the Hessian ``L`` of the loss,

    B = J'LJ + (second derivatives of the outputs),   G = J'LJ

and ``G`` is positive semi-definite wherever the loss is convex, as squared errors and cross-entropies are.

References
----------
Schraudolph, *Neural Computation* 14, 1723 (2002); Martens, ICML 2010, section 4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from secant import checks

Tensor = torch.Tensor


class Composite:
    """``fun(...) = loss(outputs(...))``, for `secant.HessianFree`.

    Parameters
    ----------
    outputs : callable
        What the model computes: of the variables, or of nothing where they are a module's parameters.
    loss : callable
        From the outputs to a scalar.
    reduction : str
        Whether the loss is the "mean" or the "sum" of the costs of the samples, which are the rows of
        the outputs; only preconditioners ask.

    Examples
    --------
    >>> import torch
    >>> import secant
    >>> from secant.torch.composite import Composite
    >>> t = torch.linspace(0.0, 1.0, 20, dtype=torch.float64)
    >>> y = 2.0 * torch.exp(-3.0 * t)
    >>> fun = Composite(lambda x: x[0] * torch.exp(-x[1] * t), lambda z: ((z - y) ** 2).sum())
    >>> x0 = torch.ones(2, dtype=torch.float64)
    >>> [round(v, 3) for v in secant.minimize(fun, x0, method="hessian-free").x.tolist()]
    [2.0, 3.0]
    """

    def __init__(
        self,
        outputs: Callable[..., Tensor],
        loss: Callable[[Tensor], Tensor],
        reduction: str = "mean",
    ) -> None:
        checks.one_of("reduction", reduction, ("mean", "sum"))
        self.outputs = outputs
        self.loss = loss
        self.reduction = reduction

    def __call__(self, *args: Any) -> Tensor:
        return self.loss(self.outputs(*args))

    def gauss_newton(
        self, args: tuple[Any, ...], leaves: Sequence[Tensor], v: Sequence[Tensor]
    ) -> Sequence[Tensor | None]:
        """``G v`` in the parts of ``leaves``: ``J v`` by two backward passes, then ``L``, then ``J'``."""
        with torch.enable_grad():
            z = self.outputs(*args)
            w = torch.zeros_like(z, requires_grad=True)
            Jw = torch.autograd.grad(z, leaves, w, create_graph=True, allow_unused=True)
            used = [(a, b) for a, b in zip(Jw, v, strict=True) if a is not None]
            (Jv,) = torch.autograd.grad([a for a, _ in used], w, [b for _, b in used])
            at, slope = self._slope(z)
            if not slope.requires_grad:  # the loss is linear
                return [None] * len(leaves)
            (LJv,) = torch.autograd.grad(slope, at, Jv)
        return torch.autograd.grad(z, leaves, LJv, allow_unused=True)

    def slope(self, z: Tensor) -> Tensor:
        """``d loss / dz``, shape (samples, outputs)."""
        return self._slope(z)[1].detach().reshape(_samples(z), -1)

    def curvature(self, z: Tensor) -> Tensor:
        """``d^2 loss / dz_i dz_i`` of every sample, shape (samples, outputs, outputs)."""
        at, slope = self._slope(z)
        rows = _samples(z)
        if not slope.requires_grad:  # the loss is linear
            return slope.new_zeros(rows, slope.numel() // rows, slope.numel() // rows)
        columns = []
        for k in range(slope.numel() // rows):
            unit = torch.zeros_like(slope).reshape(rows, -1)
            unit[:, k] = 1.0
            (column,) = torch.autograd.grad(slope, at, unit.reshape(at.shape), retain_graph=True)
            columns.append(column.reshape(rows, -1))
        return torch.stack(columns, dim=2)

    def _slope(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The outputs as a leaf, and the slope there with its graph."""
        with torch.enable_grad():
            at = z.detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(self.loss(at), at, create_graph=True)
        return at, slope


def _samples(z: Tensor) -> int:
    if not z.numel():
        raise ValueError(f"outputs must return at least one sample, got shape {tuple(z.shape)}")
    return int(z.shape[0]) if z.ndim else 1
