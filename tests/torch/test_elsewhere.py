"""On a device that is not the CPU: the same results, and few numbers that Python waits for.

The device is that of `elsewhere`, so that what holds for a GPU is tested where there is none.
"""

import numpy as np
import pytest
import torch
from elsewhere import DEVICE, Device, Elsewhere, elsewhere, here, moved
from optimizer_cases import ALL, SECOND_ORDER, Fit

import secant
import secant.torch
from secant import Verdict
from secant.methods import REGISTRY
from secant.torch.composite import Composite

METHODS = [name for name, entry in REGISTRY.items() if not entry.needs_residuals]
SEARCHES = ("l-bfgs", "bfgs", "ssbfgs", "ssbroyden", "cg", "gd", "nesterov", "newton", "sr1")


def valley(x):
    """Rosenbrock's function of each pair of variables."""
    a, b = x[::2], x[1::2]
    return (100.0 * (b - a**2) ** 2).sum() + ((1.0 - a) ** 2).sum()


def start(n):
    return torch.tensor([-1.2, 1.0] * (n // 2), dtype=torch.float64)


def test_the_device_is_one():
    """It refuses what a GPU refuses, and counts what a GPU would wait for."""
    x = start(4)
    with Device() as device:
        y = elsewhere(x)
        assert y.device == DEVICE
        assert isinstance(y + 1.0, Elsewhere)
        assert isinstance(torch.zeros(2, device=y.device), Elsewhere)
        assert isinstance(torch.asarray([1.0], device=y.device), Elsewhere)
        for mixed in (lambda: y + x, lambda: y @ x, lambda: torch.stack([y.sum(), x.sum()])):
            with pytest.raises(RuntimeError, match="same device"):
                mixed()
        with pytest.raises(RuntimeError):
            y.numpy()
        assert device.reads == 0
        assert float(y.sum()) == float(x.sum())
        assert y.tolist() == x.tolist()
        assert torch.equal(y.cpu(), x)
        assert device.reads == 3


# ------------------------------------------------------------------------------------ minimize


@pytest.mark.parametrize("name", METHODS)
def test_methods_do_there_what_they_do_here(name):
    options = {"method": name, "max_iter": 6}
    expected = secant.minimize(valley, start(6), **options)
    with Device() as device:
        result = secant.minimize(valley, elsewhere(start(6)), **options)
        reads = device.reads
    assert isinstance(result.x, Elsewhere)
    torch.testing.assert_close(here(result.x), expected.x, rtol=1e-6, atol=1e-9)
    # one for each value; the rest does not depend on n, and for a line search is small
    rest = 4 if name in SEARCHES else 12
    assert reads <= result.nfev + rest * (result.nit + 1) + 4 * result.nhev


@pytest.mark.parametrize("name", METHODS)
def test_reads_do_not_grow_with_the_number_of_variables(name):
    counts = []
    for n in (4, 24):
        with Device() as device:
            result = secant.minimize(valley, elsewhere(start(n)), method=name, max_iter=4)
            counts.append((device.reads - result.nfev - 4 * result.nhev) / max(1, result.nit))
    assert counts[1] <= counts[0] + 2.0


@pytest.mark.parametrize(
    ("fun", "jac"),
    [
        (lambda x: float((x**2).sum()), lambda x: 2.0 * x),
        (lambda x: (x**2).sum().cpu(), lambda x: 2.0 * x),
        (lambda x: (x**2).sum(), lambda x: 2.0 * x.cpu()),
        (lambda x: (x**2).sum(), lambda x: 2.0 * x.cpu().numpy()),
    ],
    ids=["float", "value here", "gradient here", "gradient of NumPy"],
)
def test_what_functions_return_may_be_here(fun, jac):
    with Device():
        result = secant.minimize(fun, elsewhere(start(4)), jac=jac)
        assert result.success
        assert isinstance(result.x, Elsewhere)
        assert float(result.x.abs().max()) < 1e-5


def test_floats_beside_tensors_keep_their_digits():
    """In bfloat16 a value would have three."""
    x = torch.ones(2, dtype=torch.bfloat16)
    run = secant.start(lambda x: 1.0 + 1e-9, x, jac=lambda x: x, method="gd")
    assert run.best.f == 1.0 + 1e-9


def test_runs_are_saved_and_resumed_there(tmp_path):
    with Device():
        run = secant.start(valley, elsewhere(start(6)))
        for _ in range(3):
            run.step()
        run.save(tmp_path / "run")
        again = secant.resume(tmp_path / "run", valley, elsewhere(start(6)))
        run.step()
        again.step()
        assert torch.equal(here(run.best.x), here(again.best.x))


# ---------------------------------------------------------------------------------- optimizers


def steps(cls, away, **options):
    """The losses of two steps of three iterations, and the optimizer."""
    fit = Fit()
    if away:
        moved(fit.model)
        fit.X, fit.y = elsewhere(fit.X), elsewhere(fit.y)
    given = fit.model if cls is secant.torch.LevenbergMarquardt else fit.parameters
    opt = cls(given, max_iter=3, **options)
    closure = fit.loss if cls in SECOND_ORDER else fit.closure(opt)
    return [float(here(opt.step(closure))) for _ in range(2)], opt, closure


@pytest.mark.parametrize("cls", ALL)
def test_optimizers_do_there_what_they_do_here(cls):
    expected, *_ = steps(cls, away=False)
    with Device() as device:
        losses, opt, closure = steps(cls, away=True)
        np.testing.assert_allclose(losses, expected, rtol=1e-6)
        before = device.reads
        opt.step(closure)
        reads, result = device.reads - before, opt.result
    assert reads <= result.nfev + 8 * (result.nit + 1) + 4 * result.nhev


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (secant.torch.LBFGS, {"line_search_fn": None}),
        (secant.torch.LBFGS, {"history_device": "cpu"}),
        (secant.torch.LBFGS, {"weight_decay": 1e-3}),
        (secant.torch.LBFGS, {"deterministic": True}),
        (secant.torch.NewtonCG, {"damping": 1.0}),
        (secant.torch.LevenbergMarquardt, {"solver": "cholesky"}),
        (secant.torch.LevenbergMarquardt, {"solver": "matrix-free"}),
        (secant.torch.LevenbergMarquardt, {"damping": "momentum"}),
        (secant.torch.LevenbergMarquardt, {"weight_decay": 1e-3}),
        (secant.torch.LevenbergMarquardt, {"bounds": (-1.0, 1.0)}),
    ],
    ids=str,
)
def test_their_options_too(cls, options):
    expected, *_ = steps(cls, away=False, **options)
    with Device():
        losses, opt, _ = steps(cls, away=True, **options)
        assert opt.result.nit > 0
    # J'J squares J's condition, and with it what sums in another order differ by
    squared = options.get("solver") == "cholesky"
    np.testing.assert_allclose(losses, expected, rtol=1e-4 if squared else 1e-6)


