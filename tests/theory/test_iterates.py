"""What theory says about whole runs: termination, equal iterates, invariance, rates."""

import math

import numpy as np
import pytest
from dense_formulas import pair_of, random_spd

import secant
from secant import problems
from secant.directions.conjugate import FORMULAS
from secant.linesearch import FirstStep

EXACT = secant.ExactQuadratic()
ALL_BETAS = [secant.NonlinearCG(beta, EXACT, restart_every=0) for beta in FORMULAS]


def quasi_newton(n):
    """Every dense method from H0 = I with exact steps."""
    eye = np.eye(n)
    members = [secant.BFGS, secant.DFP, secant.Broyden, secant.SSBFGS, secant.SSBroyden]
    return [member(search=EXACT, H0=eye) for member in members]


def iterates(method, A, b, x0, steps):
    """The first iterates on ``x'Ax / 2 - b'x``."""
    run = secant.start(
        lambda x: 0.5 * x @ A @ x - b @ x,
        x0,
        jac=lambda x: A @ x - b,
        hessp=(lambda x, p: A @ p) if method.uses_hessian else None,
        method=method,
        gtol=0.0,
    )
    xs = [x0]
    while run.status is None and len(xs) <= steps:
        xs.append(run.step().x)
    return xs


@pytest.fixture
def quadratic():
    rng = np.random.default_rng(1)
    return random_spd(rng, 6), rng.standard_normal(6), rng.standard_normal(6)


@pytest.mark.parametrize("method", [*quasi_newton(6), *ALL_BETAS, secant.LinearCG()], ids=str)
def test_n_steps_solve_a_quadratic(method, quadratic):
    """With exact steps, conjugate directions end in n steps and not before (N&W 5.1, 6.4)."""
    A, b, x0 = quadratic
    gradients = [np.abs(A @ x - b).max() for x in iterates(method, A, b, x0, 6)]
    assert gradients[6] <= 1e-8 * gradients[0]
    assert min(gradients[:6]) >= 1e-4 * gradients[0]


@pytest.mark.parametrize("method", [*quasi_newton(6)[:3], *ALL_BETAS], ids=str)
def test_the_iterates_are_those_of_conjugate_gradients(method, quadratic):
    """BFGS, DFP and all betas are one method on a quadratic with exact steps (Dixon 1972; N&W 6.4)."""
    A, b, x0 = quadratic
    expected = iterates(secant.LinearCG(), A, b, x0, 5)
    for x, cg in zip(iterates(method, A, b, x0, 5), expected, strict=True):
        np.testing.assert_allclose(x, cg, atol=1e-9)


def test_bfgs_finds_the_inverse_hessian_in_n_steps(quadratic):
    A, b, x0 = quadratic
    for method in quasi_newton(6)[:3]:
        result = secant.minimize(
            lambda x: 0.5 * x @ A @ x - b @ x,
            x0,
            jac=lambda x: A @ x - b,
            hessp=lambda x, p: A @ p,
            method=method,
            gtol=0.0,
            max_iter=6,
        )
        np.testing.assert_allclose(result.hess_inv.todense(), np.linalg.inv(A), atol=1e-7)


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_memoryless_bfgs_with_exact_steps_is_hestenes_stiefel(steps, quadratic):
    """g+'s = 0 leaves of H g+ what Hestenes and Stiefel have (N&W, after eq. 7.27)."""
    A, b, x0 = quadratic
    memoryless = iterates(secant.MemorylessBFGS(search=EXACT, scaled=False), A, b, x0, steps)
    conjugate = iterates(secant.NonlinearCG("hestenes-stiefel", EXACT, 0), A, b, x0, steps)
    np.testing.assert_allclose(memoryless[steps], conjugate[steps], atol=1e-10)


