"""Modules of PyTorch: the Jacobian in every way it can be had, and fits of small networks."""

import copy

import numpy as np
import pytest
import torch

import secant
import secant.torch
from secant.leastsquares.task import Given, make_task


def loss(module, X, y):
    return float(((module(X) - y) ** 2).sum().detach())


class Scaled(torch.nn.Module):
    """A network with a parameter that belongs to no linear layer."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.scale = torch.nn.Parameter(torch.tensor([1.5], dtype=torch.float64))

    def forward(self, x):
        return self.scale * self.network(x)


def network(outputs=1, hidden=6, dtype=torch.float64, extra=()):
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(2, hidden), *extra, torch.nn.Tanh(), torch.nn.Linear(hidden, outputs)
    ).to(dtype)


def data(m=40, dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    X = torch.randn(m, 2, generator=generator, dtype=torch.float64).to(dtype)
    return X, torch.sin(2 * X[:, :1]) * X[:, 1:]


def given_of(fun, samples=None, memory=2**30):
    return Given(fun, None, (), {}, None, samples, memory)


def whole_jacobian(task):
    evaluation = task.residuals(task.x0)
    J = np.zeros((evaluation.r.numel(), task.x0.numel()))
    for rows, block in evaluation.blocks():
        J[rows] = block.numpy()
    return evaluation, J


def expected_jacobian(module, fun):
    parameters = [p for p in module.parameters() if p.requires_grad]
    rows = []
    for r in fun().reshape(-1):
        grads = torch.autograd.grad(r, parameters, retain_graph=True)
        rows.append(torch.cat([g.reshape(-1) for g in grads]).numpy())
    return np.array(rows)


MODULES = {
    "layers": lambda: network(),
    "two outputs": lambda: network(2),
    "another parameter": lambda: Scaled(network()),
    "batch norm": lambda: network(
        extra=(torch.nn.BatchNorm1d(6, affine=False, dtype=torch.float64),)
    ),
    "in place": lambda: network(extra=(torch.nn.ReLU(inplace=True),)),
    "frozen layer": lambda: _frozen(network()),
    "wide": lambda: network(hidden=60),
}


def _frozen(module):
    module[0].weight.requires_grad_(False)
    return module


@pytest.mark.parametrize("kind", MODULES)
def test_jacobians_of_modules(kind):
    module, (X, y) = MODULES[kind](), data()

    def fun():
        return module(X) - y

    task = make_task(given_of(fun), module, None)
    evaluation, J = whole_jacobian(task)
    expected = expected_jacobian(module, fun)
    np.testing.assert_allclose(J, expected, atol=1e-12)
    v, u = np.random.default_rng(0).standard_normal(J.shape[1]), torch.randn(J.shape[0]).double()
    np.testing.assert_allclose(evaluation.forward(v).detach().numpy(), expected @ v, atol=1e-11)
    np.testing.assert_allclose(evaluation.backward(u), expected.T @ u.numpy(), atol=1e-11)


@pytest.mark.parametrize("kind", ["layers", "two outputs", "another parameter", "wide"])
def test_jacobians_of_samples(kind):
    module, (X, y) = MODULES[kind](), data()

    def fun(X, y):
        return module(X) - y

    task = make_task(given_of(fun, (X, y), 64 * 8 * 31), module, None)
    _, J = whole_jacobian(task)
    np.testing.assert_allclose(J, expected_jacobian(module, lambda: fun(X, y)), atol=1e-12)


def test_ways_to_the_jacobian_lead_to_one_fit():
    module, (X, y) = network(), data()
    start = copy.deepcopy(module.state_dict())
    costs = []
    for samples in (None, (X, y)):
        for solver in ("qr", "cholesky"):
            module.load_state_dict(start)
            fun = (lambda: module(X) - y) if samples is None else (lambda X, y: module(X) - y)
            fit = secant.least_squares(fun, module, samples=samples, solver=solver, max_iter=15)
            costs.append(fit.cost)
            assert fit.cost == pytest.approx(0.5 * loss(module, X, y), rel=1e-12)
    np.testing.assert_allclose(costs, costs[0], rtol=1e-4)


def test_a_network_learns_its_teacher():
    module, (X, _) = network(), data(200)
    torch.manual_seed(5)
    teacher = network()
    with torch.no_grad():
        for p in teacher.parameters():
            p.add_(0.1 * torch.randn_like(p))
        y = teacher(X)
    fit = secant.least_squares(lambda: module(X) - y, module, max_iter=200)
    assert fit.cost < 1e-9 * fit.trace.f[0]


def test_matrix_free_module():
    module, (X, y) = network(), data()
    fit = secant.least_squares(lambda: module(X) - y, module, solver="matrix-free", max_iter=40)
    assert fit.cost < 0.1 * fit.trace.f[0]
    assert fit.covariance is None


def test_a_jacobian_beyond_the_memory_becomes_products():
    module, (X, y) = Scaled(network()), data()
    fit = secant.least_squares(lambda: module(X) - y, module, memory=2000, max_iter=10)
    assert fit.cost < fit.trace.f[0]
    assert fit.jac is None


def test_float32_modules_stay_float32():
    module, (X, y) = network(dtype=torch.float32), data(dtype=torch.float32)
    fit = secant.least_squares(lambda: module(X) - y, module, max_iter=30)
    assert fit.x.dtype == torch.float32
    assert next(module.parameters()).dtype == torch.float32
    assert fit.cost < 0.05 * fit.trace.f[0]


def test_robust_weighted_and_bounded_modules():
    module, (X, y) = network(), data()
    fit = secant.least_squares(
        lambda: module(X) - y,
        module,
        loss="huber",
        f_scale=0.1,
        weights=np.linspace(0.5, 1.5, 40),
        bounds=(-1.0, 1.0),
        max_iter=30,
    )
    assert fit.cost < fit.trace.f[0]
    assert float(fit.x.abs().max()) <= 1.0


def test_the_module_keeps_the_best_point_after_an_exception():
    module, (X, y) = network(), data()
    calls = [0]

    def fragile():
        calls[0] += 1
        if calls[0] > 6:
            raise RuntimeError("out of memory")
        return module(X) - y

    before = loss(module, X, y)
    with pytest.raises(RuntimeError, match="memory"):
        secant.least_squares(fragile, module)
    assert loss(module, X, y) < before


def relu_network(seed=2):
    torch.manual_seed(seed)
    layers = [torch.nn.Linear(10, 20), torch.nn.Linear(20, 20), torch.nn.Linear(20, 1)]
    parts = [part for layer in layers for part in (layer, torch.nn.ReLU())]
    return torch.nn.Sequential(*parts[:-1]).double()


def waves(m=300):
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(m, 10, generator=generator, dtype=torch.float64)
    return X, torch.sin(X.sum(1, keepdim=True)) + 0.3 * X[:, :1] ** 2


@pytest.mark.parametrize("solver", ["cholesky", "matrix-free"])
def test_units_that_die_on_the_way_do_not_hold_up_a_network(solver):
    """Columns of J vanish with them, which elsewhere is a step too long."""
    (X, y), module = waves(), relu_network()
    before = loss(module, X, y)
    secant.least_squares(lambda: module(X) - y, module, solver=solver, max_iter=25)
    assert loss(module, X, y) < 0.1 * before


@pytest.mark.parametrize("solver", ["cholesky", "matrix-free"])
def test_units_that_die_do_not_hold_up_the_optimizer(solver):
    (X, y), module = waves(), relu_network()
    before = loss(module, X, y)
    opt = secant.torch.LevenbergMarquardt(module, max_iter=25, solver=solver)
    opt.step(lambda: module(X) - y)
    assert loss(module, X, y) < 0.1 * before


def test_a_network_with_a_dead_unit_can_converge():
    torch.manual_seed(0)
    x = torch.linspace(0.0, 1.0, 30, dtype=torch.float64)[:, None]
    y = 2.0 * x + 0.1 * torch.sin(20.0 * x)
    module = Scaled(torch.nn.Linear(1, 2).double())
    with torch.no_grad():
        module.network.weight.fill_(1.0)
        module.network.bias.copy_(torch.tensor([0.5, -100.0]))
    fit = secant.least_squares(lambda: torch.relu(module(x)).sum(1) - y.reshape(-1), module)
    best = np.polyfit(x.numpy().ravel(), y.numpy().ravel(), 1)
    left = np.polyval(best, x.numpy().ravel()) - y.numpy().ravel()
    assert fit.success
    assert fit.cost == pytest.approx(0.5 * left @ left)
