"""Networks to train by least squares: their data, and the same start for every solver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Training:
    """A network of tanh layers, its data and its start."""

    layers: tuple[int, ...]
    samples: int

    @property
    def name(self) -> str:
        """Weights and samples."""
        pairs = zip(self.layers[:-1], self.layers[1:], strict=True)
        weights = sum((a + 1) * b for a, b in pairs)
        return f"{weights} weights, {self.samples} samples"

    def data(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs, and a smooth function of them with a little noise."""
        torch.manual_seed(0)
        X = torch.randn(self.samples, self.layers[0], dtype=torch.float64)
        y = torch.sin(X.sum(1, keepdim=True)) + 0.3 * X[:, :1] ** 2
        return X, y + 0.01 * torch.randn_like(y)

    def network(self) -> torch.nn.Module:
        """The same weights every time."""
        torch.manual_seed(1)
        parts: list[torch.nn.Module] = []
        for wide, narrow in zip(self.layers[:-1], self.layers[1:], strict=True):
            parts += [torch.nn.Linear(wide, narrow), torch.nn.Tanh()]
        return torch.nn.Sequential(*parts[:-1]).double()


def loss_of(network: torch.nn.Module, X: torch.Tensor, y: torch.Tensor) -> float:
    with torch.no_grad():
        return 0.5 * float(((network(X) - y) ** 2).sum())


def flat_weights(network: torch.nn.Module) -> np.ndarray:
    return np.concatenate([p.detach().numpy().reshape(-1) for p in network.parameters()])
