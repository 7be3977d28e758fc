"""PyTorch's loop around the optimizers: closures, schedulers, hooks and what else a training script has."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch
from optimizer_cases import (
    ALL,
    FIRST_ORDER,
    OF_LOSSES,
    SECOND_ORDER,
    Fit,
    closure_of,
    flat,
    network,
    variable,
)

import secant
import secant.torch
from secant import Status


def train(opt, fit, steps=10):
    closure = fit.closure(opt)
    return [float(opt.step(closure)) for _ in range(steps)]


@pytest.mark.parametrize("cls", ALL)
def test_the_loss_falls_and_step_returns_it_where_it_leaves_the_parameters(cls):
    fit = Fit()
    opt = cls(fit.parameters, max_iter=10)
    first = fit.loss().item()
    losses = train(opt, fit)
    scale = 0.5 * len(fit.y) if cls is secant.torch.LevenbergMarquardt else 1.0
    assert losses[-1] == pytest.approx(scale * fit.loss().item(), rel=1e-14)
    assert losses[-1] < 0.02 * scale * first
    assert all(after <= before for before, after in itertools.pairwise(losses))


def test_torchs_own_loop_runs_after_a_change_of_the_import():
    """From five starts; how far down a single path gets hangs on its last bits."""

    def falls(cls):
        logarithms, calls = [], 0
        for seed in range(5):
            fit = Fit(seed)
            first = fit.loss().item()
            opt = cls(
                fit.parameters, lr=1, max_iter=20, history_size=100, line_search_fn="strong_wolfe"
            )
            for _ in range(10):
                opt.step(fit.closure(opt))
            logarithms.append(np.log10(first / fit.loss().item()))
            calls += fit.calls
        return np.mean(logarithms), calls

    (ours, our_calls), (theirs, their_calls) = falls(secant.torch.LBFGS), falls(torch.optim.LBFGS)
    assert ours > 0.8 * theirs
    assert our_calls <= 1.3 * their_calls


@pytest.mark.parametrize("word", [None, "strong_wolfe", "hager_zhang", secant.MoreThuente()])
@pytest.mark.parametrize("cls", FIRST_ORDER)
def test_every_search(cls, word):
    if word is None and cls is secant.torch.NonlinearCG:
        pytest.skip("conjugate directions need a search")
    fit = Fit()
    opt = cls(fit.parameters, lr=0.1 if word is None else 1.0, line_search_fn=word)
    first = fit.loss().item()
    train(opt, fit)
    assert fit.loss().item() < (0.9 if word is None else 0.1) * first


def test_without_a_search_steps_are_those_of_torch():
    """L-BFGS in two ways on a quadratic: the same iterates up to rounding."""
    ends = []
    for cls in (secant.torch.LBFGS, torch.optim.LBFGS):
        w = variable(3.0, -2.0, 1.0)
        opt = cls([w], lr=0.5, max_iter=6, line_search_fn=None, tolerance_grad=0.0)
        opt.step(closure_of(opt, lambda w=w: (torch.tensor([1.0, 4.0, 9.0]) * w**2).sum()))
        ends.append(w.detach().clone())
    assert torch.allclose(ends[0], ends[1], rtol=1e-10)


@pytest.mark.parametrize("cls", ALL)
def test_status_result_and_trace(cls):
    fit = Fit()
    opt = cls(fit.parameters, max_iter=3, tolerance_change=0.0)
    assert opt.status is None
    assert opt.result is None
    assert len(opt.trace) == 0
    train(opt, fit, 2)
    assert opt.status is Status.MAX_ITERATIONS
    assert opt.result.status is opt.status
    assert opt.result.nfev == opt.trace.nfev[-1]
    assert list(opt.trace.k) == [3, 4, 5, 6]
    assert opt.result.nit == 6
    assert torch.equal(opt.result.x, flat(fit.parameters))
    assert opt.state_dict()["state"][0]["n_iter"] == 6
    assert opt.state_dict()["state"][0]["func_evals"] == fit.calls


@pytest.mark.parametrize("cls", ALL)
def test_evaluations_are_limited_and_counted_honestly(cls):
    fit = Fit()
    opt = cls(fit.parameters, max_iter=100, max_eval=7, tolerance_change=0.0)
    train(opt, fit, 1)
    assert opt.status is Status.MAX_EVALUATIONS
    assert fit.calls == opt.result.nfev == 7


def test_what_a_search_has_found_is_kept_when_the_evaluations_end_in_its_middle():
    w = variable(-1.2, 1.0)
    opt = secant.torch.BFGS([w], max_iter=5, max_eval=4)
    seen = []

    def loss():
        f = 100 * (w[1] - w[0] ** 2) ** 2 + (1 - w[0]) ** 2
        seen.append(f.item())
        return f

    values = [float(opt.step(closure_of(opt, loss))) for _ in range(20)]
    assert values[-1] < 0.2 * seen[0]
    assert all(after <= before for before, after in itertools.pairwise(values))


def test_tolerances_end_a_step():
    w = variable(3.0)
    opt = secant.torch.LBFGS([w], tolerance_grad=1e-3, tolerance_change=0.0)
    opt.step(closure_of(opt, lambda: (w**4).sum()))
    assert opt.status is Status.GRADIENT
    w = variable(3.0)
    opt = secant.torch.LBFGS([w], tolerance_grad=0.0, tolerance_change=0.5)
    opt.step(closure_of(opt, lambda: 1.0 + (w**4).sum()))
    assert opt.status is Status.NO_PROGRESS


def test_a_tolerance_of_zero_ends_nothing():
    """In single precision equal losses come long before the last digit of the gradient."""
    w = variable(2.0, dtype=torch.float32)
    opt = secant.torch.LBFGS([w], max_iter=50, tolerance_change=0.0)
    opt.step(closure_of(opt, lambda: 1.0 + 1e-3 * (w**4).sum()))
    assert opt.status is not Status.NO_PROGRESS
    assert (opt.trace.f[1:] == opt.trace.f[:-1]).any()


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_step_where_gradients_are_off(cls, mode):
    """Frameworks have it around their loops; closures that leave their graph need it most."""
    fit, other = Fit(), Fit()
    opt, plain = cls(fit.parameters, max_iter=3), cls(other.parameters, max_iter=3)

    def closure():
        return fit.loss() if cls in SECOND_ORDER else fit.closure(opt)()

    def same():
        return other.loss() if cls in SECOND_ORDER else other.closure(plain)()

    with mode():
        loss = opt.step(closure)
    plain.step(same)
    assert torch.equal(flat(fit.parameters), flat(other.parameters))
    assert not loss.is_inference()
    with mode():  # and from what it has learned
        opt.step(closure)
    plain.step(same)
    assert torch.equal(flat(fit.parameters), flat(other.parameters))


def test_a_deterministic_closure_is_not_called_again_where_it_was():
    calls = []
    for deterministic in (False, True):
        fit = Fit()
        opt = secant.torch.LBFGS(fit.parameters, max_iter=1, deterministic=deterministic)
        train(opt, fit, 10)
        calls.append(fit.calls)
    assert calls[0] - calls[1] == 9


def test_single_steps_of_a_deterministic_closure_are_the_iterations_of_one():
    fits = []
    for steps, iterations in ((12, 1), (1, 12)):
        fit = Fit()
        opt = secant.torch.LBFGS(
            fit.parameters, max_iter=iterations, max_eval=60, deterministic=True
        )
        train(opt, fit, steps)
        fits.append(fit)
    assert torch.equal(flat(fits[0].parameters), flat(fits[1].parameters))
    assert fits[0].calls == fits[1].calls


def test_parameters_that_the_user_changed_are_evaluated_anew():
    fit = Fit()
    opt = secant.torch.LBFGS(fit.parameters, max_iter=2, deterministic=True)
    train(opt, fit, 3)
    with torch.no_grad():
        fit.parameters[0].add_(0.5)
    changed = fit.loss().item()
    train(opt, fit, 1)
    assert opt.trace.f[0] == changed


# ----------------------------------------------------------------------- around the optimizer


@pytest.mark.parametrize("cls", OF_LOSSES)
def test_schedulers(cls):
    fit = Fit()
    opt = cls(fit.parameters, lr=1.0, max_iter=5)
    down = torch.optim.lr_scheduler.LambdaLR(opt, lambda epoch: 0.5**epoch)
    first = fit.loss().item()
    for _ in range(4):
        loss = opt.step(fit.closure(opt))
        down.step()
    assert opt.param_groups[0]["lr"] == 0.5**4
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=0)
    plateau.step(loss)
    plateau.step(loss)
    assert opt.param_groups[0]["lr"] == pytest.approx(0.1 * 0.5**4)
    opt.step(fit.closure(opt))
    assert fit.loss().item() < 0.5 * first


def test_lr_is_the_first_trial_of_a_search():
    seen = []
    for lr in (1.0, 0.25):
        w = variable(1.0)
        opt = secant.torch.LBFGS([w], lr=lr, max_iter=1, line_search_fn=secant.Backtracking())
        trials = []

        def loss(w=w, trials=trials):
            trials.append(w.item())
            return 0.1 * (w**2).sum()

        opt.step(closure_of(opt, loss))
        seen.append(trials[1] - 1.0)
    assert seen[1] == pytest.approx(0.25 * seen[0])


def test_a_schedule_may_begin_at_zero():
    fit = Fit()
    opt = secant.torch.LBFGS(fit.parameters)
    torch.optim.lr_scheduler.LambdaLR(opt, lambda epoch: min(1.0, epoch / 2))
    before = flat(fit.parameters)
    loss = opt.step(fit.closure(opt))
    assert loss.item() == fit.loss().item()
    assert torch.equal(flat(fit.parameters), before)
    assert opt.status is None
    assert opt.state_dict()["state"][0]["func_evals"] == 1


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(set_to_none):
    fit = Fit()
    opt = secant.torch.LBFGS(fit.parameters)

    def closure():
        opt.zero_grad(set_to_none=set_to_none)
        loss = fit.loss()
        loss.backward()
        return loss

    first = closure().item()
    assert opt.step(closure).item() < 0.1 * first


def test_hooks():
    fit = Fit()
    opt = secant.torch.LBFGS(fit.parameters, max_iter=1)
    events = []
    opt.register_step_pre_hook(lambda opt, args, kwargs: events.append("before"))
    opt.register_step_post_hook(lambda opt, args, kwargs: events.append("after"))
    opt.register_state_dict_pre_hook(lambda opt: events.append("save"))
    opt.register_state_dict_post_hook(lambda opt, state: events.append(sorted(state)))
    opt.register_load_state_dict_pre_hook(lambda opt, state: events.append("load"))
    opt.register_load_state_dict_post_hook(lambda opt: events.append("loaded"))
    opt.step(fit.closure(opt))
    opt.load_state_dict(opt.state_dict())
    assert events == ["before", "after", "save", ["param_groups", "state"], "load", "loaded"]


def test_clipped_gradients_inside_the_closure():
    """They are not the loss's, and yet the search must end below its start."""
    fit = Fit()
    opt = secant.torch.LBFGS(fit.parameters, max_iter=5)

    def closure():
        opt.zero_grad()
        loss = fit.loss()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(fit.parameters, 0.01)
        return loss

    losses = [closure().item()] + [opt.step(closure).item() for _ in range(40)]
    assert all(after <= before for before, after in itertools.pairwise(losses))
    assert losses[-1] < 0.1 * losses[0]


