"""Many fits at once: NIST's certificates, single fits and SciPy are the oracles."""

from __future__ import annotations

import numpy as np
import pytest
from nist import REGRESSIONS
from scipy import optimize

import secant
from secant import Status

T = np.linspace(0.0, 4.0, 14)


def decay(t, a, b, c):
    return a * np.exp(-b * t) + c


def slopes(t, a, b, c):
    e = np.exp(-b * t)
    return e, -a * t * e, np.ones((1, 1))


START = [1.0, 0.5, 0.0]


@pytest.fixture(scope="module")
def y():
    """Forty decays with noise."""
    rng = np.random.default_rng(0)
    p = np.stack([rng.uniform(1.0, 4.0, 40), rng.uniform(0.5, 2.0, 40), rng.uniform(0.0, 1.0, 40)])
    return decay(T[:, None], *p).T + 0.02 * rng.standard_normal((40, 14))


# ------------------------------------------------------------------------------- the right numbers


@pytest.mark.parametrize("regression", REGRESSIONS, ids=lambda regression: regression.name)
@pytest.mark.parametrize("jac", ["3-point", "cs"])
def test_certified_values_and_errors(regression, jac):
    """From both of NIST's starts: eight digits, seven by differences, and never a false success."""
    starts = np.array([regression.far, regression.near])
    fit = secant.batched_curve_fit(
        regression.model, regression.x, regression.y, starts, jac=jac, max_iter=300
    )
    far_is_too_far = regression.name == "MGH10"
    np.testing.assert_array_equal(fit.success, [not far_is_too_far, True])
    digits = -np.log10(np.abs(fit.popt / regression.parameters - 1.0).max(axis=1))
    assert (digits[fit.success] > (8.0 if jac == "cs" else 7.0)).all()
    perr, squares = fit.perr[fit.success], 2.0 * fit.cost[fit.success]
    np.testing.assert_allclose(perr, np.broadcast_to(regression.errors, perr.shape), rtol=1e-6)
    np.testing.assert_allclose(squares, regression.squares, rtol=1e-8)


def test_each_fit_is_that_of_curve_fit(y):
    sigma = np.linspace(0.01, 0.03, 14)
    for absolute in (False, True):
        fit = secant.batched_curve_fit(decay, T, y, START, sigma, absolute, jac=slopes)
        for i in range(0, 40, 8):
            popt, pcov = secant.curve_fit(decay, T, y[i], START, sigma, absolute)
            np.testing.assert_allclose(fit.popt[i], popt, rtol=1e-7)
            np.testing.assert_allclose(fit.pcov[i], pcov, rtol=1e-5)


def test_deviations_may_differ_between_the_sets(y):
    sigma = np.random.default_rng(2).uniform(0.01, 0.1, y.shape)
    fit = secant.batched_curve_fit(decay, T, y, START, sigma)
    for i in (0, 17, 39):
        np.testing.assert_allclose(
            fit.popt[i], secant.curve_fit(decay, T, y[i], START, sigma[i]).popt, rtol=1e-7
        )


@pytest.mark.parametrize("bounds", [([0, 0.8, 0.2], [2.5, 1.5, 0.7]), (0.0, [3.0, 9.0, 9.0])])
def test_bounds_lead_where_scipy_ends(y, bounds):
    start = [1.0, 0.9, 0.5]
    seen = []

    def watched(t, *p):
        seen.append(np.stack([np.broadcast_to(q, np.shape(p[0])) for q in p]).reshape(3, -1))
        return decay(t, *p)

    fit = secant.batched_curve_fit(watched, T, y, start, bounds=bounds)
    low, high = (np.broadcast_to(b, 3) for b in bounds)
    everywhere = np.concatenate(seen, axis=1)
    assert (low[:, None] <= everywhere).all()
    assert (everywhere <= high[:, None]).all()
    assert fit.success.all()
    held = 0
    for i in range(40):
        expected = optimize.least_squares(
            lambda p, i=i: decay(T, *p) - y[i], start, bounds=bounds, ftol=1e-14, xtol=1e-14
        )
        assert fit.cost[i] <= expected.cost * (1.0 + 1e-9)
        held += np.any((fit.popt[i] == low) | (fit.popt[i] == high))
    assert held > 10


@pytest.mark.parametrize("loss", ["soft_l1", "huber", "cauchy", "arctan"])
def test_robust_losses_end_where_nothing_is_left_to_gain(y, loss):
    spoilt = y.copy()
    spoilt[:, 3] += 5.0
    fit = secant.batched_curve_fit(decay, T, spoilt, [2.0, 1.0, 0.5], loss=loss, f_scale=0.03)
    assert fit.success.mean() > 0.9
    for i in np.flatnonzero(fit.success):
        further = optimize.least_squares(
            lambda p, i=i: decay(T, *p) - spoilt[i],
            fit.popt[i],
            loss=loss,
            f_scale=0.03,
            xtol=1e-15,
            ftol=1e-15,
            gtol=1e-15,
        )
        assert fit.cost[i] - further.cost <= 1e-10 * fit.cost[i]


