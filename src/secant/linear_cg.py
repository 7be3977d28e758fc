"""Preconditioned conjugate gradients for ``B p = b`` with a symmetric positive definite ``B``.

    alpha = r'z / d'Bd,   p += alpha d,   r -= alpha Bd,   z = M r,   d = z + (r+'z+ / r'z) d

References
----------
Hestenes & Stiefel (1952); Nocedal & Wright, *Numerical Optimization*, 2nd ed., Algorithms 5.2, 5.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from secant import checks
from secant.arrays import (
    Array,
    add_along,
    copy,
    dot,
    inner,
    is_array,
    norm_two,
    power_near,
    read,
    step_along,
    zeros,
)
from secant.units import loses_products

Product = Callable[[Array], Array]
Norm = Callable[[Array], float]


class CGStatus(Enum):
    """Why conjugate gradients ended."""

    CONVERGED = "converged: |B p - b| <= rtol |b|"
    MAX_ITERATIONS = "limit reached: max_iter iterations"
    NEGATIVE_CURVATURE = "stopped: d'Bd <= 0, B is not positive definite"
    NOT_FINITE = "failed: a product with B, or the preconditioner, is not finite"

    @property
    def success(self) -> bool:
        """Whether the residual is as small as asked for."""
        return self is CGStatus.CONVERGED


@dataclass(frozen=True)
class CGResult:
    """Outcome of `solve_cg`.

    Attributes
    ----------
    x : array, shape (n,)
        The solution, or the last iterate before trouble.
    nit : int
        Iterations, one product with ``B`` each.
    residual : float
        ``|B x - b|`` as the recurrence knows it.
    status : CGStatus
    direction, product : array or None
        The direction of negative or zero curvature that was met, if any, and ``B`` times it.
    """

    x: Array
    nit: int
    residual: float
    status: CGStatus
    direction: Array = None
    product: Array = None

    @property
    def success(self) -> bool:
        """Whether the residual is as small as asked for."""
        return self.status.success


def solve_cg(
    B: Any,
    b: Array,
    x0: Array = None,
    preconditioner: Any = None,
    *,
    rtol: float = 1e-8,
    max_iter: int | None = None,
    norm: Norm | None = None,
) -> CGResult:
    """Solve ``B x = b`` by (preconditioned) conjugate gradients.

    Parameters
    ----------
    B : array, shape (n, n), operator with ``@``, or callable ``v -> B v``
        Symmetric positive definite.
    b : array, shape (n,)
        NumPy, torch or any Array API library.
    x0 : array, optional
        First iterate; zero when left out.
    preconditioner : as ``B``, optional
        ``M``, an approximation of the inverse of ``B``.
    rtol : float
        Relative residual ``|B x - b| / |b|`` at which to stop.
    max_iter : int, optional
        ``10 n`` when left out.
    norm : callable, optional
        What ``|.|`` is: from a vector to a float; the 2-norm, which is at hand, when left out.

    Returns
    -------
    CGResult

    Raises
    ------
    ValueError
        For arguments that are neither arrays, operators nor callables.

    Examples
    --------
    >>> import numpy as np
    >>> import secant
    >>> B = np.array([[4.0, 1.0], [1.0, 3.0]])
    >>> result = secant.solve_cg(B, np.array([1.0, 2.0]))
    >>> result.nit, result.x.round(6)
    (2, array([0.090909, 0.636364]))
    """
    checks.require(is_array(b) and len(b.shape) == 1, "b", b, "a 1-D array")
    checks.non_negative("rtol", rtol)
    product, precondition = _product("B", B), _product("preconditioner", preconditioner)
    size = (norm or _norm)(b)
    unit = power_near(size) if loses_products(size, b) else 1.0
    if unit != 1.0:
        b, x0, size = b / unit, None if x0 is None else x0 / unit, size / unit
    x = zeros(b.shape[0], b) if x0 is None else copy(x0)
    r = copy(b) if x0 is None else b - product(x0)
    end = _iterate(product, precondition, x, r, rtol * size, _limit(max_iter, b), norm)
    return end if unit == 1.0 else replace(end, x=unit * end.x, residual=unit * end.residual)


def _iterate(
    product: Product,
    precondition: Product,
    x: Array,
    r: Array,
    small: float,
    limit: int,
    norm: Norm | None,
) -> CGResult:
    """CG; ``x`` and ``r`` are worked on in place."""
    z = precondition(r)
    d = copy(z)
    rr, rz = _squares(r, z)
    for k in range(limit + 1):
        residual = norm(r) if norm else math.sqrt(rr) if rr >= 0.0 else math.nan
        if residual <= small:
            return CGResult(x, k, residual, CGStatus.CONVERGED)
        if not (math.isfinite(residual) and math.isfinite(rz)):
            return CGResult(x, k, residual, CGStatus.NOT_FINITE)
        if k == limit:
            break
        Bd = product(d)
        dBd = inner(d, Bd)
        if not math.isfinite(dBd):
            return CGResult(x, k, residual, CGStatus.NOT_FINITE)
        if dBd <= 0.0:
            return CGResult(x, k, residual, CGStatus.NEGATIVE_CURVATURE, d, Bd)
        alpha = rz / dBd
        add_along(x, alpha, d)
        add_along(r, -alpha, Bd)
        z = precondition(r)
        rz_old = rz
        rr, rz = _squares(r, z)
        d = step_along(z, rz / rz_old if rz_old else 0.0, d)
    return CGResult(x, limit, residual, CGStatus.MAX_ITERATIONS)


def _squares(r: Array, z: Array) -> tuple[float, float]:
    """``r'r`` and ``r'z``, which are one without a preconditioner."""
    if z is r:
        rr = inner(r, r)
        return rr, rr
    rr, rz = read(dot(r, r), dot(r, z))
    return rr, rz


def _product(name: str, B: Any) -> Product:
    if B is None:
        return lambda v: v
    if hasattr(B, "__matmul__"):
        return lambda v: B @ v
    checks.require(callable(B), name, B, "a matrix, an operator with @ or a callable")
    result: Product = B
    return result


def _norm(v: Array) -> float:
    return norm_two(v, inner(v, v))


def _limit(max_iter: int | None, b: Array) -> int:
    if max_iter is None:
        return 10 * int(b.shape[0])
    checks.count("max_iter", max_iter, 0)
    return max_iter
