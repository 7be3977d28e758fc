"""Diagonals that are sums over samples, for preconditioners.

With the outputs ``z_i`` of sample i, their Jacobian ``J_i`` and any vectors ``u_i``,

    sum_i (J_i'u_i) o (J_i'u_i)

are the squared norms of the columns of the Jacobian of ``s_i = u_i'z_i``. So the squared gradients of the
costs are those with ``u_i = d cost_i / dz_i``, and the diagonal of ``G = sum_i J_i'L_i J_i`` is the sum over
the columns ``u_i`` of ``V_i``, ``L_i = V_i V_i'``. Networks of linear layers need one backward pass for each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from secant.torch.composite import Composite
from secant.torch.graph import Graph
from secant.torch.layers import Layers

Tensor = torch.Tensor

Outputs = Callable[[], Tensor]

_MEMORY = 2**28
"""Bytes that a part of the Jacobian may take."""


@dataclass(frozen=True, eq=False)
class Diagonals:
    """The diagonals of a loss of outputs, as functions of the flat ``x``.

    Parameters
    ----------
    composite : Composite
    place : callable
        From ``x`` to a function that computes the outputs there, and the leaves of their graph.
    layers : Layers or None
        The linear layers of a module that consists of nothing else.
    """

    composite: Composite
    place: Callable[[Tensor], tuple[Outputs, list[Tensor]]]
    layers: Layers | None = None

    def gradient_squares(self, x: Tensor) -> Tensor:
        """``sum_i w_i g_i o g_i`` with ``w_i`` 1 in a sum of costs, else one over their number."""
        outputs, leaves = self.place(x)
        slope = self.composite.slope(_values(outputs))  # w_i d cost_i / dz_i
        count = 1 if self.composite.reduction == "sum" else len(slope)
        return (count * self._squares(outputs, leaves, slope)).to(x.dtype)

    def gauss_newton(self, x: Tensor) -> Tensor:
        """``diag(G)``; one backward pass, or more, for every output."""
        outputs, leaves = self.place(x)
        roots = _roots(self.composite.curvature(_values(outputs)))
        columns = (roots[:, :, k] for k in range(roots.shape[2]))
        squares = torch.stack([self._squares(outputs, leaves, u) for u in columns])
        return squares.sum(dim=0).to(x.dtype)

    def _squares(self, outputs: Outputs, leaves: list[Tensor], u: Tensor) -> Tensor:
        def along() -> Tensor:
            return (u * outputs().reshape(u.shape)).sum(dim=1)

        if self.layers is not None and self.layers.are_trusted:
            with torch.enable_grad():
                record = self.layers.record(along)
            if record is not None and self.layers.agrees(record):
                return record.squares()
        return Graph(lambda: (along(), leaves), _MEMORY, lambda: True).squares()


def _values(outputs: Outputs) -> Tensor:
    with torch.no_grad():
        return outputs()


def _roots(L: Tensor) -> Tensor:
    """``V`` with ``V V' = L`` of every sample, as far as ``L`` is positive."""
    if L.shape[1] == 1:
        return L.clamp(min=0.0).sqrt()
    L = 0.5 * (L + L.mT)
    eigenvalues, Q = torch.linalg.eigh(torch.nan_to_num(L, 0.0, 0.0, 0.0))
    V: Tensor = Q * eigenvalues.clamp(min=0.0).sqrt()[:, None, :]
    # eigh raises for what is not finite
    return V.masked_fill(~torch.isfinite(L).all(dim=2).all(dim=1)[:, None, None], math.nan)
