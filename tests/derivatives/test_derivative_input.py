"""What `derivative`, `gradient` and `jacobian` may be given, and the sentence for everything else."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

import secant
from secant.derivatives.numerical import METHODS

X = np.array([1.0, 2.0])
EXPECTED = 2.0 * X
ERROR = {"2-point": 1e-7, "3-point": 1e-9, "richardson": 1e-11, "cs": 1e-15}


def square(x):
    return (x**2).sum()


@pytest.mark.parametrize("method", METHODS)
def test_a_function_may_write_into_its_argument(method):
    def fun(x):
        value = square(x)
        x *= 0.0
        return value

    np.testing.assert_allclose(secant.gradient(fun, X, method=method), EXPECTED, rtol=ERROR[method])


@pytest.mark.parametrize("method", METHODS)
def test_a_function_may_return_one_array_again_and_again(method):
    buffer = np.empty(2, complex if method == "cs" else float)
    J = secant.jacobian(lambda x: np.multiply(x, x, out=buffer), X, method=method)
    np.testing.assert_allclose(J, np.diag(EXPECTED), rtol=ERROR[method], atol=1e-15)


@pytest.mark.parametrize("method", METHODS)
def test_a_function_may_return_lists(method):
    J = secant.jacobian(lambda x: [x[0], x[0] * x[1]], X, method=method)
    np.testing.assert_allclose(J, [[1.0, 0.0], [2.0, 1.0]], rtol=ERROR[method], atol=1e-15)


@pytest.mark.parametrize(
    "convert", [np.float32, torch.tensor, lambda v: torch.tensor(v, requires_grad=True), Fraction]
)
def test_numbers_of_other_libraries(convert):
    g = secant.gradient(lambda x: convert(square(x)), X)
    np.testing.assert_allclose(g, EXPECTED, rtol=1e-5)


@pytest.mark.parametrize(
    ("method", "error"), [("2-point", 2e-3), ("3-point", 1e-4), ("richardson", 1e-6)]
)
def test_functions_that_compute_in_single_precision_get_its_steps(method, error):
    g = secant.gradient(lambda x: np.float32(square(x)), X, method=method)
    np.testing.assert_allclose(g, EXPECTED, rtol=error)


def test_the_error_of_single_precision_is_not_hidden():
    value, error = secant.derivative(
        lambda x: np.float32(np.exp(x)), 1.0, method="richardson", with_error=True
    )
    assert abs(value - math.e) <= 10.0 * error
    assert 1e-8 < error < 1e-3


def test_unsigned_integers_do_not_wrap_around():
    g = secant.gradient(lambda x: np.uint8(100.5 + 1e6 * (1.0 - x[0])), [1.0], relative_step=1e-6)
    np.testing.assert_allclose(g, -1e6, rtol=0.6)


@pytest.mark.parametrize("x", [1e-7, 3e-9, 1e-3])
@pytest.mark.parametrize("log", [math.log, np.log])
def test_steps_stay_in_the_domain(log, x):
    """eps^(1/3) is longer than x: `math` raises where NumPy has NaN."""
    value, error = secant.derivative(log, x, with_error=True)
    assert abs(value - 1.0 / x) <= 10.0 * error
    assert error <= 1e-6 / x


def test_steps_outside_of_the_domain_warn_of_nothing(recwarn):
    secant.derivative(np.log, 0.01)
    assert not recwarn


@pytest.mark.parametrize("width", [1e-2, 1e-3])
def test_flat_regions_far_away_are_not_taken_for_the_derivative(width):
    """Where f is constant, all differences agree on 0."""

    def bump(x):
        return np.exp(-(((x - 0.3) / width) ** 2))

    at = 0.3 + 0.5 * width
    expected = -math.exp(-0.25) / width
    assert secant.derivative(bump, at) == pytest.approx(expected, rel=1e-6)
    pair = secant.jacobian(lambda x: np.array([bump(x[0]), x[0] ** 2]), [at], method="richardson")
    np.testing.assert_allclose(pair[:, 0], [expected, 2.0 * at], rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: secant.gradient(None, X), "fun must be callable, got None"),
        (lambda: secant.gradient(square, []), "x must have at least one element"),
        (lambda: secant.gradient(square, [1j]), "x must hold real numbers"),
        (lambda: secant.gradient(square, [[1.0], [1.0, 2.0]]), "x must hold real numbers"),
        (lambda: secant.gradient(square, [1.0, math.nan]), "x must be finite"),
        (lambda: secant.derivative(np.exp, math.inf), "x must be finite, got inf"),
        (lambda: secant.gradient(square, torch.ones(2)), "x must be a NumPy array or numbers"),
        (lambda: secant.jacobian(lambda x: None, X), "fun must return real numbers, got a None"),
        (lambda: secant.jacobian(lambda x: "ab", X), "fun must return real numbers"),
        (lambda: secant.jacobian(lambda x: [[1.0], [1.0, 2.0]], X), "real numbers, got a list"),
        (lambda: secant.jacobian(lambda x: 1j * x, X), "real numbers, got dtype complex128"),
        (lambda: secant.jacobian(lambda x: np.ones(int(x[0]) + 1), X), "values of one shape"),
        (lambda: secant.gradient(lambda x: torch.ones(2), X), r"one number, .* shape \(2,\)"),
        (lambda: secant.gradient(square, X, relative_step=1e-17), "must be at least the epsilon"),
        (lambda: secant.gradient(square, X, relative_step="a"), "must be a positive finite"),
    ],
)
def test_what_is_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_one_extra_argument_needs_no_tuple():
    assert secant.derivative(lambda x, a: a * x, 1.0, 3.0) == pytest.approx(3.0)
