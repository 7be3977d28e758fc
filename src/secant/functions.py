"""Front end for functions of arrays: SciPy's conventions for ``fun``, ``jac``, ``hess``, ``hessp``."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from secant import arrays
from secant.arrays import Array, Scalar
from secant.counts import Counts
from secant.derivatives.differences import DIFFERENCES, ERRORS
from secant.point import Pullback
from secant.problem import Evaluate, Problem
from secant.returned_values import copied_like, gradient_reader, python_number, real_numbers, scalar
from secant.second_derivatives import Matrix, Product, SecondOrder
from secant.structure import Nest, Shape, Structure, flatten_nest, ravel


@dataclass(frozen=True)
class Task:
    """A problem in flat form, where it starts, and how it looks from outside."""

    problem: Problem
    x0: Array
    structure: Structure


@dataclass(frozen=True)
class UserFunctions:
    """What the user gave, and the way from the flat vector to it and back.

    Attributes
    ----------
    fun, jac, hess, hessp
        As in `secant.minimize`.
    args : tuple
        Their extra arguments.
    structure : Structure
        Gives the flat vector the shape of ``x0``.
    """

    fun: Callable[..., Any]
    jac: Any
    hess: Any
    hessp: Any
    args: tuple[Any, ...]
    structure: Structure


def array_task(x0: Array, fun: Any, jac: Any, hess: Any, hessp: Any, args: tuple[Any, ...]) -> Task:
    """The task of a function of one array, whose gradient is given or made of differences."""
    flat, shape = flat_start(x0)
    user = UserFunctions(fun, jac, hess, hessp, args, Shape(shape))
    counts = Counts()
    problem = Problem(_evaluator(user, flat, counts), second_order(user, flat), counts)
    return Task(problem, flat, user.structure)


def nest_task(x0: Any, fun: Any, jac: Any, hess: Any, hessp: Any, args: tuple[Any, ...]) -> Task:
    """The task of a function of a nest of arrays with a gradient of the same nest."""
    flat, structure = flatten(x0)
    if not (jac is True or callable(jac)):
        raise ValueError(
            "jac must be True or a callable when x0 is a nest of arrays other than torch tensors, "
            f"got {jac!r}"
        )
    user = UserFunctions(fun, jac, hess, hessp, args, structure)
    counts = Counts()
    problem = Problem(_evaluator(user, flat, counts), second_order(user, flat), counts)
    return Task(problem, flat, structure)


def flatten(x0: Any) -> tuple[Array, Nest]:
    """The leaves of a nest as one vector, and the way back."""
    leaves, treespec = flatten_nest(x0)
    for leaf in leaves:
        if not arrays.is_array(leaf):
            raise ValueError(
                f"x0 must be an array or a nest of arrays, got a {type(leaf).__name__} inside"
            )
    leaves = [real_floating("x0", leaf) for leaf in leaves]
    kinds = {(type(leaf), leaf.dtype, str(arrays.device(leaf))) for leaf in leaves}
    if len(kinds) != 1:
        found = ", ".join(sorted(f"{dtype} on {where}" for _, dtype, where in kinds))
        raise ValueError(
            f"x0's arrays must share one library, dtype and device, got {found or 'none'}"
        )
    return ravel(leaves), Nest(treespec, tuple(tuple(leaf.shape) for leaf in leaves))


def as_start(x0: Any) -> Array:
    """``x0`` as an array: arrays as they are, numbers and lists of numbers as NumPy's float64."""
    if arrays.is_array(x0) and not isinstance(x0, np.generic):
        return x0 if not isinstance(x0, np.ndarray) else np.atleast_1d(x0)
    try:
        array = np.atleast_1d(np.asarray(x0))
    except ValueError:
        array = np.array(None)
    if array.dtype == object:
        raise ValueError(f"x0 must be an array, a nest of arrays or numbers, got {x0!r}")
    return array


def flat_start(x0: Array) -> tuple[Array, tuple[int, ...]]:
    """A new flat vector of an array's elements, which are real numbers, and its shape."""
    x0 = real_floating("x0", x0)
    flat = arrays.reshape(arrays.copy(x0), (-1,))
    if flat.shape[0] == 0:
        raise ValueError("x0 must have at least one element, got an empty array")
    return flat, tuple(x0.shape)


def real_floating(name: str, x: Array) -> Array:
    """``x`` itself if its dtype is real floating; NumPy's integers become float64.

    Raises
    ------
    ValueError
        For other dtypes.
    """
    if isinstance(x, np.ndarray):
        if x.dtype.kind in "iub":
            return x.astype(np.float64)
        if x.dtype.kind == "f":
            return x
    elif arrays.namespace(x).isdtype(x.dtype, "real floating"):
        return x
    raise ValueError(f"{name} must hold real floating-point numbers, got dtype {x.dtype}")


# --------------------------------------------------------------------------------- evaluation


