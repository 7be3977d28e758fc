"""Damped steps with momentum: the formula, where it is left out, and what must not suffer from it."""

import numpy as np
import pytest

import secant
from secant.leastsquares.damping import Damped, Nielsen, Outcome, Undamped, WithMomentum
from secant.leastsquares.normal import GramBuilder

START = [-1.2, 1.0]


def valley(x):
    return np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])


def model():
    builder = GramBuilder(3)
    rng = np.random.default_rng(0)
    builder.add(rng.normal(size=(8, 3)), rng.normal(size=8))
    return builder.finish()


def outcome(ratio, accepted=True):
    return Outcome(ratio, 1.0, -1.0, 1.0 if accepted else -1.0, accepted)


def test_a_step_is_a_part_of_the_rules_and_a_part_of_the_last():
    given, scale, rule = model(), np.ones(3), Nielsen()
    ball = WithMomentum(rule, part=0.7, momentum=0.2)
    first, damped = ball.propose(given, scale, ball.begin(given, np.zeros(3), scale))
    expected, _ = rule.propose(given, scale, Damped(rule.tau))
    np.testing.assert_array_equal(first, expected)
    damped = ball.learn(damped, outcome(0.5))
    assert damped.value == rule.learn(Damped(rule.tau), outcome(0.5)).value
    second, _ = ball.propose(given, scale, damped)
    own, _ = rule.propose(given, scale, Damped(damped.value))
    np.testing.assert_allclose(second, 0.7 * own + 0.2 * first, rtol=1e-14)


@pytest.mark.parametrize("told", [outcome(0.999), outcome(0.0, accepted=False)])
def test_the_rules_own_step_follows_a_perfect_gain_and_its_own_rejection(told):
    given, scale, ball = model(), np.ones(3), WithMomentum()
    damped = ball.begin(given, np.zeros(3), scale)
    _, damped = ball.propose(given, scale, damped)
    damped = ball.learn(damped, told)
    assert damped.last is None
    assert damped.value == Nielsen().learn(Damped(Nielsen().tau), told).value


def test_a_rejected_step_is_tried_without_momentum_then_at_half_its_length():
    """Before a matrix with more damping is factorised."""
    given, scale, rule = model(), np.ones(3), Nielsen()
    ball, no = WithMomentum(rule), outcome(-0.5, accepted=False)
    _, damped = ball.propose(given, scale, ball.begin(given, np.zeros(3), scale))
    kicked, damped = ball.propose(given, scale, ball.learn(damped, outcome(0.5)))
    value = damped.value
    plain, damped = ball.propose(given, scale, ball.learn(damped, no))
    assert damped.value == value
    expected, _ = rule.propose(given, scale, Damped(value))
    np.testing.assert_array_equal(plain, expected)
    assert np.abs(kicked - plain).max() > 0.0
    assert damped.is_whole
    half, damped = ball.propose(given, scale, ball.learn(damped, no))
    grown = rule.learn(Damped(value), no)
    assert damped.value == grown.value
    np.testing.assert_array_equal(half, 0.5 * plain)
    assert not damped.is_whole
    damped = ball.learn(damped, no)
    assert damped.value == rule.learn(grown, no).value
    expected, _ = rule.propose(given, scale, Damped(damped.value))
    np.testing.assert_array_equal(ball.propose(given, scale, damped)[0], expected)


@pytest.mark.parametrize("start", [START, [3.0, -2.0], [-4.0, -4.0]])
def test_near_a_solution_momentum_does_not_delay(start):
    own, ball, always = (
        secant.least_squares(valley, start, damping=rule)
        for rule in (Nielsen(), WithMomentum(), WithMomentum(trusted=9.0))
    )
    np.testing.assert_allclose(ball.x, 1.0, rtol=1e-10)
    assert ball.nit <= own.nit + 5
    assert ball.nit < always.nit


def test_a_resumed_fit_has_the_last_step(tmp_path):
    whole = secant.least_squares(valley, START, damping=WithMomentum())
    run = secant.start_least_squares(valley, START, damping=WithMomentum())
    for _ in range(5):
        run.step()
    assert run.state.memory.damped.last is not None
    run.save(tmp_path / "fit.npz")
    again = secant.start_least_squares(
        valley, START, damping=WithMomentum(), resume=tmp_path / "fit.npz"
    ).finish()
    np.testing.assert_array_equal(again.x, whole.x)
    assert again.trace.f.tolist() == whole.trace.f.tolist()


def test_within_bounds_steps_are_the_rules():
    bounds = ([-2.0, -2.0], [0.5, 2.0])
    fit, own = (
        secant.least_squares(valley, START, damping=rule, bounds=bounds)
        for rule in (WithMomentum(), Nielsen())
    )
    np.testing.assert_allclose(fit.x, [0.5, 0.25], rtol=1e-8)
    assert fit.trace.f.tolist() == own.trace.f.tolist()


def test_a_step_with_momentum_proves_no_convergence():
    given, scale, ball = model(), np.ones(3), WithMomentum(Undamped())
    own, damped = ball.propose(given, scale, ball.begin(given, np.zeros(3), scale))
    assert damped.is_bare
    damped = ball.learn(damped, outcome(0.5))
    kicked, damped = ball.propose(given, scale, damped)
    assert np.abs(kicked - own).max() > 0.0
    assert not damped.is_bare


TIMES = np.linspace(0.0, 4.0, 60)
SUMS = 3.0 * np.exp(-(((TIMES - 1.0) / 0.3) ** 2)) + np.exp(-(((TIMES - 2.5) / 0.5) ** 2))


def two_peaks(b, *rows):
    t, y = rows or (TIMES, SUMS + 0.05 * np.sin(40.0 * TIMES))
    return (
        b[0] * np.exp(-(((t - b[1]) / b[2]) ** 2)) + b[3] * np.exp(-(((t - b[4]) / 0.5) ** 2)) - y
    )


@pytest.mark.parametrize(
    "options",
    [
        {"geodesic": True},
        {"solver": "matrix-free"},
        {"loss": "cauchy", "f_scale": 0.1},
        {"samples": (TIMES, SUMS), "memory": 2000},
        {"weights": np.where(TIMES < 2.0, 1.0, 0.1)},
    ],
    ids=lambda options: next(iter(options)),
)
def test_momentum_goes_with_every_other_option(options, tmp_path):
    start = [1.0, 0.7, 0.6, 0.5, 2.8]
    run = secant.start_least_squares(two_peaks, start, "cs", damping="momentum", **options)
    for _ in range(3):
        run.step()
    run.save(tmp_path / "fit.npz")
    fit = run.finish()
    own = secant.least_squares(two_peaks, start, "cs", damping="nielsen", **options)
    assert fit.success
    np.testing.assert_allclose(fit.x, own.x, rtol=1e-8)
    again = secant.start_least_squares(
        two_peaks, start, "cs", damping="momentum", resume=tmp_path / "fit.npz", **options
    ).finish()
    np.testing.assert_array_equal(again.x, fit.x)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"part": 0.0}, "part must be above 0 and at most 1, got 0.0"),
        ({"momentum": 1.0}, "momentum must be 0 or more, below 1, got 1.0"),
        ({"trusted": -1.0}, "trusted must be"),
    ],
)
def test_factors_that_make_no_sense_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        WithMomentum(**options)
