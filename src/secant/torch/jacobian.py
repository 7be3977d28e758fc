"""The whole Jacobian of a function of a tensor, by autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from secant.torch.parameters import check_mode

Tensor = torch.Tensor


def autograd_jacobian(fun: Callable[..., Any]) -> Callable[..., Tensor]:
    """``(x, *args) -> J``, one backward pass for each value of ``fun``."""

    def jacobian(x: Tensor, *args: Any) -> Tensor:
        def values(t: Tensor) -> Tensor:
            r = fun(t, *args)
            if not isinstance(r, Tensor):
                raise ValueError(
                    f"fun must return a tensor for autograd to differentiate, got a "
                    f"{type(r).__name__}; give jac if it computes outside of PyTorch"
                )
            return r

        check_mode()
        with torch.enable_grad():
            whole: Callable[..., Any] = torch.autograd.functional.jacobian
            J: Tensor = whole(values, x.detach())
        return J.detach()

    return jacobian
