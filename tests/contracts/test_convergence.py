"""Every method converges on every problem but the named exceptions, and success is always earned."""

import numpy as np
import pytest
from contract_cases import BACKENDS, METHODS, NUMPY32, NUMPY64, as_numpy, largest

import secant
from secant import Status, problems

BUDGET = 1500
"""Evaluations that a method may use, and a fifth of them where it is excepted."""

GTOL = {2.0**-52: 1e-6, 2.0**-23: 1e-4}
"""By precision; relative to the gradient at the start where that is above one."""

ILL = "ill-conditioned: the linear rate of a first-order method is (kappa - 1) / (kappa + 1)"
VALLEY = "a curved valley: the steps along it are too short"
FLAT = "a nearly singular Hessian at the minimum"
SCALE = "variables of scales 1e6 and 1e-6"
DUAL = "DFP recovers slowly from too large eigenvalues of H (N&W, section 6.1)"
CANCELS = "f is a difference of numbers near 20: its round-off is far above eps |f|, which searches expect"
MODEL = "not a quadratic: the model's exact step is merely halved until f falls"

_FIRST_ORDER = {
    "rosenbrock": VALLEY,
    "beale": VALLEY,
    "helical_valley": VALLEY,
    "extended_rosenbrock": VALLEY,
    "wood": VALLEY,
    "biggs_exp6": FLAT,
    "gulf": FLAT,
    "extended_powell": FLAT,
    "box": ILL,
    "watson": ILL,
    "penalty_1": ILL,
    "penalty_2": ILL,
    "brown_dennis": ILL,
    "powell_badly_scaled": SCALE,
    "brown_badly_scaled": SCALE,
}
_CONJUGATE = {"biggs_exp6": FLAT, "gulf": FLAT, "watson": ILL, "brown_badly_scaled": SCALE}
EXCEPTIONS: dict[str, dict[str, str]] = {
    "gd": _FIRST_ORDER,
    "heavy-ball": _FIRST_ORDER | {"rastrigin": CANCELS},
    "nesterov": _FIRST_ORDER | {"rastrigin": CANCELS},
    "gdx": _FIRST_ORDER | {"chebyquad": ILL},
    "rprop": {
        "rosenbrock": VALLEY,
        "extended_rosenbrock": VALLEY,
        "gulf": FLAT,
        "watson": ILL,
        "brown_badly_scaled": SCALE,
    },
    "scg": {"biggs_exp6": FLAT, "gulf": FLAT},
    "dfp": dict.fromkeys(
        [
            "rosenbrock",
            "extended_rosenbrock",
            "helical_valley",
            "wood",
            "biggs_exp6",
            "powell_badly_scaled",
            "brown_badly_scaled",
            "box",
            "watson",
            "gulf",
        ],
        DUAL,
    ),
    "linear-cg": {"rosenbrock": MODEL, "wood": MODEL, "biggs_exp6": FLAT},
    "memoryless-bfgs": {"biggs_exp6": FLAT, "watson": ILL},
    "cg": {"biggs_exp6": FLAT},
    "cg-fr": _CONJUGATE,
    "cg-pr": _CONJUGATE,
    "cg-hs": _CONJUGATE,
    "cg-dy": _CONJUGATE,
}
"""Where a method may run out of evaluations, and why."""

ONE_STEP = (
    "a product by differences takes one step for all variables: where x_1 = 1e6 moves enough for g_1 to "
    "change visibly, by 1, x_2 = 1e-6 moves as far, and third derivatives are all that is seen"
)
EXCEPTIONS_IN_FLOAT32: dict[str, dict[str, str]] = {
    "cg": {"brown_badly_scaled": SCALE},
    "hessian-free": {"brown_badly_scaled": ONE_STEP},
}

FEW = ("quadratic", "diagonal", "beale", "himmelblau", "rosenbrock")
"""Problems for the libraries that are slow on small arrays."""


def cases():
    for backend in BACKENDS:
        on_numpy = backend in (NUMPY64, NUMPY32)
        for problem in problems.catalogue():
            if on_numpy or (problem.name in FEW and problem.n <= 10):
                yield pytest.param(backend, problem, id=f"{backend}-{problem}")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("backend", "problem"), list(cases()))
def test_converges_or_says_that_it_did_not(backend, problem, method):
    given = backend.problem(problem)
    excepted = problem.name in EXCEPTIONS.get(method, {}) or (
        backend.eps > 1e-8 and problem.name in EXCEPTIONS_IN_FLOAT32.get(method, {})
    )
    gtol = GTOL[backend.eps] * max(1.0, largest(problem.gradient(given["x0"])))
    budget = BUDGET // 5 if excepted else BUDGET
    result = secant.minimize(**given, method=method, gtol=gtol, max_evals=budget)
    assert result.success or excepted, result
    if result.success:
        assert_earned(problem, result, gtol, backend.eps)
    else:
        assert result.status in (Status.MAX_EVALUATIONS, Status.SEARCH_FAILED)


def assert_earned(problem, result, gtol, eps):
    """A success is a gradient below ``gtol``, or a point from which -g leads nowhere visibly lower."""
    assert np.isfinite(result.fun)
    assert largest(result.jac) == result.optimality
    x = as_numpy(result.x).astype(np.float64)
    f, g = problem.value_and_gradient(x)
    if result.status is Status.GRADIENT:
        assert result.optimality <= gtol
        return
    assert result.status is Status.ROUNDOFF
    round_off = eps * (abs(f) + np.abs(g) @ np.abs(x))
    lowest = min(problem(x - alpha * g) for alpha in 2.0 ** np.arange(-60.0, 10.0))
    assert f - lowest <= 100.0 * round_off


@pytest.mark.parametrize("method", METHODS)
def test_ends_at_a_known_minimum(method):
    """A small gradient is one thing: here the values are those of the minima that are known."""
    for problem in (problems.diagonal([1.0, 4.0, 9.0]), problems.himmelblau(), problems.booth()):
        result = secant.minimize(**NUMPY64.problem(problem), method=method, gtol=1e-7)
        ends = [problem.f_star, *problem.local_minima]
        assert result.success
        assert min(abs(result.fun - f) for f in ends) <= 1e-12


@pytest.mark.parametrize("problem", [problems.watson(12), problems.chebyquad(8)], ids=str)
def test_tiny_steps_are_not_convergence(problem):
    """Steps too short to be seen say nothing about round-off while longer ones would be seen."""
    gtol = 1e-6
    result = secant.minimize(
        **NUMPY32.problem(problem), method="heavy-ball", gtol=gtol, max_evals=3000
    )
    if result.success:
        assert_earned(problem, result, gtol, NUMPY32.eps)


def test_hessian_free_needs_no_exception_where_products_are_exact():
    """What `ONE_STEP` excepts is differences: in the same precision the Hessian itself is enough."""

    def hess(x):
        p, q = x.tolist()
        mixed = 4.0 * (p * q - 1.0)
        return np.array([[2.0 + 2.0 * q * q, mixed], [mixed, 2.0 + 2.0 * p * p]], dtype=x.dtype)

    problem = problems.brown_badly_scaled()
    given = NUMPY32.problem(problem)
    result = secant.minimize(**given, hess=hess, method="hessian-free", gtol=200.0, max_evals=50)
    assert result.status is Status.GRADIENT
    assert_earned(problem, result, 200.0, NUMPY32.eps)
