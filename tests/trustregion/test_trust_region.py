"""The trust-region step: saddles, round-off, NaN, failures; and the models that it learns."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import rosen, rosen_der, rosen_hess_prod

import secant
from secant import Status, problems
from secant.curvature.compact import DirectLimitedMemory, LimitedSR1
from secant.curvature.direct_bfgs import DirectBFGS
from secant.curvature.exact import HostMatrix
from secant.curvature.sr1 import InverseSymmetricRankOne, SymmetricRankOne
from secant.methods.registry import REGISTRY
from secant.minimize import make_task
from secant.pair import SecantPair
from secant.problem import Problem
from secant.trustregion import Cauchy, Learned, MoreSorensen, Step, TrustRegion

EXACT = ("trust-ncg", "trust-krylov", "trust-exact", "dogleg")
LEARNED = ("tr-bfgs", "tr-sr1", "tr-lbfgs", "tr-lsr1")


def two_wells(x):
    """Minima at (0, +-1), a saddle at 0."""
    return float(x[0] ** 2 + (x[1] ** 2 - 1.0) ** 2)


def two_wells_jac(x):
    return np.array([2.0 * x[0], 4.0 * x[1] * (x[1] ** 2 - 1.0)])


def two_wells_hess(x):
    return np.diag([2.0, 12.0 * x[1] ** 2 - 4.0])


@pytest.mark.parametrize("method", [*EXACT, "newton", "newton-gmw", "newton-cg", "hessian-free"])
def test_leaves_the_neighbourhood_of_a_saddle(method):
    result = secant.minimize(
        two_wells, [1.0, 1e-6], jac=two_wells_jac, hess=two_wells_hess, method=method, gtol=1e-9
    )
    assert result.success
    np.testing.assert_allclose([result.x[0], abs(result.x[1])], [0.0, 1.0], atol=1e-7)
    assert result.nit <= 25


@pytest.mark.parametrize("method", ["trust-exact", "newton", "newton-gmw"])
def test_leaves_the_line_that_leads_to_a_saddle(method):
    """The gradient at (1, 0) has no component along the direction of negative curvature."""
    result = secant.minimize(
        two_wells, [1.0, 0.0], jac=two_wells_jac, hess=two_wells_hess, method=method
    )
    assert result.success
    assert abs(result.x[1]) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("method", EXACT)
def test_quadratic_convergence_at_the_end(method):
    f = problems.rosenbrock(4)
    hess = rosenbrock_hessian
    result = secant.minimize(
        f.value_and_gradient, f.start(), jac=True, hess=hess, method=method, gtol=1e-12
    )
    assert result.success
    assert result.nit <= 55
    assert result.trace.optimality[-1] <= 1e-12


def rosenbrock_hessian(x):
    from scipy.optimize import rosen_hess

    return rosen_hess(x)


@pytest.mark.parametrize("method", EXACT)
def test_rejected_steps_cost_no_derivatives(method):
    """Hessians and gradients are evaluated at iterates alone."""
    f, calls = problems.rosenbrock(), []

    def hess(x):
        calls.append(x)
        return rosenbrock_hessian(x)

    result = secant.minimize(f, f.start(), jac=f.gradient, hess=hess, method=method)
    assert len(calls) == result.nhev == result.nit
    assert result.njev == result.nit + 1 < result.nfev


@pytest.mark.parametrize("method", [*EXACT, *LEARNED])
def test_round_off_is_told_apart(method):
    f = problems.quadratic(kappa=1e4)
    given = {"hess": f.hessian} if method in EXACT else {}
    result = secant.minimize(
        f.value_and_gradient, f.start(), jac=True, method=method, gtol=0.0, **given
    )
    assert result.status in (Status.ROUNDOFF, Status.GRADIENT)
    assert result.fun == pytest.approx(f.f_star, rel=1e-13)


@pytest.mark.parametrize("method", [*EXACT, *LEARNED])
def test_a_kink_is_no_success(method):
    """|x| + x^2 has no gradient at its minimum: the radius shrinks to nothing, and the status says so."""

    def fun(x):
        return 1.0 + float(np.abs(x).sum() + x @ x)

    result = secant.minimize(
        fun, [1.0, 0.3], jac=lambda x: np.sign(x) + 2.0 * x, method=method, max_evals=3000
    )
    assert result.status not in (Status.GRADIENT, Status.MAX_EVALUATIONS)
    assert result.fun <= 1.5


def test_radius_rule():
    rule = secant.RadiusRule(initial=2.0, largest=5.0)
    inner = Step(np.ones(1), 1.0, False, 1.0)
    edge = inner._replace(on_boundary=True, length=2.0)
    assert rule.after(2.0, inner, 1.0) == 2.0
    assert rule.after(2.0, edge, 1.0) == 5.0
    assert rule.after(2.0, edge, 0.5) == 2.0
    assert rule.after(2.0, inner, 0.1) == 0.25
    assert rule.after(2.0, inner, math.nan) == 0.25
    with pytest.raises(ValueError, match="accept must be in"):
        secant.RadiusRule(accept=0.5)


def test_the_first_radius_is_within_reach_of_the_model():
    """At most `reach` times the step to the model's minimum along -g."""
    g, B = np.array([3.0, 4.0]), HostMatrix(np.diag([2.0, 2.0]))
    assert secant.RadiusRule().within_reach(7.0, g, B) == 7.0
    assert secant.RadiusRule(reach=2.0).within_reach(7.0, g, B) == pytest.approx(5.0)
    assert secant.RadiusRule(reach=2.0).within_reach(3.0, g, B) == 3.0
    for no_minimum in (-1.0, 0.0, math.nan, math.inf):
        B = HostMatrix(no_minimum * np.ones((2, 2)))
        assert secant.RadiusRule(reach=2.0).within_reach(7.0, g, B) == 7.0
    for wrong in (0.0, "far", None):
        with pytest.raises(ValueError, match="reach must be a positive number, got"):
            secant.RadiusRule(reach=wrong)


