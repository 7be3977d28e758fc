"""How often a step waits for a number, and how much memory it takes."""

import pytest
import torch
from optimizer_cases import variable

import secant.torch
from secant.torch import variables


class Count(torch.overrides.TorchFunctionMode):
    """Reads that the profiler has no name for."""

    seen = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.seen += getattr(func, "__name__", "") in ("tolist", "numpy", "__array__")
        return func(*args, **(kwargs or {}))


def reads_per_iteration(history_size, n=400, **options):
    """Reads and evaluations an iteration once the history is full."""
    w = torch.nn.Parameter(torch.zeros(n, dtype=torch.float64))
    d = torch.logspace(0.0, 5.0, n, dtype=torch.float64)
    opt = secant.torch.LBFGS(
        [w],
        max_iter=history_size + 3,
        max_eval=1000,
        history_size=history_size,
        tolerance_change=0.0,
        tolerance_grad=0.0,
        **options,
    )

    def closure():
        g = d * (w.detach() - 1.0)
        w.grad = g
        return 0.5 * (g @ (w.detach() - 1.0))

    opt.step(closure)
    opt.param_groups[0]["max_iter"] = 20
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        opt.step(closure)
    scalars = sum(e.count for e in profile.key_averages() if e.key == "aten::_local_scalar_dense")
    with Count() as count:
        opt.step(closure)
    iterations = len(opt.trace) - 1
    assert iterations == 20
    return scalars / iterations, count.seen / iterations, opt.result.nfev / iterations


@pytest.mark.parametrize("history_size", [10, 100])
def test_reads_on_views_of_tensors_are_the_losses_alone(history_size):
    scalars, _, evaluations = reads_per_iteration(history_size)
    assert scalars <= evaluations + 0.2


@pytest.mark.parametrize("history_size", [10, 100])
def test_reads_of_tensors_as_on_a_device_do_not_grow_with_the_history(history_size, monkeypatch):
    """Where NumPy may view no tensor, all is done as on a device.

    Besides those that the profiler counts, the products with the history come over in one transfer, and
    so do the numbers of a pair.
    """
    monkeypatch.setattr(variables, "SHARED", ())
    scalars, direct, evaluations = reads_per_iteration(history_size)
    ends = 10.0 / 20.0  # ten at the two ends of a step of twenty iterations
    assert scalars <= evaluations + 2.0
    assert scalars + direct <= evaluations + 3.0 + ends


def test_the_history_is_one_block_and_a_step_copies_parameters_once_a_trial():
    n, history_size = 50_000, 20
    w = torch.nn.Parameter(torch.zeros(n))
    target = torch.linspace(0.0, 1.0, n)
    opt = secant.torch.LBFGS([w], history_size=history_size, max_iter=3, tolerance_change=0.0)

    def closure():
        opt.zero_grad()
        loss = ((w - target) ** 4).sum()
        loss.backward()
        return loss

    for _ in range(10):
        opt.step(closure)
    blocks = [
        t for t in opt.state_dict()["state"][0]["carried"]["arrays"].values() if t.numel() >= n
    ]
    assert sorted(t.numel() for t in blocks)[-1] == 2 * history_size * n
    assert sum(t.numel() for t in blocks) <= (2 * history_size + 1) * n


def test_the_gradient_and_the_parameters_share_nothing_with_the_history():
    """Users overwrite ``grad`` in place; what was learned must not follow."""
    w = variable(-1.2, 1.0)
    opt = secant.torch.LBFGS([w], max_iter=3, tolerance_change=0.0)

    def closure():
        opt.zero_grad(set_to_none=False)
        loss = 100 * (w[1] - w[0] ** 2) ** 2 + (1 - w[0]) ** 2
        loss.backward()
        return loss

    opt.step(closure)
    before = {k: v.clone() for k, v in opt._packed()["arrays"].items()}
    with torch.no_grad():
        w.grad.fill_(7.0)
        w.fill_(9.0)
    after = opt._packed()["arrays"]
    assert all(torch.equal(before[name], after[name]) for name in before)