def test_states_move_from_here_to_there():
    _, opt, closure = steps(secant.torch.LBFGS, away=False)
    state, w = opt.state_dict(), Fit()
    expected = float(opt.step(closure))
    with Device():
        _, other, theirs = steps(secant.torch.LBFGS, away=True)
        other.load_state_dict(state)
        assert float(here(other.step(theirs))) == pytest.approx(expected, rel=1e-6)
    assert w.calls == 0


def test_batches_are_moved():
    fit = Fit()
    loader = [(fit.X[:10], fit.y[:10]), (fit.X[10:], fit.y[10:])]
    mse = torch.nn.functional.mse_loss
    expected = float(secant.torch.full_batch_closure(fit.model, mse, loader)())
    with Device():
        moved(fit.model)
        closure = secant.torch.full_batch_closure(fit.model, mse, loader)
        assert float(here(closure())) == pytest.approx(expected, rel=1e-14)


# ------------------------------------------------------------------- derivatives, spectra, fits


def quartic(x):
    return (x**4).sum() * (1.0 + x[0] ** 2)


X = torch.linspace(0.5, 1.5, 5, dtype=torch.float64)


def fit_elsewhere():
    fit = Fit()
    moved(fit.model)
    fit.X, fit.y = elsewhere(fit.X), elsewhere(fit.y)
    return fit


def test_products_and_checks():
    expected, fit = secant.hvp(quartic, X, X), Fit()
    n = sum(p.numel() for p in fit.parameters)
    of_module = secant.hvp(fit.loss, fit.model, torch.ones(n))
    with Device() as device:
        torch.testing.assert_close(here(secant.hvp(quartic, elsewhere(X), X)), expected)
        away = fit_elsewhere()
        product = secant.hvp(away.loss, away.model, torch.ones(n))
        torch.testing.assert_close(here(product), of_module)
        assert device.reads == 0
        assert secant.check_gradient(quartic, elsewhere(X), points=2).verdict is Verdict.RIGHT
        assert secant.check_gradient(away.loss, away.model, points=1).verdict is Verdict.RIGHT
        assert secant.check_hessian(quartic, elsewhere(X), points=2).verdict is Verdict.RIGHT
        assert secant.check_jacobian(lambda x: x**2 * x[0], elsewhere(X)).verdict is Verdict.RIGHT


