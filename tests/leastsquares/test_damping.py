"""The ends of Levenberg-Marquardt's path, the gain ratio, the rules for the damping."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import secant
from secant.leastsquares import (
    Geodesic,
    LevenbergMarquardt,
    Marquardt,
    Nielsen,
    TrustRadius,
    Undamped,
)
from secant.leastsquares.damping import Damped, Outcome
from secant.leastsquares.matrix_free import InnerStops, Products
from secant.leastsquares.model import predicted_reduction
from secant.leastsquares.normal import GramBuilder
from secant.leastsquares.qr import TriangularBuilder


def system(seed=0, m=30, n=5):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, n)) @ np.diag(
        10.0 ** rng.uniform(-3, 3, n)
    ), rng.standard_normal(m)


def model_of(kind, J, r):
    if kind == "products":
        return Products(lambda v: J @ v, lambda u: J.T @ u, r, InnerStops(1e-14, 2000))
    builder = {"qr": TriangularBuilder, "cholesky": GramBuilder}[kind](J.shape[1])
    for rows in np.array_split(np.arange(len(r)), 3):
        builder.add(J[rows], r[rows])
    return builder.finish()


@pytest.mark.parametrize("kind", ["qr", "cholesky", "products"])
def test_the_path_ends_at_gauss_newton_and_at_the_scaled_gradient(kind):
    J, r = system()
    model, D = model_of(kind, J, r), np.linalg.norm(J, axis=0)
    gauss_newton = -np.linalg.lstsq(J, r, rcond=None)[0]
    np.testing.assert_allclose(model.factor(1e-15, D).solve(), gauss_newton, rtol=1e-6)
    large = 1e12
    np.testing.assert_allclose(large * model.factor(large, D).solve(), -(J.T @ r) / D**2, rtol=1e-6)


@pytest.mark.parametrize("kind", ["qr", "cholesky", "products"])
def test_damped_steps_solve_the_damped_equations(kind):
    J, r = system(1)
    model, D = model_of(kind, J, r), np.linalg.norm(J, axis=0)
    for damping in (1e-8, 1e-3, 1.0):
        p = model.factor(damping, D).solve()
        stacked = np.vstack([J, math.sqrt(damping) * np.diag(D)])
        expected = np.linalg.lstsq(stacked, -np.concatenate([r, np.zeros(len(D))]), rcond=None)[0]
        np.testing.assert_allclose(p, expected, rtol=1e-6)
        gain = 0.5 * (r @ r - np.sum((r + J @ p) ** 2))
        assert predicted_reduction(model, p) == pytest.approx(gain, rel=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(1e-6, 1e3))
def test_the_step_shortens_as_the_damping_grows(seed, damping):
    J, r = system(seed, 12, 4)
    model, D = model_of("qr", J, r), np.linalg.norm(J, axis=0)
    short, long = (np.linalg.norm(D * model.factor(k * damping, D).solve()) for k in (2.0, 1.0))
    assert short < long
    assert predicted_reduction(model, model.factor(damping, D).solve()) > 0.0


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(1e-3, 0.9))
def test_the_radius_is_met_to_a_tenth(seed, part):
    J, r = system(seed, 12, 4)
    for kind in ("qr", "cholesky"):
        model, D = model_of(kind, J, r), np.linalg.norm(J, axis=0)
        radius = part * np.linalg.norm(D * model.factor(0.0, D).solve())
        p, damped = TrustRadius().propose(model, D, Damped(0.0, 1.0, radius))
        assert abs(np.linalg.norm(D * p) - radius) <= 0.11 * radius
        assert damped.value > 0.0


class Counted:
    """A model that counts its factorisations."""

    def __init__(self, model):
        self.model = model
        self.factored = []

    def __getattr__(self, name):
        return getattr(self.model, name)

    def factor(self, damping, scale):
        self.factored.append(damping)
        return self.model.factor(damping, scale)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(1e-3, 0.85), st.floats(-6.0, 6.0))
def test_the_radius_is_met_from_any_remembered_damping(seed, part, exponent):
    J, r = system(seed, 12, 4)
    for kind in ("qr", "cholesky"):
        model, D = Counted(model_of(kind, J, r)), np.linalg.norm(J, axis=0)
        radius = part * np.linalg.norm(D * model.factor(0.0, D).solve())
        p, damped = TrustRadius().propose(model, D, Damped(10.0**exponent, 1.0, radius))
        assert abs(np.linalg.norm(D * p) - radius) <= 0.11 * radius
        model.factored.clear()
        again, _ = TrustRadius().propose(model, D, damped)
        assert model.factored == [damped.value]  # one factorisation where lambda is right already
        np.testing.assert_array_equal(again, p)


@pytest.mark.parametrize("kind", ["qr", "cholesky"])
def test_a_remembered_damping_is_dropped_where_the_whole_step_fits(kind):
    J, r = system(3, 12, 4)
    model, D = model_of(kind, J, r), np.linalg.norm(J, axis=0)
    whole = model.factor(0.0, D).solve()
    for value in (1e-8, 1e-2, 1e3):
        damped = Damped(value, 1.0, 3.0 * np.linalg.norm(D * whole))
        p, after = TrustRadius().propose(model, D, damped)
        assert after.value == 0.0
        np.testing.assert_array_equal(p, whole)


def test_rank_deficient_models_have_no_undamped_factor():
    J, r = system()
    J[:, 1] = 2.0 * J[:, 0]
    D = np.linalg.norm(J, axis=0)
    for kind in ("qr", "cholesky"):
        model = model_of(kind, J, r)
        assert model.factor(0.0, D) is None
        p, damped = TrustRadius().propose(model, D, Damped(0.0, 1.0, 1e9))
        assert damped.value > 0.0
        assert np.sum((r + J @ p) ** 2) <= 1.0001 * np.sum(
            (r - J @ np.linalg.lstsq(J, r, rcond=None)[0]) ** 2
        )


def test_qr_is_right_where_the_normal_equations_are_not():
    """A Lauchli matrix: its Gram matrix is singular in float64."""
    e = 1e-9
    J = np.vstack([np.ones(3), e * np.eye(3)])
    r = -(J @ np.array([1.0, 2.0, 3.0]))
    p = model_of("qr", J, r).factor(0.0, np.ones(3)).solve()
    np.testing.assert_allclose(p, [1.0, 2.0, 3.0], rtol=1e-5)
    assert model_of("cholesky", J, r).factor(0.0, np.ones(3)) is None


def test_the_gain_ratio_tends_to_one():
    """On a linear fit it is one; on a smooth one it tends to one quadratically in the step."""
    J, r = system()
    run = secant.start_least_squares(lambda x: J @ x + r, np.ones(5), lambda x: J)
    assert run.step().k == 1
    assert run.finish().nit <= 2
    rule = Nielsen()
    assert rule.learn(Damped(1.0), Outcome(1.0, 1.0, -1.0, 1.0, True)).value == pytest.approx(1 / 3)
    assert rule.learn(Damped(1.0), Outcome(0.5, 1.0, -1.0, 1.0, True)).value == pytest.approx(1.0)
    twice = rule.learn(
        rule.learn(Damped(1.0), Outcome(-1, 1, -1, -1, False)), Outcome(-1, 1, -1, -1, False)
    )
    assert (twice.value, twice.growth) == (8.0, 8.0)


@pytest.mark.parametrize("damping", [Nielsen(), Marquardt(), TrustRadius(), Undamped()])
def test_every_rule_solves_rosenbrock(damping):
    def residuals(x):
        return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])

    fit = secant.least_squares(residuals, [-1.2, 1.0], damping=damping)
    assert fit.success
    np.testing.assert_allclose(fit.x, 1.0, rtol=1e-8)


def test_gauss_newton_needs_one_step_for_a_linear_fit():
    J, r = system()
    fit = secant.least_squares(lambda x: J @ x + r, np.zeros(5), lambda x: J, method="gn")
    assert fit.success
    assert fit.nit <= 2
    np.testing.assert_allclose(fit.x, -np.linalg.lstsq(J, r, rcond=None)[0], rtol=1e-9)


def test_geodesic_acceleration_saves_iterations():
    """A curved valley, where the straight step is short."""
    t = np.linspace(0.0, 5.0, 30)
    y = np.exp(-0.7 * t) + np.exp(-1.3 * t)

    def residuals(b):
        return np.exp(-np.exp(b[0]) * t) + np.exp(-np.exp(b[1]) * t) - y

    plain, bent = (
        secant.least_squares(residuals, [-3.0, 4.0], "cs", geodesic=g, damping=Nielsen())
        for g in (False, Geodesic())
    )
    assert plain.success
    assert bent.success
    assert bent.nit <= plain.nit
    np.testing.assert_allclose(np.sort(np.exp(bent.x)), [0.7, 1.3], rtol=1e-7)


def test_configuration_is_checked():
    for bad in (
        lambda: Nielsen(0.0),
        lambda: Marquardt(increase=1.0),
        lambda: TrustRadius(-1.0),
        lambda: LevenbergMarquardt(least_gain=2.0),
        lambda: InnerStops(rtol=0.0),
    ):
        with pytest.raises(ValueError, match="must be"):
            bad()
