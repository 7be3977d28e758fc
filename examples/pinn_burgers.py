"""The viscous Burgers equation, whose solution steepens into a thin layer.

    u_t + u u_x = nu u_xx   on (-1, 1) x (0, 1],   nu = 0.01 / pi
    u(x, 0) = -sin(pi x),   u(-1, t) = u(1, t) = 0

The ansatz ``u = -sin(pi x) + t (1 - x^2) N(x, t)`` with a network N meets the initial and the boundary
conditions, so the loss is the mean square of ``u_t + u u_x - nu u_xx`` at the collocation points alone.
Half of the points are even over the domain, half are denser towards x = 0, where the layer forms.

    python -m examples.pinn_burgers --seconds 60 --out runs/pinn

References
----------
Cole, *Quart. Appl. Math.* 9, 225 (1951), eq. 21: the true solution. Basdevant et al., *Comput. Fluids* 14, 23
(1986), section 3: this initial value, with the integrals by Gauss-Hermite quadrature.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

import numpy as np
import torch

from examples.pinn.command import arguments, run
from examples.pinn.network import TanhNetwork
from examples.pinn.race import Curve

Tensor = torch.Tensor

NU = 0.01 / math.pi
"""Viscosity."""

SHARPNESS = 5.0
"""The denser points are ``sinh(5 s) / sinh(5)`` with s even on (-1, 1)."""


def solution(x: np.ndarray, t: np.ndarray, nodes: int = 120) -> np.ndarray:
    """The true ``u`` by Cole's transformation.

        u = - int sin(pi y) F(y) e^{-z^2} dz / int F(y) e^{-z^2} dz
        y = x - 2 sqrt(nu t) z,   F(y) = exp(-cos(pi y) / (2 pi nu))

    with both integrals by Gauss-Hermite quadrature.

    Parameters
    ----------
    x, t : array
        Of the same shape, ``t >= 0``.
    nodes : int
        Of the quadrature.
    """
    z, weights = np.polynomial.hermite.hermgauss(nodes)
    y = x[..., None] - 2.0 * np.sqrt(NU * t)[..., None] * z
    exponent = -np.cos(np.pi * y) / (2.0 * np.pi * NU)
    F = weights * np.exp(exponent - exponent.max(axis=-1, keepdims=True))  # else it overflows
    u: np.ndarray = -(np.sin(np.pi * y) * F).sum(axis=-1) / F.sum(axis=-1)
    return u


def collocation(points: int) -> Tensor:
    """Points ``(x, t)`` of a Sobol sequence, shape (points, 2)."""
    even = torch.quasirandom.SobolEngine(2).draw(points + 1, dtype=torch.float64)[1:]  # type: ignore[no-untyped-call]
    x, t = 2.0 * even[:, 0] - 1.0, even[:, 1]
    dense = torch.sinh(SHARPNESS * x) / math.sinh(SHARPNESS)
    first_half = torch.arange(points) < points // 2
    return torch.stack([torch.where(first_half, x, dense), t], dim=1)


class Burgers:
    """The equation at the collocation points.

    Parameters
    ----------
    network : TanhNetwork
        With inputs ``x, t``.
    points : int
    """

    def __init__(self, network: TanhNetwork, points: int) -> None:
        self.network = network
        self.points = collocation(points)
        self.x, self.t = self.points[:, :1], self.points[:, 1:]
        self.bubble = 1.0 - self.x**2
        self.initial = -torch.sin(math.pi * self.x)
        self.initial_x = -math.pi * torch.cos(math.pi * self.x)
        x, t = np.meshgrid(np.linspace(-1.0, 1.0, 401), np.linspace(0.0, 1.0, 51))
        self._grid = torch.tensor(np.stack([x.ravel(), t.ravel()], axis=1))
        self._truth = torch.tensor(solution(x, t).ravel()[:, None])

    def loss(self) -> Tensor:
        """``mean (u_t + u u_x - nu u_xx)^2``."""
        x, t, bubble = self.x, self.t, self.bubble
        N, N_x, N_xx, N_t = self.network.derivatives(self.points)
        u = self.initial + t * bubble * N
        u_x = self.initial_x + t * (bubble * N_x - 2.0 * x * N)
        u_xx = -(math.pi**2) * self.initial + t * (bubble * N_xx - 4.0 * x * N_x - 2.0 * N)
        u_t = bubble * (N + t * N_t)
        return ((u_t + u * u_x - NU * u_xx) ** 2).mean()

    @torch.no_grad()
    def error(self) -> float:
        """``|u - true u| / |true u|`` on a grid of 401 x 51 points."""
        x, t = self._grid[:, :1], self._grid[:, 1:]
        found = -torch.sin(math.pi * x) + t * (1.0 - x * x) * self.network(self._grid)
        return float((found - self._truth).norm() / self._truth.norm())


def main(argv: Sequence[str] | None = None) -> list[Curve]:
    """Measure and draw."""
    parser = arguments("pinn_burgers", "u_t + u u_x = nu u_xx, by a network", points=2000)
    given = parser.parse_args(argv)

    def make(given: argparse.Namespace) -> Burgers:
        return Burgers(TanhNetwork(2, given.width, given.depth, given.seed), given.points)

    return run("burgers", "Burgers' equation, viscosity 0.01/π", given, make)


if __name__ == "__main__":
    main()
