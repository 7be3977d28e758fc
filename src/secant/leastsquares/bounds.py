"""Bounds on the variables: the damped linear fit inside of a box.

Variables at a bound from which the gradient pushes outward stay there; the others take the damped step.
Whatever then sticks out of the box is put on its bound and the rest solved again, with the displacement
taken into account, until nothing sticks out: at most n solves, seldom more than two. As ``lambda`` grows
this becomes the projected gradient step of the free variables [1]_, so a rejected step always leads to a
shorter one that descends.

References
----------
.. [1] C. Kanzow, N. Yamashita, M. Fukushima, "Levenberg-Marquardt methods with strong local convergence
   properties for solving nonlinear equations with convex constraints", *J. Comput. Appl. Math.* 172 (2004).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from secant.arrays import HostArray
from secant.leastsquares.model import Model

NO_BOUNDS = (-math.inf, math.inf)
"""SciPy's default."""


@dataclass(frozen=True, eq=False)
class Box:
    """``lower <= x <= upper``, infinite where there is no bound.

    Parameters
    ----------
    lower, upper : array, shape (n,)
    """

    lower: HostArray
    upper: HostArray

    def __post_init__(self) -> None:
        if not (self.lower < self.upper).all():
            i = int(np.argmin(self.lower < self.upper))
            raise ValueError(
                "bounds must have lower < upper for every variable, "
                f"got {self.lower[i]} and {self.upper[i]} for number {i}"
            )

    def clip(self, x: HostArray) -> HostArray:
        """The nearest point of the box."""
        nearest: HostArray = np.clip(x, self.lower, self.upper)
        return nearest

    def has_both(self, a: HostArray, b: HostArray) -> bool:
        """Whether two points are in the box."""
        lowest, highest = np.minimum(a, b), np.maximum(a, b)
        return bool((self.lower <= lowest).all() and (highest <= self.upper).all())

    def pushed_out(self, x: HostArray, g: HostArray) -> HostArray:
        """Where ``x`` is at a bound and ``-g`` points out of the box."""
        below, above = (x <= self.lower) & (g > 0.0), (x >= self.upper) & (g < 0.0)
        held: HostArray = np.logical_or(below, above)
        return held

    def active(self, x: HostArray) -> HostArray:
        """SciPy's ``active_mask``: -1 at the lower bound, 1 at the upper, 0 between."""
        mask: HostArray = (x >= self.upper).astype(int) - (x <= self.lower).astype(int)
        return mask


def make_box(bounds: Any, x0: HostArray, name: str = "x0") -> Box | None:
    """The box of SciPy's ``bounds``: a pair of numbers or arrays, or an object with ``lb`` and ``ub``.

    Bounds are rounded to the dtype of ``x0``, which its user calls ``name``. None if all are infinite.

    Raises
    ------
    ValueError
        If they are no such thing, cross, or ``x0`` lies outside.
    """
    if bounds is None or bounds is NO_BOUNDS:
        return None
    pair = (bounds.lb, bounds.ub) if hasattr(bounds, "lb") else bounds
    try:
        lower, upper = (np.broadcast_to(np.asarray(b, x0.dtype), x0.shape) for b in pair)
    except (TypeError, ValueError):
        raise ValueError(
            f"bounds must be a pair (lower, upper) of numbers or arrays of {x0.size} elements, "
            f"got {bounds!r}"
        ) from None
    box = Box(np.array(lower), np.array(upper))
    if np.isinf(box.lower).all() and np.isinf(box.upper).all():
        return None
    if not ((box.lower <= x0) & (x0 <= box.upper)).all():
        raise ValueError(f"{name} must lie within bounds, got a component outside")
    return box


def step_in_box(
    solve: Callable[[Model, HostArray], HostArray],
    model: Model,
    x: HostArray,
    box: Box,
    scale: HostArray,
) -> HostArray:
    """The step that ``solve(model, scale)`` proposes, kept inside of the box.

    Parameters
    ----------
    solve : callable
        The unconstrained step of a model.
    model : Model
    x : array, shape (n,)
        A point of the box.
    box : Box
    scale : array, shape (n,)
        ``D``.

    Returns
    -------
    array, shape (n,)
        A step whose end is in the box, up to the rounding of ``x + p``.
    """
    low, high = box.lower - x, box.upper - x
    p = np.zeros_like(model.g)
    free = ~box.pushed_out(x, model.g)
    while free.any():
        p[free] = solve(model if free.all() else model.restrict(free, p), scale[free])
        outside = free & ((p < low) | (p > high))
        if not outside.any():
            break
        p = np.clip(p, low, high)
        free &= ~outside
        p[free] = 0.0
    return p
