"""Second derivatives from gradients: products by one difference or two, and the whole matrix.

    forward   B v = (g(x + h v) - g(x)) / h              h |v| = error^(1/2) max(1, |x|)    error O(h)
    centred   B v = (g(x + h v) - g(x - h v)) / 2h       h |v| = error^(1/3) max(1, |x|)    error O(h^2)

with ``error`` the relative error of the gradient, the dtype's epsilon where that is exact. Both are exact up
to round-off where the objective is quadratic.

References
----------
.. [1] J. Nocedal, S. J. Wright, *Numerical Optimization*, 2nd ed., section 8.1, "Approximating the Hessian".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from secant.arrays import (
    Array,
    HostArray,
    device,
    eps_of,
    namespace,
    norm_inf,
    read,
    step_along,
    to_numpy,
)

if TYPE_CHECKING:
    from secant.point import Point
    from secant.problem import Problem


def forward_product(problem: Problem, point: Point, v: Array) -> Array:
    """``B v`` by a forward difference: one gradient."""
    size_x, size_v = read(norm_inf(point.x), norm_inf(v))
    return _slope(problem, point, v, size_x, size_v) if size_v > 0.0 else v


def centred_product(problem: Problem, point: Point, v: Array) -> Array:
    """``B v`` by a centred difference: two gradients."""
    size_x, size_v = read(norm_inf(point.x), norm_inf(v))
    if size_v == 0.0:
        return v
    h = math.cbrt(_error(problem, point)) * max(1.0, size_x) / size_v
    above, below = (problem.at(step_along(point.x, t, v)).g for t in (h, -h))
    return (above - below) / (2.0 * h)


def hessian_by_differences(problem: Problem, point: Point) -> Array:
    """``B``, not yet symmetric, a row for each variable; the gradients are counted as products.

    Of forward differences that contradict each other across the diagonal, those whose step is the longer
    beside its variable are made centred ones, and the others where that was not enough.
    """
    n, xp, x = point.x.shape[0], namespace(point.x), point.x
    identity = xp.eye(n, dtype=x.dtype, device=device(x))
    sizes = read(*(abs(x[i]) for i in range(n)))

    def column(i: int, sign: float) -> Array:
        problem.counts.nhev += 1
        return _slope(problem, point, sign * identity[i, :], sizes[i])

    B, error = xp.stack([column(i, 1.0) for i in range(n)]), _error(problem, point)
    is_centred = np.zeros(n, dtype=bool)
    while (suspects := _contradicting(to_numpy(B), point, error, is_centred)).size:
        for i in suspects.tolist():
            B[i, :] = 0.5 * (B[i, :] - column(i, -1.0))
        is_centred[suspects] = True
    return B


def _error(problem: Problem, point: Point) -> float:
    return max(problem.gradient_error, eps_of(point.x))


def _slope(problem: Problem, point: Point, v: Array, size_x: float, size_v: float = 1.0) -> Array:
    """``(g(x + h v) - g(x)) / h`` with ``h |v| = sqrt(error) max(1, |x|)``."""
    h = math.sqrt(_error(problem, point)) * max(1.0, size_x) / size_v
    return (problem.at(step_along(point.x, h, v)).g - point.g) / h


def _contradicting(
    B: HostArray, point: Point, error: float, is_centred: HostArray
) -> npt.NDArray[np.intp]:
    """The columns by forward differences to be made centred, as ``B_ij`` and ``B_ji`` are not one number.

    A step of ``sqrt(error)`` is long for a variable of 1e-6. What it does to the gradient's other components
    then shows third derivatives more than second ones, which centred differences are free of. The gap is
    compared with ``sqrt(B_ii B_jj)``, so that the units of the variables do not matter, and with the
    round-off of the differences. Of two columns the one with the longer step beside its variable is suspect.
    """
    B = B.astype(np.float64)
    x, g = (np.abs(to_numpy(a), dtype=np.float64) for a in (point.x, point.g))
    with np.errstate(all="ignore"):  # what is not finite contradicts nothing
        sizes, root = np.abs(B), np.sqrt(np.abs(B.diagonal()))
        bound = np.maximum(np.multiply.outer(root, root), np.minimum(sizes, sizes.T))
        shares = math.sqrt(error) / np.maximum(1.0, x)
        noise = np.multiply.outer(shares, g + sizes @ x)
        contradict = np.abs(B - B.T) > np.maximum(bound, 4.0 * (noise + noise.T))
        reach = np.where(is_centred, -1.0, np.maximum(1.0, x) / x)
    suspect = (contradict & (reach[:, None] >= reach)).any(axis=1)
    return np.flatnonzero(suspect & ~is_centred)