def _evaluator(user: UserFunctions, x0: Array, counts: Counts) -> Evaluate:
    jac = user.jac
    if jac is True:
        return _value_with_gradient(user, x0)
    if callable(jac):
        return _value_and_jac(user, x0)
    by_differences = jac is None or jac is False or (isinstance(jac, str) and jac in DIFFERENCES)
    if isinstance(x0, np.ndarray) and by_differences:
        return _value_and_differences(user, counts, jac or "2-point")
    allowed = "True or a callable"
    if isinstance(x0, np.ndarray):
        allowed += f", None or one of {', '.join(DIFFERENCES)}"
    raise ValueError(f"jac must be {allowed} for x0 of type {type(x0).__name__}, got {jac!r}")


def _value_with_gradient(user: UserFunctions, x0: Array) -> Evaluate:
    fun, args, own = user.fun, user.args, _presenter(user.structure, x0)
    flat_gradient = gradient_reader(user.structure, x0)

    def evaluate(x: Array) -> tuple[Scalar, Pullback]:
        both = fun(own(x), *args)
        try:
            f, g = both
        except (TypeError, ValueError):
            raise ValueError(
                f"fun must return (value, gradient) with jac=True, got {type(both).__name__}"
            ) from None
        return f if isinstance(f, float) else scalar(f), partial(flat_gradient, g)

    return evaluate


def _value_and_jac(user: UserFunctions, x0: Array) -> Evaluate:
    fun, jac, args, own = user.fun, user.jac, user.args, _presenter(user.structure, x0)
    flat_gradient = gradient_reader(user.structure, x0)

    def evaluate(x: Array) -> tuple[Scalar, Pullback]:
        f = fun(own(x), *args)
        return f if isinstance(f, float) else scalar(f), lambda: flat_gradient(jac(own(x), *args))

    return evaluate


def _presenter(structure: Structure, x0: Array) -> Callable[[Array], Any]:
    """From the flat vector to a copy for the user, in the shape that the user knows."""
    if structure == Shape((x0.shape[0],)):
        if type(x0) is np.ndarray:
            return np.ndarray.copy  # one call of NumPy instead of four of Python
        return arrays.copy
    return lambda x: structure.nest(arrays.copy(x))


def _value_and_differences(user: UserFunctions, counts: Counts, scheme: str) -> Evaluate:
    fun, args, structure = user.fun, user.args, user.structure
    difference = DIFFERENCES[scheme]

    def value(x: Array) -> Any:
        counts.value()
        return python_number(fun(structure.nest(x.copy()), *args))

    def evaluate(x: Array) -> tuple[Scalar, Pullback]:
        f = scalar(fun(structure.nest(arrays.copy(x)), *args))
        return f, lambda: difference(value, x, float(f))

    return evaluate


# --------------------------------------------------------------------------- second derivatives


def second_order(user: UserFunctions, x0: Array) -> SecondOrder:
    """What ``hess`` and ``hessp`` give, and how exact differences of gradients may be taken to be."""
    by_differences = user.jac is None or user.jac is False or isinstance(user.jac, str)
    power = ERRORS[user.jac or "2-point"] if by_differences else math.inf
    error = arrays.eps_of(x0) ** power
    return SecondOrder(hessian_product(user, x0), hessian_matrix(user, x0), gradient_error=error)


def hessian_product(user: UserFunctions, x0: Array) -> Product | None:
    """``B v`` from ``hessp``, if given."""
    args, hessp = user.args, user.hessp
    if hessp is None:
        return None
    if not callable(hessp):
        raise ValueError(f"hessp must be a callable, got {hessp!r}")
    own = _presenter(user.structure, x0)
    flat_vector = gradient_reader(user.structure, x0, "hessp")

    def product(x: Array, v: Array) -> Array:
        return flat_vector(hessp(own(x), own(v), *args))

    return product


def _references(make: Callable[[], Any]) -> float:
    made = make()
    # an interpreter that does not count (PyPy) has every array held by somebody
    return sys.getrefcount(made) if hasattr(sys, "getrefcount") else -math.inf


_ALONE = _references(lambda: np.empty(1))
"""References to the result of a call that only its caller holds, as this interpreter counts them."""


def hessian_matrix(user: UserFunctions, x0: Array) -> Matrix | None:
    """``B`` from ``hess``, if given, as an (n, n) array like ``x0`` that shares no memory with it."""
    args, hess, n = user.args, user.hess, x0.shape[0]
    own, kind = _presenter(user.structure, x0), arrays.zeros(0, x0)
    if hess is None:
        return None
    if not callable(hess):
        raise ValueError(
            f"hess must be a callable, got {hess!r}; left out, it is found numerically"
        )

    def matrix(x: Array) -> Array:
        B = hess(own(x), *args)
        if type(kind) is np.ndarray:
            # users reuse their buffers; to copy what nobody else holds would cost what a factor does
            fresh = type(B) is np.ndarray and B.base is None and B.flags.writeable
            if not (fresh and _ALONE > 0 and sys.getrefcount(B) <= _ALONE):
                B = np.array(B)
            if B.dtype is not kind.dtype:
                B = real_numbers("hess", B).astype(kind.dtype)
            if B.shape == (n, n):
                return B
        else:
            B = copied_like("hess", B, kind)
        if math.prod(B.shape) != n * n:
            raise ValueError(f"hess must return an ({n}, {n}) array, got shape {tuple(B.shape)}")
        return arrays.reshape(B, (n, n))

    return matrix
