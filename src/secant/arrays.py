"""What the Array API standard lacks, or makes slow: the only file that knows array libraries.

Everything else in the core is written with operators (``+ - * @ []``) and runs on any library that
follows the standard. Here NumPy gets its ``out=`` arguments, PyTorch its fused and in-place methods,
and every other library the plain formula.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import compress
from typing import Any, NamedTuple

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
    if type(x) is np.ndarray:
        return _of_numpy()
    return array_api_compat.array_namespace(x)


@cache
def _of_numpy() -> Any:
    """NumPy's namespace, for which nobody need be asked twice: the answer takes 3 us."""
    return array_api_compat.array_namespace(np.empty(0))


def device(x: Array) -> Any:
    """Device of ``x``."""
    return array_api_compat.device(x)


def eps_of(x: Array) -> float:
    """Machine epsilon of ``x``'s dtype: the gap between 1 and the next number."""
    if type(x) is np.ndarray:  # finding a number by a character takes a third of the time
        return _NUMPY_EPS[x.dtype.char]
    key = (type(x), x.dtype)
    eps = _EPS.get(key)
    if eps is None:
        eps = _EPS[key] = float(namespace(x).finfo(x.dtype).eps)
    return eps


_EPS: dict[tuple[type, Any], float] = {}
_DOUBLE = np.dtype(np.float64)
_NUMPY_EPS = {char: float(np.finfo(char).eps) for char in "efdg"}


# --------------------------------------------------------------------------- between device and host


def read(*scalars: Scalar) -> Sequence[float]:
    """Python floats of 0-d arrays, in ONE transfer where the arrays live on a device."""
    if len(scalars) > 1 and is_torch(scalars[-1]):
        where = scalars[-1].device
        is_there = [is_torch(s) and s.device == where for s in scalars]
        there = list(compress(scalars, is_there))
        values: list[float] = namespace(scalars[-1]).stack(there).tolist()
        if len(there) == len(scalars):
            return values
        rest = iter(values)  # f may be a float, or a tensor of the CPU
        return [next(rest) if own else float(s) for s, own in zip(scalars, is_there, strict=True)]
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
        return x.detach().clone() if x.requires_grad else x.clone()
    return namespace(x).asarray(x, copy=True)


def reshape(x: Array, shape: tuple[int, ...]) -> Array:
    """``x`` in another shape: a view where the library can."""
    return x.reshape(shape) if hasattr(x, "reshape") else namespace(x).reshape(x, shape)


# ----------------------------------------------------------------------------------------- algebra


def dot(a: Array, b: Array) -> Scalar:
    """``a'b`` as a 0-d array or a float; a matrix times a vector when ``a`` is a matrix."""
    if type(a) is not np.ndarray:
        return a @ b
    blas = _BLAS[a.dtype.char]
    if blas is None or a.ndim != 1 or b.ndim != 1 or a.dtype is not b.dtype:
        return a.dot(b)  # half the overhead of NumPy's matmul
    return blas.dot(a, b)  # a third of it, and a float


def inner(a: Array, b: Array) -> float:
    """``a'b`` of two vectors as a float."""
    return float(dot(a, b))


def norm_two(x: Array, square: float) -> float:
    """``|x|_2`` on the host, with ``x'x`` known as ``square``, which may have overflowed or underflowed."""
    if 0.0 < square < math.inf:
        return math.sqrt(square)
    (largest,) = read(norm_inf(x))
    if not 0.0 < largest < math.inf:
        return largest
    unit = x / largest
    return largest * math.sqrt(inner(unit, unit))


def unit_of(size: float, x: Array) -> float:
    """A power of two near ``size``, the largest ``|x_i|``, if squares could over- or underflow; else 1.

    What is divided by it, and later multiplied by it, is not rounded.
    """
    unit = power_near(size)
    if unit == 1.0 or size > _LONG or size * size <= _least_square(x):
        return unit
    return 1.0


def power_near(size: float) -> float:
    """A power of two near ``size``; 1 for what is between 1e-8 and 1e8, zero or not finite."""
    if _SHORT <= size <= _LONG or not 0.0 < size < math.inf:
        return 1.0
    return math.ldexp(1.0, math.frexp(size)[1] - 1)


_SHORT, _LONG = 1e-8, 1e8
"""Sizes between these are their own units in every dtype; squares of longer ones soon overflow."""


def _least_square(x: Array) -> float:
    """Squares below it have lost digits, or will when they are added."""
    return float(namespace(x).finfo(x.dtype).smallest_normal) / eps_of(x)


