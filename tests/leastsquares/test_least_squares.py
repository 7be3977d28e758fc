"""The front door: SciPy's fields, losses, bounds, weights, limits, failures."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

import secant
from secant import Status
from secant.leastsquares import InnerStops
from secant.leastsquares.bounds import Box
from secant.leastsquares.jacobian import Differences
from secant.leastsquares.matrix_free import Products

T = np.linspace(0.0, 4.0, 25)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.05 * np.cos(9 * T)


def model(b):
    return b[0] * np.exp(-b[1] * T) + b[2]


def residuals(b):
    return model(b) - Y


def jacobian(b):
    e = np.exp(-b[1] * T)
    return np.stack([e, -b[0] * T * e, np.ones_like(T)], axis=1)


START = np.array([1.0, 1.0, 0.0])


def test_fields_are_scipys():
    ours = secant.least_squares(residuals, START, jacobian)
    theirs = optimize.least_squares(residuals, START, jacobian, method="lm")
    assert set(theirs) <= set(ours)
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-6)
    np.testing.assert_allclose(ours.cost, theirs.cost, rtol=1e-9)
    np.testing.assert_allclose(ours.fun, theirs.fun, atol=1e-7)
    np.testing.assert_allclose(ours.jac, theirs.jac, atol=1e-6)
    np.testing.assert_allclose(ours.grad, ours.jac.T @ ours.fun, atol=1e-12)
    assert ours.success
    assert isinstance(ours.status, Status)
    assert ours.trace.f[-1] == ours.cost


def test_covariance_is_the_inverse_of_the_gram_matrix():
    for solver in ("qr", "cholesky"):
        fit = secant.least_squares(residuals, START, jacobian, solver=solver)
        s2 = np.sum(fit.fun**2) / (len(T) - 3)
        expected = s2 * np.linalg.inv(fit.jac.T @ fit.jac)
        np.testing.assert_allclose(fit.covariance, expected, rtol=1e-9)
        np.testing.assert_allclose(fit.standard_errors, np.sqrt(np.diag(expected)), rtol=1e-9)


@pytest.mark.parametrize("loss", ["linear", "soft_l1", "huber", "cauchy", "arctan"])
def test_robust_losses_have_scipys_minima(loss):
    y = Y.copy()
    y[::6] += 3.0

    def outliers(b):
        return model(b) - y

    near = np.array([2.5, 1.3, 0.5])
    ours = secant.least_squares(outliers, near, jacobian, loss=loss, f_scale=0.1)
    theirs = optimize.least_squares(
        outliers, near, jacobian, loss=loss, f_scale=0.1, ftol=1e-14, xtol=1e-14, gtol=1e-12
    )
    assert ours.success
    assert ours.cost <= theirs.cost * (1 + 1e-9)
    np.testing.assert_allclose(ours.x, theirs.x, rtol=2e-5, atol=1e-5)


def test_a_loss_of_the_users():
    def soft_l1(z):
        t = 1 + z
        return 2 * (t**0.5 - 1), t**-0.5, -0.5 * t**-1.5

    own = secant.least_squares(residuals, START, jacobian, loss=soft_l1, f_scale=0.1)
    named = secant.least_squares(residuals, START, jacobian, loss="soft_l1", f_scale=0.1)
    np.testing.assert_allclose(own.x, named.x, rtol=1e-12)


def test_weights_are_factors_of_the_squares():
    w = np.linspace(0.1, 3.0, len(T))
    weighted = secant.least_squares(residuals, START, jacobian, weights=w)
    scaled = secant.least_squares(
        lambda b: np.sqrt(w) * residuals(b), START, lambda b: np.sqrt(w)[:, None] * jacobian(b)
    )
    np.testing.assert_allclose(weighted.x, scaled.x, rtol=1e-9)
    assert weighted.cost == pytest.approx(scaled.cost)


BOXES = [
    ([0.0, 0.0, 0.0], [2.0, 5.0, 5.0]),
    ([0.0, 1.5, -1.0], [9.0, 5.0, 5.0]),
    ([0.0, 0.0, 0.6], [9.0, 1.2, 0.8]),
    (-np.inf, [np.inf, np.inf, 0.45]),
]


@pytest.mark.parametrize("bounds", BOXES)
@pytest.mark.parametrize("solver", ["qr", "cholesky", "matrix-free"])
def test_bounds_have_scipys_minima_and_are_never_left(bounds, solver):
    box = [np.broadcast_to(np.asarray(b, float), (3,)) for b in bounds]
    start = np.clip([1.0, 1.6, 0.2], box[0], box[1])
    seen = []

    def watched(b):
        seen.append(b.copy())
        return residuals(b)

    ours = secant.least_squares(watched, start, "2-point", bounds, solver=solver, inner=None)
    inside = np.clip(start, box[0] + 1e-3, box[1] - 1e-3)
    theirs = optimize.least_squares(
        residuals, inside, jacobian, bounds, ftol=1e-15, xtol=1e-15, gtol=1e-12
    )
    assert ours.success
    assert all(((box[0] <= b) & (b <= box[1])).all() for b in seen)
    np.testing.assert_allclose(ours.cost, theirs.cost, rtol=1e-6)
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-4)
    held = ours.active_mask != 0
    assert held.any()
    assert ours.optimality <= 1e-5
    assert (ours.active_mask * ours.grad)[held].max() < 0.0


def test_bounds_that_do_not_bind_change_nothing():
    free = secant.least_squares(residuals, START, jacobian)
    boxed = secant.least_squares(residuals, START, jacobian, (-50.0, 50.0))
    np.testing.assert_allclose(boxed.x, free.x, rtol=1e-9)
    assert not boxed.active_mask.any()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000))
def test_linear_fits_in_a_box_satisfy_the_optimality_conditions(seed):
    rng = np.random.default_rng(seed)
    J, r = rng.standard_normal((12, 4)), 3 * rng.standard_normal(12)
    lower, upper = -rng.uniform(0.0, 1.0, 4), rng.uniform(0.1, 1.0, 4)
    fit = secant.least_squares(lambda x: J @ x + r, np.zeros(4), lambda x: J, (lower, upper))
    exact = optimize.lsq_linear(J, -r, (lower, upper), tol=1e-14)
    assert fit.success
    np.testing.assert_allclose(fit.cost, exact.cost, rtol=1e-7)
    assert fit.optimality <= 1e-6


@pytest.mark.parametrize("scheme", ["2-point", "3-point", "richardson", "cs"])
def test_difference_schemes(scheme):
    exact = secant.least_squares(residuals, START, jacobian)
    by_scheme = secant.least_squares(residuals, START, scheme)
    np.testing.assert_allclose(by_scheme.x, exact.x, rtol=1e-6 if scheme == "2-point" else 1e-9)


def test_extrapolated_jacobians():
    """Nearly exact, of any size of the variables; every evaluation is counted, and none is outside."""
    seen = []

    def fun(b):
        assert np.all(b >= lower)
        seen.append(b.copy())
        return residuals(b * units) * 1e3

    units = np.array([1.0, 1e-8, 1e6])
    start, lower = np.array([1.0, 1.0, 0.2]) / units, np.full(3, -np.inf)
    fit = secant.least_squares(fun, start, "richardson", max_nfev=61)
    assert len(seen) == fit.nfev <= 61
    expected = 1e3 * jacobian(start * units) * units
    for bound, digits in ((np.full(3, -np.inf), 1e-12), (start * 0.9999, 1e-10), (start, 1e-9)):
        lower = bound
        J = Differences("richardson", box=Box(bound, np.full(3, np.inf)))(fun, start, fun(start))
        error = np.linalg.norm(J - expected, axis=0) / np.linalg.norm(expected, axis=0)
        assert error.max() <= digits
    with pytest.raises(ValueError, match="jac must not be 'richardson' with samples"):
        secant.least_squares(residuals, START, "richardson", samples=(T, Y))


@pytest.mark.parametrize("jac", ["2-point", "richardson", "4-point"])
def test_schemes_are_for_arrays(jac):
    """A tensor is differentiated by autograd, or by a function."""
    with pytest.raises(
        ValueError, match=f"jac must be a callable for x0 of type Tensor, got '{jac}'"
    ):
        secant.least_squares(lambda x: x - 1.0, torch.zeros(2), jac)


def test_chunks_give_what_the_whole_gives():
    def of_rows(b, t, y):
        return b[0] * np.exp(-b[1] * t) + b[2] - y

    def jacobian_of_rows(b, t, y):
        e = np.exp(-b[1] * t)
        return np.stack([e, -b[0] * t * e, np.ones_like(t)], axis=1)

    whole = secant.least_squares(residuals, START, jacobian)
    for solver in ("qr", "cholesky", "matrix-free"):
        for jac in (jacobian_of_rows, None, "cs"):
            fit = secant.least_squares(
                of_rows, START, jac, samples=(T, Y), memory=3 * 64 * 4, solver=solver
            )
            assert fit.success, (solver, jac)
            np.testing.assert_allclose(fit.x, whole.x, rtol=1e-6)
            assert fit.jac is None


def test_matrix_free_is_qr():
    products = secant.least_squares(
        residuals, START, jacobian, solver="matrix-free", inner=secant_inner(1e-12)
    )
    by_qr = secant.least_squares(residuals, START, jacobian, solver="qr")
    np.testing.assert_allclose(products.x, by_qr.x, rtol=1e-8)
    assert products.covariance is None
    assert secant.least_squares(residuals, START, jacobian, tr_solver="lsmr").success


def secant_inner(rtol):
    from secant.leastsquares import InnerStops

    return InnerStops(rtol, 500)


@pytest.mark.parametrize("options", [{"tr_solver": "lsmr"}, {"solver": "matrix-free"}])
def test_lsmr_solves_the_damped_equations(options):
    """To the inner tolerance, where J's columns differ by 1e4; and the fit is that of QR."""
    rng = np.random.default_rng(0)
    J, r = rng.standard_normal((40, 8)) * np.geomspace(1.0, 1e-4, 8), rng.standard_normal(40)
    inner = InnerStops(rtol=1e-12, max_iter=500, method="lsmr")
    model = Products(lambda v: J @ v, lambda u: J.T @ u, r, inner)
    for damping in (1e-3, 1.0):
        D = np.linalg.norm(J, axis=0)
        p = model.factor(damping, D).solve()
        expected = np.linalg.solve(J.T @ J + damping * np.diag(D**2), -J.T @ r)
        np.testing.assert_allclose(p, expected, rtol=1e-8, atol=1e-10 * np.abs(expected).max())
    best = secant.least_squares(residuals, START, jacobian)
    found = secant.least_squares(
        residuals, START, jacobian, inner=InnerStops(1e-8, method="lsmr"), **options
    )
    np.testing.assert_allclose(found.x, best.x, rtol=1e-7)


