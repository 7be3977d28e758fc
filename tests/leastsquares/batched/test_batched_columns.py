"""Derivatives of the model of many fits: closed forms are the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from decays import decay, slopes

from secant.leastsquares.batched.box import Box
from secant.leastsquares.batched.columns import Centred, ComplexStep, Given
from secant.leastsquares.batched.curves import Curves, Data

X = np.linspace(0.0, 3.0, 11)


@pytest.fixture
def p():
    rng = np.random.default_rng(1)
    return np.stack([rng.uniform(-3.0, 3.0, 6), rng.uniform(1e-4, 2.0, 6)])


def columns_of(way, p, f=decay):
    curves, data = Curves(f, False, 11), Data((X[:, None],), np.zeros((11, 1)), None)
    out = np.zeros((2, 11, 6))
    way(curves, data, p, curves.values(data, p), out)
    return out


@pytest.mark.parametrize(("way", "tolerance"), [(Centred(), 1e-9), (ComplexStep(), 1e-15)])
def test_columns_are_the_derivatives(way, tolerance, p):
    found = columns_of(way, p)
    for column, expected in zip(found, slopes(X[:, None], *p), strict=True):
        size = np.abs(expected).max(axis=0)
        assert (np.abs(column - expected) <= tolerance * size).all()


def test_given_columns_may_be_constant(p):
    found = columns_of(Given(lambda x, a, b: [1.0, x]), p)
    np.testing.assert_array_equal(found[0], np.ones((11, 6)))
    np.testing.assert_array_equal(found[1], np.broadcast_to(X[:, None], (11, 6)))


@pytest.mark.parametrize("corner", ["lower", "upper", "near the lower", "narrow"])
def test_no_difference_leaves_the_box_or_loses_its_order(corner, p):
    low, high = p - 1.0, p + 1.0
    if corner == "lower":
        low = p
    elif corner == "upper":
        high = p
    elif corner == "near the lower":
        low = p - 1e-7 * np.abs(p)
    else:
        low, high = p - 1e-7 * np.abs(p), p + 1e-7 * np.abs(p)
    lanes = [
        (Box(low[:, i : i + 1], high[:, i : i + 1]), np.broadcast_to(p[:, i : i + 1], (2, 6)))
        for i in range(6)
    ]
    for i, (box, here) in enumerate(lanes):
        seen = []

        def watched(x, a, b, seen=seen):
            seen.append(np.stack([a, b]))
            return decay(x, a, b)

        found = columns_of(Centred(box), here, watched)
        for column, expected in zip(found, slopes(X, *p[:, i]), strict=True):
            size = np.abs(expected).max()
            assert np.abs(column[:, 0] - expected).max() <= 1e-8 * size
        for points in seen:
            assert (box.lower <= points).all()
            assert (points <= box.upper).all()


def test_evaluations_are_counted():
    assert [way.evaluations(3) for way in (Given(slopes), Centred(), ComplexStep())] == [0, 6, 3]
