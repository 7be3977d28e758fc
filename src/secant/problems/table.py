"""Constant data of a problem, held once and handed out in the library of the caller's array."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secant.arrays import Array, device, like, namespace

__all__ = ["Table"]


class Table:
    """Float64 constants with one cached copy per (library, dtype, device) they were asked in.

    Parameters
    ----------
    values : array_like
        The constants, of any shape.

    Examples
    --------
    >>> import numpy as np
    >>> from secant.problems.table import Table
    >>> Table([0.1, 0.2]).like(np.zeros(3, dtype=np.float32)).dtype
    dtype('float32')
    """

    __slots__ = ("_copies", "_values")

    def __init__(self, values: ArrayLike) -> None:
        self._values: NDArray[np.float64] = np.array(values, dtype=np.float64)
        self._values.flags.writeable = False
        self._copies: dict[object, Array] = {}

    def __reduce__(self) -> tuple[type[Table], tuple[NDArray[np.float64]]]:
        # The copies are a cache: another process rebuilds them.
        return Table, (self._values,)

    def like(self, x: Array) -> Array:
        """Return the constants as an array of `x`'s library, dtype and device.

        Raises
        ------
        TypeError
            If `x` is not a floating-point array, in whose dtype the constants would be truncated.
        """
        if type(x) is np.ndarray and x.dtype == np.float64:
            return self._values
        key = (type(x), x.dtype, str(device(x)))
        copy = self._copies.get(key)
        if copy is None:
            copy = self._copies[key] = self._convert(x)
        return copy

    def _convert(self, x: Array) -> Array:
        if not namespace(x).isdtype(x.dtype, ("real floating", "complex floating")):
            raise TypeError(f"x must have a floating-point dtype, got {x.dtype}")
        # A fresh writable array: some libraries warn about, or alias, a read-only buffer.
        return like(self._values.copy(), x)
