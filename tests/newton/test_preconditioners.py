"""Martens' and Jacobi's preconditioners: against loops over samples and dense matrices, and what they save."""

import numpy as np
import pytest
import torch

import secant
from secant import problems
from secant.minimize import make_task
from secant.torch.composite import Composite

SAMPLES = 9


def layers(kind):
    """Networks of linear layers, of others too, and of layers that autograd must see through."""
    torch.manual_seed(0)
    inner = {
        "linear": [torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 4)],
        "normed": [torch.nn.Linear(3, 5), torch.nn.LayerNorm(5), torch.nn.Linear(5, 4)],
        "convolved": [
            torch.nn.Unflatten(1, (1, 3)),
            torch.nn.Conv1d(1, 2, 2),
            torch.nn.Flatten(),
            torch.nn.Linear(4, 4),
        ],
    }[kind]
    return torch.nn.Sequential(*inner).double()


def classes():
    generator = torch.Generator().manual_seed(1)
    X = torch.randn(SAMPLES, 3, generator=generator, dtype=torch.float64)
    return X, torch.randint(0, 4, (SAMPLES,), generator=generator)


def point_of(fun, x0):
    task = make_task(fun, x0, (), None, None, None)
    return task.problem.at(task.x0)


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=0.0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("kind", ["linear", "normed", "convolved"])
def test_squared_gradients_of_a_module_are_those_of_a_loop(kind, reduction):
    model, (X, y) = layers(kind), classes()
    cost = torch.nn.functional.cross_entropy
    fun = Composite(lambda: model(X), lambda z: cost(z, y, reduction=reduction), reduction)
    parameters = list(model.parameters())
    expected = 0.0
    for i in range(SAMPLES):
        grads = torch.autograd.grad(cost(model(X[i : i + 1]), y[i : i + 1]), parameters)
        expected = expected + torch.cat([g.reshape(-1) for g in grads]).numpy() ** 2
    expected = expected / SAMPLES if reduction == "mean" else expected
    close(point_of(fun, model).gradient_squares(), expected)
    close(point_of(fun, parameters).gradient_squares(), expected)  # no module to look at


@pytest.mark.parametrize("kind", ["frozen", "shared", "mixes samples"])
def test_modules_that_are_more_than_their_layers(kind):
    """What is told apart by a test against autograd, and what is no variable."""
    torch.manual_seed(0)
    first, last = torch.nn.Linear(3, 3), torch.nn.Linear(3, 2)
    inner = {"shared": first, "mixes samples": torch.nn.BatchNorm1d(3)}.get(kind, torch.nn.Tanh())
    model = torch.nn.Sequential(first, torch.nn.Tanh(), inner, last).double()
    if kind == "frozen":
        first.weight.requires_grad_(False)
        last.bias.requires_grad_(False)
    X, _ = classes()
    fun = Composite(lambda: model(X), lambda z: (z**2).sum(), "sum")
    variables = [p for p in model.parameters() if p.requires_grad]
    z, expected = model(X), 0.0
    for i in range(SAMPLES):
        grads = torch.autograd.grad((z[i] ** 2).sum(), variables, retain_graph=True)
        expected = expected + torch.cat([g.reshape(-1) for g in grads]).numpy() ** 2
    close(point_of(fun, model).gradient_squares(), expected)


@pytest.mark.parametrize("kind", ["linear", "normed", "convolved"])
def test_the_diagonal_of_a_module_is_that_of_its_products(kind):
    model, (X, y) = layers(kind), classes()
    fun = Composite(lambda: model(X), lambda z: torch.nn.functional.cross_entropy(z, y))
    point = point_of(fun, model)
    units = np.eye(point.x.size)
    close(point.gauss_newton_diagonal(), np.array([point.gauss_newton(e) @ e for e in units]))


@pytest.mark.parametrize("samples", [2, 9], ids=["by rows", "by columns"])
def test_functions_of_tensors(samples):
    t = torch.linspace(0.0, 1.0, samples, dtype=torch.float64)
    x = torch.tensor([1.5, 0.7, -0.2], dtype=torch.float64)
    fun = Composite(lambda x: x[0] * torch.exp(-x[1] * t) + x[2], lambda z: (z**4).sum(), "sum")
    point = point_of(fun, x)
    J = torch.func.jacrev(fun.outputs)(x).numpy()
    z = fun.outputs(x).numpy()
    close(point.gradient_squares(), ((4.0 * z**3)[:, None] ** 2 * J**2).sum(axis=0))
    close(point.gauss_newton_diagonal(), (12.0 * z**2) @ J**2)
    assert point_of(fun, x).gradient_squares().dtype == np.float64
    assert point_of(fun, x.float()).gauss_newton_diagonal().dtype == np.float32