def test_lsmr_is_for_numpy():
    with pytest.raises(ValueError, match=r"inner must have method='cg'"):
        secant.least_squares(
            lambda x: x - 1.0, torch.zeros(2), inner=InnerStops(method="lsmr"), solver="matrix-free"
        )


def test_a_region_of_nan_is_backed_out_of():
    def partial(x):
        with np.errstate(invalid="ignore"):
            return np.array([np.log(x[0]), 2 * (np.sqrt(x[1]) - 1.0), x[0] * x[1] - 1.0])

    fit = secant.least_squares(partial, [8.0, 9.0])
    assert fit.success
    np.testing.assert_allclose(fit.x, 1.0, rtol=1e-8)


def test_a_start_that_is_not_finite():
    fit = secant.least_squares(lambda x: np.log(x), [-1.0], jac=lambda x: np.array([[1 / x[0]]]))
    assert fit.status is Status.NOT_FINITE_START
    assert not fit.success


def test_an_exception_leaves_the_run_usable():
    calls = [0]

    def fragile(b):
        calls[0] += 1
        if calls[0] == 9:
            raise KeyError("the disk is full")
        return residuals(b)

    run = secant.start_least_squares(fragile, START)
    with pytest.raises(KeyError, match="disk"):
        for _ in run:
            pass
    fit = run.finish()
    assert fit.success
    np.testing.assert_allclose(fit.x, secant.least_squares(residuals, START).x, rtol=1e-8)