def test_missing_data_are_left_out(y):
    holes = y.copy()
    holes[3, 4] = holes[5, [0, 9]] = np.nan
    holes[7, 2:] = np.nan
    fit = secant.batched_curve_fit(decay, T, holes, START, nan_policy="omit")
    for i in (3, 5):
        there = np.isfinite(holes[i])
        expected = secant.curve_fit(decay, T[there], y[i, there], START)
        np.testing.assert_allclose(fit.popt[i], expected.popt, rtol=1e-7)
        np.testing.assert_allclose(fit.pcov[i], expected.pcov, rtol=1e-5)
    assert fit.status[7] is Status.NOT_FINITE_START  # two data for three parameters
    assert fit.success.sum() == 39


def test_sets_may_have_an_x_of_their_own(y):
    own = T + np.linspace(0.0, 0.5, 40)[:, None]
    fit = secant.batched_curve_fit(decay, own, y, START)
    np.testing.assert_allclose(
        fit.popt[9], secant.curve_fit(decay, own[9], y[9], START).popt, rtol=1e-7
    )


def test_several_variables_are_a_tuple():
    rng = np.random.default_rng(5)
    u, v = rng.uniform(-1.0, 1.0, (2, 30))
    true = np.array([[1.0, 2.0], [3.0, -1.0]])

    def wave(x, a, b):
        return a * np.sin(x[0]) + np.exp(b * x[1])

    data = np.stack([wave((u, v), *p) for p in true])
    fit = secant.batched_curve_fit(wave, (u, v), data, [1.0, 0.5])
    np.testing.assert_allclose(fit.popt, true, rtol=1e-9)


def test_the_best_of_many_starts():
    def wave(t, frequency, phase):
        return np.sin(frequency * t + phase)

    data = wave(T, 5.0, 0.3)
    starts = np.stack([np.linspace(0.5, 8.0, 30), np.zeros(30)], axis=1)
    fit = secant.batched_curve_fit(wave, T, data, starts)
    np.testing.assert_allclose(fit.popt[fit.best], [5.0, 0.3], rtol=1e-9)
    assert fit.cost[fit.best] < 1e-20 < fit.cost.max()


def test_one_data_set():
    fit = secant.batched_curve_fit(decay, T, decay(T, 2.0, 1.0, 0.1), START)
    assert fit.popt.shape == (1, 3)
    assert fit.pcov.shape == (1, 3, 3)
    np.testing.assert_allclose(fit.popt[0], [2.0, 1.0, 0.1], rtol=1e-10)


def test_accelerated_fits_do_not_run_off_to_straight_lines(y):
    """From far above, a and c run to opposite infinities and b to 0, where the curve is a straight line."""
    far = [100.0, 0.1, 100.0]
    plain = secant.batched_curve_fit(decay, T, y, far, jac=slopes, geodesic=False)
    fit = secant.batched_curve_fit(decay, T, y, far, jac=slopes)
    assert plain.success.mean() < 0.6
    assert fit.success.all()
    near = secant.batched_curve_fit(decay, T, y, START, jac=slopes)
    np.testing.assert_allclose(fit.popt, near.popt, rtol=1e-7)


# -------------------------------------------------------------------------------------- the pool


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_fits_do_not_depend_on_those_beside_them(y, size):
    whole = secant.batched_curve_fit(decay, T, y, START)
    parts = secant.batched_curve_fit(decay, T, y, START, batch_size=size)
    np.testing.assert_allclose(parts.popt, whole.popt, rtol=1e-8)
    np.testing.assert_array_equal(parts.success, whole.success)


def test_a_fit_that_fails_leaves_the_others_alone(y):
    spoilt = np.concatenate([y[:4], np.full((1, 14), 1e300), y[4:]])
    starts = np.tile(START, (41, 1))
    starts[9] = [1.0, -1e4, 0.0]  # exp overflows
    fit = secant.batched_curve_fit(decay, T, spoilt, starts)
    assert fit.status[9] is Status.NOT_FINITE_START
    np.testing.assert_array_equal(fit.popt[9], starts[9])
    assert np.isinf(fit.pcov[9]).all()
    good = np.delete(np.arange(41), [4, 9])
    alone = secant.batched_curve_fit(decay, T, y, START)
    np.testing.assert_allclose(fit.popt[good], alone.popt[np.delete(np.arange(40), 8)], rtol=1e-8)


