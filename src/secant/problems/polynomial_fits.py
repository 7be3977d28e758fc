"""The two polynomial approximation problems of Moré, Garbow and Hillstrom, of any size.

"Testing Unconstrained Optimization Software", *ACM TOMS* 7 (1981) 17-41. Numbers in the docstrings
are the paper's.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from secant.arrays import Array, namespace
from secant.checks import count, require
from secant.problems.formula import SumOfSquares
from secant.problems.known_minima import CHEBYQUAD, CHEBYQUAD_LOCAL, WATSON
from secant.problems.objective import Objective
from secant.problems.table import Table

__all__ = ["chebyquad", "watson"]

_PAPER = "Moré, Garbow and Hillstrom (1981), problem {}"


# Watson -------------------------------------------------------------------------------------------


def _watson_residuals(T: Table, D: Table, x: Array) -> Array:
    xp = namespace(x)
    polynomial = T.like(x) @ x
    first, second = x[:1], x[1:2]
    fit = D.like(x) @ x - polynomial * polynomial - 1.0
    return xp.concat([fit, first, second - first * first - 1.0])


def _watson_jacobian(T: Table, D: Table, ends: Table, x: Array) -> Array:
    xp = namespace(x)
    powers, e = T.like(x), ends.like(x)
    fit = D.like(x) - 2.0 * (powers @ x)[:, None] * powers
    return xp.concat([fit, e[:1, :], e[1:, :] - 2.0 * x[0] * e[:1, :]])


def watson(n: int = 12) -> Objective:
    """Watson function, a polynomial approximation to a differential equation (number 20).

    .. math:: r_i = Σ_{j≥2} (j-1) x_j t_i^{j-2} - (Σ_j x_j t_i^{j-1})² - 1, t_i = i / 29, i ≤ 29

    with r_30 = x_1 and r_31 = x_2 - x_1² - 1. The Hessian is nearly singular for large n.

    Parameters
    ----------
    n : int
        The number of variables, from 2 to 31.

    Raises
    ------
    ValueError
        If n is out of range.

    Examples
    --------
    >>> from secant import problems
    >>> problems.watson(6).f_star, problems.watson(31).f_star
    (0.002287670..., None)
    """
    require(2 <= n <= 31, "n", n, "from 2 to 31")
    t = np.arange(1.0, 30.0)[:, None] / 29.0
    j = np.arange(float(n))
    T = t**j
    D = j * t ** np.maximum(j - 1.0, 0.0)
    tables = Table(T), Table(D)
    ends = Table(np.eye(2, n))
    f_star, minimizers = WATSON.get(n, (None, ()))
    return Objective(
        name="watson",
        x0=(0.0,) * n,
        formula=SumOfSquares(
            partial(_watson_residuals, *tables), partial(_watson_jacobian, *tables, ends)
        ),
        source=_PAPER.format(20),
        f_star=f_star,
        minimizers=minimizers,
    )


# Chebyquad ----------------------------------------------------------------------------------------


def _chebyquad_residuals(integrals: Table, x: Array) -> Array:
    xp = namespace(x)
    y = 2.0 * x - 1.0
    previous, T = xp.ones_like(x), [y]
    for _ in range(x.shape[0] - 1):
        T.append(2.0 * y * T[-1] - previous)
        previous = T[-2]
    return xp.mean(xp.stack(T), axis=1) - integrals.like(x)


def _chebyquad_jacobian(x: Array) -> Array:
    xp = namespace(x)
    y = 2.0 * x - 1.0
    n = x.shape[0]
    previous, T = xp.ones_like(x), y
    slope_before, slopes = xp.zeros_like(x), [2.0 * xp.ones_like(x)]
    for _ in range(n - 1):
        slopes.append(4.0 * T + 2.0 * y * slopes[-1] - slope_before)
        slope_before = slopes[-2]
        previous, T = T, 2.0 * y * T - previous
    return xp.stack(slopes) / float(n)


def chebyquad(n: int = 8) -> Objective:
    """Chebyquad function: the nodes of Chebyshev's quadrature of equal weights (number 35).

    .. math:: r_i = (1/n) Σ_j T_i(x_j) - ∫_0^1 T_i, i = 1, ..., n

    with T_i the Chebyshev polynomials of [0, 1], whose integrals are 0 for odd i and -1 / (i² - 1)
    for even i. f* = 0 for n ≤ 7 and n = 9 only. Every permutation of a minimiser is another.

    Parameters
    ----------
    n : int
        The number of variables, at least 1; the minimum is known up to 10.

    Raises
    ------
    ValueError
        If n < 1.

    Examples
    --------
    >>> from secant import problems
    >>> problems.chebyquad(2).x_star, problems.chebyquad(8).f_star
    ((0.211324..., 0.788675...), 0.00351687...)
    """
    count("n", n)
    i = np.arange(2.0, n + 1.0, 2.0)
    integrals = np.zeros(n)
    integrals[1::2] = -1.0 / (i * i - 1.0)
    f_star, minimizers = CHEBYQUAD.get(n, (None, ()))
    return Objective(
        name="chebyquad",
        x0=tuple(j / (n + 1) for j in range(1, n + 1)),
        formula=SumOfSquares(partial(_chebyquad_residuals, Table(integrals)), _chebyquad_jacobian),
        source=_PAPER.format(35),
        f_star=f_star,
        minimizers=minimizers,
        local_minima=CHEBYQUAD_LOCAL.get(n, ()),
    )
