"""Every residual, Jacobian, gradient and Hessian against formulas in 60 digits."""

import numpy as np
import problem_oracle as oracle
import pytest
import torch
from mpmath import mp, mpf

from secant import problems

# Those whose gradient or Jacobian depends on the size in another way than the catalogue's.
OTHERS = (
    problems.rosenbrock(5),
    problems.rastrigin(3),
    problems.watson(2),
    problems.watson(6),
    problems.penalty_1(1),
    problems.penalty_2(4),
    problems.variably_dimensioned(3),
    problems.trigonometric(3),
    problems.extended_powell(4),
    problems.extended_rosenbrock(2),
    problems.chebyquad(1),
    problems.chebyquad(5),
)
QUADRATICS = (problems.quadratic(), problems.diagonal([1.0, 3.0]))
SCALAR = tuple(f for f in problems.catalogue() if f.name not in ("quadratic", "diagonal"))
ALL = (*SCALAR, *OTHERS)


@pytest.fixture(autouse=True)
def _sixty_digits():
    with mp.workdps(60):
        yield


def points(f):
    """The start (moved off the coordinate planes) and three points around it."""
    rng = np.random.default_rng(7)
    x0 = f.start()
    return [x0, *(x0 + 0.3 * (1.0 + np.abs(x0)) * rng.standard_normal(f.n) for _ in range(3))]


def exact(x):
    return [mpf(float(v)) for v in x]


def host(values):
    return np.array([[float(v) for v in row] for row in values])


@pytest.mark.parametrize("f", ALL, ids=str)
def test_values_and_gradients_agree_with_the_papers_formulas(f):
    for x in points(f):
        expected = host([oracle.gradient(f.name, exact(x))])[0]
        scale = 1.0 + np.abs(expected).max()
        value, g = f.value_and_gradient(x)
        assert float(f(x)) == float(value)
        assert value == pytest.approx(float(oracle.value(f.name, exact(x))), rel=1e-11, abs=1e-14)
        np.testing.assert_allclose(g, expected, rtol=1e-11, atol=1e-12 * scale)
        np.testing.assert_array_equal(f.gradient(x), g)


@pytest.mark.parametrize("f", [f for f in ALL if f.is_sum_of_squares], ids=str)
def test_residuals_and_jacobians_agree_with_the_papers_formulas(f):
    for x in points(f):
        r, J = f.residuals(x), f.jacobian(x)
        expected = host(oracle.jacobian(f.name, exact(x)))
        scale = 1.0 + np.abs(expected).max()
        assert J.shape == (r.shape[0], f.n)
        assert f(x) == pytest.approx(float(r @ r), rel=1e-14)
        np.testing.assert_allclose(f.gradient(x), 2.0 * J.T @ r, rtol=1e-11, atol=1e-11 * scale)
        if f.name == "rosenbrock":  # the chained form lists its residuals in another order
            r, J = r.reshape(2, -1).T.ravel(), J.reshape(2, -1, f.n).swapaxes(0, 1).reshape(-1, f.n)
        near = host([oracle.__dict__[f.name](exact(x))])[0]
        np.testing.assert_allclose(r, near, rtol=1e-11, atol=1e-11 * (1.0 + np.abs(near).max()))
        np.testing.assert_allclose(J, expected, rtol=1e-11, atol=1e-12 * scale)


@pytest.mark.parametrize("f", [*ALL, *QUADRATICS], ids=str)
def test_autograd_through_the_value_is_the_gradient(f):
    for point in points(f):
        x = torch.tensor(point, requires_grad=True)
        (g,) = torch.autograd.grad(f(x), x)
        scale = 1.0 + np.abs(f.gradient(point)).max()
        torch.testing.assert_close(
            g, f.gradient(torch.tensor(point)), rtol=1e-11, atol=1e-11 * scale
        )


@pytest.mark.parametrize("f", [f for f in (*ALL, *QUADRATICS) if f.has_hessian], ids=str)
def test_hessian_is_the_jacobian_of_the_gradient(f):
    for point in points(f):
        H = torch.autograd.functional.hessian(f, torch.tensor(point))
        np.testing.assert_allclose(f.hessian(point), H, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("f", QUADRATICS, ids=str)
def test_gradient_of_a_quadratic_is_linear(f):
    x = points(f)[1]
    expected = f.hessian(x) @ (x - np.array(f.x_star))
    np.testing.assert_allclose(f.gradient(x), expected, rtol=1e-12, atol=1e-12)


def test_helical_valley_is_continuous_where_x1_vanishes_above_the_axis():
    f = problems.helical_valley()
    at, left, right = (f(np.array([a, 0.7, 0.2])) for a in (0.0, -1e-12, 1e-12))
    assert left == pytest.approx(at, rel=1e-9)
    assert right == pytest.approx(at, rel=1e-9)


def test_helical_valley_jumps_where_x1_vanishes_below_the_axis():
    f = problems.helical_valley()
    at, left, right = (f.residuals(np.array([a, -0.7, 0.2])) for a in (0.0, -1e-12, 1e-12))
    np.testing.assert_allclose(at, right, atol=1e-9)
    assert at[0] - left[0] == pytest.approx(100.0)


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_helical_valley_does_not_see_the_sign_of_zero(zero):
    f = problems.helical_valley()
    assert float(f(np.array([-1.0, zero, 0.0]))) == 2500.0


def test_gulf_is_finite_where_a_datum_is_hit_exactly():
    f = problems.gulf()
    y = 25.0 + (-50.0 * np.log(0.5)) ** (2.0 / 3.0)
    x = np.array([50.0, y, 1.5])
    assert np.isfinite(f.jacobian(x)).all()
    np.testing.assert_array_equal(f.jacobian(x)[49], 0.0)
