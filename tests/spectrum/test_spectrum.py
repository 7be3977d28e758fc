"""Eigenvalues, density and trace from products alone, against dense linear algebra (rows E4, E5)."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import secant
from secant import problems
from secant.arrays import like
from secant.spectrum.density import density
from secant.spectrum.lanczos import Lanczos, eigenvalues
from secant.spectrum.operator import as_symmetric
from secant.spectrum.trace import hutch_plus_plus, hutchinson


def symmetric(values, seed=0):
    """A dense matrix with these eigenvalues."""
    Q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(values),) * 2))
    return (Q * values) @ Q.T


def trained_network():
    """A small network with its training loss, after a hundred iterations of BFGS."""
    torch.manual_seed(0)
    X = torch.randn(60, 4, dtype=torch.float64)
    y = torch.sin(X.sum(dim=1, keepdim=True))
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 10), torch.nn.Tanh(), torch.nn.Linear(10, 1)
    ).double()

    def loss():
        return ((model(X) - y) ** 2).mean()

    secant.minimize(loss, model, method="bfgs", max_iter=100)
    return model, loss


def dense_hessian(model, loss):
    parameters = list(model.parameters())
    grads = torch.autograd.grad(loss(), parameters, create_graph=True)
    g = torch.cat([grad.reshape(-1) for grad in grads])
    rows = [torch.autograd.grad(gi, parameters, retain_graph=True) for gi in g]
    return np.array([torch.cat([part.reshape(-1) for part in row]).numpy() for row in rows])


def test_the_spectrum_of_a_trained_network_is_that_of_its_dense_hessian():
    model, loss = trained_network()
    before = torch.nn.utils.parameters_to_vector(model.parameters()).clone()
    expected = np.linalg.eigvalsh(dense_hessian(model, loss))
    found = secant.spectrum(loss, model)
    assert np.abs(found.everything - expected).max() < 1e-8
    assert found.trace == pytest.approx(expected.sum(), rel=1e-12)
    assert found.sharpness == pytest.approx(expected[-1], rel=1e-12)
    some = secant.spectrum(loss, model, k=3, max_products=40, with_density=False)
    assert np.abs(some.largest - expected[::-1][:3]).max() < 1e-8
    assert torch.equal(before, torch.nn.utils.parameters_to_vector(model.parameters()))


def test_functions_on_numpy_and_torch_agree():
    f = problems.rosenbrock()
    x = f.start()
    expected = np.linalg.eigvalsh(f.hessian(x))
    for kind in ({"jac": f.gradient}, {"hess": f.hessian, "jac": f.gradient}):
        found = secant.spectrum(f, x, **kind)
        np.testing.assert_allclose(found.everything, expected, rtol=1e-6)
    found = secant.spectrum(f, torch.as_tensor(x))
    np.testing.assert_allclose(found.everything, expected, rtol=1e-12)


def test_the_condition_number_of_rosenbrock_is_2508():
    f = problems.rosenbrock()
    found = secant.spectrum(f, torch.ones(2, dtype=torch.float64))
    assert found.condition_number == pytest.approx(2508.0, abs=0.5)


# ---------------------------------------------------------------------------------------- Lanczos


@pytest.mark.parametrize(
    "example", [np.zeros(0), torch.zeros(0, dtype=torch.float64)], ids=["numpy", "torch"]
)
def test_extremes(example):
    values = np.concatenate([np.linspace(-1.0, 1.0, 190), [-30.0, -4.0, 5.0, 50.0, 1000.0]])
    found = eigenvalues(like(symmetric(values), example), 3)
    assert found.converged
    assert found.products < 195
    np.testing.assert_allclose(found.largest, [1000.0, 50.0, 5.0], atol=1e-9)
    np.testing.assert_allclose(found.smallest, [-30.0, -4.0, -1.0], atol=1e-6)


def test_the_top_eigenvector():
    A = symmetric(np.linspace(0.0, 1.0, 50) ** 4)
    v = eigenvalues(A).top
    assert np.linalg.norm(v) == pytest.approx(1.0)
    assert np.linalg.norm(A @ v - v) < 1e-7


def test_vectors_stay_orthogonal():
    """Without reorthogonalisation they are dependent after some twenty steps of this matrix."""
    values = np.concatenate([np.linspace(0.0, 1.0, 150), 10.0 ** np.arange(1, 11)])
    B = as_symmetric(symmetric(values), None, None)
    process = Lanczos(B, np.random.default_rng(0).standard_normal(160), 100)
    for _ in range(100):
        process.step()
    Q = process._Q
    assert np.abs(Q @ Q.T - np.eye(100)).max() < 1e-13


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.sampled_from([-2.0, 0.0, 0.5, 1.0, 3.0, 1e3]), min_size=1, max_size=25),
    seed=st.integers(0, 100),
)
def test_all_eigenvalues_with_their_multiplicities(values, seed):
    A = symmetric(np.array(values), seed)
    found = eigenvalues(A, len(values), seed=seed)
    np.testing.assert_allclose(found.everything, np.sort(values), atol=1e-9)


def test_what_is_not_finite_is_named():
    with pytest.raises(FloatingPointError, match="not finite"):
        eigenvalues(lambda v: math.nan * v, n=5)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: secant.spectrum(lambda v: v), "n must be given for a callable"),
        (lambda: secant.spectrum(np.ones((2, 3))), "B must be a square matrix"),
        (lambda: secant.spectrum(3), "B must be a matrix"),
        (lambda: secant.spectrum(np.eye(2), k=0), "k must be an integer"),
        (lambda: secant.EdgeOfStability(eta=-1.0), "eta must be"),
    ],
)
def test_misuse_is_named(call, sentence):
    with pytest.raises((ValueError, TypeError), match=sentence):
        call()


# ---------------------------------------------------------------------------- density and trace


def test_density_has_area_one_and_the_right_moments():
    values = np.random.default_rng(1).standard_normal(400)
    found = density(symmetric(values), probes=20)
    at = np.linspace(-6.0, 6.0, 4001)
    assert np.trapezoid(found(at), at) == pytest.approx(1.0, abs=1e-6)
    assert found.trace() == pytest.approx(values.sum(), abs=20.0)
    assert found.trace(np.square) == pytest.approx((values**2).sum(), rel=0.05)
    assert found.trace(np.exp) == pytest.approx(np.exp(values).sum(), rel=0.1)
    expected = np.mean(np.exp(-0.5 * ((at[:, None] - values) / 0.3) ** 2), axis=1) / (
        0.3 * math.sqrt(2 * math.pi)
    )
    assert np.abs(found(at, width=0.3) - expected).max() < 0.03


def test_outliers_stand_apart_from_the_bulk():
    values = np.concatenate(
        [np.random.default_rng(2).uniform(-0.5, 0.5, 495), [8.0, 9.0, 20.0, 40.0, 41.0]]
    )
    found = secant.spectrum(symmetric(values), k=8, max_products=150)
    np.testing.assert_allclose(found.outliers, [8.0, 9.0, 20.0, 40.0, 41.0], atol=1e-6)
    assert "not converged" in repr(found) or found.converged


def test_trace_estimates():
    values = 100.0 * np.arange(1.0, 301.0) ** -2.0
    A = symmetric(values)
    plain, better = hutchinson(A, 90), hutch_plus_plus(A, 90)
    assert plain.products == better.products == 90
    assert abs(plain.value - values.sum()) <= 4.0 * plain.error
    assert abs(better.value - values.sum()) <= 4.0 * better.error
    assert better.error < 0.1 * plain.error


def test_traces_of_low_rank_are_exact():
    values = np.zeros(100)
    values[:5] = [3.0, -2.0, 1.0, 10.0, 0.5]
    assert hutch_plus_plus(symmetric(values), 30).value == pytest.approx(12.5, abs=1e-10)


def test_the_plots():
    pytest.importorskip("matplotlib")
    figure = secant.spectrum(symmetric(np.r_[np.linspace(0, 1, 50), 20.0])).plot()
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["density", "1 outliers"]


# ------------------------------------------------------------------------------ edge of stability


def test_sharpness_along_a_run():
    model, loss = trained_network()
    torch.manual_seed(1)
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.5)
    watch = secant.EdgeOfStability(eta=0.05, every=20)
    secant.minimize(
        loss, model, method=secant.GradientDescent(rate=0.05), max_iter=100, callback=watch
    )
    assert watch["k"].tolist() == [0, 20, 40, 60, 80, 100]
    assert watch.limit == pytest.approx(40.0)
    now = np.linalg.eigvalsh(dense_hessian(model, loss))[-1]
    assert watch.rows[-1].sharpness == pytest.approx(now, rel=1e-4)
    figure = watch.plot()
    assert len(figure.axes) == 2


def test_sharpness_on_numpy_is_counted():
    a = np.array([1.0, 5.0, 30.0])
    watch = secant.EdgeOfStability(eta=0.05, every=1)
    result = secant.minimize(
        lambda x: 0.5 * float(a @ (x * x)),
        np.ones(3),
        jac=lambda x: a * x,
        method=secant.GradientDescent(rate=0.05),
        max_iter=3,
        callback=watch,
    )
    np.testing.assert_allclose(watch["sharpness"], 30.0, rtol=1e-6)
    assert result.nhev > 0
