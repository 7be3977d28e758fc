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
from secant.derivatives.differences import DIFFERENCES, ERRORS
from secant.problem import (
    Counts,
    Evaluate,
    Matrix,
    Problem,
    Product,
    Pullback,
    SecondOrder,
)
from secant.structure import Nest, Shape, Structure, flatten_nest


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
    x0 = _real_floating("x0", x0)
    flat = arrays.reshape(arrays.copy(x0), (-1,))
    if flat.shape[0] == 0:
        raise ValueError("x0 must have at least one element, got an empty array")
    user = UserFunctions(fun, jac, hess, hessp, args, Shape(tuple(x0.shape)))
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
        _real_floating("x0", leaf)
    kinds = {(type(leaf), leaf.dtype, str(arrays.device(leaf))) for leaf in leaves}
    if len(kinds) != 1:
        found = ", ".join(sorted(f"{dtype} on {where}" for _, dtype, where in kinds))
        raise ValueError(
            f"x0's arrays must share one library, dtype and device, got {found or 'none'}"
        )
    return ravel(leaves), Nest(treespec, tuple(tuple(leaf.shape) for leaf in leaves))


def ravel(leaves: list[Array]) -> Array:
    """One new flat vector of all elements."""
    xp = arrays.namespace(leaves[0])
    return xp.concat([arrays.reshape(leaf, (-1,)) for leaf in leaves])


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


def _real_floating(name: str, x: Array) -> Array:
    """``x`` itself if its dtype is real floating; NumPy's integers become float64."""
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
    flat_gradient = _gradient_reader(user.structure, x0)

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
    flat_gradient = _gradient_reader(user.structure, x0)

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
        return _python_number(fun(structure.nest(x.copy()), *args))

    def evaluate(x: Array) -> tuple[Scalar, Pullback]:
        f = scalar(fun(structure.nest(arrays.copy(x)), *args))
        return f, lambda: difference(value, x, float(f))

    return evaluate


def scalar(f: Any) -> Scalar:
    """The user's value as a 0-d array or a number; one clear sentence if it is neither."""
    if isinstance(f, float):
        return f
    if arrays.is_torch(f):
        if f.numel() == 1 and not f.is_complex():
            return f.detach().reshape(())
    elif arrays.is_array(f) and not isinstance(f, (np.ndarray, np.generic)):
        if f.shape == ():
            return f
    else:
        return float(_python_number(f, complex_allowed=False))
    raise ValueError(f"fun must return one real number, got {type(f).__name__} of shape {f.shape}")


def _python_number(f: Any, complex_allowed: bool = True) -> Any:
    array = np.asarray(f)
    kinds = "fiubc" if complex_allowed else "fiub"
    if array.size != 1 or array.dtype.kind not in kinds:
        what = f"an array of shape {array.shape}" if array.ndim else repr(f)
        raise ValueError(f"fun must return one real number, got {what}")
    return array.item()


def _gradient_reader(structure: Structure, x0: Array) -> Callable[[Any], Array]:
    """From what ``jac`` returns to a flat vector like ``x0`` that shares no memory with it."""

    shape, dtype = tuple(x0.shape), x0.dtype
    (n,) = shape
    kind = arrays.zeros(0, x0)  # not x0 itself, which would be kept for as long as the run

    def from_numpy(g: Any) -> Array:
        array = np.array(g, dtype=dtype)  # a copy: users reuse their buffers
        return array if array.shape == shape else check(array).reshape(-1)

    def from_array(g: Any) -> Array:
        if arrays.is_torch(g) and (g.shape, g.dtype, g.device) == (shape, dtype, kind.device):
            return arrays.copy(g)
        xp = arrays.namespace(kind)
        array = check(arrays.copy(g) if arrays.is_array(g) else arrays.like(g, kind))
        return xp.astype(arrays.reshape(array, (-1,)), dtype, copy=False)

    def check(g: Array) -> Array:
        size, shape = math.prod(g.shape), tuple(g.shape)
        if size != n:
            raise ValueError(f"jac must return {n} numbers, one for each of x0, got {size}")
        # A vector stands for any shape; two matrices of different shapes are a transposition.
        wanted = structure.shape if isinstance(structure, Shape) else (n,)
        if len(wanted) > 1 and len(shape) > 1 and shape != wanted:
            raise ValueError(f"jac must return an array of shape {wanted} as x0 is, got {shape}")
        return g

    def from_nest(g: Any) -> Array:
        leaves, treespec = flatten_nest(g)
        shapes = tuple(tuple(getattr(leaf, "shape", ())) for leaf in leaves)
        if not isinstance(structure, Nest) or (treespec, shapes) != (
            structure.treespec,
            structure.shapes,
        ):
            raise ValueError(
                "jac must return the nest that x0 is, with the same keys and shapes, "
                f"got {treespec} with the shapes {shapes}"
            )
        return arrays.namespace(kind).astype(ravel(leaves), dtype, copy=False)

    if isinstance(structure, Nest):
        return from_nest
    return from_numpy if isinstance(x0, np.ndarray) else from_array


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
    own, flat_vector = _presenter(user.structure, x0), _gradient_reader(user.structure, x0)

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
            if fresh and _ALONE > 0 and sys.getrefcount(B) <= _ALONE:
                B = np.asarray(B, dtype=kind.dtype)
            else:
                B = np.array(B, dtype=kind.dtype)
            if B.shape == (n, n):
                return B
        else:
            B = arrays.copy(B) if arrays.is_array(B) else arrays.like(B, kind)
        if math.prod(B.shape) != n * n:
            raise ValueError(f"hess must return an ({n}, {n}) array, got shape {tuple(B.shape)}")
        B = arrays.reshape(B, (n, n))
        return arrays.namespace(kind).astype(B, kind.dtype, copy=False)

    return matrix
