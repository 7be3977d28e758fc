"""What a user gives for many fits, checked and in the layout of lanes."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from secant import arrays
from secant.arrays import Array, HostArray
from secant.leastsquares.batched.curves import Data


class Task(NamedTuple):
    """The data, the starts and the degrees of freedom.

    Attributes
    ----------
    data : Data
    x0 : array, shape (n, k)
    free : array, shape (k,) or (1,)
        Data of a set less parameters.
    """

    data: Data
    x0: Array
    free: Array


def make_task(xdata: Any, ydata: Any, p0: Any, sigma: Any, omit: bool) -> Task:
    """Lanes of data and starts, in the library and dtype of ``p0``, or else of ``ydata``.

    Raises
    ------
    ValueError
        For shapes that do not fit together, or data that are not finite.
    """
    model = _library(p0, ydata)
    y, start = _rows("ydata", ydata, model), _rows("p0", p0, model)
    x = tuple(_rows("xdata", part, model) for part in _parts(xdata))
    m, n = int(y.shape[1]), int(start.shape[1])
    if not 0 < n <= m:
        raise ValueError(f"p0 must have 1 to {m} parameters, as many as data in a set, got {n}")
    weights = None if sigma is None else _weights(sigma, m, model)
    rows = [("ydata", y), ("sigma", weights), *(("xdata", part) for part in x)]
    given = [(name, part) for name, part in rows if part is not None]
    for name, part in given:
        if part.shape[1] != m:
            raise ValueError(f"{name} must have {m} data a set, as ydata has, got {part.shape[1]}")
    k = _common_count([*given, ("p0", start)])
    for name, part in (("p0", start), *(("xdata", part) for part in x)):
        _require_finite(name, part, "")
    if not omit:
        _require_finite("ydata", y, "; nan_policy='omit' leaves missing data out")
    y, weights, count = _without_missing(y, weights, n)
    xp = arrays.namespace(model)
    data = Data(
        tuple(_lanes(part) for part in x), _lanes(y), None if weights is None else _lanes(weights)
    )
    return Task(data, xp.broadcast_to(_lanes(start), (n, k)), count - n)


def _library(p0: Any, ydata: Any) -> Array:
    """An array of the library, the dtype and on the device in which to compute."""
    for given in (p0, ydata):
        if not arrays.is_array(given) or isinstance(given, np.ndarray):
            continue
        if not arrays.is_torch(given):
            raise ValueError(
                f"p0 and ydata must be NumPy arrays or PyTorch tensors, got {type(given).__name__}"
            )
        xp = arrays.namespace(given)
        if given.dtype not in (xp.float32, xp.float64):  # half precision cannot tell columns apart
            raise ValueError(f"p0 and ydata must be of dtype float32 or float64, got {given.dtype}")
        return xp.zeros((1,), dtype=given.dtype, device=arrays.device(given))
    single = isinstance(p0, np.ndarray) and p0.dtype == np.float32
    return np.zeros(1, np.float32 if single else np.float64)


def _parts(xdata: Any) -> tuple[Any, ...]:
    parts = xdata if isinstance(xdata, tuple) else (xdata,)
    if not parts:
        raise ValueError("xdata must be an array or a tuple of arrays, got an empty tuple")
    return parts


def _rows(name: str, given: Any, model: Array) -> Array:
    """``given`` with one row a data set, or a single row that all have in common."""
    if arrays.is_torch(given) and arrays.is_torch(model):
        xp, device = arrays.namespace(model), arrays.device(model)
        rows = xp.asarray(arrays.copy(given), dtype=model.dtype, device=device)
    else:
        host = _on_host(given)
        if host.dtype.kind not in "fiub":
            raise ValueError(f"{name} must be an array of real numbers, got dtype {host.dtype}")
        rows = arrays.like(host, model)
    if rows.ndim not in (1, 2):
        raise ValueError(
            f"{name} must have one dimension, or two with one row a data set, got shape "
            f"{tuple(rows.shape)}" + ("; several variables are a tuple" * (name == "xdata"))
        )
    return arrays.reshape(rows, (1, -1)) if rows.ndim == 1 else rows


def _on_host(given: Any) -> HostArray:
    """An array on the host, what is masked being NaN."""
    if isinstance(given, np.ma.MaskedArray):
        return np.ma.filled(given.astype(float), math.nan)
    return arrays.to_numpy(given) if arrays.is_torch(given) else np.asarray(given)


def _weights(sigma: Any, m: int, model: Array) -> Array:
    """One over the standard deviations."""
    whole = np.full(m, sigma) if np.ndim(sigma) == 0 else sigma
    rows = _rows("sigma", whole, model)
    if not bool(arrays.namespace(rows).all((rows > 0.0) & (rows < math.inf))):
        raise ValueError("sigma must be positive and finite, got a value that is not")
    return 1.0 / rows


def _common_count(given: list[tuple[str, Array]]) -> int:
    """How many data sets there are: what all two-dimensional arrays agree on."""
    counts = {name: int(rows.shape[0]) for name, rows in given if rows.shape[0] != 1}
    for name, count in counts.items():
        if count == 0:
            raise ValueError(f"{name} must have at least one row, one a data set, got none")
    if len(set(counts.values())) > 1:
        raise ValueError(
            "ydata, xdata, p0 and sigma must have the same number of rows, one a data set, got "
            + ", ".join(f"{count} in {name}" for name, count in counts.items())
        )
    return next(iter(counts.values()), 1)


def _require_finite(name: str, rows: Array, advice: str) -> None:
    xp = arrays.namespace(rows)
    if not bool(xp.all(xp.isfinite(rows))):
        raise ValueError(f"{name} must be finite, got a NaN or an infinity{advice}")


def _without_missing(y: Array, weights: Array | None, n: int) -> tuple[Array, Array | None, Array]:
    """Weights of zero for missing data, and how many data are left in each set.

    A set with fewer data than parameters gets weights that are not finite, and so does its start.
    """
    xp = arrays.namespace(y)
    missing = ~xp.isfinite(y)
    count = xp.sum(xp.astype(~missing, y.dtype), axis=1)
    if not bool(xp.any(missing)):
        return y, weights, count
    weights = xp.where(missing, xp.zeros_like(y), xp.ones_like(y) if weights is None else weights)
    weights = xp.where((count < n)[:, None], xp.full_like(weights, math.nan), weights)
    return xp.where(missing, xp.zeros_like(y), y), weights, count


def _lanes(rows: Array) -> Array:
    """One column a data set, in this order in memory."""
    lanes = arrays.zeros((rows.shape[1], rows.shape[0]), rows)
    lanes[...] = arrays.namespace(rows).permute_dims(rows, (1, 0))
    return lanes