def norm_one(x: Array) -> float:
    """``sum |x_i|`` on the host."""
    if type(x) is np.ndarray:
        blas = _BLAS[x.dtype.char]
        if blas is not None:
            return blas.asum(x)  # type: ignore[no-any-return]
    xp = namespace(x)
    return float(xp.sum(xp.abs(x)))


def norm_inf(x: Array) -> Scalar:
    """Largest absolute value, as a 0-d array or a float; NaN if any element is."""
    if type(x) is np.ndarray:
        blas = _BLAS[x.dtype.char]
        if blas is None or x.ndim != 1 or not 0 < x.shape[0] <= CHUNK:
            return np.maximum.reduce(np.abs(x))
        square = blas.dot(x, x)  # the maximum may miss a NaN, a sum of squares never does
        return abs(x.item(blas.amax(x))) if square == square else square
    if is_torch(x):
        return x.abs().amax()
    xp = namespace(x)
    return xp.max(xp.abs(x))


def symmetric_part(B: Array) -> Array:
    """``(B + B') / 2``; a large ``B`` that is symmetric itself, as new memory costs more than to look."""
    if type(B) is np.ndarray and B.size > CHUNK and _is_symmetric(B):
        return B
    total = B + B.T
    total *= 0.5
    return total


def _is_symmetric(B: HostArray, width: int = 256) -> bool:
    """Whether ``B = B'``: strip by strip, each pair of elements once."""
    strips = range(0, B.shape[0], width)
    return all(np.array_equal(B[i : i + width, i:], B[i:, i : i + width].T) for i in strips)


def measured(f: Scalar, g: Array, d: Array) -> Sequence[float]:
    """``f``, ``max |g_i|`` and ``g'd`` on the host, in one transfer.

    The maximum of a ``g`` with a NaN may be any number: the NaN shows in ``g'd`` for certain.
    """
    blas = _BLAS[g.dtype.char] if type(g) is np.ndarray else None
    if blas is None or d.dtype is not g.dtype:
        return read(f, norm_inf(g), dot(g, d))
    if g.shape[0] <= CHUNK:
        return float(f), abs(g.item(blas.amax(g))), blas.dot(g, d)
    largest, slope = 0.0, 0.0
    for begin, n in _chunks(g):  # both while the chunk is in the cache
        largest = max(largest, abs(g.item(begin + blas.amax(g, n, begin))))
        slope += blas.dot(g, d, n, begin, 1, begin, 1)
    return float(f), largest, slope


def change_products(d: Array, a: Array, b: Array) -> Sequence[float]:
    """``d'(a - b)`` and ``|a - b|^2``; a long difference is not kept."""
    blas = _BLAS[a.dtype.char] if type(a) is np.ndarray else None
    if blas is None:
        y = a - b
        return read(dot(d, y), dot(y, y))
    if a.shape[0] <= CHUNK:
        y = a - b
        return blas.dot(d, y), blas.dot(y, y)
    y, dy, yy = np.empty(CHUNK, a.dtype), 0.0, 0.0
    for begin, n in _chunks(a):
        np.subtract(a[begin : begin + n], b[begin : begin + n], out=y[:n])
        dy += blas.dot(d, y, n, begin)
        yy += blas.dot(y, y, n)
    return dy, yy


def combine(weights: HostArray, rows: Array, beta: float, v: Array, alpha: float = 1.0) -> Array:
    """A new ``alpha rows' weights + beta v``, of the dtype of ``v`` whatever that of the rows."""
    blas = _BLAS[rows.dtype.char] if type(v) is np.ndarray else None
    if blas is not None and rows.dtype is v.dtype:
        return blas.gemv(alpha, rows.T, weights, beta, v)
    if blas is not None and _BLAS[v.dtype.char] is not None:
        return _sum_of_types(blas.gemv(alpha, rows.T, weights), beta, v)
    if rows.dtype != v.dtype:
        total = cast(like(alpha * weights, rows) @ rows, v.dtype)
        return step_along(total, beta, v)
    if is_torch(v):
        return v.addmv(rows.T, like(weights, v), beta=beta, alpha=alpha)
    return like(alpha * weights, v) @ rows + beta * v


def _sum_of_types(total: HostArray, beta: float, v: HostArray) -> HostArray:
    """``total + beta v`` in the dtype of ``v``, converted while it is in the cache."""
    out, blas = np.empty_like(v), _BLAS[v.dtype.char]
    assert blas is not None
    for begin, n in _chunks(v):
        out[begin : begin + n] = total[begin : begin + n]
        blas.axpy(v, out, n, beta, begin, 1, begin, 1)
    return out


