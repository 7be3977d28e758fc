"""Scaled conjugate gradients, Rprop, the adaptive rate and orthant-wise L-BFGS, by what they promise."""

import numpy as np
import pytest
import torch

import secant
from secant import Status
from secant.linesearch.orthant_wise import OrthantWise

RANDOM = np.random.default_rng(0)


def quadratic(n, seed=0):
    random = np.random.default_rng(seed)
    Q = np.linalg.qr(random.normal(size=(n, n)))[0]
    B = Q @ np.diag(np.geomspace(1.0, 50.0, n)) @ Q.T
    b = random.normal(size=n)
    return B, b, (lambda x: (0.5 * x @ B @ x - b @ x, B @ x - b))


# ------------------------------------------------------------------------ scaled conjugate gradients


def test_scg_ends_on_a_quadratic_in_n_steps():
    """Without damping to speak of it is conjugate gradients with exact steps."""
    B, b, fun = quadratic(8)
    method = secant.SCG(damping=1e-14)
    result = secant.minimize(fun, np.zeros(8), jac=True, method=method, gtol=1e-6)
    assert result.nit <= 8
    np.testing.assert_allclose(result.x, np.linalg.solve(B, b), atol=1e-6)


def test_scg_steps_are_those_of_linear_cg():
    _, _, fun = quadratic(8)
    options = {"jac": True, "max_iter": 5, "gtol": 0.0}
    scaled = secant.minimize(fun, np.zeros(8), method=secant.SCG(damping=1e-14), **options)
    linear = secant.minimize(fun, np.zeros(8), method="linear-cg", **options)
    np.testing.assert_allclose(scaled.trace.f, linear.trace.f, rtol=1e-6)


def test_scg_is_mollers_algorithm():
    """The printed algorithm, in the first steps on Rosenbrock's function."""
    sigma0, lam = 5e-5, 5e-7

    def fun(x):
        f = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
        g = [-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)]
        return f, np.array(g)

    x = np.array([-1.2, 1.0])
    f, g = fun(x)
    p, r, k, values, success, lam_bar = -g, -g, 1, [f], True, 0.0
    while len(values) < 12:
        pp = p @ p
        if success:  # 2
            sigma = sigma0 * max(1.0, np.linalg.norm(x)) / np.sqrt(pp)
            delta = p @ (fun(x + sigma * p)[1] - fun(x)[1]) / sigma
        delta += (lam - lam_bar) * pp  # 3
        if delta <= 0:  # 4
            lam_bar = 2 * (lam - delta / pp)
            delta = -delta + lam * pp
            lam = lam_bar
        mu = p @ r  # 5
        alpha = mu / delta
        trial = fun(x + alpha * p)[0]
        comparison = 2 * delta * (values[-1] - trial) / mu**2  # 6
        success = comparison >= 0
        if success:  # 7
            x = x + alpha * p
            values.append(trial)
            new, lam_bar = -fun(x)[1], 0.0
            p = new if k % 2 == 0 else new + (new @ new - new @ r) / mu * p
            r, k = new, k + 1
            if comparison >= 0.75:
                lam /= 4
        else:
            lam_bar = lam
        if comparison < 0.25:  # 8
            lam += delta * (1 - comparison) / pp
    options = {"jac": True, "method": "scg", "max_iter": 11, "gtol": 0.0}
    result = secant.minimize(fun, [-1.2, 1.0], **options)
    np.testing.assert_allclose(result.trace.f, values, rtol=1e-9)


def test_scg_meets_negative_curvature():
    result = secant.minimize(
        lambda x: (np.cos(x).sum(), -np.sin(x)), [0.1, 0.2], jac=True, method="scg"
    )
    assert result.success
    assert result.fun == pytest.approx(-2.0)


# -------------------------------------------------------------------------------------------- Rprop


