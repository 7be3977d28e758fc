"""Second derivatives by autograd: dense, products, and the Gauss-Newton matrix."""

import numpy as np
import pytest
import torch

import secant
from secant.minimize import make_task
from secant.torch.composite import Composite
from secant.torch.hessian import hessian_of


def rosenbrock(x):
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


METHODS = ["newton", "newton-gmw", "newton-cg", "hessian-free"]
METHODS += ["trust-ncg", "trust-krylov", "trust-exact", "dogleg"]


@pytest.mark.parametrize("method", METHODS)
def test_functions_of_tensors(method):
    x0 = torch.tensor([-1.2, 1.0, 0.5], dtype=torch.float64)
    result = secant.minimize(rosenbrock, x0, method=method)
    assert result.success
    assert result.nhev > 0
    torch.testing.assert_close(result.x, torch.ones(3, dtype=torch.float64), atol=1e-5, rtol=0.0)


def network():
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(2, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1)
    ).double()
    X = torch.randn(40, 2, dtype=torch.float64)
    y = torch.sin(2.0 * X[:, :1]) + X[:, 1:] ** 2
    return model, X, y


@pytest.mark.parametrize("method", METHODS)
def test_modules(method):
    model, X, y = network()

    def loss():
        return ((model(X) - y) ** 2).mean()

    before = float(loss().detach())
    # newton-gmw is slow here: where it is after 30 iterations differs by the kernels of BLAS
    result = secant.minimize(loss, model, method=method, max_iter=60)
    assert result.fun < 0.1 * before
    assert float(loss().detach()) == pytest.approx(result.fun)


def test_dense_is_what_products_give():
    model, X, y = network()
    task = make_task(lambda: ((model(X) - y) ** 2).mean(), model, (), None, None, None)
    point = task.problem.at(task.x0)
    H = np.asarray(point.hessian)
    v = np.random.default_rng(0).standard_normal(H.shape[0])
    np.testing.assert_allclose(H @ v, np.asarray(point.hvp(v)), atol=1e-10)
    assert point.hessian is point.hessian


def test_operations_without_a_batching_rule():
    """Row by row where autograd cannot batch."""

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * 3.0 * x**2

    H = hessian_of(lambda x: Cube.apply(x).sum())(torch.tensor([1.0, 2.0], dtype=torch.float64))
    torch.testing.assert_close(H, torch.diag(torch.tensor([6.0, 12.0], dtype=torch.float64)))


def test_linear_functions_have_no_curvature():
    task = make_task(lambda x: x.sum(), torch.ones(3), (), None, None, None)
    point = task.problem.at(task.x0)
    assert not np.asarray(point.hessian).any()


def test_users_hessian_goes_before_autograd():
    calls = []

    def hess(x):
        calls.append(x)
        return 2.0 * torch.eye(2, dtype=x.dtype)

    x0 = torch.tensor([3.0, 4.0], dtype=torch.float64)
    result = secant.minimize(lambda x: (x**2).sum(), x0, method="newton", hess=hess)
    assert result.nit == len(calls) == 1


def test_gauss_newton_products():
    """J'LJ, against the Jacobian written out; for tensors and modules alike."""
    t = torch.linspace(0.0, 1.0, 9, dtype=torch.float64)

    def outputs(x):
        return x[0] * torch.exp(-x[1] * t)

    fun = Composite(outputs, lambda z: (z**4).sum())
    x0 = torch.tensor([1.5, 0.7], dtype=torch.float64)
    task = make_task(fun, x0, (), None, None, None)
    point = task.problem.at(task.x0)
    J = torch.func.jacrev(outputs)(x0)
    G = (J.T @ torch.diag(12.0 * outputs(x0) ** 2) @ J).numpy()
    for v in np.eye(2):
        np.testing.assert_allclose(np.asarray(point.gauss_newton(v)), G @ v, rtol=1e-10)
    assert task.problem.counts.nhev == 2


