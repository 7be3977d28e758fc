"""The fitting problems of Moré, Garbow and Hillstrom: models with exponentials, m data, few x.

"Testing Unconstrained Optimization Software", *ACM TOMS* 7 (1981) 17-41. Numbers in the docstrings
are the paper's.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from secant.arrays import Array, namespace
from secant.checks import require
from secant.problems.formula import SumOfSquares
from secant.problems.known_minima import BIGGS_EXP6_LOCAL, BROWN_DENNIS, GAUSSIAN
from secant.problems.objective import Objective
from secant.problems.pieces import split
from secant.problems.table import Table

__all__ = ["biggs_exp6", "box", "brown_dennis", "gaussian", "gulf"]

_PAPER = "Moré, Garbow and Hillstrom (1981), problem {}"


# Gaussian --------------------------------------------------------------------------------------

_GAUSSIAN_T = Table((8.0 - np.arange(1.0, 16.0)) / 2.0)
_RISE = [0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521]
_GAUSSIAN_Y = Table([*_RISE, 0.3989, *reversed(_RISE)])


def _gaussian_residuals(x: Array) -> Array:
    xp = namespace(x)
    height, width, centre = split(x)
    d = _GAUSSIAN_T.like(x) - centre
    return height * xp.exp(-0.5 * width * d * d) - _GAUSSIAN_Y.like(x)


def _gaussian_jacobian(x: Array) -> Array:
    xp = namespace(x)
    height, width, centre = split(x)
    d = _GAUSSIAN_T.like(x) - centre
    bell = xp.exp(-0.5 * width * d * d)
    peak = height * bell
    return xp.stack([bell, -0.5 * d * d * peak, width * d * peak], axis=1)


def gaussian() -> Objective:
    """Gaussian function, a bell curve fitted to 15 data (number 9).

    .. math:: r_i = x_1 exp(-x_2 (t_i - x_3)² / 2) - y_i, t_i = (8 - i) / 2, i = 1, ..., 15

    Examples
    --------
    >>> from secant import problems
    >>> problems.gaussian().f_star
    1.127932e-08
    """
    return Objective(
        name="gaussian",
        x0=(0.4, 1.0, 0.0),
        formula=SumOfSquares(_gaussian_residuals, _gaussian_jacobian),
        source=_PAPER.format(9),
        f_star=GAUSSIAN[0],
        minimizers=GAUSSIAN[1],
    )


# Gulf ------------------------------------------------------------------------------------------


# For m = 99: every exponential is zero, f = Σ t_i²; or all but two, which fit t_1 and t_2 exactly.
_GULF_LOCAL = (32.8345, 32.835)


def _gulf_residuals(t: Table, y: Table, x: Array) -> Array:
    xp = namespace(x)
    scale, shift, power = split(x)
    return xp.exp(-(xp.abs(y.like(x) - shift) ** power) / scale) - t.like(x)


def _gulf_jacobian(t: Table, y: Table, x: Array) -> Array:
    xp = namespace(x)
    scale, shift, power = split(x)
    d = y.like(x) - shift
    size = xp.abs(d)
    # Where d = 0 all derivatives vanish for x_3 > 1: 0, not 0 times infinity.
    safe = xp.where(size > 0.0, size, 1.0 + size)
    u = size**power / scale
    outer = xp.exp(-u) * u
    columns = [outer / scale, outer * power * xp.sign(d) / safe, -outer * xp.log(safe)]
    return xp.stack(columns, axis=1)


def gulf(m: int = 99) -> Objective:
    """Gulf research and development function (number 11).

    .. math:: r_i = exp(-|y_i - x_2|^{x_3} / x_1) - t_i

    with t_i = i / 100 and y_i = 25 + (-50 ln t_i)^{2/3}, i = 1, ..., m. The paper's |y_i m i x_2|
    is a misprint: "mi" was the minus sign. Where all the exponentials vanish f is constant and its
    gradient zero to the last bit: `local_minima` lists this plateau and the dent in it.

    Parameters
    ----------
    m : int
        The number of data, from 3 to 100.

    Raises
    ------
    ValueError
        If m is out of range.

    Examples
    --------
    >>> from secant import problems
    >>> f = problems.gulf()
    >>> f.x_star, f.residuals(f.start()).shape
    ((50.0, 25.0, 1.5), (99,))
    """
    require(3 <= m <= 100, "m", m, "from 3 to 100")
    t = np.arange(1.0, m + 1.0) / 100.0
    data = Table(t), Table(25.0 + (-50.0 * np.log(t)) ** (2.0 / 3.0))
    return Objective(
        name="gulf",
        x0=(5.0, 2.5, 0.15),
        formula=SumOfSquares(partial(_gulf_residuals, *data), partial(_gulf_jacobian, *data)),
        source=_PAPER.format(11),
        f_star=0.0,
        minimizers=((50.0, 25.0, 1.5),),
        local_minima=_GULF_LOCAL if m == 99 else (),
    )


# Box -------------------------------------------------------------------------------------------


def _box_residuals(t: Table, y: Table, x: Array) -> Array:
    xp = namespace(x)
    a, b, c = split(x)
    s = t.like(x)
    return xp.exp(-s * a) - xp.exp(-s * b) - c * y.like(x)


def _box_jacobian(t: Table, y: Table, x: Array) -> Array:
    xp = namespace(x)
    a, b, _ = split(x)
    s = t.like(x)
    return xp.stack([-s * xp.exp(-s * a), s * xp.exp(-s * b), -y.like(x)], axis=1)


def box(m: int = 10) -> Objective:
    """Box three-dimensional function (number 12).

    .. math:: r_i = e^{-t_i x_1} - e^{-t_i x_2} - x_3 (e^{-t_i} - e^{-10 t_i}), t_i = i / 10

    It vanishes at (1, 10, 1), at (10, 1, -1) and on the line x_1 = x_2, x_3 = 0.

    Parameters
    ----------
    m : int
        The number of residuals, at least 3.

    Raises
    ------
    ValueError
        If m < 3.

    Examples
    --------
    >>> from secant import problems
    >>> problems.box().minimizers[:2]
    ((1.0, 10.0, 1.0), (10.0, 1.0, -1.0))
    """
    require(m >= 3, "m", m, "at least 3")
    t = np.arange(1.0, m + 1.0) / 10.0
    data = Table(t), Table(np.exp(-t) - np.exp(-10.0 * t))
    return Objective(
        name="box",
        x0=(0.0, 10.0, 20.0),
        formula=SumOfSquares(partial(_box_residuals, *data), partial(_box_jacobian, *data)),
        source=_PAPER.format(12),
        f_star=0.0,
        minimizers=((1.0, 10.0, 1.0), (10.0, 1.0, -1.0), (0.0, 0.0, 0.0)),
    )


# Brown and Dennis ------------------------------------------------------------------------------

_BROWN_DENNIS_T = np.arange(1.0, 21.0) / 5.0
_BROWN_DENNIS = Table([_BROWN_DENNIS_T, np.exp(_BROWN_DENNIS_T)])
_BROWN_DENNIS_SIN = Table([np.sin(_BROWN_DENNIS_T), np.cos(_BROWN_DENNIS_T)])


def _brown_dennis_parts(x: Array) -> tuple[Array, Array]:
    a, b, c, d = split(x)
    line, circle = _BROWN_DENNIS.like(x), _BROWN_DENNIS_SIN.like(x)
    return a + line[0, :] * b - line[1, :], c + circle[0, :] * d - circle[1, :]


def _brown_dennis_residuals(x: Array) -> Array:
    p, q = _brown_dennis_parts(x)
    return p * p + q * q


def _brown_dennis_jacobian(x: Array) -> Array:
    p, q = _brown_dennis_parts(x)
    t, sine = _BROWN_DENNIS.like(x)[0, :], _BROWN_DENNIS_SIN.like(x)[0, :]
    return 2.0 * namespace(x).stack([p, t * p, q, sine * q], axis=1)


def brown_dennis() -> Objective:
    """Brown and Dennis function, a large-residual problem with m = 20 (number 16).

    .. math:: r_i = (x_1 + t_i x_2 - e^{t_i})² + (x_3 + x_4 sin t_i - cos t_i)², t_i = i / 5

    Examples
    --------
    >>> from secant import problems
    >>> problems.brown_dennis().f_star
    85822.2016
    """
    return Objective(
        name="brown_dennis",
        x0=(25.0, 5.0, -5.0, -1.0),
        formula=SumOfSquares(_brown_dennis_residuals, _brown_dennis_jacobian),
        source=_PAPER.format(16),
        f_star=BROWN_DENNIS[0],
        minimizers=BROWN_DENNIS[1],
    )


# Biggs EXP6 ------------------------------------------------------------------------------------


def _biggs_residuals(t: Table, y: Table, x: Array) -> Array:
    xp = namespace(x)
    a, b, c, d, e, f = split(x)
    s = -t.like(x)
    return c * xp.exp(s * a) - d * xp.exp(s * b) + f * xp.exp(s * e) - y.like(x)


def _biggs_jacobian(t: Table, y: Table, x: Array) -> Array:
    xp = namespace(x)
    a, b, c, d, e, f = split(x)
    s = -t.like(x)
    first, second, third = xp.exp(s * a), xp.exp(s * b), xp.exp(s * e)
    columns = [s * c * first, -s * d * second, first, -second, s * f * third, third]
    return xp.stack(columns, axis=1)


def biggs_exp6(m: int = 13) -> Objective:
    """Biggs EXP6 function, a sum of three exponentials (number 18).

    .. math:: r_i = x_3 e^{-t_i x_1} - x_4 e^{-t_i x_2} + x_6 e^{-t_i x_5} - y_i

    with t_i = i / 10 and y_i = e^{-t_i} - 5 e^{-10 t_i} + 3 e^{-4 t_i}. Exchanging exponentials
    maps minimisers to minimisers; for m = 13 there is a local minimum as well.

    Parameters
    ----------
    m : int
        The number of residuals, at least 6.

    Raises
    ------
    ValueError
        If m < 6.

    Examples
    --------
    >>> from secant import problems
    >>> f = problems.biggs_exp6()
    >>> f.x_star, f.local_minima
    ((1.0, 10.0, 1.0, 5.0, 4.0, 3.0), (0.0056556...,))
    """
    require(m >= 6, "m", m, "at least 6")
    t = np.arange(1.0, m + 1.0) / 10.0
    data = Table(t), Table(np.exp(-t) - 5.0 * np.exp(-10.0 * t) + 3.0 * np.exp(-4.0 * t))
    return Objective(
        name="biggs_exp6",
        x0=(1.0, 2.0, 1.0, 1.0, 1.0, 1.0),
        formula=SumOfSquares(partial(_biggs_residuals, *data), partial(_biggs_jacobian, *data)),
        source=_PAPER.format(18),
        f_star=0.0,
        minimizers=((1.0, 10.0, 1.0, 5.0, 4.0, 3.0), (4.0, 10.0, 3.0, 5.0, 1.0, 1.0)),
        local_minima=BIGGS_EXP6_LOCAL if m == 13 else (),
    )