def test_a_linear_loss_has_no_curvature():
    fun = Composite(lambda x: x**2, lambda z: z.sum(), "sum")
    point = point_of(fun, torch.ones(3, dtype=torch.float64))
    assert not point.gauss_newton_diagonal().any()
    assert not point.gauss_newton(point.x).any()
    result = secant.minimize(
        Composite(lambda x: x**2, lambda z: (1.0 + z).log().sum()),
        torch.ones(3, dtype=torch.float64),
        method=secant.HessianFree(preconditioner="jacobi"),  # L < 0 counts as 0
    )
    assert result.success


@pytest.mark.parametrize("what", ["gradient_squares", "gauss_newton_diagonal"])
def test_layers_are_not_proven_where_all_is_zero(what):
    """With a slope, or a curvature, of zero, rows agree with autograd even if samples are mixed."""
    torch.manual_seed(0)
    mixing = torch.nn.BatchNorm1d(5, affine=False)
    model = torch.nn.Sequential(torch.nn.Linear(3, 5), mixing, torch.nn.Linear(5, 2)).double()
    X, _ = classes()
    start = model(X).detach()  # where a sum of fourth powers has neither
    fun = Composite(lambda: model(X), lambda z: ((z - start) ** 4).sum(), "sum")
    task = make_task(fun, model, (), None, None, None)
    assert not getattr(task.problem.at(task.x0), what)().any()
    point = task.problem.at(task.x0 + np.linspace(-1.0, 1.0, task.x0.size))
    found = getattr(point, what)()
    parameters = list(model.parameters())
    plain = point_of(fun, parameters)  # no module: the whole Jacobian by autograd
    assert plain.f == point.f
    close(found, getattr(plain, what)())


def test_curvatures_that_are_not_finite_leave_cg_without_a_preconditioner():
    labels = torch.tensor([0, 1])
    fun = Composite(
        lambda x: (x / (x - 1.0)).repeat(2, 1),
        lambda z: torch.nn.functional.cross_entropy(z, labels),
    )
    point = point_of(fun, torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    assert np.isnan(point.gauss_newton_diagonal()).any()
    assert secant.Jacobi()(point, 0.5) is None


def test_without_samples():
    fun = Composite(lambda x: x[:0], lambda z: (z**2).sum())
    point = point_of(fun, torch.ones(2, dtype=torch.float64))
    with pytest.raises(
        ValueError, match=r"outputs must return at least one sample, got shape \(0,"
    ):
        point.gradient_squares()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["callable", "martens", "jacobi"])
def test_functions_of_the_users_get_what_the_user_has(kind, dtype):
    """Tensors, of which they may keep a graph and to which they may write."""
    seen = []

    def rude(x, damping=0.0):
        seen.append(x.dtype if isinstance(x, torch.Tensor) else type(x))
        result = 12.0 * x.clone().requires_grad_(True) ** 2 + damping
        x.fill_(torch.nan)
        return result

    given = {"callable": rude, "martens": secant.Martens(rude), "jacobi": secant.Jacobi(rude)}[kind]
    result = secant.minimize(
        lambda x: (x**4).sum(),
        torch.tensor([1.0, 2.0], dtype=dtype),
        method=secant.HessianFree(preconditioner=given),
    )
    assert result.success
    assert set(seen) == {dtype}


def test_the_formulas():
    squares = np.array([4.0, 0.0])
    point = point_of(lambda x: float(x @ x), np.ones(2))
    martens = secant.Martens(lambda x: squares * x)(point, 0.5)
    np.testing.assert_allclose(martens, [4.5**0.75, 0.5**0.75], rtol=1e-14)
    np.testing.assert_allclose(secant.Jacobi(lambda x: squares * x)(point, 0.5), [4.5, 0.5])
    assert (secant.Jacobi(lambda x: squares)(point, 0.0) > 0.0).all()  # no division by zero
    assert secant.Jacobi(lambda x: 0.0 * x)(point, 0.0) is None
    assert secant.Jacobi(lambda x: np.array([np.nan, 1.0]))(point, 0.5) is None


# ------------------------------------------------------------------------------------- what they save


