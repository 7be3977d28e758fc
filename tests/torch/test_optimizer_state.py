"""Saving, loading, copying and pickling optimizers: a resumed run is the uninterrupted one."""

import copy
import gc
import io
import pickle
import weakref

import pytest
import torch
from optimizer_cases import ALL, FIRST_ORDER, Fit, closure_of, flat, variable

import secant
import secant.torch
from secant.torch import variables

OPTIONS = {"max_iter": 3, "tolerance_change": 0.0}


def steps(opt, fit, count):
    for _ in range(count):
        opt.step(fit.closure(opt))


def through_a_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def options(cls, deterministic):
    return (
        OPTIONS
        if cls is secant.torch.LevenbergMarquardt
        else {
            **OPTIONS,
            "deterministic": deterministic,
        }
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("cls", ALL)
def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(cls, deterministic, dtype):
    fit = Fit(dtype=dtype)
    opt = cls(fit.parameters, **options(cls, deterministic))
    steps(opt, fit, 3)
    model = through_a_file(fit.model.state_dict())
    state = through_a_file(opt.state_dict())
    steps(opt, fit, 3)

    again = Fit(seed=1, dtype=dtype)
    again.model.load_state_dict(model)
    resumed = cls(again.parameters, **options(cls, deterministic))
    resumed.load_state_dict(state)
    steps(resumed, again, 3)
    assert torch.equal(flat(fit.parameters), flat(again.parameters))
    assert opt.state_dict()["state"][0]["n_iter"] == resumed.state_dict()["state"][0]["n_iter"]


@pytest.mark.parametrize("cls", ALL)
def test_saving_between_steps_changes_nothing_and_later_steps_do_not_change_what_was_saved(cls):
    fit, other = Fit(), Fit()
    opt, plain = cls(fit.parameters, **OPTIONS), cls(other.parameters, **OPTIONS)
    steps(opt, fit, 2)
    state = opt.state_dict()
    kept = copy.deepcopy(state)
    steps(opt, fit, 2)
    steps(plain, other, 4)
    assert torch.equal(flat(fit.parameters), flat(other.parameters))
    arrays, expected = (s["state"][0]["carried"]["arrays"] for s in (state, kept))
    assert all(torch.equal(arrays[name], expected[name]) for name in expected)


@pytest.mark.parametrize("cls", ALL)
def test_a_state_that_is_loaded_and_saved_at_once_is_the_same(cls):
    fit = Fit()
    opt = cls(fit.parameters, **OPTIONS)
    steps(opt, fit, 2)
    state = opt.state_dict()
    other = cls(Fit().parameters, **OPTIONS)
    other.load_state_dict(state)
    again = other.state_dict()
    assert again["param_groups"] == state["param_groups"]
    assert again["state"][0]["carried"]["content"] == state["state"][0]["carried"]["content"]


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("make", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))])
def test_copies_and_pickles_go_on_as_the_original(cls, make):
    fit = Fit()
    opt = cls(fit.parameters, **OPTIONS)
    steps(opt, fit, 2)
    other, twin = make((fit, opt))
    assert twin.param_groups[0]["params"][0] is other.parameters[0]
    steps(opt, fit, 2)
    steps(twin, other, 2)
    assert torch.equal(flat(fit.parameters), flat(other.parameters))


def test_an_optimizer_that_has_not_stepped_can_be_saved_and_copied():
    fit = Fit()
    opt = secant.torch.LBFGS(fit.parameters)
    twin = secant.torch.LBFGS(Fit().parameters, lr=0.5)
    twin.load_state_dict(through_a_file(opt.state_dict()))
    assert twin.param_groups[0]["lr"] == 1.0
    assert copy.deepcopy(opt).status is None


@pytest.mark.parametrize("cls", ALL)
def test_a_state_follows_its_parameters_to_another_dtype(cls):
    fit, single = Fit(), Fit(dtype=torch.float32)
    opt = cls(fit.parameters, **OPTIONS)
    steps(opt, fit, 4)
    reached = fit.loss().item()
    single.model.load_state_dict({k: v.float() for k, v in fit.model.state_dict().items()})
    other = cls(single.parameters, **OPTIONS)
    other.load_state_dict(opt.state_dict())
    steps(other, single, 2)
    assert other.trace.k[0] > 0  # it went on
    assert single.loss().item() < reached


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("cls", ALL)
def test_a_state_moves_between_views_of_tensors_and_tensors(cls, back, monkeypatch):
    """As from the CPU to a device and back: the vectors are of another kind, the run is the same."""
    fit, other = Fit(), Fit()
    opt, moved = cls(fit.parameters, **OPTIONS), cls(other.parameters, **OPTIONS)
    kinds = [variables.SHARED, ()]
    first, second = kinds[::-1] if back else kinds
    monkeypatch.setattr(variables, "SHARED", first)
    steps(opt, fit, 2)
    other.model.load_state_dict(fit.model.state_dict())
    moved.load_state_dict(through_a_file(opt.state_dict()))
    steps(opt, fit, 1)
    monkeypatch.setattr(variables, "SHARED", second)
    steps(moved, other, 1)
    assert moved.trace.k[0] > 0
    assert torch.allclose(flat(fit.parameters), flat(other.parameters), rtol=1e-6)


def test_a_module_that_is_cast_between_steps_takes_its_memory_along():
    fit = Fit(dtype=torch.float32)
    opt = secant.torch.LBFGS(fit.parameters, **OPTIONS)
    steps(opt, fit, 3)
    fit.model.double()
    fit.X, fit.y = fit.X.double(), fit.y.double()
    pairs = opt._carried.state.memory.pairs
    steps(opt, fit, 1)
    assert opt._carried.state.memory.pairs > pairs


