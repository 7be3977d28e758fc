"""Limited-memory matrices in the span of their pairs: the basis, small curvatures, the subproblem."""

import copy
import math

import numpy as np
import pytest
import torch

import secant
from secant import problems
from secant.curvature.compact import CompactMatrix, DirectLimitedMemory, LimitedSR1
from secant.curvature.exact import HostMatrix
from secant.curvature.span import Span
from secant.pair import SecantPair
from secant.problem import Problem
from secant.trustregion import Dogleg, Krylov, Learned, MoreSorensen, Steihaug
from secant.trustregion.within_span import WithinSpan

SUBPROBLEMS = (Steihaug(rtol=1e-10), Krylov(rtol=1e-10), MoreSorensen(tol=1e-9))
TOGETHER = [
    (
        DirectLimitedMemory(4),
        Dogleg(),
    ),  # what it shifts an indefinite matrix by depends on the basis
    *(
        (curvature(4), one)
        for curvature in (DirectLimitedMemory, LimitedSR1)
        for one in SUBPROBLEMS
    ),
]


NOWHERE = Problem(lambda x: (0.0, lambda: x))


def at(x, g):
    """A point of a function whose gradient is ``g`` there."""
    return NOWHERE.known(x, 0.0, g)


DOUBLE = np.zeros(0)


def learned(curvature, A, steps, like=DOUBLE):
    """The operator after these steps along the gradient of ``x'Ax / 2``."""
    array = torch.asarray if isinstance(like, torch.Tensor) else np.asarray

    def given(x):
        return array(x, dtype=like.dtype)

    x = np.zeros(len(A))
    before = at(given(x), given(A @ x))
    B = curvature.init(before)
    for s in steps:
        x = x + s
        after = at(given(x), given(A @ x))
        B = curvature.update(B, SecantPair(1.0, given(s), before, after, math.nan), after)
        before = after
    return B


# ---------------------------------------------------------------------------------- the basis


