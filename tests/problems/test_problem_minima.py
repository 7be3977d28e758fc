"""Starts, minimisers and minima against the papers' numbers and a Newton step in 60 digits."""

import numpy as np
import problem_oracle as oracle
import pytest
from mpmath import mp, mpf

from secant import problems

SIZES = (
    problems.watson(6),
    problems.watson(9),
    problems.penalty_1(4),
    problems.penalty_2(4),
    *(problems.chebyquad(n) for n in (*range(1, 8), 9, 10)),
)
ALL = (*problems.catalogue(), *SIZES)


@pytest.fixture(autouse=True)
def _sixty_digits():
    with mp.workdps(60):
        yield


def exact(x):
    return [mpf(float(v)) for v in x]


STARTS = [
    (problems.helical_valley(), 2500.0),
    (problems.biggs_exp6(), 0.779070),
    (problems.gaussian(), 3.88811e-6),
    (problems.powell_badly_scaled(), 1.13526),
    (problems.box(), 1031.154),
    (problems.variably_dimensioned(10), 2198551.1625),
    (problems.watson(12), 30.0),
    (problems.penalty_1(10), 148032.56535),
    (problems.penalty_2(10), 162.653),
    (problems.brown_badly_scaled(), 999998000003.0),
    (problems.brown_dennis(), 7926693.34),
    (problems.gulf(), 12.1107),
    (problems.trigonometric(10), 7.07576e-3),
    (problems.extended_rosenbrock(10), 24.2 * 5),
    (problems.extended_powell(12), 215.0 * 3),
    (problems.beale(), 14.203125),
    (problems.wood(), 19192.0),
    (problems.chebyquad(8), 3.86177e-2),
    (problems.rosenbrock(2), 24.2),
]


@pytest.mark.parametrize(("f", "value"), STARTS, ids=lambda v: str(v))
def test_value_at_the_start(f, value):
    assert float(f(f.start())) == pytest.approx(value, rel=2e-6)


@pytest.mark.parametrize("f", ALL, ids=str)
def test_minimizers_attain_the_minimum(f):
    # Rounding x* moves f by about the curvature times eps² |x|².
    for x in map(np.array, f.minimizers):
        assert float(f(x)) == pytest.approx(f.f_star, rel=1e-9, abs=1e-18)


@pytest.mark.parametrize("f", ALL, ids=str)
def test_gradient_vanishes_at_minimizers(f):
    for x in map(np.array, f.minimizers):
        step = 1e-7 * (1.0 + np.abs(x).max())
        nearby = np.abs(f.gradient(x + step)).max()
        assert np.abs(f.gradient(x)).max() <= 1e-7 * nearby


PAPER = [
    (problems.gaussian(), 1.12793e-8),
    (problems.watson(6), 2.28767e-3),
    (problems.watson(9), 1.39976e-6),
    (problems.watson(12), 4.72238e-10),
    (problems.penalty_1(4), 2.24997e-5),
    (problems.penalty_1(10), 7.08765e-5),
    (problems.penalty_2(4), 9.37629e-6),
    (problems.penalty_2(10), 2.93660e-4),
    (problems.brown_dennis(), 85822.2),
    (problems.chebyquad(8), 3.51687e-3),
]


@pytest.mark.parametrize(("f", "value"), PAPER, ids=lambda v: str(v))
def test_minima_have_the_papers_six_digits(f, value):
    # The paper truncates: 2.93660... for 2.936605...
    assert f.f_star == pytest.approx(value, rel=5e-6)


@pytest.mark.parametrize("f", [f for f, _ in PAPER], ids=str)
def test_stored_minima_are_exact_to_the_last_digits(f):
    x = exact(f.x_star)
    assert float(oracle.value(f.name, x)) == pytest.approx(f.f_star, rel=1e-15, abs=0.0)
    for old, new in zip(x, oracle.newton(f.name, x, steps=1), strict=True):
        assert float(new) == pytest.approx(float(old), rel=1e-14, abs=1e-21)


@pytest.mark.parametrize("f", [f for f in SIZES if f.name == "chebyquad"], ids=str)
def test_chebyquad_minimizers_are_in_order_and_stationary(f):
    assert list(f.x_star) == sorted(f.x_star)
    for old, new in zip(f.x_star, oracle.newton(f.name, exact(f.x_star), steps=1), strict=True):
        assert float(new) == pytest.approx(old, rel=1e-14)


def test_powell_badly_scaled_minimizer_solves_its_equations():
    x = exact(problems.powell_badly_scaled().x_star)
    for old, new in zip(x, oracle.newton("powell_badly_scaled", x, steps=1), strict=True):
        assert float(new) == pytest.approx(float(old), rel=1e-15)


