"""What the cheap subproblems promise: the Cauchy decrease, monotone paths, the boundary where f is concave."""

import itertools

import numpy as np
import pytest
from subproblem_cases import CASES, CONVEX, Case, symmetric

from secant.curvature.exact import HostMatrix
from secant.trustregion import Cauchy, Dogleg, Krylov, MoreSorensen, Steihaug
from secant.trustregion.step import in_iteration
from secant.trustregion.within_span import WithinSpan

ALL = {
    "cauchy": Cauchy(),
    "dogleg": Dogleg(),
    "steihaug": Steihaug(),
    "krylov": Krylov(),
    "more-sorensen": MoreSorensen(),
}


class Counted:
    """An operator that counts its products."""

    def __init__(self, B):
        self.B, self.products = B, 0

    def __matmul__(self, v):
        self.products += 1
        return self.B @ v


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("name", ALL)
def test_decrease_is_at_least_a_half_of_the_cauchy_bound(case, name):
    """N&W Lemma 4.3: m(0) - m(p) >= |g| min(radius, |g| / |B|) / 2."""
    step = ALL[name](case.g, case.operator)(case.radius)
    size = np.linalg.norm(case.g)
    bound = 0.5 * size * min(case.radius, size / np.linalg.norm(case.B, 2))
    assert step.predicted_reduction >= 0.8 * bound  # More-Sorensen's radius is met to a tenth
    assert step.predicted_reduction == pytest.approx(-case.m(step.p), rel=1e-6)
    assert step.length == pytest.approx(np.linalg.norm(step.p), rel=1e-6)
    assert step.length <= case.radius * (1.0 + 1e-9)


@pytest.mark.parametrize("case", [c for c in CASES if not c.name.startswith("hard")], ids=str)
def test_no_subproblem_beats_the_exact_one(case):
    best = MoreSorensen(tol=1e-9)(case.g, case.operator)(case.radius).predicted_reduction
    for subproblem in ALL.values():
        step = subproblem(case.g, case.operator)(case.radius)
        assert step.predicted_reduction <= best * (1.0 + 1e-6)


@pytest.mark.parametrize("case", CONVEX[::3], ids=str)
@pytest.mark.parametrize(
    "subproblem", [Dogleg(), Steihaug(rtol=1e-10), Krylov(rtol=1e-10)], ids=repr
)
def test_length_and_decrease_grow_with_the_radius(case, subproblem):
    within = subproblem(case.g, case.operator)
    full = np.linalg.norm(np.linalg.solve(case.B, case.g))
    steps = [within(radius) for radius in np.geomspace(1e-4 * full, 2.0 * full, 40)]
    lengths = [step.length for step in steps]
    values = [case.m(step.p) for step in steps]
    assert all(a <= b * (1.0 + 1e-9) for a, b in itertools.pairwise(lengths))
    assert all(b <= a + 1e-9 * abs(a) for a, b in itertools.pairwise(values))
    np.testing.assert_allclose(
        steps[-1].p, -np.linalg.solve(case.B, case.g), rtol=1e-5, atol=1e-6 * full
    )
    assert not steps[-1].on_boundary
    assert steps[0].on_boundary


@pytest.mark.parametrize("case", CASES[::2], ids=str)
def test_steihaug_begins_at_the_cauchy_point(case):
    first = Steihaug(max_iter=1)(case.g, case.operator)(case.radius)
    cauchy = Cauchy()(case.g, case.operator)(case.radius)
    np.testing.assert_allclose(first.p, cauchy.p, rtol=1e-12)
    assert Steihaug()(case.g, case.operator)(case.radius).predicted_reduction >= (
        cauchy.predicted_reduction * (1.0 - 1e-12)
    )


@pytest.mark.parametrize("case", CONVEX[::3], ids=str)
def test_every_iteration_of_steihaug_gains(case):
    n = len(case.g)
    steps = [
        Steihaug(rtol=1e-12, max_iter=k)(case.g, case.operator)(case.radius)
        for k in range(1, n + 1)
    ]
    reductions = [step.predicted_reduction for step in steps]
    assert all(a <= b * (1.0 + 1e-12) for a, b in itertools.pairwise(reductions))


@pytest.mark.parametrize(
    "subproblem", [Cauchy(), Dogleg(), Steihaug(), Krylov(), MoreSorensen()], ids=repr
)
def test_negative_curvature_leads_to_the_boundary(subproblem):
    B = np.diag([-1.0, -2.0, -3.0])
    step = subproblem(np.array([1.0, 1.0, 1.0]), HostMatrix(B))(2.0)
    assert step.on_boundary
    assert step.length == pytest.approx(2.0, rel=0.11)


@pytest.mark.parametrize("subproblem", [Steihaug(), Krylov()], ids=repr)
def test_smaller_radii_cost_no_product(subproblem):
    B, _ = symmetric(np.geomspace(0.1, 10.0, 12), 0)
    g = np.ones(12)
    counted = Counted(B)
    within = subproblem(g, counted)
    within(100.0)
    spent = counted.products
    for radius in (10.0, 1.0, 0.1):
        again = subproblem(g, HostMatrix(B))(radius)
        assert within(radius).predicted_reduction >= again.predicted_reduction * (1.0 - 1e-3)
    assert counted.products == spent


