"""The penalty functions of Moré, Garbow and Hillstrom, of any size.

"Testing Unconstrained Optimization Software", *ACM TOMS* 7 (1981) 17-41. Numbers in the docstrings
are the paper's.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from secant.arrays import Array, namespace
from secant.checks import count
from secant.problems.formula import SumOfSquares
from secant.problems.known_minima import PENALTY_2
from secant.problems.objective import Objective
from secant.problems.pieces import identity
from secant.problems.table import Table

__all__ = ["penalty_1", "penalty_2", "variably_dimensioned"]

_PAPER = "Moré, Garbow and Hillstrom (1981), problem {}"


# Penalty I ----------------------------------------------------------------------------------------

_A = 1e-5
_ROOT_A = math.sqrt(_A)


def _penalty_1_residuals(x: Array) -> Array:
    xp = namespace(x)
    return xp.concat([_ROOT_A * (x - 1.0), xp.sum(x * x, keepdims=True) - 0.25])


def _penalty_1_jacobian(x: Array) -> Array:
    return namespace(x).concat([_ROOT_A * identity(x), 2.0 * x[None, :]])


def _penalty_1_pullback(x: Array, r: Array) -> Array:
    return _ROOT_A * r[:-1] + 2.0 * r[-1:] * x


def _penalty_1_solution(n: int) -> tuple[float, float]:
    """Return (t, f) of the minimiser (t, ..., t), where 2 t (n t² - ¼) = a (1 - t)."""
    t = 0.5 / math.sqrt(n)
    for _ in range(50):
        t -= (2.0 * t * (n * t * t - 0.25) - _A * (1.0 - t)) / (6.0 * n * t * t - 0.5 + _A)
    # The constraint's residual from the equation itself: n t² - ¼ would cancel.
    return t, n * _A * (1.0 - t) ** 2 + (_A * (1.0 - t) / (2.0 * t)) ** 2


def penalty_1(n: int = 10) -> Objective:
    """Penalty function I: the sphere of radius ½ by a penalty, with a = 10⁻⁵ (number 23).

    .. math:: r_i = √a (x_i - 1), i ≤ n, r_{n+1} = Σ_j x_j² - ¼

    Parameters
    ----------
    n : int
        The number of variables, at least 1 (the paper's sizes are 4 and 10).

    Raises
    ------
    ValueError
        If n < 1.

    Examples
    --------
    >>> from secant import problems
    >>> problems.penalty_1(4).f_star, problems.penalty_1(10).f_star
    (2.24997...e-05, 7.08765...e-05)
    """
    count("n", n)
    t, f_star = _penalty_1_solution(n)
    return Objective(
        name="penalty_1",
        x0=tuple(map(float, range(1, n + 1))),
        formula=SumOfSquares(_penalty_1_residuals, _penalty_1_jacobian, _penalty_1_pullback),
        source=_PAPER.format(23),
        f_star=f_star,
        minimizers=((t,) * n,),
    )


# Penalty II ---------------------------------------------------------------------------------------


def _penalty_2_residuals(y: Table, w: Table, x: Array) -> Array:
    xp = namespace(x)
    e = xp.exp(0.1 * x)
    pairs = _ROOT_A * (e[1:] + e[:-1] - y.like(x))
    singles = _ROOT_A * (e[1:] - math.exp(-0.1))
    norm = xp.sum(w.like(x) * x * x, keepdims=True)
    return xp.concat([x[:1] - 0.2, pairs, singles, norm - 1.0])


def _penalty_2_jacobian(w: Table, x: Array) -> Array:
    xp = namespace(x)
    eye = identity(x)
    E = (0.1 * _ROOT_A) * xp.exp(0.1 * x) * eye
    norm = 2.0 * w.like(x) * x
    return xp.concat([eye[:1, :], E[1:, :] + E[:-1, :], E[1:, :], norm[None, :]])


def penalty_2(n: int = 10) -> Objective:
    """Penalty function II, with m = 2n residuals and a = 10⁻⁵ (number 24).

    .. math:: r_1 = x_1 - 0.2, r_i = √a (e^{x_i/10} + e^{x_{i-1}/10} - y_i), 1 < i ≤ n

    then √a (e^{x_i/10} - e^{-1/10}) for the same i, and last Σ_j (n - j + 1) x_j² - 1, where
    y_i = e^{i/10} + e^{(i-1)/10}.

    Parameters
    ----------
    n : int
        The number of variables, at least 2; the minimum is known for the paper's 4 and 10.

    Raises
    ------
    ValueError
        If n < 2.

    Examples
    --------
    >>> from secant import problems
    >>> problems.penalty_2(4).f_star, problems.penalty_2(10).f_star
    (9.37629...e-06, 0.0002936605...)
    """
    count("n", n, least=2)
    e = np.exp(np.arange(1.0, n + 1.0) / 10.0)
    y, w = Table(e[1:] + e[:-1]), Table(np.arange(n, 0.0, -1.0))
    f_star, minimizers = PENALTY_2.get(n, (None, ()))
    return Objective(
        name="penalty_2",
        x0=(0.5,) * n,
        formula=SumOfSquares(partial(_penalty_2_residuals, y, w), partial(_penalty_2_jacobian, w)),
        source=_PAPER.format(24),
        f_star=f_star,
        minimizers=minimizers,
    )


# Variably dimensioned -----------------------------------------------------------------------------


def _variably_residuals(j: Table, x: Array) -> Array:
    xp = namespace(x)
    d = x - 1.0
    s = xp.sum(j.like(x) * d, keepdims=True)
    return xp.concat([d, s, s * s])


def _variably_jacobian(j: Table, x: Array) -> Array:
    xp = namespace(x)
    weights = j.like(x)
    s = xp.sum(weights * (x - 1.0))
    return xp.concat([identity(x), weights[None, :], (2.0 * s * weights)[None, :]])


def _variably_pullback(j: Table, x: Array, r: Array) -> Array:
    s, square = r[-2:-1], r[-1:]
    return r[:-2] + (s + 2.0 * s * square) * j.like(x)


def variably_dimensioned(n: int = 10) -> Objective:
    """Variably dimensioned function, a quartic whose conditioning grows with n (number 25).

    .. math:: r_i = x_i - 1, i ≤ n, r_{n+1} = Σ_j j (x_j - 1), r_{n+2} = r_{n+1}²

    Parameters
    ----------
    n : int
        The number of variables, at least 1.

    Raises
    ------
    ValueError
        If n < 1.

    Examples
    --------
    >>> from secant import problems
    >>> f = problems.variably_dimensioned(10)
    >>> round(float(f(f.start())), 2)
    2198551.16
    """
    count("n", n)
    j = Table(np.arange(1.0, n + 1.0))
    return Objective(
        name="variably_dimensioned",
        x0=tuple(1.0 - i / n for i in range(1, n + 1)),
        formula=SumOfSquares(
            partial(_variably_residuals, j),
            partial(_variably_jacobian, j),
            partial(_variably_pullback, j),
        ),
        source=_PAPER.format(25),
        f_star=0.0,
        minimizers=((1.0,) * n,),
    )
