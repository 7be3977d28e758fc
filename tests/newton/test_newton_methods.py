"""Newton with a line search, inexact Newton, Hessian-free: their rates, and where they get to."""

import itertools

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der, rosen_hess

import secant
from secant import Status, problems
from secant.minimize import make_task

NEWTON = ("newton", "newton-gmw")
PRODUCTS = ("newton-cg", "hessian-free")


def rosenbrock(method, x0, **options):
    return secant.minimize(rosen, x0, jac=rosen_der, hess=rosen_hess, method=method, **options)


@pytest.mark.parametrize("method", NEWTON)
@pytest.mark.parametrize("x0", [(-1.2, 1.0), (-1.0, 0.0)])
def test_about_20_iterations_on_rosenbrock(method, x0):
    result = rosenbrock(method, x0, gtol=1e-8)
    assert result.success
    assert 2 <= result.nit <= 25
    np.testing.assert_allclose(result.x, 1.0, atol=1e-8)


@pytest.mark.parametrize("method", NEWTON)
def test_one_step_on_a_quadratic(method):
    f = problems.quadratic(kappa=100.0)
    result = secant.minimize(
        f.value_and_gradient, f.start(), jac=True, hess=f.hessian, method=method, gtol=1e-8
    )
    assert (result.nit, result.nfev, result.nhev) == (1, 2, 1)
    np.testing.assert_allclose(result.x, f.x_star, rtol=1e-10)


def strictly_convex(x):
    """``sum exp z_i - z_i + z_i^2 / 2``, whose third derivatives are not zero at the minimum."""
    z = x - SHIFT
    return float((np.exp(z) - z).sum() + 0.5 * z @ z)


SHIFT = np.array([0.3, -0.2, 0.7])


def test_quadratic_rate():
    """|g+| <= C |g|^2 with one C, on a strictly convex function."""
    result = secant.minimize(
        strictly_convex,
        np.zeros(3),
        jac=lambda x: np.exp(x - SHIFT) - 1.0 + (x - SHIFT),
        hess=lambda x: np.diag(np.exp(x - SHIFT) + 1.0),
        method="newton",
        gtol=1e-13,
    )
    g = result.trace.optimality
    assert result.success
    tail = [(a, b) for a, b in itertools.pairwise(g) if 1e-7 < a < 0.1]
    assert len(tail) >= 2
    assert all(b <= 1.0 * a * a for a, b in tail)


def test_superlinear_rate_of_the_forcing_sequence():
    """eta = sqrt|g| gives |g+| = O(|g|^1.5); a constant eta only a linear rate (N&W Theorem 7.2)."""
    rng = np.random.default_rng(0)
    A = rng.standard_normal((60, 60)) / 8.0
    A = A @ A.T + 0.01 * np.eye(60)

    def run(rtol):
        result = secant.minimize(
            lambda x: float(0.5 * x @ A @ x + 0.25 * (x**4).sum() - x.sum()),
            np.zeros(60),
            jac=lambda x: A @ x + x**3 - 1.0,
            hessp=lambda x, v: A @ v + 3.0 * x**2 * v,
            method=secant.NewtonCG(rtol=rtol),
            gtol=1e-11,
        )
        assert result.success
        return result.trace.optimality

    g = run(None)
    ratios = [b / a for a, b in itertools.pairwise(g) if 1e-8 < a < 1e-1]
    assert ratios[-1] < 0.02 < ratios[0]
    assert len(g) < len(run(0.5))


@pytest.mark.parametrize("method", NEWTON)
def test_affine_invariance(method):
    """Iterates in ``x = T z`` are those in x, transformed, wherever the Hessian is definite."""
    T = np.array([[2.0, 1.0], [-0.5, 30.0]])
    x0 = np.array([1.2, 1.2])
    plain = rosenbrock(method, x0, max_iter=6)
    moved = secant.minimize(
        lambda z: rosen(T @ z),
        np.linalg.solve(T, x0),
        jac=lambda z: T.T @ rosen_der(T @ z),
        hess=lambda z: T.T @ rosen_hess(T @ z) @ T,
        method=method,
        max_iter=6,
    )
    np.testing.assert_allclose(moved.trace.f, plain.trace.f, rtol=1e-6, atol=1e-18)


