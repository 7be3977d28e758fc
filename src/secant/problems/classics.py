"""The small functions every optimiser is shown on first.

Himmelblau, *Applied Nonlinear Programming*, McGraw-Hill 1972; Rosenbrock, *Computer Journal* 3
(1960) 175-184; Jamil & Yang, *Int. J. Math. Modelling Num. Opt.* 4 (2013) 150-194. Beale's function
is number 5 of Moré, Garbow and Hillstrom.
"""

from __future__ import annotations

import math
from itertools import combinations_with_replacement

from secant.arrays import Array, namespace
from secant.checks import count
from secant.problems.formula import Direct, SumOfSquares
from secant.problems.known_minima import ROSENBROCK_LOCAL
from secant.problems.objective import Objective
from secant.problems.pieces import identity, matrix, split
from secant.problems.table import Table

__all__ = ["beale", "booth", "himmelblau", "rastrigin", "rosenbrock"]


# Rosenbrock ------------------------------------------------------------------------------------


def _rosenbrock_residuals(x: Array) -> Array:
    xp = namespace(x)
    head, tail = x[:-1], x[1:]
    return xp.concat([10.0 * (tail - head * head), 1.0 - head])


def _rosenbrock_jacobian(x: Array) -> Array:
    xp = namespace(x)
    eye = identity(x)
    head, tail = eye[:-1, :], eye[1:, :]
    return xp.concat([10.0 * tail - 20.0 * x[:-1, None] * head, -head])


def _rosenbrock_pullback(x: Array, r: Array) -> Array:
    xp = namespace(x)
    valley, slope = r[: x.shape[0] - 1], r[x.shape[0] - 1 :]
    zero = xp.zeros_like(x[:1])
    return xp.concat([-20.0 * x[:-1] * valley - slope, zero]) + xp.concat([zero, 10.0 * valley])


def _rosenbrock_hessian(x: Array) -> Array:
    a, b = split(x)
    off = -400.0 * a
    return matrix([1200.0 * a * a - 400.0 * b + 2.0, off, off, 0.0 * b + 200.0], 2)


def rosenbrock(n: int = 2) -> Objective:
    """Rosenbrock's curved valley, chained over n variables.

    .. math:: f(x) = Σ_{i<n} 100 (x_{i+1} - x_i²)² + (1 - x_i)²

    The start is (-1.2, 1) repeated. For n > 3 there is a second minimum near (-1, 1, ..., 1); for
    the form that repeats the two-dimensional function see `extended_rosenbrock`.

    Parameters
    ----------
    n : int
        The number of variables, at least 2.

    Raises
    ------
    ValueError
        If n < 2.

    Examples
    --------
    >>> from secant import problems
    >>> f = problems.rosenbrock()
    >>> float(f(f.start()))
    24.2
    >>> f.hessian(f.start())
    array([[1330.,  480.],
           [ 480.,  200.]])
    """
    count("n", n, least=2)
    last = len(ROSENBROCK_LOCAL) - 1
    return Objective(
        name="rosenbrock",
        x0=tuple((-1.2, 1.0)[i % 2] for i in range(n)),
        formula=SumOfSquares(_rosenbrock_residuals, _rosenbrock_jacobian, _rosenbrock_pullback),
        source="Rosenbrock (1960); chained form of Dixon and Mills (1994)",
        f_star=0.0,
        minimizers=((1.0,) * n,),
        local_minima=(ROSENBROCK_LOCAL[min(n - 4, last)],) if n > 3 else (),
        hessian_formula=_rosenbrock_hessian if n == 2 else None,
    )


# Beale -----------------------------------------------------------------------------------------


def _beale_residuals(x: Array) -> Array:
    xp = namespace(x)
    a, b = split(x)
    square = b * b
    return xp.concat(
        [1.5 - a * (1.0 - b), 2.25 - a * (1.0 - square), 2.625 - a * (1.0 - square * b)]
    )


def _beale_jacobian(x: Array) -> Array:
    a, b = split(x)
    square = b * b
    rows = [b - 1.0, a, square - 1.0, 2.0 * a * b, square * b - 1.0, 3.0 * a * square]
    return matrix(rows, 2)


def beale() -> Objective:
    """Beale's function, with a narrow curved valley and flat far regions.

    .. math:: r_i = y_i - x_1 (1 - x_2^i), y = (1.5, 2.25, 2.625)

    Number 5 of Moré, Garbow and Hillstrom (1981). Besides the minimum at (3, ½), f falls towards
    0.452 as x_1 grows without limit and x_2 tends to 1: a run may leave that way.

    Examples
    --------
    >>> from secant import problems
    >>> f = problems.beale()
    >>> float(f(f.start()))
    14.203125
    """
    return Objective(
        name="beale",
        x0=(1.0, 1.0),
        formula=SumOfSquares(_beale_residuals, _beale_jacobian),
        source="Moré, Garbow and Hillstrom (1981), problem 5",
        f_star=0.0,
        minimizers=((3.0, 0.5),),
    )


