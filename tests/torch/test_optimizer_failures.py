"""Values that are not finite, closures that raise, and searches that find nothing."""

import math

import pytest
import torch
from optimizer_cases import ALL, FIRST_ORDER, OF_LOSSES, Fit, closure_of, flat, variable

import secant
import secant.torch
from secant import Status

SEARCHES = ["strong_wolfe", "hager_zhang", secant.MoreThuente(), secant.Backtracking()]


def wall(x):
    """Its minimum, at 1, is near where it stops being finite."""
    return (x - 1.5 * torch.log(x - 0.5)).sum()


@pytest.mark.parametrize("beyond", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("cls", OF_LOSSES)
def test_steps_into_a_region_without_values_are_shortened(cls, beyond):
    w = variable(60.0, 40.0)
    opt = cls([w], max_iter=100, max_eval=1000)

    def loss():
        return wall(w) if bool((w > 0.5).all()) else (w * beyond).sum()

    opt.step(closure_of(opt, loss))
    assert torch.allclose(w.detach(), torch.full((2,), 2.0, dtype=torch.float64), atol=1e-5)
    assert opt.status.success


@pytest.mark.parametrize("cls", FIRST_ORDER)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_a_rejected_trial(cls, bad):
    w = variable(30.0)
    opt = cls([w], max_iter=50, max_eval=500)

    def closure():
        opt.zero_grad()
        loss = (w**2).sum()
        loss.backward()
        if w.item() < 0.0:
            w.grad.fill_(bad)
        return loss

    opt.step(closure)
    assert 0.0 <= w.item() < 1e-3


def test_a_step_without_a_search_is_halved_until_it_is_finite():
    w = variable(3.0)
    opt = secant.torch.LBFGS([w], lr=1e3, line_search_fn=None, max_iter=1)
    opt.step(closure_of(opt, lambda: wall(w) if w.item() > 0.5 else (w * math.nan).sum()))
    assert w.item() > 0.5
    assert math.isfinite(wall(w.detach()).item())


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_start_that_is_not_finite_is_said_and_left(cls, bad):
    fit = Fit()
    opt = cls(fit.parameters)
    before, good = flat(fit.parameters), fit.y
    fit.y = fit.y * bad
    assert not math.isfinite(float(opt.step(fit.closure(opt))))
    assert opt.status is Status.NOT_FINITE_START
    assert torch.equal(flat(fit.parameters), before)
    assert not opt.result.success
    fit.y = good
    loss = float(opt.step(fit.closure(opt)))
    assert math.isfinite(loss)
    assert opt.status is not Status.NOT_FINITE_START


@pytest.mark.parametrize("cls", ALL)
def test_a_loss_that_turns_bad_for_a_step_leaves_the_optimizer_usable(cls):
    """One batch without values in the middle of training."""
    fit = Fit()
    opt = cls(fit.parameters, max_iter=3)
    opt.step(fit.closure(opt))
    reached, good = fit.loss().item(), fit.y
    fit.y = fit.y * math.nan
    opt.step(fit.closure(opt))
    fit.y = good
    opt.step(fit.closure(opt))
    assert fit.loss().item() < reached


class Broken(Exception):
    pass


class RaisesAt:
    """A closure that raises at its n-th call."""

    def __init__(self, closure, n, error=Broken):
        self.closure, self.left, self.error = closure, n, error

    def __call__(self):
        self.left -= 1
        if self.left < 0:
            raise self.error
        return self.closure()


@pytest.mark.parametrize("error", [Broken, KeyboardInterrupt])
@pytest.mark.parametrize("calls", [0, 1, 3, 7])
@pytest.mark.parametrize("cls", ALL)
def test_a_closure_that_raises_leaves_all_as_before_the_step(cls, calls, error):
    """Parameters, counts and curvature: the run then is the one that was never disturbed."""
    fit, calm = Fit(), Fit()
    options = {"max_iter": 8, "tolerance_change": 0.0}
    if cls is secant.torch.LBFGS:
        options["history_size"] = 5  # full, and overwritten within a step
    opt, other = cls(fit.parameters, **options), cls(calm.parameters, **options)
    for _ in range(2):
        opt.step(fit.closure(opt))
        other.step(calm.closure(other))
    before, counts = flat(fit.parameters), opt.state_dict()["state"][0]["n_iter"]
    with pytest.raises(error):
        opt.step(RaisesAt(fit.closure(opt), calls, error))
    assert torch.equal(flat(fit.parameters), before)
    assert opt.state_dict()["state"][0]["n_iter"] == counts
    opt.step(fit.closure(opt))
    other.step(calm.closure(other))
    assert torch.equal(flat(fit.parameters), flat(calm.parameters))


@pytest.mark.parametrize("cls", ALL)
def test_a_first_step_that_raises_leaves_the_parameters(cls):
    fit = Fit()
    opt = cls(fit.parameters)
    before = flat(fit.parameters)
    with pytest.raises(Broken):
        opt.step(RaisesAt(fit.closure(opt), 2))
    assert torch.equal(flat(fit.parameters), before)
    assert opt.status is None


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("cls", FIRST_ORDER)
def test_a_wrong_gradient_ends_the_step_with_a_reason(cls, search):
    w = variable(3.0, -2.0)
    opt = cls([w], line_search_fn=search, max_eval=400, tolerance_change=0.0)

    def closure():
        opt.zero_grad()
        loss = (w**2).sum()
        loss.backward()
        w.grad.neg_()
        return loss

    assert opt.step(closure).item() == pytest.approx(13.0, rel=1e-12)
    assert w.tolist() == pytest.approx([3.0, -2.0], rel=1e-12)
    assert opt.status is Status.WRONG_GRADIENT
    assert "component" in opt.result.message


@pytest.mark.parametrize("cls", FIRST_ORDER)
def test_a_closure_of_chance_never_breaks_a_step(cls):
    """Dropout: another function at every call. The loss may not fall, and nothing raises."""
    fit = Fit()
    dropout = torch.nn.Dropout(0.5)
    opt = cls(fit.parameters, max_iter=10)
    torch.manual_seed(1)
    for _ in range(10):
        loss = opt.step(closure_of(opt, lambda: ((fit.model(dropout(fit.X)) - fit.y) ** 2).mean()))
        assert math.isfinite(loss.item())
        assert bool(torch.isfinite(flat(fit.parameters)).all())


@pytest.mark.parametrize("cls", OF_LOSSES)
def test_a_loss_without_a_bound_is_said(cls):
    w = variable(1.0)
    opt = cls([w], max_iter=1000, max_eval=5000, tolerance_change=0.0)
    opt.step(closure_of(opt, lambda: -(w**4).sum()))
    assert opt.status in (Status.UNBOUNDED, Status.SEARCH_FAILED, Status.MAX_EVALUATIONS)
    assert bool(torch.isfinite(w).all())


@pytest.mark.parametrize("cls", ALL)
def test_a_start_at_the_solution_takes_no_iteration(cls):
    w = variable(0.0, 0.0)
    opt = cls([w])
    if cls is secant.torch.LevenbergMarquardt:
        opt.step(lambda: w)
    else:
        opt.step(closure_of(opt, lambda: (w**2).sum()))
    assert opt.status is Status.GRADIENT
    assert opt.result.nit == 0


@pytest.mark.parametrize("max_eval", [2, 25])
def test_the_result_of_a_step_within_bounds(max_eval):
    """What was used up by the step is not needed for its account."""
    fit = Fit()
    opt = secant.torch.LevenbergMarquardt(fit.model, bounds=(-0.8, 0.8), max_eval=max_eval)
    for _ in range(2):
        opt.step(fit.closure(opt))
        calls = fit.calls
        result = opt.result
        assert fit.calls == calls
        x = flat(fit.parameters)
        free = (x.abs() < 0.8) | (x * result.jac > 0.0)  # those that no bound holds
        assert result.optimality <= float(result.jac.abs().max())
        assert result.optimality == pytest.approx(float((result.jac * free).abs().max()))
