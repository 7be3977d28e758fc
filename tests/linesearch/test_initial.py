"""The step length that a search tries first."""

from __future__ import annotations

import numpy as np
import pytest
from rays import Recorded, quadratic

from secant.linesearch import (
    FromPreviousSlope,
    HagerZhangStep,
    Length,
    Previous,
    QuadraticFit,
    Ray,
    Relative,
    UnitStep,
    ray,
)
from secant.problem import Problem

RULES = (UnitStep(), FromPreviousSlope(), QuadraticFit(), HagerZhangStep())


def ray_at(x, scale=1.0) -> Ray:
    problem = Problem(lambda x: (0.5 * scale * (x @ x), lambda: scale * x))
    point = problem.at(np.asarray(x, dtype=float))
    return ray(problem, point, -point.g)


@pytest.mark.parametrize("rule", RULES)
def test_the_first_iteration_is_left_to_the_first_rule(rule):
    r = ray_at([3.0, 4.0], 10.0)
    assert rule.guess(r, None) == rule.first.guess(r, None) > 0.0


def test_length():
    assert Length().guess(ray_at([3.0, 4.0], 10.0)) == pytest.approx(0.1)  # as long as x
    assert Length(2.0).guess(ray_at([0.3, 0.4], 10.0)) == pytest.approx(0.4)  # |x| < 1
    assert Length().guess(ray_at([3.0, 4.0], 0.1)) == 1.0
    assert Length().guess(ray_at([0.0, 0.0])) == 1.0


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_length_where_squares_overflow_or_underflow(scale):
    assert Length().guess(ray_at([3.0, 4.0], scale)) == pytest.approx(min(1.0, 1.0 / scale))
    assert Length().guess(ray_at([0.0, 0.0], scale)) == 1.0


def test_relative():
    assert Relative(0.01).guess(ray_at([3.0, 4.0], 10.0)) == pytest.approx(1e-3)
    r = Recorded(*quadratic(2.0)).ray()  # x = 0, f = 2, d = 1
    assert Relative(0.01).guess(r) == pytest.approx(0.02)
    assert Relative().guess(Recorded(lambda a: a * a, lambda a: 2 * a).ray()) == 1.0


def test_from_previous_slope_keeps_the_first_order_change():
    r = ray_at([3.0, 4.0])  # slope -25
    assert FromPreviousSlope().guess(r, Previous(0.2, -50.0, 9.0)) == pytest.approx(0.4)
    assert FromPreviousSlope(most=2.0).guess(r, Previous(0.2, -1e6, 9.0)) == pytest.approx(0.4)


def test_quadratic_fit():
    r = ray_at([3.0, 4.0])  # f = 12.5, slope -25
    assert QuadraticFit().guess(r, Previous(0.2, -50.0, 15.0)) == pytest.approx(1.01 * 0.2)
    assert QuadraticFit().guess(r, Previous(0.2, -50.0, 100.0)) == 1.0
    assert QuadraticFit().guess(r, Previous(0.2, -50.0, 12.5)) == 0.2


def test_hager_zhang_quad_step_hits_the_minimum_of_a_parabola():
    recorded = Recorded(*quadratic(0.7))
    assert HagerZhangStep().guess(recorded.ray(), Previous(0.5, -1.0, 1.0)) == pytest.approx(0.7)
    assert recorded.alphas == [0.05]
    assert recorded.slopes_at == []


def test_hager_zhang_without_a_usable_parabola_doubles():
    recorded = Recorded(lambda a: -a, lambda a: -1.0)
    assert HagerZhangStep().guess(recorded.ray(), Previous(0.5, -1.0, 1.0)) == 1.0
    assert HagerZhangStep(quad_step=False).guess(recorded.ray(), Previous(2.0, -1.0, 1.0)) == 4.0