# Points near local minima, to be sharpened by Newton steps, and the values to six digits.
LOCAL = [
    (problems.rosenbrock(4), (-0.77566, 0.61309, 0.38206, 0.14597), 3.701428610430017),
    (
        problems.trigonometric(10),
        (0.05515, 0.05684, 0.05876, 0.06099, 0.06363, 0.06684, 0.20816, 0.16436, 0.08501, 0.09143),
        2.79506e-5,
    ),
    (
        problems.trigonometric(10),
        (0.05154, 0.05302, 0.0547, 0.05662, 0.05887, 0.06158, 0.21838, 0.06952, 0.14373, 0.09253),
        4.47357e-7,
    ),
    (
        problems.trigonometric(10),
        (0.05391, 0.0555, 0.05729, 0.05934, 0.06173, 0.25789, 0.06811, 0.07262, 0.07846, 0.08375),
        4.21863e-5,
    ),
    (
        problems.trigonometric(10),
        (0.06249, 0.06447, 0.06671, 0.06924, 0.2754, 0.07545, 0.07903, 0.08227, 0.08364, 0.08209),
        8.78823e-4,
    ),
    (
        problems.chebyquad(10),
        (0.05962, 0.16671, 0.23917, 0.39888, 0.39888, 0.60112, 0.60112, 0.76083, 0.83329, 0.94038),
        6.50395e-3,
    ),
    (
        problems.chebyquad(10),
        (0.02711, 0.1318, 0.20768, 0.38512, 0.38512, 0.61488, 0.61488, 0.79232, 0.8682, 0.97289),
        9.50063e-3,
    ),
]


@pytest.mark.parametrize(("f", "near", "value"), LOCAL, ids=lambda v: str(v)[:24])
def test_local_minima_are_minima(f, near, value):
    x = oracle.newton(f.name, exact(near), steps=2)
    found = float(oracle.value(f.name, x))
    assert found == pytest.approx(value, rel=5e-6)
    assert min(abs(found / known - 1.0) for known in f.local_minima) < 1e-15
    assert min(mp.eigsy(oracle.hessian(f.name, x), eigvals_only=True)) > 0


def test_local_minimum_of_biggs_exp6():
    # At x_1 = x_2 only x_3 - x_4 counts: drop one variable, or the Hessian is singular.
    f = problems.biggs_exp6()
    x = np.array([17.68319822, 17.68319822, -4.31653657, 0.87002499, 1.71141599, 2.32628732])
    assert float(f(x)) == pytest.approx(f.local_minima[0], rel=1e-12)
    assert f.local_minima[0] == pytest.approx(5.65565e-3, rel=5e-6)
    assert np.abs(f.gradient(x)).max() < 1e-7


def test_plateau_of_gulf():
    f = problems.gulf()
    dent, plateau = f.local_minima
    flat = np.array([1.0, 1e4, 2.0])
    assert float(f(flat)) == pytest.approx(plateau, rel=1e-14)
    np.testing.assert_array_equal(f.gradient(flat), 0.0)
    fit = np.array([99.89529915746813, 60.61453902799281, 9.161242692199897])
    assert float(f(fit)) == pytest.approx(dent, rel=1e-14)
    assert np.abs(f.gradient(fit)).max() < 1e-12


@pytest.mark.parametrize("n", [5, 12, 40])
def test_second_minimum_of_the_chained_rosenbrock_function(n):
    f = problems.rosenbrock(n)
    x = np.ones(n)
    x[:5] = [-0.962, 0.936, 0.881, 0.778, 0.605] if n == 5 else [-0.9933, 0.9966, 0.9983, 0.999, 1]
    for _ in range(30):
        x = x - np.linalg.solve(chained_hessian(x), f.gradient(x))
    assert x[0] < -0.9
    assert float(f(x)) == pytest.approx(f.local_minima[0], rel=1e-13)


def chained_hessian(x):
    off = -400.0 * x[:-1]
    main = np.full(x.shape, 200.0)
    main[0] = 0.0
    main[:-1] += 1200.0 * x[:-1] ** 2 - 400.0 * x[1:] + 2.0
    return np.diag(main) + np.diag(off, 1) + np.diag(off, -1)


def test_local_minima_of_rastrigin_lie_near_the_grid():
    f = problems.rastrigin(2)
    assert f.local_minima[:2] == pytest.approx((0.9949590571, 1.9899181141))  # (1, 0) and (1, 1)
    assert list(f.local_minima) == sorted(f.local_minima)
    assert problems.rastrigin(3).local_minima == ()


def test_rastrigin_starts_in_the_basin_of_its_minimum():
    f = problems.rastrigin(2)
    x = f.start()
    for _ in range(200):
        x = x - 1e-3 * f.gradient(x)
    np.testing.assert_allclose(x, 0.0, atol=1e-8)