def test_hessian_free_trains_on_the_gauss_newton_matrix():
    model, X, y = network()
    fun = Composite(lambda: model(X), lambda z: ((z - y) ** 2).mean())
    task = make_task(fun, model, (), None, None, None)
    point = task.problem.at(task.x0)
    G = np.stack([np.asarray(point.gauss_newton(e)) for e in np.eye(task.x0.shape[0])])
    assert np.linalg.eigvalsh(0.5 * (G + G.T))[0] >= -1e-10
    result = secant.minimize(fun, model, method="hessian-free", max_iter=40)
    assert result.fun < 0.02


SCALES = torch.logspace(0.0, 6.0, 12, dtype=torch.float64)


def quartic(preconditioned, **options):
    """Products that the optimizer needs from two parameters of very different curvatures."""
    w = torch.nn.Parameter(torch.ones(3, 4, dtype=torch.float64))
    b = torch.nn.Parameter(torch.full((2,), 2.0, dtype=torch.float64))
    scales = SCALES.reshape(3, 4)

    def closure():
        coupled = (scales.sqrt() * w).reshape(-1)
        return (scales * (w - 0.5) ** 4).sum() + (coupled.sum() - 1.0) ** 2 + (b**2).sum()

    def diagonal():
        return [12.0 * scales * (w - 0.5) ** 2 + 2.0 * scales, torch.full_like(b, 2.0)]

    optimizer = secant.torch.NewtonCG(
        [{"params": [w]}, {"params": [b], "lr": 0.5}],
        max_iter=40,
        max_eval=200,
        tolerance_change=0.0,
        preconditioner=diagonal if preconditioned else None,
        **options,
    )
    optimizer.step(closure)
    return optimizer.result.nhev, torch.cat([w.detach().reshape(-1), b.detach()])


@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1}, {"damping": 0.1}], ids=str)
def test_the_optimizer_takes_a_diagonal(options):
    plain, x = quartic(False, **options)
    products, again = quartic(True, **options)
    assert products < plain
    torch.testing.assert_close(again, x, atol=2e-2, rtol=0.0)  # a flat quartic


def test_the_diagonal_is_in_the_variables_of_the_method():
    """With decay, and the scale of a group, it is that of the Hessian the method multiplies with."""
    w = torch.nn.Parameter(torch.tensor([0.5, -2.0], dtype=torch.float64))
    b = torch.nn.Parameter(torch.tensor([3.0], dtype=torch.float64))
    groups = [
        {"params": [w], "lr": 1.0, "weight_decay": 0.3},
        {"params": [b], "lr": 0.25, "weight_decay": 0.0},
    ]
    optimizer = secant.torch.NewtonCG(groups, preconditioner=lambda: [12.0 * w**2, 2.0 * b**0])
    problem = optimizer._problem(lambda: (w**4).sum() + (b**2).sum(), optimizer._variables(), None)
    z, _ = problem.variables.read()
    point = problem.at(z)
    B = np.stack([np.asarray(point.hvp(e)) for e in np.eye(3)])
    np.testing.assert_allclose(np.asarray(point.gauss_newton_diagonal()), np.diag(B), rtol=1e-12)


def test_diagonals_that_the_optimizer_does_not_take():
    w = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
    with pytest.raises(ValueError, match="preconditioner must be a callable without arguments or"):
        secant.torch.NewtonCG([w], preconditioner="jacobi")
    optimizer = secant.torch.NewtonCG([w], preconditioner=[torch.ones(3)])
    with pytest.raises(ValueError, match=r"in its shape, \[\(2,\)\]; got \[\(3,\)\]"):
        optimizer.step(lambda: (w**4).sum())
    optimizer = secant.torch.NewtonCG([w], preconditioner=lambda: None)
    with pytest.raises(ValueError, match=r"preconditioner must be a list of tensors.*got None"):
        optimizer.step(lambda: (w**4).sum())
