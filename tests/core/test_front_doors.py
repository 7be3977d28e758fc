"""What x0, fun and jac may be, what comes back, and the sentence for everything else."""

import collections

import numpy as np
import pytest
import torch

import secant
from secant import problems

BEALE = problems.beale()


def bowl(x):
    """Least at 3 in every element; of any shape and library."""
    return ((x - 3.0) ** 2).sum()


# ------------------------------------------------------------------------------------------- x0


@pytest.mark.parametrize(
    ("x0", "shape", "dtype"),
    [
        (5.0, (1,), "float64"),
        (5, (1,), "float64"),
        ([1, 2], (2,), "float64"),
        ((1.0, 2.0, 4.0), (3,), "float64"),
        ([[1.0, 2.0], [4.0, 5.0]], (2, 2), "float64"),
        (np.array(5.0), (1,), "float64"),
        (np.float32(5.0), (1,), "float32"),
        (np.arange(6).reshape(2, 3), (2, 3), "float64"),
        (np.ones((2, 1, 3), dtype=np.float32), (2, 1, 3), "float32"),
        (np.ones((3, 4)).T, (4, 3), "float64"),
        (np.ones(10)[::3], (4,), "float64"),
        (np.ones(3, dtype=np.longdouble), (3,), str(np.dtype(np.longdouble))),
    ],
    ids=repr,
)
def test_numbers_and_numpy_arrays(x0, shape, dtype):
    """As in SciPy, a scalar is a vector of one; integers become float64; any other dtype stays."""
    result = secant.minimize(bowl, x0, gtol=1e-2)
    assert result.success
    assert (result.x.shape, str(result.x.dtype)) == (shape, dtype)
    np.testing.assert_allclose(result.x.astype(float), 3.0, atol=1e-2)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (1, 1)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16], ids=str)
def test_tensors(shape, dtype):
    result = secant.minimize(bowl, torch.ones(shape, dtype=dtype))
    assert result.success
    assert (tuple(result.x.shape), result.x.dtype) == (shape, dtype)
    assert float((result.x - 3.0).abs().max()) < 0.02


@pytest.mark.parametrize("method", ["bfgs", "cg", "memoryless-bfgs", "gd"])
def test_bfloat16(method):
    """Eight bits: whatever the method, the result is good to one of them or two."""
    result = secant.minimize(bowl, torch.ones(2, dtype=torch.bfloat16), method=method)
    assert result.success
    assert result.x.dtype == torch.bfloat16
    assert float((result.x - 3.0).abs().max()) <= 2.0 * 3.0 * 2.0**-7


@pytest.mark.parametrize("kind", [dict, collections.OrderedDict, "list", "tuple", "nested"])
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_nests(kind, library):
    """The nest that came is the nest that goes to fun, comes from jac, and is the result."""
    pytest.importorskip("optree")
    ones = np.ones if library == "numpy" else lambda shape: torch.ones(shape, dtype=torch.float64)
    W, b = 2.0 * ones((2, 3)), ones(3)
    x0 = {
        "list": [W, b],
        "tuple": (W, b),
        "nested": {"layer": [W, {"bias": b}]},
    }.get(kind) or kind([("W", W), ("b", b)])

    def leaves(x):
        if kind == "nested":
            return x["layer"][0], x["layer"][1]["bias"]
        return tuple(x.values()) if isinstance(x, dict) else tuple(x)

    def fun(x):
        return sum(bowl(leaf) for leaf in leaves(x))

    def jac(x):
        first, second = (2.0 * (leaf - 3.0) for leaf in leaves(x))
        if kind == "nested":
            return {"layer": [first, {"bias": second}]}
        if isinstance(x, dict):
            return type(x)([("W", first), ("b", second)])
        return type(x)([first, second])

    result = secant.minimize(fun, x0, jac=jac if library == "numpy" else None)
    assert result.success
    assert type(result.x) is type(result.jac) is type(x0)
    for leaf, start in zip(leaves(result.x), leaves(x0), strict=True):
        assert (leaf.shape, leaf.dtype, type(leaf)) == (start.shape, start.dtype, type(start))
        assert float(abs(leaf - 3.0).max()) < 1e-5
        assert float(abs(start).max()) < 2.5


def test_integers_in_a_nest_become_numbers_that_can_move():
    result = secant.minimize(
        lambda d: float(((d["a"] - 0.5) ** 2).sum()),
        {"a": np.array([3, 4]), "b": np.array([1.0])},
        jac=lambda d: {"a": 2.0 * (d["a"] - 0.5), "b": 0.0 * d["b"]},
    )
    assert result.success
    np.testing.assert_allclose(result.x["a"], 0.5, atol=1e-5)


