"""The contracts of the methods, on the classes: they converge, keep limits, count honestly.

The problems are those of the contracts of `secant.minimize`; a run is one long step, or many short ones.
"""

import itertools
import math

import pytest
import torch
from optimizer_cases import FIRST_ORDER, OF_LOSSES, closure_of

import secant.torch
from secant import Status, problems

BUDGET = 1500

CATALOGUE = problems.catalogue()

FLAT = "a nearly singular Hessian at the minimum"
SCALE = "variables of scales 1e6 and 1e-6"

EXCEPTIONS = {
    secant.torch.NonlinearCG: {"biggs_exp6": FLAT, "brown_badly_scaled": SCALE},
    secant.torch.TrustRegionNewton: {"brown_badly_scaled": SCALE},
}
"""Where a class may run out of evaluations, and why."""

OUTCOMES = (Status.GRADIENT, Status.ROUNDOFF)


def started(problem, dtype=torch.float64):
    return torch.nn.Parameter(torch.tensor(problem.x0, dtype=dtype))


def gradient_of(problem, x):
    (g,) = torch.autograd.grad(problem(x), x)
    return g.abs().max().item()


def closure_for(cls, opt, w, problem):
    """PyTorch's closure; without ``backward`` for the classes that want the graph."""
    return closure_of(opt, lambda: problem(w)) if cls in FIRST_ORDER else lambda: problem(w)


def tolerance(problem, w, precise, rough):
    relative = precise if w.dtype == torch.float64 else rough
    return relative * max(1.0, gradient_of(problem, w))


@pytest.mark.parametrize("problem", CATALOGUE, ids=str)
@pytest.mark.parametrize("cls", OF_LOSSES)
def test_one_long_step_converges(cls, problem):
    w = started(problem)
    gtol = tolerance(problem, w, 1e-6, 1e-4)
    excepted = problem.name in EXCEPTIONS.get(cls, {})
    opt = cls([w], max_iter=BUDGET, max_eval=BUDGET, tolerance_grad=gtol, tolerance_change=0.0)
    loss = opt.step(closure_for(cls, opt, w, problem))
    assert loss.item() == problem(w).item()
    assert opt.status in OUTCOMES or excepted, opt.result
    if opt.status is Status.GRADIENT:
        assert gradient_of(problem, w) <= gtol


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("name", ["rosenbrock", "beale", "wood", "helical_valley", "quadratic"])
@pytest.mark.parametrize("cls", OF_LOSSES)
def test_many_short_steps_converge(cls, name, dtype):
    problem = getattr(problems, name)()
    w = started(problem, dtype)
    gtol = tolerance(problem, w, 1e-6, 1e-4)
    opt = cls([w], max_iter=4, tolerance_grad=gtol, tolerance_change=0.0)
    closure, losses = closure_for(cls, opt, w, problem), []
    for _ in range(300):
        losses.append(opt.step(closure).item())
        if opt.status in OUTCOMES:
            break
    noise = 10.0 * torch.finfo(dtype).eps * max(map(abs, losses))
    assert opt.status in OUTCOMES
    assert all(after <= before + noise for before, after in itertools.pairwise(losses))


SQUARES = [f for f in CATALOGUE if f.is_sum_of_squares]


@pytest.mark.parametrize("problem", SQUARES, ids=str)
def test_levenberg_marquardt_converges_on_sums_of_squares(problem):
    w = started(problem)
    opt = secant.torch.LevenbergMarquardt(
        [w], max_iter=BUDGET // 3, max_eval=BUDGET, tolerance_grad=1e-9, tolerance_change=0.0
    )
    loss = opt.step(lambda: problem.residuals(w))
    assert loss.item() == pytest.approx(0.5 * (problem.residuals(w) ** 2).sum().item(), rel=1e-13)
    assert opt.status is not Status.MAX_ITERATIONS or problem.name in ("brown_dennis",)
    lowest = min(
        (0.5 * (problem.residuals(w - t * g) ** 2).sum()).item()
        for (g,) in [torch.autograd.grad(0.5 * (problem.residuals(w) ** 2).sum(), w)]
        for t in 2.0 ** torch.arange(-40.0, 0.0)
    )
    assert loss.item() - lowest <= 1e-6 * max(1.0, loss.item())


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 8, 13, 21])
@pytest.mark.parametrize("cls", OF_LOSSES)
def test_evaluations_never_exceed_their_limit_and_the_best_of_them_is_kept(cls, limit):
    problem, values = problems.wood(), []
    w = started(problem)
    opt = cls([w], max_iter=1000, max_eval=limit, tolerance_grad=0.0, tolerance_change=0.0)

    def recorded():
        value = problem(w)
        values.append(value.item())
        return value

    closure = closure_of(opt, recorded) if cls in FIRST_ORDER else recorded
    loss = opt.step(closure)
    assert opt.status is Status.MAX_EVALUATIONS
    assert len(values) == opt.result.nfev == limit
    assert loss.item() == problem(w).item() == min(values)


@pytest.mark.parametrize("cls", OF_LOSSES)
def test_nothing_is_evaluated_twice_within_a_step(cls):
    problem, seen = problems.beale(), []
    w = started(problem)
    opt = cls([w], max_iter=30, tolerance_change=0.0)

    def recorded():
        seen.append(w.detach().numpy().tobytes())
        return problem(w)

    opt.step(closure_of(opt, recorded) if cls in FIRST_ORDER else recorded)
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("iterations", [1, 2, 7])
@pytest.mark.parametrize("cls", OF_LOSSES)
def test_max_iter_is_honoured_to_the_letter(cls, iterations):
    problem = problems.wood()
    w = started(problem)
    opt = cls([w], max_iter=iterations, tolerance_grad=0.0, tolerance_change=0.0)
    opt.step(closure_for(cls, opt, w, problem))
    assert opt.status is Status.MAX_ITERATIONS
    assert opt.result.nit == iterations == len(opt.trace) - 1


@pytest.mark.parametrize("cls", FIRST_ORDER)
def test_a_step_is_minimize(cls):
    """The same core, the same start: the same iterates, bit for bit."""
    import secant
    from secant import methods

    problem = problems.wood()
    w = started(problem)
    opt = cls(
        [w],
        max_iter=25,
        max_eval=1000,
        line_search_fn="hager_zhang",
        tolerance_grad=0.0,
        tolerance_change=0.0,
    )
    opt.step(closure_of(opt, lambda: problem(w)))
    method = getattr(methods, cls.__name__)
    given = method(memory=100) if cls is secant.torch.LBFGS else method()
    result = secant.minimize(problem, started(problem).data, method=given, gtol=0.0, max_iter=25)
    assert torch.equal(w.detach(), result.x)
    assert opt.result.nfev == result.nfev


def test_a_region_without_values_is_left():
    w = torch.nn.Parameter(torch.tensor([0.1], dtype=torch.float64))
    for cls in FIRST_ORDER:
        with torch.no_grad():
            w.fill_(0.1)
        opt = cls([w], max_iter=50)
        loss = opt.step(closure_of(opt, lambda: (w - torch.log(w)).sum()))
        assert loss.item() == pytest.approx(1.0)
        assert math.isfinite(w.item())
