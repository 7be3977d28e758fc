"""Stepping by hand, saving and resuming, exceptions and Ctrl-C: the run is the same run."""

import numpy as np
import pytest
from contract_cases import (
    BACKENDS,
    METHODS,
    NUMPY32,
    NUMPY64,
    TORCH32,
    TORCH64,
    Broken,
    Flaky,
    key,
)

import secant
from secant import Status, problems

BEALE = problems.beale()
OPTIONS = {"gtol": 1e-4, "max_iter": 30}


def outcome(result):
    """Everything of a result that two equal runs share: all but the time."""
    rows = [row._replace(seconds=0.0) for row in result.trace]
    return key(result.x), result.fun, key(result.jac), result.status, rows, result.nfev, result.njev


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_step_by_step_is_minimize(backend, method):
    whole = secant.minimize(**backend.problem(BEALE), method=method, **OPTIONS)
    run = secant.start(**backend.problem(BEALE), method=method, **OPTIONS)
    while run.status is None:
        snapshot = run.step()
        assert snapshot.k == run.state.k
    assert outcome(run.result()) == outcome(whole)
    with pytest.raises(RuntimeError, match="the run has ended"):
        run.step()


@pytest.mark.parametrize("method", METHODS)
def test_iterating_is_stepping(method):
    run = secant.start(**NUMPY64.problem(BEALE), method=method, **OPTIONS)
    ks = [snapshot.k for snapshot in run]
    assert ks[-1] == run.result().nit
    assert outcome(run.result()) == outcome(
        secant.minimize(**NUMPY64.problem(BEALE), method=method, **OPTIONS)
    )


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_resumed_is_uninterrupted(backend, method, tmp_path):
    """Bit for bit, wherever it was cut, and in a file or twice in one."""
    given = backend.problem(problems.rosenbrock())
    options = {"gtol": 1e-4, "max_iter": 16}
    whole = outcome(secant.minimize(**given, method=method, **options))
    for cut in (0, 1, 2, 7, 13):
        run = secant.start(**given, method=method, **options)
        for _ in range(cut):
            if run.status is None:
                run.step()
        run.save(tmp_path / "run.npz")
        fun, jac = given["fun"], given.get("jac")
        again = secant.resume(tmp_path / "run.npz", fun, jac=jac, **options)
        assert outcome(again.finish()) == whole
        assert outcome(run.finish()) == whole  # saving changed nothing


@pytest.mark.parametrize("backend", [NUMPY64, TORCH64], ids=str)
def test_resumed_twice(backend, tmp_path):
    given = backend.problem(problems.rosenbrock())
    whole = outcome(secant.minimize(**given, method="l-bfgs"))
    run = secant.start(**given, method="l-bfgs")
    for _ in range(4):
        run.step()
        run.save(tmp_path / "run.npz")
        run = secant.resume(tmp_path / "run.npz", given["fun"], jac=given.get("jac"))
    assert outcome(run.finish()) == whole


@pytest.mark.parametrize("method", METHODS)
def test_a_run_that_has_converged_stays_so(method, tmp_path):
    given = NUMPY64.problem(problems.diagonal([1.0, 2.0]))
    run = secant.start(**given, method=method)
    result = run.finish()
    run.save(tmp_path / "run.npz")
    again = secant.resume(tmp_path / "run.npz", given["fun"], jac=True)
    assert again.status is result.status
    assert outcome(again.result()) == outcome(result)


def test_a_run_may_be_resumed_with_other_limits(tmp_path):
    given = NUMPY64.problem(problems.rosenbrock())
    run = secant.start(**given, max_iter=3)
    assert run.finish().status is Status.MAX_ITERATIONS
    run.save(tmp_path / "run.npz")
    assert (
        secant.resume(tmp_path / "run.npz", given["fun"], jac=True, max_iter=3).status is run.status
    )
    again = secant.resume(tmp_path / "run.npz", given["fun"], jac=True)
    assert outcome(again.finish()) == outcome(secant.minimize(**given))


@pytest.mark.parametrize("backend", [NUMPY64, NUMPY32, TORCH64, TORCH32], ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_an_exception_leaves_the_run_usable(backend, method):
    """Raised at evaluation j, it reaches the caller; the step tried again ends as if it had not been."""
    given = backend.problem(BEALE)
    whole = secant.minimize(**given, method=method, **OPTIONS)
    for j in range(2, min(whole.nfev, 12) + 1):
        flaky = Flaky(given["fun"], j)
        run = secant.start(**(given | {"fun": flaky}), method=method, **OPTIONS)
        with pytest.raises(Broken):
            run.finish()
        result = run.finish()
        assert (key(result.x), result.fun, result.nit) == (key(whole.x), whole.fun, whole.nit)
        assert result.trace.f.tolist() == whole.trace.f.tolist()


@pytest.mark.parametrize("method", METHODS)
def test_an_exception_passes_through_minimize(method):
    given = NUMPY64.problem(BEALE)
    for j in (1, 2, 5):
        with pytest.raises(Broken):
            secant.minimize(**(given | {"fun": Flaky(given["fun"], j)}), method=method)


@pytest.mark.parametrize("backend", [NUMPY64, TORCH64], ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_ctrl_c_ends_with_the_best_point(backend, method):
    given = backend.problem(BEALE)
    flaky = Flaky(given["fun"], 6, KeyboardInterrupt)
    result = secant.minimize(**(given | {"fun": flaky}), method=method, gtol=0.0)
    assert result.status is Status.INTERRUPTED
    assert not result.success
    assert result.fun == result.trace.f.min() < result.trace.f[0]
    assert float(BEALE(result.x)) == result.fun


def test_ctrl_c_in_a_callback():
    def callback(snapshot):
        if snapshot.k == 2:
            raise KeyboardInterrupt

    result = secant.minimize(**NUMPY64.problem(BEALE), callback=callback)
    assert result.status is Status.INTERRUPTED
    assert result.nit == 2


@pytest.mark.parametrize("method", METHODS)
def test_the_best_iterate_is_returned(method):
    """A schedule of fixed steps that ends uphill does not lose what was found before."""
    run = secant.start(lambda x: float(x @ x), [1.0], jac=lambda x: 2.0 * x, method=method)
    run.step()
    lowest = min(run.trace.f)
    assert run.result().fun <= lowest * (1.0 + 1e-15)


def test_steps_that_end_uphill_do_not_lose_the_best():
    method = secant.GradientDescent(rate=[0.4, 0.4, 5.0])
    result = secant.minimize(
        lambda x: x @ x, [1.0], jac=lambda x: 2.0 * x, method=method, max_iter=3
    )
    assert result.trace.f[-1] > result.trace.f[2]
    assert result.fun == result.trace.f[2] == np.min(result.trace.f)
