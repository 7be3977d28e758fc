"""The acceptance tests, and what becomes of them at round-off."""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest
from rays import Recorded, quadratic

from secant.linesearch.acceptance import (
    armijo,
    decreases,
    decreases_by_value,
    reduction_ratio,
    strong_wolfe,
    weak_curvature,
    wolfe,
)


class Constants(NamedTuple):
    c1: float
    c2: float


TEST = Constants(1e-4, 0.9)


@pytest.mark.parametrize("alpha", [1e-3, 0.05, 0.5, 1.0, 1.5, 1.99, 2.01, 5.0])
@pytest.mark.parametrize("c1", [1e-4, 0.1, 0.3])
def test_as_printed_where_values_can_be_seen(alpha, c1):
    ray = Recorded(*quadratic(1.0)).ray()
    trial = ray(alpha)
    test = Constants(c1, 0.9)
    enough = trial.f <= 0.5 - c1 * alpha
    assert armijo(test, ray, trial) == enough
    assert decreases(test, ray, trial) == enough
    assert decreases_by_value(test, ray, trial) == enough
    assert wolfe(test, ray, trial) == (enough and alpha >= 0.1)
    assert strong_wolfe(test, ray, trial) == (enough and 0.1 <= alpha <= 1.9)


def test_slopes_decide_where_values_are_equal():
    ray = Recorded(*quadratic(1.0, 1e-10, 1e8)).ray()
    trials = [ray(alpha) for alpha in (0.5, 1.0, 1.9, 2.1, 5.0)]
    assert {trial.f for trial in trials} == {1e8}
    assert [decreases(TEST, ray, trial) for trial in trials] == [True, True, True, False, False]


def test_the_slope_of_a_value_is_evaluated_only_in_doubt():
    recorded = Recorded(*quadratic(1.0))
    ray = recorded.ray()
    decreases(TEST, ray, ray.value(1.0))
    decreases(TEST, ray, ray.value(5.0))
    assert recorded.slopes_at == []


def test_values_that_cannot_be_told_apart_decrease_enough():
    ray = Recorded(*quadratic(1.0, 1e-9, 1e8)).ray()
    assert decreases_by_value(TEST, ray, ray.value(1.0))
    assert not decreases_by_value(TEST, ray, ray.value(1e6))


def test_non_finite_trials_pass_no_test():
    ray = Recorded(lambda a: 1.0 if a == 0 else math.nan, lambda a: -1.0).ray()
    trial = ray(1.0)
    assert not trial.is_finite
    for test in (armijo, decreases, decreases_by_value, weak_curvature, wolfe, strong_wolfe):
        assert not test(TEST, ray, trial)


def test_decrease_is_measured_from_the_reference():
    ray = Recorded(*quadratic(1.0)).ray()
    trial = ray(3.0)
    assert not decreases(TEST, ray, trial)
    ray.reference = 4.0
    assert decreases(TEST, ray, trial)
    assert decreases_by_value(TEST, ray, trial)


def test_reduction_ratio():
    assert reduction_ratio(1.0, 2.0, 0.0) == 0.5
    assert reduction_ratio(-1e-17, 1e-17, 1e-10) == pytest.approx(1.0)
    assert reduction_ratio(-1.0, 1.0, 1e-10) == pytest.approx(-1.0)
    assert reduction_ratio(-math.inf, 1.0, 1e-10) == -math.inf
    assert reduction_ratio(math.nan, 1.0, 1e-10) == -math.inf
    assert reduction_ratio(1.0, -1.0, 1e-10) == -math.inf
    assert reduction_ratio(0.0, 0.0, 0.0) == -math.inf
