"""Many fits under bad conditions: odd units, far starts, models that write to their arguments, interrupts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

import secant
from secant import Status

T = np.linspace(0.0, 4.0, 14)
START = [1.0, 0.5, 0.0]


def decay(t, a, b, c):
    return a * np.exp(-b * t) + c


def slopes(t, a, b, c):
    e = np.exp(-b * t)
    return e, -a * t * e, np.ones((1, 1))


def decays(count, seed=0):
    """Noisy decays."""
    rng = np.random.default_rng(seed)
    ends = ((1.0, 4.0), (0.5, 2.0), (0.0, 1.0))
    p = [rng.uniform(low, high, count) for low, high in ends]
    return decay(T[:, None], *p).T + 0.02 * rng.standard_normal((count, 14))


# ----------------------------------------------------------------------------------- units and zeros


def test_units_of_the_data_do_not_matter():
    """Each set has its own, and starts where all columns of J but one are zero."""
    y = decays(40)
    units = 10.0 ** np.linspace(-100.0, 100.0, 40)
    starts = np.tile([0.0, 0.5, 0.0], (40, 1))
    alike = secant.batched_curve_fit(decay, T, y, starts, jac=slopes)
    fit = secant.batched_curve_fit(decay, T, units[:, None] * y, starts, jac=slopes)
    assert fit.success.all()
    whole = np.stack([units, np.ones(40), units], axis=1)
    np.testing.assert_allclose(fit.popt / whole, alike.popt, rtol=1e-6)
    np.testing.assert_allclose(fit.perr / whole, alike.perr, rtol=1e-4)


@pytest.mark.parametrize("unit", [1e-10, 1e10])
def test_single_precision_has_squares_of_squares_in_range(unit):
    y = decays(20)
    start = np.array([unit, 0.5, 0.0], np.float32)
    fit = secant.batched_curve_fit(decay, T, unit * y, start, jac=slopes)
    expected = secant.batched_curve_fit(decay, T, y, START, jac=slopes)
    assert fit.popt.dtype == np.float32
    assert fit.success.all()
    scaled = fit.popt / np.array([unit, 1.0, unit])
    np.testing.assert_allclose(scaled, expected.popt, rtol=2e-3, atol=2e-3)


def test_columns_of_many_data_in_single_precision_are_not_taken_for_dependent():
    x = np.linspace(0.0, 4.0, 50_000)
    rng = np.random.default_rng(3)
    y = decay(x, 2.0, 0.6, 0.3) + 0.02 * rng.standard_normal((2, 50_000))
    single = secant.batched_curve_fit(decay, x, y, np.array(START, np.float32), jac=slopes)
    fit = secant.batched_curve_fit(decay, x, y, START, jac=slopes)
    assert single.success.all()
    assert (np.abs(single.popt - fit.popt) < 0.2 * fit.perr).all()
    np.testing.assert_allclose(single.perr, fit.perr, rtol=1e-2)


def test_squares_that_underflow_are_no_perfect_fit():
    start = np.array([1e-25, 0.5, 0.0], np.float32)
    fit = secant.batched_curve_fit(decay, T, 1e-25 * decays(3), start, jac=slopes)
    assert not fit.success.any()


@pytest.mark.parametrize("level", [0.0, 2.5])
def test_constant_data(level):
    """What is exactly zero and what nothing depends on does no harm."""
    y = np.full((2, 14), level)
    starts = [[1.0, 1.0], [level, 0.0]]
    fit = secant.batched_curve_fit(
        lambda t, a, b: a + b * t, T, y, starts, jac=lambda t, a, b: (np.ones((1, 1)), t)
    )
    assert fit.success.all()
    np.testing.assert_allclose(fit.popt, [[level, 0.0]] * 2, atol=1e-14)


def test_deviations_over_twelve_decades():
    rng = np.random.default_rng(4)
    y, sigma = decays(30), 10.0 ** rng.uniform(-6.0, 6.0, (30, 14))
    fit = secant.batched_curve_fit(decay, T, y, START, sigma, True, jac=slopes)
    solved = 0
    for i in np.flatnonzero(fit.success):
        alone = secant.curve_fit(decay, T, y[i], START, sigma[i], True)
        if abs(2.0 * fit.cost[i] / alone.fit.cost - 2.0) > 1e-6:
            continue  # another minimum
        solved += 1
        np.testing.assert_allclose(fit.popt[i], alone.popt, rtol=1e-5)
        np.testing.assert_allclose(fit.pcov[i], alone.pcov, rtol=1e-4)
    assert solved >= 20


def test_a_derivative_that_is_not_finite_at_a_missing_datum_does_no_harm():
    """``x^b`` has no derivative at 0."""
    x = np.linspace(0.0, 2.0, 9)
    y = np.tile(3.0 * x**1.5, (2, 1))
    y[:, 0] = np.nan

    def power_slopes(x, a, b):
        return x**b, a * x**b * np.log(x)

    fit = secant.batched_curve_fit(
        lambda x, a, b: a * x**b, x, y, [1.0, 1.0], jac=power_slopes, nan_policy="omit"
    )
    assert fit.success.all()
    np.testing.assert_allclose(fit.popt, [[3.0, 1.5]] * 2, rtol=1e-9)


# ---------------------------------------------------------------------------------------- far starts


def test_damping_in_the_units_of_a_far_start_does_not_end_a_fit():
    """There the columns of J are 10^13 times as long as at the solution."""
    x = np.linspace(0.2, 5.0, 12)

    def power(x, a, b, c):
        return a * x**b + c

    y = power(x, 2.0, 1.7, 0.5) + 0.01 * np.cos(9.0 * x)
    starts = [[2.6, 19.4, -0.05], [1.0, 1.0, 0.0]]
    fit = secant.batched_curve_fit(power, x, y, starts)
    assert fit.success.all()
    np.testing.assert_allclose(fit.popt[0], fit.popt[1], rtol=1e-6)


def two_decays(x, a, b, c, d):
    return a * np.exp(-b * x) + c * np.exp(-d * x)


def test_steps_are_short_in_present_units_or_not_at_all():
    """From where the model is 10^70 the first steps are short beside what x was, not what it is."""
    x = np.linspace(0.0, 6.0, 25)
    y = two_decays(x, 2.0, 2.5, 1.2, 0.3) + 0.02 * np.cos(9.0 * x)
    starts = [[21.8, -28.5, 0.0, 0.63], [19.5, -19.2, 2.3, 0.05], [2.0, -17.0, -1.0, 0.4]]
    fit = secant.batched_curve_fit(two_decays, x, y, starts)
    good = secant.curve_fit(two_decays, x, y, [1.5, 2.0, 1.0, 0.5]).fit.cost
    assert (fit.cost[fit.success] < (1.0 + 1e-6) * good).all()


FAMILIES = {
    "decay": (T, decay, ((1.0, 4.0), (0.5, 2.0), (0.0, 1.0))),
    "two decays": (
        np.linspace(0.0, 6.0, 25),
        two_decays,
        ((1.0, 4.0), (1.5, 4.0), (0.5, 2.0), (0.1, 0.6)),
    ),
    "peak": (
        np.linspace(0.0, 5.0, 30),
        lambda x, h, c, w, level: h * np.exp(-(((x - c) / w) ** 2)) + level,
        ((1.0, 4.0), (2.0, 3.0), (0.3, 0.8), (0.0, 1.0)),
    ),
    "pole": (
        np.linspace(0.0, 3.0, 20),
        lambda x, a, b, c: a / (x - b) + c,
        ((1.0, 3.0), (-2.0, -0.2), (-1.0, 1.0)),
    ),
    "wave": (
        np.linspace(0.0, 3.0, 20),
        lambda x, a, w, p: a * np.sin(w * x + p),
        ((1.0, 3.0), (2.0, 5.0), (-1.0, 1.0)),
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_where_a_fit_has_converged_scipy_finds_nothing_lower(family):
    """From starts up to ten times off, with wrong signs and zeros."""
    x, model, ends = FAMILIES[family]
    rng = np.random.default_rng(8)
    p = np.stack([rng.uniform(low, high, 80) for low, high in ends], axis=1)
    y = model(x[:, None], *p.T).T
    y += 10.0 ** rng.uniform(-6.0, -0.5, (80, 1)) * rng.standard_normal(y.shape)
    starts = p * 10.0 ** rng.uniform(-1.0, 1.0, p.shape)
    starts *= rng.choice([-1.0, 0.0, 1.0], p.shape, p=[0.15, 0.05, 0.8])
    fit = secant.batched_curve_fit(model, x, y, starts)
    assert fit.success.mean() > 0.6
    for i in np.flatnonzero(fit.success):
        further = optimize.least_squares(
            lambda q, i=i: model(x, *q) - y[i],
            fit.popt[i],
            jac="3-point",
            method="lm",
            x_scale="jac",
            xtol=1e-15,
            ftol=1e-15,
            gtol=1e-15,
        )
        assert fit.cost[i] - further.cost <= 1e-8 * fit.cost[i]


# -------------------------------------------------------------------------------- models with habits


def test_models_may_write_to_their_arguments_and_reuse_their_memory():
    y = decays(12)
    own = np.tile(T, (12, 1))
    memory = {}

    def rough(t, a, b, c):
        a += 1.0
        t *= -b
        if np.shape(t) not in memory:
            memory[np.shape(t)] = np.empty(np.shape(t))
        out = np.exp(t, out=memory[np.shape(t)])
        out *= a - 1.0
        out += c
        return out

    expected = secant.batched_curve_fit(decay, T, y, START)
    starts = np.tile(START, (12, 1))
    fit = secant.batched_curve_fit(rough, own, y, starts, batch_size=5)
    np.testing.assert_allclose(fit.popt, expected.popt, rtol=1e-7)
    assert (own == T).all()
    assert (starts == START).all()


def test_tensors_may_be_written_to_as_well():
    torch = pytest.importorskip("torch")
    y = decays(6)
    x = torch.tensor(T)

    def rough(t, a, b, c):
        t.sub_(1.0)
        a.mul_(torch.exp(-b))
        return a * torch.exp(-b * t) + c

    fit = secant.batched_curve_fit(rough, x, torch.tensor(y), START)
    expected = secant.batched_curve_fit(decay, T, y, START)
    assert bool((x == torch.tensor(T)).all())
    np.testing.assert_allclose(fit.popt.numpy(), expected.popt, rtol=1e-7)


def test_the_model_is_never_asked_for_nothing_nor_for_more_than_a_batch():
    widths = set()

    def watched(t, a, b, c):
        widths.add(np.size(a))
        return decay(t, a, b, c)

    secant.batched_curve_fit(watched, T, decays(33), [5.0, -2.0, 1.0], batch_size=10)
    assert min(widths) >= 1
    assert max(widths) == 10


def interrupted_at(call, fun):
    """``fun`` until the keyboard interrupts it."""
    calls = iter(range(1, call))

    def watched(t, *p):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return fun(t, *p)

    return watched


def test_an_interrupt_at_any_call_leaves_only_what_is_right():
    y = decays(9)
    expected = secant.batched_curve_fit(decay, T, y, START, batch_size=3)
    seen = set()
    for call in range(11, 10_000, 3):  # from the first step on: before, nothing is known
        model = interrupted_at(call, decay)
        fit = secant.batched_curve_fit(model, T, y, START, batch_size=3)
        done = fit.success
        np.testing.assert_array_equal(fit.popt[done], expected.popt[done])
        np.testing.assert_array_equal(fit.pcov[done], expected.pcov[done])
        assert all(status is Status.INTERRUPTED for status in fit.status[~done])
        seen.add(int(done.sum()))
        if done.all():
            break
    assert {0, 9} < seen


def test_an_interrupt_while_others_begin_keeps_those_that_have_ended():
    """The second batch is interrupted at its start: the first has ended, and is not lost."""
    y = np.tile(decays(1), (4, 1))
    calls = []

    def counted(t, *p):
        calls.append(1)
        return decay(t, *p)

    secant.batched_curve_fit(counted, T, y[:2], START, jac=slopes, batch_size=2)
    model = interrupted_at(len(calls) + 1, decay)  # the first call for the other two
    fit = secant.batched_curve_fit(model, T, y, START, jac=slopes, batch_size=2)
    np.testing.assert_array_equal(fit.success, [True, True, False, False])
    np.testing.assert_array_equal(fit.nfev[2:], 0)