@pytest.mark.parametrize("factor", [8.0, 9.0, 10.0])
def test_a_flat_direction_beside_a_steep_one_does_not_lead_away(factor):
    """Curvatures of 2e10 and 1e-4: a step of |x| along the flat one ends where f falls to 1e-8 at infinity."""
    f = problems.powell_badly_scaled()

    def hess(x):
        e, r1 = np.exp(-x), 1e4 * x[0] * x[1] - 1.0
        J = np.array([1e4 * x[::-1], -e])
        mixed = np.array([[0.0, 1e4], [1e4, 0.0]])
        return 2.0 * (J.T @ J + r1 * mixed + (e.sum() - 1.0001) * np.diag(e))

    x0 = factor * f.start()
    result = secant.minimize(
        f.value_and_gradient,
        x0,
        jac=True,
        hess=hess,
        method="trust-exact",
        gtol=1e-5,
        max_evals=300,
    )
    assert result.success
    assert result.fun < 1e-12


@pytest.mark.parametrize("method", ["trust-ncg", "trust-krylov"])
def test_products_alone_do_not_end_in_a_valleys_local_minimum(method):
    """f = 3.987 beside the start, where accurate first steps end: trust-exact from most of these."""
    noise = np.random.default_rng(0)
    x0 = np.where(np.arange(10) % 2 == 0, -1.2, 1.0)
    for _ in range(8):
        start = x0 + 0.1 * noise.standard_normal(10)
        result = secant.minimize(rosen, start, jac=rosen_der, hessp=rosen_hess_prod, method=method)
        assert result.success
        assert result.fun < 1e-6


