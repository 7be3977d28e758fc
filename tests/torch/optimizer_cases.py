"""The optimizers of `secant.torch`, and networks and functions to train with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

import secant.torch

FIRST_ORDER = (
    secant.torch.LBFGS,
    secant.torch.BFGS,
    secant.torch.SSBroyden,
    secant.torch.NonlinearCG,
)
SECOND_ORDER = (secant.torch.NewtonCG, secant.torch.TrustRegionNewton)
OF_LOSSES = FIRST_ORDER + SECOND_ORDER
ALL = (*OF_LOSSES, secant.torch.LevenbergMarquardt)


def network(seed: int = 0, dtype: torch.dtype = torch.float64, inputs: int = 2) -> Any:
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(inputs, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)
    ).to(dtype)


def flat(parameters: Iterable[torch.Tensor]) -> torch.Tensor:
    """A copy of all parameters."""
    return torch.cat([p.detach().reshape(-1) for p in parameters]).clone()


@dataclass
class Fit:
    """A network, data, and closures that count their calls."""

    seed: int = 0
    dtype: torch.dtype = torch.float64
    calls: int = 0
    model: Any = field(init=False)

    def __post_init__(self) -> None:
        self.model = network(self.seed, self.dtype)
        X = torch.linspace(-1, 1, 60, dtype=self.dtype).reshape(30, 2)
        self.X, self.y = X, (3 * X[:, :1]).sin() * X[:, 1:] + X[:, 1:] ** 2

    @property
    def parameters(self) -> list[torch.Tensor]:
        return list(self.model.parameters())

    def residuals(self) -> torch.Tensor:
        self.calls += 1
        return self.model(self.X) - self.y

    def loss(self) -> torch.Tensor:
        """The loss with its graph."""
        return (self.residuals() ** 2).mean()

    def closure(self, opt: torch.optim.Optimizer) -> Callable[[], torch.Tensor]:
        """What the class of ``opt`` takes: PyTorch's closure, or residuals."""
        if isinstance(opt, secant.torch.LevenbergMarquardt):
            return self.residuals

        def closure() -> torch.Tensor:
            opt.zero_grad()
            loss = self.loss()
            loss.backward()
            return loss

        return closure


def variable(*values: float, dtype: torch.dtype = torch.float64) -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.tensor(values, dtype=dtype))


def closure_of(
    opt: torch.optim.Optimizer, loss: Callable[[], torch.Tensor]
) -> Callable[[], torch.Tensor]:
    """PyTorch's closure for a loss."""

    def closure() -> torch.Tensor:
        opt.zero_grad()
        value = loss()
        value.backward()
        return value

    return closure
