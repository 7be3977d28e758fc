"""Regions without values, starts without values, and functions without a minimum."""

import math

import numpy as np
import pytest
from contract_cases import BACKENDS, METHODS, NUMPY32, NUMPY64, TORCH64

import secant
from secant import Status
from secant.arrays import namespace


def barrier(weight):
    """``weight x^2 - log x``, without a value for x <= 0; least at ``1 / sqrt(2 weight)``."""

    def fun(x):
        xp = namespace(x)
        with np.errstate(all="ignore"):
            return xp.sum(weight * x**2 - xp.log(x))

    return fun, lambda x: 2.0 * weight * x - 1.0 / x


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("backend", BACKENDS, ids=str)
@pytest.mark.parametrize(("weight", "start"), [(10.0, 0.5), (100.0, 0.7)])
@pytest.mark.parametrize("method", METHODS)
def test_backs_out_of_a_nan_region(backend, weight, start, method):
    """f'' is 4 weight at the minimum: a gradient of gtol is an error in x of gtol / (4 weight)."""
    gtol = 10.0 * weight * math.sqrt(backend.eps)
    result = secant.minimize(
        **backend.function(*barrier(weight), [start]), method=method, gtol=gtol
    )
    assert result.success, result
    assert float(result.x[0]) == pytest.approx((2.0 * weight) ** -0.5, abs=gtol / (3.0 * weight))


@pytest.mark.parametrize("backend", [NUMPY64, NUMPY32], ids=str)
@pytest.mark.parametrize("outside", [math.inf, math.nan, -math.inf])
@pytest.mark.parametrize("method", METHODS)
def test_backs_out_of_a_region_without_finite_values(backend, outside, method):
    """f is (x - 1)^2 + (y - 1)^2 for x + y <= 3 and not finite beyond, where the start's steps lead."""

    def fun(x):
        return np.sum((x - 1.0) ** 2) if x[0] + x[1] <= 3.0 else outside

    def jac(x):
        return 2.0 * (x - 1.0) if x[0] + x[1] <= 3.0 else np.full(2, math.nan)

    given = backend.function(fun, jac, [-4.0, 2.0])
    result = secant.minimize(**given, method=method, gtol=1e-3)
    assert result.success, result
    np.testing.assert_allclose(result.x, 1.0, atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_a_gradient_that_is_not_finite_rejects_the_trial(method):
    """The value alone would accept every step: f falls along x < 0, where only the gradient is NaN."""

    def fun(x):
        return float((x[0] - 1.0) ** 2) if x[0] >= 0.0 else -5.0

    def jac(x):
        return 2.0 * (x - 1.0) if x[0] >= 0.0 else np.array([math.nan])

    result = secant.minimize(fun, [2.7], jac=jac, method=method)
    assert result.success, result
    assert math.isfinite(result.fun)
    assert math.isfinite(result.optimality)
    np.testing.assert_allclose(result.x, 1.0, atol=1e-5)


@pytest.mark.parametrize("backend", [b for b in BACKENDS if not b.autograd], ids=str)
@pytest.mark.parametrize("what", ["value", "gradient"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("method", METHODS)
def test_a_start_that_is_not_finite_is_given_back(backend, what, bad, method):
    value, slope = (bad, 1.0) if what == "value" else (1.0, bad)
    given = backend.function(
        lambda x: namespace(x).sum(0.0 * x) + value, lambda x: 0.0 * x + slope, [1.0, 2.0]
    )
    result = secant.minimize(**given, method=method)
    assert result.status is Status.NOT_FINITE_START
    assert not result.success
    assert [float(x) for x in result.x] == [1.0, 2.0]
    assert (result.nit, result.nfev) == (0, 1)


@pytest.mark.parametrize("method", METHODS)
def test_autograds_infinite_gradient_at_the_start(method):
    """The square root has a value at zero, but no slope."""
    x0 = TORCH64.array([0.0, 1.0])
    result = secant.minimize(lambda x: x.sqrt().sum(), x0, method=method)
    assert result.status is Status.NOT_FINITE_START
    assert result.x.tolist() == [0.0, 1.0]


LINEAR = (lambda x: -x.sum(), lambda x: 0.0 * x - 1.0)
CONCAVE = (lambda x: -(x * x).sum(), lambda x: -2.0 * x)
CUBIC = (lambda x: (x * x * x).sum(), lambda x: 3.0 * x * x)

NO_EXPANSION = {
    "gd": "Backtracking never lengthens a step, and its first guess keeps the first-order change",
    "heavy-ball": "the first guess is not above 1",
    "nesterov": "the first guess is not above 1",
    "gdx": "the rate grows by 5 % an iteration",
    "rprop": "the steps do not grow beyond the largest",
    "owl-qn": "a linear function teaches no curvature, and backtracking never lengthens a step",
    "reg-lbfgs": "a linear function teaches no curvature, and that of the start limits the step",
    "tr-bfgs": "damped pairs lower the curvature along g to the round-off of the others, no further",
}


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("backend", [NUMPY64, NUMPY32, TORCH64], ids=str)
@pytest.mark.parametrize(
    ("function", "start"), [(LINEAR, 1.0), (CONCAVE, 1.0), (CUBIC, -1.0)], ids=["-x", "-x^2", "x^3"]
)
@pytest.mark.parametrize("method", METHODS)
def test_unboundedness_is_reported(backend, function, start, method):
    result = secant.minimize(
        **backend.function(*function, [start, start]), method=method, max_evals=500
    )
    assert not result.success
    assert math.isfinite(result.fun)
    if method in NO_EXPANSION:
        assert result.status in (Status.UNBOUNDED, Status.MAX_EVALUATIONS)
    else:
        assert result.status is Status.UNBOUNDED


NO_TEST_OF_F = {"rprop": "the signs of the gradient lead it, whatever f does"}


@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_gradient_is_no_success(method):
    """Of the wrong sign, -g leads uphill: the search finds nothing, and differences tell why."""
    fun, jac = (lambda x: float(x @ x)), (lambda x: -2.0 * x)
    result = secant.minimize(fun, [3.0, 4.0], jac=jac, method=method, max_evals=1000)
    if method in NO_TEST_OF_F:
        assert result.status is Status.MAX_EVALUATIONS
        assert result.x.tolist() == [3.0, 4.0]
        return
    assert result.status is Status.WRONG_GRADIENT
    assert "component 1 of 2 is -8, differences of f give 8" in repr(result)
    np.testing.assert_array_equal(result.x, [3.0, 4.0])


@pytest.mark.parametrize("method", METHODS)
def test_a_kink_ends_the_run(method):
    """|x|_1, whose slope never vanishes: brackets shrink to neighbouring numbers, and the run ends."""
    result = secant.minimize(
        lambda x: float(np.abs(x).sum()), [1.0, -2.3], jac=np.sign, method=method, max_evals=3000
    )
    assert math.isfinite(result.fun)
    assert result.fun < 3.3
    assert result.status is not Status.GRADIENT or result.fun == 0.0