def test_limits_and_stops():
    limited = secant.least_squares(residuals, START, jacobian, max_nfev=3)
    assert limited.status is Status.MAX_EVALUATIONS
    assert limited.nfev <= 3
    assert secant.least_squares(residuals, START, max_iter=2).status is Status.MAX_ITERATIONS
    assert secant.least_squares(residuals, START, target=1.0).status is Status.TARGET
    stopped = secant.least_squares(residuals, START, callback=lambda s: s.k == 1)
    assert (stopped.status, stopped.nit) == (Status.CALLBACK, 1)
    late = secant.least_squares(residuals, START, max_seconds=1e-9)
    assert late.status is Status.TIME_LIMIT


def interrupt(snapshot):
    if snapshot.k == 2:
        raise KeyboardInterrupt


def test_the_keyboard_ends_a_run_with_its_best_point():
    fit = secant.least_squares(residuals, START, callback=interrupt)
    assert fit.status is Status.INTERRUPTED
    assert fit.cost < 0.5 * np.sum(residuals(START) ** 2)


def test_nothing_is_done_at_the_solution():
    x = secant.least_squares(residuals, START, jacobian).x
    fit = secant.least_squares(residuals, x, jacobian, gtol=1e-8)
    assert (fit.nit, fit.nfev, fit.status) == (0, 1, Status.GRADIENT)