def badly_scaled(seed):
    """A network whose inputs have sizes from 1 to 1000."""
    torch.manual_seed(seed)
    X = torch.randn(200, 4, dtype=torch.float64)
    y = torch.sin(2.0 * X[:, :1]) + X[:, 1:2] * X[:, 2:3] + X[:, 3:]
    scales = torch.logspace(0, 3, 4, dtype=torch.float64)
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)
    ).double()
    with torch.no_grad():
        model[0].weight /= scales
    return Composite(lambda: model(X * scales), lambda z: ((z - y) ** 2).mean()), model


@pytest.mark.parametrize("preconditioner", [secant.Martens(), secant.Jacobi()], ids=repr)
def test_fewer_iterations_of_conjugate_gradients_on_a_badly_scaled_network(preconditioner):
    damping = 1e-3
    for seed in range(3):
        point = point_of(*badly_scaled(seed))
        M = preconditioner(point, damping)
        plain, preconditioned = (
            secant.solve_cg(
                lambda v, point=point: point.gauss_newton(v) + damping * v,
                -point.g,
                preconditioner=inverse,
                rtol=1e-6,
            )
            for inverse in (None, lambda r, M=M: r / M)
        )
        assert plain.success
        assert preconditioned.success
        assert preconditioned.nit < 0.85 * plain.nit


@pytest.mark.parametrize(
    "given",
    [
        "jacobi",
        secant.Jacobi(lambda x: np.geomspace(1.0, 1e6, 40)),
        lambda x, damping: np.geomspace(1.0, 1e6, 40) + damping,
        np.geomspace(1.0, 1e6, 40),
    ],
    ids=["name", "diagonal", "callable", "array"],
)
def test_hessian_free_with_the_diagonal_of_a_diagonal_hessian(given):
    """However it is given, a few products are enough where hundreds were."""
    f = problems.diagonal(np.geomspace(1.0, 1e6, 40).tolist())
    scales = torch.from_numpy(np.geomspace(1.0, 1e6, 40))

    def run(preconditioner):
        method = secant.HessianFree(1e-8, decay=0.0, preconditioner=preconditioner)
        if isinstance(preconditioner, str):
            fun = Composite(lambda x: x - torch.tensor(f.x_star), lambda z: scales @ z**2 / 2)
            return secant.minimize(fun, torch.from_numpy(f.start()), method=method)
        options = {"jac": True, "hessp": lambda x, p: scales.numpy() * p, "method": method}
        return secant.minimize(f.value_and_gradient, f.start(), **options)

    plain, preconditioned = run(None), run(given)
    assert plain.success
    assert preconditioned.success
    assert preconditioned.nhev < 0.1 * plain.nhev


# ---------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("marten", "did you mean 'martens'"),
        (3, "preconditioner must be 'martens', 'jacobi', an array or a callable, got 3"),
        (secant.Martens, "must be 'martens', 'jacobi', an array or a callable, got <class"),
        (np.array([1.0, 0.0]), "1-D array of positive finite numbers, got 0 among them"),
        (np.array([1.0, np.inf]), "1-D array of positive finite numbers, got inf among them"),
        (np.ones((2, 2)), r"numbers, got shape \(2, 2\) of float64"),
        (np.array(["a", "b"]), "numbers, got shape .* of <U1"),
        (np.ones(2) * 1j, "numbers, got shape .* of complex128"),
    ],
)
def test_unusable_preconditioners(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        secant.HessianFree(preconditioner=given)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            "martens",
            r"preconditioner 'martens' needs the squared gradients of the samples.*Martens\(",
        ),
        (
            "jacobi",
            r"preconditioner 'jacobi' needs the diagonal of the Gauss-Newton matrix.*Jacobi\(",
        ),
        (np.ones(3), r"preconditioner must return shape \(2,\), got \(3,\)"),
        (lambda x, damping: -x, "preconditioner must not be negative, got -1"),
        (secant.Martens(lambda x: 1.0), r"squares must return shape \(2,\), got \(\)"),
        (secant.Jacobi(lambda x: -x), "diagonal must not be negative"),
        (secant.Jacobi(lambda x: "ab"), "diagonal must return 2 numbers, got str"),
    ],
)
def test_preconditioners_that_do_not_fit_the_problem(given, sentence):
    method = secant.HessianFree(preconditioner=given)
    with pytest.raises(ValueError, match=sentence):
        secant.minimize(lambda x: float(x @ x), np.ones(2), method=method)


def test_methods_can_be_compared():
    M = np.ones(2)
    method = secant.HessianFree(preconditioner=M)
    assert method == method
    assert method != secant.HessianFree(preconditioner=M)
    assert hash(method) == hash(method)
    M[0] = -1.0  # the method has a copy
    assert secant.minimize(lambda x: float(x @ x), np.ones(2), method=method).success
    named = [secant.HessianFree(preconditioner=given) for given in ("martens", secant.Martens())]
    assert named[0] == named[1]


