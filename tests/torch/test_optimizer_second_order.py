"""Closures of methods that multiply with the Hessian, and closures that return residuals."""

import pytest
import torch
from optimizer_cases import SECOND_ORDER, Fit, closure_of, flat, variable

import secant
import secant.torch
from secant.torch.graph_closure import GraphProblem
from secant.torch.variables import Variables

GROUPS = [
    {"lr": 1.0, "weight_decay": 0.0},
    {"lr": 0.25, "weight_decay": 0.5},
]


def rosenbrock(w):
    return 100 * (w[1] - w[0] ** 2) ** 2 + (1 - w[0]) ** 2


@pytest.mark.parametrize("maximize", [False, True])
def test_products_are_those_of_the_whole_objective_in_scaled_variables(maximize):
    """Against `torch.autograd.functional.hessian` of the same function of z."""
    a, b = variable(0.7, -1.1), variable(0.4)
    sign = -1.0 if maximize else 1.0

    def loss(x, y):
        return (x**4).sum() + x[0] * y[0] ** 3 + torch.sin(x[1] * y[0])

    def of_z(z):
        x, y = z[:2], 0.5 * z[2:]
        return sign * loss(x, y) + 0.25 * (y**2).sum()

    groups = [{"params": [p], **g} for p, g in zip((a, b), GROUPS, strict=True)]
    problem = GraphProblem(lambda: loss(a, b), Variables(groups), maximize)
    z = torch.tensor([0.7, -1.1, 0.8], dtype=torch.float64)
    point = problem.at(z.numpy())
    B = torch.autograd.functional.hessian(of_z, z)
    (g,) = torch.autograd.grad(of_z(z.requires_grad_()), z)
    assert torch.allclose(torch.from_numpy(point.g), g, rtol=1e-12)
    for v in torch.eye(3, dtype=torch.float64):
        assert torch.allclose(torch.from_numpy(point.hvp(v.numpy())), B @ v, rtol=1e-12)
    assert point.f == pytest.approx(of_z(z).item(), rel=1e-14)
    assert problem.counts.nfev == 1


def test_a_graph_that_a_later_trial_has_overwritten_is_built_again_and_counted():
    w = variable(1.0, 2.0)
    problem = GraphProblem(lambda: rosenbrock(w), Variables([{"params": [w]}]))
    first = problem.at(torch.tensor([1.0, 2.0]).double().numpy())
    problem.at(torch.tensor([5.0, -2.0]).double().numpy())
    v = torch.tensor([1.0, 0.5]).double()
    B = torch.autograd.functional.hessian(rosenbrock, torch.tensor([1.0, 2.0]).double())
    assert torch.allclose(torch.from_numpy(first.hvp(v.numpy())), B @ v)
    assert problem.counts.nfev == 3


@pytest.mark.parametrize("protocol", ["graph", "backward", "create_graph"])
@pytest.mark.parametrize("cls", SECOND_ORDER)
@pytest.mark.filterwarnings("ignore:Using backward")
def test_the_three_protocols(cls, protocol):
    w = variable(-1.2, 1.0)
    opt = cls([w], max_iter=100, max_eval=1000)

    def closure():
        opt.zero_grad()
        loss = rosenbrock(w)
        if protocol != "graph":
            loss.backward(create_graph=protocol == "create_graph")
        return loss

    opt.step(closure)
    assert torch.allclose(w.detach(), torch.ones(2).double(), atol=1e-5)
    assert opt.result.nhev > 0
    if protocol == "backward":  # every product is a difference of gradients
        assert opt.result.nfev > opt.result.nhev
    else:
        assert opt.result.nfev < 2.5 * opt.result.nit + 2


@pytest.mark.parametrize("cls", SECOND_ORDER)
def test_a_loss_without_a_graph_is_refused(cls):
    w = variable(1.0)
    with pytest.raises(ValueError, match=r"with its graph, or call backward\(\)"):
        cls([w]).step(lambda: (w.detach() ** 2).sum())