def test_counts_are_honest():
    counted = {"fun": 0, "jac": 0}

    def fun(b):
        counted["fun"] += 1
        return residuals(b)

    def jac(b):
        counted["jac"] += 1
        return jacobian(b)

    fit = secant.least_squares(fun, START, jac)
    assert (fit.nfev, fit.njev) == (counted["fun"], counted["jac"])
    counted["fun"] = 0
    fit = secant.least_squares(fun, START)
    assert fit.nfev == counted["fun"]


def test_a_wrong_jacobian_is_no_success():
    fit = secant.least_squares(residuals, START, lambda b: -jacobian(b))
    assert not fit.success
    assert fit.cost <= 0.5 * np.sum(residuals(START) ** 2)


def test_args_and_kwargs():
    def fun(b, t, *, y):
        return b[0] * t - y

    fit = secant.least_squares(fun, [1.0], args=(T,), kwargs={"y": 3 * T})
    np.testing.assert_allclose(fit.x, 3.0)


def test_float32_is_kept():
    x0 = START.astype(np.float32)
    fit = secant.least_squares(lambda b: residuals(b).astype(np.float32), x0)
    assert fit.x.dtype == np.float32
    assert fit.success
    np.testing.assert_allclose(fit.x, secant.least_squares(residuals, START).x, rtol=2e-3)


def test_stepping_by_hand_equals_the_whole_run():
    run = secant.start_least_squares(residuals, START, jacobian)
    steps = [snapshot.f for snapshot in run]
    whole = secant.least_squares(residuals, START, jacobian)
    assert steps[-1] == whole.cost
    assert (run.result().x == whole.x).all()