@pytest.mark.parametrize("method", [*NEWTON, *PRODUCTS])
@pytest.mark.parametrize(
    "jac",
    [rosen_der, None, "3-point", "richardson"],
    ids=["jac", "2-point", "3-point", "richardson"],
)
def test_derivatives_may_be_differences(method, jac):
    """Of gradients, or of gradients that are differences themselves."""
    result = secant.minimize(rosen, [-1.2, 1.0, 0.8], jac=jac, method=method, gtol=1e-4)
    assert result.success, result
    np.testing.assert_allclose(result.x, 1.0, atol=1e-3)


def test_hessian_is_evaluated_once_a_point_and_checked():
    result = rosenbrock("newton", [-1.2, 1.0])
    assert result.nhev == result.nit
    with pytest.raises(ValueError, match=r"hess must return an \(2, 2\) array"):
        secant.minimize(rosen, [0.0, 0.0], jac=rosen_der, hess=lambda x: np.eye(3), method="newton")
    with pytest.raises(ValueError, match="hess must be a callable"):
        secant.minimize(rosen, [0.0, 0.0], jac=rosen_der, hess="2-point", method="newton")


def powells_product(x):
    """``(1e4 x_0 x_1 - 1)^2 + x_1^2``, which is at its steps of 3e-4 no quadratic in ``x_0`` near 1e-5."""
    r = 1e4 * x[0] * x[1] - 1.0
    return np.array([2e4 * x[1] * r, 2e4 * x[0] * r + 2.0 * x[1]], dtype=x.dtype)


def test_differences_that_contradict_each_other_are_made_centred():
    x = np.float32([2e-5, 4.0])
    task = make_task(lambda x: 0.0, x, (), powells_product, None, None)
    B = task.problem.at(task.x0).hessian
    p, q = x.astype(float)
    mixed = 2e4 * (2e4 * p * q - 1.0)
    exact = np.array([[2e8 * q * q, mixed], [mixed, 2e8 * p * p + 2.0]])
    root = np.sqrt(exact.diagonal())
    assert np.all(np.abs(B - exact) < 0.05 * np.outer(root, root))
    assert task.problem.counts.nhev == 2 + 1  # x_1 moves by a ten-thousandth of itself: no suspect


