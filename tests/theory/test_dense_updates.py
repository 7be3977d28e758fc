"""The Broyden class against formulas written out naively: each member, each library."""

import math

import array_api_strict
import numpy as np
import pytest
import torch
from dense_formulas import pair_of, point_at, random_pair, random_spd, update_B, update_H

from secant.arrays import like, to_numpy
from secant.curvature.broyden import (
    BroydenClass,
    DenseInverse,
    Fixed,
    SelfScaledBFGS,
    SelfScaledBroyden,
)
from secant.curvature.symmetric import SymmetricMatrix

RULES = [Fixed(0.0), Fixed(0.3), Fixed(1.0), SelfScaledBFGS(), SelfScaledBroyden()]
LIKES = {
    "numpy": np.zeros(0),
    "numpy-float32": np.zeros(0, dtype=np.float32),
    "torch": torch.zeros(0, dtype=torch.float64),
    "torch-float32": torch.zeros(0, dtype=torch.float32),
    "strict": array_api_strict.asarray([], dtype=array_api_strict.float64),
}
libraries = pytest.mark.parametrize("kind", LIKES.values(), ids=LIKES.keys())


def learned(rule, H0, pairs, kind=LIKES["numpy"]):
    """``H`` after the library's updates, as a float64 array."""
    curvature = BroydenClass(rule, H0=like(H0, kind))
    operator = curvature.init(point_at(like(np.zeros(len(H0)), kind)))
    for s, y in pairs:
        H = to_numpy(operator.H.full()).astype(float)
        Bs = like(np.linalg.solve(H, s), kind)
        s, y = like(s, kind), like(y, kind)
        operator = curvature.update(operator, pair_of(s, y, Bs), point_at(s))
    return to_numpy(operator.H.full()).astype(float)


@libraries
@pytest.mark.parametrize("phi", [0.0, 0.3, 1.0])
def test_fixed_members_are_the_naive_formula(phi, kind):
    rng = np.random.default_rng(1)
    H = H0 = random_spd(rng, 7)
    pairs = [random_pair(rng, 7) for _ in range(5)]
    for s, y in pairs:
        H = update_H(H, s, y, phi)
    eps = float(np.finfo(str(kind.dtype).rpartition(".")[2]).eps)
    error = np.abs(learned(Fixed(phi), H0, pairs, kind) - H).max()
    assert error <= 1e4 * eps * np.abs(H).max()  # five updates multiply condition numbers


