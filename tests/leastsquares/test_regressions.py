"""Certified regressions: parameters and standard errors from near and far starts."""

import math

import mpmath
import numpy as np
import pytest
from nist import REGRESSIONS
from scipy import optimize

import secant
from secant import Status, problems

CASES = [
    pytest.param(r, start, id=f"{r.name}-{start}") for r in REGRESSIONS for start in ("far", "near")
]


def digits(found, certified):
    error = np.abs(np.asarray(found) / np.asarray(certified) - 1.0)
    return float(np.min(-np.log10(np.maximum(error, 1e-15))))


@pytest.mark.parametrize(("regression", "start"), CASES)
@pytest.mark.parametrize("solver", ["auto", "qr", "cholesky"])
def test_certified_digits_with_exact_derivatives(regression, start, solver):
    fit = secant.least_squares(
        regression.residuals, getattr(regression, start), "cs", solver=solver
    )
    assert fit.success
    assert digits(fit.x, regression.parameters) > 8.0
    assert digits(fit.standard_errors, regression.errors) > 7.5
    assert digits(2 * fit.cost, regression.squares) > 8.0


@pytest.mark.parametrize(("regression", "start"), CASES)
def test_certified_digits_by_differences(regression, start):
    fit = secant.least_squares(regression.residuals, getattr(regression, start))
    assert fit.success
    assert digits(fit.x, regression.parameters) > 8.5
    assert digits(2 * fit.cost, regression.squares) > 7.0


def test_a_rise_by_rounding_and_the_fall_after_it_are_no_progress():
    """By forward differences f of Lanczos3 wanders up and down by some 1e-7 of itself."""
    (lanczos,) = (r for r in REGRESSIONS if r.name == "Lanczos3")
    fit = secant.least_squares(lanczos.residuals, lanczos.near)
    assert fit.success
    assert fit.nit <= 50


@pytest.mark.parametrize("regression", REGRESSIONS, ids=lambda r: r.name)
@pytest.mark.parametrize("solver", ["auto", "qr"])
def test_as_many_digits_as_minpack(regression, solver):
    ours = secant.least_squares(regression.residuals, regression.near, "cs", solver=solver)
    theirs = optimize.least_squares(
        regression.residuals,
        np.array(regression.near, float),
        "cs",
        method="lm",
        ftol=1e-15,
        xtol=1e-15,
        gtol=1e-15,
    )
    # certificates have eleven digits: beyond ten, differences are theirs
    reached = min(10.0, digits(theirs.x, regression.parameters))
    assert digits(ours.x, regression.parameters) >= reached - 0.5


_EXACTING = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15}


def badly_conditioned(kind, n):
    """Columns whose condition is 3e4 (gaps), 2e6 (chain) and 2e4 (powers)."""
    rng = np.random.default_rng(3)
    orthogonal = np.linalg.qr(rng.normal(size=(25, n)))[0]
    return orthogonal, orthogonal @ {
        "gaps": np.diag(np.logspace(0.0, -5.0, n)) @ np.linalg.qr(rng.normal(size=(n, n)))[0],
        "chain": np.eye(n) + 15.0 * np.eye(n, k=1),
        "powers": np.vander(np.linspace(0.0, 1.0, n)) @ np.triu(np.ones((n, n))),
    }[kind]


def digits_of_each(A, orthogonal, size, noise, seed):
    """Correct digits of ``A (x + x^2 / 10 size) = b``: ours, MINPACK's and trf's; judged by mpmath."""
    rng, n = np.random.default_rng(seed), len(size)
    x, error = size * rng.uniform(0.5, 2.0, n), rng.normal(size=len(A))
    error -= orthogonal @ (orthogonal.T @ error)
    b = A @ (x + 0.1 * x**2 / size)
    b += noise * np.linalg.norm(b) * error / np.linalg.norm(error)
    with mpmath.workdps(50):
        M, c = mpmath.matrix(A.tolist()), mpmath.matrix(b.tolist())
        y = mpmath.lu_solve(M.T * M, M.T * c)
        roots = [mpmath.sqrt(1 + 0.4 * y[j] / float(size[j])) for j in range(n)]
        exact = [float(5 * (root - 1) * float(size[j])) for j, root in enumerate(roots)]
    given = (
        lambda x: A @ (x + 0.1 * x**2 / size) - b,
        size,
        lambda x: A * (1.0 + 0.2 * x / size),
    )
    ours = secant.least_squares(*given)
    assert ours.success
    theirs = [
        optimize.least_squares(*given, method=method, x_scale="jac", **_EXACTING)
        for method in ("lm", "trf")
    ]
    return [digits(fit.x, exact) for fit in (ours, *theirs)]


