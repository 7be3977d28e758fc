"""What a run has learned of the curvature, for another run to begin with."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from secant import arrays
from secant.arrays import Array

__all__ = ["Learned", "taken_over"]


@dataclass(frozen=True)
class Learned:
    """What a method has learned of the curvature, to begin another run with.

    Attributes
    ----------
    method : str
        Name of the method.
    n : int
        Number of variables.
    content : object
        The method's own memory.
    dtype : object
        Of the variables.
    """

    method: str
    n: int
    content: Any
    dtype: Any


def taken_over(warm_start: Any, method: str, x: Array) -> Any:
    """A copy of an earlier run's memory in the precision of ``x``, if it fits.

    Parameters
    ----------
    warm_start : Learned, or an object with one as `memory`
    method : str
        Name of the method of the run that begins.
    x : array, shape (n,)
        Its start.
    """
    learned = getattr(warm_start, "memory", warm_start)
    n = int(x.shape[0])
    if not isinstance(learned, Learned) or (learned.method, learned.n) != (method, n):
        found = f"{learned.method}, {learned.n}" if isinstance(learned, Learned) else learned
        raise ValueError(
            f"warm_start must come from a run of the same method ({method}) with as many "
            f"variables ({n}), got {found}"
        )
    arrays_in_x: dict[int, Any] = {}
    if learned.dtype != x.dtype:
        arrays_in_x = {
            id(array): arrays.cast(array, x.dtype)
            for array in _of_the_variables(learned.content)
            if array.dtype == learned.dtype
        }
    return copy.deepcopy(learned.content, arrays_in_x)


def _of_the_variables(value: Any) -> Iterator[Array]:
    """The arrays in ``value`` except for the small ones of the host, annotated as ``HostArray``."""
    if arrays.is_array(value):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _of_the_variables(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            if not str(field.type).startswith("HostArray"):
                yield from _of_the_variables(getattr(value, field.name))
