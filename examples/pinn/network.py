"""A tanh network that carries its derivatives along with its values.

Derivatives in the coordinates go forward through the layers with the value, as the first terms of a
Taylor series. With ``a = W h + b``, which is linear, and ``h+ = tanh(a)``,

    h+_x  = (1 - h+^2) a_x
    h+_xx = (1 - h+^2) (a_xx - 2 h+ a_x^2)

All of them pass a layer in one product, and one backward pass then gives the gradient of any loss made
of them. The usual way, differentiating the output twice by autograd, runs backward three times.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch

Tensor = torch.Tensor


class TanhNetwork(torch.nn.Module):
    """Layers of equal width with tanh units and one linear output, in float64.

    Parameters
    ----------
    inputs, width, depth : int
        Coordinates, units in a hidden layer, hidden layers.
    seed : int
        Of the first weights, which are Glorot's; biases are zero.
    """

    layers: Any

    def __init__(self, inputs: int, width: int, depth: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        sizes = [inputs, *[width] * depth, 1]
        self.layers = torch.nn.ModuleList(
            torch.nn.Linear(wide, narrow, dtype=torch.float64) for wide, narrow in pairwise(sizes)
        )
        for layer in self.layers:
            torch.nn.init.xavier_normal_(layer.weight, generator=generator)
            torch.nn.init.zeros_(layer.bias)

    def forward(self, points: Tensor) -> Tensor:
        """Values, shape (N, 1), at points of shape (N, inputs)."""
        for layer in self.layers[:-1]:
            points = torch.tanh(layer(points))
        value: Tensor = self.layers[-1](points)
        return value

    def derivatives(self, points: Tensor) -> list[Tensor]:
        """``u, u_x, u_xx``, and the first derivatives in the other coordinates; each of shape (N, 1)."""
        h = _coordinates(points)
        for layer in self.layers[:-1]:
            a = h @ layer.weight.T
            value = torch.tanh(a[0] + layer.bias)
            slope = 1.0 - value * value
            curvature = slope * (a[2] - 2.0 * value * a[1] * a[1])
            h = torch.stack([value, slope * a[1], curvature, *(slope * other for other in a[3:])])
        value, *rest = h @ self.layers[-1].weight.T
        return [value + self.layers[-1].bias, *rest]


def _coordinates(points: Tensor) -> Tensor:
    """The coordinates themselves, and their derivatives: units and zeros."""
    zero = torch.zeros_like(points)
    units = [zero.clone() for _ in range(points.shape[1])]
    for i, unit in enumerate(units):
        unit[:, i] = 1.0
    return torch.stack([points, units[0], zero, *units[1:]])
