"""QR factorisations of many matrices: LAPACK's are the oracle."""

from __future__ import annotations

import numpy as np
import pytest

from secant.leastsquares.batched.triangular import (
    back_substitute,
    column_norms,
    factorise,
    inverse_products,
    solve_normal,
)


def stacked(J, r):
    """``[J r]`` of matrices (k, m, n) in the layout of lanes, and the lengths of J's columns."""
    whole = np.concatenate([J, r[:, :, None]], axis=2)
    columns = np.ascontiguousarray(whole.transpose(2, 1, 0))
    return columns, column_norms(columns[:-1])


@pytest.fixture
def fits():
    rng = np.random.default_rng(3)
    return rng.standard_normal((7, 9, 4)), rng.standard_normal((7, 9))


def test_the_triangles_are_those_of_lapack(fits):
    J, r = fits
    _, R, z = factorise(*stacked(J, r))
    for lane in range(7):
        whole, expected = np.linalg.qr(J[lane])
        signs = np.sign(expected.diagonal())
        np.testing.assert_allclose(R[..., lane], signs[:, None] * expected, atol=1e-14)
        np.testing.assert_allclose(z[:, lane], signs * (whole.T @ r[lane]), atol=1e-14)


def test_the_fit_is_that_of_lapack(fits):
    J, r = fits
    _, R, z = factorise(*stacked(J, r))
    p = back_substitute(R, z)
    for lane in range(7):
        np.testing.assert_allclose(p[:, lane], -np.linalg.lstsq(J[lane], r[lane])[0], rtol=1e-12)


def test_nearly_dependent_columns_cost_no_more_digits_than_lapack():
    """Vandermonde's matrices of condition 1e8, with a residual of zero, so that the solution is known."""
    t = np.linspace(0.0, 1.0, 20)
    J = np.stack([np.vander(t, 12), np.vander(t + 0.01, 12)])
    exact = np.arange(1.0, 13.0)
    r = -(J @ exact)
    _, R, z = factorise(*stacked(J, r))
    p = back_substitute(R, z)
    for lane in range(2):
        condition = np.linalg.cond(J[lane])
        assert condition > 1e7
        assert np.abs(p[:, lane] - exact).max() < 10 * np.finfo(float).eps * condition


def test_a_dependent_column_gets_no_pivot_and_no_step(fits):
    J, r = fits
    J[2, :, 3] = J[2, :, 0] - 2.0 * J[2, :, 1]
    _, R, z = factorise(*stacked(J, r))
    p = back_substitute(R, z)
    assert R[3, 3, 2] == 0.0
    assert p[3, 2] == 0.0
    residual = J[2] @ p[:, 2] + r[2]
    np.testing.assert_allclose(J[2].T @ residual, 0.0, atol=1e-13)
    assert np.isinf(inverse_products(R)[..., 2]).all()
    assert np.isfinite(inverse_products(R)[..., [0, 1, 3, 4, 5, 6]]).all()


def test_inverse_products(fits):
    _, R, _ = factorise(*stacked(*fits))
    for lane in range(7):
        product = R[..., lane].T @ R[..., lane]
        np.testing.assert_allclose(product @ inverse_products(R)[..., lane], np.eye(4), atol=1e-12)


def test_the_columns_are_orthonormal_and_make_up_the_matrix(fits):
    J, r = fits
    Q, R, _ = factorise(*stacked(J, r))
    for lane in range(7):
        np.testing.assert_allclose(Q[..., lane] @ Q[..., lane].T, np.eye(4), atol=1e-14)
        np.testing.assert_allclose(Q[..., lane].T @ R[..., lane], J[lane], atol=1e-14)


def test_the_solutions_of_triangles(fits):
    _, R, z = factorise(*stacked(*fits))
    p = back_substitute(R, z)
    np.testing.assert_allclose(np.einsum("ijk,jk->ik", R, p), -z, atol=1e-13)
    p = solve_normal(R, z)
    np.testing.assert_allclose(np.einsum("jik,jlk,lk->ik", R, R, p), -z, atol=1e-12)
