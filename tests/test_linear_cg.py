"""Conjugate gradients as a solver: the theorems that make it worth having."""

import array_api_strict
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import secant
from secant import CGStatus


def spd(eigenvalues: np.ndarray, seed: int = 0) -> np.ndarray:
    n = len(eigenvalues)
    Q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))
    return Q @ np.diag(eigenvalues) @ Q.T


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 12), seed=st.integers(0, 10**6))
def test_solves_in_at_most_n_steps(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    B, b = spd(rng.uniform(1.0, 10.0, n), seed), rng.standard_normal(n)
    result = secant.solve_cg(B, b, rtol=1e-9)
    assert result.success
    assert result.nit <= n
    np.testing.assert_allclose(B @ result.x, b, atol=1e-8 * np.linalg.norm(b))


def test_needs_as_many_steps_as_there_are_distinct_eigenvalues() -> None:
    B = spd(np.repeat([1.0, 7.0, 50.0], 10))
    assert secant.solve_cg(B, np.ones(30), rtol=1e-10).nit == 3


def test_error_stays_below_the_bound_of_the_condition_number() -> None:
    """|e_k|_B <= 2 ((sqrt(kappa) - 1) / (sqrt(kappa) + 1))^k |e_0|_B (N&W eq. 5.36)."""
    kappa = 100.0
    B = spd(np.geomspace(1.0, kappa, 60))
    x_star = np.random.default_rng(1).standard_normal(60)
    b = B @ x_star
    rate = (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)
    start = np.sqrt(x_star @ B @ x_star)
    for k in range(1, 40):
        e = secant.solve_cg(B, b, rtol=0.0, max_iter=k).x - x_star
        assert np.sqrt(e @ B @ e) <= 2 * rate**k * start


def test_the_exact_inverse_as_preconditioner_takes_one_step() -> None:
    B = spd(np.geomspace(1.0, 1e4, 20))
    assert secant.solve_cg(B, np.ones(20), preconditioner=np.linalg.inv(B), rtol=1e-8).nit == 1


def test_jacobi_preconditioning_removes_bad_scaling() -> None:
    scale = np.diag(np.geomspace(1.0, 1e4, 50))
    B = scale @ (np.eye(50) + 0.01) @ scale
    plain = secant.solve_cg(B, np.ones(50), max_iter=5000)
    jacobi = secant.solve_cg(B, np.ones(50), preconditioner=lambda r: r / np.diag(B))
    assert jacobi.success
    assert jacobi.nit < 0.2 * plain.nit


def test_starting_from_the_solution_costs_nothing() -> None:
    B = spd(np.geomspace(1.0, 10.0, 5))
    x = np.arange(5.0)
    assert secant.solve_cg(B, B @ x, x0=x, rtol=1e-12).nit == 0


def test_negative_curvature_is_reported_with_its_direction() -> None:
    B = np.diag([1.0, -2.0])
    result = secant.solve_cg(B, np.ones(2))
    assert result.status is CGStatus.NEGATIVE_CURVATURE
    assert result.direction @ B @ result.direction <= 0.0
    np.testing.assert_allclose(result.product, B @ result.direction)


def test_the_residual_may_be_measured_in_another_norm() -> None:
    B, b = spd(np.geomspace(1.0, 1e3, 20)), np.ones(20)
    result = secant.solve_cg(B, b, rtol=0.1, norm=lambda v: float(np.abs(v).sum()))
    assert result.residual == pytest.approx(np.abs(B @ result.x - b).sum(), rel=1e-6)
    assert result.residual <= 0.1 * 20.0
    before = secant.solve_cg(B, b, rtol=0.0, max_iter=result.nit - 1)
    assert np.abs(B @ before.x - b).sum() > 0.1 * 20.0


def test_arguments_are_left_alone() -> None:
    B, b, x0 = np.diag([1.0, 4.0]), np.ones(2), np.array([0.5, 0.5])
    secant.solve_cg(B, b, x0=x0)
    secant.solve_cg(B, b)
    assert (b.tolist(), x0.tolist()) == ([1.0, 1.0], [0.5, 0.5])


def test_non_finite_products_are_reported() -> None:
    result = secant.solve_cg(lambda v: v * np.nan, np.ones(3))
    assert result.status is CGStatus.NOT_FINITE
    assert np.isfinite(result.x).all()


@pytest.mark.parametrize("xp", [torch, array_api_strict], ids=["torch", "strict"])
def test_other_libraries_agree_with_numpy(xp) -> None:
    B, b = spd(np.geomspace(1.0, 10.0, 6)), np.arange(6.0)
    here = secant.solve_cg(B, b).x
    there = secant.solve_cg(xp.asarray(B), xp.asarray(b)).x
    np.testing.assert_allclose(np.asarray(there), here, rtol=1e-12)


def test_arguments_are_checked_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="b must be a 1-D array"):
        secant.solve_cg(np.eye(2), np.eye(2))
    with pytest.raises(ValueError, match="B must be a matrix, an operator with @ or a callable"):
        secant.solve_cg(3.0, np.ones(2))