@pytest.mark.parametrize("scale", [1.0, 1e-150, 1e140])
def test_a_basis_of_dependent_rows(scale):
    """Ten rows in a space of four: whatever their lengths, four coordinates hold them all."""
    rng = np.random.default_rng(0)
    W = rng.standard_normal((10, 4)) @ rng.standard_normal((4, 30))
    W *= scale * 10.0 ** rng.uniform(-8.0, 8.0, 10)[:, None]
    W[3] = 0.0
    span = Span.of(W @ W.T, np.arange(10)[::-1], 1e-12)
    assert span.rank == 4
    Q = np.stack([span.weights(e) for e in np.eye(4)]) @ W
    np.testing.assert_allclose(Q @ Q.T, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(span.rows, Q @ W.T, atol=1e-9 * np.abs(W).max())
    np.testing.assert_allclose(Q.T @ span.rows, W.T, atol=1e-7 * np.abs(W).max())
    v = rng.standard_normal(30)
    np.testing.assert_allclose(span.coordinates(W @ v), Q @ v, atol=1e-8)


def test_a_span_of_nothing():
    """Rows of zeros, and rows whose squares are not finite, span nothing that could be known."""
    for gram in (np.zeros((4, 4)), np.full((4, 4), np.inf), np.full((4, 4), np.nan)):
        span = Span.of(gram, np.arange(4), 1e-12)
        assert span.rank == 0
        assert span.coordinates(np.ones(4)).shape == (0,)
        assert not span.weights(np.zeros(0)).any()


# ------------------------------------------------------------------------------- the operators


@pytest.mark.parametrize("curvature", [DirectLimitedMemory(6), LimitedSR1(6)], ids=repr)
@pytest.mark.parametrize("like", [np.zeros(0, np.float32), torch.zeros(0)], ids=["numpy", "torch"])
def test_a_small_curvature_is_known_beside_a_large_one(curvature, like):
    """2 and 2e12: as ``sigma I`` less a correction, single precision holds the large one alone."""
    A = np.diag([2.0, 2e12])
    steps = np.array(
        [[1e6, 0.0], [0.0, 1e-6], [1e5, 1e-6], [1e6, -1e-7], [-1e4, 1e-5], [1.0, 1e-6]]
    )
    B = learned(curvature, A, steps, like)
    assert B.sigma > 1e9 or not B.is_definite
    x = like.new_tensor([1.0, 0.0]) if isinstance(like, torch.Tensor) else np.float32([1.0, 0.0])
    assert float((B @ x)[0]) == pytest.approx(2.0, rel=1e-3)
    assert float(B.solve(x, 2.0)[0]) == pytest.approx(0.25, rel=1e-3)
    assert (B @ x).dtype == x.dtype
    assert np.linalg.eigvalsh(B.dense())[0] == pytest.approx(2.0, rel=1e-3)


@pytest.mark.parametrize("memory", [1, 3, 10])
@pytest.mark.parametrize("curvature", [DirectLimitedMemory, LimitedSR1])
def test_products_solutions_and_the_whole_matrix_agree(curvature, memory):
    rng = np.random.default_rng(1)
    n = 12
    A = np.diag(np.geomspace(1.0, 1e3, n))
    B = learned(curvature(memory), A, rng.standard_normal((7, n)))
    whole, v = B.dense(), rng.standard_normal(n)
    np.testing.assert_allclose(whole, whole.T, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(B @ v, whole @ v, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(
        whole @ B.solve(v) + 3.0 * B.solve(v), v + 3.0 * B.solve(v), atol=1e-6
    )
    np.testing.assert_allclose((whole + 3.0 * np.eye(n)) @ B.solve(v, 3.0), v, rtol=1e-6, atol=1e-7)


def test_pairs_that_repeat_each_other_leave_the_matrix_definite():
    """Ten pairs in two dimensions, of which eight say nothing new."""
    A = np.diag([2.0, 4e10])
    rng = np.random.default_rng(3)
    steps = rng.standard_normal((25, 2)) * np.array([1e4, 1.0])
    B = learned(DirectLimitedMemory(10), A, steps)
    assert B.span.rank == 2
    lowest, highest = np.linalg.eigvalsh(B.dense())
    assert 0.0 < lowest < 1e4
    assert highest == pytest.approx(4e10, rel=1e-2)
    s = steps[-1]
    np.testing.assert_allclose(B @ s, A @ s, rtol=1e-6)


@pytest.mark.parametrize("curvature", [DirectLimitedMemory(3), LimitedSR1(3)], ids=repr)
def test_a_copy_learns_alone(curvature):
    A, rng = np.diag(np.geomspace(1.0, 30.0, 8)), np.random.default_rng(2)
    B = learned(curvature, A, rng.standard_normal((5, 8)))
    whole, x, s = B.dense(), np.ones(8), rng.standard_normal(8)
    before, after = at(x, A @ x), at(x + s, A @ (x + s))
    other = curvature.update(copy.deepcopy(B), SecantPair(1.0, s, before, after, math.nan), after)
    np.testing.assert_allclose(other @ s, A @ s, rtol=1e-8)
    np.testing.assert_array_equal(B.dense(), whole)
    assert (B.count, other.count) == (5, 6)


# ------------------------------------------------------------------------------ the subproblem


@pytest.mark.parametrize(("curvature", "subproblem"), TOGETHER, ids=repr)
def test_the_step_is_that_of_the_whole_space(curvature, subproblem):
    rng = np.random.default_rng(5)
    n = 20
    B = learned(curvature, np.diag(np.geomspace(1.0, 50.0, n)), rng.standard_normal((6, n)))
    g = rng.standard_normal(n)
    whole, small = subproblem(g, HostMatrix(B.dense())), WithinSpan(subproblem)(g, B)
    for radius in (10.0, 0.3, 1e-3):
        expected, step = whole(radius), small(radius)
        np.testing.assert_allclose(step.p, expected.p, rtol=1e-5, atol=1e-7 * expected.length)
        assert step.predicted_reduction == pytest.approx(expected.predicted_reduction, rel=1e-6)
        assert step.on_boundary == expected.on_boundary
        assert step.length == pytest.approx(float(np.linalg.norm(step.p)), rel=1e-6)


def test_before_any_pair_and_inside_the_span():
    g = np.array([3.0, 4.0])
    B = CompactMatrix.empty(5, at(np.zeros(2), g), is_definite=True)
    step = WithinSpan(Steihaug())(g, B)(100.0)
    np.testing.assert_allclose(step.p, -g / B.sigma)
    A = np.diag([1.0, 10.0])
    B = learned(DirectLimitedMemory(5), A, np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert B.split(g).outside == 0.0
    np.testing.assert_allclose(WithinSpan(Steihaug(rtol=1e-12))(g, B)(100.0).p, [-3.0, -0.4])


# -------------------------------------------------------------------------------- the first pair


def test_the_first_pair_replaces_the_guessed_scale_whatever_that_expected():
    """``sigma = 1e6`` where f's curvature is 2: the pair is 1e-6 of what was expected, and right."""
    source = Learned(DirectLimitedMemory(5))
    g = np.array([1e6, 0.0])
    before, after = at(np.array([1.0, 1.0]), g), at(np.array([0.0, 1.0]), g - [2.0, 0.0])
    B = source.init(before)
    assert B.sigma > 1e5
    s = np.array([-1.0, 0.0])
    B, event = source.learn(B, SecantPair(1.0, s, before, after, math.nan, Bs=B @ s), after)
    assert (event, B.sigma, B.count) == ("", 2.0, 1)
    # once there is a model, what it expects does count
    flat = at(np.array([-1.0, 1.0]), after.g - [2e-9, 0.0])
    B, event = source.learn(B, SecantPair(1.0, s, after, flat, math.nan, Bs=B @ s), flat)
    assert (event, B.count) == ("pair skipped", 1)


def test_a_first_pair_of_rounding_is_left_out():
    source = Learned(DirectLimitedMemory(5))
    before = at(np.zeros(2), np.array([1.0, 1e9]))
    after = at(np.array([1.0, 0.0]), np.array([1.0 + 1e-9, 1e9 + 1e8]))
    memory = source.init(before)
    s = np.array([1.0, 0.0])
    pair = SecantPair(1.0, s, before, after, math.nan, Bs=source.model(before, memory)[0] @ s)
    assert 0.0 < pair.sy < np.finfo(float).eps * 1e8
    memory, event = source.learn(memory, pair, after)
    assert (event, source.is_initial(memory)) == ("pair skipped", True)


@pytest.mark.parametrize("method", ["tr-lbfgs", "tr-lsr1", "reg-lbfgs"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_units_of_1e6_and_1e_minus_6(method, dtype):
    f = problems.brown_badly_scaled()
    gtol = 1e-4 * 2e6 if dtype is np.float32 else 1e-6 * 2e6
    x0 = f.start().astype(dtype)
    result = secant.minimize(
        f.value_and_gradient, x0, jac=True, method=method, gtol=gtol, max_evals=200
    )
    assert result.status is secant.Status.GRADIENT
    assert result.x.dtype == dtype
    np.testing.assert_allclose(result.x, [1e6, 2e-6], rtol=1e-3)
