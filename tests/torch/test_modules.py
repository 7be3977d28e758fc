"""Modules and iterables of parameters as the variables."""

import pytest
import torch

import secant
from secant import Status


def network(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)
    ).double()


@pytest.fixture
def task():
    """A module, its loss, and the loss's value now."""
    model = network()
    X = torch.linspace(-1, 1, 40, dtype=torch.float64).reshape(20, 2)
    y = X[:, :1] ** 2 - X[:, 1:]
    return model, lambda: ((model(X) - y) ** 2).mean()


def flat(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


def test_a_module_is_left_at_the_best_point(task):
    model, loss = task
    before = loss().item()
    result = secant.minimize(loss, model, max_iter=50)
    assert result.fun < 1e-2 * before
    assert loss().item() == result.fun
    assert torch.equal(flat(model), result.x)
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("kind", [list, tuple, iter, lambda p: (q for q in p)])
def test_iterables_of_parameters(task, kind):
    model, loss = task
    whole = secant.minimize(loss, network(), max_iter=0).x.numel()
    result = secant.minimize(loss, kind(list(model.parameters())), max_iter=5)
    assert result.x.numel() == whole == flat(model).numel()
    assert result.fun < result.trace.f[0]


def test_frozen_parameters_stay(task):
    model, loss = task
    for p in model[0].parameters():
        p.requires_grad_(False)
    frozen = flat(model[0]).clone()
    result = secant.minimize(loss, model, max_iter=20)
    assert result.x.numel() == flat(model[2]).numel()
    assert torch.equal(flat(model[0]), frozen)
    assert result.fun < result.trace.f[0]


def test_parameters_that_the_loss_does_not_use_stay(task):
    model, loss = task
    model.register_parameter("spare", torch.nn.Parameter(torch.ones(3, dtype=torch.float64)))
    result = secant.minimize(loss, model, max_iter=5)
    assert result.fun < result.trace.f[0]
    assert model.spare.tolist() == [1.0] * 3


def test_tied_parameters_count_once(task):
    model, loss = task
    both = torch.nn.ModuleList([model, model[2]])
    assert secant.minimize(loss, both, max_iter=0).x.numel() == flat(model).numel()


@pytest.mark.parametrize(
    "search",
    [
        secant.Brent(),
        secant.GoldenSection(),
        secant.Backtracking(),
        secant.MoreThuente(),
        secant.Nash(),
    ],
    ids=lambda search: type(search).__name__,
)
def test_every_search_sees_the_gradient_of_its_own_point(task, search):
    """Value-only searches may return an earlier trial, whose graph the later ones have overwritten."""
    model, loss = task
    method = secant.BFGS(search=search)
    calls = []
    result = secant.minimize(lambda: calls.append(1) or loss(), model, method=method, max_iter=6)
    assert len(calls) == result.nfev
    expected = torch.cat(
        [g.reshape(-1) for g in torch.autograd.grad(loss(), list(model.parameters()))]
    )
    torch.testing.assert_close(result.jac, expected, rtol=0.0, atol=0.0)


def test_the_callback_sees_the_module_at_the_snapshot(task):
    model, loss = task
    seen = []

    def callback(snapshot):
        seen.append((snapshot.f, float(loss().detach()), torch.equal(flat(model), snapshot.x)))

    result = secant.minimize(loss, model, max_iter=5, callback=callback)
    assert len(seen) == result.nit + 1
    assert all(f == now and same for f, now, same in seen)


def test_an_exception_leaves_the_module_at_the_best_point(task):
    model, loss = task
    calls = []

    def flaky():
        calls.append(1)
        if len(calls) == 8:
            raise OSError("the data are gone")
        return loss()

    before = loss().item()
    with pytest.raises(OSError, match="the data are gone"):
        secant.minimize(flaky, model)
    assert loss().item() < before


def test_max_evals_counts_the_loss(task):
    model, loss = task
    calls = []
    result = secant.minimize(lambda: calls.append(1) or loss(), model, max_evals=7, gtol=0.0)
    assert result.status is Status.MAX_EVALUATIONS
    assert len(calls) == result.nfev == 7


def test_resumed_is_uninterrupted(task, tmp_path):
    model, loss = task
    start = flat(model).clone()
    whole = secant.minimize(loss, model, max_iter=12)
    model.load_state_dict(network().state_dict())
    assert torch.equal(flat(model), start)
    run = secant.start(loss, model, max_iter=12)
    for _ in range(5):
        run.step()
    run.save(tmp_path / "run.npz")
    other = network(seed=1)  # its values do not matter
    model.load_state_dict(other.state_dict())
    again = secant.resume(tmp_path / "run.npz", loss, model, max_iter=12).finish()
    assert torch.equal(again.x, whole.x)
    assert again.trace.f.tolist() == whole.trace.f.tolist()
    assert torch.equal(flat(model), whole.x)


@pytest.mark.parametrize(
    ("x0", "sentence"),
    [
        (torch.nn.Tanh(), "x0 must have a parameter that requires a gradient, got none"),
        (
            [torch.nn.Parameter(torch.ones(1), requires_grad=False)],
            "must have a parameter that requires",
        ),
        (
            [torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1).double())],
            "share one dtype",
        ),
        ([torch.nn.Parameter(torch.ones(1))] * 2, "x0 must hold each parameter once"),
    ],
)
def test_parameters_that_make_no_sense(x0, sentence):
    with pytest.raises(ValueError, match=sentence):
        secant.minimize(lambda: torch.ones(()), x0)


def test_a_loss_that_makes_no_sense(task):
    model, loss = task
    for wrong in (lambda: 1.0, lambda: loss().detach()):
        with pytest.raises(
            ValueError, match="fun must return a tensor computed from the parameters"
        ):
            secant.minimize(wrong, model)
    with pytest.raises(ValueError, match="fun must return one real number, got Tensor of shape"):
        secant.minimize(lambda: torch.cat([p.reshape(-1) for p in model.parameters()]), model)
    with pytest.raises(ValueError, match="jac must be None for a module: autograd gives it"):
        secant.minimize(loss, model, jac=True)


def test_products_by_double_backward(task):
    """Pearlmutter's product is that of the dense Hessian."""
    from secant.torch.modules import module_task

    model, loss = task
    made = module_task(model, loss, ())
    point = made.problem.at(made.x0)
    v = torch.randn(made.x0.numel(), dtype=torch.float64)
    h = 1e-6
    g = [made.problem.at(made.x0 + sign * h * v).g for sign in (1.0, -1.0)]
    torch.testing.assert_close(
        made.problem.hvp(point, v), (g[0] - g[1]) / (2.0 * h), rtol=1e-6, atol=1e-7
    )


def test_second_derivatives_of_a_linear_loss_are_zero():
    from secant.torch.modules import module_task

    model = torch.nn.Linear(2, 1, dtype=torch.float64)
    inputs = torch.ones(3, 2, dtype=torch.float64)
    made = module_task(model, lambda: model(inputs).sum(), ())
    point = made.problem.at(made.x0)
    v = torch.arange(1.0, 4.0, dtype=torch.float64)
    torch.testing.assert_close(point.g, torch.full((3,), 3.0, dtype=torch.float64))
    torch.testing.assert_close(made.problem.hvp(point, v), torch.zeros_like(v))
