"""Gradients of the benchmark's own problems against differences of their values."""

import numpy as np
import pytest

from benchmarks import families, real_data
from benchmarks.valley import valley

SMALL = families.families(12)


def central_difference(f, x, v, h):
    return (f(x + h * v) - f(x - h * v)) / (2.0 * h)


def assert_gradient(value, g, x, rng, step=1e-5):
    # along random directions, for an error in any component shows in almost all of them
    for _ in range(4):
        v = rng.standard_normal(x.shape)
        h = step * (1.0 + np.abs(x).max())
        expected = central_difference(value, x, v, h)
        scale = np.abs(g) @ np.abs(v) + 1e-8 * abs(value(x)) / h
        assert abs(g @ v - expected) <= 1e-6 * scale


@pytest.mark.parametrize("f", SMALL, ids=str)
def test_gradients_of_the_families(f):
    rng = np.random.default_rng(3)
    for spread in (0.0, 0.1, 0.5):
        x = f.start() + spread * rng.standard_normal(f.n)
        value, g = f.value_and_gradient(x)
        assert value == f(x)
        assert_gradient(f, g, x, rng)


@pytest.mark.parametrize("f", real_data.problems(), ids=str)
def test_gradients_on_real_data(f):
    rng = np.random.default_rng(4)
    scale = 1e-3 if "raw" in f.name else 1.0  # its columns are up to 4,000 long
    x = f.start() + 0.3 * scale * rng.standard_normal(f.n)
    _, g = f.value_and_gradient(x)
    assert_gradient(f, g, x, rng, 1e-5 * scale)


def test_known_minima_are_not_undercut():
    for f in SMALL:
        if f.f_star is not None:
            assert f(f.start()) >= f.f_star


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_gradient_of_the_valley(library):
    f = valley(20, library)
    x = f.start() + 0.3
    _, g = f(x)
    for j in (0, 1, 10, 19):
        up, down = x + 0.0, x + 0.0
        up[j] += 1e-6
        down[j] -= 1e-6
        assert float(g[j]) == pytest.approx((f(up)[0] - f(down)[0]) / 2e-6, rel=1e-5, abs=1e-6)