def test_gradients_accumulated_over_batches_inside_the_closure():
    whole, parts = Fit(), Fit()
    one, many = (secant.torch.LBFGS(fit.parameters, max_iter=15) for fit in (whole, parts))

    def closure():
        many.zero_grad()
        total = 0.0
        for X, y in zip(parts.X.split(7), parts.y.split(7), strict=True):
            loss = ((parts.model(X) - y) ** 2).sum() / len(parts.y)
            loss.backward()
            total += loss.detach()
        return total

    one.step(whole.closure(one))
    many.step(closure)
    assert torch.allclose(flat(whole.parameters), flat(parts.parameters), rtol=1e-5)


def test_averaged_models():
    fit = Fit()
    opt = secant.torch.LBFGS(fit.parameters, max_iter=2)
    average = torch.optim.swa_utils.AveragedModel(
        fit.model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.5)
    )
    expected = flat(fit.parameters)
    for step in range(4):
        opt.step(fit.closure(opt))
        average.update_parameters(fit.model)
        here = flat(fit.parameters)
        expected = here if step == 0 else 0.5 * (expected + here)
    assert torch.allclose(flat(average.module.parameters()), expected, rtol=1e-12)


def test_the_closure_of_a_framework_that_wraps_it():
    """Lightning calls ``step(closure=...)`` with a wrapper that runs the training step inside."""
    fit = Fit()
    opt = secant.torch.LBFGS(fit.parameters)

    class Wrapper:
        def __call__(self):
            opt.zero_grad()
            loss = fit.loss()
            loss.backward()
            self.seen = loss.detach()
            return self.seen

    wrapper = Wrapper()
    first = wrapper().item()
    with torch.no_grad():  # as a framework may have it around a step
        assert opt.step(closure=wrapper).item() < 0.1 * first


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_compiled_module():
    """Traced and differentiated as compiled code is; making machine code would need a compiler."""
    fit = Fit()
    compiled = torch.compile(fit.model, backend="aot_eager")
    opt = secant.torch.LBFGS(compiled.parameters())
    first = fit.loss().item()
    opt.step(closure_of(opt, lambda: ((compiled(fit.X) - fit.y) ** 2).mean()))
    assert fit.loss().item() < 0.1 * first


