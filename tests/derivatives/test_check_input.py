"""What the checks and products may be given: nothing right is accused, the rest is refused in a sentence."""

import math

import numpy as np
import pytest
import scipy.sparse
import torch

import secant
from secant import Verdict

X = np.array([1.0, 2.0])


def f(x):
    return (x**4).sum()


def g(x):
    return 4.0 * x**3


def hessian(x):
    return np.diag(12.0 * x**2)


def twisted(x):
    """Its symmetric part is the Hessian."""
    return hessian(x) + np.array([[0.0, 1.0], [-1.0, 0.0]])


def r(x):
    return np.array([x[0] * x[1], x[0] ** 2, x[1]])


def jacobian(x):
    return np.array([[x[1], x[0]], [2.0 * x[0], 0.0], [0.0, 1.0]])


# ----------------------------------------------------------------------- right, and not accused


def test_values_in_single_precision_of_points_in_double():
    check = secant.check_gradient(lambda x: np.float32(f(x)), X, g)
    assert check.ok, check
    wrong = secant.check_gradient(lambda x: np.float32(f(x)), X, lambda x: g(x) * [1.0, 1.01])
    assert wrong.component == (1,)


@pytest.mark.parametrize("log", [math.log, np.log])
def test_domains_that_end_nearby(log, recwarn):
    def fun(x):
        return sum(log(t) for t in x)

    check = secant.check_gradient(fun, [1e-7, 2.0], lambda x: 1.0 / x)
    assert check.points[0].verdict is Verdict.RIGHT, check
    assert check.ok
    assert not recwarn


def test_a_kink_has_no_right_gradient():
    """The short minimisation ends on it, where any subgradient is as good as another."""
    check = secant.check_gradient(
        lambda x: np.abs(x).sum() + (x**2).sum(), X, lambda x: np.sign(x) + 2 * x
    )
    assert check.ok, check
    assert check.points[1].where == "near an optimum"
    assert check.points[1].verdict is Verdict.UNDECIDED


def test_a_huge_gradient_at_one_point_hides_nothing_at_the_others():
    """-log falls for ever: near its "optimum", 0, its gradient is 1e20 times that at x."""
    check = secant.check_gradient(
        lambda x: np.log(x).sum(), [1e-3, 2.0], lambda x: [1.0, 1.001] / x, points=3
    )
    assert check.points[0].verdict is Verdict.DOUBTFUL, check


def test_functions_may_write_and_reuse():
    buffer = np.empty(2)

    def squares(x):
        np.multiply(x, x, out=buffer)
        x *= 0.0
        return buffer

    assert secant.check_jacobian(squares, X, lambda x: np.diag(2.0 * x)).verdict is Verdict.RIGHT


@pytest.mark.parametrize(
    "J",
    [
        lambda x: jacobian(x).tolist(),
        lambda x: jacobian(x).reshape(-1),
        lambda x: scipy.sparse.csr_array(jacobian(x)),
        lambda x: torch.tensor(jacobian(x), requires_grad=True),
    ],
)
def test_jacobians_of_every_kind(J):
    assert secant.check_jacobian(r, [1, 2], J).verdict is Verdict.RIGHT


def test_jacobians_of_one_argument():
    check = secant.check_jacobian(lambda x, a: a * r(x), X, lambda x, a: a * jacobian(x), 3.0)
    assert check.verdict is Verdict.RIGHT


def test_a_hessian_is_evaluated_once_a_point():
    calls = []

    def counted(x):
        calls.append(x)
        return np.diag(12.0 * x**2)

    x = np.linspace(1.0, 2.0, 10)
    assert secant.check_hessian(f, x, counted, g, points=3).ok
    assert len(calls) == 3


# ------------------------------------------------------------------------------------- wrong


def test_a_hessian_that_is_not_symmetric_is_wrong():
    check = secant.check_hessian(f, X, twisted, g)
    assert check.verdict is Verdict.WRONG
    assert sorted(check.component) == [0, 1]


def test_gradients_that_are_not_finite_are_wrong():
    for value in (math.nan, math.inf):
        check = secant.check_gradient(f, X, lambda x, value=value: np.array([4.0, value]))
        assert check.verdict is Verdict.WRONG
        assert check.component == (1,)


# ----------------------------------------------------------------------------------- refused

