"""Interpolation is exact on the functions it interpolates with, and never raises."""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from secant.linesearch.interpolation import (
    cubic,
    cubic_from_values,
    quadratic,
    safeguarded,
    secant,
)


class Sample(NamedTuple):
    alpha: float
    f: float
    slope: float


def parabola(at: float, curvature: float, constant: float, alpha: float) -> Sample:
    return Sample(alpha, 0.5 * curvature * (alpha - at) ** 2 + constant, curvature * (alpha - at))


def cubic_with(minimum: float, maximum: float, scale: float, alpha: float) -> Sample:
    """scale (t - minimum)(t - maximum) integrated."""
    total, product = minimum + maximum, minimum * maximum
    f = scale * (alpha**3 / 3.0 - total * alpha**2 / 2.0 + product * alpha)
    return Sample(alpha, f, scale * (alpha - minimum) * (alpha - maximum))


number = st.floats(-10.0, 10.0)
positive = st.floats(1e-3, 1e3)
anything = st.floats(allow_nan=True, allow_infinity=True)


@given(at=number, curvature=positive, constant=number, a=number, b=number)
def test_quadratic_and_secant_are_exact_on_parabolas(at, curvature, constant, a, b):
    assume(abs(a - b) > 0.1)
    p, q = parabola(at, curvature, constant, a), parabola(at, curvature, constant, b)
    error = 1e-8 * (1.0 + abs(constant) / curvature)
    assert quadratic(p, q) == pytest.approx(at, abs=100 * error)
    assert secant(p, q) == pytest.approx(at, abs=error)


@given(minimum=number, gap=st.floats(0.5, 20.0), side=st.sampled_from([-1, 1]), a=number, b=number)
@example(minimum=1.0, gap=1e6, side=1, a=0.0, b=2.0)  # nearly a parabola
def test_cubic_is_exact_on_cubics(minimum, gap, side, a, b):
    assume(abs(a - b) > 0.5)
    maximum = minimum + side * gap
    p, q = (cubic_with(minimum, maximum, -side, alpha) for alpha in (a, b))
    assert cubic(p, q) == pytest.approx(minimum, abs=1e-5)
    assert cubic(q, p) == pytest.approx(minimum, abs=1e-5)


@given(
    minimum=st.floats(0.1, 5.0),
    gap=st.floats(0.5, 20.0),
    b=st.floats(0.5, 5.0),
    ratio=st.floats(0.1, 0.7),
)
def test_cubic_from_values_is_exact_on_cubics(minimum, gap, b, ratio):
    start, long, short = (cubic_with(minimum, minimum - gap, 1.0, a) for a in (0.0, b, ratio * b))
    assert cubic_from_values(start, short, long) == pytest.approx(minimum, abs=1e-4)


@given(st.lists(anything, min_size=9, max_size=9))
@example([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0])
@example([1e308, -1e308, 1e308, -1e308, 1e308, -1e308, 5e-324, 0.0, 1.0])
def test_finite_or_nan_whatever_comes(values):
    a, b, c = Sample(*values[:3]), Sample(*values[3:6]), Sample(*values[6:])
    for alpha in (quadratic(a, b), secant(a, b), cubic(a, b), cubic_from_values(a, b, c)):
        assert math.isfinite(alpha) or math.isnan(alpha)


def test_no_minimum_is_nan():
    line = [Sample(a, -a, -1.0) for a in (0.0, 1.0, 2.0)]
    concave = [Sample(a, -a * a, -2.0 * a) for a in (1.0, 2.0, 3.0)]
    for a, b, c in (line, concave):
        assert math.isnan(quadratic(a, b))
        assert math.isnan(cubic(a, b))
        assert math.isnan(cubic_from_values(a, b, c))
    assert math.isnan(secant(line[0], line[1]))


def test_a_large_constant_costs_no_more_digits_than_it_must():
    a, b = (parabola(0.3, 2.0, 1e8, alpha) for alpha in (0.0, 1.0))
    assert quadratic(a, b) == pytest.approx(0.3, abs=1e-7)
    assert secant(a, b) == pytest.approx(0.3, abs=1e-15)


@given(alpha=st.floats(allow_nan=True), a=number, b=number, margin=st.floats(0.0, 0.5))
def test_safeguarded_stays_inside(alpha, a, b, margin):
    low, high = min(a, b), max(a, b)
    assert low - 1e-12 <= safeguarded(alpha, a, b, margin) <= high + 1e-12
