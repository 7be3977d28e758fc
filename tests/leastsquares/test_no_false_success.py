"""A success is the solution, whatever solves, damps, differentiates or weighs; else the status says so."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from nist import REGRESSIONS
from scipy import optimize

import secant
from secant.leastsquares import InnerStops
from secant.leastsquares.judgement import Judgement
from secant.leastsquares.matrix_free import Products

SOLVERS = {
    "auto": {},
    "qr": {"solver": "qr"},
    "cholesky": {"solver": "cholesky"},
    "cg": {"solver": "matrix-free"},
    "lsmr": {"tr_solver": "lsmr"},
}
RULES = {
    "trust-radius": {"damping": "trust-radius"},
    "nielsen": {"damping": "nielsen"},
    "marquardt": {"damping": "marquardt"},
    "momentum": {"damping": "momentum"},
    "gauss-newton": {"method": "gn"},
}
UNSOLVED = {
    "nielsen": {"MGH10-far"},
    "marquardt": {"MGH10-far"},
    "momentum": {"MGH10-far"},
    "gauss-newton": {"MGH10-far", "MGH09-far", "Rat43-far", "Eckerle4-far"},
    "cg trust-radius": {"MGH10-far", "MGH10-near", "Lanczos3-far", "Lanczos3-near"},
    "lsmr trust-radius": {"MGH10-far", "MGH10-near", "Lanczos3-far", "Lanczos3-near"},
    "cg marquardt": {"MGH10-far", "MGH10-near", "Lanczos3-far"},
    "lsmr marquardt": {"MGH10-far", "MGH10-near", "Lanczos3-far"},
}
"""Where a rule (with a solver) may need more than 500 iterations, or fail; nowhere else."""


def digits(found, certified):
    error = np.abs(np.asarray(found) / np.asarray(certified) - 1.0)
    return float(np.min(-np.log10(np.maximum(error, 1e-15))))


def starts():
    return [
        (regression, start, f"{regression.name}-{start}")
        for regression in REGRESSIONS
        for start in ("far", "near")
    ]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("solver", SOLVERS)
def test_certified_digits_or_no_success(solver, rule):
    unsolved = UNSOLVED.get(f"{solver} {rule}", UNSOLVED.get(rule, set()))
    for regression, start, name in starts():
        x0 = getattr(regression, start)
        fit = secant.least_squares(
            regression.residuals, x0, "cs", max_iter=500, **SOLVERS[solver], **RULES[rule]
        )
        assert fit.success or name in unsolved, name
        if fit.success:
            assert digits(fit.x, regression.parameters) > 8.0, name


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "gauss-newton"])
@pytest.mark.parametrize("solver", ["auto", "qr", "cholesky"])
def test_certified_digits_by_differences_or_no_success(solver, rule):
    least = 7.5 if rule == "momentum" else 8.0  # Thurber's last steps hang on how BLAS sums
    for regression, start, name in starts():
        x0 = getattr(regression, start)
        fit = secant.least_squares(
            regression.residuals, x0, max_iter=500, **SOLVERS[solver], **RULES[rule]
        )
        assert fit.success or name in UNSOLVED.get(rule, set()), name
        if fit.success:
            assert digits(fit.x, regression.parameters) > least, name


def lowest(regression, x, **options):
    """The cost that SciPy reaches from ``x``."""
    exacting = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15, "max_nfev": 100}
    with np.errstate(all="ignore"):
        found = optimize.least_squares(
            regression.residuals, x, "cs", x_scale="jac", **exacting, **options
        )
    return found.cost


@pytest.mark.parametrize("rule", ["trust-radius", "nielsen"])
@pytest.mark.parametrize("loss", ["soft_l1", "huber", "cauchy", "arctan"])
def test_robust_losses_end_where_scipy_finds_nothing_lower(loss, rule):
    successes = 0
    for regression in REGRESSIONS:
        scale = float(np.sqrt(regression.squares / len(regression.y)))
        options = {"loss": loss, "f_scale": scale}
        fit = secant.least_squares(
            regression.residuals, regression.near, "cs", max_iter=300, **options, **RULES[rule]
        )
        successes += fit.success
        if fit.success:
            assert fit.cost <= lowest(regression, fit.x, **options) * (1.0 + 1e-8), regression.name
    assert successes >= 11


@pytest.mark.parametrize("name", ["Misra1a", "DanWood", "Eckerle4", "Rat42", "MGH09"])
def test_where_nearly_all_data_are_outliers_convergence_is_not_for_ever(name):
    (regression,) = (r for r in REGRESSIONS if r.name == name)
    scale = 0.1 * float(np.sqrt(regression.squares / len(regression.y)))
    options = {"loss": "soft_l1", "f_scale": scale}
    fit = secant.least_squares(regression.residuals, regression.near, "cs", max_iter=200, **options)
    assert fit.success
    assert fit.cost <= lowest(regression, fit.x, **options) * (1.0 + 1e-8)


@pytest.mark.parametrize("rule", ["trust-radius", "nielsen", "marquardt"])
@pytest.mark.parametrize("jac", ["2-point", "cs", None])
def test_active_bounds_end_where_scipy_finds_nothing_lower(jac, rule):
    for regression in REGRESSIONS:
        best, x0 = np.array(regression.parameters), np.array(regression.near, dtype=float)
        room = 1.0 + 10.0 * np.abs(best)
        upper = np.maximum(best, x0) + room
        upper[0] = best[0] - 0.05 * abs(best[0])  # holds the first variable
        bounds = np.minimum(best, x0) - room, upper
        x0 = np.minimum(x0, upper)
        fit = secant.least_squares(
            regression.residuals, x0, jac, bounds, max_iter=500, **RULES[rule]
        )
        if fit.success:
            assert fit.active_mask[0] == 1, regression.name
            assert fit.cost <= lowest(regression, fit.x, bounds=bounds) * (1.0 + 1e-8)


@pytest.mark.parametrize("rule", ["trust-radius", "nielsen", "marquardt"])
def test_single_precision_ends_where_its_rounding_hides_what_is_left(rule):
    eps, successes = 2.0**-23, 0
    for regression, start, name in starts():
        x0 = np.array(getattr(regression, start), dtype=np.float32)
        fit = secant.least_squares(regression.residuals, x0, "cs", max_iter=300, **RULES[rule])
        successes += fit.success
        if fit.success:
            x = fit.x.astype(float)
            r = regression.residuals(x)
            J = np.stack(
                [regression.residuals(x + 1e-20j * e).imag / 1e-20 for e in np.eye(x.size)], axis=1
            )
            error = eps * (np.abs(J) @ np.abs(x) + np.abs(r))
            noise = error @ np.abs(r) + 0.5 * error @ error
            assert 0.5 * r @ r - lowest(regression, x) <= 10.0 * noise + 1e-3 * (r @ r), name
    assert successes >= 22


def products(inner, spread=1e4, m=60, n=30):
    """A model of products whose columns have singular values from 1 to ``1 / spread``."""
    rng = np.random.default_rng(1)
    U, V = (np.linalg.qr(rng.standard_normal((k, n)))[0] for k in (m, n))
    J, r = (U * np.geomspace(1.0, 1.0 / spread, n)) @ V.T, rng.standard_normal(m)
    norms = np.linalg.norm(J, axis=0)
    return J, r, Products(lambda v: J @ v, lambda u: J.T @ u, r, inner, norms)


@pytest.mark.parametrize("method", ["cg", "lsmr"])
def test_an_inner_iteration_that_is_cut_short_judges_nothing(method):
    J, r, model = products(InnerStops(max_iter=1, method=method))
    assert model.judging_step(model.column_norms) is None
    J, r, model = products(InnerStops(max_iter=100, method=method))
    p = model.judging_step(model.column_norms)
    np.testing.assert_allclose(p, -np.linalg.lstsq(J, r, rcond=None)[0], rtol=1e-6)


@pytest.mark.parametrize("method", ["cg", "lsmr"])
def test_a_step_that_is_plainly_long_is_judged_without_its_last_digits(method):
    J, r, model = products(InnerStops(max_iter=12, method=method), spread=1e6)
    scale = model.column_norms
    exact = -np.linalg.lstsq(J, r, rcond=None)[0]
    length, gain = np.linalg.norm(scale * exact), 0.5 * np.linalg.norm(J @ exact) ** 2
    judgement = Judgement(SimpleNamespace(box=None), SimpleNamespace(model=model), scale)
    assert judgement.is_beyond(1e-6 * length, 0.1 * gain)
    assert not judgement.is_beyond(length, 0.1 * gain)
    assert not judgement.is_beyond(1e-6 * length, gain)
    assert judgement.gains_more_than(0.1 * gain)
    assert model.judging_step(scale) is None  # so many products do not do, and were not asked for


def test_steps_are_solved_better_where_r_is_nearly_at_right_angles_with_the_columns():
    J, r, far = products(InnerStops())
    Q = np.linalg.qr(J)[0]
    for part in (1e-3, 1e-6):
        near = Products(far.forward, far.backward, r - (1.0 - part) * Q @ (Q.T @ r), InnerStops())
        p = near.factor(1e-3, far.column_norms).solve()
        left = J.T @ (J @ p + near.r) + 1e-3 * far.column_norms**2 * p
        steepest = np.linalg.norm(near.g / far.column_norms)
        assert np.linalg.norm(left / far.column_norms) <= 2.0 * part * steepest


def test_the_norms_of_columns_are_estimated_from_products():
    _, r, known = products(InnerStops(), m=400)
    estimated = Products(known.forward, known.backward, r, InnerStops()).column_norms
    np.testing.assert_allclose(np.log2(estimated / known.column_norms), 0.0, atol=2.0)


@pytest.mark.parametrize("memory", [2**30, 8])
@pytest.mark.parametrize("name", ["Misra1a", "Misra1b", "BoxBOD", "Rat42"])
def test_certified_digits_by_products_of_autograd(name, memory):
    """In eight bytes J never exists, and its columns' norms, far apart, are estimated."""
    (regression,) = (r for r in REGRESSIONS if r.name == name)
    x, y = torch.from_numpy(regression.x), torch.from_numpy(regression.y)
    models = {
        "Misra1a": lambda b: b[0] * (1 - torch.exp(-b[1] * x)),
        "Misra1b": lambda b: b[0] * (1 - (1 + b[1] * x / 2) ** -2),
        "BoxBOD": lambda b: b[0] * (1 - torch.exp(-b[1] * x)),
        "Rat42": lambda b: b[0] / (1 + torch.exp(b[1] - b[2] * x)),
    }
    start = torch.tensor(regression.near, dtype=torch.float64)
    fit = secant.least_squares(
        lambda b: models[name](b) - y, start, solver="matrix-free", memory=memory
    )
    assert fit.success
    assert digits(fit.x.numpy(), regression.parameters) > 8.0


@pytest.mark.parametrize("options", [{}, {"loss": "cauchy"}, {"weights": np.array([4.0, 0.25])}])
def test_rounding_of_x_moves_f_by_no_more_than_the_noise_of_its_rows(options):
    """On the floor of a steep valley by far less than that of all rows together."""
    steep, rng = 1e9, np.random.default_rng(0)
    x0 = np.array([-1.2, 1.44])
    run = secant.start_least_squares(
        lambda x: np.array([steep * (x[1] - x[0] ** 2), 1.0 - x[0]]),
        x0,
        lambda x: np.array([[-2.0 * steep * x[0], steep], [-1.0, 0.0]]),
        **options,
    )
    problem, point = run.problem, run.point
    noise = problem.noise_by_rows(point)
    moved = [x0 * (1.0 + 2.0**-53 * rng.uniform(-1.0, 1.0, 2)) for _ in range(100)]
    assert all(abs(problem.reduction(point, problem.at(x))) <= noise for x in moved)
    if not options:
        assert noise < 1e-3 * problem.noise(point)
