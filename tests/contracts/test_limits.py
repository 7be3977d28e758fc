"""Every limit yields its status, and is honoured to the letter."""

import time

import numpy as np
import pytest
from contract_cases import BACKENDS, METHODS, NUMPY64, Recorder

import secant
from secant import Status, problems

BEALE, WOOD = problems.beale(), problems.wood()


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_max_iter(backend, method):
    for limit in (0, 3):
        result = secant.minimize(**backend.problem(BEALE), method=method, gtol=0.0, max_iter=limit)
        assert result.status is Status.MAX_ITERATIONS
        assert not result.success
        assert result.nit == limit == len(result.trace) - 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("jac", [WOOD.gradient, None, "3-point"], ids=["jac", "2-point", "3-point"])
def test_max_evals_is_never_exceeded(method, jac):
    """Not in the middle of a search, nor in that of a difference, nor in the very first gradient."""
    for limit in range(1, 25):
        seen = Recorder(WOOD, WOOD.gradient)
        given = seen.jac if callable(jac) else jac
        result = secant.minimize(
            seen.fun, WOOD.start(), jac=given, method=method, gtol=0.0, max_evals=limit
        )
        assert result.status is Status.MAX_EVALUATIONS
        assert len(seen.values) == result.nfev <= limit
        assert result.fun <= WOOD(WOOD.start())
        assert result.fun == WOOD(result.x)


@pytest.mark.parametrize("method", METHODS)
def test_looking_for_a_reason_stays_within_max_evals(method):
    """A wrong gradient is found by differences of f, which are evaluations like all others."""
    for limit in (1, 2, 10, 55, 60, 65, 70, 75, 200):
        seen = Recorder(lambda x: float(x @ x), lambda x: -2.0 * x)
        result = secant.minimize(seen.fun, [3.0, 4.0], jac=seen.jac, method=method, max_evals=limit)
        assert not result.success
        assert len(seen.values) == result.nfev <= limit


@pytest.mark.parametrize("method", METHODS)
def test_max_seconds(method):
    """Looked at before every evaluation: a run is late by one evaluation at most."""

    def slow(x):
        time.sleep(0.002)
        return BEALE.value_and_gradient(x)

    result = secant.minimize(
        slow, BEALE.start(), jac=True, method=method, gtol=0.0, max_seconds=0.02
    )
    assert result.status is Status.TIME_LIMIT
    assert 2 <= result.nfev <= 10


def test_no_time_at_all_still_evaluates_the_start():
    result = secant.minimize(BEALE, BEALE.start(), max_seconds=1e-9)
    assert result.status is Status.TIME_LIMIT
    assert result.nfev == 1
    assert result.fun == BEALE(BEALE.start())


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_target(backend, method):
    result = secant.minimize(**backend.problem(BEALE), method=method, gtol=0.0, target=1.0)
    assert result.status is Status.TARGET
    assert result.success
    assert result.fun <= 1.0
    assert (result.trace.f[:-1] > 1.0).all()  # at the first iterate there


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", ["true", "StopIteration"])
def test_callback_stops(method, how):
    def callback(snapshot):
        if snapshot.k < 2:
            return None
        if how == "true":
            return True
        raise StopIteration

    result = secant.minimize(**NUMPY64.problem(BEALE), method=method, gtol=0.0, callback=callback)
    assert result.status is Status.CALLBACK
    assert result.nit == 2


@pytest.mark.parametrize("method", METHODS)
def test_own_stop(method):
    """A stop is any function of the snapshot, and sees the trace up to it."""

    def after_half(snapshot):
        assert len(snapshot.trace) == snapshot.k + 1
        return Status.NO_PROGRESS if snapshot.f <= 0.5 * snapshot.trace.f[0] else None

    result = secant.minimize(**NUMPY64.problem(BEALE), method=method, gtol=0.0, stop=after_half)
    assert result.status is Status.NO_PROGRESS
    assert result.fun <= 0.5 * result.trace.f[0] < result.trace.f[-2]


@pytest.mark.parametrize("method", METHODS)
def test_no_progress(method):
    stop = secant.NoProgress(ftol=1e-2, patience=2)
    result = secant.minimize(**NUMPY64.problem(BEALE), method=method, gtol=0.0, stop=(stop,))
    assert result.status is Status.NO_PROGRESS
    f = result.trace.f
    falls = -np.diff(f) / np.maximum(f[:-1], 1.0)
    assert (falls[-2:] <= 1e-2).all()
    assert not (falls[-3:-1] <= 1e-2).all()
