"""What spectra may be of, and the sentence for everything else."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

import secant
from secant.report.edge_of_stability import plot_edge_of_stability
from secant.spectrum.density import density
from secant.spectrum.lanczos import eigenvalues
from secant.spectrum.trace import hutch_plus_plus

VALUES = np.array([1.0, 2.0, 3.0, 100.0])
B = np.diag(VALUES)


@pytest.mark.parametrize(
    "matrix",
    [
        B.tolist(),
        B.astype(int),
        B.astype(np.float32),
        np.asfortranarray(B)[::1],
        pd.DataFrame(B),
        torch.tensor(B, requires_grad=True),
    ],
    ids=["lists", "integers", "float32", "fortran", "table", "graph"],
)
def test_matrices_of_every_kind(matrix, recwarn):
    found = secant.spectrum(matrix)
    np.testing.assert_allclose(found.everything, VALUES, rtol=1e-5)
    assert not recwarn


def test_truth_values_are_numbers():
    np.testing.assert_allclose(secant.spectrum(np.eye(3, dtype=bool)).everything, 1.0)


@pytest.mark.parametrize("scale", [1e200, 1e-200, 1e-300])
def test_the_units_of_a_matrix_do_not_matter(scale):
    """Squares of its entries would over- or underflow."""
    rng = np.random.default_rng(0)
    Q, _ = np.linalg.qr(rng.standard_normal((30, 30)))
    values = np.linspace(1.0, 30.0, 30)
    found = secant.spectrum(scale * ((Q * values) @ Q.T), k=30)
    np.testing.assert_allclose(found.everything, scale * values, rtol=1e-12)


def test_products_may_write_into_what_they_are_given():
    diagonal = np.arange(1.0, 401.0)
    options = {"n": 400, "max_products": 100, "k": 3}
    found = secant.spectrum(lambda v: np.multiply(diagonal, v, out=v), **options)
    expected = secant.spectrum(lambda v: diagonal * v, **options)
    np.testing.assert_array_equal(found.largest, expected.largest)
    assert found.trace == expected.trace


def quartic(x):
    return (x**4).sum()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: secant.spectrum(np.ones((2, 3))),
            r"B must be a square matrix, got shape \(2, 3\)",
        ),
        (lambda: secant.spectrum(np.zeros((0, 0))), "B must be a square matrix"),
        (lambda: secant.spectrum(B + 1j * B), "B must hold real floating-point numbers"),
        (lambda: secant.spectrum(B + np.triu(np.ones((4, 4)), 1)), r"symmetric, got \|B - B'\|"),
        (lambda: secant.spectrum(lambda v: None, n=4), "B must return real numbers"),
        (lambda: secant.spectrum(lambda v: 1j * v, n=4), "B must return real numbers"),
        (lambda: secant.spectrum(lambda v: v[:2], n=4), r"a vector of 4 numbers, got shape \(2,\)"),
        (lambda: secant.spectrum(lambda v: v[:, None], n=4), "B must return a vector of 4"),
        (lambda: secant.spectrum(B, steps=0), "steps must be an integer"),
        (lambda: secant.spectrum(B, probes=0), "probes must be an integer"),
        (lambda: secant.spectrum(B, seed=-1), "seed must be an integer >= 0"),
        (lambda: secant.spectrum(quartic, torch.tensor([1, 2])), "^x must hold real floating"),
        (lambda: secant.spectrum(quartic, torch.tensor([1j])), "^x must hold real floating"),
        (lambda: secant.spectrum(quartic, torch.zeros(0)), "^x must have at least one element"),
        (lambda: secant.spectrum(quartic, torch.nn.Tanh()), "^x must have a parameter"),
        (lambda: density(B)(1.0, width=0.0), "width must be a positive"),
        (lambda: eigenvalues(B, start=np.ones(3)), "start must be a finite vector of 4 numbers"),
        (lambda: eigenvalues(B, start=np.zeros(4)), "start must be a finite vector of 4 numbers"),
        (lambda: plot_edge_of_stability(), "runs must hold a callback"),
    ],
)
def test_what_is_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_differences_of_gradients_are_symmetric_enough():
    rng = np.random.default_rng(0)
    assert secant.spectrum(B + 1e-6 * rng.standard_normal((4, 4))).n == 4


@pytest.mark.parametrize("find", [secant.spectrum, hutch_plus_plus])
def test_products_that_are_not_finite(find):
    with pytest.raises(FloatingPointError, match="a product with B is not finite"):
        find(B * math.nan)


def test_a_watch_may_see_one_run_after_the_other():
    watch = secant.EdgeOfStability(eta=0.1, every=1)
    method = secant.GradientDescent(rate=0.01)
    for n in (2, 3):
        secant.minimize(quartic, np.ones(n), method=method, callback=watch, max_iter=2)
    np.testing.assert_array_equal(watch["k"], [0, 1, 2, 0, 1, 2])
    np.testing.assert_allclose(watch["sharpness"][[0, 3]], 12.0, rtol=1e-3)


def test_a_run_that_leaves_the_domain_goes_on_to_its_own_end():
    """The Hessian beside a pole is not finite, which is no reason to lose the run."""
    watch = secant.EdgeOfStability(eta=0.5, every=1)

    def gradient(x):
        return np.where(np.abs(x) > 3.0, np.nan, 2.0 * x)

    result = secant.minimize(
        lambda x: float(x @ x),
        np.array([3.0, 1.0]),
        jac=gradient,
        method=secant.GradientDescent(rate=0.4),
        callback=watch,
        max_iter=3,
    )
    assert result.nit == 3
    assert math.isnan(watch["sharpness"][0])
    np.testing.assert_allclose(watch["sharpness"][1:], 2.0, rtol=1e-3)