def test_evaluations_are_counted_and_none_is_wasted(y):
    calls = {"f": 0, "jac": 0}

    def counted(name, fun):
        def watched(t, *p):
            calls[name] += np.size(p[0])
            return fun(t, *p)

        return watched

    fit = secant.batched_curve_fit(
        counted("f", decay), T, y, START, jac=counted("jac", slopes), batch_size=9
    )
    checked = 9 + 2  # whether f works element by element
    assert calls["f"] == fit.nfev.sum() + checked
    assert calls["jac"] == fit.njev.sum()
    assert (fit.njev == fit.nit + 1).all()
    calls["f"] = 0
    fit = secant.batched_curve_fit(counted("f", decay), T, y, START, batch_size=9)
    assert calls["f"] == fit.nfev.sum() + checked


def test_limits(y):
    fit = secant.batched_curve_fit(decay, T, y, START, max_iter=2)
    assert set(fit.status) == {Status.MAX_ITERATIONS}
    assert (fit.nit == 2).all()
    fit = secant.batched_curve_fit(decay, T, y, START, max_seconds=1e-9)
    assert set(fit.status) == {Status.TIME_LIMIT}
    np.testing.assert_array_equal(fit.popt, np.tile(START, (40, 1)))
    with pytest.raises(ValueError, match="best: none of the fits has converged"):
        _ = fit.best


def test_the_keyboard_ends_it_with_what_is_known(y):
    calls = []

    def interrupted(t, *p):
        calls.append(1)
        if len(calls) == 150:
            raise KeyboardInterrupt
        return decay(t, *p)

    fit = secant.batched_curve_fit(interrupted, T, y, START, batch_size=10)
    assert Status.INTERRUPTED in set(fit.status)
    assert fit.success.any()
    whole = secant.batched_curve_fit(decay, T, y, START)
    np.testing.assert_allclose(fit.popt[fit.success], whole.popt[fit.success], rtol=1e-8)


def test_no_success_where_a_parameter_has_lost_its_influence():
    """All of the exponential is lost far out, and what is left of J has a column of zeros."""
    data = 3.0 * np.exp(-T) + 0.01 * np.cos(7.0 * T)
    fit = secant.batched_curve_fit(
        lambda t, a, b: a * np.exp(-b * t), T[1:], data[1:], [[3.0, 0.9], [1.0, 4000.0]]
    )
    np.testing.assert_array_equal(fit.success, [True, False])
    assert fit.status[1] is Status.SEARCH_FAILED


# ----------------------------------------------------------------------------- libraries and dtypes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch_gets_tensors_and_exact_derivatives(y, dtype):
    torch = pytest.importorskip("torch")
    kind = getattr(torch, dtype)

    def model(t, a, b, c):
        return a * torch.exp(-b * t) + c

    fit = secant.batched_curve_fit(model, T, torch.tensor(y, dtype=kind), START)
    expected = secant.batched_curve_fit(decay, T, y, START, jac=slopes)
    assert {a.dtype for a in (fit.popt, fit.pcov, fit.cost)} == {kind}
    assert bool(fit.success.all())
    tolerance = 1e-7 if dtype == "float64" else 2e-3
    np.testing.assert_allclose(fit.popt.numpy(), expected.popt, rtol=tolerance, atol=tolerance)
    assert bool((fit.nfev < 6 * fit.njev).all())  # no differences
    bounded = secant.batched_curve_fit(
        model, T, torch.tensor(y, dtype=kind), START, bounds=(0.0, 2.0), loss="huber", f_scale=0.1
    )
    assert float(bounded.popt.max()) <= 2.0


def test_models_with_parameters_of_their_own_leave_no_graph(y):
    torch = pytest.importorskip("torch")
    shift = torch.nn.Parameter(torch.tensor(0.1, dtype=torch.float64))

    def model(t, a, b, c):
        return a * torch.exp(-b * t) + c + shift

    data = torch.tensor(y, requires_grad=True)
    fit = secant.batched_curve_fit(model, torch.tensor(T), data, torch.tensor(START).double())
    assert bool(fit.success.all())
    assert not fit.popt.requires_grad
    assert not fit.pcov.requires_grad
    assert shift.grad is None


def test_masked_data_are_missing_ones(y):
    masked = np.ma.masked_array(y, np.arange(14) == np.arange(40)[:, None] % 14)
    fit = secant.batched_curve_fit(decay, T, masked, START, nan_policy="omit")
    expected = secant.curve_fit(decay, np.delete(T, 3), np.delete(y[17], 3), START)
    np.testing.assert_allclose(fit.popt[17], expected.popt, rtol=1e-7)