def test_args_reach_every_function():
    def fun(x, shift, scale):
        return scale * float(((x - shift) ** 2).sum())

    def jac(x, shift, scale):
        return scale * 2.0 * (x - shift)

    def hessp(x, p, shift, scale):
        return scale * 2.0 * p

    for options in ({}, {"jac": jac}, {"jac": jac, "hessp": hessp, "method": "linear-cg"}):
        result = secant.minimize(fun, [0.0], (2.0, 5.0), **options)
        assert result.x == pytest.approx([2.0], abs=1e-6)
    assert secant.minimize(lambda x, c: ((x - c) ** 2).sum(), [0.0], 2.0).x == pytest.approx([2.0])


@pytest.mark.parametrize(
    "value", [float, np.float64, np.float32, lambda f: np.array([f]), np.array]
)
def test_a_value_may_be_any_one_number(value):
    result = secant.minimize(lambda x: value(BEALE(x)), BEALE.start(), jac=BEALE.gradient)
    assert result.success
    assert type(result.fun) is float


@pytest.mark.parametrize(
    "gradient", [list, tuple, lambda g: g[:, None], lambda g: g.astype("float32")]
)
def test_a_gradient_may_be_any_n_numbers(gradient):
    result = secant.minimize(
        BEALE, BEALE.start(), jac=lambda x: gradient(BEALE.gradient(x)), gtol=1e-3
    )
    assert result.success
    assert result.jac.dtype == np.float64


def test_positional_arguments_are_scipys():
    """fun, x0, args, method, jac, hess, hessp, bounds."""
    result = secant.minimize(BEALE, BEALE.start(), (), "bfgs", BEALE.gradient, None, None, None)
    assert result.success
    assert result.method == "bfgs"


@pytest.mark.parametrize("name", ["BFGS", "bfgs", "L-BFGS-B", "l_bfgs", "CG", "Nonlinear-CG"])
def test_scipys_spellings(name):
    assert secant.minimize(BEALE, BEALE.start(), method=name, jac=BEALE.gradient).success


# ------------------------------------------------------------------------------------- sentences


def ones_like(x):
    return np.ones_like(x)


SENTENCES = [
    (
        {"x0": np.ones(2, dtype=complex)},
        "x0 must hold real floating-point numbers, got dtype complex",
    ),
    ({"x0": [1.0, 1j]}, "x0 must hold real floating-point numbers, got dtype complex"),
    ({"x0": np.zeros(0)}, "x0 must have at least one element"),
    ({"x0": []}, "x0 must have at least one element"),
    ({"x0": "rosenbrock"}, "x0 must"),
    ({"x0": None}, "x0 must be an array, a nest of arrays or numbers, got None"),
    ({"x0": [[1.0], [1.0, 2.0]]}, "x0 must be an array, a nest of arrays or numbers"),
    ({"x0": torch.ones(2, dtype=torch.complex64)}, "x0 must hold real floating-point numbers"),
    ({"x0": torch.ones(2, dtype=torch.int64)}, "x0 must hold real floating-point numbers"),
    ({"x0": torch.ones(0)}, "x0 must have at least one element"),
    ({"x0": {"a": np.ones(2), "b": np.ones(2, np.float32)}, "jac": ones_like}, "must share one"),
    ({"x0": {"a": np.ones(2), "b": torch.ones(2)}, "jac": ones_like}, "must share one library"),
    ({"x0": {"a": np.ones(2), "b": "c"}, "jac": ones_like}, "got a str inside"),
    ({"x0": {"a": np.ones(2)}}, "jac must be True or a callable when x0 is a nest"),
    ({"fun": 3.0}, "fun must be callable, got 3.0"),
    ({"fun": lambda x: x}, r"fun must return one real number, got an array of shape \(2,\)"),
    ({"fun": lambda x: None}, "fun must return one real number, got None"),
    ({"fun": lambda x: "low"}, "fun must return one real number, got 'low'"),
    ({"fun": lambda x: 1j}, "fun must return one real number"),
    ({"fun": lambda x: 1.0, "jac": True}, r"fun must return \(value, gradient\) with jac=True"),
    ({"jac": lambda x: np.ones(3)}, "jac must return 2 numbers, one for each of x0, got 3"),
    ({"jac": lambda x: 1j * np.ones(2)}, "jac must return real numbers, got dtype complex128"),
    ({"jac": lambda x: None}, "jac must return real numbers, got a NoneType"),
    ({"jac": lambda x: [None, 1.0]}, "jac must return real numbers, got a NoneType"),
    ({"hessp": 3, "method": "newton-cg"}, "hessp must be a callable, got 3"),
    (
        {"hess": lambda x: 1j * np.eye(2), "method": "newton"},
        "hess must return real numbers, got dtype complex128",
    ),
    (
        {"x0": torch.ones(2, dtype=torch.bfloat16), "jac": lambda x: 1j * x},
        "jac must return real numbers, got dtype torch.complex64",
    ),
    ({"jac": lambda x: np.ones((2, 2))}, "jac must return 2 numbers, one for each of x0, got 4"),
    (
        {"x0": np.ones((2, 3)), "fun": bowl, "jac": lambda x: np.ones((3, 2))},
        r"jac must return an array of shape \(2, 3\) as x0 is, got \(3, 2\)",
    ),
    (
        {"x0": {"a": np.ones(2)}, "fun": lambda x: 1.0, "jac": lambda x: {"b": np.ones(2)}},
        "jac must return the nest that x0 is, with the same keys and shapes",
    ),
    ({"jac": "4-point"}, "jac must be .*, got '4-point'"),
    ({"jac": [1.0, 2.0]}, "jac must be"),
    ({"jac": np.ones(2)}, "jac must be"),
    ({"method": "bgfs"}, r"method must be one of l-bfgs, .*, got 'bgfs' \(did you mean 'bfgs'\?\)"),
    ({"method": "simplex"}, "method must be one of .*, got 'simplex'"),
    ({"method": 7}, "method must be a name or a configured method"),
    ({"bounds": [(0.0, 1.0)] * 2}, "bounds are not supported by l-bfgs"),
    ({"bounds": [(0.0, 1.0)] * 2, "method": "cg"}, "bounds are not supported by cg"),
    ({"hess": lambda x: np.eye(2)}, "hess is not used by l-bfgs; leave it out"),
    ({"hessp": lambda x, p: p, "method": "bfgs"}, "hessp is not used by bfgs; leave it out"),
    ({"gtol": -1.0}, "gtol must be a number >= 0, got -1.0"),
    ({"gtol": float("nan")}, "gtol must be a number >= 0, got nan"),
    ({"gtol": "small"}, "gtol must be a number >= 0, got 'small'"),
    ({"max_iter": -1}, "max_iter must be an integer >= 0, got -1"),
    ({"max_iter": 2.5}, "max_iter must be an integer >= 0, got 2.5"),
    ({"max_evals": 0}, "max_evals must be an integer >= 1, got 0"),
    ({"max_seconds": 0.0}, "max_seconds must be a positive finite number, got 0.0"),
    ({"max_seconds": float("inf")}, "max_seconds must be a positive finite number, got inf"),
    ({"target": "low"}, "target must be a number, got 'low'"),
    ({"stop": (3,)}, "stop must be a sequence of callables, got 3"),
    ({"callback": 3}, "callback must be callable or None, got 3"),
    (
        {"method": "bfgs", "warm_start": "bfgs"},
        "warm_start must come from a run of the same method",
    ),
]