def test_both_columns_are_centred_where_one_was_not_enough():
    """The longer step beside its variable need not be the wrong one: x_0 is linear, x_1 = 1 bends fast."""

    def jac(x):
        return np.array([2.0 * x[0] + x[1] + 1e9 * (x[1] - 1.0) ** 2, x[0] + 2.0 * x[1]])

    task = make_task(lambda x: 0.0, np.array([1e-3, 1.0]), (), jac, None, None)
    B = task.problem.at(task.x0).hessian
    assert task.problem.counts.nhev == 2 * 2
    np.testing.assert_allclose(B, [[2.0, 1.0], [1.0, 2.0]], atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_round_off_is_no_contradiction(dtype):
    """Rows of zeros and numbers of any size: one difference for each variable is enough."""

    def jac(x):
        last_digit = np.spacing(dtype(1e3)) * (x[0] > x0[0])
        return np.array([2e6 * x[0], 1e3 + last_digit, 4e-6 * x[2] + x[3], x[2]], dtype=x.dtype)

    x0 = np.array([1.0 / 3.0, 2.0 / 7.0, 1e3 / 3.0, 1e-4 / 3.0], dtype=dtype)
    task = make_task(lambda x: 0.0, x0, (), jac, None, None)
    B = task.problem.at(task.x0).hessian
    assert B[0, 1] != 0.0
    assert task.problem.counts.nhev == 4
    np.testing.assert_allclose(B[0, 0], 2e6, rtol=1e-2)


@pytest.mark.parametrize("n", [2, 200])
@pytest.mark.parametrize("skew", [0.0, 1e-3])
def test_a_hessian_is_the_users_own_and_need_not_be_symmetric(n, skew):
    """One buffer, refilled for each iterate; of a matrix that is not symmetric its symmetric part counts."""
    buffer = np.empty((n, n))

    def hess(x):
        buffer[:] = np.diag(3.0 * x**2 + 1.0)
        buffer[0, 1] += skew
        return buffer

    given = {"jac": lambda x: x**3 + x - 1.0, "method": "newton", "gtol": 1e-10}
    run = secant.start(
        lambda x: float((x**4 / 4 + x**2 / 2 - x).sum()), np.ones(n), hess=hess, **given
    )
    B = run.point.hessian
    before = B.copy()
    assert B[0, 1] == B[1, 0] == 0.5 * skew
    assert run.finish().success
    np.testing.assert_array_equal(B, before)


@pytest.mark.parametrize("method", [*NEWTON, *PRODUCTS])
def test_never_towards_a_maximum(method):
    """cos has maxima and minima; from everywhere but a stationary point the run ends in a minimum."""
    for x0 in np.linspace(-3.0, 3.0, 13):
        if x0 == 0.0:
            continue
        result = secant.minimize(
            lambda x: float(np.cos(x[0])),
            [x0],
            jac=lambda x: -np.sin(x),
            hess=lambda x: -np.cos(x)[:, None],
            method=method,
        )
        assert result.success
        assert result.fun == pytest.approx(-1.0)


def test_scipys_names():
    for name in ("Newton-CG", "trust-ncg", "trust-exact", "trust-krylov", "dogleg"):
        result = rosenbrock(name, [-1.2, 1.0])
        assert result.success
        assert result.method == name.lower()
    for alias, name in (
        ("newton-shift", "newton"),
        ("hf", "hessian-free"),
        ("gltr", "trust-krylov"),
    ):
        assert secant.methods.get(alias).name == name


def test_hessian_free_lowers_its_damping_on_a_quadratic():
    f = problems.quadratic(kappa=1e3)
    run = secant.start(
        f.value_and_gradient, f.start(), jac=True, hess=f.hessian, method="hessian-free", gtol=1e-9
    )
    run.step()
    first = run.state.memory.damping
    result = run.finish()
    assert result.success
    assert run.state.memory.damping < first


def test_hessian_free_preconditioner():
    f = problems.diagonal(np.geomspace(1.0, 1e4, 30).tolist())
    for precondition in (None, secant.Jacobi(lambda x: np.diag(f.hessian(x)))):
        method = secant.HessianFree(preconditioner=precondition)
        result = secant.minimize(
            f.value_and_gradient, f.start(), jac=True, hess=f.hessian, method=method
        )
        assert result.success


def test_indefinite_h_falls_back_and_is_kept():
    """SR1 with a line search: on a concave start the direction is the gradient's, the memory stays."""
    f = problems.beale()
    result = secant.minimize(f.value_and_gradient, f.start(), jac=True, method="sr1", gtol=1e-8)
    assert result.success
    np.testing.assert_allclose(result.x, f.x_star, atol=1e-6)
    assert result.hess_inv.shape == (2, 2)


def test_round_off_is_success():
    result = rosenbrock("newton", [-1.2, 1.0], gtol=0.0)
    assert result.status in (Status.ROUNDOFF, Status.GRADIENT)


@pytest.mark.parametrize("method", ["newton", "dogleg"])
@pytest.mark.parametrize("factor", [1.0, 10.0, 100.0])
def test_a_large_eigenvalue_does_not_shorten_the_steps_along_the_others(method, factor):
    """Brown's badly scaled function: eigenvalues of -4 and 2e12, which 1e-3 of the latter would hide."""
    problem = problems.brown_badly_scaled()

    def hessian(x):
        beside = 4.0 * x[0] * x[1] - 4.0
        return np.array([[2.0 + 2.0 * x[1] ** 2, beside], [beside, 2.0 + 2.0 * x[0] ** 2]])

    result = secant.minimize(
        problem, factor * problem.start(), jac=problem.gradient, hess=hessian, method=method
    )
    assert result.fun < 1e-10
    assert result.nfev <= 60
