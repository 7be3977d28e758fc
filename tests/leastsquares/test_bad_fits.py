"""What must not end as a success, and what is refused in one sentence."""

import numpy as np
import pytest
from nist import REGRESSIONS

import secant

T = np.linspace(0.0, 4.0, 14)
Y = 2.5 * np.exp(-1.3 * T) + 0.5


def residuals(b):
    return b[0] * np.exp(-b[1] * T) + b[2] - Y


def test_a_jacobian_without_a_column_is_no_success():
    def jac(b):
        e = np.exp(-b[1] * T)
        return np.stack([e, 0.0 * T, np.ones_like(T)], 1)

    assert not secant.least_squares(residuals, [1.0, 1.0, 1.0], jac).success


def test_a_variable_that_starts_without_influence_is_no_success():
    assert not secant.least_squares(residuals, [1.0, 1000.0, 1.0]).success


def test_a_variable_without_any_influence_is_allowed():
    fit = secant.least_squares(lambda b: residuals([b[0], b[1], b[2]]), np.ones(4))
    assert fit.success
    np.testing.assert_allclose(fit.x[:3], [2.5, 1.3, 0.5], rtol=1e-8)


@pytest.mark.parametrize("size", [1e-200, 1e-160])
def test_squares_that_underflow_are_no_perfect_fit(size):
    fit = secant.least_squares(lambda b: size * residuals(b), [1.0, 1.0, 1.0])
    assert not fit.success


@pytest.mark.parametrize(
    "bad",
    [
        {"weights": np.zeros(14)},
        {"weights": np.ones(3)},
        {"geodesic": "yes"},
        {"callback": 3},
        {"kwargs": 3},
        {"stop": 3},
        {"inner": 3},
        {"target": "a"},
    ],
    ids=str,
)
def test_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        secant.least_squares(residuals, [1.0, 1.0, 1.0], **bad)


@pytest.mark.parametrize("sigma", [np.full(14, np.inf), np.triu(np.ones((14, 14))) + np.eye(14)])
def test_refused_sigma(sigma):
    with pytest.raises(ValueError, match="sigma"):
        secant.curve_fit(lambda t, a: a * t, T, Y, [1.0], sigma=sigma)


def test_a_function_that_is_not_finite_has_no_right_gradient():
    with pytest.raises(ValueError, match="fun must be finite at x, got nan"):
        secant.check_gradient(lambda x: np.nan, np.ones(3), lambda x: x)


def test_remembered_configurations_are_checked_as_new_ones_are():
    """True equals 1 and False 0, but neither is a tolerance or a number of bytes."""
    assert secant.least_squares(residuals, [1.0, 1.0, 1.0], ftol=0.0, memory=2**20).success
    for bad in ({"ftol": False}, {"gtol": "small"}, {"memory": True}, {"solver": ["qr"]}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            secant.least_squares(residuals, [1.0, 1.0, 1.0], **bad)


@pytest.mark.parametrize("options", [{"method": "gn"}, {}, {"damping": "momentum"}], ids=str)
def test_a_step_cut_short_by_the_edge_of_the_domain_is_no_convergence(options):
    """All that is accepted is 1e-11 of x, which tells nothing of the step that was wanted."""

    def residuals(x):
        return np.array([x[0] - 5.0 if x[0] < 1.0 + 1e-11 else np.nan])

    fit = secant.least_squares(residuals, [1.0], lambda x: np.eye(1), **options)
    assert not fit.success
    assert fit.x[0] == pytest.approx(1.0)


RULES = [{"damping": rule} for rule in ("nielsen", "marquardt", "momentum", "trust-radius")]


@pytest.mark.parametrize("rule", [*RULES, {"method": "gn"}], ids=str)
@pytest.mark.parametrize("solver", ["auto", "qr", "cholesky", "matrix-free"])
@pytest.mark.parametrize("steep", [1e6, 1e8, 1e9, 1e10, 1e11, 1e12])
def test_creeping_along_a_steep_valley_is_no_convergence(rule, solver, steep):
    """On its floor r is at right angles with each column, and damped steps are too short to be seen."""
    fit = secant.least_squares(
        lambda x: np.array([steep * (x[1] - x[0] ** 2), 1.0 - x[0]]),
        [-1.2, 1.44],
        lambda x: np.array([[-2.0 * steep * x[0], steep], [-1.0, 0.0]]),
        solver=solver,
        max_iter=60,
        **rule,
    )
    assert not fit.success
    assert steep > 1e9 or rule.get("method") == "gn" or fit.cost < 2.42


def test_a_failure_far_from_a_fit_is_not_called_round_off():
    """In units so different that the gradient's line promises nothing: SciPy goes on to f = 34.9."""
    (given,) = (r for r in REGRESSIONS if r.name == "MGH10")
    scale = float(np.sqrt(given.squares / len(given.y)))
    fit = secant.least_squares(given.residuals, given.near, "cs", loss="huber", f_scale=scale)
    assert fit.cost < 35.0 or not fit.success
