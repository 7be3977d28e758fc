"""Levenberg-Marquardt's step of all lanes at once, within bounds where there are any.

    (J'J + lambda D^2) v = -J'r   as   min |[R; lambda^1/2 D] v + [z; 0]|

and its geodesic acceleration, the second-order correction ``a / 2`` with
``(J'J + lambda D^2) a = -J'r_vv``. What bounds do to the step is described in `secant.leastsquares.bounds`.
"""

from __future__ import annotations

from secant import arrays
from secant.arrays import Array
from secant.leastsquares.batched.box import Box
from secant.leastsquares.batched.lanes import Lanes, Place
from secant.leastsquares.batched.triangular import (
    Factors,
    back_substitute,
    column_norms,
    factorise,
    solve_normal,
)
from secant.linesearch.acceptance import ROUND_OFF


def damped_step(lanes: Lanes, box: Box | None) -> tuple[Array, Array]:
    """``v``, shape (n, k), and the triangle ``T`` with ``T'T = J'J + lambda D^2`` of the free variables."""
    place, memory = lanes.place, lanes.memory
    xp = arrays.namespace(place.x)
    weights = xp.sqrt(memory.damping) * memory.scale
    if box is None:
        _, T, z = _damped(place.R, place.z, weights)
        return back_substitute(T, z), T
    low, high = box.lower - place.x, box.upper - place.x
    free, v = _free(place, box), xp.zeros_like(place.x)
    for _ in range(v.shape[0]):
        _, T, z = _damped(*_restricted(place, free, v), weights * free)
        v = xp.where(free, back_substitute(T, z), v)
        outside = free & ((v < low) | (v > high))
        if not bool(xp.any(outside)):
            break
        v = xp.minimum(xp.maximum(v, low), high)
        free = free & ~outside
    return v, T


def acceleration(place: Place, T: Array, v: Array, change: Array, h: float) -> Array:
    """``a``, shape (n, k).

    ``change`` is ``(r(x + h v) - r(x)) / h``, and ``r_vv = (2 / h) (change - J v)``; since ``J v = Q R v``
    all that is needed of it, ``Q'r_vv``, takes one pass over Q.
    """
    xp, along = arrays.namespace(v), product(place.R, v)
    bend = (2.0 / h) * (xp.sum(place.Q * change, axis=1) - along)
    a = solve_normal(T, transposed_product(place.R, bend))
    # of a step so short that rounding of the model is as large, the bend is nothing else
    is_seen = h**2 * xp.sqrt(2.0 * place.f * xp.sum(along * along, axis=0)) > 2.0 * place.noise
    return xp.where(is_seen, a, 0.0)


def undamped(place: Place, box: Box | None) -> tuple[Array, Array]:
    """``R`` and ``z`` of the variables that no bound holds."""
    if box is None:
        return place.R, place.z
    nothing = arrays.namespace(place.x).zeros_like(place.x)
    _, R, z = _damped(*_restricted(place, _free(place, box), nothing), nothing)
    return R, z


def is_fitted(place: Place, offset2: Array) -> Array:
    """Whether ``|z|^2`` is as good as 0 beside ``|r|^2``, or r is rounding itself."""
    is_right_angle = offset2 <= 2.0 * arrays.eps_of(offset2) ** 0.5 * place.f
    return is_right_angle | (place.f <= ROUND_OFF * place.noise)


def _damped(R: Array, z: Array, weights: Array) -> Factors:
    """The factors of ``[R; weights]`` with ``[z; 0]``."""
    xp, (n, k) = arrays.namespace(R), z.shape
    columns = arrays.zeros((n + 1, 2 * n, k), R)
    columns[:n, :n] = xp.permute_dims(R, (1, 0, 2))
    columns[n, :n] = z
    for j in range(n):
        columns[j, n + j] = weights[j]
    return factorise(columns, column_norms(columns[:n]))


def _restricted(place: Place, free: Array, v: Array) -> tuple[Array, Array]:
    """``R`` and ``z`` of the free variables, the others displaced by ``v``; this ``R`` is no triangle."""
    xp = arrays.namespace(v)
    displaced = product(place.R, xp.where(free, xp.zeros_like(v), v))
    return place.R * free, place.z + displaced


def _free(place: Place, box: Box) -> Array:
    """Variables that no bound holds."""
    return box.free(place.x, transposed_product(place.R, place.z))


def product(R: Array, p: Array) -> Array:
    """``R p``, shape (n, k)."""
    return arrays.namespace(R).sum(R * p, axis=1)


def transposed_product(R: Array, u: Array) -> Array:
    """``R'u``, shape (n, k)."""
    return arrays.namespace(R).sum(R * u[:, None], axis=0)
