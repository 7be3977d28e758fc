"""The differences that a fit ends with: of fourth order, within bounds, and counted."""

import numpy as np
import pytest

import secant
from secant.leastsquares.bounds import Box
from secant.leastsquares.jacobian import Differences, Refining


def quartic(x):
    return np.array([x[0] ** 4 - 3.0 * x[0] * x[1], x[1] ** 3 + 2.0 * x[0] ** 2])


def exact(x):
    return np.array([[4.0 * x[0] ** 3 - 3.0 * x[1], -3.0 * x[0]], [4.0 * x[0], 3.0 * x[1] ** 2]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_polynomials_of_degree_four_are_exact(dtype):
    x = np.array([1.5, -40.0], dtype=dtype)
    J = Differences("5-point")(quartic, x, quartic(x))
    eps = float(np.finfo(dtype).eps)
    assert J.dtype == dtype
    np.testing.assert_allclose(J, exact(x), rtol=0.0, atol=30.0 * eps**0.8 * np.abs(exact(x)).max())


def test_the_order_is_four():
    x = np.array([0.7])
    errors = []
    for h in (4e-2, 2e-2):
        J = Differences("5-point", step=h)(np.exp, x, np.exp(x))
        errors.append(abs(float(J[0, 0]) - float(np.exp(0.7))))
    assert errors[0] / errors[1] == pytest.approx(16.0, rel=0.05)


@pytest.mark.parametrize("room", [0.0, 1e-5, 1e-3, 1.0])
def test_no_point_is_outside_the_bounds(room):
    x = np.array([1.0, 2.0])
    box = Box(np.array([1.0 - room, 0.0]), np.array([3.0, 2.0]))

    def inside(y):
        assert (y >= box.lower).all()
        assert (y <= box.upper).all()
        return quartic(y)

    J = Differences("5-point", box=box)(inside, x, quartic(x))
    np.testing.assert_allclose(J, exact(x), rtol=1e-8, atol=1e-8)


def test_a_fit_is_refined_once():
    jac = Refining(Differences())
    assert jac.scheme == "2-point"
    assert jac.refine()
    assert jac.scheme == "5-point"
    assert not jac.refine()


@pytest.mark.parametrize("with_samples", [False, True])
def test_every_value_is_counted(with_samples):
    t = np.linspace(0.0, 2.0, 30)
    y = np.exp(-1.3 * t) + 0.01 * np.sin(9.0 * t)
    calls = []

    def fun(x, *rows):
        ts, ys = rows or (t, y)
        calls.append(len(ts))
        return x[0] * np.exp(-x[1] * ts) - ys

    given = {"samples": (t, y)} if with_samples else {}
    fit = secant.least_squares(fun, [0.5, 0.5], "5-point", **given)
    assert fit.success
    assert fit.nfev == len(calls)
    exactly = secant.least_squares(fun, [0.5, 0.5], "cs")
    np.testing.assert_allclose(fit.x, exactly.x, rtol=1e-9)
