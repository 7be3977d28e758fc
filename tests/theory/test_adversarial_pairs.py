"""The compact form against 60 digits on pairs made to hurt it: never worse than the two loops.

Byrd, Nocedal & Schnabel solve with the triangle of ``S'Y``, the two loops never form it. With m = 100 pairs
of lengths over twelve orders, nearly parallel, or both, the compact form's error stays within a factor
of ten of the two loops' error, or of round-off where that is larger.
"""

import mpmath as mp
import numpy as np
import pytest
from test_limited_memory import scale, two_loops

from secant.curvature.limited_memory import PairRing
from secant.pair import SecantPair
from secant.problem import Problem

EPS = np.finfo(float).eps
NOWHERE = Problem(lambda x: (0.0, lambda: x))


def ring_of(S, Y):
    """A ring fed with these pairs, each between two points of its own."""
    zero = np.zeros(S.shape[1])
    ring = PairRing.empty(len(S), zero)
    for s, y in zip(S, Y, strict=True):
        before, after = NOWHERE.known(zero, 0.0, zero), NOWHERE.known(s, 0.0, y)
        ring.learn(SecantPair(1.0, s, before, after, -1.0), y)
    return ring


def by_two_loops(S, Y, g):
    pairs = list(zip(S, Y, strict=True))
    return two_loops(pairs, scale(pairs), g)


def in_60_digits(array):
    return np.vectorize(lambda x: mp.mpf(float(x)), otypes=[object])(array)


def error(value, exact):
    difference = in_60_digits(value) - exact
    return float(mp.sqrt((difference**2).sum() / (exact**2).sum()))


def hessian(n, rng):
    A = rng.standard_normal((n, n))
    return A @ A.T / n + np.diag(np.geomspace(1.0, 1e4, n))


def steps(kind, m, n, rng):
    S = rng.standard_normal((m, n))
    if kind == "falling":
        return S * np.geomspace(1.0, 1e-12, m)[:, None]
    if kind == "rising":
        return S * np.geomspace(1e-12, 1.0, m)[:, None]
    if kind == "mixed":
        return S * 10.0 ** rng.uniform(-12.0, 0.0, m)[:, None]
    nearly_parallel = rng.standard_normal(n) + 1e-7 * S
    if kind == "parallel":
        return nearly_parallel
    return nearly_parallel * 10.0 ** rng.uniform(-6.0, 0.0, m)[:, None]


@pytest.mark.parametrize("kind", ["falling", "rising", "mixed", "parallel", "parallel and mixed"])
@pytest.mark.parametrize(("m", "n"), [(10, 15), (100, 60)])
def test_never_worse_than_ten_times_the_two_loops(kind, m, n):
    rng = np.random.default_rng(len(kind) + m)
    S = steps(kind, m, n, rng)
    Y, g = S @ hessian(n, rng), rng.standard_normal(n)
    with mp.workdps(60):
        exact = by_two_loops(*map(in_60_digits, (S, Y, g)))
        compact, loops = error(ring_of(S, Y).solve(g), exact), error(by_two_loops(S, Y, g), exact)
    assert compact <= 10.0 * max(loops, 2.0 * EPS)


def test_a_direction_lost_to_overflow_is_replaced_by_a_reset():
    """The fallback: pairs whose products overflow give no descent, and the method starts again."""
    import secant

    def fun(x):
        with np.errstate(over="ignore"):
            return float(np.cosh(x).sum()), np.sinh(x)

    run = secant.start(fun, np.array([3.0, -2.0, 1.0]), jac=True)
    for _ in range(3):
        run.step()
    run.state.memory.W[:] = 1e300
    run.state.memory.Wg = None
    with np.errstate(all="ignore"):
        result = run.finish()
    assert result.success
    assert "not a descent direction, reset" in result.events
