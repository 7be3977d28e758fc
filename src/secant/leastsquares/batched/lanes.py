"""What is known of each fit that is under way; the last axis of every array counts fits."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Any, NamedTuple

from secant import arrays
from secant.arrays import Array


class Place(NamedTuple):
    """What is known of the iterates.

    Attributes
    ----------
    x : array, shape (n, k)
    values : array, shape (m, k)
        The model there.
    f : array, shape (k,)
        Half the sum of squares, or of the loss.
    noise : array, shape (k,)
        How much of ``f`` is rounding.
    norms : array, shape (n, k)
        Lengths of the columns of J.
    Q, R, z : array, shape (n, m, k), (n, n, k) and (n, k)
        The factors of J, and ``Q'r``.
    """

    x: Array
    values: Array
    f: Array
    noise: Array
    norms: Array
    Q: Array
    R: Array
    z: Array


class Memory(NamedTuple):
    """What the method remembers of the way there.

    Attributes
    ----------
    level : array, shape (k,)
        ``f`` of a model that is zero: of a perfect fit rounding leaves ``eps^2`` of it.
    scale : array, shape (n, k)
        ``D``, the longest columns so far.
    damping, growth : array, shape (k,)
        ``lambda`` and ``nu`` of Nielsen's rule.
    steps, trials, jacobians : array of int, shape (k,)
        Steps taken, steps tried, Jacobians evaluated.
    rejected, flat : array of int, shape (k,)
        Trials rejected in a row; steps that lowered neither ``f`` visibly nor the offset, since one that did.
    """

    level: Array
    scale: Array
    damping: Array
    growth: Array
    steps: Array
    trials: Array
    jacobians: Array
    rejected: Array
    flat: Array


class Lanes(NamedTuple):
    """Fits under way, one a lane.

    Attributes
    ----------
    number : array of int, shape (k,)
        Which of all fits it is.
    place : Place
    memory : Memory
    """

    number: Array
    place: Place
    memory: Memory

    @property
    def width(self) -> int:
        """How many there are."""
        return int(self.number.shape[0])


def taken(group: Any, which: Array) -> Any:
    """The lanes at these positions, which ascend: of an array, or of all arrays in a tuple."""
    if isinstance(group, tuple):
        return _like(group, (taken(part, which) for part in group))
    if which.shape[0] == group.shape[-1]:
        return group
    return arrays.namespace(group).take(group, which, axis=group.ndim - 1)


def put(group: Any, which: Array, new: Any) -> Any:
    """``group``, which is overwritten, with others in these positions, which ascend."""
    if isinstance(group, tuple):
        return _like(group, map(put, group, repeat(which), new))
    if which.shape[0] == group.shape[-1]:
        return new
    group[..., which] = new
    return group


def joined(group: Any, others: Any) -> Any:
    """The lanes of both."""
    if isinstance(group, tuple):
        return _like(group, map(joined, group, others))
    return arrays.namespace(group).concat([group, others], axis=-1)


def _like(group: Any, parts: Iterable[Any]) -> Any:
    return type(group)._make(parts) if hasattr(group, "_make") else tuple(parts)
