"""f in units so small or large that squares of its gradient under- or overflow: a status, no exception."""

import math

import numpy as np
import pytest
from contract_cases import METHODS

import secant
from secant import RadiusRule, Status, problems
from secant.curvature.initial_scale import UnitScale
from secant.directions.hessian_free import HessianFree
from secant.problem import Problem
from secant.trustregion.step import Step

ROSENBROCK = problems.rosenbrock(2)
UNITS = [(1e-200, np.float64), (1e200, np.float64), (1e-30, np.float32), (1e30, np.float32)]

TRUST_REGIONS = ("trust-ncg", "trust-krylov", "trust-exact", "dogleg")
IN_UNITS_OF_F = ("gd", "heavy-ball", "nesterov", "gdx", "rprop", "scg", "owl-qn")
"""Methods with a rate, a damping, a least step or a penalty that belongs to the unit of f."""
UNIT_FREE = tuple(method for method in METHODS if method not in IN_UNITS_OF_F)


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


@pytest.mark.parametrize("method", UNIT_FREE)
@pytest.mark.parametrize(("scale", "dtype"), UNITS)
def test_the_minimum_is_found_in_any_unit(method, scale, dtype):
    result = ended(method, scale, dtype, 1e-2 * scale)
    assert result.status is Status.GRADIENT


BETWEEN = [
    *((scale, np.float64) for scale in (1e-143, 1e-120, 1e-60, 1e-12, 1e100, 1e143)),
    *((scale, np.float32) for scale in (1e-17, 1e-15, 1e-8, 1e13)),
]
"""Squares are not lost here, but first steps along -g are too short, or products of squares overflow."""


@pytest.mark.parametrize("method", UNIT_FREE)
@pytest.mark.parametrize(("scale", "dtype"), BETWEEN)
def test_the_price_is_the_same_in_any_unit(method, scale, dtype):
    ordinary = ended(method, 1.0, dtype, 1e-2)
    result = ended(method, scale, dtype, 1e-2 * scale)
    assert ordinary.status is result.status is Status.GRADIENT
    assert result.nfev <= 2 * ordinary.nfev + 20


@pytest.mark.parametrize("method", ["tr-lbfgs", "tr-lsr1", "sr1", "reg-lbfgs", "l-bfgs"])
def test_eighth_powers_that_leave_their_unit(method):
    """The gradient falls by 26 orders."""
    w = np.arange(1.0, 5.0)

    def fun(x):
        z = x.astype(float) - 1.0
        return np.float32(w @ (z**8 + z**2)), (w * (8.0 * z**7 + 2.0 * z)).astype(np.float32)

    x0 = np.array([1000.0, 1001.0, 1002.0, 1003.0], dtype=np.float32)
    with np.errstate(all="ignore"):
        run = secant.start(fun, x0, jac=True, method=method, gtol=1e-4)
        assert run.point.optimality > 1e21
        result = run.finish()
    assert result.status is Status.GRADIENT
    assert result.nit < 300


@pytest.mark.parametrize(
    "method",
    ["l-bfgs", "memoryless-bfgs", "cg-pr", "hessian-free", "tr-lbfgs", "tr-bfgs", "reg-lbfgs"],
)
def test_a_gradient_that_leaves_its_unit(method):
    """It falls by 21 orders: in the unit of the start its squares are zero long before the end."""
    f = problems.rosenbrock(4)

    def fun(x):
        value, g = f.value_and_gradient(x.astype(float))
        return np.float32(value), g.astype(np.float32)

    x0 = np.array([3e5, 2.0, -3e4, 1.0], dtype=np.float32)
    with np.errstate(all="ignore"):
        run = secant.start(fun, x0, jac=True, method=method, gtol=1e-2)
        assert run.point.optimality > 1e18
        result = run.finish()
    assert result.status is Status.GRADIENT
    assert result.nit < 200


