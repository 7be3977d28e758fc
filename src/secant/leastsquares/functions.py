"""Front end for residuals of arrays: SciPy's conventions for ``fun``, ``jac``, ``args`` and ``kwargs``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from secant import arrays
from secant.arrays import Array, HostArray, like, to_numpy
from secant.counts import Counts
from secant.leastsquares.jacobian import Differences, Refining
from secant.leastsquares.problem import Block, Evaluation, WholeJacobian

ROWS_AT_ONCE = 8192
"""Samples to a block at most: its Jacobian of some hundred columns then stays in a cache."""


@dataclass(frozen=True)
class Samples:
    """Arrays with one row a sample, and how many rows make a block.

    Parameters
    ----------
    arrays : tuple of array
        All with the same first dimension.
    rows : int
        Rows to a block.
    """

    arrays: tuple[Array, ...]
    rows: int

    def slices(self) -> Iterator[slice]:
        """The blocks, one after the other."""
        count = int(self.arrays[0].shape[0])
        for start in range(0, count, self.rows):
            yield slice(start, min(start + self.rows, count))

    def take(self, rows: slice) -> tuple[Array, ...]:
        """The samples of a block."""
        return tuple(array[rows] for array in self.arrays)


def make_samples(samples: Any, n: int, memory: int) -> Samples | None:
    """The samples, in blocks whose Jacobian is a small part of the memory budget."""
    if samples is None:
        return None
    given = samples if isinstance(samples, (tuple, list)) else (samples,)
    lengths = {int(array.shape[0]) for array in given if getattr(array, "ndim", 0) > 0}
    if len(given) == 0 or len(lengths) != 1 or any(getattr(a, "ndim", 0) == 0 for a in given):
        raise ValueError(
            "samples must be arrays with one row a sample, all with the same number of rows, "
            f"got lengths {sorted(lengths)}"
        )
    rows = min(ROWS_AT_ONCE, max(n, memory // (64 * n)))
    return Samples(tuple(given), max(1, rows))


@dataclass(slots=True, eq=False)
class ArrayResiduals:
    """Residuals of one flat array and their Jacobian.

    Parameters
    ----------
    fun : callable
        ``fun(x, *rows) -> r``.
    jac : callable, Differences or Refining
    shape : tuple of int
        Of ``x0``.
    samples : Samples, optional
    counts : Counts
    memory : int
        Bytes that the Jacobian may take.
    """

    fun: Callable[..., Any]
    jac: Callable[..., Any] | Differences | Refining
    shape: tuple[int, ...]
    samples: Samples | None
    counts: Counts
    memory: int
    length: int = 0
    """Number of residuals, as soon as it is known."""

    def __call__(self, x: Array) -> Evaluation:
        """The residuals at ``x``."""
        if self.samples is None:
            r = self.residuals(x, ())
            return WholeJacobian(r, partial(self.jacobian, x, r, ()))
        parts = [self.residuals(x, self.samples.take(rows)) for rows in self.samples.slices()]
        return ArrayBlocks(self, x, parts, arrays.namespace(parts[0]).concat(parts))

    def residuals(self, x: Array, rows: tuple[Array, ...]) -> Array:
        """What the function returns, checked: a new flat array like ``x``."""
        r = self.fun(self._outside(x), *rows)
        if type(r) is np.ndarray and r.dtype is x.dtype and r.ndim == 1:
            flat = r.copy()
        elif type(x) is np.ndarray:
            flat = np.atleast_1d(np.asarray(r)).reshape(-1)
            if flat.dtype.kind not in "fiubc" or (flat.dtype.kind == "c" and x.dtype.kind != "c"):
                raise ValueError(f"fun must return real residuals, got dtype {flat.dtype}")
            flat = flat.astype(x.dtype, copy=flat.base is not None or flat is r)
        else:
            flat = arrays.copy(arrays.reshape(r, (-1,)))
        if flat.shape[0] != self.length:
            self._check_length(int(flat.shape[0]), not rows)
        return flat

    def jacobian(self, x: Array, r: Array, rows: tuple[Array, ...]) -> Array:
        """The Jacobian of some rows, shape (m, n)."""
        shape = m, n = r.shape[0], x.shape[0]
        if isinstance(self.jac, (Differences, Refining)):
            self._check_size(m, n, to_numpy(x).itemsize)

            def counted(y: HostArray) -> Array:
                if not rows:
                    self.counts.value()
                return self.residuals(y, rows)

            return self.jac(counted, x, r)
        J = self.jac(self._outside(x), *rows)
        if type(J) is np.ndarray and J.dtype is x.dtype and J.shape == shape:
            return J
        if type(x) is np.ndarray:
            J = np.asarray(J.toarray() if hasattr(J, "toarray") else J)
            if J.dtype.kind not in "fiub":
                raise ValueError(f"jac must return real numbers, got dtype {J.dtype}")
            J = J.reshape(m, n) if J.size == m * n and m == 1 else J
            J = J.astype(x.dtype, copy=False)
        elif len(J.shape) > 2:
            J = arrays.reshape(J, (m, n))
        if tuple(J.shape) == (m, *self.shape) and len(self.shape) > 1:
            J = arrays.reshape(J, shape)
        if tuple(J.shape) != shape:
            raise ValueError(
                f"jac must return an array of shape {shape}, one row a residual, "
                f"got {tuple(J.shape)}"
            )
        return J

    def _outside(self, x: Array) -> Array:
        x = x.copy() if type(x) is np.ndarray else arrays.copy(x)  # the user may write into it
        return x if len(self.shape) == 1 else arrays.reshape(x, self.shape)

    def _check_length(self, m: int, is_whole: bool) -> None:
        if m == 0:
            raise ValueError("fun must return at least one residual, got none")
        if is_whole and self.length:
            raise ValueError(
                f"fun must return the same number of residuals every time, {self.length}, got {m}"
            )
        if is_whole:
            self.length = m

    def _check_size(self, m: int, n: int, itemsize: int) -> None:
        if m * n * itemsize > self.memory:
            raise ValueError(
                f"the Jacobian of {m} residuals and {n} variables takes {m * n * itemsize} bytes, "
                f"more than memory={self.memory}; give the data as samples=(...), so that it is "
                "made in blocks of rows"
            )


@dataclass(frozen=True, eq=False)
class ArrayBlocks:
    """`Evaluation` of residuals whose Jacobian is made in blocks of samples."""

    of: ArrayResiduals
    x: Array
    parts: list[Array]
    r: Array
    fits: bool = True

    def blocks(self) -> Iterator[Block]:
        """The Jacobian of a block of samples after the other."""
        assert self.of.samples is not None
        if isinstance(self.of.jac, (Differences, Refining)):
            points = {"3-point": 2, "5-point": 4}.get(self.of.jac.scheme, 1)
            for _ in range(points * int(self.x.shape[0])):
                self.of.counts.value()
        start = 0
        for rows, r in zip(self.of.samples.slices(), self.parts, strict=True):
            stop = start + int(r.shape[0])
            yield slice(start, stop), self.of.jacobian(self.x, r, self.of.samples.take(rows))
            start = stop

    def forward(self, v: HostArray) -> Array:
        """``J v``."""
        parts = [J @ like(v, J) for _, J in self.blocks()]
        return arrays.namespace(self.r).concat(parts)

    def backward(self, u: Array) -> HostArray:
        """``J'u``."""
        total = np.zeros(self.x.shape[0])
        for rows, J in self.blocks():
            total += to_numpy(J.T @ u[rows])
        return total


def with_arguments(
    fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Callable[..., Any]:
    """``fun`` with its extra arguments behind those that it is called with."""
    if not args and not kwargs:
        return fun
    return lambda *first: fun(*first, *args, **kwargs)