def test_warm_start():
    first = secant.least_squares(residuals, START, jacobian, max_iter=3)
    again = secant.least_squares(residuals, first.x, jacobian, warm_start=first)
    assert again.success


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": "newton"}, "method"),
        ({"loss": "l7"}, "loss"),
        ({"solver": "svd"}, "solver"),
        ({"damping": "heavy"}, "damping"),
        ({"bounds": (2.0, 1.0)}, "bounds"),
        ({"bounds": (5.0, 6.0)}, "x0"),
        ({"jac": "4-point"}, "jac"),
        ({"f_scale": 0.0}, "f_scale"),
        ({"x_scale": [1.0, 2.0]}, "x_scale"),
        ({"x_scale": -1.0}, "x_scale"),
        ({"gtol": -1.0}, "gtol"),
        ({"max_nfev": 0}, "max_nfev"),
        ({"weights": -np.ones(25)}, "weights"),
        ({"jac_sparsity": np.ones((25, 3))}, "jac_sparsity"),
        ({"geodesic": True, "loss": "huber"}, "geodesic"),
    ],
)
def test_bad_arguments_are_named(change, words):
    arguments = {"fun": residuals, "x0": START, **change}
    with pytest.raises(ValueError, match=words):
        secant.least_squares(**arguments)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"jac must return an array of shape \(25, 3\)"):
        secant.least_squares(residuals, START, lambda b: jacobian(b).T)
    with pytest.raises(ValueError, match="memory"):
        secant.least_squares(residuals, START, memory=100)


# ------------------------------------------------------------------------------------ curve_fit


def curve(t, a, k, c):
    return a * np.exp(-k * t) + c


@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("kind", ["none", "vector", "matrix"])
def test_curve_fit_is_scipys(absolute, kind):
    sigma = {"none": None, "vector": np.linspace(0.05, 0.2, 25)}.get(kind)
    if kind == "matrix":
        sigma = 0.01 * np.exp(-np.abs(np.subtract.outer(T, T)))
    ours = secant.curve_fit(curve, T, Y, START, sigma, absolute)
    popt, pcov = optimize.curve_fit(curve, T, Y, START, sigma, absolute, ftol=1e-13, xtol=1e-13)
    np.testing.assert_allclose(ours.popt, popt, rtol=1e-5)
    np.testing.assert_allclose(ours.pcov, pcov, rtol=1e-3)
    np.testing.assert_allclose(ours.perr, np.sqrt(np.diag(ours.pcov)))


def test_curve_fit_reads_the_number_of_parameters():
    popt, _ = secant.curve_fit(curve, T, Y, bounds=(0.0, [5.0, 5.0, 5.0]))
    np.testing.assert_allclose(popt, secant.least_squares(residuals, START).x, rtol=1e-5)


def test_curve_fit_says_what_the_data_leave_open():
    _, pcov = secant.curve_fit(lambda t, a, b: (a + b) * t, T, 3 * T, [1.0, 1.0], jac="cs")
    assert np.isinf(pcov).all()


def test_curve_fit_refuses_bad_data():
    with pytest.raises(ValueError, match="ydata"):
        secant.curve_fit(curve, T, np.where(T > 2, np.nan, Y), START)
    with pytest.raises(ValueError, match="sigma"):
        secant.curve_fit(curve, T, Y, START, sigma=np.zeros(25))