@pytest.mark.parametrize(("wrong", "sentence"), SENTENCES, ids=[s[1][:50] for s in SENTENCES])
def test_a_wrong_argument_is_one_clear_sentence(wrong, sentence):
    given = {"fun": BEALE, "x0": BEALE.start()} | wrong
    with pytest.raises(ValueError, match=sentence) as caught:
        secant.minimize(**given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: secant.LBFGS(memory=0), "memory must be an integer >= 1, got 0"),
        (lambda: secant.Broyden(phi=1.5), r"phi must be between 0 \(DFP\) and 1 \(BFGS\), got 1.5"),
        (lambda: secant.HeavyBall(beta=1.0), r"beta must be in \[0, 1\), got 1.0"),
        (lambda: secant.GradientDescent(0.1, secant.Nash()), "rate and search exclude each other"),
        (lambda: secant.GradientDescent(-0.1), "alpha must be a positive finite number, got -0.1"),
        (lambda: secant.NonlinearCG("polak"), r"beta must be one of .*, got 'polak'"),
        (lambda: secant.NonlinearCG(restart_every=-1), "restart_every must be an integer >= 0"),
        (lambda: secant.Skip(tol=2.0), "tol must be between 0.0 and 1.0, got 2.0"),
        (lambda: secant.Damp(threshold=0.0), "threshold must be between 0.0 and 1.0, got 0.0"),
        (lambda: secant.NoProgress(patience=0), "patience must be an integer >= 1, got 0"),
        (
            lambda: secant.optimal_momentum(2.0, 1.0),
            "L must be a finite number >= mu = 2.0, got 1.0",
        ),
    ],
)
def test_a_wrong_configuration_is_refused_when_it_is_made(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.parametrize("shape", [(3,), (2, 3), (9,)])
def test_h0_of_another_size(shape):
    with pytest.raises(ValueError, match=r"H0 must have shape \(2, 2\)"):
        secant.minimize(BEALE, BEALE.start(), method=secant.BFGS(H0=np.ones(shape)))


def test_limits_may_be_numbers_of_numpy():
    result = secant.minimize(
        lambda x: (x**4).sum(), [3.0], target=np.float32(0.5), max_iter=np.int64(9)
    )
    assert result.status is secant.Status.TARGET
    fit = secant.least_squares(
        lambda x: x**3, [3.0], target=np.float32(9.0), max_nfev=np.int64(9), max_iter=np.uint8(9)
    )
    assert fit.status is secant.Status.TARGET
    with pytest.raises(ValueError, match="target must be a number, got nan"):
        secant.minimize(lambda x: (x**2).sum(), [3.0], target=np.nan)
    with pytest.raises(ValueError, match=r"max_nfev must be an integer >= 1, got 5\.0"):
        secant.least_squares(lambda x: x - 1.0, [3.0], max_nfev=5.0)