@pytest.mark.parametrize("cls", [*SECOND_ORDER, secant.torch.LevenbergMarquardt])
def test_complex_parameters_are_refused(cls):
    z = torch.nn.Parameter(torch.ones(2, dtype=torch.complex128))
    with pytest.raises(ValueError, match="params must be real"):
        cls([z]).step(lambda: z.abs().square().sum())


@pytest.mark.parametrize("cls", SECOND_ORDER)
def test_a_scaler_is_refused(cls):
    w = variable(1.0)
    with pytest.raises(ValueError, match="grad_scaler must be None"):
        cls([w]).step(lambda: (w**2).sum(), grad_scaler=torch.amp.GradScaler("cpu"))


def test_hessian_free_damping():
    fit = Fit()
    opt = secant.torch.NewtonCG(fit.parameters, damping=0.1, max_iter=10, max_eval=60)
    first = fit.loss().item()
    opt.step(fit.loss)
    assert fit.loss().item() < 0.05 * first


def test_the_lr_of_a_trust_region_is_a_factor_of_its_radius():
    moved = []
    for lr in (1.0, 0.1):
        w = variable(50.0)
        opt = secant.torch.TrustRegionNewton([w], lr=lr, max_iter=1)
        opt.step(lambda w=w: torch.log(1 + w**2).sum())
        moved.append(50.0 - w.item())
    assert moved[1] == pytest.approx(0.1 * moved[0], rel=1e-6)


# ------------------------------------------------------------------------- Levenberg-Marquardt


@pytest.mark.parametrize("of_a_module", [False, True])
def test_levenberg_marquardt_fits_as_least_squares_does(of_a_module):
    fit, other = Fit(), Fit()
    opt = secant.torch.LevenbergMarquardt(
        fit.model if of_a_module else fit.parameters, max_iter=15, tolerance_change=0.0
    )
    loss = opt.step(fit.residuals)
    run = secant.least_squares(other.residuals, other.model, max_iter=15)
    assert loss.item() == pytest.approx(run.cost, rel=1e-6)
    assert loss.item() == pytest.approx(0.5 * (fit.residuals() ** 2).sum().item(), rel=1e-12)


@pytest.mark.parametrize("damping", ["auto", "nielsen", "marquardt", "momentum", "trust-radius"])
@pytest.mark.parametrize("solver", ["auto", "qr", "cholesky", "matrix-free"])
def test_every_damping_and_solver(damping, solver):
    if (damping, solver) == ("trust-radius", "matrix-free"):
        pytest.skip("a radius needs a factorisation")
    fit = Fit()
    opt = secant.torch.LevenbergMarquardt(fit.parameters, damping=damping, solver=solver)
    first = fit.loss().item()
    for _ in range(3):
        opt.step(fit.residuals)
    assert fit.loss().item() < 0.01 * first


def test_the_damping_goes_on_from_step_to_step():
    """Ten steps of one iteration are ten iterations: nothing but the residuals is evaluated twice."""
    fit, other = Fit(), Fit()
    one = secant.torch.LevenbergMarquardt(fit.parameters, max_iter=10, tolerance_change=0.0)
    many = secant.torch.LevenbergMarquardt(other.parameters, max_iter=1, tolerance_change=0.0)
    one.step(fit.residuals)
    for _ in range(10):
        many.step(other.residuals)
    assert torch.allclose(flat(fit.parameters), flat(other.parameters), rtol=1e-9)


def test_weight_decay_of_a_module_in_levenberg_marquardt():
    fit = Fit()
    opt = secant.torch.LevenbergMarquardt(fit.model, weight_decay=0.1, max_iter=100, max_eval=300)
    opt.step(fit.residuals)
    whole = 0.5 * (fit.residuals() ** 2).sum() + 0.05 * (flat(fit.parameters) ** 2).sum()
    assert opt.result.fun == pytest.approx(whole.item(), rel=1e-12)


def test_differences_of_gradients_count_as_evaluations():
    w = variable(-1.2, 1.0)
    opt = secant.torch.NewtonCG([w], max_iter=100, max_eval=9)
    calls = []

    def loss():
        calls.append(1)
        return rosenbrock(w)

    opt.step(closure_of(opt, loss))
    assert len(calls) == opt.result.nfev == 9