# ---------------------------------------------------------------------------------------- torch


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_tensors(dtype):
    t, y = torch.tensor(T, dtype=dtype), torch.tensor(Y, dtype=dtype)

    def fun(b):
        return b[0] * torch.exp(-b[1] * t) + b[2] - y

    x0 = torch.tensor(START, dtype=dtype)
    fit = secant.least_squares(fun, x0)
    assert fit.success
    assert fit.x.dtype == dtype
    expected = secant.least_squares(residuals, START, jacobian).x
    np.testing.assert_allclose(
        fit.x.numpy(), expected, rtol=1e-8 if dtype is torch.float64 else 2e-3
    )
    if dtype is torch.float64:
        free = secant.least_squares(fun, x0, solver="matrix-free")
        np.testing.assert_allclose(free.x.numpy(), expected, rtol=1e-6)
        popt, _ = secant.curve_fit(lambda t, a, k, c: a * torch.exp(-k * t) + c, t, y, x0)
        np.testing.assert_allclose(popt.numpy(), expected, rtol=1e-8)

        def of_rows(b, t, y):
            return b[0] * torch.exp(-b[1] * t) + b[2] - y

        chunked = secant.least_squares(of_rows, x0, samples=(t, y), memory=3 * 64 * 4)
        np.testing.assert_allclose(chunked.x.numpy(), expected, rtol=1e-8)


# --------------------------------------------------------------------------------- saved and resumed


@pytest.mark.parametrize("after", [1, 3, 7])
def test_a_resumed_fit_is_the_uninterrupted_one(tmp_path, after):
    whole = secant.least_squares(residuals, START)
    run = secant.start_least_squares(residuals, START)
    for _ in range(after):
        run.step()
    run.save(tmp_path / "fit.npz")
    again = secant.start_least_squares(residuals, START, resume=tmp_path / "fit.npz").finish()
    assert (again.x == whole.x).all()
    assert (again.status, again.nit) == (whole.status, whole.nit)
    assert len(again.trace) == len(whole.trace)


def test_resume_reads_fits(tmp_path):
    whole = secant.least_squares(residuals, START)
    run = secant.start_least_squares(residuals, START)
    for _ in range(3):
        run.step()
    run.save(tmp_path / "fit.npz")
    again = secant.resume(tmp_path / "fit.npz", residuals).finish()
    assert (again.x == whole.x).all()
    assert (again.status, again.nit, again.cost) == (whole.status, whole.nit, whole.cost)
    limited = secant.resume(tmp_path / "fit.npz", residuals, max_iter=4).finish()
    assert (limited.status.name, limited.nit) == ("MAX_ITERATIONS", 4)


def test_files_written_when_the_rules_for_the_damping_were_one_module_are_read(tmp_path):
    whole = secant.least_squares(residuals, START)
    run = secant.start_least_squares(residuals, START)
    run.step()
    run.step()
    run.save(tmp_path / "fit.npz")
    with np.load(tmp_path / "fit.npz") as file:
        stored = {name: file[name] for name in file.files}
    header = stored["header"].tobytes().decode()
    older = re.sub(r"secant\.leastsquares\.damping\.\w+:", "secant.leastsquares.damping:", header)
    assert older.count("secant.leastsquares.damping:") >= 4  # the state's, and the method's rules
    stored["header"] = np.frombuffer(older.encode(), dtype=np.uint8)
    np.savez(tmp_path / "older.npz", **stored)
    again = secant.resume(tmp_path / "older.npz", residuals).finish()
    assert (again.x == whole.x).all()
    assert (again.status, again.nit) == (whole.status, whole.nit)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weights": np.linspace(1.0, 2.0, residuals(START).size)}, "weights"),
        ({"bounds": (-1e9, 1e9)}, "bounds"),
        ({"loss": "huber", "f_scale": 1e-6}, "losses"),
    ],
)
def test_resume_refuses_what_a_file_does_not_hold(tmp_path, options, words):
    run = secant.start_least_squares(residuals, START, **options)
    run.step()
    run.save(tmp_path / "fit.npz")
    with pytest.raises(ValueError, match=rf"{words}.*start_least_squares"):
        secant.resume(tmp_path / "fit.npz", residuals)


def test_a_file_of_another_problem_is_refused(tmp_path):
    run = secant.start_least_squares(residuals, START)
    run.save(tmp_path / "fit.npz")
    with pytest.raises(ValueError, match=r"fit\.npz|length"):
        secant.start_least_squares(lambda x: x - 1, [3.0, 2.0], resume=tmp_path / "fit.npz")
