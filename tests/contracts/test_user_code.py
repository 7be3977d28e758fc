"""What users do to the arrays they are given, and what they get back."""

import numpy as np
import pytest
import torch
from contract_cases import BACKENDS, METHODS, NUMPY64, TORCH64_JAC, as_numpy, key

import secant
from secant import problems

BEALE, ROSENBROCK = problems.beale(), problems.rosenbrock()


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_library_precision_and_shape_are_kept(backend, method):
    """x0 is a 2 x 1 matrix here; it is not written to, and comes back as one of its kind."""
    x0 = backend.array([[1.0], [1.0]])
    before = key(x0)

    def fun(x):
        assert x.shape == (2, 1)
        return BEALE(x[:, 0])

    def jac(x):
        return BEALE.gradient(x[:, 0])[:, None]

    given = {"fun": fun, "x0": x0} | ({} if backend.autograd else {"jac": jac})
    result = secant.minimize(**given, method=method, max_iter=5)
    assert key(x0) == before
    for array in (result.x, result.jac):
        assert type(array) is type(x0)
        assert array.dtype == x0.dtype
        assert tuple(array.shape) == (2, 1)
        assert not getattr(array, "requires_grad", False)
    assert isinstance(result.fun, float)


@pytest.mark.parametrize("backend", [NUMPY64, TORCH64_JAC], ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_users_may_write_to_x_and_reuse_their_gradient(backend, method):
    """The x that a function is given is its own, and the gradient it returns remains its own."""
    x0 = BEALE.start(backend.like)
    buffer = BEALE.gradient(x0)

    def fun(x):
        f = BEALE(x)
        x[:] = 7.0
        return f

    def jac(x):
        buffer[:] = BEALE.gradient(x)
        x[:] = 7.0
        return buffer

    clean = secant.minimize(BEALE, x0, jac=BEALE.gradient, method=method, max_iter=12)
    rude = secant.minimize(fun, x0, jac=jac, method=method, max_iter=12)
    assert key(rude.x) == key(clean.x)
    assert rude.trace.f.tolist() == clean.trace.f.tolist()


@pytest.mark.parametrize("jac", ["2-point", "3-point", "richardson", "cs"])
def test_users_may_write_to_x_under_differences(jac):
    def fun(x):
        f = BEALE(x)
        x[:] = 7.0
        return f

    clean = secant.minimize(BEALE, BEALE.start(), jac=jac, max_iter=12)
    rude = secant.minimize(fun, BEALE.start(), jac=jac, max_iter=12)
    assert rude.x.tolist() == clean.x.tolist()


def test_users_may_write_to_x_in_hessian_products():
    def hessp(x, p):
        product = ROSENBROCK.hessian(x) @ p
        x[:] = p[:] = 7.0
        return product

    def hess(x):
        H = ROSENBROCK.hessian(x)
        x[:] = 7.0
        return H

    given = NUMPY64.problem(ROSENBROCK) | {"method": "linear-cg", "max_iter": 5}
    clean = secant.minimize(**given, hess=ROSENBROCK.hessian)
    assert secant.minimize(**given, hess=hess).x.tolist() == clean.x.tolist()
    assert secant.minimize(**given, hessp=hessp).x.tolist() == clean.x.tolist()


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_the_callback_sees_copies(backend, method):
    def vandal(snapshot):
        snapshot.x[:] = float("nan")
        snapshot.g[:] = float("nan")

    clean = secant.minimize(**backend.problem(BEALE), method=method, max_iter=8)
    result = secant.minimize(**backend.problem(BEALE), method=method, max_iter=8, callback=vandal)
    assert key(result.x) == key(clean.x)
    assert np.isfinite(as_numpy(result.jac)).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_result_is_the_users(method):
    """Writing into a result, or applying its inverse Hessian, does not disturb the run it came from."""
    given = NUMPY64.problem(BEALE)
    whole = secant.minimize(**given, method=method, max_iter=8)
    run = secant.start(**given, method=method, max_iter=8)
    for _ in range(3):
        run.step()
    early = run.result()
    early.x[:] = early.jac[:] = np.nan
    assert run.finish().x.tolist() == whole.x.tolist()


def test_gradients_are_not_tracked():
    """Inside `torch.no_grad`, and with an x0 that requires a gradient, autograd still does its work."""
    x0 = torch.tensor([1.0, 1.0], dtype=torch.float64, requires_grad=True)
    with torch.no_grad():
        result = secant.minimize(BEALE, x0)
    assert result.success
    assert x0.grad is None
    assert not result.x.requires_grad
