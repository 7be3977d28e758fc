"""Groups of parameters: scales, decay, what is frozen, and what is refused in a sentence."""

import numpy as np
import pytest
import torch
from optimizer_cases import ALL, FIRST_ORDER, OF_LOSSES, Fit, closure_of, flat, variable

import secant
import secant.torch


@pytest.mark.parametrize("cls", ALL)
def test_several_groups(cls):
    fit = Fit()
    groups = [{"params": fit.model[0].parameters()}, {"params": fit.model[2].parameters()}]
    opt = cls(groups, max_iter=40)
    first = fit.loss().item()
    opt.step(fit.closure(opt))
    assert fit.loss().item() < 0.1 * first
    assert len(opt.param_groups) == 2


@pytest.mark.parametrize("cls", OF_LOSSES)
def test_the_lr_of_a_group_scales_its_variables(cls):
    """A quarter of the lr is half the scale: the run is that of the variables x and x / 2."""
    a, b, z = variable(1.5), variable(-0.7), variable(1.5, -1.4)

    def loss(x, y):
        return (x**4 + 3 * (y - x) ** 2 + y**4).sum()

    grouped = cls([{"params": [a], "lr": 1.0}, {"params": [b], "lr": 0.25}], max_iter=4)
    plain = cls([z], max_iter=4)
    grouped.step(closure_of(grouped, lambda: loss(a, b)))
    plain.step(closure_of(plain, lambda: loss(z[:1], 0.5 * z[1:])))
    assert torch.allclose(flat([a, b]), z.detach() * torch.tensor([1.0, 0.5]).double(), rtol=1e-6)
    assert grouped.result.jac.numel() == 2


def test_the_result_is_in_the_users_variables():
    a, b = variable(1.5), variable(-0.7)
    opt = secant.torch.BFGS([{"params": [a]}, {"params": [b], "lr": 0.25}], max_iter=2)
    opt.step(closure_of(opt, lambda: (a**4 + b**4).sum()))
    assert torch.equal(opt.result.x, flat([a, b]))
    assert torch.allclose(opt.result.jac, 4 * flat([a, b]) ** 3, rtol=1e-12)


@pytest.mark.parametrize("cls", ALL)
def test_weight_decay_is_in_the_value_and_in_the_gradient(cls):
    fit = Fit()
    decays = [0.3, 0.0, 0.02, 0.5]
    groups = [
        {"params": [p], "weight_decay": d} for p, d in zip(fit.parameters, decays, strict=True)
    ]
    opt = cls(groups, max_iter=3)
    returned = opt.step(fit.closure(opt)).item()
    scale = 15.0 if cls is secant.torch.LevenbergMarquardt else 1.0
    loss = scale * fit.loss()
    whole = loss + sum(0.5 * d * (p**2).sum() for p, d in zip(fit.parameters, decays, strict=True))
    gradient = flat(torch.autograd.grad(whole, fit.parameters))
    assert returned == pytest.approx(loss.item(), rel=1e-12)
    assert opt.result.fun == pytest.approx(whole.item(), rel=1e-12)
    assert torch.allclose(opt.result.jac, gradient, rtol=1e-9, atol=1e-12)
    assert opt.result.fun < opt.trace.f[0]


@pytest.mark.parametrize("cls", ALL)
def test_frozen_parameters_stay(cls):
    fit = Fit()
    frozen = fit.model[0].weight
    frozen.requires_grad_(False)
    before = frozen.clone()
    opt = cls(fit.parameters, max_iter=3)
    opt.step(fit.closure(opt))
    assert torch.equal(frozen, before)
    assert opt.result.x.numel() == flat(fit.parameters).numel() - before.numel()
    frozen.requires_grad_(True)
    opt.step(fit.closure(opt))  # a memory of other variables is no use
    assert not torch.equal(frozen, before)


@pytest.mark.parametrize("cls", ALL)
def test_parameters_without_a_gradient_stay(cls):
    fit = Fit()
    unused = variable(2.0, 3.0)
    opt = cls([*fit.parameters, unused])
    opt.step(fit.closure(opt))
    assert unused.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("cls", ALL)
def test_a_group_may_be_added(cls):
    fit = Fit()
    opt = cls(fit.model[2].parameters(), max_iter=3)
    opt.step(fit.closure(opt))
    reached = fit.loss().item()
    fixed = flat(fit.model[0].parameters())
    opt.add_param_group({"params": fit.model[0].parameters()})
    opt.step(fit.closure(opt))
    assert fit.loss().item() < reached
    assert not torch.equal(flat(fit.model[0].parameters()), fixed)


