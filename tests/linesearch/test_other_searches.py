"""Fixed steps, exact steps, searches on values, Nash's step and the non-monotone ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rays import MORE_THUENTE, STARTS, Recorded, assert_honest, quadratic
from scipy import optimize

from secant.linesearch import (
    Backtracking,
    Brent,
    ExactQuadratic,
    FixedStep,
    GoldenSection,
    HagerZhang,
    Inverse,
    InverseSqrt,
    MoreThuente,
    Nash,
    NonMonotone,
    NonMonotoneAverage,
    StrongWolfe,
)

VALUE_SEARCHES = (GoldenSection, Brent)
BACKTRACKING = tuple(Backtracking(interpolation=how) for how in ("none", "quadratic", "cubic"))
ALL = (
    FixedStep(),
    FixedStep([1.0, 0.5]),
    FixedStep(Inverse(1.0)),
    ExactQuadratic(),
    GoldenSection(),
    Brent(),
    *BACKTRACKING,
    Nash(),
    NonMonotone(),
    NonMonotoneAverage(),
    HagerZhang(),
    StrongWolfe(),
    MoreThuente(),
)


def name_of(search):
    return repr(search)


# ----------------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("search", ALL, ids=name_of)
def test_backs_out_of_a_region_without_values(search):
    phi, slope = quadratic(0.01)
    recorded = Recorded(lambda a: phi(a) if a < 0.015 else math.nan, slope)
    trial = search(recorded.ray(), 1.0)
    assert 0.0 < trial.alpha < 0.015
    assert_honest(recorded, trial, budget=60)


@pytest.mark.parametrize("search", ALL, ids=name_of)
def test_a_ray_without_any_finite_value_ends_at_the_start(search):
    recorded = Recorded(lambda a: 1.0 if a == 0.0 else math.nan, lambda a: -1.0)
    ray = recorded.ray()
    assert search(ray, 1.0) is ray.start
    assert_honest(recorded, ray.start, budget=500)


@pytest.mark.parametrize("search", ALL, ids=name_of)
def test_settings_are_plain_and_comparable(search):
    assert eval(repr(search)) == search
    assert hash(search) == hash(eval(repr(search)))


@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
@pytest.mark.parametrize("search", ALL, ids=name_of)
def test_single_precision_of_other_libraries(search, library):
    xp = pytest.importorskip(library)
    recorded = Recorded(
        *quadratic(0.7, 2.0, 3.0), lambda values: xp.asarray(values, dtype=xp.float32)
    )
    trial = search(recorded.ray(), 1.0)
    assert trial.f < 0.49 + 3.0
    assert isinstance(trial.f, float)
    assert isinstance(trial.slope, float)
    assert len(recorded.alphas) <= 40


# ------------------------------------------------------------------------------------ fixed steps


def test_fixed_step_takes_whatever_value():
    recorded = Recorded(*quadratic(1.0))
    trial = FixedStep(100.0)(recorded.ray(), 1.0)
    assert (trial.alpha, recorded.alphas, recorded.slopes_at) == (100.0, [100.0], [])


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [
        (0.5, [0.5, 0.5, 0.5, 0.5]),
        ([1.0, 0.5, 0.2], [1.0, 0.5, 0.2, 0.2]),
        (Inverse(2.0), [2.0, 1.0, 2.0 / 3.0, 0.5]),
        (Inverse(1.0, delay=2.0), [1.0, 2.0 / 3.0, 0.5, 0.4]),
        (InverseSqrt(1.0), [1.0, 0.5**0.5, 3.0**-0.5, 0.5]),
        (lambda k: 0.9**k, [1.0, 0.9, 0.81, 0.729]),
    ],
)
def test_step_sequences(alpha, expected):
    search = FixedStep(alpha)
    memory = search.begin(1.0)
    steps = []
    for _ in range(4):
        trial = search(Recorded(*quadratic(1.0)).ray(), 1.0, memory)
        memory = search.learn(memory, trial)
        steps.append(trial.alpha)
    assert steps == pytest.approx(expected)


@pytest.mark.parametrize("alpha", [0.0, -1.0, math.inf, [], [1.0, 0.0]])
def test_senseless_fixed_steps_are_refused(alpha):
    with pytest.raises(ValueError, match="alpha must be"):
        FixedStep(alpha)


def test_a_schedule_that_ends_is_named():
    with pytest.raises(ValueError, match=r"alpha\(3\) must be a positive"):
        FixedStep(lambda k: 3.0 - k).at(3)


# ------------------------------------------------------------------------------------- exact steps


def test_exact_on_a_quadratic():
    recorded = Recorded(*quadratic(0.37, 5.0))
    trial = ExactQuadratic()(recorded.ray(), 1.0)
    assert trial.alpha == pytest.approx(0.37, rel=1e-8)
    assert len(recorded.alphas) == 1


def test_exact_step_on_negative_curvature_goes_far():
    recorded = Recorded(lambda a: math.cos(a + 0.1), lambda a: -math.sin(a + 0.1))
    trial = ExactQuadratic()(recorded.ray(), 0.5)
    assert trial.f < -0.4
    assert_honest(recorded, trial, budget=5)


def test_exact_step_of_no_quadratic_does_not_go_up():
    recorded = Recorded(lambda a: math.log(math.cosh(a - 3.0)), lambda a: math.tanh(a - 3.0))
    trial = ExactQuadratic()(recorded.ray(), 1.0)
    assert trial.alpha > 0.0
    assert trial.f <= recorded.phi(0.0)


# -------------------------------------------------------------------------------- searches on values


@pytest.mark.parametrize("alpha0", STARTS)
@pytest.mark.parametrize("kind", VALUE_SEARCHES)
def test_value_searches_find_the_minimum_of_a_parabola(kind, alpha0):
    recorded = Recorded(*quadratic(1.3))
    trial = kind(tol=1e-6)(recorded.ray(), alpha0)
    assert trial.alpha == pytest.approx(1.3, rel=1e-6)
    assert recorded.slopes_at == []
    assert_honest(recorded, trial, budget=60)


@pytest.mark.parametrize("name", ["1", "2", "4", "5", "6"])
@pytest.mark.parametrize("kind", VALUE_SEARCHES)
def test_value_searches_agree_with_scipy(kind, name):
    phi, _ = MORE_THUENTE[name][0]
    bracket = optimize.bracket(phi, 0.0, 0.1)[:3]
    expected = optimize.brent(phi, brack=bracket, tol=1e-8)
    recorded = Recorded(*MORE_THUENTE[name][0])
    trial = kind(tol=1e-6)(recorded.ray(), 0.1)
    assert trial.f == pytest.approx(phi(expected), rel=1e-9)
    assert trial.alpha == pytest.approx(expected, rel=1e-4)


def test_brent_needs_fewer_evaluations_than_golden_section():
    costs = []
    for search in (Brent(tol=1e-6), GoldenSection(tol=1e-6)):
        recorded = Recorded(*MORE_THUENTE["2"][0])
        search(recorded.ray(), 0.1)
        costs.append(len(recorded.alphas))
    assert 2 * costs[0] < costs[1]


def test_brent_costs_about_what_scipy_costs():
    for pair, _, _ in MORE_THUENTE.values():
        recorded = Recorded(*pair)
        Brent(tol=1e-6)(recorded.ray(), 0.1)
        calls = optimize.brent(pair[0], brack=(0.0, 0.1), tol=1e-6, full_output=True)[3]
        assert len(recorded.alphas) <= calls + 5


@pytest.mark.parametrize("kind", VALUE_SEARCHES)
def test_value_searches_take_what_the_documentation_lists_first(kind):
    search = kind(1e-3, 2.0)
    assert (search.tol, search.growth, search.max_trials) == (1e-3, 2.0, 60)


@pytest.mark.parametrize("kind", VALUE_SEARCHES)
def test_value_searches_stop_at_round_off(kind):
    recorded = Recorded(*quadratic(1.0, 1.0, 1e6))
    trial = kind(tol=1e-15)(recorded.ray(), 0.4)
    assert trial.alpha == pytest.approx(1.0, abs=1e-4)
    assert_honest(recorded, trial, budget=40)


@pytest.mark.parametrize("kind", VALUE_SEARCHES)
@pytest.mark.parametrize("wall", [1.01, 1.5, 50.0])
def test_value_searches_with_a_wall(kind, wall):
    phi, slope = quadratic(1.0)
    recorded = Recorded(lambda a: phi(a) if a < wall else math.nan, slope)
    trial = kind(tol=1e-4)(recorded.ray(), 1e-2)
    assert trial.alpha == pytest.approx(1.0, abs=1e-3)
    assert_honest(recorded, trial, budget=60)


@pytest.mark.parametrize("kind", VALUE_SEARCHES)
def test_value_searches_on_an_unbounded_ray(kind):
    recorded = Recorded(lambda a: -a, lambda a: -1.0)
    trial = kind()(recorded.ray(), 1.0)
    assert trial.alpha == max(recorded.alphas) > 1e10


@pytest.mark.parametrize("kind", VALUE_SEARCHES)
def test_value_searches_on_kinks_and_plateaus(kind):
    recorded = Recorded(lambda a: abs(a - 1.0), lambda a: math.copysign(1.0, a - 1.0))
    assert kind()(recorded.ray(), 0.1).alpha == pytest.approx(1.0, abs=1e-4)
    flat = Recorded(lambda a: 1.0, lambda a: -1.0).ray()
    assert kind()(flat, 1.0) is flat.start


# -------------------------------------------------------------------------- backtracking and Nash


@pytest.mark.parametrize("alpha0", STARTS)
@pytest.mark.parametrize("name", MORE_THUENTE)
@pytest.mark.parametrize("search", BACKTRACKING, ids=name_of)
def test_backtracking_satisfies_armijo(search, name, alpha0):
    phi, slope = MORE_THUENTE[name][0]
    recorded = Recorded(phi, slope)
    trial = search(recorded.ray(), alpha0)
    assert phi(trial.alpha) <= phi(0.0) + search.c1 * trial.alpha * slope(0.0)
    assert recorded.slopes_at == []
    assert_honest(recorded, trial, budget=15)


def test_backtracking_halves():
    recorded = Recorded(*quadratic(1.0))
    assert Backtracking()(recorded.ray(), 8.0).alpha == 1.0
    assert recorded.alphas == [8.0, 4.0, 2.0, 1.0]
    assert Backtracking(rho=0.1)(recorded.ray(), 8.0).alpha == pytest.approx(0.8)


@pytest.mark.parametrize("how", ["quadratic", "cubic"])
def test_interpolation_hits_the_minimum_of_a_parabola(how):
    recorded = Recorded(*quadratic(1.0))
    trial = Backtracking(interpolation=how)(recorded.ray(), 4.0)
    assert trial.alpha == pytest.approx(1.0)
    assert len(recorded.alphas) == 2


@pytest.mark.parametrize("search", BACKTRACKING, ids=name_of)
def test_backtracking_ends_at_round_off(search):
    recorded = Recorded(*quadratic(1.0, 1e-10, 1e8))
    trial = search(recorded.ray(), 1.0)
    assert (trial.alpha, len(recorded.alphas)) == (1.0, 1)


def test_nash_reduces_by_its_factor():
    recorded = Recorded(*quadratic(1.0))
    trial = Nash()(recorded.ray(), 25.0)
    assert recorded.alphas == pytest.approx([25.0, 5.0, 1.0])
    assert trial.alpha == pytest.approx(1.0)


def test_nash_ends_when_no_weight_changes():
    def evaluate(x):
        return x[0], lambda: np.array([-1.0])  # a wrong gradient

    from secant.linesearch import ray
    from secant.problem import Problem

    problem = Problem(evaluate)
    r = ray(problem, problem.at(np.array([1.0])), np.array([1.0]))
    assert Nash()(r, 1.0) is r.start
    assert problem.counts.nfev < 30


# ------------------------------------------------------------------------------------ non-monotone


def bumpy() -> Recorded:
    """Slope -1 at first, but at the first trial, 1, already above the start."""
    return Recorded(lambda a: -a + 1.5 * a * a, lambda a: -1.0 + 3.0 * a)


def test_non_monotone_accepts_what_is_below_the_reference():
    search = NonMonotone(memory=3)
    memory = search.begin(5.0)
    assert search(bumpy().ray(), 1.0, memory).alpha == 1.0
    for _ in range(3):
        memory = search.learn(memory, bumpy().ray().start)
    assert memory == (0.0, 0.0, 0.0)
    assert search(bumpy().ray(), 1.0, memory).alpha < 1.0


@pytest.mark.parametrize("inner", [Backtracking(), HagerZhang(), StrongWolfe(), MoreThuente()])
def test_with_a_memory_of_one_it_is_the_search_itself(inner):
    outer = NonMonotone(inner, memory=1)
    for pair, _, _ in MORE_THUENTE.values():
        for alpha0 in STARTS:
            plain, wrapped = Recorded(*pair), Recorded(*pair)
            inner(plain.ray(), alpha0)
            ray = wrapped.ray()
            outer(ray, alpha0, outer.begin(ray.start.f))
            assert plain.alphas == wrapped.alphas


def test_average_of_zhang_and_hager():
    search = NonMonotoneAverage(eta=0.5)
    memory = search.begin(4.0)
    trial = Recorded(lambda a: 1.0, lambda a: 0.0).ray().start
    memory = search.learn(memory, trial)
    assert memory == pytest.approx(((0.5 * 4.0 + 1.0) / 1.5, 1.5))
    assert NonMonotoneAverage(eta=0.0).learn((4.0, 1.0), trial) == (1.0, 1.0)
    assert NonMonotoneAverage(eta=1.0).learn((4.0, 1.0), trial) == (2.5, 2.0)
    assert search(bumpy().ray(), 1.0, memory).alpha == 1.0


def test_a_search_with_memory_cannot_be_wrapped():
    with pytest.raises(ValueError, match="search must be a line search without memory"):
        NonMonotone(FixedStep())


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: StrongWolfe(c2=None), "c2 must be from c1 = 0.0001 to below 1, got None"),
        (lambda: StrongWolfe(growth="fast"), "growth must be above 1, got 'fast'"),
        (lambda: HagerZhang(rho=[5]), r"rho must be above 1, got \[5\]"),
        (lambda: Brent(growth=None), "growth must be a positive finite number, got None"),
        (lambda: NonMonotoneAverage(eta="all"), "eta must be between 0 and 1, got 'all'"),
        (lambda: Backtracking(max_trials=True), "max_trials must be an integer >= 1, got True"),
    ],
)
def test_constants_of_another_type_are_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_numbers_of_numpy_are_numbers():
    assert StrongWolfe(c2=np.float32(0.5), max_trials=np.int64(7)).max_trials == 7