def test_rprop_is_pytorchs():
    """The iterates of torch.optim.Rprop, until a step at which every variable rests."""

    def fun(x):
        return (x[0] - 1.0) ** 2 + 10.0 * (x[1] + 0.5) ** 2 + (x[2] * x[0]) ** 2

    def jac(x):
        both = 2.0 * x[2] * x[0]
        return np.array([2.0 * (x[0] - 1.0) + both * x[2], 20.0 * (x[1] + 0.5), both * x[0]])

    x = torch.tensor([3.0, 2.0, -1.0], dtype=torch.float64, requires_grad=True)
    peer = torch.optim.Rprop([x], lr=0.1, etas=(0.5, 1.2), step_sizes=(1e-12, 50.0))
    theirs = []
    for _ in range(25):
        peer.zero_grad()
        value = fun(x)
        theirs.append(value.item())
        value.backward()
        peer.step()
    options = {"jac": jac, "method": "rprop", "max_iter": 24, "gtol": 0.0}
    ours = secant.minimize(lambda x: float(fun(x)), [3.0, 2.0, -1.0], **options).trace.f
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_rprop_does_not_depend_on_the_size_of_the_gradient():
    _, _, fun = quadratic(4)
    runs = [
        secant.minimize(
            lambda x, c=c: tuple(c * part for part in fun(x)),
            np.ones(4),
            jac=True,
            method="rprop",
            max_iter=30,
            gtol=0.0,
        )
        for c in (1.0, 1e-8)
    ]
    np.testing.assert_allclose(runs[0].x, runs[1].x, rtol=1e-12)


# -------------------------------------------------------------------------------- the adaptive rate


def test_the_rate_grows_and_shrinks():
    """Momentum and rate by the printed rules, on a quadratic whose first rate is too large."""
    _, _, fun = quadratic(3)
    x, rate, beta = np.ones(3), 0.03, 0.9
    f, g = fun(x)
    m, values = -g, [f]
    for _ in range(40):
        if fun(x + rate * m)[0] > f:
            m = -g
            rate *= 0.7
            while fun(x + rate * m)[0] > f:
                rate *= 0.7
        x = x + rate * m
        before, (f, g) = f, fun(x)
        values.append(f)
        rate *= 1.05 if f < before else 1.0
        m = beta * m - g
    method = secant.AdaptiveMomentum(rate=0.03)
    options = {"jac": True, "max_iter": 40, "gtol": 0.0}
    result = secant.minimize(fun, np.ones(3), method=method, **options)
    assert any(row.event for row in result.trace)
    np.testing.assert_allclose(result.trace.f, values, rtol=1e-10)


def test_a_small_rise_is_taken_when_allowed():
    _, _, fun = quadratic(3)

    def shifted(x):
        return fun(x)[0] + 10.0, fun(x)[1]

    for rise, rises in ((0.0, False), (0.04, True)):
        method = secant.AdaptiveMomentum(rate=0.02, rise=rise)
        options = {"jac": True, "max_iter": 60, "gtol": 0.0}
        f = secant.minimize(shifted, np.ones(3), method=method, **options).trace.f
        assert bool((np.diff(f) > 1e-12).any()) is rises
        assert (np.diff(f) <= rise * np.abs(f[:-1]) + 1e-12).all()


# ---------------------------------------------------------------------------------------- orthant-wise


def test_a_separable_quadratic_is_thresholded_softly():
    target = np.array([3.0, 0.2, -0.5, -4.0, 0.0])
    curvature = np.array([1.0, 2.0, 0.5, 3.0, 1.0])
    l1 = np.array([1.0, 1.0, 1.0, 0.0, 0.3])
    expected = np.sign(target) * np.maximum(np.abs(target) - l1 / curvature, 0.0)

    def fun(x):
        return 0.5 * curvature @ (x - target) ** 2, curvature * (x - target)

    for start in (np.zeros(5), np.array([-1.0, 1.0, 1.0, 1.0, -2.0])):
        result = secant.minimize(fun, start, jac=True, method=secant.OWLQN(l1), gtol=1e-10)
        assert result.status is Status.GRADIENT
        np.testing.assert_allclose(result.x, expected, atol=1e-9)
        np.testing.assert_array_equal(result.x == 0.0, expected == 0.0)
        assert result.fun == pytest.approx(fun(expected)[0] + l1 @ np.abs(expected))


