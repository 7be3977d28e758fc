"""Counts are honest, nothing is evaluated twice, and a run that begins at a solution does nothing."""

import numpy as np
import pytest
from contract_cases import BACKENDS, METHODS, NUMPY64, TORCH64_JAC, Recorder

import secant
from secant import Status, problems

PROBLEMS = [problems.rosenbrock(), problems.himmelblau(), problems.diagonal([1.0, 10.0, 100.0])]


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_nothing_to_do_at_the_solution(backend, method):
    problem = problems.diagonal([1.0, 10.0, 100.0])
    given = backend.problem(problem) | {"x0": backend.array(problem.x_star)}
    result = secant.minimize(**given, method=method)
    assert result.status is Status.GRADIENT
    assert (result.nit, result.nfev, result.njev) == (0, 1, 1)


@pytest.mark.parametrize("backend", [NUMPY64, TORCH64_JAC], ids=str)
@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
@pytest.mark.parametrize("method", [m for m in METHODS if m != "linear-cg"])
def test_each_point_is_evaluated_once_and_counted(backend, problem, method):
    seen = Recorder(problem, problem.gradient)
    x0 = problem.start(backend.like)
    result = secant.minimize(seen.fun, x0, jac=seen.jac, method=method, max_evals=300)
    assert len(seen.values) == len(set(seen.values)) == result.nfev
    assert len(seen.gradients) == len(set(seen.gradients)) == result.njev
    assert set(seen.gradients) <= set(seen.values)
    assert result.trace.nfev[-1] <= result.nfev


def test_products_by_differences_are_counted_as_gradients():
    """Without ``hessp`` linear CG takes a difference of gradients for each product."""
    problem = PROBLEMS[2]
    seen = Recorder(problem, problem.gradient)
    result = secant.minimize(seen.fun, problem.start(), jac=seen.jac, method="linear-cg")
    assert result.success
    assert result.nit == 3  # three eigenvalues
    assert (result.nfev, result.njev) == (len(seen.values), len(seen.gradients))
    assert result.nhev == 3


@pytest.mark.parametrize(("jac", "calls"), [("2-point", 4), ("3-point", 7), ("cs", 4)])
def test_differences_are_counted_as_values(jac, calls):
    """n, 2n and n values on top of the one at the point itself, which forward differences reuse."""
    seen = Recorder(PROBLEMS[2], None)
    result = secant.minimize(seen.fun, np.zeros(3), jac=jac, max_iter=0)
    assert len(seen.values) == len(set(seen.values)) == result.nfev == calls


def test_extrapolated_differences_are_counted_as_values():
    """2n values at the first steps, up to 18n more; a budget holds in the middle of them."""
    seen = Recorder(PROBLEMS[2], None)
    result = secant.minimize(seen.fun, np.zeros(3), jac="richardson", max_iter=0)
    assert len(seen.values) == len(set(seen.values)) == result.nfev
    assert 1 + 2 * 3 < result.nfev <= 1 + 20 * 3
    np.testing.assert_allclose(result.jac, PROBLEMS[2].gradient(np.zeros(3)), rtol=1e-12)
    cut = Recorder(PROBLEMS[2], None)
    result = secant.minimize(cut.fun, np.zeros(3), jac="richardson", max_evals=11)
    assert len(cut.values) == result.nfev == 11
    assert result.status is Status.MAX_EVALUATIONS


@pytest.mark.parametrize("method", METHODS)
def test_jac_true_is_called_once_a_point(method):
    problem = PROBLEMS[1]
    seen = Recorder(problem.value_and_gradient, None)
    result = secant.minimize(seen.fun, problem.start(), jac=True, method=method, max_evals=300)
    assert len(seen.values) == result.nfev >= result.njev


@pytest.mark.parametrize("method", METHODS)
def test_trace_tells_the_run(method):
    """One row for each iterate, k counted up, work and time never falling."""
    problem = PROBLEMS[1]
    result = secant.minimize(**NUMPY64.problem(problem), method=method)
    trace = result.trace
    assert trace.k.tolist() == list(range(result.nit + 1))
    assert (np.diff(trace.nfev) >= 1).all()
    assert (np.diff(trace.seconds) >= 0).all()
    assert trace.alpha[0] == 0.0
    assert (trace.alpha[1:] > 0).all()
    assert (trace.f[-1], trace.optimality[-1]) == (result.fun, result.optimality)
