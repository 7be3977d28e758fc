"""L-BFGS's compact form against the two-loop recursion, and against dense BFGS."""

import mpmath
import numpy as np
import pytest
import torch
from dense_formulas import pair_of, point_at, random_pair, update_H

from secant.arrays import like, to_numpy
from secant.curvature.limited_memory import LimitedMemory, PairRing
from secant.curvature.memoryless import Memoryless


def two_loops(pairs, gamma, v):
    """``H v`` by Nocedal & Wright, Algorithm 7.4; any type of number."""
    q, alphas = v, []
    for s, y in reversed(pairs):
        alpha = (s @ q) / (s @ y)
        q = q - alpha * y
        alphas.append(alpha)
    r = gamma * q
    for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
        beta = (y @ r) / (s @ y)
        r = r + (alpha - beta) * s
    return r


def scale(pairs):
    """``gamma = s'y / y'y`` of the last pair (N&W 7.20)."""
    s, y = pairs[-1]
    return (s @ y) / (y @ y)


def ring_of(pairs, memory, kind=None):
    """The library's ring after ``pairs``, which follow one another as steps do."""
    kind = np.zeros(0) if kind is None else kind
    n = len(pairs[0][0])
    curvature = LimitedMemory(memory)
    g = like(np.random.default_rng(0).standard_normal(n), kind)
    ring = curvature.init(point_at(like(np.zeros(n), kind), g))
    for s, y in pairs:
        ring.solve(g)  # as a run does: the products with g are kept for the next pair
        pair = pair_of(like(s, kind), like(y, kind), g=g)
        ring = curvature.update(ring, pair, pair.after)
        g = pair.after.g
    return ring


LIKES = {
    "numpy-float64": np.zeros(0),
    "numpy-float32": np.zeros(0, dtype=np.float32),
    "torch-float64": torch.zeros(0, dtype=torch.float64),
    "torch-float32": torch.zeros(0, dtype=torch.float32),
}


@pytest.mark.parametrize("kind", LIKES.values(), ids=LIKES.keys())
@pytest.mark.parametrize("memory", [*range(1, 11), 15, 20])
def test_compact_form_is_the_two_loop_recursion(memory, kind):
    """While the ring fills, and after it has been filled three times over."""
    rng = np.random.default_rng(memory)
    n = 30
    A = np.geomspace(1.0, 100.0, n)
    steps = [rng.standard_normal(n) for _ in range(3 * memory + 2)]
    pairs = [(s, A * s) for s in steps]
    eps = float(np.finfo(str(kind.dtype).rpartition(".")[2]).eps)
    v = rng.standard_normal(n)
    for count in {1, memory, memory + 1, 3 * memory + 2}:
        used = pairs[:count][-memory:]
        expected = two_loops(used, scale(used), v)
        got = to_numpy(ring_of(pairs[:count], memory, kind).solve(like(v, kind)))
        assert np.linalg.norm(got - expected) <= 1e3 * eps * np.linalg.norm(expected)


def exact(pairs, v):
    """``H v`` in 60 digits."""
    with mpmath.workdps(60):
        exact_pairs = [(Exact(s), Exact(y)) for s, y in pairs]
        r = two_loops(exact_pairs, scale(exact_pairs), Exact(v))
        return np.array([float(x) for x in r.x])


class Exact:
    """A vector of many digits, with the operators that the two loops use."""

    def __init__(self, x):
        self.x = [mpmath.mpf(float(a)) if not isinstance(a, mpmath.mpf) else a for a in x]

    def __matmul__(self, other):
        return mpmath.fdot(zip(self.x, other.x, strict=True))

    def __add__(self, other):
        return Exact([a + b for a, b in zip(self.x, other.x, strict=True)])

    def __sub__(self, other):
        return Exact([a - b for a, b in zip(self.x, other.x, strict=True)])

    def __rmul__(self, factor):
        return Exact([factor * a for a in self.x])


@pytest.mark.parametrize("tilt", [1e-1, 1e-2, 1e-3, 1e-4, 1e-5])
def test_nearly_parallel_pairs_cost_no_digits(tilt):
    """Consecutive steps that differ by ``tilt`` only, on a Hessian of condition 1e6.

    R = S'Y then has a condition number of 1 / tilt^2, and yet the triangular solves cost nothing:
    against 60 digits the worst of these is 7 eps for the compact form and 3 eps for the two loops.
    """
    n, memory = 20, 5
    A = np.geomspace(1.0, 1e6, n)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        base = rng.standard_normal(n)
        pairs = [(s, A * s) for s in base + tilt * rng.standard_normal((memory, n))]
        v = rng.standard_normal(n)
        expected = exact(pairs, v)
        error = np.linalg.norm(ring_of(pairs, memory).solve(v) - expected)
        assert error <= 50.0 * 2.0**-52 * np.linalg.norm(expected)


@pytest.mark.parametrize("memory", [3, 8])
def test_fixed_scale_is_dense_bfgs(memory):
    """With the same H0, L-BFGS of m >= k pairs is BFGS; with fewer, BFGS of the last m."""
    rng = np.random.default_rng(12)
    pairs = [random_pair(rng, 10) for _ in range(8)]
    ring = ring_of(pairs, memory)
    ring.gamma = 0.7
    H = 0.7 * np.eye(10)
    for s, y in pairs[-memory:]:
        H = update_H(H, s, y, phi=1.0)
    v = rng.standard_normal(10)
    np.testing.assert_allclose(ring.solve(v), H @ v, rtol=1e-7, atol=1e-9 * np.abs(H).max())


def test_secant_equation_of_the_last_pair():
    rng = np.random.default_rng(13)
    pairs = [random_pair(rng, 12) for _ in range(9)]
    s, y = pairs[-1]
    np.testing.assert_allclose(ring_of(pairs, 4).solve(y), s, atol=1e-8)
    curvature = Memoryless()
    memory = curvature.update(curvature.init(None), pair_of(s, y), point_at(s))
    np.testing.assert_allclose(memory.solve(y), s, atol=1e-12)


@pytest.mark.parametrize("scaled", [False, True])
def test_memoryless_is_one_bfgs_update(scaled):
    rng = np.random.default_rng(14)
    s, y = random_pair(rng, 6)
    gamma = (s @ y) / (y @ y) if scaled else 1.0
    curvature = Memoryless(scaled)
    memory = curvature.update(curvature.init(None), pair_of(s, y), point_at(s))
    v = rng.standard_normal(6)
    np.testing.assert_allclose(
        memory.solve(v), update_H(gamma * np.eye(6), s, y, 1.0) @ v, atol=1e-12
    )
    if scaled:
        np.testing.assert_allclose(memory.solve(v), ring_of([(s, y)], 1).solve(v), atol=1e-12)


def test_memory_is_one_block():
    """2 m n numbers, allocated once: an update works in place."""
    ring = ring_of([random_pair(np.random.default_rng(15), 6)], memory=3)
    assert isinstance(ring, PairRing)
    assert ring.W.shape == (6, 6)
    block = ring.W
    s, y = random_pair(np.random.default_rng(16), 6)
    pair = pair_of(s, y)
    assert LimitedMemory(3).update(ring, pair, pair.after).W is block