def test_named_parameters():
    fit = Fit()
    opt = secant.torch.LBFGS(fit.model.named_parameters())
    opt.step(fit.closure(opt))
    assert opt.param_groups[0]["param_names"][0] == "0.weight"


@pytest.mark.parametrize("cls", OF_LOSSES)
def test_maximize(cls):
    w = variable(0.3, -2.0)
    opt = cls([w], maximize=True)
    loss = opt.step(closure_of(opt, lambda: 7.0 - ((w - 1.0) ** 2).sum()))
    assert loss.item() == pytest.approx(7.0)
    assert torch.allclose(w.detach(), torch.ones(2).double(), atol=1e-6)


def test_levenberg_marquardt_keeps_bounds():
    """A line fitted with slope and offset held in boxes: the constrained optimum in closed form."""
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    slope, offset = variable(0.5), variable(0.0)
    opt = secant.torch.LevenbergMarquardt(
        [{"params": [slope], "bounds": (0.0, 1.0)}, {"params": [offset]}]
    )
    opt.step(lambda: slope * t + offset - (3.0 * t - 1.0))
    assert slope.item() == 1.0
    assert offset.item() == pytest.approx(0.0, abs=1e-8)  # the mean of 2 t - 1


@pytest.mark.parametrize("cls", OF_LOSSES)
def test_bounds_are_refused_where_no_method_keeps_them(cls):
    with pytest.raises(ValueError, match=f"bounds are not supported by {cls.__name__}"):
        cls([{"params": [variable(1.0)], "bounds": (0.0, 1.0)}])
    with pytest.raises(ValueError, match=rf"by {cls.__name__}, got bounds=\(0\.0, 1\.0\)"):
        cls([variable(1.0)], bounds=(0.0, 1.0))


@pytest.mark.parametrize("cls", ALL)
def test_mixed_dtypes_are_refused(cls):
    opt = cls([variable(1.0), variable(1.0, dtype=torch.float32)])
    with pytest.raises(ValueError, match=r"one dtype and one device, got torch\.float32"):
        opt.step(lambda: None)


@pytest.mark.parametrize("cls", ALL)
def test_nothing_to_optimize_is_refused(cls):
    w = variable(1.0)
    opt = cls([w])
    w.requires_grad_(False)
    with pytest.raises(ValueError, match="params must hold a parameter that requires a gradient"):
        opt.step(lambda: None)


@pytest.mark.parametrize("cls", ALL)
def test_parameters_without_elements_are_carried_along_and_alone_refused(cls):
    fit, empty = Fit(), torch.nn.Parameter(torch.zeros(0, 3).double())
    opt = cls([empty, *fit.parameters], max_iter=40)
    first = fit.loss().item()
    opt.step(fit.closure(opt))
    assert fit.loss().item() < 0.1 * first
    with pytest.raises(ValueError, match="requires a gradient and is not empty"):
        cls([empty]).step(lambda: None)


@pytest.mark.parametrize("cls", ALL)
def test_a_group_may_be_empty(cls):
    fit, other = Fit(), Fit()
    opt, plain = cls([{"params": []}, {"params": fit.parameters}]), cls(other.parameters)
    for _ in range(2):
        opt.step(fit.closure(opt))
        plain.step(other.closure(plain))
        opt.load_state_dict(opt.state_dict())
    assert torch.equal(flat(fit.parameters), flat(other.parameters))


@pytest.mark.parametrize("cls", ALL)
def test_groups_may_hold_what_is_the_users_own(cls):
    opt = cls([{"params": [variable(1.0)], "tag": 1}, {"params": [variable(1.0)], "tag": 2}])
    opt.add_param_group({"params": [variable(1.0)], "tag": 3})
    assert [group["tag"] for group in opt.param_groups] == [1, 2, 3]


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_iter", 0),
        ("max_eval", 0),
        ("tolerance_grad", -1.0),
        ("tolerance_change", float("nan")),
        ("weight_decay", -0.1),
    ],
)
def test_options_that_make_no_sense_are_refused(cls, option, value):
    with pytest.raises(ValueError, match=option):
        cls([variable(1.0)], **{option: value})


@pytest.mark.parametrize("cls", OF_LOSSES)
def test_a_negative_lr_is_refused(cls):
    with pytest.raises(ValueError, match="lr must be a number >= 0"):
        cls([variable(1.0)], lr=-1.0)
    with pytest.raises(ValueError, match="lr must be a number >= 0"):
        cls([{"params": [variable(1.0)], "lr": -1.0}])


