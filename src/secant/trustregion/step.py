"""What a trust-region subproblem is asked and what it answers.

    minimise  m(p) = g'p + p'Bp / 2   subject to  |p| <= radius

References
----------
Nocedal & Wright, *Numerical Optimization*, 2nd ed., eq. 4.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from secant import checks
from secant.arrays import Array, HostArray, inner


class Step(NamedTuple):
    """An approximate solution of the subproblem.

    Attributes
    ----------
    p : array, shape (n,)
    predicted_reduction : float
        ``-m(p)``, positive.
    on_boundary : bool
        Whether the radius kept the step short.
    length : float
        ``|p|``.
    """

    p: Array
    predicted_reduction: float
    on_boundary: bool
    length: float


class Model(Protocol):
    """The matrix ``B`` as subproblems see it; those that factorise it ask for the whole."""

    def __matmul__(self, v: Array) -> Array:
        """``B v``, a new vector."""
        ...

    def dense(self) -> HostArray:
        """All of ``B`` in double precision on the host; not to be written to."""
        ...


def check_subproblem(given: object) -> None:
    """Refuse what cannot be called with a gradient and a model."""
    checks.require(
        callable(given) and not isinstance(given, type),
        "subproblem",
        given,
        "one like secant.Steihaug() or secant.Dogleg()",
    )


Within = Callable[[float], Step]
"""The solution for a radius. What does not depend on the radius is computed once: a rejected step costs
no second product at the same point."""


class Subproblem(Protocol):
    """A way of solving it: configuration only."""

    def __call__(self, g: Array, B: Any) -> Within:
        """The subproblem of one iterate, to be solved for one radius after another."""
        ...


def in_iteration(subproblem: Subproblem, k: int) -> Subproblem:
    """``subproblem`` as iteration ``k`` solves it: some are solved more loosely at first, and say so."""
    own: Callable[[int], Subproblem] | None = getattr(subproblem, "in_iteration", None)
    return subproblem if own is None else own(k)


def to_boundary(pp: float, pd: float, dd: float, radius: float) -> float:
    """The ``tau >= 0`` with ``|p + tau d| = radius``, from ``p'p``, ``p'd`` and ``d'd``.

    NaN where ``d'd`` has underflowed: no ``tau`` is known then.
    """
    c = radius * radius - pp
    if c <= 0.0:
        return 0.0
    if not dd > 0.0:
        return math.nan
    root = math.sqrt(pd * pd + dd * c)
    return c / (pd + root) if pd > 0.0 else (root - pd) / dd  # the form without cancellation


def length(v: Array) -> float:
    """``|v|_2``."""
    square = inner(v, v)
    return math.sqrt(square) if square >= 0.0 else math.nan
