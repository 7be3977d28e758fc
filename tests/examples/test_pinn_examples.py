"""The physics-informed examples: their equations, their true solutions, and a small race."""

import json
import math

import matplotlib.image
import numpy as np
import pytest
import torch

from examples import pinn_burgers, pinn_poisson
from examples.pinn import race
from examples.pinn.command import compared
from examples.pinn.network import TanhNetwork

NU = pinn_burgers.NU


def by_autograd(f, points):
    """``u, u_x, u_xx, u_t, ...`` by differentiating the output twice."""
    points = points.clone().requires_grad_(True)
    u = f(points)
    (first,) = torch.autograd.grad(u.sum(), points, create_graph=True)
    (second,) = torch.autograd.grad(first[:, 0].sum(), points, create_graph=True)
    return [
        u,
        first[:, :1],
        second[:, :1],
        *(first[:, i : i + 1] for i in range(1, first.shape[1])),
    ]


@pytest.mark.parametrize("inputs", [1, 2, 3])
def test_derivatives_carried_forward_are_those_of_autograd(inputs):
    network = TanhNetwork(inputs, width=6, depth=3, seed=0)
    points = torch.randn(9, inputs, dtype=torch.float64)
    found, expected = network.derivatives(points), by_autograd(network, points)
    assert len(found) == inputs + 2
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_poisson_loss_is_the_residual_of_the_ansatz():
    problem = pinn_poisson.Poisson(TanhNetwork(1, 5, 2, 0), 12)
    _, _, u_xx = by_autograd(lambda x: (1 - x**2) * problem.network(x), problem.x)
    f = problem.f
    torch.testing.assert_close(problem.loss(), ((u_xx + f) ** 2).mean() / (f**2).mean())


def test_poisson_solution_solves_it():
    x = torch.linspace(-1, 1, 30, dtype=torch.float64)[:, None]
    _, _, u_xx = by_autograd(pinn_poisson.solution, x)
    torch.testing.assert_close(-u_xx, pinn_poisson.right_hand_side(x))
    ends = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    assert pinn_poisson.solution(ends).abs().max() < 1e-14


def test_burgers_loss_is_the_residual_of_the_ansatz():
    problem = pinn_burgers.Burgers(TanhNetwork(2, 5, 2, 0), 12)

    def ansatz(points):
        x, t = points[:, :1], points[:, 1:]
        return -torch.sin(math.pi * x) + t * (1 - x**2) * problem.network(points)

    u, u_x, u_xx, u_t = by_autograd(ansatz, problem.points)
    torch.testing.assert_close(problem.loss(), ((u_t + u * u_x - NU * u_xx) ** 2).mean())


def test_burgers_solution_solves_it():
    """By central differences of fourth order, where the solution is smooth on their grid."""
    x, t = np.meshgrid(np.linspace(-0.9, 0.9, 19), np.linspace(0.05, 0.9, 9))
    x = x + 0.003  # inside the layer as well
    h = 2e-4

    def u(dx=0.0, dt=0.0):
        return pinn_burgers.solution(x + dx * h, t + dt * h)

    u_x = (8 * (u(1) - u(-1)) - (u(2) - u(-2))) / (12 * h)
    u_xx = (16 * (u(1) + u(-1)) - (u(2) + u(-2)) - 30 * u()) / (12 * h * h)
    u_t = (8 * (u(0, 1) - u(0, -1)) - (u(0, 2) - u(0, -2))) / (12 * h)
    residual = u_t + u() * u_x - NU * u_xx
    size = np.maximum(np.abs(u_t) + np.abs(u() * u_x), 1.0)
    assert np.max(np.abs(residual) / size) < 1e-5
    assert np.max(np.abs(u_x)) > 100.0  # the layer was looked at


def test_burgers_solution_at_the_ends_and_by_more_nodes():
    x, t = np.meshgrid(np.linspace(-1, 1, 101), np.linspace(0, 1, 21))
    u = pinn_burgers.solution(x, t)
    np.testing.assert_allclose(u[0], -np.sin(np.pi * x[0]), atol=1e-14)
    np.testing.assert_allclose(u[:, [0, 50, 100]], 0.0, atol=1e-12)
    np.testing.assert_allclose(u, pinn_burgers.solution(x, t, nodes=200), atol=1e-10)


def test_collocation_points_are_inside_and_dense_at_the_layer():
    points = pinn_burgers.collocation(400)
    assert points[:, 0].abs().max() < 1.0
    assert points[:, 1].min() > 0.0
    assert points[:, 1].max() < 1.0
    near = (points[:, 0].abs() < 0.1).double()
    assert near[:200].mean() < 0.15 < 3 * 0.15 < near[200:].mean()


@pytest.mark.parametrize("example", [pinn_poisson, pinn_burgers])
def test_a_small_race(example, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)
    monkeypatch.setattr(race, "MOMENTS", 4)
    small = [
        "--seconds",
        "0.2",
        "--width",
        "5",
        "--depth",
        "2",
        "--points",
        "40",
        "--warm-up",
        "20",
        "--out",
    ]
    curves = example.main([*small, str(tmp_path / "new")])
    assert [curve.label for curve in curves] == [one.label for one in race.everybody()]
    assert all(curve.loss[-1] < curve.loss[0] for curve in curves)
    assert len({curve.loss[0] for curve in curves}) == 1  # from the same weights
    for curve in curves:
        assert sorted(curve.loss, reverse=True) == curve.loss
        assert len(curve.errors) == len(curve.moments) >= 2
        assert np.all(np.isfinite(curve.errors))
    (picture,), (numbers,) = (tmp_path / "new").glob("*.png"), (tmp_path / "new").glob("*.json")
    assert matplotlib.image.imread(picture).shape[2] == 4
    assert set(json.loads(numbers.read_text())) == {curve.label for curve in curves}
    assert compared(curves) in capsys.readouterr().out


def test_an_optimizer_that_is_stuck_ends_before_the_time():
    problem = pinn_poisson.Poisson(TanhNetwork(1, 3, 1, 0), 10)
    calls = []

    def train(parameters, closure):
        calls.append(closure().item())

    (curve,) = race.race(problem, [race.Contestant("still", train)], seconds=60.0)
    assert len(calls) == 2
    assert curve.evaluations == 2
    assert curve.loss == calls[:1]


def test_every_contestant_starts_from_the_same_network():
    problem = pinn_poisson.Poisson(TanhNetwork(1, 3, 1, 0), 10)
    before = problem.loss().item()
    contestants = [
        race.Contestant("a", race.by_adam(0.1)),
        race.Contestant("b", race.by_adam(0.01)),
    ]
    first, second = race.race(problem, contestants, seconds=0.05)
    assert first.loss[0] == second.loss[0] == before == problem.loss().item()
    assert first.loss[1] != second.loss[1]
