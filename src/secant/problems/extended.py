"""The problems of Moré, Garbow and Hillstrom that repeat a small pattern to any size.

"Testing Unconstrained Optimization Software", *ACM TOMS* 7 (1981) 17-41. Numbers in the docstrings
are the paper's.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from secant.arrays import Array, namespace
from secant.checks import count, require
from secant.problems.formula import SumOfSquares
from secant.problems.known_minima import TRIGONOMETRIC_LOCAL
from secant.problems.objective import Objective
from secant.problems.pieces import identity, interleave
from secant.problems.table import Table

__all__ = ["extended_powell", "extended_rosenbrock", "trigonometric"]

_PAPER = "Moré, Garbow and Hillstrom (1981), problem {}"


# Extended Rosenbrock ------------------------------------------------------------------------------


def _rosenbrock_residuals(x: Array) -> Array:
    odd, even = x[0::2], x[1::2]
    return interleave(10.0 * (even - odd * odd), 1.0 - odd)


def _rosenbrock_jacobian(x: Array) -> Array:
    eye = identity(x)
    odd, even = eye[0::2, :], eye[1::2, :]
    return interleave(10.0 * even - 20.0 * x[0::2, None] * odd, -odd)


def _rosenbrock_pullback(x: Array, r: Array) -> Array:
    valley, slope = r[0::2], r[1::2]
    return interleave(-20.0 * x[0::2] * valley - slope, 10.0 * valley)


def extended_rosenbrock(n: int = 10) -> Objective:
    """Extended Rosenbrock function: n / 2 separate curved valleys (number 21).

    .. math:: r_{2i-1} = 10 (x_{2i} - x_{2i-1}²), r_{2i} = 1 - x_{2i-1}

    For n = 2 it is Rosenbrock's function, number 1.

    Parameters
    ----------
    n : int
        The number of variables, even.

    Raises
    ------
    ValueError
        If n is not a positive even number.

    Examples
    --------
    >>> from secant import problems
    >>> f = problems.extended_rosenbrock(10)
    >>> round(float(f(f.start())), 6)
    121.0
    """
    require(n > 0 and n % 2 == 0, "n", n, "a positive even number")
    return Objective(
        name="extended_rosenbrock",
        x0=(-1.2, 1.0) * (n // 2),
        formula=SumOfSquares(_rosenbrock_residuals, _rosenbrock_jacobian, _rosenbrock_pullback),
        source=_PAPER.format(21),
        f_star=0.0,
        minimizers=((1.0,) * n,),
    )


# Extended Powell singular -------------------------------------------------------------------------

_R5, _R10 = math.sqrt(5.0), math.sqrt(10.0)


def _powell_residuals(x: Array) -> Array:
    a, b, c, d = x[0::4], x[1::4], x[2::4], x[3::4]
    return interleave(a + 10.0 * b, _R5 * (c - d), (b - 2.0 * c) ** 2, _R10 * (a - d) ** 2)


def _powell_jacobian(x: Array) -> Array:
    eye = identity(x)
    a, b, c, d = eye[0::4, :], eye[1::4, :], eye[2::4, :], eye[3::4, :]
    inner = 2.0 * (x[1::4] - 2.0 * x[2::4])[:, None]
    outer = 2.0 * _R10 * (x[0::4] - x[3::4])[:, None]
    return interleave(a + 10.0 * b, _R5 * (c - d), inner * (b - 2.0 * c), outer * (a - d))


def _powell_pullback(x: Array, r: Array) -> Array:
    first, second = r[0::4], _R5 * r[1::4]
    inner = 2.0 * (x[1::4] - 2.0 * x[2::4]) * r[2::4]
    outer = 2.0 * _R10 * (x[0::4] - x[3::4]) * r[3::4]
    return interleave(first + outer, 10.0 * first + inner, second - 2.0 * inner, -second - outer)


def extended_powell(n: int = 12) -> Objective:
    """Extended Powell singular function, with a singular Hessian at the solution (number 22).

    .. math:: r = (x_1 + 10 x_2, √5 (x_3 - x_4), (x_2 - 2 x_3)², √10 (x_1 - x_4)²)

    repeated for every four variables. Newton's method converges linearly.

    Parameters
    ----------
    n : int
        The number of variables, a multiple of 4.

    Raises
    ------
    ValueError
        If n is not a positive multiple of 4.

    Examples
    --------
    >>> from secant import problems
    >>> f = problems.extended_powell(4)
    >>> round(float(f(f.start())), 6)
    215.0
    """
    require(n > 0 and n % 4 == 0, "n", n, "a positive multiple of 4")
    return Objective(
        name="extended_powell",
        x0=(3.0, -1.0, 0.0, 1.0) * (n // 4),
        formula=SumOfSquares(_powell_residuals, _powell_jacobian, _powell_pullback),
        source=_PAPER.format(22),
        f_star=0.0,
        minimizers=((0.0,) * n,),
    )


# Trigonometric ------------------------------------------------------------------------------------


def _trigonometric_residuals(i: Table, x: Array) -> Array:
    xp = namespace(x)
    versine = 1.0 - xp.cos(x)
    return xp.sum(versine, keepdims=True) + i.like(x) * versine - xp.sin(x)


def _trigonometric_jacobian(i: Table, x: Array) -> Array:
    xp = namespace(x)
    sine = xp.sin(x)
    return sine[None, :] + (i.like(x) * sine - xp.cos(x)) * identity(x)


def _trigonometric_pullback(i: Table, x: Array, r: Array) -> Array:
    xp = namespace(x)
    sine = xp.sin(x)
    return xp.sum(r) * sine + (i.like(x) * sine - xp.cos(x)) * r


def trigonometric(n: int = 10) -> Objective:
    """Trigonometric function, with many minimisers (number 26).

    .. math:: r_i = n - Σ_j cos x_j + i (1 - cos x_i) - sin x_i

    The origin is a zero, among others. From the standard start most methods end in one of the local
    minima, of which the paper lists 2.79506e-5 for n = 10.

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
    >>> problems.trigonometric(10).local_minima
    (4.473565...e-07, 2.795056...e-05, 4.218633...e-05, 0.000878822...)
    """
    count("n", n)
    i = Table(np.arange(1.0, n + 1.0))
    return Objective(
        name="trigonometric",
        x0=(1.0 / n,) * n,
        formula=SumOfSquares(
            partial(_trigonometric_residuals, i),
            partial(_trigonometric_jacobian, i),
            partial(_trigonometric_pullback, i),
        ),
        source=_PAPER.format(26),
        f_star=0.0,
        minimizers=((0.0,) * n,),
        local_minima=TRIGONOMETRIC_LOCAL.get(n, ()),
    )
