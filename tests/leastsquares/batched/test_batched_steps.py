"""Steps of many fits: normal equations, second derivatives in closed form and single fits are the oracles."""

from __future__ import annotations

import numpy as np
import pytest
from decays import decay, slopes

from secant.leastsquares.batched.box import Box
from secant.leastsquares.batched.columns import Given
from secant.leastsquares.batched.curves import Curves, Data
from secant.leastsquares.batched.fits import Fits
from secant.leastsquares.batched.lanes import joined, put, taken
from secant.leastsquares.batched.steps import acceleration, damped_step

X = np.linspace(0.0, 3.0, 11)[:, None]
K = 6


@pytest.fixture
def lanes():
    rng = np.random.default_rng(1)
    start = np.stack([rng.uniform(1.0, 3.0, K), rng.uniform(0.2, 2.0, K)])
    data = Data((X,), rng.standard_normal((11, K)), None)
    found = Fits(Curves(decay, False, 11), data, Given(slopes)).begin(np.arange(K), start)
    return found._replace(memory=found.memory._replace(damping=np.logspace(-6, 1, K)))


def dense(lanes, lane):
    """``J``, ``r`` and ``lambda D^2`` of one lane."""
    a, b = lanes.place.x[:, lane]
    J = np.concatenate(slopes(X, a, b), axis=1)
    r = lanes.place.Q[..., lane].T @ lanes.place.z[:, lane]  # its part in the range of J
    return J, r, lanes.memory.damping[lane] * np.diag(lanes.memory.scale[:, lane] ** 2)


def test_the_step_solves_the_normal_equations(lanes):
    v, T = damped_step(lanes, None)
    for lane in range(K):
        J, r, D2 = dense(lanes, lane)
        np.testing.assert_allclose(v[:, lane], np.linalg.solve(J.T @ J + D2, -J.T @ r), rtol=1e-9)
        np.testing.assert_allclose(T[..., lane].T @ T[..., lane], J.T @ J + D2, rtol=1e-12)


def test_the_acceleration_is_that_of_the_second_derivative(lanes):
    v, T = damped_step(lanes, None)
    a, b = lanes.place.x
    h = 1e-4
    ahead = decay(X, a + h * v[0], b + h * v[1])
    found = acceleration(lanes.place, T, v, (ahead - lanes.place.values) / h, h)
    for lane in range(K):
        J, _, D2 = dense(lanes, lane)
        x, rate = X[:, 0], np.exp(-b[lane] * X[:, 0])
        bend = -2.0 * x * rate * v[0, lane] * v[1, lane] + a[lane] * x**2 * rate * v[1, lane] ** 2
        expected = np.linalg.solve(J.T @ J + D2, -J.T @ bend)
        np.testing.assert_allclose(found[:, lane], expected, rtol=1e-3)


def test_a_step_in_a_box_satisfies_the_optimality_conditions(lanes):
    """Free variables solve their normal equations, the others being where the bounds hold them."""
    place = lanes.place
    low = place.x.min(axis=1, keepdims=True) - 0.01
    high = place.x.max(axis=1, keepdims=True) + 0.01
    v, _ = damped_step(lanes, Box(low, high))
    there = place.x + v
    assert (low - 1e-15 <= there).all()
    assert (there <= high + 1e-15).all()
    held = 0
    for lane in range(K):
        J, r, D2 = dense(lanes, lane)
        slope = J.T @ (J @ v[:, lane] + r) + D2 @ v[:, lane]
        size = np.linalg.norm(J.T @ r)
        at = np.isclose(there[:, lane], np.where(v[:, lane] > 0, high[:, 0], low[:, 0]), atol=1e-14)
        np.testing.assert_allclose(slope[~at], 0.0, atol=1e-10 * size)
        held += at.sum()
    assert held > 0


def test_lanes_are_taken_put_and_joined(lanes):
    whole = taken(lanes, np.arange(K))
    assert whole.place.x is lanes.place.x
    some = taken(lanes, np.array([1, 4]))
    np.testing.assert_array_equal(some.place.Q, lanes.place.Q[..., [1, 4]])
    both = joined(some, taken(lanes, np.array([0])))
    np.testing.assert_array_equal(both.number, [1, 4, 0])
    changed = put(taken(both, np.array([0, 1])), np.array([1]), taken(lanes, np.array([5])))
    np.testing.assert_array_equal(changed.number, [1, 5])
    np.testing.assert_array_equal(changed.memory.damping, lanes.memory.damping[[1, 5]])
