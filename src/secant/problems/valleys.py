"""The problems of fixed small size of Moré, Garbow and Hillstrom: valleys and bad scaling.

"Testing Unconstrained Optimization Software", *ACM TOMS* 7 (1981) 17-41. Numbers in the docstrings
are the paper's.
"""

from __future__ import annotations

import math

from secant.arrays import Array, namespace
from secant.problems.formula import SumOfSquares
from secant.problems.objective import Objective
from secant.problems.pieces import matrix, split
from secant.problems.table import Table

__all__ = ["brown_badly_scaled", "helical_valley", "powell_badly_scaled", "wood"]

_PAPER = "Moré, Garbow and Hillstrom (1981), problem {}"


# Powell badly scaled ---------------------------------------------------------------------------


def _powell_residuals(x: Array) -> Array:
    xp = namespace(x)
    a, b = split(x)
    return xp.concat([1e4 * a * b - 1.0, xp.exp(-a) + xp.exp(-b) - 1.0001])


def _powell_jacobian(x: Array) -> Array:
    xp = namespace(x)
    a, b = split(x)
    return matrix([1e4 * b, 1e4 * a, -xp.exp(-a), -xp.exp(-b)], 2)


def powell_badly_scaled() -> Objective:
    """Powell badly scaled function, whose solution has x_2 about 10⁶ times x_1 (number 3).

    .. math:: r_1 = 10^4 x_1 x_2 - 1, r_2 = e^{-x_1} + e^{-x_2} - 1.0001

    Exchanging the variables gives the second minimiser.

    Examples
    --------
    >>> from secant import problems
    >>> problems.powell_badly_scaled().x_star
    (1.098159e-05, 9.106146)
    """
    small, large = 1.0981593296998175e-05, 9.106146739866524
    return Objective(
        name="powell_badly_scaled",
        x0=(0.0, 1.0),
        formula=SumOfSquares(_powell_residuals, _powell_jacobian),
        source=_PAPER.format(3),
        f_star=0.0,
        minimizers=((small, large), (large, small)),
    )


# Brown badly scaled ----------------------------------------------------------------------------


def _brown_residuals(x: Array) -> Array:
    xp = namespace(x)
    a, b = split(x)
    return xp.concat([a - 1e6, b - 2e-6, a * b - 2.0])


def _brown_jacobian(x: Array) -> Array:
    xp = namespace(x)
    a, b = split(x)
    one, zero = xp.ones_like(a), xp.zeros_like(a)
    return matrix([one, zero, zero, one, b, a], 2)


def brown_badly_scaled() -> Objective:
    """Brown badly scaled function, with variables 12 orders of magnitude apart (number 4).

    .. math:: r = (x_1 - 10^6, x_2 - 2·10^{-6}, x_1 x_2 - 2)

    Examples
    --------
    >>> from secant import problems
    >>> problems.brown_badly_scaled().x_star
    (1000000.0, 2e-06)
    """
    return Objective(
        name="brown_badly_scaled",
        x0=(1.0, 1.0),
        formula=SumOfSquares(_brown_residuals, _brown_jacobian),
        source=_PAPER.format(4),
        f_star=0.0,
        minimizers=((1e6, 2e-6),),
    )


# Helical valley --------------------------------------------------------------------------------


def _helical_residuals(x: Array) -> Array:
    xp = namespace(x)
    a, b, c = split(x)
    angle = xp.atan2(b, a)
    # The paper's branches, atan(b/a) and atan(b/a) + π for a < 0, put the cut on the half-line
    # a = 0, b < 0, where atan2 has it on the negative a-axis.
    angle = xp.where((a < 0.0) & (angle < 0.0), angle + 2.0 * math.pi, angle)
    return xp.concat([10.0 * c - (50.0 / math.pi) * angle, 10.0 * (xp.hypot(a, b) - 1.0), c])


def _helical_jacobian(x: Array) -> Array:
    xp = namespace(x)
    a, b, _ = split(x)
    radius = xp.hypot(a, b)
    cosine, sine = a / radius, b / radius
    turn = (50.0 / math.pi) / radius
    one, zero = xp.ones_like(a), xp.zeros_like(a)
    rows = [turn * sine, -turn * cosine, 10.0 * one, 10.0 * cosine, 10.0 * sine, zero]
    return matrix([*rows, zero, zero, one], 3)


def helical_valley() -> Objective:
    """Helical valley function of Fletcher and Powell (number 7).

    .. math:: r = (10 (x_3 - 10 θ), 10 ((x_1² + x_2²)^{½} - 1), x_3)

    θ is the angle of (x_1, x_2) in turns, from -¼ to ¾: arctan(x_2 / x_1) / 2π, plus ½ for x_1 < 0.
    The paper leaves x_1 = 0 open; here θ is ¼ for x_2 > 0, its limit from both sides, and -¼ for
    x_2 < 0, its limit from the right: f jumps across that half-line. On the x_3-axis θ is taken
    as 0 and the gradient does not exist (NaN).

    Examples
    --------
    >>> from secant import problems
    >>> f = problems.helical_valley()
    >>> float(f(f.start()))
    2500.0
    """
    return Objective(
        name="helical_valley",
        x0=(-1.0, 0.0, 0.0),
        formula=SumOfSquares(_helical_residuals, _helical_jacobian),
        source=_PAPER.format(7),
        f_star=0.0,
        minimizers=((1.0, 0.0, 0.0),),
    )


# Wood ------------------------------------------------------------------------------------------

_R90, _R10 = math.sqrt(90.0), math.sqrt(10.0)

# The entries of the Jacobian that do not depend on x.
_WOOD = Table(
    [
        [0.0, 10.0, 0.0, 0.0],
        [-1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, _R90],
        [0.0, 0.0, -1.0, 0.0],
        [0.0, _R10, 0.0, _R10],
        [0.0, 1.0 / _R10, 0.0, -1.0 / _R10],
    ]
)
_WOOD_SLOPES = Table(
    [
        [-20.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, -2.0 * _R90, 0.0],
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0],
    ]
)


def _wood_residuals(x: Array) -> Array:
    xp = namespace(x)
    a, b, c, d = split(x)
    first = [10.0 * (b - a * a), 1.0 - a, _R90 * (d - c * c), 1.0 - c]
    return xp.concat([*first, _R10 * (b + d - 2.0), (b - d) / _R10])


def _wood_jacobian(x: Array) -> Array:
    return _WOOD.like(x) + _WOOD_SLOPES.like(x) * x


def wood() -> Objective:
    """Wood function: two coupled Rosenbrock valleys, with a saddle near f = 7.88 (number 14).

    .. math:: r = (10 (x_2 - x_1²), 1 - x_1, √90 (x_4 - x_3²), 1 - x_3,
              √10 (x_2 + x_4 - 2), (x_2 - x_4) / √10)

    Examples
    --------
    >>> from secant import problems
    >>> f = problems.wood()
    >>> round(float(f(f.start())), 6)
    19192.0
    """
    return Objective(
        name="wood",
        x0=(-3.0, -1.0, -3.0, -1.0),
        formula=SumOfSquares(_wood_residuals, _wood_jacobian),
        source=_PAPER.format(14),
        f_star=0.0,
        minimizers=((1.0, 1.0, 1.0, 1.0),),
    )