def step_along(x: Array, alpha: float, d: Array) -> Array:
    """A new vector ``x + alpha d``."""
    if type(x) is not np.ndarray:
        return x.add(d, alpha=alpha) if is_torch(x) else x + alpha * d
    blas = _BLAS[x.dtype.char]
    if blas is None or d.dtype is not x.dtype:
        return x + alpha * d
    if x.shape[0] <= CHUNK:
        return blas.axpy(d, x.copy(), x.shape[0], alpha)
    out = np.empty_like(x)
    for begin, n in _chunks(x):
        out[begin : begin + n] = x[begin : begin + n]
        blas.axpy(d, out, n, alpha, begin, 1, begin, 1)
    return out


def add_along(x: Array, alpha: float, d: Array) -> None:
    """``x += alpha d``, in place."""
    if type(x) is np.ndarray:
        blas = _BLAS[x.dtype.char]
        if blas is None or d.dtype is not x.dtype or not x.flags.c_contiguous:
            x += alpha * d
        else:
            blas.axpy(d, x, x.shape[0], alpha)
    elif is_torch(x):
        x.add_(d, alpha=alpha)
    else:
        x += alpha * d


def products(rows: Array, v: Array) -> HostArray:
    """``rows v`` on the host, in double precision from there on."""
    if type(v) is np.ndarray and v.dtype is rows.dtype is _DOUBLE:
        out, blas = np.empty(rows.shape[0]), host_blas()
        return blas.gemv(1.0, rows.T, v, 0.0, out, 0, 1, 0, 1, 1, 1)  # type: ignore[no-any-return]
    return np.asarray(to_numpy(dot(rows, cast(v, rows.dtype))), np.float64)


def products_and_square(rows: Array, v: Array) -> tuple[HostArray, float]:
    """``rows v`` and ``v'v`` on the host, in one transfer where the arrays live on a device."""
    if type(v) is np.ndarray:
        return products(rows, v), inner(v, v)
    v = cast(v, rows.dtype)
    both = to_numpy(namespace(v).concat([dot(rows, v), reshape(dot(v, v), (1,))]))
    both = np.asarray(both, np.float64)
    return both[:-1], both.item(-1)


def scale_into(out: Array, alpha: float, d: Array) -> None:
    """``out <- alpha d``, in place."""
    if type(out) is np.ndarray:
        blas = _BLAS[out.dtype.char]
        if blas is None or out.shape[0] > CHUNK or d.dtype is not out.dtype:
            np.multiply(d, alpha, out=out)
        else:
            out[:] = d
            blas.scal(alpha, out)  # with the copy half the overhead of NumPy's product
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


# ------------------------------------------------------------------------------------- SciPy's BLAS

CHUNK = 32_768
"""Numbers in a part of a long vector that stays in the cache from one operation to the next."""


def _chunks(x: HostArray) -> Iterator[tuple[int, int]]:
    """Where each part of ``x`` begins, and its length."""
    n = x.shape[0]
    return ((begin, min(CHUNK, n - begin)) for begin in range(0, n, CHUNK))


class Blas(NamedTuple):
    """SciPy's BLAS for one type of number.

    A call of these costs a third of NumPy's as long as its arguments go by their places. Offsets and
    strides say where in an array to work; ``overwrite`` works in place.
    """

    dot: Any  # (x, y, n, offx, incx, offy, incy)
    axpy: Any  # (x, y, n, a, offx, incx, offy, incy), y in place
    scal: Any  # (a, x, n, offx, incx), in place
    amax: Any  # (x, n, offx, incx)
    asum: Any  # (x, n, offx, incx)
    gemv: Any  # (alpha, a, x, beta, y, offx, incx, offy, incy, trans, overwrite_y)
    trsv: Any  # (a, x, incx, offx, lower, trans, diag, overwrite_x)
    symv: Any  # (alpha, a, x), of the upper triangle
    syr: Any  # (alpha, x, lower, incx, offx, n, a, overwrite_a)


class _Blas(dict[str, "Blas | None"]):
    """`Blas` by the character of a NumPy dtype, None where BLAS has no such type."""

    def __missing__(self, char: str) -> Blas | None:
        if char not in "df":
            self[char] = None
        else:
            from scipy.linalg import blas  # a quarter of a second: not at `import secant`

            names = (
                "{}dot",
                "{}axpy",
                "{}scal",
                "i{}amax",
                "{}asum",
                "{}gemv",
                "{}trsv",
                "{}symv",
                "{}syr",
            )
            prefix = "d" if char == "d" else "s"
            self[char] = Blas(*(getattr(blas, name.format(prefix)) for name in names))
        return self[char]


_BLAS = _Blas()


def host_blas() -> Blas:
    """BLAS for the small float64 matrices on the host."""
    blas = _BLAS["d"]
    assert blas is not None
    return blas
