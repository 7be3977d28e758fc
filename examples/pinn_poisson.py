"""Poisson's equation in one dimension, with a solution of two scales.

    -u'' = f on (-1, 1),   u(-1) = u(1) = 0,   u = sin(pi x) + sin(10 pi x) / 10

The ansatz ``u = (1 - x^2) N(x)`` with a network N meets the boundary conditions, so the loss is the mean
square of ``u'' + f`` at the collocation points alone, divided by that of f. The fine scale is a tenth of
the solution and dominates f.

    python -m examples.pinn_poisson --seconds 60 --out runs/pinn
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

import torch

from examples.pinn.command import arguments, run
from examples.pinn.network import TanhNetwork
from examples.pinn.race import Curve

Tensor = torch.Tensor

COARSE, FINE = math.pi, 10.0 * math.pi
"""The two wave numbers."""

PART = 0.1
"""Amplitude of the fine scale."""


def solution(x: Tensor) -> Tensor:
    """``u``, the true one."""
    return torch.sin(COARSE * x) + PART * torch.sin(FINE * x)


def right_hand_side(x: Tensor) -> Tensor:
    """``f = -u''``."""
    return COARSE**2 * torch.sin(COARSE * x) + PART * FINE**2 * torch.sin(FINE * x)


class Poisson:
    """The equation at evenly spaced points.

    Parameters
    ----------
    network : TanhNetwork
        With one input.
    points : int
        Inside the interval.
    """

    def __init__(self, network: TanhNetwork, points: int) -> None:
        self.network = network
        self.x = torch.linspace(-1.0, 1.0, points + 2, dtype=torch.float64)[1:-1, None]
        self.f = right_hand_side(self.x)
        self._size = (self.f**2).mean()

    def loss(self) -> Tensor:
        """``mean (u'' + f)^2 / mean f^2``."""
        x = self.x
        N, N_x, N_xx = self.network.derivatives(x)
        u_xx = (1.0 - x * x) * N_xx - 4.0 * x * N_x - 2.0 * N
        return ((u_xx + self.f) ** 2).mean() / self._size

    @torch.no_grad()
    def error(self) -> float:
        """``|u - true u| / |true u|`` on 2001 points."""
        x = torch.linspace(-1.0, 1.0, 2001, dtype=torch.float64)[:, None]
        truth = solution(x)
        found = (1.0 - x * x) * self.network(x)
        return float((found - truth).norm() / truth.norm())


def main(argv: Sequence[str] | None = None) -> list[Curve]:
    """Measure and draw."""
    given = arguments("pinn_poisson", "-u'' = f, by a network", points=200).parse_args(argv)

    def make(given: argparse.Namespace) -> Poisson:
        return Poisson(TanhNetwork(1, given.width, given.depth, given.seed), given.points)

    return run("poisson", "Poisson's equation with two scales", given, make)


if __name__ == "__main__":
    main()