def test_single_precision_stays(y):
    fit = secant.batched_curve_fit(decay, T, y, np.array(START, np.float32))
    assert {a.dtype for a in (fit.popt, fit.pcov, fit.cost, fit.perr)} == {np.dtype(np.float32)}
    assert fit.success.all()
    whole = secant.batched_curve_fit(decay, T, y, START)
    assert np.abs(fit.popt - whole.popt).max() < 1e-3


# ------------------------------------------------------------------------------------- bad input


def elsewhere(t, a, b, c):
    return np.linspace(0.0, 1.0, np.size(a)) + decay(t, a, b, c)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"f": 3}, "f must be callable"),
        ({"ydata": np.ones((2, 3, 4))}, "ydata must have one dimension, or two"),
        ({"ydata": np.ones((0, 14))}, "ydata must have at least one row"),
        ({"ydata": ["a"] * 14}, "ydata must be an array of real numbers"),
        ({"ydata": np.ones((40, 2))}, "p0 must have 1 to 2 parameters"),
        (
            {"xdata": np.ones((2, 14))},
            "same number of rows, one a data set, got 40 in ydata, 2 in xdata",
        ),
        ({"xdata": T[:9]}, "xdata must have 14 data a set, as ydata has, got 9"),
        ({"xdata": np.where(T > 1, np.nan, T)}, "xdata must be finite"),
        ({"xdata": ()}, "xdata must be an array or a tuple of arrays"),
        ({"p0": []}, "p0 must have 1 to 14 parameters"),
        ({"p0": [1.0, np.inf, 0.0]}, "p0 must be finite"),
        ({"p0": np.ones((3, 3))}, "40 in ydata, 3 in p0"),
        ({"sigma": -1.0}, "sigma must be positive"),
        ({"sigma": np.ones(3)}, "sigma must have 14 data a set"),
        ({"bounds": (2.0, 3.0)}, "p0 must lie within bounds"),
        ({"bounds": (3.0, 2.0)}, "bounds must have lower < upper"),
        ({"jac": "5-point"}, "jac must be callable, '3-point', 'cs' or None"),
        ({"jac": lambda *_: [1.0]}, "jac must return 3 columns"),
        ({"jac": lambda *_: [np.ones(5)] * 3}, "jac must return columns of shape"),
        ({"nan_policy": "skip"}, "nan_policy must be one of"),
        ({"loss": "square"}, "loss must be one of"),
        ({"xtol": -1.0}, "xtol must be"),
        ({"max_iter": -1}, "max_iter must be"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"max_seconds": 0}, "max_seconds must be"),
        ({"f": lambda t, a, b, c: np.ones(5)}, "f must work element by element.*shape"),
        ({"f": lambda *_: None}, "f must return real floating-point numbers, got object"),
        ({"f": lambda t, a, b, c: decay(t, a, b, c) + 0j}, "f must return real floating-point"),
        ({"f": elsewhere}, "f must work element by element.*other values"),
    ],
)
def test_bad_input_gets_one_sentence(y, changes, message):
    given = {"f": decay, "xdata": T, "ydata": y, "p0": START, **changes}
    with pytest.raises(ValueError, match=message):
        secant.batched_curve_fit(**given)


def test_other_libraries_and_dtypes_are_refused(y):
    strict, torch = pytest.importorskip("array_api_strict"), pytest.importorskip("torch")
    with pytest.raises(ValueError, match="must be NumPy arrays or PyTorch tensors"):
        secant.batched_curve_fit(decay, T, strict.asarray(y), START)
    for dtype in (torch.int64, torch.bfloat16):
        with pytest.raises(ValueError, match="must be of dtype float32 or float64, got torch"):
            secant.batched_curve_fit(decay, T, torch.ones(3, 14, dtype=dtype), START)


def test_data_that_are_not_finite_are_refused_with_advice(y):
    holes = y.copy()
    holes[1, 1] = np.nan
    with pytest.raises(ValueError, match=r"ydata must be finite.*nan_policy='omit'"):
        secant.batched_curve_fit(decay, T, holes, START)


def test_an_error_of_the_model_comes_with_advice(y):
    import math

    with pytest.raises(TypeError) as caught:
        secant.batched_curve_fit(lambda t, a, b, c: a * math.exp(-b), T, y, START)
    assert any("element by element" in note for note in caught.value.__notes__)


def test_what_it_looks_like(y):
    fit = secant.batched_curve_fit(decay, T, y, START)
    popt, pcov = fit
    assert popt is fit.popt
    assert pcov is fit.pcov
    assert repr(fit).startswith("BatchedCurveFit of 40 data sets, 3 parameters each: ")
