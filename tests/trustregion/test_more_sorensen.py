"""The conditions that characterise a global solution, hard case included (N&W Theorem 4.1)."""

import math

import numpy as np
import pytest
from subproblem_cases import CASES, HARD, symmetric

from secant.curvature.exact import HostMatrix
from secant.curvature.factor import cholesky
from secant.trustregion import MoreSorensen, more_sorensen
from secant.trustregion.more_sorensen import Secular


def eigenvalue_solution(case):
    """``m`` at the global solution, from all eigenvalues and bisection."""
    values, Q = np.linalg.eigh(case.B)
    c = Q.T @ case.g

    def length(lam):
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = np.where(c == 0.0, 0.0, c / (values + lam))
        return float(np.linalg.norm(parts))

    if values[0] > 0.0 and length(0.0) <= case.radius:
        return case.m(Q @ (-c / values))
    low = max(0.0, -values[0])
    tiny = 1e-13 * max(1.0, low)
    if length(low + tiny) < case.radius:  # the hard case: the rest comes from the first eigenvector
        far = values - values[0] > 1e-9
        h = np.where(far, -c / np.where(far, values - values[0], 1.0), 0.0)
        h[0] = math.sqrt(max(0.0, case.radius**2 - h @ h))
        return case.m(Q @ h)
    high = low + tiny + np.linalg.norm(c) / case.radius
    for _ in range(200):
        lam = 0.5 * (low + high)
        low, high = (lam, high) if length(lam) > case.radius else (low, lam)
    return case.m(Q @ (-c / (values + high)))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_kkt_conditions(case):
    """(B + lambda I) p = -g, lambda (radius - |p|) = 0, B + lambda I is positive semi-definite."""
    p, lam = Secular(case.g, case.B, 1e-10).solve(case.radius)
    size, scale = np.linalg.norm(p), np.abs(case.B).max()
    assert size <= case.radius * (1.0 + 1e-9)
    assert lam >= 0.0
    assert lam * (case.radius - size) <= 1e-8 * scale * case.radius
    assert np.linalg.eigvalsh(case.B)[0] + lam >= -1e-9 * scale
    residual = case.B @ p + lam * p + case.g
    assert np.abs(residual).max() <= 1e-5 * (np.abs(case.g).max() + scale * size)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_value_is_the_global_minimum(case):
    best = eigenvalue_solution(case)
    exact = MoreSorensen(tol=1e-8)(case.g, case.operator)(case.radius)
    assert case.m(exact.p) <= best + 1e-6 * abs(best)
    assert exact.predicted_reduction == pytest.approx(-case.m(exact.p), rel=1e-9)
    default = MoreSorensen()(case.g, case.operator)(case.radius)
    assert case.m(default.p) <= 0.7 * best
    assert np.linalg.norm(default.p) <= case.radius * (1.0 + 1e-12)


@pytest.mark.parametrize("case", HARD, ids=str)
def test_hard_case_reaches_the_boundary(case):
    step = MoreSorensen()(case.g, case.operator)(case.radius)
    assert step.on_boundary
    assert np.linalg.norm(step.p) == pytest.approx(case.radius, rel=0.11)
    lowest = np.linalg.eigh(case.B)[1][:, 0]
    if case.name in ("hard-0", "hard-1", "hard-diagonal"):
        assert abs(lowest @ step.p) > 0.3 * case.radius


@pytest.mark.parametrize("case", [c for c in CASES if c.radius == 1e3][:4], ids=str)
def test_smaller_radii_are_as_good_as_asked_for_alone(case):
    within = MoreSorensen(tol=1e-6)(case.g, case.operator)
    for radius in (case.radius, 1.0, 1e-2):
        alone = MoreSorensen(tol=1e-6)(case.g, case.operator)(radius)
        assert within(radius).predicted_reduction == pytest.approx(
            alone.predicted_reduction, rel=1e-4
        )


@pytest.mark.parametrize("kind", ["convex", "indefinite"])
def test_few_factorisations(kind, monkeypatch):
    """Moré and Sorensen: two or three a radius, of which a smaller one needs fewer."""
    tried = []
    counted = lambda B, tau=0.0: tried.append(tau) or cholesky(B, tau)  # noqa: E731
    monkeypatch.setattr(more_sorensen, "cholesky", counted)
    first, again = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        B, _ = symmetric(rng.standard_normal(20) + (3.0 if kind == "convex" else 0.0), seed)
        g, tried[:] = rng.standard_normal(20), []
        secular = Secular(g, B, 0.1)
        secular.solve(2.0)
        first.append(len(tried))
        p, lam = secular.solve(0.5)
        again.append(len(tried) - first[-1])
        np.testing.assert_allclose(np.linalg.norm(p), 0.5, rtol=0.11)
        assert np.linalg.eigvalsh(B)[0] + lam >= 0.0
    assert np.mean(first) <= (1.5 if kind == "convex" else 3.0)
    assert np.mean(again) <= 2.0


@pytest.mark.parametrize("B", [np.zeros((3, 3)), -np.eye(3), np.diag([1e12, 1.0, -1e-9])])
def test_singular_and_badly_scaled_matrices(B):
    g = np.array([1.0, -2.0, 1e-3])
    step = MoreSorensen()(g, HostMatrix(B))(1.0)
    assert step.predicted_reduction > 0.0
    assert step.on_boundary


def test_precision_and_library_are_kept():
    torch = pytest.importorskip("torch")
    g = torch.tensor([1.0, 4.0], dtype=torch.float32)
    step = MoreSorensen()(g, HostMatrix(np.diag([1.0, 2.0])))(0.5)
    assert step.p.dtype is torch.float32


def test_tol_is_checked():
    with pytest.raises(ValueError, match="tol must be between"):
        MoreSorensen(tol=2.0)
