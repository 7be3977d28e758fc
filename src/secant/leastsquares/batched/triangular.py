"""QR factorisations of many small matrices at once, by modified Gram-Schmidt.

    [J r] = Q [R z; 0 rest],   min |J p + r| = min |R p + z|

Orthogonalising r together with the columns of J makes the solution as accurate as Householder's, however
nearly dependent the columns are [1]_. The last axis of every array counts matrices; columns come first, so
that every operation runs along memory.

References
----------
.. [1] A. Bjorck, "Solving linear least squares problems by Gram-Schmidt orthogonalization", *BIT* 7 (1967);
   N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., section 20.3.
"""

from __future__ import annotations

from typing import NamedTuple

from secant import arrays
from secant.arrays import Array

_DEPENDENT = 10.0
"""A column of which so many ``m^1/2 eps`` are left, the rounding of m terms, depends on those before it."""


class Factors(NamedTuple):
    """``[J r] = Q [R z; 0 rest]``.

    Attributes
    ----------
    Q : array, shape (n, m, k)
        Orthonormal columns; one of zeros where a column of J depends on those before it.
    R : array, shape (n, n, k)
        Upper triangles; a row of zeros for such a column.
    z : array, shape (n, k)
        ``Q'r``.
    """

    Q: Array
    R: Array
    z: Array


def factorise(columns: Array, lengths: Array) -> Factors:
    """The factors of ``[J r]``.

    Parameters
    ----------
    columns : array, shape (n + 1, m, k)
        They are overwritten.
    lengths : array, shape (n, k)
        Of the columns of J.
    """
    xp = arrays.namespace(columns)
    n, m, k = columns.shape[0] - 1, columns.shape[1], columns.shape[2]
    whole = arrays.zeros((n, n + 1, k), columns)
    floor = _DEPENDENT * m**0.5 * arrays.eps_of(columns)
    for j in range(n):
        q, rest = columns[j], columns[j + 1 :]
        left = xp.sqrt(xp.sum(q * q, axis=0))
        one_over = xp.where(left > floor * lengths[j], 1.0 / left, 0.0)
        q *= one_over
        shares = xp.sum(q * rest, axis=1)
        rest -= q * shares[:, None]
        whole[j, j] = xp.where(one_over > 0.0, left, 0.0)
        whole[j, j + 1 :] = shares
    return Factors(columns[:n], whole[:, :n], whole[:, n])


def column_norms(columns: Array) -> Array:
    """Lengths, shape (n, k), of columns of shape (n, m, k)."""
    xp = arrays.namespace(columns)
    return xp.sqrt(xp.sum(columns * columns, axis=1))


def back_substitute(R: Array, z: Array) -> Array:
    """``p`` of ``R p = -z``, shape (n, k); zero for a variable without a pivot."""
    p = -z
    for j in reversed(range(p.shape[0])):
        p[j] *= _inverse(R[j, j])
        p[:j] -= R[:j, j] * p[j]
    return p


def solve_normal(R: Array, g: Array) -> Array:
    """``p`` of ``R'R p = -g``, shape (n, k)."""
    y = arrays.copy(g)
    for j in range(y.shape[0]):
        y[j] *= _inverse(R[j, j])
        y[j + 1 :] -= R[j, j + 1 :] * y[j]
    return back_substitute(R, y)


def _inverse(pivot: Array) -> Array:
    """``1 / pivot``, or 0 where there is none."""
    xp = arrays.namespace(pivot)
    return xp.where(pivot > 0.0, 1.0 / pivot, 0.0)


def inverse_products(R: Array) -> Array:
    """``(R'R)^-1``, shape (n, n, k); infinite where a pivot is zero."""
    xp, n = arrays.namespace(R), R.shape[0]
    inverse = xp.zeros_like(R)
    for j in range(n):
        unit = xp.zeros_like(R[0])
        unit[j] = 1.0
        inverse[:, j] = -solve_normal(R, unit)
    singular = xp.any(xp.stack([R[j, j] for j in range(n)]) == 0.0, axis=0)
    return xp.where(singular, float("inf"), inverse)
