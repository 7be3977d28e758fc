"""Result, trace, inverse Hessian, warm start, reset: what a run leaves behind."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest
import torch
from scipy.optimize import OptimizeResult

import secant
from secant import Status, problems

ROSENBROCK = problems.rosenbrock()
QUADRATIC = problems.quadratic(kappa=10.0, n=5)


def solved(problem=ROSENBROCK, **options):
    return secant.minimize(problem.value_and_gradient, problem.start(), jac=True, **options)


def test_a_result_is_scipys():
    result = solved()
    assert isinstance(result, OptimizeResult)
    assert isinstance(result, secant.Result)
    for name in ("x", "fun", "jac", "nit", "nfev", "njev", "success", "message"):
        assert result[name] is getattr(result, name)
    assert {"x", "fun", "status", "trace", "seconds"} <= set(result.keys())
    assert result.status is Status.GRADIENT
    assert (
        result.message
        == str(result.status)
        == "converged: the largest gradient component is at most gtol"
    )
    with pytest.raises(AttributeError):
        _ = result.maximum


def test_repr_tells_the_story():
    result = solved(method="bfgs")
    text = repr(result)
    assert text.startswith("success: converged")
    for part in ("method: bfgs", f"{result.nit} iterations", f"{result.nfev} function", "max |g|"):
        assert part in text
    assert "no success: limit reached: max_iter" in repr(solved(max_iter=2))
    big = secant.minimize(lambda x: (x**2).sum(), torch.ones(1000))
    assert len(repr(big)) < 1000


def test_events_are_counted():
    """-cos has negative curvature at the start, where fixed steps meet pairs that cannot be used."""
    result = secant.minimize(
        lambda x: float(-np.cos(x).sum()),
        [3.0, 2.9],
        jac=np.sin,
        method=secant.BFGS(search=secant.FixedStep(0.1)),
        max_iter=30,
    )
    skipped = sum("pair skipped" in event for event in result.trace.event)
    assert skipped > 0
    assert f"pair skipped ({skipped}x)" in result.events
    assert result.events in repr(result)
    assert solved().events == ""


def test_trace_by_column_and_by_row():
    trace = solved().trace
    assert trace["f"].tolist() == trace.f.tolist() == [row.f for row in trace]
    assert set(trace.to_dict()) == set(trace.columns)
    assert f"Trace({len(trace)} rows" in repr(trace)
    assert repr(secant.Trace()) == "Trace(empty)"
    with pytest.raises(KeyError, match="a trace has the columns k, f, "):
        _ = trace["loss"]
    with pytest.raises(AttributeError):
        _ = trace.loss


@pytest.mark.parametrize("against", ["nfev", "k", "seconds"])
def test_plot(against):
    figure_module = pytest.importorskip("matplotlib.figure")
    figure = solved().plot(against)
    assert isinstance(figure, figure_module.Figure)
    assert len(figure.axes[0].lines) == 2
    with pytest.raises(ValueError, match="against must be one of k, nfev, seconds, got 'x'"):
        solved().plot("x")


def test_plot_of_a_run_of_one_row():
    pytest.importorskip("matplotlib")
    solved(max_iter=0).plot()


def test_results_are_copied_and_pickled():
    result = solved()
    for other in (copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
        assert other.x.tolist() == result.x.tolist()
        assert other.trace.f.tolist() == result.trace.f.tolist()
        assert other.status is result.status


def test_statuses_know_their_verdict():
    good = {s for s in Status if s.success}
    assert good == {
        Status.GRADIENT,
        Status.ROUNDOFF,
        Status.TARGET,
        Status.NO_PROGRESS,
        Status.VALIDATION_STOP,
        Status.CALLBACK,
    }
    assert all(str(s) == s.value and " " in s.value for s in Status)


# ------------------------------------------------------------------------------- inverse Hessian


@pytest.mark.parametrize("method", ["l-bfgs", "bfgs", "dfp", "broyden", "ssbroyden"])
def test_hess_inv_is_the_inverse_hessian_of_a_quadratic(method):
    result = solved(QUADRATIC, method=method, gtol=1e-9)
    H = result.hess_inv.todense()
    A = QUADRATIC.hessian(result.x)
    assert result.hess_inv.shape == H.shape == (5, 5)
    np.linalg.cholesky(H)
    np.testing.assert_allclose(H, H.T, atol=1e-10)
    np.testing.assert_allclose(H @ A, np.eye(5), atol=0.5 if method == "l-bfgs" else 0.2)
    v = np.arange(5.0)
    np.testing.assert_allclose(result.hess_inv @ v, H @ v, rtol=1e-9, atol=1e-12)


def test_hess_inv_of_a_vector_that_changes():
    """The operators know their last vector by identity; the user's may be another one by now."""
    result = solved(QUADRATIC)
    v = np.ones(5)
    first = result.hess_inv @ v
    v[:] = [1.0, 0.0, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(result.hess_inv @ v, result.hess_inv.todense()[0], rtol=1e-9)
    assert not np.allclose(result.hess_inv @ v, first)
    with pytest.raises(ValueError, match=r"v must have shape \(5,\), got \(5, 2\)"):
        _ = result.hess_inv @ np.ones((5, 2))


@pytest.mark.parametrize("method", ["gd", "cg", "heavy-ball"])
def test_methods_that_learn_no_curvature_have_no_hess_inv(method):
    assert "hess_inv" not in solved(QUADRATIC, method=method)


# -------------------------------------------------------------------------------------- memory


@pytest.mark.parametrize("method", ["l-bfgs", "bfgs", "ssbroyden"])
def test_a_warm_start_saves_iterations(method):
    """From nearby, with the curvature learned before; and the memory given is not used up."""
    first = solved(QUADRATIC, method=method)
    x0 = np.asarray(QUADRATIC.start()) + 0.1
    options = {"jac": True, "method": method}
    cold = secant.minimize(QUADRATIC.value_and_gradient, x0, **options)
    H = first.hess_inv.todense()
    warm = secant.minimize(QUADRATIC.value_and_gradient, x0, warm_start=first, **options)
    again = secant.minimize(QUADRATIC.value_and_gradient, x0, warm_start=first.memory, **options)
    assert warm.success
    assert warm.nit < cold.nit
    assert again.x.tolist() == warm.x.tolist()
    np.testing.assert_array_equal(first.hess_inv.todense(), H)


@pytest.mark.parametrize(("before", "after"), [("float32", "float64"), ("float64", "float32")])
@pytest.mark.parametrize("method", ["l-bfgs", "bfgs", "ssbroyden", "sr1", "tr-lbfgs"])
def test_a_warm_start_in_another_precision(method, before, after):
    """What was learned is converted, and the run that learned it keeps its own."""
    options = {"jac": True, "method": method, "gtol": 1e-3}
    quadratic = problems.quadratic(kappa=10.0, n=50)  # so many that nothing else is as long
    start = np.asarray(quadratic.start())

    def fun(x):
        f, g = quadratic.value_and_gradient(np.asarray(x, dtype=float))
        return f, g.astype(x.dtype)

    first = secant.minimize(fun, start.astype(before), **options)
    x0 = (start + 0.1).astype(after)
    cold = secant.minimize(fun, x0, **options)
    warm = secant.minimize(fun, x0, warm_start=first, **options)
    assert warm.success
    assert warm.nit < cold.nit
    assert (first.x.dtype, warm.x.dtype) == (before, after)
    sizes = {array.dtype.name for array in _arrays_of_variables(warm.memory.content, len(start))}
    assert sizes == {after}


def _arrays_of_variables(value, n):
    if isinstance(value, np.ndarray):
        return [value] if n in value.shape else []
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return [a for f in fields for a in _arrays_of_variables(getattr(value, f.name), n)]
    return []


def test_a_warm_start_of_another_method():
    with pytest.raises(
        ValueError, match=r"warm_start must come .* same method \(bfgs\) .* got l-bfgs"
    ):
        solved(QUADRATIC, method="bfgs", warm_start=solved(QUADRATIC, method="l-bfgs"))


@pytest.mark.parametrize("method", ["cg", "heavy-ball", "nesterov"])
def test_a_warm_start_of_methods_without_memory_at_the_start(method):
    result = solved(QUADRATIC, method=method)
    assert solved(QUADRATIC, method=method, warm_start=result).success


@pytest.mark.parametrize("method", ["l-bfgs", "bfgs", "memoryless-bfgs"])
def test_a_warm_start_of_another_size(method):
    with pytest.raises(ValueError, match="warm_start"):
        solved(ROSENBROCK, method=method, warm_start=solved(QUADRATIC, method=method))


@pytest.mark.parametrize("method", ["l-bfgs", "bfgs", "cg", "heavy-ball"])
def test_reset_forgets(method):
    """The next direction is -g, as at the start."""
    run = secant.start(ROSENBROCK, ROSENBROCK.start(), jac=ROSENBROCK.gradient, method=method)
    for _ in range(5):
        run.step()
    x, g = run.result().x, run.result().jac
    run.reset()
    assert run.result().x.tolist() == x.tolist()
    d = run.step().x - x
    assert d @ g / np.sqrt(d @ d) / np.sqrt(g @ g) == pytest.approx(-1.0)
    assert run.step().f < ROSENBROCK(x)


def test_no_progress_is_scipys_ftol():
    result = solved(stop=secant.NoProgress(ftol=1e-3), gtol=0.0)
    f = result.trace.f
    assert result.status is Status.NO_PROGRESS
    assert f[-2] - f[-1] <= 1e-3 * max(abs(f[-2]), abs(f[-1]), 1.0)
