"""The contracts of the registry for its methods of sums of squares, over the residuals of the problems."""

import math
import time

import numpy as np
import pytest
from contract_cases import (
    BACKENDS,
    NUMPY32,
    NUMPY64,
    STRICT,
    TORCH64,
    Broken,
    Flaky,
    Recorder,
    as_numpy,
    key,
    largest,
)

import secant
from secant import Status, problems
from secant.methods import REGISTRY

METHODS = tuple(name for name, entry in REGISTRY.items() if entry.needs_residuals)
SQUARES = tuple(problem for problem in problems.catalogue() if problem.is_sum_of_squares)
BEALE, ROSENBROCK = problems.beale(), problems.rosenbrock()
FEW = ("rosenbrock", "beale", "himmelblau", "wood")

LARGE = (
    "large residuals: damped steps gain little, which drowns in the rounding of single precision"
)
EXCEPTIONS: dict[str, dict[str, str]] = {"lm": {"numpy-float32-brown_dennis": LARGE}}
"""Where a method may fail, on which arrays, and why."""


def given(backend, problem):
    """``fun``, ``x0`` and ``jac`` of a sum of squares on one library; autograd's where it has one."""
    residuals = {"fun": problem.residuals, "x0": problem.start(backend.like)}
    return residuals if backend.autograd else {**residuals, "jac": problem.jacobian}


def cases():
    for backend in BACKENDS:
        for problem in SQUARES:
            if backend in (NUMPY64, NUMPY32) or (problem.name in FEW and problem.n <= 10):
                yield pytest.param(backend, problem, id=f"{backend}-{problem}")


def test_minimize_names_the_front_door_that_knows_residuals():
    for method in ("lm", "levenberg-marquardt", REGISTRY["lm"].build()):
        with pytest.raises(ValueError, match=r"needs the residuals .* secant\.least_squares"):
            secant.minimize(lambda x: x @ x, [1.0], method=method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("backend", "problem"), list(cases()))
def test_converges_or_says_that_it_did_not(backend, problem, method):
    excepted = f"{backend}-{problem.name}" in EXCEPTIONS[method]
    fit = secant.least_squares(**given(backend, problem), method=method, max_nfev=1500)
    assert fit.success or excepted, fit
    if fit.success:
        assert_earned(problem, fit, backend.eps)


def assert_earned(problem, fit, eps):
    """A success is a point from which neither -g nor a Gauss-Newton step leads visibly lower."""
    x = as_numpy(fit.x).astype(np.float64)
    f, g = problem.value_and_gradient(x)
    J, r = problem.jacobian(x), problem.residuals(x)
    newton = np.linalg.lstsq(J, -r, rcond=math.sqrt(eps))[0]
    steps = 2.0 ** np.arange(-60.0, 10.0)
    lowest = min(problem(x + alpha * d) for d in (-g, newton) for alpha in steps)
    through_x = np.linalg.norm(np.linalg.norm(J, axis=0) * x)
    noise = eps * (through_x + math.sqrt(f)) * math.sqrt(f) + eps**2 * (through_x**2 + 1.0)
    assert abs(fit.cost - 0.5 * f) <= 100.0 * noise
    assert f - lowest <= 100.0 * noise


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_nothing_to_do_at_the_solution(backend, method):
    at_end = given(backend, ROSENBROCK) | {"x0": backend.array(ROSENBROCK.x_star)}
    fit = secant.least_squares(**at_end, method=method)
    assert fit.status is Status.GRADIENT
    assert (fit.nit, fit.nfev, fit.njev) == (0, 1, 1)


