"""The whole Jacobian of a function of a tensor, by autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Tensor = torch.Tensor


def autograd_jacobian(fun: Callable[..., Any]) -> Callable[..., Tensor]:
    """``(x, *args) -> J``, one backward pass for each value of ``fun``."""

    def jacobian(x: Tensor, *args: Any) -> Tensor:
        with torch.enable_grad():
            whole: Callable[..., Any] = torch.autograd.functional.jacobian
            J: Tensor = whole(lambda t: fun(t, *args), x.detach())
        return J.detach()

    return jacobian