@pytest.mark.parametrize("lr", ["1", None, True, torch.ones(2)])
def test_an_lr_that_is_no_number_is_refused(lr):
    with pytest.raises(ValueError, match="lr must be a number >= 0"):
        secant.torch.LBFGS([variable(1.0)], lr=lr)


@pytest.mark.parametrize("option", ["maximize", "deterministic"])
def test_switches_are_true_or_false(option):
    with pytest.raises(ValueError, match=f"{option} must be True or False, got 'no'"):
        secant.torch.LBFGS([variable(1.0)], **{option: "no"})


def test_a_limit_of_products_is_called_by_its_name():
    with pytest.raises(ValueError, match="max_products must be an integer >= 1"):
        secant.torch.NewtonCG([variable(1.0)], max_products=0)


@pytest.mark.parametrize("bounds", [3.0, (1.0, 0.0), (0.0,), ("0", "1"), (float("nan"), 1.0)])
def test_bounds_are_a_pair_of_numbers(bounds):
    with pytest.raises(ValueError, match="bounds must be None or a pair of numbers, lower < upper"):
        secant.torch.LevenbergMarquardt([{"params": [variable(0.5)], "bounds": bounds}])


def test_bounds_have_the_precision_of_the_parameters():
    w = variable(0.1, 0.3)
    opt = secant.torch.LevenbergMarquardt([w], bounds=(0.1, 0.3))
    opt.step(lambda: w + torch.tensor([1.0, -1.0]))
    assert w.tolist() == [0.1, 0.3]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"history_size": 0}, "history_size must be an integer >= 1"),
        ({"line_search_fn": "wolfe"}, "line_search_fn must be None, one of strong_wolfe"),
        ({"history_dtype": "int8"}, "history_dtype must be one of"),
        ({"history_device": "cuda"}, "history_device must be None or 'cpu'"),
    ],
)
def test_options_of_lbfgs(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        secant.torch.LBFGS([variable(1.0)], **options)


def test_conjugate_gradients_need_a_search():
    with pytest.raises(ValueError, match="these directions need one"):
        secant.torch.NonlinearCG([variable(1.0)], line_search_fn=None)


def test_options_that_hold_for_all_groups_cannot_differ():
    with pytest.raises(ValueError, match="max_iter must be the same in all groups"):
        secant.torch.LBFGS(
            [{"params": [variable(1.0)]}, {"params": [variable(1.0)], "max_iter": 3}]
        )


def test_levenberg_marquardt_has_no_lr():
    with pytest.raises(ValueError, match="lr is not an option of LevenbergMarquardt"):
        secant.torch.LevenbergMarquardt([{"params": [variable(1.0)], "lr": 0.1}])


# ----------------------------------------------------------------------------------- bad closures


@pytest.mark.parametrize("cls", ALL)
def test_a_step_needs_a_closure(cls):
    with pytest.raises(ValueError, match="closure must be a function"):
        cls([variable(1.0)]).step()


@pytest.mark.parametrize("cls", OF_LOSSES)
@pytest.mark.parametrize("returned", [None, torch.ones(2), "loss", torch.tensor(1j)])
def test_what_is_no_loss_is_refused(cls, returned):
    w = variable(1.0)
    opt = cls([w])

    def closure():
        w.grad = torch.ones_like(w)
        return returned

    with pytest.raises(ValueError, match="closure must return the loss, one real number, got"):
        opt.step(closure)
    assert w.item() == 1.0


@pytest.mark.parametrize("kind", [float, np.float32, np.asarray, lambda loss: loss[None]])
def test_losses_that_are_not_0d_tensors(kind):
    w = variable(3.0)
    opt = secant.torch.LBFGS([w])

    def closure():
        opt.zero_grad()
        loss = (w**2).sum()
        loss.backward()
        return kind(loss.detach())

    opt.step(closure)
    assert abs(w.item()) < 1e-6


@pytest.mark.parametrize("cls", FIRST_ORDER)
def test_a_closure_that_forgets_backward_is_told(cls):
    w = variable(3.0)
    with pytest.raises(ValueError, match=r"closure must call backward\(\)"):
        cls([w]).step(lambda: (w**2).sum())


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        (lambda w: (w**2).sum(), "one number, which may be the loss"),
        (lambda w: w.detach(), "a tensor without a graph"),
        (lambda w: None, "got None"),
    ],
)
def test_what_is_no_residuals_is_refused(returned, sentence):
    w = variable(3.0)
    opt = secant.torch.LevenbergMarquardt([w])
    with pytest.raises(ValueError, match=sentence):
        opt.step(lambda: returned(w))