@pytest.mark.parametrize("name", ["bfgs", "dfp", "broyden", "ssbfgs", "ssbroyden"])
def test_affine_invariance(name):
    """From x = T z and H0 = T T', the iterates on f(x) are T times those from I on f(T z)."""
    member = {
        "bfgs": secant.BFGS,
        "dfp": secant.DFP,
        "broyden": secant.Broyden,
        "ssbfgs": secant.SSBFGS,
        "ssbroyden": secant.SSBroyden,
    }[name]
    f = problems.beale()
    T = np.array([[2.0, 0.5], [-0.3, 1.0]])
    x0 = f.start()
    first = secant.UnitStep(first=One())
    in_x = secant.start(f, x0, jac=f.gradient, method=member(first=first, H0=0.01 * T @ T.T))
    in_z = secant.start(
        lambda z: f(T @ z),
        np.linalg.solve(T, x0),
        jac=lambda z: T.T @ f.gradient(T @ z),
        method=member(first=first, H0=0.01 * np.eye(2)),
    )
    for _ in range(8):
        np.testing.assert_allclose(in_x.step().x, T @ in_z.step().x, rtol=1e-7)


class One(FirstStep):
    """The first step is 1: of all rules the invariant one."""

    def guess(self, ray, previous):
        return 1.0


@pytest.mark.parametrize("name", ["l-bfgs", "bfgs", "ssbroyden", "memoryless-bfgs"])
@pytest.mark.parametrize("factor", [1e-8, 1e8])
def test_the_units_of_f_do_not_matter(name, factor):
    """Pairs are judged relatively: f and 1e8 f take the same steps, and skip the same pairs."""
    f = problems.rosenbrock()
    first = secant.UnitStep(secant.Relative(0.1))  # a first step that does not depend on units
    plain, scaled = (
        secant.minimize(
            lambda x, c=c: (c * f(x), c * f.gradient(x)),
            f.start(),
            jac=True,
            method=_with_first(name, first),
            gtol=0.0,
            max_iter=8,
        )
        for c in (1.0, factor)
    )
    np.testing.assert_allclose(scaled.x, plain.x, rtol=1e-6)
    np.testing.assert_allclose(scaled.trace.f, factor * plain.trace.f, rtol=1e-6)
    assert scaled.trace.event.tolist() == plain.trace.event.tolist()


def _with_first(name, first):
    return {
        "l-bfgs": secant.LBFGS,
        "bfgs": secant.BFGS,
        "ssbroyden": secant.SSBroyden,
        "memoryless-bfgs": secant.MemorylessBFGS,
    }[name](first=first)


# ------------------------------------------------------------------------------- the pair's tests