TENSOR = torch.tensor([1.0, 2.0], dtype=torch.float64)


def product(x):
    return (x**4).sum()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: secant.check_gradient(f, X, False), "jac must be what is to be checked"),
        (lambda: secant.check_gradient(f, X, 3.0), "jac must be what is to be checked"),
        (lambda: secant.check_gradient(f, [1j], g), "^x must hold real floating-point"),
        (lambda: secant.check_gradient(f, [], g), "^x must have at least one element"),
        (lambda: secant.check_gradient(f, [1.0, math.nan], g), "x must be finite, got nan"),
        (lambda: secant.check_gradient(lambda x: math.inf, X, g), "fun must be finite at x"),
        (lambda: secant.check_gradient(f, X, lambda x: 1j * x), "jac must return real numbers"),
        (lambda: secant.check_gradient(f, X, lambda x: None), "real numbers, got a NoneType"),
        (lambda: secant.check_gradient(f, X, lambda x: ["a", "b"]), "jac must return real"),
        (lambda: secant.check_gradient(f, X, g, seed=-1), "seed must be an integer >= 0"),
        (lambda: secant.check_hessian(f, X, np.eye(2), g), "hess must be a callable"),
        (lambda: secant.check_hessian(f, X, None, g, hessp=3), "hessp must be a callable"),
        (lambda: secant.check_hessian(f, X, hessian, g, hessp=g), "hessp must be None where"),
        (lambda: secant.check_hessian(f, X, lambda x: 1j * hessian(x), g), "hess must return real"),
        (lambda: secant.check_hessian(f, X, lambda x: None, g), "hess must return real"),
        (lambda: secant.check_jacobian(None, X, jacobian), "fun must be callable"),
        (lambda: secant.check_jacobian(r, [], jacobian), "x must have at least one element"),
        (lambda: secant.check_jacobian(r, [1j, 2], jacobian), "x must hold real"),
        (lambda: secant.check_jacobian(lambda x: [], X, jacobian), "at least one value"),
        (lambda: secant.check_jacobian(lambda x: None, X, jacobian), "fun must return real"),
        (lambda: secant.check_jacobian(r, X, lambda x: None), "jac must return real"),
        (lambda: secant.check_jacobian(r, X, lambda x: 1j * jacobian(x)), "jac must return real"),
        (lambda: secant.check_jacobian(lambda x: [x[0]], TENSOR), "fun must return a tensor"),
        (lambda: secant.check_jacobian(product, TENSOR.long()), "x must hold real"),
        (lambda: secant.hvp(f, X, [1j, 1.0], jac=g), "v must hold real numbers"),
        (lambda: secant.hvp(f, X, "ab", jac=g), "v must hold real numbers"),
        (lambda: secant.hvp(f, X, None, jac=g), "v must hold real numbers"),
        (lambda: secant.hvp(f, X, [], jac=g), "v must have 2 elements as x has, got 0"),
        (lambda: secant.hvp(f, X, [[1.0], [1.0, 2.0]], jac=g), "v must hold real numbers"),
        (lambda: secant.hvp(f, np.ones((2, 3)), np.ones((3, 2)), jac=g), r"shape \(2, 3\)"),
        (lambda: secant.hvp(product, TENSOR[:, None], TENSOR[None]), r"shape \(2, 1\)"),
        (lambda: secant.hvp(f, X, X, jac=g, hessp=lambda x, p: p[:1]), "hessp must return 2"),
    ],
)
def test_what_is_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


@pytest.mark.parametrize("v", [{"a": TENSOR, "c": TENSOR[:1]}, {"a": TENSOR[:1], "b": TENSOR}])
def test_a_nest_of_other_keys_or_shapes_is_not_read_in_another_order(v):
    x = {"a": TENSOR, "b": TENSOR[:1]}
    with pytest.raises(ValueError, match="v must be the nest that x is"):
        secant.hvp(lambda d: (d["a"] ** 4).sum() * d["b"].sum(), x, v)


def test_no_right_jacobian_is_accused_where_autograd_is_off():
    with (
        torch.inference_mode(),
        pytest.raises(ValueError, match=r"inference_mode\(\) must be left"),
    ):
        secant.check_jacobian(lambda x: x**2, TENSOR)
    with torch.no_grad():
        assert secant.check_jacobian(lambda x: x**2, TENSOR).verdict is Verdict.RIGHT
