"""The growing tridiagonal subproblem against the dense one."""

import numpy as np
import pytest

from secant.trustregion.more_sorensen import Secular
from secant.trustregion.tridiagonal import TridiagonalBall


def grown(diagonal, beside, size):
    """The ball of all rows, the last of which leads nowhere."""
    ball = TridiagonalBall(size, len(diagonal))
    for alpha, beta in zip(diagonal, [*beside, 0.0], strict=True):
        ball.append(alpha, beta)
    return ball


def matrix(diagonal, beside):
    return np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)


def model(T, size, h):
    return size * h[0] + 0.5 * h @ T @ h


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("radius", [1e-3, 0.3, 5.0, 1e4])
@pytest.mark.parametrize("shift", [0.0, 6.0])
def test_the_minimum_is_that_of_the_dense_problem(seed, radius, shift):
    """Indefinite matrices (shift 0) and definite ones, inside the ball and on its boundary."""
    rng = np.random.default_rng(seed)
    n, size = int(rng.integers(1, 12)), float(np.exp(rng.normal()))
    diagonal, beside = rng.normal(size=n) + shift, rng.uniform(0.1, 2.0, size=n - 1)
    T = matrix(diagonal, beside)
    ball = grown(diagonal, beside, size)
    exact, lam = Secular(size * np.eye(n)[0], T, 1e-10).solve(radius)
    h, reduction = ball.solve(radius)
    if lam == 0.0:
        np.testing.assert_allclose(h, np.linalg.solve(T, -size * np.eye(n)[0]), rtol=1e-9)
    assert np.linalg.norm(h) <= radius * (1.0 + 1e-12)
    lowest = model(T, size, exact)
    assert model(T, size, h) <= lowest + 5e-3 * abs(lowest)
    assert reduction == pytest.approx(-model(T, size, h), rel=1e-10)


def test_the_hard_case_needs_the_eigenvector():
    """g has no visible part in the lowest eigenvector: beyond -lambda_min the solution is inside."""
    diagonal, beside = [1.0, -2.0], [1e-13]
    ball = grown(diagonal, beside, 1.0)
    h, _ = ball.solve(10.0)
    assert np.linalg.norm(h) == pytest.approx(10.0, rel=1e-2)
    T = matrix(diagonal, beside)
    exact, _ = Secular(np.eye(2)[0], T, 1e-8).solve(10.0)
    assert model(T, 1.0, h) == pytest.approx(model(T, 1.0, exact), rel=1e-2)