def test_any_model_with_any_subproblem():
    f = problems.beale()
    for curvature in (DirectBFGS(), SymmetricRankOne(), DirectLimitedMemory(5), LimitedSR1(5)):
        test = secant.Damp() if curvature.keeps_definite else secant.Denominator()
        for subproblem in (secant.Dogleg(), secant.Steihaug(), secant.Krylov(), MoreSorensen()):
            method = TrustRegion(Learned(curvature, test), subproblem)
            result = secant.minimize(f.value_and_gradient, f.start(), jac=True, method=method)
            assert result.success, (curvature, subproblem, result)
            np.testing.assert_allclose(result.x, f.x_star, atol=1e-3)


def test_cauchy_steps_are_steepest_descent():
    f = problems.diagonal([1.0, 10.0])
    method = TrustRegion(secant.TrustNCG().source, Cauchy())
    result = secant.minimize(
        f.value_and_gradient, f.start(), jac=True, hess=f.hessian, method=method
    )
    assert result.success
    rate = (9.0 / 11.0) ** 2
    f_values = result.trace.f
    assert (f_values[2:] <= rate * 1.01 * f_values[1:-1]).all()


# ------------------------------------------------------------------------------- learned models


def pairs(A, count, seed=0):
    """Secant pairs of the quadratic ``x'Ax / 2`` along random steps."""
    n = len(A)
    task = make_task(lambda x: 0.5 * x @ A @ x, np.ones(n), (), lambda x: A @ x, None, None)
    rng = np.random.default_rng(seed)
    point = task.problem.at(task.x0)
    for _ in range(count):
        s = rng.standard_normal(n)
        after = task.problem.at(point.x + s)
        yield point, after, s
        point = after


def learn(curvature, A, count, seed=0):
    B = None
    for before, after, s in pairs(A, count, seed):
        B = curvature.init(before) if B is None else B
        Bs = B @ s if hasattr(B, "__matmul__") else s
        B = curvature.update(B, SecantPair(1.0, s, before, after, math.nan, Bs=Bs), after)
    return B


