"""Checks of gradients, Jacobians and Hessians, and products (rows E2 and E3)."""

import numpy as np
import pytest
import torch

import secant
from secant import Verdict, problems

SMOOTH = problems.catalogue()


@pytest.mark.parametrize("f", SMOOTH, ids=str)
def test_right_gradients_are_not_accused(f):
    check = secant.check_gradient(f, f.start(), jac=f.gradient)
    assert check.verdict not in (Verdict.WRONG, Verdict.DOUBTFUL), check


@pytest.mark.parametrize("f", SMOOTH, ids=str)
def test_nor_in_single_precision(f):
    check = secant.check_gradient(f, f.start().astype(np.float32), jac=f.gradient)
    assert check.verdict not in (Verdict.WRONG, Verdict.DOUBTFUL), check


@pytest.mark.parametrize("f", [f for f in SMOOTH if f.has_hessian], ids=str)
def test_right_hessians_are_not_accused(f):
    check = secant.check_hessian(f, f.start(), hess=f.hessian, jac=f.gradient)
    assert check.verdict not in (Verdict.WRONG, Verdict.DOUBTFUL), check


@pytest.mark.parametrize("f", [f for f in SMOOTH if f.is_sum_of_squares], ids=str)
def test_right_jacobians_are_not_accused(f):
    check = secant.check_jacobian(f.residuals, f.start(), f.jacobian)
    assert check.verdict not in (Verdict.WRONG, Verdict.DOUBTFUL), check


@pytest.mark.parametrize("index", [0, 3, 5])
@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.01, "WRONG"), (-1.0, "WRONG"), (1.0001, "DOUBTFUL")]
)
def test_the_wrong_component_is_named(index, factor, verdict):
    f = problems.rosenbrock(6)

    def jac(x):
        g = np.array(f.gradient(x))
        g[index] *= factor
        return g

    check = secant.check_gradient(f, f.start(), jac=jac)
    assert check.verdict.name == verdict
    assert check.component == (index,)
    assert f"[{index}] is" in repr(check)
    assert not check.ok
    assert not bool(check)


def test_components_have_the_shape_of_x():
    a = np.array([[1.0, 1.0, 1.0], [1.0, -1.0, 1.0]])
    check = secant.check_gradient(
        lambda x: float((x**3).sum()), np.full((2, 3), 2.0), jac=lambda x: 3.0 * a * x**2
    )
    assert check.component == (1, 1)


def test_an_error_that_only_shows_near_the_optimum():
    """g has a constant error of 0.1: invisible beside 10^9, all there is at the minimum."""

    def fun(x):
        return float(((x - 3.0) ** 4).sum()) * 1e4

    def jac(x):
        return 4e4 * (x - 3.0) ** 3 + np.array([0.0, 0.1])

    alone = secant.check_gradient(fun, [30.0, -20.0], jac=jac, points=1)
    several = secant.check_gradient(fun, [30.0, -20.0], jac=jac)
    assert alone.ok
    assert not several.ok
    assert several.worst.where == "near an optimum"
    assert several.component == (1,)


@pytest.mark.parametrize("level", [1e-3, 1e-2, 0.3])
def test_noise_is_not_taken_for_right(level):
    rng = np.random.default_rng(0)

    def fun(x):
        return float(x @ x) * (1.0 + level * rng.standard_normal())

    check = secant.check_gradient(fun, [1.0, 2.0], jac=lambda x: 2.0 * x)
    assert check.verdict is Verdict.UNDECIDED, check
    assert not check.ok


@pytest.mark.parametrize("level", [1e-10, 1e-8, 1e-6])
def test_a_little_noise_is_not_held_against_a_right_gradient(level):
    rng = np.random.default_rng(0)

    def fun(x):
        return float(x @ x) * (1.0 + level * rng.standard_normal())

    right = secant.check_gradient(fun, [1.0, 2.0], jac=lambda x: 2.0 * x)
    assert right.ok, right
    assert right.worst.resolution > level
    wrong = secant.check_gradient(fun, [1.0, 2.0], jac=lambda x: 2.0 * x * [1.0, 1.02])
    assert wrong.verdict is Verdict.WRONG, wrong
    assert wrong.component == (1,)


def test_both_at_once_and_float32():
    def both(x):
        return (x**2).sum(), 2.0 * x

    assert secant.check_gradient(both, [1.0, 2.0], jac=True).verdict is Verdict.RIGHT
    assert secant.check_gradient(both, np.float32([1.0, 2.0]), jac=True).ok


# ------------------------------------------------------------------------------------------ torch