@pytest.mark.parametrize("noise", [1e-8, 1e-2])
@pytest.mark.parametrize("units", [1.0, 1e8])
@pytest.mark.parametrize("kind", ["gaps", "chain", "powers"])
def test_ill_conditioned_fits_have_the_digits_of_scipy(kind, units, noise):
    """In the median of a few: single ones are a matter of luck, of A and b rounded."""
    orthogonal, A = badly_conditioned(kind, 6)
    stretch = np.logspace(0.0, math.log10(units), 6)
    found = [digits_of_each(A * stretch, orthogonal, 1.0 / stretch, noise, k) for k in range(7)]
    ours, *theirs = np.median(found, axis=0)
    assert ours >= max(theirs) - 0.5


def test_ill_conditioned_bennett5_against_fifty_digits():
    """The model of Bennett5, whose columns are nearly dependent, certified by mpmath."""
    x = np.linspace(7.4, 12.1, 40)
    y = np.round(-2523.0 * (46.7 + x) ** (-1 / 0.932) + 0.02 * np.sin(7 * x), 6)

    def model(b, x, power):
        return b[0] * power(b[1] + x, -1 / b[2])

    fit = secant.least_squares(
        lambda b: model(b, x, np.power) - y, [-2000.0, 50.0, 0.8], "cs", solver="qr"
    )
    assert fit.success
    with mpmath.workdps(50):
        b = mpmath.matrix([mpmath.mpf(float(v)) for v in fit.x])
        for _ in range(60):
            J, r = mpmath.matrix(len(x), 3), mpmath.matrix(len(x), 1)
            for i, (xi, yi) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
                s = b[1] + mpmath.mpf(xi)
                p = s ** (-1 / b[2])
                J[i, 0], J[i, 1] = p, -b[0] / b[2] * p / s
                J[i, 2] = b[0] * p * mpmath.log(s) / b[2] ** 2
                r[i] = b[0] * p - mpmath.mpf(yi)
            step = mpmath.lu_solve(J.T * J, J.T * r)
            b -= step
            if max(abs(step[j] / b[j]) for j in range(3)) < mpmath.mpf(10) ** -30:
                break
        exact = np.array([float(v) for v in b])
    assert np.linalg.cond(fit.jac / np.linalg.norm(fit.jac, axis=0)) > 1e3
    assert digits(fit.x, exact) > 8.5


@pytest.mark.parametrize("problem", problems.mgh(), ids=str)
def test_sums_of_squares_of_more_garbow_hillstrom(problem):
    fit = secant.least_squares(problem.residuals, problem.start(), problem.jacobian)
    assert fit.success
    minima = (problem.f_star, *problem.local_minima)
    assert any(abs(2 * fit.cost - f) <= 1e-7 * abs(f) + 1e-18 for f in minima), 2 * fit.cost


def test_puromycin():
    x = np.array([0.02, 0.02, 0.06, 0.06, 0.11, 0.11, 0.22, 0.22, 0.56, 0.56, 1.10, 1.10])
    y = np.array([76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200.0])
    popt, pcov = secant.curve_fit(lambda x, v, k: v * x / (k + x), x, y, [200.0, 0.05])
    np.testing.assert_allclose(popt, [212.7, 0.06412], rtol=2e-4)
    np.testing.assert_allclose(np.sqrt(np.diag(pcov)), [6.947, 0.008281], rtol=2e-4)


def test_no_success_where_the_model_has_lost_its_parameters():
    t = np.arange(1.0, 8.0)
    y = np.exp(-t)

    def bump(b):  # both columns vanish away from the data
        return b[0] * np.exp(-((t - b[1]) ** 2) / 1e-3) - y

    fit = secant.least_squares(bump, [1.0, 500.0], "cs")
    assert not fit.success
    assert fit.status is not Status.GRADIENT
