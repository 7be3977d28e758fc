"""Closures whose value is another one at every call: dropout, noise."""

import contextlib
import statistics

import pytest
import torch
from optimizer_cases import FIRST_ORDER, Fit, closure_of, flat, variable

import secant.torch
from secant import Status

EVALUATIONS = 300


class Enough(Exception):
    pass


def loss_after_training_with_dropout(cls, seed, max_iter):
    """The loss without dropout after a number of evaluations with it."""
    torch.manual_seed(seed)
    X = torch.randn(300, 20)
    labels = (X @ torch.randn(20, 5)).argmax(1)
    model = torch.nn.Sequential(
        torch.nn.Linear(20, 30), torch.nn.Tanh(), torch.nn.Dropout(0.3), torch.nn.Linear(30, 5)
    )
    opt = cls(model.parameters(), max_iter=max_iter, line_search_fn="strong_wolfe")
    calls = 0

    def loss():
        nonlocal calls
        calls += 1
        if calls > EVALUATIONS:
            raise Enough
        return torch.nn.functional.cross_entropy(model(X), labels)

    with contextlib.suppress(Enough):
        while True:
            opt.step(closure_of(opt, loss))
    model.eval()
    return torch.nn.functional.cross_entropy(model(X), labels).item()


@pytest.mark.parametrize(("max_iter", "factor"), [(1, 4.0), (4, 1.5), (20, 1.5)])
def test_dropout_trains_as_with_torchs_class(max_iter, factor):
    """With one iteration a step PyTorch's class makes do with one trial, whatever it finds."""
    ours, theirs = (
        statistics.median(
            loss_after_training_with_dropout(cls, seed, max_iter) for seed in range(5)
        )
        for cls in (secant.torch.LBFGS, torch.optim.LBFGS)
    )
    assert ours < factor * theirs


class Noisy(Fit):
    """A fit whose loss has noise of a few percent."""

    def loss(self):
        return super().loss() * (1.0 + 0.1 * torch.rand(()).item())


def trained_until_chance_is_found(cls):
    torch.manual_seed(0)
    fit = Noisy()
    opt = cls(fit.parameters, max_iter=4)
    for _ in range(60):
        opt.step(fit.closure(opt))
        if opt.status is Status.NON_DETERMINISTIC:
            break
    assert opt.status is Status.NON_DETERMINISTIC
    return fit, opt


@pytest.mark.parametrize("cls", FIRST_ORDER)
def test_once_chance_is_found_a_search_takes_a_few_trials_and_the_curvature_stays(cls):
    fit, opt = trained_until_chance_is_found(cls)
    for _ in range(30):
        start = opt.trace.k[-1]
        opt.step(fit.closure(opt))
        assert max(opt.trace.nfev[1:] - opt.trace.nfev[:-1], default=0) <= 3
        assert opt.result.nfev - opt.trace.nfev[-1] <= 3
        assert opt.trace.k[0] == start  # goes on
        assert not any("reset" in row.event for row in opt.trace.rows)
        assert opt.result.fun <= opt.trace.f[0]


def test_that_chance_was_found_is_saved():
    fit, opt = trained_until_chance_is_found(secant.torch.LBFGS)
    other = Noisy()
    other.model.load_state_dict(fit.model.state_dict())
    twin = secant.torch.LBFGS(other.parameters)
    twin.load_state_dict(opt.state_dict())
    for pair in ((fit, opt), (other, twin)):
        torch.manual_seed(1)
        for _ in range(5):
            pair[1].step(pair[0].closure(pair[1]))
    assert torch.equal(flat(fit.parameters), flat(other.parameters))


def test_a_long_search_makes_one_ask_once_and_a_closure_that_repeats_itself_is_believed():
    w, seen = variable(5.0, -3.0), []
    # first trials that are far too short make every search long
    opt = secant.torch.LBFGS([w], lr=1e-13, max_iter=1, max_eval=100, tolerance_change=0.0)

    def loss():
        seen.append(tuple(w.tolist()))
        return (torch.tensor([1.0, 7.0]) * w**4).sum()

    for _ in range(4):
        opt.step(closure_of(opt, loss))
        assert opt.status is Status.MAX_ITERATIONS
        assert opt.result.nfev > 10
    starts_again = 3
    assert len(seen) - len(set(seen)) == starts_again + 1


@pytest.mark.parametrize("cls", FIRST_ORDER)
def test_noise_that_only_long_searches_show_is_found(cls):
    """By a second look at the start of the next step, without waiting for a search to fail."""
    w = variable(5.0, -3.0)
    opt = cls([w], lr=1e-13, max_iter=1, max_eval=100, tolerance_change=0.0)
    torch.manual_seed(0)

    def loss():
        return (w**4).sum() * (1.0 + 1e-9 * torch.rand(()).item())

    opt.step(closure_of(opt, loss))
    assert opt.status is Status.MAX_ITERATIONS
    assert opt.result.nfev > 10
    opt.step(closure_of(opt, loss))
    assert opt.status is Status.NON_DETERMINISTIC
    assert opt.result.nfev <= 2 + 3