@pytest.mark.parametrize("eigenvalues", [[1.0, 2.0, 5.0, 9.0], [-3.0, -1.0, 2.0, 4.0]], ids=str)
def test_sr1_finds_a_quadratics_hessian_in_n_steps(eigenvalues):
    """N&W Theorem 6.1: without any line search, definite or not."""
    A = np.diag(eigenvalues) + 0.1 * np.ones((4, 4))
    np.testing.assert_allclose(learn(SymmetricRankOne(), A, 4).dense(), A, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(learn(LimitedSR1(10), A, 4).dense(), A, rtol=1e-6, atol=1e-6)


def test_inverse_sr1_is_the_inverse():
    A = np.diag([1.0, 2.0, 5.0]) + 0.1
    H = learn(InverseSymmetricRankOne(), A, 3)
    np.testing.assert_allclose([H.solve(e) for e in np.eye(3)], np.linalg.inv(A), rtol=1e-8)


@pytest.mark.parametrize("curvature", [DirectBFGS(), DirectLimitedMemory(8)], ids=repr)
def test_bfgs_models_keep_the_secant_equation_and_definiteness(curvature):
    A = np.diag([1.0, 4.0, 9.0, 16.0, 25.0])
    steps = list(pairs(A, 6))
    B = learn(curvature, A, 6)
    before, after, s = steps[-1]
    np.testing.assert_allclose(B @ s, after.g - before.g, rtol=1e-9)
    assert np.linalg.eigvalsh(B.dense())[0] > 0.0
    np.testing.assert_allclose([B @ e for e in np.eye(5)], B.dense(), atol=1e-9)


def test_bfgs_keeps_its_inverse():
    A = np.diag([1.0, 4.0, 9.0, 16.0])
    B = learn(DirectBFGS(), A, 12)
    np.testing.assert_allclose(B.solve(B @ np.ones(4)), np.ones(4), rtol=1e-7)


def test_compact_bfgs_is_the_dense_recursion():
    """Started at the same sigma I, m pairs in compact form are m dense updates."""
    A = np.diag(np.arange(1.0, 7.0))
    steps = list(pairs(A, 4))
    compact = learn(DirectLimitedMemory(4), A, 4)
    B = compact.sigma * np.eye(6)
    for before, after, s in steps:
        y, Bs = after.g - before.g, B @ s
        B += np.outer(y, y) / (s @ y) - np.outer(Bs, Bs) / (s @ Bs)
    np.testing.assert_allclose(compact.dense(), B, rtol=1e-8, atol=1e-8)


def test_compact_sr1_is_the_dense_recursion():
    A = np.diag(np.arange(-2.0, 4.0)) + 0.2
    steps = list(pairs(A, 4))
    compact = learn(LimitedSR1(4), A, 4)
    B = compact.sigma * np.eye(6)
    for before, after, s in steps:
        r = after.g - before.g - B @ s
        B += np.outer(r, r) / (r @ s)
    np.testing.assert_allclose(compact.dense(), B, rtol=1e-7, atol=1e-7)


def test_the_oldest_pair_makes_room():
    A = np.diag(np.arange(1.0, 7.0))
    all_pairs = list(pairs(A, 7))
    B = learn(DirectLimitedMemory(3), A, 7)
    for before, after, s in all_pairs[-1:]:
        np.testing.assert_allclose(B @ s, after.g - before.g, rtol=1e-9)
    assert B.count == 7
    assert B.by_age().tolist() == [1, 2, 0]


def test_sr1s_safeguard():
    """N&W eq. 6.26: no update along a denominator that is nearly zero."""
    A = np.eye(2)
    before, after, _ = next(pairs(A, 1))
    s = np.array([1.0, 0.0])
    pair = SecantPair(1.0, s, before, after, math.nan, Bs=s)
    pair.y = np.array([1.0, 1.0])  # y - Bs is orthogonal to s
    assert secant.Denominator()(pair) is None
    pair.y = np.array([2.0, 1.0])
    assert secant.Denominator()(pair) is pair


@pytest.mark.parametrize("method", [secant.TrustLBFGS, secant.TrustLSR1, secant.TrustBFGS])
@pytest.mark.parametrize("given", [3, "steihaug", secant.Steihaug])
def test_what_is_no_subproblem(method, given):
    with pytest.raises(ValueError, match=r"subproblem must be one like secant.Steihaug\(\)"):
        method(subproblem=given)


def test_a_run_of_a_version_with_other_matrices(tmp_path):
    """Files written when the compact form was stored are refused in a sentence."""
    run = secant.start(two_wells, [1.0, 1e-6], jac=two_wells_jac, method="tr-lbfgs")
    run.step()
    path = tmp_path / "run.npz"
    run.save(path)
    with np.load(path) as file:
        stored = dict(file)
    header = stored["header"].tobytes().replace(b'"span":', b'"C":')
    np.savez(path, **{**stored, "header": np.frombuffer(header, dtype=np.uint8)})
    with pytest.raises(ValueError, match="does not fit this version of secant: its CompactMatrix"):
        secant.resume(path, two_wells, jac=two_wells_jac)


@pytest.mark.parametrize(("method", "most"), [("tr-lbfgs", 9), ("reg-lbfgs", 10)])
def test_one_transfer_to_the_host_for_each_product(method, most, monkeypatch):
    """On a device the products with the pairs and the square of the vector come together."""
    n, transfers = 30, []
    scales = torch.logspace(0.0, 2.0, n, dtype=torch.float64)
    problem = Problem(lambda x: (0.5 * (x @ (scales * x)), lambda: scales * x))
    composition = REGISTRY[method].build()
    state = composition.init(problem, problem.at(torch.ones(n, dtype=torch.float64)))
    for _ in range(5):
        state = composition.step(problem, state)

    def counted(name, original):
        def call(*args):
            transfers.append(name)
            return original(*args)

        return call

    for name in ("tolist", "cpu", "__float__", "item"):
        monkeypatch.setattr(torch.Tensor, name, counted(name, getattr(torch.Tensor, name)))
    before = problem.counts.nfev
    composition.step(problem, state)
    assert problem.counts.nfev == before + 1
    assert len(transfers) <= most, transfers
