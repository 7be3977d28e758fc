"""Differences: their orders, their best steps, their errors, and what they are refused for (row E1)."""

import math

import numpy as np
import pytest

import secant
from secant.derivatives.numerical import METHODS

EPS = np.finfo(float).eps


def smooth(x):
    return (np.exp(x) * np.sin(3.0 * x) / x).sum()


def exact(x):
    s, c = np.sin(3.0 * x), np.cos(3.0 * x)
    return np.exp(x) * ((s + 3.0 * c) / x - s / x**2)


ERRORS = {"2-point": 1e-6, "3-point": 1e-8, "richardson": 1e-12, "cs": 1e-15}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(3,), (3, 1), ()])
def test_gradients_are_as_exact_as_their_scheme(method, shape):
    x = np.array([0.7, 1.3, -2.1])[: math.prod(shape)].reshape(shape)
    g = secant.gradient(smooth, x, method=method)
    assert g.shape == x.shape
    np.testing.assert_allclose(g, exact(x), rtol=ERRORS[method])


@pytest.mark.parametrize(
    ("method", "order", "steps"),
    [("2-point", 1, (1e-3, 1e-4, 1e-5)), ("3-point", 2, (1e-2, 1e-3, 1e-4))],
)
def test_errors_have_their_order(method, order, steps):
    """Above the best step the error is c h^order."""
    errors = [
        abs(secant.derivative(math.exp, 1.0, method=method, relative_step=h) - math.e)
        for h in steps
    ]
    slopes = -np.diff(np.log10(errors))
    np.testing.assert_allclose(slopes, order, atol=0.05)


@pytest.mark.parametrize(("method", "power"), [("2-point", 1 / 2), ("3-point", 1 / 3)])
def test_the_default_step_is_near_the_best(method, power):
    """Among steps of 10^-15 ... 10^-1 none is a hundred times better on the average of many points."""

    def error(h):
        return np.mean(
            [
                abs(secant.derivative(np.exp, x, method=method, relative_step=h) / np.exp(x) - 1.0)
                for x in np.linspace(0.3, 2.0, 40)
            ]
        )

    steps = 10.0 ** np.arange(-15.0, 0.0)
    best = steps[np.argmin([error(h) for h in steps])]
    assert abs(math.log10(best) - power * math.log10(EPS)) <= 1.0
    assert error(EPS**power) <= 10.0 * error(best)


@pytest.mark.parametrize("x", [1e6, 1.0, -1e9])
def test_steps_scale_with_x(x):
    np.testing.assert_allclose(secant.gradient(lambda x: (x**2).sum(), [x]), [2.0 * x], rtol=1e-9)


def test_the_complex_step_has_no_cancellation():
    for h in (1e-20, 1e-100, 1e-10):
        g = secant.gradient(smooth, [0.7], method="cs", relative_step=h)
        np.testing.assert_allclose(g, exact(np.array([0.7])), rtol=1e-15)


@pytest.mark.parametrize(
    ("fun", "x", "expected"),
    [
        (math.exp, 1.0, math.e),
        (math.log, 1e-3, 1e3),
        (lambda x: math.sin(1000.0 * x), 1.0, 1000.0 * math.cos(1000.0)),
        (lambda x: x**0.5, 1e-2, 5.0),
        (lambda x: 1.0 / (1.0 + 25.0 * x * x), 0.3, -15.0 / (1.0 + 25.0 * 0.09) ** 2),
        (lambda x: 7.0, 3.0, 0.0),
        (lambda x: abs(x), -2.0, -1.0),
    ],
)
def test_richardsons_error_is_an_honest_one(fun, x, expected):
    value, error = secant.derivative(fun, x, with_error=True)
    assert abs(value - expected) <= 10.0 * error + 1e-14 * abs(expected)
    assert error <= 1e-8 * max(abs(expected), 1.0)


def test_jacobians_have_the_shape_of_the_value_and_then_of_x():
    def fun(x):
        return np.stack([x @ x, x.sum(axis=0)[:, None] * x])

    x = np.arange(1.0, 5.0).reshape(2, 2)
    J = secant.jacobian(fun, x)
    assert J.shape == (2, 2, 2, 2, 2)
    step = 1e-6 * np.array([[1.0, -2.0], [0.5, 3.0]])
    np.testing.assert_allclose(
        np.tensordot(J, step, axes=2), fun(x + step) - fun(x), rtol=1e-4, atol=1e-12
    )


@pytest.mark.parametrize("method", METHODS)
def test_float32_stays_float32(method):
    g = secant.gradient(lambda x: (x**3).sum(), np.float32([1.0, 2.0]), method=method)
    assert g.dtype == np.float32
    np.testing.assert_allclose(g, [3.0, 12.0], rtol=3e-3)


def test_extra_arguments_are_passed_on():
    assert secant.derivative(lambda x, a: a * x, 1.0, (3.0,)) == pytest.approx(3.0)
    np.testing.assert_allclose(secant.gradient(lambda x, a: a * x.sum(), [1.0], (3.0,)), 3.0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: secant.gradient(lambda x: x, [1.0, 2.0]), "fun must return one number"),
        (lambda: secant.gradient(np.sum, [1.0], method="4-point"), "method must be one of"),
        (lambda: secant.gradient(np.sum, ["a"]), "x must hold real numbers"),
        (lambda: secant.gradient(np.sum, [1.0], relative_step=-1.0), "relative_step must be"),
        (lambda: secant.gradient(np.sum, [1.0], with_error=True), "with_error must be"),
        (lambda: secant.derivative(abs, 1.0, method="cs"), "values are complex"),
        (lambda: secant.derivative(math.exp, 1.0, method="cs"), "takes complex arrays"),
        (lambda: secant.derivative(np.exp, [1.0]), "x must be a number"),
    ],
)
def test_misuse_is_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_minimisations_use_the_same_differences():
    for jac in ("2-point", "3-point", "cs"):
        assert secant.minimize(lambda x: ((x - 1.0) ** 2).sum(), [3.0, 4.0], jac=jac).success