@pytest.mark.parametrize("f_scale", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("x_scale", [1e-8, 1.0, 1e8])
def test_skip_does_not_depend_on_units(f_scale, x_scale):
    """s, y and Bs in other units of f and x: s'y / s'Bs is what it was, and so is the verdict."""
    rng = np.random.default_rng(3)
    for curvature in (-1.0, 1e-9, 1e-7, 0.5):
        s = rng.standard_normal(4)
        Bs = s + 0.1 * rng.standard_normal(4)
        y = curvature * Bs
        units = f_scale / x_scale
        pair = pair_of(x_scale * s, units * y, units * Bs)
        assert (secant.Skip()(pair) is not None) == (curvature > 2.0**-26)


def test_skip_refuses_what_is_not_finite():
    s = np.ones(2)
    for y in (np.array([math.nan, 1.0]), np.array([math.inf, 1.0]), np.full(2, 1e200)):
        with np.errstate(all="ignore"):
            assert secant.Skip()(pair_of(s, y, s)) is None


@pytest.mark.parametrize("threshold", [0.2, 0.5])
def test_powells_damping(threshold):
    """The damped y has s'y = threshold s'Bs, on the segment from y to Bs (N&W 18.15)."""
    rng = np.random.default_rng(4)
    B = random_spd(rng, 5)
    for _ in range(20):
        s, y = rng.standard_normal((2, 5))
        pair = secant.Damp(threshold)(pair_of(s, y, B @ s))
        if s @ y >= threshold * (s @ B @ s):
            assert not pair.is_damped
            continue
        assert pair.is_damped
        assert pair.sy == pytest.approx(threshold * (s @ B @ s))
        theta = (1.0 - threshold) * (s @ B @ s) / (s @ B @ s - s @ y)
        np.testing.assert_allclose(pair.y, theta * y + (1.0 - theta) * B @ s)


def test_damping_keeps_h_positive_definite_through_negative_curvature():
    """From -x^4 the pairs have s'y < 0; the step with a fixed rate would learn an indefinite H."""
    method = secant.BFGS(search=secant.FixedStep(0.1), curvature_test=secant.Damp())
    run = secant.start(
        lambda x: float(np.cos(x).sum()), [0.1, 0.2, 0.3], jac=lambda x: -np.sin(x), method=method
    )
    events = [run.step().event for _ in range(10)]
    assert "pair damped" in events
    np.linalg.cholesky(run.result().hess_inv.todense())


# ---------------------------------------------------------------------------------------- rates


@pytest.mark.parametrize("kappa", [10.0, 100.0])
def test_rate_of_gradient_descent(kappa):
    """alpha = 2 / (mu + L) shrinks the error by (kappa - 1) / (kappa + 1) a step (N&W 3.29)."""
    errors = _errors(secant.GradientDescent(rate=2.0 / (1.0 + kappa)), kappa, 60)
    rate = (kappa - 1.0) / (kappa + 1.0)
    np.testing.assert_allclose(errors[1:] / errors[:-1], rate, rtol=1e-9)


@pytest.mark.parametrize("kappa", [10.0, 100.0])
def test_rate_of_the_heavy_ball(kappa):
    """With Polyak's (alpha, beta) the error falls like sqrt(beta)^k, up to a factor linear in k."""
    alpha, beta = secant.optimal_momentum(1.0, kappa)
    assert math.sqrt(beta) == pytest.approx((math.sqrt(kappa) - 1) / (math.sqrt(kappa) + 1))
    k = 60
    errors = _errors(secant.HeavyBall(rate=alpha, beta=beta), kappa, k)
    assert errors[k] <= 2.0 * (k + 1) * math.sqrt(beta) ** k * errors[0]
    assert errors[k] >= 0.01 * math.sqrt(beta) ** k * errors[0]


def test_rate_of_nesterov():
    """alpha = 1 / L and beta = (sqrt(kappa) - 1) / (sqrt(kappa) + 1): (1 - 1 / sqrt(kappa))^(k/2)."""
    kappa, k = 100.0, 80
    beta = (math.sqrt(kappa) - 1.0) / (math.sqrt(kappa) + 1.0)
    errors = _errors(secant.Nesterov(rate=1.0 / kappa, beta=beta), kappa, k)
    assert errors[k] <= math.sqrt(1.0 + kappa) * (1.0 - kappa**-0.5) ** (k / 2) * errors[0]
    assert (
        errors[k] < 0.1 * errors[0] * ((kappa - 1.0) / (kappa + 1.0)) ** k
    )  # than gradient descent


def _errors(method, kappa, steps):
    """Distances to the solution on diag(1, kappa), from a start with both eigenvectors in it."""
    A = np.diag([1.0, kappa])
    xs = iterates(method, A, np.zeros(2), np.array([1.0, 1.0]), steps)
    return np.array([np.linalg.norm(x) for x in xs])


def test_memory_of_all_steps_is_bfgs_on_a_quadratic(quadratic):
    """With exact steps the scale of H0 does not change the iterates: L-BFGS of n pairs is CG, too."""
    A, b, x0 = quadratic
    expected = iterates(secant.LinearCG(), A, b, x0, 5)
    for memory in (1, 6):
        xs = iterates(secant.LBFGS(memory, search=EXACT), A, b, x0, 5)
        np.testing.assert_allclose(xs[5], expected[5], atol=1e-8)
