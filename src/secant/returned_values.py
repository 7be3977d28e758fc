"""What the user's functions return, as numbers and arrays that nobody else writes to; or one clear sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from secant import arrays
from secant.arrays import Array, Scalar
from secant.structure import Nest, Shape, Structure, flatten_nest, ravel


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
        return float(python_number(f, complex_allowed=False))
    raise ValueError(f"fun must return one real number, got {type(f).__name__} of shape {f.shape}")


def python_number(f: Any, complex_allowed: bool = True) -> Any:
    array = np.asarray(f.detach().cpu() if arrays.is_torch(f) else f)
    kinds = "fiubc" if complex_allowed else "fiub"
    if array.size != 1 or array.dtype.kind not in kinds:
        what = f"an array of shape {array.shape}" if array.ndim else repr(f)
        raise ValueError(f"fun must return one real number, got {what}")
    return array.item()


def gradient_reader(structure: Structure, x0: Array, name: str = "jac") -> Callable[[Any], Array]:
    """From what ``jac`` returns to a flat vector like ``x0`` that shares no memory with it."""

    shape, dtype = tuple(x0.shape), x0.dtype
    (n,) = shape
    kind = arrays.zeros(0, x0)  # not x0 itself, which would be kept for as long as the run

    def from_numpy(g: Any) -> Array:
        array = np.array(g)  # a copy: users reuse their buffers
        if array.dtype is not dtype:
            array = real_numbers(name, array).astype(dtype)
        return array if array.shape == shape else check(array).reshape(-1)

    def from_array(g: Any) -> Array:
        if arrays.is_torch(g) and (g.shape, g.dtype, g.device) == (shape, dtype, kind.device):
            return arrays.copy(g)
        return arrays.reshape(check(copied_like(name, g, kind)), (-1,))

    def check(g: Array) -> Array:
        size, shape = math.prod(g.shape), tuple(g.shape)
        if size != n:
            raise ValueError(f"{name} must return {n} numbers, one for each of x0, got {size}")
        # A vector stands for any shape; two matrices of different shapes are a transposition.
        wanted = structure.shape if isinstance(structure, Shape) else (n,)
        if len(wanted) > 1 and len(shape) > 1 and shape != wanted:
            raise ValueError(f"{name} must return an array of shape {wanted} as x0 is, got {shape}")
        return g

    def from_nest(g: Any) -> Array:
        leaves, treespec = flatten_nest(g)
        shapes = tuple(tuple(getattr(leaf, "shape", ())) for leaf in leaves)
        if not isinstance(structure, Nest) or (treespec, shapes) != (
            structure.treespec,
            structure.shapes,
        ):
            raise ValueError(
                f"{name} must return the nest that x0 is, with the same keys and shapes, "
                f"got {treespec} with the shapes {shapes}"
            )
        return arrays.namespace(kind).astype(ravel(leaves), dtype, copy=False)

    if isinstance(structure, Nest):
        return from_nest
    return from_numpy if isinstance(x0, np.ndarray) else from_array


def real_numbers(name: str, array: Array) -> Array:
    """What ``name`` returned, a NumPy array; one clear sentence if it holds no real numbers."""
    if array.dtype.kind not in "fiub":
        is_object = array.dtype.kind == "O" and array.size > 0
        what = f"a {type(array.flat[0]).__name__}" if is_object else f"dtype {array.dtype}"
        raise ValueError(f"{name} must return real numbers, got {what}")
    return array


def copied_like(name: str, given: Any, kind: Array) -> Array:
    """What ``name`` returned as a copy in the library and dtype, and on the device, of ``kind``."""
    xp = arrays.namespace(kind)
    if not (arrays.is_array(given) and arrays.namespace(given) is xp):
        host = np.asarray(arrays.to_numpy(given) if arrays.is_array(given) else given)
        return arrays.copy(arrays.like(real_numbers(name, host), kind))
    if xp.isdtype(given.dtype, "complex floating"):
        raise ValueError(f"{name} must return real numbers, got dtype {given.dtype}")
    copied = arrays.copy(given)
    if arrays.is_torch(copied):
        return copied.to(kind.device, kind.dtype)
    return xp.astype(copied, kind.dtype, copy=False)
