"""f in units so small or large that squares of its gradient under- or overflow: a status, no exception."""

import math

import numpy as np
import pytest
from contract_cases import METHODS

import secant
from secant import RadiusRule, Status, problems
from secant.directions.hessian_free import HessianFree
from secant.problem import Problem
from secant.trustregion.step import Step

ROSENBROCK = problems.rosenbrock(2)
UNITS = [(1e-200, np.float64), (1e200, np.float64), (1e-30, np.float32), (1e30, np.float32)]

SCALE_FREE = ("newton-cg", "newton")
"""Methods whose steps do not change with the unit, however small or large that is."""


def in_units(scale, dtype):
    """Rosenbrock's function times ``scale``; what is too large for the dtype is infinite."""

    def fun(x):
        f, g = ROSENBROCK.value_and_gradient(np.asarray(x, dtype=float))
        return dtype(scale * f), (scale * g).astype(dtype)

    return fun, ROSENBROCK.start().astype(dtype)


def ended(method, scale, dtype, gtol):
    fun, x0 = in_units(scale, dtype)
    with np.errstate(all="ignore"):
        return secant.minimize(fun, x0, jac=True, method=method, gtol=gtol, max_iter=300)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("scale", "dtype"), UNITS)
@pytest.mark.parametrize("gtol", [0.0, 1e-4])
def test_a_failure_is_a_status(method, scale, dtype, gtol):
    result = ended(method, scale, dtype, gtol * scale)
    fun, x0 = in_units(scale, dtype)
    assert isinstance(result.status, Status)
    assert result.x.dtype == dtype
    assert np.isfinite(result.x).all()
    assert result.fun == fun(result.x)[0] <= fun(x0)[0]
    if result.status is Status.GRADIENT:
        assert np.abs(ROSENBROCK.gradient(result.x.astype(float))).max() <= 1.01 * gtol
    elif result.success:  # f has one minimum, and its value there is zero
        assert ROSENBROCK(result.x.astype(float)) <= 1e-6


@pytest.mark.parametrize("method", SCALE_FREE)
@pytest.mark.parametrize(("scale", "dtype"), UNITS)
def test_the_minimum_is_found_in_any_unit(method, scale, dtype):
    result = ended(method, scale, dtype, 1e-2 * scale)
    assert result.status is Status.GRADIENT


@pytest.mark.parametrize("method", ["trust-ncg", "trust-krylov", "dogleg", "tr-bfgs"])
@pytest.mark.parametrize("scale", [1e-140, 1e140])
def test_trust_regions_where_squares_are_at_the_edge(method, scale):
    """The dogleg once tried the same step for ever, as its length was lost."""
    for n in (2, 4):
        f = problems.rosenbrock(n)

        def fun(x, f=f):
            value, g = f.value_and_gradient(x)
            return scale * value, scale * g

        result = secant.minimize(
            fun, f.start(), jac=True, method=method, gtol=1e-6 * scale, max_iter=300
        )
        assert isinstance(result.status, Status)
        assert result.fun < 0.1 * scale * f(f.start())


def test_a_rejected_step_makes_the_radius_smaller_whatever_its_length():
    step = Step(np.zeros(1), 1.0, True, 100.0)
    assert RadiusRule(shrink=0.25).after(2.0, step, -math.inf) == 0.5


@pytest.mark.parametrize("method", ["dogleg", "trust-ncg", "trust-krylov", "trust-exact"])
def test_a_gradient_whose_square_vanishes_at_the_minimum(method):
    """x^4 with gtol = 0: in the end g is below 1e-160, and f itself has lost its digits."""
    result = secant.minimize(
        lambda x: float((x**4).sum()),
        np.array([1.0, 2.0]),
        jac=lambda x: 4.0 * x**3,
        hess=lambda x: np.diag(12.0 * x**2),
        method=method,
        gtol=0.0,
        max_iter=2000,
    )
    assert isinstance(result.status, Status)
    assert np.abs(result.x).max() < 1e-40


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e200])
def test_linear_systems_in_any_unit(unit):
    B, b = np.array([[4.0, 1.0], [1.0, 3.0]]), np.array([1.0, 2.0])
    for x0 in (None, np.array([unit, -unit])):
        end = secant.solve_cg(B, unit * b, x0, rtol=1e-12)
        assert end.success
        np.testing.assert_allclose(end.x, unit * np.linalg.solve(B, b), rtol=1e-10)
    assert end.residual <= 1e-11 * unit


@pytest.mark.parametrize("unit", [1e-60, 1.0, 1e60])
def test_the_first_damping_where_a_product_is_not_seen(unit):
    """A product of rounding, 1e-16 of what the gradient is, would leave no damping at all."""
    seen = 1e-16 * unit

    def first(curvature):
        problem = Problem(lambda x: (0.0, lambda: unit * x), lambda x, v: curvature * v)
        point = problem.at(np.array([3.0, 4.0]))
        return HessianFree(damping=0.1).propose(point, None)[1].damping

    assert first(2.0 * unit) == pytest.approx(0.2 * unit)
    floor = 0.1 * 2.0**-26 * unit
    assert first(seen) == pytest.approx(floor)
    assert first(0.0) == pytest.approx(floor)