def test_configuration_is_checked():
    with pytest.raises(ValueError, match=r"alpha must be above 0 and at most 1, got 1\.5"):
        secant.Martens(alpha=1.5)
    with pytest.raises(ValueError, match="squares must be callable or None, got 'x'"):
        secant.Martens("x")
    with pytest.raises(ValueError, match="reduction must be one of mean, sum, got 'none'"):
        Composite(lambda: None, lambda z: z, "none")


def test_a_saved_run_knows_its_preconditioner(tmp_path):
    fun, model = badly_scaled(0)
    method = secant.HessianFree(preconditioner="martens")
    run = secant.start(fun, model, method=method, max_iter=6)
    for _ in range(3):
        run.step()
    run.save(tmp_path / "run.npz")
    again = secant.resume(tmp_path / "run.npz", fun, model, max_iter=6)
    assert again.method == method
    assert np.array_equal(run.finish().trace.f, again.finish().trace.f)


def scaled_valley(x):
    """Curvatures from 1 to 1e8, coupled weakly; indefinite at the start."""
    scales = np.geomspace(1.0, 1e8, x.shape[0])
    u = np.sqrt(scales) * x
    f = float(0.25 * u**4 @ np.ones(x.shape[0]) - 0.5 * u @ u + 0.05 * u[1:] @ u[:-1])
    du = u**3 - u
    du[1:] += 0.05 * u[:-1]
    du[:-1] += 0.05 * u[1:]
    return f, np.sqrt(scales) * du


def scaled_diagonal(x):
    scales = np.geomspace(1.0, 1e8, x.shape[0])
    return scales * (3.0 * scales * x**2 - 1.0)


def scaled_product(x, v):
    root = np.sqrt(np.geomspace(1.0, 1e8, x.shape[0]))
    w = root * v
    Bw = scaled_diagonal(x) / root**2 * w
    Bw[1:] += 0.05 * w[:-1]
    Bw[:-1] += 0.05 * w[1:]
    return root * Bw


@pytest.mark.parametrize("given", [scaled_diagonal, secant.Jacobi(scaled_diagonal)])
def test_newton_cg_does_not_see_the_units_of_the_variables(given):
    """Where the diagonal has negative elements, too, as at the start here."""
    x0 = 0.3 * np.geomspace(1.0, 1e-4, 12) * (-1.0) ** np.arange(12)
    assert scaled_diagonal(x0).max() < 0.0
    products = []
    for M in (None, given):
        method = secant.NewtonCG(preconditioner=M)
        found = secant.minimize(
            scaled_valley, x0, jac=True, hessp=scaled_product, method=method, gtol=1e-6
        )
        assert found.success
        assert (scaled_diagonal(found.x) > 0.0).all()
        products.append(found.nhev)
    assert 2 * products[1] < products[0]


def test_newton_cg_needs_one_product_where_the_preconditioner_is_the_hessian():
    scales = np.geomspace(1.0, 1e6, 9)
    found = secant.minimize(
        lambda x: (0.5 * scales @ x**2, scales * x),
        np.ones(9),
        jac=True,
        hessp=lambda x, p: scales * p,
        method=secant.NewtonCG(rtol=0.1, preconditioner=scales),
    )
    assert found.success
    assert found.nhev == found.nit < 5


def test_newton_cg_takes_the_diagonal_of_a_composite():
    fun, model = badly_scaled(0)
    products = []
    for given in (None, "jacobi"):
        method = secant.NewtonCG(preconditioner=given)
        products.append(secant.minimize(fun, model, method=method, max_iter=10).nhev)
        fun, model = badly_scaled(0)
    assert products[1] < products[0]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("martens", "for newton-cg, got 'martens': Martens' is for the damped Gauss-Newton matrix"),
        (secant.Martens(), "Martens' is for the damped Gauss-Newton matrix of secant.HessianFree"),
        (
            "none",
            "preconditioner must be 'jacobi', secant.Jacobi, an array or a callable, got 'none'",
        ),
        (np.array([1.0, -1.0]), "array of positive finite numbers, got -1 among them"),
        (3.0, "preconditioner must be 'jacobi', secant.Jacobi, an array or a callable, got 3.0"),
        (secant.Jacobi, "preconditioner must be 'jacobi', secant.Jacobi, an array or a callable"),
    ],
)
def test_preconditioners_that_newton_cg_does_not_take(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        secant.NewtonCG(preconditioner=given)
