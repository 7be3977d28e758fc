"""One BLAS thread inside a step, the user's inside the user's function, and never a lasting change."""

import numpy as np
import pytest

import secant
from secant import threads


def counts() -> list[int]:
    return [library.get() for library in threads._libraries()]


@pytest.fixture
def two_threads():
    before = counts()
    for library in threads._libraries():
        library.set(2)
    yield
    for library, count in zip(threads._libraries(), before, strict=True):
        library.set(count)


pytestmark = pytest.mark.skipif(not threads._libraries(), reason="BLAS is not OpenBLAS")


@pytest.mark.usefixtures("two_threads")
def test_the_users_function_keeps_its_threads_and_the_algebra_has_one(monkeypatch) -> None:
    seen, inside = [], []

    def fun(x):
        seen.append(counts())
        return float(x @ x), 2.0 * x

    learn = secant.curvature.limited_memory.PairRing.learn
    monkeypatch.setattr(
        secant.curvature.limited_memory.PairRing,
        "learn",
        lambda *args: (inside.append(counts()), learn(*args)),
    )
    n = threads.SMALLEST
    secant.minimize(fun, np.linspace(1, 2, n), jac=True, method=secant.LBFGS(), max_iter=3)
    assert inside
    assert all(set(count) == {2} for count in seen)
    assert all(set(count) == {1} for count in inside)
    assert set(counts()) == {2}


@pytest.mark.usefixtures("two_threads")
def test_an_exception_of_the_function_restores_the_threads() -> None:
    def fun(x):
        if x[0] != 1.0:
            raise ZeroDivisionError
        return float(x @ x), 2.0 * x

    with pytest.raises(ZeroDivisionError):
        secant.minimize(fun, np.ones(threads.SMALLEST), jac=True)
    assert set(counts()) == {2}
    assert threads._LIMIT.inside == 0


@pytest.mark.usefixtures("two_threads")
def test_nested_steps_restore_what_the_first_found() -> None:
    single = threads.Single()
    with single, single:
        assert set(counts()) == {1}
    assert set(counts()) == {2}


def test_small_problems_and_other_libraries_do_not_touch_the_threads() -> None:
    assert not threads.may_wake(np.zeros(10), 200)
    assert threads.may_wake(np.zeros(10), threads.SMALLEST)
    assert not threads.may_wake([0.0], threads.SMALLEST)