@pytest.mark.parametrize("case", [case for case in CASES if case.radius == 1e3], ids=str)
@pytest.mark.parametrize("subproblem", [Steihaug(), Krylov()], ids=repr)
def test_steps_for_smaller_radii_are_what_they_say(case, subproblem):
    """The path back: p, its length and its model value belong together, and to a fresh solution."""
    within = subproblem(case.g, case.operator)
    for radius in (1e3, 1.0, 0.1, 1e-3):
        step = within(radius)
        assert step.predicted_reduction == pytest.approx(-case.m(step.p), rel=1e-8)
        assert step.length == pytest.approx(np.linalg.norm(step.p), rel=1e-6)
        if isinstance(subproblem, Steihaug):
            alone = subproblem(case.g, case.operator)(radius)
            np.testing.assert_allclose(step.p, alone.p, rtol=1e-9, atol=1e-12 * radius)


def test_steihaug_asks_for_an_eighth_of_the_gradient():
    """min(1/8, sqrt |g|), and not more than the first iterate that meets it."""
    B, Q = symmetric(np.geomspace(0.1, 10.0, 12), 0)
    for size in (30.0, 1e-4):
        g = Q @ np.ones(12) * size
        eta = min(0.125, np.sqrt(np.linalg.norm(g)))
        counted = Counted(B)
        p = Steihaug()(g, counted)(1e6).p
        assert np.linalg.norm(g + B @ p) <= eta * np.linalg.norm(g)
        p = Steihaug(rtol=1e-12, max_iter=counted.products - 1)(g, HostMatrix(B))(1e6).p
        assert np.linalg.norm(g + B @ p) > eta * np.linalg.norm(g)


@pytest.mark.parametrize("subproblem", [Steihaug(), Krylov()], ids=repr)
def test_the_first_three_iterations_ask_for_half_the_gradient(subproblem):
    B, Q = symmetric(np.geomspace(0.1, 10.0, 12), 0)
    g = Q @ np.ones(12)
    size = np.linalg.norm(g)
    for k in range(3):
        loose, tight = Counted(B), Counted(B)
        p = subproblem.in_iteration(k)(g, loose)(1e6).p
        subproblem(g, tight)(1e6)
        assert 0.125 * size < np.linalg.norm(g + B @ p) <= 0.5 * size
        assert loose.products < tight.products
    small = 1e-4 * g
    p = subproblem.in_iteration(0)(small, HostMatrix(B))(1e6).p  # sqrt |g| is less than either
    assert np.linalg.norm(small + B @ p) <= np.linalg.norm(small) ** 1.5


@pytest.mark.parametrize("kind", [Steihaug, Krylov])
def test_what_is_never_loose(kind):
    """Later iterations, and an accuracy that was asked for."""
    assert kind().in_iteration(3) == kind()
    assert kind(rtol=0.3).in_iteration(0) == kind(rtol=0.3)
    assert in_iteration(MoreSorensen(), 0) == MoreSorensen()
    within = WithinSpan(kind())
    assert within.in_iteration(3) is within
    assert within.in_iteration(0) != within


def test_krylov_is_not_loose_on_the_boundary():
    """Near a saddle the direction of negative curvature decides where the run ends."""
    B, Q = symmetric([-1.0, 1.0, 2.0, 3.0, 4.0, 5.0], 1)
    g = Q @ np.array([1e-3, 1.0, 1.0, 1.0, 1.0, 1.0])
    first = Krylov().in_iteration(0)(g, HostMatrix(B))(0.5)
    assert first.on_boundary
    np.testing.assert_array_equal(first.p, Krylov()(g, HostMatrix(B))(0.5).p)
    assert first.predicted_reduction > Steihaug()(g, HostMatrix(B))(0.5).predicted_reduction


def test_krylov_is_exact_on_the_boundary_where_steihaug_stops():
    B, Q = symmetric([-1.0, 1.0, 2.0, 3.0, 4.0, 5.0], 1)
    g = Q @ np.array([1e-3, 1.0, 1.0, 1.0, 1.0, 1.0])
    case = Case("indefinite", g, B, 5.0)
    exact = MoreSorensen(tol=1e-8)(g, case.operator)(5.0)
    krylov = Krylov(rtol=1e-6)(g, case.operator)(5.0)
    steihaug = Steihaug(rtol=1e-6)(g, case.operator)(5.0)
    assert krylov.predicted_reduction >= 0.998 * exact.predicted_reduction
    assert steihaug.predicted_reduction < krylov.predicted_reduction


def test_dogleg_on_an_indefinite_matrix_uses_the_whole_ball():
    """The shifted Newton point is interior; the step goes on along it."""
    step = Dogleg()(np.array([1.0, 0.1]), HostMatrix(np.zeros((2, 2))))(1e6)
    assert step.on_boundary
    assert step.length == pytest.approx(1e6)