@pytest.mark.parametrize("phi", [-0.2, 1.7])
def test_members_outside_of_the_convex_class(phi):
    """phi < 0 makes the rank-two form definite, phi > 1 changes which of its two squares leads."""

    def rule(b, h, n, first):
        return phi, 0.5

    rng = np.random.default_rng(2)
    H0 = random_spd(rng, 6)
    s, y = random_pair(rng, 6)
    expected = update_H(H0, s, y, phi, 0.5)
    np.testing.assert_allclose(learned(rule, H0, [(s, y)]), expected, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("phi", [0.0, 1.0])
def test_duality_of_bfgs_and_dfp(phi):
    """H of one member, with (s, y), is B of the other with (y, s)."""
    rng = np.random.default_rng(3)
    M = random_spd(rng, 6)
    s, y = random_pair(rng, 6)
    expected = update_B(M, y, s, phi_bfgs=1.0 - phi)
    np.testing.assert_allclose(learned(Fixed(phi), M, [(s, y)]), expected, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("phi", [0.0, 1.0])
def test_inverse_form_inverts_the_hessian_form(phi):
    rng = np.random.default_rng(4)
    H = random_spd(rng, 6)
    s, y = random_pair(rng, 6)
    B = update_B(np.linalg.inv(H), s, y, phi_bfgs=phi)
    product = learned(Fixed(phi), H, [(s, y)]) @ B
    np.testing.assert_allclose(product, np.eye(6), atol=1e-10)


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_secant_equation(rule):
    """H+ y = s, scaled or not: the last term of the update makes it so."""
    rng = np.random.default_rng(5)
    A, H0 = random_spd(rng, 8), random_spd(rng, 8)
    pairs = [(s, A @ s) for s in rng.standard_normal((10, 8))]
    for k in range(1, 11):
        s, y = pairs[k - 1]
        np.testing.assert_allclose(learned(rule, H0, pairs[:k]) @ y, s, atol=1e-10)


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_stays_positive_definite(rule):
    """For every pair with s'y > 0, of no Hessian in particular."""
    rng = np.random.default_rng(6)
    for _ in range(50):
        s, y = random_pair(rng, 4)
        y = y + max(0.0, 0.1 - (s @ y) / (s @ s)) * s  # s'y >= s's / 10
        H = learned(rule, random_spd(rng, 4, kappa=10.0), [(s, y)])
        np.linalg.cholesky(H)


@libraries
def test_symmetric_matrix(kind):
    """Product, rank-two update and the full matrix, where NumPy keeps one triangle only."""
    rng = np.random.default_rng(7)
    A = random_spd(rng, 6)
    p, q, v = rng.standard_normal((3, 6))
    M = SymmetricMatrix.of(like(A, kind))
    M.scale = 0.5
    M.add_rank_two(like(p, kind), like(q, kind), 3.0)
    expected = 0.5 * A + 3.0 * (np.outer(p, q) + np.outer(q, p))
    eps = float(np.finfo(str(kind.dtype).rpartition(".")[2]).eps)
    atol = 1e3 * eps * np.abs(A).max()
    full = to_numpy(M.full())
    np.testing.assert_allclose(full, expected, atol=atol)
    np.testing.assert_allclose(full, full.T, atol=atol)
    np.testing.assert_allclose(to_numpy(M @ like(v, kind)), expected @ v, atol=atol)


def test_the_matrix_given_as_H0_is_not_written_to():
    H0 = np.eye(3)
    learned(Fixed(1.0), H0, [random_pair(np.random.default_rng(8), 3)])
    np.testing.assert_array_equal(H0, np.eye(3))


# ------------------------------------------------------------------------------------- self-scaling


def urban(b, h, n):
    """``phi_k`` and ``tau_k`` of Urban, Stefanou & Pons (2025), section 2.3, in the paper's own steps.

    There ``b_k = s'Bs / s'y``, ``h_k = y'Hy / s'y`` and ``a_k = h_k b_k - 1``.
    """
    a = h * b - 1.0
    c = math.sqrt(a / (a + 1.0))
    rho_minus = min(1.0, h * (1.0 - c))
    theta_minus = (rho_minus - 1.0) / a
    theta_plus = 1.0 / rho_minus
    theta = max(theta_minus, min(theta_plus, (1.0 - b) / b))
    sigma = 1.0 + a * theta
    rho_plus = min(1.0, 1.0 / b)
    sigma_power = sigma ** (-1.0 / (n - 1.0))
    if theta <= 0.0:
        tau = min(rho_plus * sigma_power, sigma)
    else:
        tau = rho_plus * min(sigma_power, 1.0 / theta)
    return (1.0 - theta) / sigma, tau


@pytest.mark.parametrize("n", [2, 5, 100])
def test_ssbroyden_is_urban_stefanou_and_pons(n):
    rng = np.random.default_rng(9)
    for b, excess in zip(
        10.0 ** rng.uniform(-3, 3, 50), 10.0 ** rng.uniform(-6, 4, 50), strict=True
    ):
        h = (1.0 + excess) / b
        assert SelfScaledBroyden()(b, h, n, False) == pytest.approx(urban(b, h, n), rel=1e-9)


def test_al_baalis_bounds():
    """theta stays in [theta-, theta+], where B+ stays definite, and tau in (0, 1] (Al-Baali 1998)."""
    rng = np.random.default_rng(10)
    for b, excess in zip(
        10.0 ** rng.uniform(-3, 3, 200), 10.0 ** rng.uniform(-6, 4, 200), strict=True
    ):
        h = (1.0 + excess) / b
        phi, tau = SelfScaledBroyden()(b, h, 10, False)
        a = b * h - 1.0
        theta = (1.0 - phi) / (1.0 + a * phi)  # phi and theta are involutions of one another
        rho = min(1.0, h * (1.0 - math.sqrt(a / (1.0 + a))))
        assert (rho - 1.0) / a - 1e-6 <= theta <= 1.0 / rho * (1.0 + 1e-6)
        assert 0.0 < tau <= 1.0
        assert SelfScaledBFGS()(b, h, 10, False) == (1.0, min(1.0, 1.0 / b))


def test_ssbroyden_where_bfgs_and_dfp_agree():
    """For y parallel to Bs, a = 0, theta has no value and none is needed."""
    phi, tau = SelfScaledBroyden()(2.0, 0.5, 3, False)
    assert (phi, tau) == (1.0, 0.5)
    H = learned(SelfScaledBroyden(), np.eye(3), [(np.ones(3), 2.0 * np.ones(3))])
    np.testing.assert_allclose(H @ (2.0 * np.ones(3)), np.ones(3))


def test_a_matrix_that_lost_its_definiteness_is_left_alone():
    """y'Hy <= 0 can only be round-off; the next direction's descent test resets the method."""
    curvature = BroydenClass(Fixed(1.0))
    operator = DenseInverse(SymmetricMatrix.of(-np.eye(2)), False)
    s = np.ones(2)
    after = curvature.update(operator, pair_of(s, s, s), point_at(s))
    np.testing.assert_array_equal(after.H.full(), -np.eye(2))
