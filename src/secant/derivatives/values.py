"""What a user's function returns, as real numbers on the host that nobody else writes to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from secant import arrays
from secant.arrays import HostArray
from secant.returned_values import real_numbers


def as_numbers(name: str, given: Any, *, complex_allowed: bool = False) -> HostArray:
    """What ``name`` returned as a new array of floating-point numbers.

    A copy, because functions reuse their buffers; integers become float64, because their differences
    would overflow.

    Raises
    ------
    ValueError
        For whatever holds no real numbers.
    """
    if hasattr(given, "toarray"):  # a sparse matrix
        given = given.toarray()
    try:
        array = np.array(arrays.to_numpy(given) if arrays.is_torch(given) else given)
        if array.dtype.kind == "O" and array.ndim == 0 and given is not None:
            array = np.array(float(given))  # numbers of other libraries
    except (TypeError, ValueError):
        what = type(given).__name__
        raise ValueError(f"{name} must return real numbers, got a {what}") from None
    if not (complex_allowed and array.dtype.kind == "c"):
        array = real_numbers(name, array)
    return array.astype(np.float64) if array.dtype.kind in "iub" else array


class Values:
    """A user's function of one array, whose values are numbers of one shape.

    Parameters
    ----------
    fun : callable
    complex_allowed : bool

    Attributes
    ----------
    eps : float
        Largest machine epsilon of the values so far: functions may compute in less precision than
        their argument has.
    """

    def __init__(self, fun: Callable[[HostArray], Any], complex_allowed: bool) -> None:
        self._fun = fun
        self._complex_allowed = complex_allowed
        self._shape: tuple[int, ...] | None = None
        self.eps = 0.0

    def __call__(self, x: HostArray) -> Any:
        """The value at ``x``, a number or a new array."""
        value = as_numbers("fun", self._fun(x), complex_allowed=self._complex_allowed)
        if self._shape is None:
            self._shape = value.shape
        if value.shape != self._shape:
            raise ValueError(
                f"fun must return values of one shape, got {value.shape} after {self._shape}"
            )
        self.eps = max(self.eps, float(np.finfo(value.dtype).eps))
        return value[()]