class WrongSquare(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2.02 * x * grad


def network(dtype=torch.float64):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    X, y = torch.randn(20, 3, dtype=dtype), torch.randn(20, 1, dtype=dtype)
    model = model.to(dtype)
    return model, lambda: ((model(X) - y) ** 2).mean()


def test_functions_of_tensors():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    assert secant.check_gradient(lambda x: (x**3).sum(), x).verdict is Verdict.RIGHT
    wrong = secant.check_gradient(lambda x: WrongSquare.apply(x).sum(), x)
    assert wrong.verdict is Verdict.WRONG
    assert len(wrong.component) == 2
    assert secant.check_hessian(lambda x: (x**4).sum(), x).verdict is Verdict.RIGHT
    assert secant.check_jacobian(lambda x: x @ x, x).verdict is Verdict.RIGHT


def test_modules_are_checked_and_left_alone():
    model, loss = network()
    before = torch.nn.utils.parameters_to_vector(model.parameters()).clone()
    assert secant.check_gradient(loss, model).verdict is Verdict.RIGHT
    assert secant.check_hessian(loss, model, components=5, points=2).ok
    after = torch.nn.utils.parameters_to_vector(model.parameters())
    assert torch.equal(before, after)


def test_modules_in_single_precision():
    """Where tanh is flat, long steps agree on a derivative of 0."""
    model, loss = network(torch.float32)
    assert secant.check_gradient(loss, model).verdict is Verdict.RIGHT
    assert secant.check_hessian(loss, model, components=5, points=2).ok


def test_what_is_random_is_undecided():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
    X = torch.randn(20, 3)
    check = secant.check_gradient(lambda: (model(X) ** 2).mean(), model)
    assert check.verdict is Verdict.UNDECIDED, check


def test_buffers_are_left_alone():
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Tanh())
    X = torch.randn(20, 3)
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}

    def loss():
        return (model(X) ** 2).mean()

    n = sum(p.numel() for p in model.parameters())
    secant.check_gradient(loss, model, points=2)
    secant.hvp(loss, model, torch.ones(n))
    secant.spectrum(loss, model)
    assert all(torch.equal(before[name], buffer) for name, buffer in model.named_buffers())


def test_an_iterator_of_parameters_is_as_good_as_its_module():
    model, loss = network()
    assert secant.check_gradient(loss, model.parameters(), points=1).ok
    assert secant.check_hessian(loss, model.parameters(), points=1, components=2).ok
    n = sum(p.numel() for p in model.parameters())
    v = torch.ones(n, dtype=torch.float64)
    torch.testing.assert_close(secant.hvp(loss, model.parameters(), v), secant.hvp(loss, model, v))
    assert secant.spectrum(loss, model.parameters()).n == n


def test_nothing_to_check_is_named():
    with pytest.raises(ValueError, match="jac must be what is to be checked"):
        secant.check_gradient(lambda x: x.sum(), [1.0])
    with pytest.raises(ValueError, match="hess must be what is to be checked"):
        secant.check_hessian(lambda x: x.sum(), [1.0], jac=lambda x: 1.0 + 0.0 * x)
    with pytest.raises(ValueError, match="jac must return an"):
        secant.check_jacobian(lambda x: x, [1.0, 2.0], lambda x: np.eye(3))


# --------------------------------------------------------------------------------------- products


@pytest.mark.parametrize("kind", ["jac", "differences", "hessp", "hess"])
def test_products_on_numpy(kind):
    f = problems.rosenbrock()
    x, v = f.start(), np.array([-2.0, 0.5])
    given = {
        "jac": {"jac": f.gradient},
        "differences": {},
        "hessp": {"jac": f.gradient, "hessp": lambda x, p: f.hessian(x) @ p},
        "hess": {"jac": f.gradient, "hess": f.hessian},
    }[kind]
    product = secant.hvp(f, x, v, **given)
    expected = f.hessian(x) @ v
    error = {"jac": 1e-8, "differences": 1e-5}.get(kind, 1e-14)
    np.testing.assert_allclose(product, expected, rtol=0.0, atol=error * np.abs(expected).max())


def test_products_on_torch_are_exact_and_shaped():
    torch.manual_seed(1)
    x, v = torch.randn(3, 2, dtype=torch.float64), torch.randn(3, 2, dtype=torch.float64)

    def fun(x):
        return (x.T @ x).exp().sum()

    H = torch.autograd.functional.hessian(fun, x).reshape(6, 6)
    product = secant.hvp(fun, x, v)
    assert product.shape == x.shape
    torch.testing.assert_close(product, (H @ v.reshape(-1)).reshape(3, 2), rtol=1e-12, atol=1e-12)
    with pytest.raises(ValueError, match="v must have 6 elements"):
        secant.hvp(fun, x, v[:1])


def test_products_on_modules():
    model, loss = network()
    n = sum(p.numel() for p in model.parameters())
    v = torch.randn(n, dtype=torch.float64)
    Hv = secant.hvp(loss, model, v)
    h = 1e-5
    w = torch.nn.utils.parameters_to_vector(model.parameters()).detach().clone()

    def gradient(at):
        torch.nn.utils.vector_to_parameters(at, model.parameters())
        return torch.cat(
            [g.reshape(-1) for g in torch.autograd.grad(loss(), list(model.parameters()))]
        )

    expected = (gradient(w + h * v) - gradient(w - h * v)) / (2.0 * h)
    torch.testing.assert_close(Hv, expected, rtol=1e-6, atol=1e-7)
