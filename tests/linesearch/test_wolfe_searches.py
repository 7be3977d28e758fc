"""What the searches with slopes promise, recomputed from scratch, within a budget."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rays import MORE_THUENTE, STARTS, Recorded, assert_honest, quadratic, satisfies_wolfe
from replay import HardSearch, hard_searches

from secant.linesearch import HagerZhang, MoreThuente, StrongWolfe

SEARCHES = (HagerZhang, StrongWolfe, MoreThuente)


def is_strong(search):
    return not isinstance(search, HagerZhang)


@pytest.mark.parametrize("alpha0", STARTS)
@pytest.mark.parametrize("name", MORE_THUENTE)
@pytest.mark.parametrize("kind", SEARCHES)
def test_more_thuente_functions(kind, name, alpha0):
    (phi, slope), mu, eta = MORE_THUENTE[name]
    search = kind(c1=mu, c2=eta)
    recorded = Recorded(phi, slope)
    trial = search(recorded.ray(), alpha0)
    assert satisfies_wolfe(recorded, trial.alpha, mu, eta, is_strong(search))
    assert_honest(recorded, trial, budget=30)


@pytest.mark.parametrize(("c1", "c2"), [(1e-4, 0.9), (0.1, 0.1), (1e-4, 1e-3), (0.4, 0.45)])
@pytest.mark.parametrize("kind", SEARCHES)
def test_the_constants_are_used(kind, c1, c2):
    """Neither the first trial nor any later one is judged by other constants than the given ones."""
    for (phi, slope), _, _ in MORE_THUENTE.values():
        for alpha0 in STARTS:
            recorded = Recorded(phi, slope)
            search = kind(c1=c1, c2=c2)
            trial = search(recorded.ray(), alpha0)
            if not satisfies_wolfe(recorded, trial.alpha, c1, c2, is_strong(search)):
                assert c1 >= 0.4  # such strong demands need not be satisfiable
            rejected = [a for a in recorded.alphas if a != trial.alpha]
            assert not any(
                satisfies_wolfe(recorded, a, c1, c2, is_strong(search)) for a in rejected
            )


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_good_first_trial_costs_one_evaluation(kind):
    recorded = Recorded(*quadratic(1.0))
    trial = kind()(recorded.ray(), 1.0)
    assert trial.alpha == 1.0
    assert recorded.alphas == [1.0]


@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize("hard", hard_searches(), ids=lambda h: h.name)
def test_recorded_hard_searches(kind, hard: HardSearch):
    recorded = hard.recorded()
    search = kind()
    trial = search(recorded.ray(), hard.alpha0)
    assert satisfies_wolfe(recorded, trial.alpha, search.c1, search.c2, is_strong(search))
    assert_honest(recorded, trial, budget=20)


@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize("constant", [1e8, -1e8, 1e12])
@pytest.mark.parametrize("alpha0", [1.0, 0.3, 1.9])
def test_ends_at_round_off(kind, constant, alpha0):
    """The decrease of 1e-10 cannot be seen beside the constant, but the slopes can."""
    recorded = Recorded(*quadratic(1.0, 2e-10, constant))
    trial = kind(c2=0.5)(recorded.ray(), alpha0)
    assert abs(trial.slope) <= 0.5 * 2e-10
    assert_honest(recorded, trial, budget=5)


@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize("seed", range(5))
def test_noise_of_the_size_of_round_off(kind, seed):
    rng = np.random.default_rng(seed)
    phi, slope = quadratic(1.0, 1e-7, 1e8)
    recorded = Recorded(lambda a: phi(a) + 2e-8 * rng.standard_normal(), slope)
    trial = kind(c2=0.1)(recorded.ray(), 0.2)
    assert trial.alpha == pytest.approx(1.0, abs=0.1)
    assert_honest(recorded, trial, budget=10)


@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize("c2", [0.9, 0.1])
@pytest.mark.parametrize("alpha0", [0.125, 1.0, 100.0, 1e8])
def test_backs_out_of_a_region_without_values(kind, c2, alpha0):
    """10 x^2 - log x from 0.5 along -g, whose domain ends at alpha = 0.0625."""
    x0, d = 0.5, -8.0
    recorded = Recorded(
        lambda a: 10.0 * (x0 + a * d) ** 2 - math.log(x0 + a * d),
        lambda a: d * (20.0 * (x0 + a * d) - 1.0 / (x0 + a * d)),
    )
    search = kind(c2=c2)
    trial = search(recorded.ray(), alpha0)
    assert satisfies_wolfe(recorded, trial.alpha, search.c1, c2, is_strong(search))
    assert_honest(recorded, trial, budget=20)


@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("wall", [1.2, 2.0, 30.0])
def test_a_wall_met_while_expanding(kind, bad, wall):
    phi, slope = quadratic(1.0)
    recorded = Recorded(
        lambda a: phi(a) if a < wall else bad, lambda a: slope(a) if a < wall else bad
    )
    search = kind(c1=1e-3, c2=0.01)
    trial = search(recorded.ray(), 1e-3)
    assert trial.alpha < wall
    assert satisfies_wolfe(recorded, trial.alpha, search.c1, search.c2, is_strong(search))
    assert_honest(recorded, trial, budget=30)


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_wall_before_the_minimum(kind):
    """No trial has a small slope: the search ends close to the wall, with the lowest value seen."""
    recorded = Recorded(lambda a: -a if a < 1.0 else math.nan, lambda a: -1.0)
    trial = kind()(recorded.ray(), 0.1)
    assert 0.5 < trial.alpha < 1.0
    assert_honest(recorded, trial, budget=60)


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_finite_value_with_an_infinite_slope_is_rejected(kind):
    recorded = Recorded(
        lambda a: (a - 1.0) ** 2, lambda a: 2.0 * (a - 1.0) if a < 1.5 else math.inf
    )
    assert 0.0 < kind()(recorded.ray(), 3.0).alpha < 1.5


@pytest.mark.parametrize("kind", SEARCHES)
def test_unbounded_below(kind):
    recorded = Recorded(lambda a: -a, lambda a: -1.0)
    trial = kind()(recorded.ray(), 1.0)
    assert trial.alpha == max(recorded.alphas) > 1e10
    assert_honest(recorded, trial, budget=50)


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_kink(kind):
    """|a - 1| has no point with a small slope; the search ends near the kink, below the start."""
    recorded = Recorded(lambda a: abs(a - 1.0), lambda a: math.copysign(1.0, a - 1.0))
    trial = kind(c1=1e-4, c2=0.5)(recorded.ray(), 0.3)
    assert trial.alpha == pytest.approx(1.0, abs=0.5)
    assert trial.f < 1.0
    assert_honest(recorded, trial, budget=60)


@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize("alpha0", [0.0, -1.0, math.nan, math.inf])
def test_a_senseless_first_guess_is_replaced(kind, alpha0):
    recorded = Recorded(*quadratic(1.0))
    assert kind()(recorded.ray(), alpha0).alpha == 1.0


@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize("phi", [quadratic(-1.0), (lambda a: 1.0, lambda a: 0.0)])
def test_no_descent_ends(kind, phi):
    recorded = Recorded(*phi)
    trial = kind()(recorded.ray(), 1.0)
    assert trial.f <= recorded.phi(0.0) or trial.alpha == 0.0
    assert len(recorded.alphas) <= 50


@pytest.mark.parametrize("kind", SEARCHES)
def test_no_lower_trial_is_the_start(kind):
    """The slope says descent, the values do not: a wrong gradient."""
    recorded = Recorded(lambda a: a, lambda a: -1.0)
    ray = recorded.ray()
    assert kind()(ray, 1.0) is ray.start
    assert_honest(recorded, ray.start, budget=50)


@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize("budget", [1, 2, 3])
def test_the_budget_is_kept_and_the_best_trial_returned(kind, budget):
    phi, slope = MORE_THUENTE["3"][0]
    recorded = Recorded(phi, slope)
    trial = kind(c1=1e-4, c2=1e-3, max_trials=budget)(recorded.ray(), 1e-3)
    assert len(recorded.alphas) == budget
    assert trial.f == min(phi(a) for a in recorded.alphas)


@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize("name", ["1", "3", "4", "5", "6"])  # 2 cancels in single precision
def test_torch_single_precision(kind, name):
    torch = pytest.importorskip("torch")
    (phi, slope), mu, eta = MORE_THUENTE[name]
    recorded = Recorded(phi, slope, lambda values: torch.tensor(values, dtype=torch.float32))
    trial = kind(c1=mu, c2=max(eta, 0.05))(recorded.ray(), 0.1)
    assert trial.f < phi(0.0)
    if kind is not HagerZhang:
        assert abs(slope(trial.alpha)) <= 1.01 * max(eta, 0.05) * abs(slope(0.0))
    assert len(recorded.alphas) <= 20


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (HagerZhang, {"c1": 0.5}),
        (HagerZhang, {"c2": 0.05}),
        (HagerZhang, {"rho": 1.0}),
        (StrongWolfe, {"c2": 1.0}),
        (StrongWolfe, {"growth": 0.5}),
        (MoreThuente, {"xtol": -1.0}),
        (MoreThuente, {"max_trials": 0}),
    ],
)
def test_wrong_constants_are_named(kind, wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name} must be"):
        kind(**wrong)