def test_scaled_gradients_of_mixed_precision():
    fit = Fit(dtype=torch.float32)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**40)
    opt = secant.torch.LBFGS(fit.parameters, max_iter=10)
    plain = Fit(dtype=torch.float32)

    def closure():
        opt.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = fit.loss()
        scaler.scale(loss).backward()
        return loss

    first = plain.loss().item()
    for _ in range(10):
        loss = opt.step(closure, grad_scaler=scaler)
    assert loss.item() < 0.2 * first
    assert plain.parameters[0].grad is None


def test_a_scale_that_overflows_is_lowered():
    w = variable(3.0, dtype=torch.float32)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127)
    opt = secant.torch.LBFGS([w])

    def closure():
        opt.zero_grad()
        loss = (w**2).sum()
        scaler.scale(loss).backward()
        return loss

    assert opt.step(closure, grad_scaler=scaler).item() < 1e-10
    assert scaler.get_scale() < 2.0**127


def test_no_scale_heals_a_gradient_that_is_not_finite():
    w = variable(3.0, dtype=torch.float32)
    opt = secant.torch.LBFGS([w])
    scaler = torch.amp.GradScaler("cpu")

    def closure():
        opt.zero_grad()
        scaler.scale(w.sum() * float("nan")).backward()
        return 1.0

    opt.step(closure, grad_scaler=scaler)
    assert opt.status is Status.NOT_FINITE_START
    assert w.item() == 3.0