@pytest.mark.parametrize("problem", [BEALE, ROSENBROCK, problems.wood()], ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_each_point_is_evaluated_once_and_counted(problem, method):
    seen = Recorder(problem.residuals, problem.jacobian)
    fit = secant.least_squares(seen.fun, problem.start(), seen.jac, method=method)
    assert len(seen.values) == len(set(seen.values)) == fit.nfev
    assert len(seen.gradients) == len(set(seen.gradients)) == fit.njev
    assert set(seen.gradients) <= set(seen.values)
    assert fit.trace.nfev[-1] <= fit.nfev
    assert fit.trace.k.tolist() == list(range(fit.nit + 1))


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_limits_yield_their_status(backend, method):
    for limit in (0, 3):
        fit = secant.least_squares(**given(backend, BEALE), method=method, max_iter=limit)
        assert fit.status is Status.MAX_ITERATIONS
        assert fit.nit == limit == len(fit.trace) - 1
        assert not fit.success
    fit = secant.least_squares(**given(backend, BEALE), method=method, target=0.5)
    assert fit.status is Status.TARGET
    assert fit.cost <= 0.5 < fit.trace.f[:-1].min()
    fit = secant.least_squares(**given(backend, BEALE), method=method, callback=lambda s: s.k == 2)
    assert (fit.status, fit.nit) == (Status.CALLBACK, 2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("jac", ["jac", None, "3-point"])
def test_max_nfev_is_never_exceeded(method, jac):
    wood = problems.wood()
    for limit in range(1, 25):
        seen = Recorder(wood.residuals, wood.jacobian)
        jacobian = seen.jac if jac == "jac" else jac
        fit = secant.least_squares(seen.fun, wood.start(), jacobian, method=method, max_nfev=limit)
        assert len(seen.values) == fit.nfev <= limit
        assert fit.success or fit.status is Status.MAX_EVALUATIONS
        assert 2.0 * fit.cost == pytest.approx(float(wood(fit.x)), rel=1e-12, abs=1e-30)


@pytest.mark.parametrize("method", METHODS)
def test_max_seconds(method):
    def slow(x):
        time.sleep(0.02)
        return BEALE.residuals(x)

    fit = secant.least_squares(slow, BEALE.start(), BEALE.jacobian, method=method, max_seconds=0.09)
    assert fit.status is Status.TIME_LIMIT
    assert fit.nfev <= 5  # looked at before every evaluation


@pytest.mark.parametrize("backend", [b for b in BACKENDS if not b.autograd], ids=str)
@pytest.mark.parametrize("outside", [math.inf, math.nan])
@pytest.mark.parametrize("method", METHODS)
def test_backs_out_of_a_region_without_values(backend, outside, method):
    """r = (x - 1, y^2 - 1) for x + y <= 3 and not finite beyond, where the first full step leads."""

    def residuals(x):
        x = as_numpy(x)
        inside = x[0] + x[1] <= 3.0
        return backend.array([x[0] - 1.0, x[1] ** 2 - 1.0] if inside else [outside, outside])

    def jacobian(x):
        return backend.array([[1.0, 0.0], [0.0, 2.0 * as_numpy(x)[1]]])

    fit = secant.least_squares(
        residuals, backend.array([0.0, 0.05]), jacobian, method=method, xtol=backend.eps**0.6
    )
    assert fit.success, fit
    np.testing.assert_allclose(as_numpy(fit.x), 1.0, rtol=10.0 * math.sqrt(backend.eps))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("what", ["value", "jacobian"])
@pytest.mark.parametrize("method", METHODS)
def test_a_start_that_is_not_finite_is_given_back(bad, what, method):
    value, slope = (bad, 1.0) if what == "value" else (1.0, bad)
    fit = secant.least_squares(
        lambda x: 0.0 * x + value, [1.0, 2.0], lambda x: slope * np.eye(2), method=method
    )
    assert fit.status is Status.NOT_FINITE_START
    assert fit.x.tolist() == [1.0, 2.0]


def outcome(fit):
    """Everything of a fit that two equal runs share: all but the time."""
    rows = [row._replace(seconds=0.0) for row in fit.trace]
    return key(fit.x), fit.cost, key(fit.grad), fit.status, rows, fit.nfev, fit.njev


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_step_by_step_is_the_whole(backend, method):
    whole = secant.least_squares(**given(backend, BEALE), method=method)
    run = secant.start_least_squares(**given(backend, BEALE), method=method)
    ks = [snapshot.k for snapshot in run]
    assert ks[-1] == whole.nit
    assert outcome(run.result()) == outcome(whole)
    with pytest.raises(RuntimeError, match="the run has ended"):
        run.step()


@pytest.mark.parametrize("backend", [NUMPY64, TORCH64, STRICT], ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_an_exception_leaves_the_run_usable(backend, method):
    task = given(backend, BEALE)
    whole = secant.least_squares(**task, method=method)
    for j in range(2, min(whole.nfev, 8) + 1):
        flaky = Flaky(task["fun"], j)
        run = secant.start_least_squares(**(task | {"fun": flaky}), method=method)
        with pytest.raises(Broken):
            run.finish()
        fit = run.finish()
        assert (key(fit.x), fit.cost, fit.nit) == (key(whole.x), whole.cost, whole.nit)


@pytest.mark.parametrize("method", METHODS)
def test_ctrl_c_ends_with_the_best_point(method):
    task = given(NUMPY64, BEALE)
    flaky = Flaky(task["fun"], 4, KeyboardInterrupt)
    fit = secant.least_squares(**(task | {"fun": flaky}), method=method)
    assert fit.status is Status.INTERRUPTED
    assert fit.cost == fit.trace.f.min() < fit.trace.f[0]


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_library_precision_and_shape_are_kept(backend, method):
    x0 = backend.array([[1.0], [1.0]])
    before = key(x0)

    def fun(x):
        assert tuple(x.shape) == (2, 1)
        return BEALE.residuals(x[:, 0])

    jac = {} if backend.autograd else {"jac": lambda x: BEALE.jacobian(x[:, 0])}
    fit = secant.least_squares(fun, x0, **jac, method=method, max_iter=4)
    assert key(x0) == before
    for array in (fit.x, fit.grad):
        assert type(array) is type(x0)
        assert array.dtype == x0.dtype
        assert tuple(array.shape) == (2, 1)


@pytest.mark.parametrize("method", METHODS)
def test_users_may_write_to_x_and_reuse_their_arrays(method):
    r, J = BEALE.residuals(BEALE.start()), BEALE.jacobian(BEALE.start())

    def fun(x):
        r[:] = BEALE.residuals(x)
        x[:] = 7.0
        return r

    def jac(x):
        J[:] = BEALE.jacobian(x)
        x[:] = 7.0
        return J

    def vandal(snapshot):
        snapshot.x[:] = snapshot.g[:] = math.nan

    clean = secant.least_squares(BEALE.residuals, BEALE.start(), BEALE.jacobian, method=method)
    rude = secant.least_squares(fun, BEALE.start(), jac, method=method, callback=vandal)
    assert key(rude.x) == key(clean.x)
    assert rude.trace.f.tolist() == clean.trace.f.tolist()
    assert np.isfinite(largest(rude.grad))
