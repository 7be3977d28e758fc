"""Derivatives of a model in one parameter after the other, by forward-mode autograd."""

from __future__ import annotations

from typing import Any

import torch

from secant.leastsquares.batched.curves import Curves, Data

Tensor = torch.Tensor


without_graph = torch.no_grad
"""Reverse mode off; forward mode, which `ForwardMode` uses, is not concerned."""


class ForwardMode:
    """``df/dp_j`` of all data sets at once: one Jacobian-vector product along the j-th parameters."""

    def __call__(self, curves: Curves, data: Data, p: Tensor, here: Tensor, out: Tensor) -> None:
        """One evaluation of the model with its derivative, for each parameter."""

        def values(q: Tensor) -> Tensor:
            found: Tensor = curves.values(data, q)
            return found

        jvp: Any = torch.func.jvp
        for j in range(p.shape[0]):
            along = torch.zeros_like(p)
            along[j] = 1.0
            out[j] = jvp(values, (p,), (along,))[1]

    def evaluations(self, n: int) -> int:
        """None that are not part of the Jacobian's."""
        return 0
