"""What the Array API standard lacks, or makes slow: the only file that knows array libraries.

Everything else in the core is written with operators (``+ - * @ []``) and runs on any library that
follows the standard. Here NumPy gets its ``out=`` arguments, PyTorch its fused and in-place methods,
and every other library the plain formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import array_api_compat
import numpy as np
import numpy.typing as npt

Array = Any
"""A 1-D vector or a matrix of any Array API library."""

Scalar = Any
"""A 0-d array of such a library, or a Python number."""

HostArray = npt.NDArray[Any]
"""A small NumPy array on the host."""


def is_array(x: object) -> bool:
    """Whether ``x`` is an array of a library that the core can work on."""
    return type(x) is np.ndarray or bool(array_api_compat.is_array_api_obj(x))


def is_torch(x: object) -> bool:
    """Whether ``x`` is a PyTorch tensor; PyTorch is not imported to find out."""
    kind = type(x)
    known = _TORCH_TYPES.get(kind)
    if known is None:
        names = {f"{base.__module__}.{base.__name__}" for base in kind.__mro__}
        known = _TORCH_TYPES[kind] = "torch.Tensor" in names
    return known


_TORCH_TYPES: dict[type, bool] = {}


def namespace(x: Array) -> Any:
    """Array API namespace of ``x``."""
    return array_api_compat.array_namespace(x)


def device(x: Array) -> Any:
    """Device of ``x``."""
    return array_api_compat.device(x)


def eps_of(x: Array) -> float:
    """Machine epsilon of ``x``'s dtype: the gap between 1 and the next number."""
    key = (type(x), x.dtype)
    eps = _EPS.get(key)
    if eps is None:
        eps = _EPS[key] = float(namespace(x).finfo(x.dtype).eps)
    return eps


_EPS: dict[tuple[type, Any], float] = {}


# --------------------------------------------------------------------------- between device and host


def read(*scalars: Scalar) -> Sequence[float]:
    """Python floats of 0-d arrays, in ONE transfer where the arrays live on a device."""
    if len(scalars) > 1 and is_torch(scalars[-1]):
        values: list[float] = namespace(scalars[-1]).stack(scalars).tolist()
        return values
    return [*map(float, scalars)]


def to_numpy(x: Array) -> HostArray:
    """The numbers of ``x`` as a NumPy array on the host; a NumPy array is returned as it is."""
    if type(x) is np.ndarray:
        return x
    if is_torch(x):
        on_host = x.detach().cpu()
        try:
            return np.asarray(on_host.numpy())
        except TypeError:  # bfloat16, which NumPy lacks and float32 holds
            return np.asarray(on_host.float().numpy())
    return np.asarray(x)


def like(values: npt.ArrayLike, x: Array) -> Array:
    """``values`` (on the host) as an array of the library, dtype and device of ``x``."""
    if type(x) is np.ndarray:
        return np.asarray(values, dtype=x.dtype)
    return namespace(x).asarray(values, dtype=x.dtype, device=device(x))


def zeros(shape: int | tuple[int, ...], x: Array, dtype: Any = None) -> Array:
    """Zeros of the library, device and (unless another is given) dtype of ``x``."""
    dtype = x.dtype if dtype is None else dtype
    if type(x) is np.ndarray:
        return np.zeros(shape, dtype=dtype)
    return namespace(x).zeros(shape, dtype=dtype, device=device(x))


def dtype_named(name: str, x: Array) -> Any:
    """The floating-point dtype ``name`` of the library of ``x``, such as ``"float32"``."""
    xp = namespace(x)
    dtype = getattr(xp, name, None)
    if dtype is None or not xp.isdtype(dtype, "real floating"):
        raise ValueError(f"{xp.__name__.rpartition('.')[2]} has no floating-point dtype {name!r}")
    return dtype


def cast(x: Array, dtype: Any) -> Array:
    """``x`` in ``dtype``: itself if it has it already."""
    return x if x.dtype == dtype else namespace(x).astype(x, dtype)


def copy(x: Array) -> Array:
    """A copy of ``x`` that shares no memory with it."""
    if type(x) is np.ndarray:
        return x.copy()
    if is_torch(x):
        return x.detach().clone()
    return namespace(x).asarray(x, copy=True)


def reshape(x: Array, shape: tuple[int, ...]) -> Array:
    """``x`` in another shape: a view where the library can."""
    return x.reshape(shape) if hasattr(x, "reshape") else namespace(x).reshape(x, shape)


# ----------------------------------------------------------------------------------------- algebra


def dot(a: Array, b: Array) -> Scalar:
    """``a'b`` as a 0-d array; a matrix times a vector when ``a`` is a matrix."""
    return a.dot(b) if type(a) is np.ndarray else a @ b  # half the overhead of NumPy's matmul


def norm_inf(x: Array) -> Scalar:
    """Largest absolute value, as a 0-d array; NaN if any element is."""
    if type(x) is np.ndarray:
        return np.maximum.reduce(np.abs(x))
    if is_torch(x):
        return x.abs().amax()
    xp = namespace(x)
    return xp.max(xp.abs(x))


def peak(x: Array) -> Scalar:
    """`norm_inf` in one pass for an ``x`` without NaN; with one, any number may come out."""
    amax = _amax(x.dtype.char) if type(x) is np.ndarray and x.dtype.char in "df" else None
    return norm_inf(x) if amax is None else abs(x[amax(x)])


def combine(weights: HostArray, rows: Array, beta: float, v: Array) -> Array:
    """A new vector ``rows' weights + beta v``, of the dtype of ``v`` whatever that of the rows."""
    if rows.dtype != v.dtype:
        total = cast(dot(like(weights, rows), rows), v.dtype)
        total += beta * v
        return total
    if type(v) is np.ndarray and v.dtype.char in "df":
        return _gemv(v.dtype.char)(1.0, rows.T, weights, beta=beta, y=v)
    if is_torch(v):
        return v.addmv(rows.T, like(weights, v), beta=beta)
    return like(weights, v) @ rows + beta * v


def step_along(x: Array, alpha: float, d: Array) -> Array:
    """A new vector ``x + alpha d``."""
    if type(x) is np.ndarray:
        out = d * alpha
        out += x
        return out
    if is_torch(x):
        return x.add(d, alpha=alpha)
    return x + alpha * d


def scale_into(out: Array, alpha: float, d: Array) -> None:
    """``out <- alpha d``, in place."""
    if type(out) is np.ndarray:
        np.multiply(d, alpha, out=out)
    elif is_torch(out):
        out.copy_(d).mul_(alpha)
    else:
        out[...] = alpha * d


def subtract_into(out: Array, a: Array, b: Array) -> None:
    """``out <- a - b``, in place."""
    if type(out) is np.ndarray:
        np.subtract(a, b, out=out)
    elif is_torch(out):
        out.copy_(a).sub_(b)
    else:
        out[...] = a - b


# SciPy's BLAS costs a quarter of a second to import, which is not spent at `import secant`.


@cache
def _amax(char: str) -> Any:
    from scipy.linalg import blas

    return blas.idamax if char == "d" else blas.isamax


@cache
def _gemv(char: str) -> Any:
    from scipy.linalg import blas

    return blas.dgemv if char == "d" else blas.sgemv