@pytest.mark.parametrize("l1", [0.05, 0.3])
def test_the_lasso_meets_its_optimality_conditions(l1):
    """``|J'r| <= l1`` where x is 0, and ``J'r = -l1 sign(x)`` elsewhere; scikit-learn's x."""
    from sklearn.linear_model import Lasso

    random = np.random.default_rng(1)
    A = random.normal(size=(60, 20))
    y = A[:, :4] @ np.array([2.0, -1.0, 0.5, 0.1]) + 0.3 * random.normal(size=60)

    def fun(x):
        r = A @ x - y
        return 0.5 * r @ r / 60, A.T @ r / 60

    result = secant.minimize(fun, np.zeros(20), jac=True, method=secant.OWLQN(l1), gtol=1e-9)
    assert result.success
    g = fun(result.x)[1]
    zero = result.x == 0.0
    assert 4 <= zero.sum() < 20
    assert (np.abs(g[zero]) <= l1 + 1e-9).all()
    np.testing.assert_allclose(g[~zero], -l1 * np.sign(result.x[~zero]), atol=1e-8)
    peer = Lasso(alpha=l1, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(A, y)
    np.testing.assert_allclose(result.x, peer.coef_, atol=1e-6)


def test_the_curvature_is_that_of_the_smooth_part():
    """Pairs of pseudo-gradients would carry jumps of 2 l1; with smooth ones it converges as fast."""
    _, _, fun = quadratic(12, seed=3)
    smooth, rough = (
        secant.minimize(fun, np.ones(12), jac=True, method=secant.OWLQN(l1), gtol=1e-8)
        for l1 in (0.0, 0.2)
    )
    assert smooth.success
    assert rough.success
    assert rough.nit <= 2 * smooth.nit


def test_without_absolute_values_it_is_smooth_minimisation():
    B, b, fun = quadratic(6)
    result = secant.minimize(fun, np.ones(6), jac=True, method="owl-qn", gtol=1e-9)
    np.testing.assert_allclose(result.x, np.linalg.solve(B, b), atol=1e-8)


def test_factors_are_checked():
    with pytest.raises(ValueError, match="l1 must be a finite number >= 0, got -1"):
        secant.OWLQN(-1.0)
    with pytest.raises(ValueError, match="l1 must be an array of finite numbers >= 0"):
        OrthantWise(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="an array of 2 numbers, one for each variable"):
        secant.minimize(lambda x: x @ x, [1.0, 2.0], method=secant.OWLQN(np.ones(3)))


def test_the_pairs_of_rprop_are_checked():
    with pytest.raises(ValueError, match=r"etas must be a pair of numbers, got 0\.5"):
        secant.Rprop(etas=0.5)
    with pytest.raises(ValueError, match=r"step_sizes must be a pair of numbers, got \(1.0,\)"):
        secant.Rprop(step_sizes=(1.0,))


def test_a_saved_orthant_wise_run_goes_on(tmp_path):
    _, _, fun = quadratic(6)
    options = {"jac": True, "gtol": 1e-9}
    whole = secant.minimize(fun, np.ones(6), method=secant.OWLQN(0.3), **options)
    run = secant.start(fun, np.ones(6), method=secant.OWLQN(0.3), **options)
    for _ in range(4):
        run.step()
    run.save(tmp_path / "run.npz")
    again = secant.resume(tmp_path / "run.npz", fun, **options).finish()
    assert again.trace.f.tolist() == whole.trace.f.tolist()
    assert again.x.tolist() == whole.x.tolist()