@pytest.mark.parametrize("cls", FIRST_ORDER)
def test_a_search_given_as_an_object_is_saved_as_a_string(cls):
    search = secant.MoreThuente(c2=0.3)
    fit, other = Fit(), Fit()
    opt = cls(fit.parameters, line_search_fn=search, **OPTIONS)
    steps(opt, fit, 1)
    state = through_a_file(opt.state_dict())
    assert opt.param_groups[0]["line_search_fn"] is search
    resumed = cls(other.parameters, **OPTIONS)
    resumed.load_state_dict(state)
    other.model.load_state_dict(fit.model.state_dict())
    steps(opt, fit, 2)
    steps(resumed, other, 2)
    assert torch.equal(flat(fit.parameters), flat(other.parameters))


def test_the_state_of_another_method_is_refused():
    fit = Fit()
    opt = secant.torch.LBFGS(fit.parameters, **OPTIONS)
    steps(opt, fit, 1)
    state = opt.state_dict()
    with pytest.raises(ValueError, match="state_dict must be that of bfgs, got one of l-bfgs"):
        secant.torch.BFGS(fit.parameters, **OPTIONS).load_state_dict(state)


@pytest.mark.parametrize("other", [torch.optim.LBFGS, torch.optim.Adam])
@pytest.mark.parametrize("cls", ALL)
def test_the_state_of_torchs_optimizers_is_refused(cls, other):
    w = variable(1.0)
    given = other([w])
    given.step(closure_of(given, lambda: (w**2).sum()))
    with pytest.raises(
        ValueError, match=f"state_dict must be that of a secant.torch.{cls.__name__}"
    ):
        cls([w]).load_state_dict(given.state_dict())


def test_a_deterministic_closure_is_evaluated_anew_for_another_weight_decay():
    fit = Fit()
    opt = secant.torch.LBFGS(fit.parameters, deterministic=True, **OPTIONS)
    steps(opt, fit, 2)
    opt.param_groups[0]["weight_decay"] = 3.0
    whole = fit.loss().item() + 1.5 * (flat(fit.parameters) ** 2).sum().item()
    for again in (False, True):
        if again:  # and after saving
            state = opt.state_dict()
            opt.load_state_dict(state)
            opt.param_groups[0]["weight_decay"] = 0.5
            whole = fit.loss().item() + 0.25 * (flat(fit.parameters) ** 2).sum().item()
        steps(opt, fit, 1)
        assert opt.trace.f[0] == pytest.approx(whole, rel=1e-14)


def test_what_was_learned_of_a_loss_is_not_used_for_its_negative():
    fit = Fit()
    opt = secant.torch.LBFGS(fit.parameters, deterministic=True, **OPTIONS)
    steps(opt, fit, 2)
    opt.param_groups[0]["maximize"] = True
    before = fit.loss().item()
    steps(opt, fit, 1)
    assert opt.trace.k[0] == 0
    assert fit.loss().item() > before


def test_values_of_another_precision_are_not_taken_over():
    fit, single = Fit(), Fit(dtype=torch.float32)
    opt = secant.torch.LBFGS(fit.parameters, deterministic=True, **OPTIONS)
    steps(opt, fit, 2)
    single.model.load_state_dict(fit.model.state_dict())
    other = secant.torch.LBFGS(single.parameters, deterministic=True, **OPTIONS)
    other.load_state_dict(opt.state_dict())
    expected = single.loss().item()
    steps(other, single, 1)
    assert other.trace.k[0] > 0
    assert other.trace.f[0] == expected


def test_a_state_of_other_groups_is_refused_by_torch():
    opt = secant.torch.LBFGS([variable(1.0)])
    two = secant.torch.LBFGS([{"params": [variable(1.0)]}, {"params": [variable(2.0)]}])
    with pytest.raises(ValueError, match="different number of parameter groups"):
        two.load_state_dict(opt.state_dict())


def test_loading_does_not_change_what_was_given():
    fit = Fit()
    opt = secant.torch.BFGS(fit.parameters, **OPTIONS)
    steps(opt, fit, 2)
    state = opt.state_dict()
    kept = copy.deepcopy(state)
    for _ in range(2):
        other = Fit()
        resumed = secant.torch.BFGS(other.parameters, **OPTIONS)
        resumed.load_state_dict(state)
        steps(resumed, other, 2)
    for name, tensor in kept["state"][0]["carried"]["arrays"].items():
        assert torch.equal(state["state"][0]["carried"]["arrays"][name], tensor)


def test_a_reset_forgets():
    w = variable(-1.2, 1.0)
    opt = secant.torch.BFGS([w], max_iter=5, tolerance_change=0.0)
    closure = closure_of(opt, lambda: 100 * (w[1] - w[0] ** 2) ** 2 + (1 - w[0]) ** 2)
    opt.step(closure)
    opt.reset()
    opt.step(closure)
    assert opt.trace.k[0] == 0


@pytest.mark.parametrize("kind", ALL)
def test_the_memory_of_a_step_is_free_at_the_next(kind):
    """Not only after a garbage collection, which counts objects and not bytes."""
    fit = Fit()
    opt = kind(fit.parameters, max_iter=2)
    steps(opt, fit, 1)
    problem = weakref.ref(opt._run.problem)
    gc.disable()
    try:
        steps(opt, fit, 1)
        assert problem() is None
    finally:
        gc.enable()