UNIT = 1e12
CURVATURES = np.array([1.0, 4.0])


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (secant.BFGS(H0=np.diag(1.0 / (UNIT * CURVATURES))), [0.0, 0.0]),
        (
            secant.BFGS(scale=UnitScale(), search=secant.FixedStep(0.25 / UNIT)),
            [3.0 - 0.75, 0.0],
        ),
    ],
    ids=["H0", "identity"],
)
def test_a_first_matrix_belongs_to_the_unit_of_f(method, expected):
    """The inverse Hessian leads to the minimum in one step; the identity is that of f, not of f / unit."""

    def fun(x):
        return 0.5 * UNIT * CURVATURES @ x**2, UNIT * CURVATURES * x

    run = secant.start(fun, [3.0, -2.0], jac=True, method=method)
    np.testing.assert_allclose(run.step().x, expected, atol=1e-9)


@pytest.mark.parametrize("method", TRUST_REGIONS)
@pytest.mark.parametrize("scale", [1e-34, 1e33, 1e34])
def test_trust_regions_at_the_ends_of_single_precision(method, scale):
    """Products with B and their squares once overflowed where f, g and B do not."""
    result = ended(method, scale, np.float32, 1e-2 * scale)
    assert result.status is Status.GRADIENT
    assert ROSENBROCK(result.x.astype(float)) < 1e-4


def scaled_by_two(exponent):
    """Rosenbrock's function times a power of two, which rounds nothing."""
    unit = 2.0**exponent

    def fun(x):
        f, g = ROSENBROCK.value_and_gradient(x)
        return unit * f, unit * g

    return fun, 2.0**-20 * unit


@pytest.mark.parametrize(
    "method",
    [
        *("newton", "trust-exact", "dogleg", "l-bfgs", "bfgs", "dfp", "ssbroyden", "sr1"),
        *("tr-bfgs", "tr-sr1", "tr-lbfgs", "tr-lsr1", "reg-lbfgs"),
    ],
)
@pytest.mark.parametrize("exponent", [-700, 700])
def test_the_steps_are_the_same_in_any_unit(method, exponent):
    (plain, g), (scaled, small) = scaled_by_two(0), scaled_by_two(exponent)
    x0 = ROSENBROCK.start()
    first = secant.minimize(plain, x0, jac=True, method=method, gtol=g)
    second = secant.minimize(scaled, x0, jac=True, method=method, gtol=small)
    assert first.status is second.status is Status.GRADIENT
    assert second.nfev == first.nfev
    np.testing.assert_allclose(second.x, first.x, rtol=1e-11)


@pytest.mark.parametrize("method", ["l-bfgs", "bfgs", "tr-bfgs", "cg"])
def test_what_was_learned_in_another_unit(method, tmp_path):
    """Saved, resumed, asked for its inverse Hessian, and handed on to a run in an ordinary unit."""
    (plain, g), (scaled, small) = scaled_by_two(0), scaled_by_two(-700)
    given = {"x0": ROSENBROCK.start(), "jac": True, "method": method}
    run = secant.start(scaled, **given, gtol=small)
    for _ in range(6):
        run.step()
    run.save(tmp_path / "run.npz")
    whole = run.finish()
    again = secant.resume(tmp_path / "run.npz", scaled, jac=True, gtol=small).finish()
    assert whole.status is again.status is Status.GRADIENT
    np.testing.assert_array_equal(whole.x, again.x)
    ordinary = secant.minimize(plain, **given, gtol=g)
    assert hasattr(whole, "hess_inv") == hasattr(ordinary, "hess_inv")
    if hasattr(whole, "hess_inv"):
        v = np.array([1.0, 2.0])
        expected = 2.0**700 * (ordinary.hess_inv @ v)
        np.testing.assert_allclose(whole.hess_inv @ v, expected, rtol=1e-6)
    assert secant.minimize(plain, **given, gtol=g, warm_start=whole).success


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
