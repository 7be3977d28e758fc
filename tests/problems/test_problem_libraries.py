"""The problems on NumPy, PyTorch and the strict reference implementation, in both precisions."""

import pickle

import array_api_strict
import numpy as np
import pytest
import torch

from secant import problems
from secant.problems.table import Table

ALL = (*problems.catalogue(), problems.watson(6), problems.rosenbrock(5))
LIBRARIES = {"numpy": np, "torch": torch, "strict": array_api_strict}


def answers(f, x):
    yield f(x)
    yield f.gradient(x)
    yield from f.value_and_gradient(x)
    if f.is_sum_of_squares:
        yield f.residuals(x)
        yield f.jacobian(x)
    if f.has_hessian:
        yield f.hessian(x)


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("f", ALL, ids=str)
def test_library_and_dtype_are_kept(f, precision, name):
    xp = LIBRARIES[name]
    x = f.start(like=xp.zeros(1, dtype=getattr(xp, precision)))
    reference = answers(f, f.start())
    # float32: x0 itself is rounded, and the residuals may be differences of large terms.
    rtol = 1e-12 if precision == "float64" else 2e-4
    for got, expected in zip(answers(f, x), reference, strict=True):
        assert got.dtype == x.dtype
        assert got.shape == expected.shape
        if xp is not np:
            assert type(got) is type(x)
        got = np.asarray(got, dtype=np.float64)
        scale = np.abs(expected).max() if np.size(expected) else 0.0
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol * scale)


@pytest.mark.parametrize("f", ALL, ids=str)
def test_start_is_a_fresh_array_each_time(f):
    x = f.start()
    assert x.dtype == np.float64
    assert tuple(x.tolist()) == f.x0
    x += 1.0
    assert tuple(f.start().tolist()) == f.x0


@pytest.mark.parametrize("f", ALL, ids=str)
def test_pickled_objective_is_the_same_function(f):
    f.gradient(f.start(like=torch.zeros(1)))  # fills the cached copies, which stay behind
    other = pickle.loads(pickle.dumps(f))
    x = f.start() + 0.1
    assert str(other) == str(f)
    np.testing.assert_array_equal(other.gradient(x), f.gradient(x))


@pytest.mark.parametrize("f", ALL, ids=str)
@pytest.mark.parametrize("size", [1e200, -1e200, np.inf, np.nan])
def test_overflow_does_not_raise(f, size):
    with np.errstate(all="ignore"):
        value, g = f.value_and_gradient(np.full(f.n, size))
    assert np.shape(value) == ()
    assert g.shape == (f.n,)


@pytest.mark.parametrize("f", ALL, ids=str)
def test_the_argument_is_left_alone(f):
    x = f.start()
    x.flags.writeable = False
    list(answers(f, x))
    assert tuple(x.tolist()) == f.x0


def test_autograd_after_a_first_call_without_it():
    f = problems.watson(6)
    with torch.no_grad():
        f(f.start(like=torch.zeros(1)))
    x = f.start(like=torch.zeros(1)).requires_grad_()
    f(x).backward()
    torch.testing.assert_close(x.grad, f.gradient(x.detach()))


def test_functional_transforms_see_through_the_tables():
    f = problems.biggs_exp6()
    x = f.start(like=torch.zeros(1, dtype=torch.float64))
    torch.testing.assert_close(torch.func.grad(f)(x), f.gradient(x))
    torch.testing.assert_close(torch.func.jacrev(f.residuals)(x), f.jacobian(x))
    batch = torch.stack([x, x + 0.1])
    torch.testing.assert_close(torch.func.vmap(f)(batch)[1], f(x + 0.1))
    torch.testing.assert_close(f.gradient(x), torch.func.grad(f)(x))  # the cache is still sound


def test_large_sizes_do_not_form_the_jacobian():
    n = 100_000
    for make in (problems.rosenbrock, problems.extended_rosenbrock, problems.extended_powell):
        assert make(n).gradient(make(n).start()).shape == (n,)
    for make in (problems.penalty_1, problems.variably_dimensioned, problems.trigonometric):
        assert make(n).gradient(make(n).start()).shape == (n,)


def test_tables_are_converted_once():
    table, x = Table([1.0, 2.0]), torch.zeros(1)
    assert table.like(x) is table.like(x)
    assert table.like(x).dtype == torch.float32
    assert table.like(np.zeros(1)).dtype == np.float64


def test_tables_refuse_integers():
    with pytest.raises(TypeError, match="floating-point dtype, got int64"):
        problems.gaussian()(np.array([1, 1, 0], dtype=np.int64))