def test_spectra_and_sharpness():
    fit, rates = Fit(), {"eta": 0.1, "every": 2}
    n, options = sum(p.numel() for p in fit.parameters), {"k": 2, "max_products": 12}
    expected, some = (
        secant.spectrum(fit.loss, fit.model),
        secant.spectrum(fit.loss, fit.model, **options),
    )
    watches = [secant.EdgeOfStability(**rates) for _ in range(2)]
    descent = {"method": secant.GradientDescent(rate=0.1), "max_iter": 2, "gtol": 0.0}
    with Device() as device:
        away = fit_elsewhere()
        found = secant.spectrum(away.loss, away.model)
        assert device.reads <= 3 * n
        np.testing.assert_allclose(found.everything, expected.everything, atol=1e-12)
        partly = secant.spectrum(away.loss, away.model, **options)
        np.testing.assert_allclose(partly.largest, some.largest, rtol=1e-9)
        assert partly.trace == pytest.approx(some.trace, rel=1e-9)
        secant.minimize(away.loss, away.model, callback=watches[0], **descent)
    secant.minimize(fit.loss, fit.model, callback=watches[1], **descent)
    np.testing.assert_allclose(watches[0]["sharpness"], watches[1]["sharpness"], rtol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"solver": "cholesky"},
        {"solver": "matrix-free"},
        {"loss": "huber"},
        {"bounds": (0.0, 3.0)},
    ],
    ids=str,
)
def test_fits_of_tensors(options):
    t = torch.linspace(0.0, 2.0, 30, dtype=torch.float64)
    y = 2.0 * torch.exp(-1.3 * t) + 0.01 * torch.sin(9.0 * t)
    p0 = torch.ones(2, dtype=torch.float64)
    expected = secant.least_squares(lambda p: p[0] * torch.exp(-p[1] * t) - y, p0, **options)
    with Device():
        t, y = elsewhere(t), elsewhere(y)
        found = secant.least_squares(
            lambda p: p[0] * torch.exp(-p[1] * t) - y, elsewhere(p0), **options
        )
        torch.testing.assert_close(here(found.x), expected.x, rtol=1e-9, atol=0.0)


@pytest.mark.parametrize(
    "options", [{}, {"bounds": (0.0, 3.0)}, {"loss": "cauchy", "f_scale": 0.1}], ids=str
)
def test_many_fits_at_once(options):
    """By differences: forward mode is not for tensors that only say that they are elsewhere."""
    t = torch.linspace(0.0, 2.0, 30, dtype=torch.float64)
    rates = torch.linspace(0.5, 2.0, 20, dtype=torch.float64)[:, None]
    y = 2.0 * torch.exp(-rates * t) + 0.01 * torch.sin(9.0 * t)

    def model(t, a, b):
        return a * torch.exp(-b * t)

    options = {"jac": "3-point", "batch_size": 7, **options}
    expected = secant.batched_curve_fit(model, t, y, [1.0, 1.0], **options)
    with Device() as device:
        found = secant.batched_curve_fit(model, elsewhere(t), elsewhere(y), [1.0, 1.0], **options)
        assert device.reads < 5 * int(found.nit.sum()) / 7 + 40
        torch.testing.assert_close(here(found.popt), expected.popt, rtol=1e-9, atol=0.0)
        torch.testing.assert_close(here(found.pcov), expected.pcov, rtol=1e-6, atol=0.0)
        assert bool(found.success.all())


@pytest.mark.parametrize("has_samples", [False, True])
def test_fits_of_modules(has_samples):
    def cost(fit):
        if has_samples:
            options = {"samples": (fit.X, fit.y), "max_nfev": 4}
            return secant.least_squares(lambda X, y: fit.model(X) - y, fit.model, **options).cost
        return secant.least_squares(fit.residuals, fit.model, max_nfev=4).cost

    expected = cost(Fit())
    with Device():
        assert cost(fit_elsewhere()) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("preconditioner", [None, "jacobi", secant.Martens()], ids=str)
def test_hessian_free_on_losses_of_outputs(preconditioner):
    def value(fit):
        loss = Composite(lambda: fit.model(fit.X), lambda z: ((z - fit.y) ** 2).mean())
        method = secant.HessianFree(preconditioner=preconditioner)
        return secant.minimize(loss, fit.model, method=method, max_iter=2).fun

    expected = value(Fit())
    with Device():
        assert value(fit_elsewhere()) == pytest.approx(expected, rel=1e-6)