def test_complex_parameters_are_pairs_of_real_ones():
    z = torch.nn.Parameter(torch.tensor([1.0 + 2.0j, -3.0j], dtype=torch.complex128))
    target = torch.tensor([0.5 - 1.0j, 2.0 + 0.0j], dtype=torch.complex128)
    opt = secant.torch.LBFGS([z])
    opt.step(closure_of(opt, lambda: (z - target).abs().square().sum()))
    assert torch.allclose(z.detach(), target, atol=1e-8)
    assert opt.result.x.numel() == 4


def test_sparse_gradients_are_made_dense():
    table = torch.nn.Embedding(6, 2, sparse=True).double()
    rows = torch.tensor([0, 3, 3])
    untouched = table.weight.detach()[[1, 2, 4, 5]].clone()
    opt = secant.torch.LBFGS(table.parameters())
    opt.step(closure_of(opt, lambda: ((table(rows) - 1.0) ** 2).sum()))
    assert torch.allclose(table.weight.detach()[[0, 3]], torch.ones(2, 2).double(), atol=1e-6)
    assert torch.equal(table.weight.detach()[[1, 2, 4, 5]], untouched)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("cls", ALL)
def test_the_dtype_is_kept(cls, dtype):
    fit = Fit(dtype=dtype)
    opt = cls(fit.parameters)
    first = fit.loss().item()
    train(opt, fit, 3)
    assert {p.dtype for p in fit.parameters} == {dtype}
    assert fit.loss().item() < 0.3 * first


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_shorter_history(dtype):
    fit = Fit()
    opt = secant.torch.LBFGS(fit.parameters, history_size=10, history_dtype=dtype)
    first = fit.loss().item()
    train(opt, fit, 5)
    assert fit.loss().item() < 0.05 * first
    stored = opt.state_dict()["state"][0]["carried"]["arrays"].values()
    assert getattr(torch, dtype) in {tensor.dtype for tensor in stored if tensor.ndim == 2}


def test_a_history_on_the_host_changes_nothing_where_all_is_on_the_host():
    ends = []
    for device in (None, "cpu"):
        fit = Fit()
        train(secant.torch.LBFGS(fit.parameters, history_device=device), fit, 2)
        ends.append(flat(fit.parameters))
    assert torch.equal(*ends)


def test_the_closure_is_let_go_after_the_step():
    import gc
    import weakref

    fit = Fit()
    opt = secant.torch.LBFGS(fit.parameters, deterministic=True)

    class Batch:
        pass

    batch = Batch()
    gone = weakref.ref(batch)

    def closure(held=batch):
        opt.zero_grad()
        loss = fit.loss()
        loss.backward()
        return loss

    opt.step(closure)
    del closure, batch
    gc.collect()
    assert gone() is None
    assert math.isfinite(opt.result.fun)


def test_copies_of_a_model_do_not_share_the_optimizer():
    fit = Fit()
    opt = secant.torch.LBFGS(fit.parameters, max_iter=3)
    opt.step(fit.closure(opt))
    other = copy.deepcopy(fit)
    assert not torch.equal(flat(network().parameters()), flat(other.parameters))