# Booth -----------------------------------------------------------------------------------------


def _booth_residuals(x: Array) -> Array:
    xp = namespace(x)
    a, b = split(x)
    return xp.concat([a + 2.0 * b - 7.0, 2.0 * a + b - 5.0])


_BOOTH = Table([[1.0, 2.0], [2.0, 1.0]])


def booth() -> Objective:
    """Booth's function, a quadratic of condition number 9.

    .. math:: f(x) = (x_1 + 2 x_2 - 7)² + (2 x_1 + x_2 - 5)²

    Jamil and Yang (2013), number 17.

    Examples
    --------
    >>> from secant import problems
    >>> f = problems.booth()
    >>> float(f(f.start()))
    74.0
    """
    return Objective(
        name="booth",
        x0=(0.0, 0.0),
        formula=SumOfSquares(_booth_residuals, _BOOTH.like),
        source="Jamil and Yang (2013), function 17",
        f_star=0.0,
        minimizers=((1.0, 3.0),),
    )


# Himmelblau ------------------------------------------------------------------------------------


def _himmelblau_residuals(x: Array) -> Array:
    xp = namespace(x)
    a, b = split(x)
    return xp.concat([a * a + b - 11.0, a + b * b - 7.0])


def _himmelblau_jacobian(x: Array) -> Array:
    xp = namespace(x)
    a, b = split(x)
    one = xp.ones_like(a)
    return matrix([2.0 * a, one, one, 2.0 * b], 2)


def himmelblau() -> Objective:
    """Himmelblau's function, with four minimisers of equal value.

    .. math:: f(x) = (x_1² + x_2 - 11)² + (x_1 + x_2² - 7)²

    Himmelblau (1972). The start, the origin, lies among the four.

    Examples
    --------
    >>> from secant import problems
    >>> f = problems.himmelblau()
    >>> float(f(f.start())), len(f.minimizers)
    (170.0, 4)
    """
    return Objective(
        name="himmelblau",
        x0=(0.0, 0.0),
        formula=SumOfSquares(_himmelblau_residuals, _himmelblau_jacobian),
        source="Himmelblau (1972)",
        f_star=0.0,
        minimizers=(
            (3.0, 2.0),
            (-2.805118086952745, 3.131312518250573),
            (-3.779310253377747, -3.283185991286170),
            (3.584428340330492, -1.848126526964404),
        ),
    )


# Rastrigin -------------------------------------------------------------------------------------


def _rastrigin(x: Array) -> Array:
    xp = namespace(x)
    return xp.sum(x * x + 10.0 * (1.0 - xp.cos(2.0 * math.pi * x)))


def _rastrigin_gradient(x: Array) -> Array:
    xp = namespace(x)
    return 2.0 * x + 20.0 * math.pi * xp.sin(2.0 * math.pi * x)


def _rastrigin_local(k: int) -> float:
    """Return the minimum of the one-dimensional function next to the integer k."""
    x = float(k)
    for _ in range(20):
        slope = 2.0 * x + 20.0 * math.pi * math.sin(2.0 * math.pi * x)
        x -= slope / (2.0 + 40.0 * math.pi**2 * math.cos(2.0 * math.pi * x))
    return x * x + 10.0 * (1.0 - math.cos(2.0 * math.pi * x))


def rastrigin(n: int = 2) -> Objective:
    """Rastrigin's function, a bowl with a minimum near every point of the integer grid.

    .. math:: f(x) = Σ_j x_j² + 10 (1 - cos 2π x_j)

    Jamil and Yang (2013). A local method is to end in *some* minimum: for n ≤ 2 `local_minima`
    lists the values of all with coordinates up to 10 in size; for larger n it is left empty.

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
    >>> f = problems.rastrigin()
    >>> f.x_star
    (0.0, 0.0)
    >>> f.local_minima[0]
    0.994959
    """
    count("n", n)
    pits = [_rastrigin_local(k) for k in range(11)] if n <= 2 else []
    grid = sorted(math.fsum(pit) for pit in combinations_with_replacement(pits, n))
    return Objective(
        name="rastrigin",
        x0=(0.2, -0.3) * (n // 2) + (0.2,) * (n % 2),
        formula=Direct(_rastrigin, _rastrigin_gradient),
        source="Rastrigin (1974); Jamil and Yang (2013)",
        f_star=0.0,
        minimizers=((0.0,) * n,),
        local_minima=tuple(grid[1:]),
    )
