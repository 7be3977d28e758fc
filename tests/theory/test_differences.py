"""Gradients by differences: their orders, their best steps, and the complex step's precision."""

import cmath
import math

import numpy as np
import pytest

import secant
from secant import problems
from secant.derivatives.differences import centred, complex_step, forward

X = np.array([0.7, -1.3, 20.0])


def f(x):
    return np.sum(np.exp(np.sin(x))) if np.iscomplexobj(x) else float(np.sum(np.exp(np.sin(x))))


def gradient(x):
    return np.cos(x) * np.exp(np.sin(x))


def error(scheme, x, **step):
    return np.abs(scheme(f, x, f(x), **step) - gradient(x)).max()


EPS = 2.0**-52


def test_forward_differences_have_half_the_digits():
    """h = eps^(1/2) balances truncation, h f'' / 2, and round-off, 2 eps f / h (N&W 8.1)."""
    assert error(forward, X) <= 20.0 * 4.0 * EPS**0.5
    assert error(forward, X[:2]) >= 0.1 * EPS**0.5


def test_centred_differences_have_two_thirds_of_the_digits():
    """h = eps^(1/3) balances truncation, h^2 f''' / 6, and round-off, eps f / h."""
    assert error(centred, X[:2]) <= 10.0 * EPS ** (2.0 / 3.0)
    assert error(centred, X[:2]) < 1e-2 * error(forward, X[:2])


def test_the_complex_step_has_all_digits():
    assert error(complex_step, X) <= 4.0 * EPS


def test_the_classic_case_of_squire_and_trapp():
    """exp(x) / (sin(x)^3 + cos(x)^3) at 1.5, where centred differences keep ten digits (1998)."""

    def value(x):
        return cmath.exp(x[0]) / (cmath.sin(x[0]) ** 3 + cmath.cos(x[0]) ** 3)

    x = np.array([1.5])
    assert complex_step(value, x, 0.0)[0] == pytest.approx(3.62203370071632, rel=1e-14)


@pytest.mark.parametrize(("scheme", "order"), [(forward, 1), (centred, 2)])
def test_error_order(scheme, order):
    """Halving h divides the truncation error by 2^order."""
    errors = [error(scheme, X[:2], relative_step=h) for h in (2.0**-8, 2.0**-9, 2.0**-10)]
    ratios = np.array(errors[:-1]) / errors[1:]
    np.testing.assert_allclose(ratios, 2.0**order, rtol=0.02)


@pytest.mark.parametrize("scheme", [forward, centred])
def test_the_step_is_near_the_best(scheme):
    """No step of a wide range has less than a tenth of the error of the chosen one."""
    chosen = error(scheme, X[:2])
    best = min(error(scheme, X[:2], relative_step=2.0**e) for e in range(-44, -4))
    assert best <= chosen <= 30.0 * best


def test_steps_do_not_cross_zero():
    """log has no value on the other side."""
    x = np.array([1e-3, 1e-9])
    assert np.isfinite(forward(lambda x: float(np.log(x).sum()), x, math.log(1e-12))).all()
    assert np.isfinite(forward(lambda x: float(np.log(-x).sum()), -x, math.log(1e-12))).all()


def test_float32_takes_its_own_step():
    x = X[:2].astype(np.float32)
    g = forward(
        lambda x: float(np.sum(np.exp(np.sin(x.astype(np.float64))))), x, f(x.astype(float))
    )
    assert g.dtype == np.float32
    np.testing.assert_allclose(g, gradient(X[:2]), atol=10.0 * 2.0**-11.5)


@pytest.mark.parametrize("jac", ["2-point", "3-point", "richardson", "cs"])
def test_minimize_by_differences(jac):
    result = secant.minimize(lambda x: (x[0] - 1.0) ** 4 + (x[1] + 2.0) ** 2, [0.0, 0.0], jac=jac)
    assert result.success
    np.testing.assert_allclose(result.x, [1.0, -2.0], atol=0.02)


def test_extrapolated_gradients_end_as_deep_as_analytic_ones():
    """Newton's last steps are those of the analytic gradient; centred differences stop before."""
    beale = problems.beale()

    def depth(jac):
        result = secant.minimize(beale, beale.start(), jac=jac, method="newton", gtol=1e-10)
        assert result.success
        return np.abs(beale.gradient(result.x)).max()

    assert depth("richardson") <= 2e-11
    assert depth("3-point") > 1e-9
