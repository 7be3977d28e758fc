"""Positive definite neighbours: nothing is changed that need not be, and never by much more than needed."""

import numpy as np
import pytest

import secant
from secant.curvature.factor import Cholesky, NoFactor, cholesky, lowest_direction, try_cholesky
from secant.curvature.modified_cholesky import GillMurrayWright, Shift, gill_murray_wright


def symmetric(eigenvalues, seed):
    n = len(eigenvalues)
    Q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))
    B = (Q * np.asarray(eigenvalues)) @ Q.T
    return 0.5 * (B + B.T)


DEFINITE = [symmetric(np.geomspace(1.0, 1e4, n), n) for n in (1, 2, 5, 12)]
INDEFINITE = [symmetric(np.linspace(-3.0, 5.0, n), n) for n in (2, 3, 6, 15)]
INDEFINITE += [np.zeros((3, 3)), -np.eye(4), np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[-2.0]])]


@pytest.mark.parametrize("modification", [Shift(), GillMurrayWright()], ids=repr)
@pytest.mark.parametrize("B", DEFINITE, ids=lambda B: f"n={len(B)}")
def test_a_definite_matrix_is_left_alone(modification, B):
    factor = modification(B)
    assert not factor.is_modified
    b = np.arange(1.0, len(B) + 1.0)
    np.testing.assert_allclose(factor.solve(b), np.linalg.solve(B, b), rtol=1e-9)


@pytest.mark.parametrize("B", DEFINITE, ids=lambda B: f"n={len(B)}")
def test_gill_murray_wright_itself_leaves_it_alone(B):
    factor = gill_murray_wright(B)
    assert np.abs(factor.E).max() <= 1e-12 * np.abs(B).max()


@pytest.mark.parametrize("tau", [0.0, 0.5])
@pytest.mark.parametrize("n", [1, 2, 7, 60, 300])
def test_a_failed_factor_knows_why(n, tau):
    """A unit vector along which B + tau I has no positive curvature."""
    B = symmetric(np.linspace(-3.0, 5.0, n), n) + np.diag(np.linspace(2.0, -0.4, n))
    failed = cholesky(B, tau)
    assert isinstance(failed, NoFactor)
    v, curvature = failed.direction()
    assert np.linalg.norm(v) == pytest.approx(1.0)
    assert curvature <= 0.0
    assert v @ B @ v + tau == pytest.approx(curvature, abs=1e-12)


@pytest.mark.parametrize("modification", [Shift(), GillMurrayWright()], ids=repr)
@pytest.mark.parametrize("B", INDEFINITE, ids=lambda B: f"n={len(B)}")
def test_an_indefinite_one_becomes_definite(modification, B):
    factor = modification(B)
    n = len(B)
    assert factor.is_modified
    inverse = np.column_stack([factor.solve(e) for e in np.eye(n)])
    np.testing.assert_allclose(inverse, inverse.T, atol=1e-9 * np.abs(inverse).max())
    assert np.linalg.eigvalsh(inverse)[0] > 0.0


@pytest.mark.parametrize("B", INDEFINITE, ids=lambda B: f"n={len(B)}")
def test_gill_murray_wrights_factors_and_bounds(B):
    """P (B + E) P' = L D L' with E >= 0, |L D^(1/2)| <= beta, and their bound on E."""
    n = len(B)
    F = gill_murray_wright(B)
    shifted = (B + np.diag(F.E))[np.ix_(F.order, F.order)]
    np.testing.assert_allclose((F.L * F.d) @ F.L.T, shifted, atol=1e-10 * max(1.0, np.abs(B).max()))
    assert (F.E >= 0.0).all()
    assert (F.d > 0.0).all()
    off = np.abs(B - np.diag(np.diag(B)))
    gamma, xi = np.abs(np.diag(B)).max(), off.max()
    spread = np.sqrt(n * n - 1.0) if n > 1 else 1.0
    beta2 = max(gamma, xi / spread, np.finfo(float).eps)
    delta = np.finfo(float).eps * max(gamma + xi, 1.0)
    below = np.tril(F.L, -1) * np.sqrt(F.d)
    assert np.abs(below).max() <= np.sqrt(beta2) * (1.0 + 1e-12)
    beta = np.sqrt(beta2)
    bound = (xi / beta + (n - 1) * beta) ** 2 + 2.0 * (gamma + (n - 1) * beta2) + delta
    assert F.E.max() <= bound * (1.0 + 1e-12)


@pytest.mark.parametrize("B", [B for B in INDEFINITE if B.any()], ids=lambda B: f"n={len(B)}")
def test_the_shift_is_not_much_more_than_needed(B):
    tau = Shift()(B).tau
    needed = -np.linalg.eigvalsh(B)[0]
    assert needed < tau <= 4.0 * needed


@pytest.mark.parametrize("largest", [1.0, 1e4, 1e8])
def test_the_shift_does_not_depend_on_the_large_eigenvalues(largest):
    """N&W's Algorithm 3.3 would shift by 1e-3 of the largest."""
    B = symmetric([-0.5, 0.3, 1.0, largest], 5)
    assert 0.5 < Shift()(B).tau <= 2.0


def test_a_matrix_that_no_shift_can_save_leaves_steepest_descent():
    """[[1, a], [a, 1]] with a = 1.5e308 has the eigenvalues 1 +- a, and 2 a is not a number."""
    B = np.array([[1.0, 1.5e308], [1.5e308, 1.0]])
    b = np.array([1e290, -2e290])
    np.testing.assert_allclose(Shift()(B).solve(b), [1.0, -2.0])


def test_the_test_of_definiteness_has_no_units():
    """A pivot is judged against its own diagonal element: scaling the variables changes nothing."""
    B = symmetric(np.geomspace(1.0, 1e3, 5), 0)
    D = np.diag(np.geomspace(1e-8, 1e8, 5))
    assert try_cholesky(D @ B @ D) is not None
    assert try_cholesky(symmetric([1.0, 1.0, 1e-18], 1)) is None


def test_lowest_direction():
    B = symmetric([-2.0, 1.0, 3.0, 7.0], 3)
    u = lowest_direction(Cholesky(try_cholesky(B, 2.1).L, 2.1), 4)
    assert u @ B @ u == pytest.approx(-2.0, abs=1e-3)


def test_configuration_is_checked():
    with pytest.raises(ValueError, match="growth must be above 1"):
        secant.Shift(growth=1.0)
    with pytest.raises(ValueError, match="beta must be a positive"):
        secant.Shift(beta=0.0)
