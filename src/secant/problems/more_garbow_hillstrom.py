"""The 18 problems for unconstrained minimisation of Moré, Garbow and Hillstrom.

J. J. Moré, B. S. Garbow and K. E. Hillstrom, "Testing Unconstrained Optimization Software",
*ACM Transactions on Mathematical Software* 7 (1981) 17-41. All are sums of squares, f = Σ r_i².
"""

from __future__ import annotations

from secant.problems.classics import beale
from secant.problems.curve_fits import biggs_exp6, box, brown_dennis, gaussian, gulf
from secant.problems.extended import extended_powell, extended_rosenbrock, trigonometric
from secant.problems.objective import Objective
from secant.problems.penalties import penalty_1, penalty_2, variably_dimensioned
from secant.problems.polynomial_fits import chebyquad, watson
from secant.problems.valleys import (
    brown_badly_scaled,
    helical_valley,
    powell_badly_scaled,
    wood,
)

__all__ = ["mgh"]


def mgh() -> tuple[Objective, ...]:
    """Return the 18 problems in the paper's order, in its customary sizes.

    =============================  ======  ====
    problem                        number  n
    =============================  ======  ====
    helical_valley                 7       3
    biggs_exp6                     18      6
    gaussian                       9       3
    powell_badly_scaled            3       2
    box                            12      3
    variably_dimensioned           25      10
    watson                         20      12
    penalty_1                      23      10
    penalty_2                      24      10
    brown_badly_scaled             4       2
    brown_dennis                   16      4
    gulf                           11      3
    trigonometric                  26      10
    extended_rosenbrock            21      10
    extended_powell                22      12
    beale                          5       2
    wood                           14      4
    chebyquad                      35      8
    =============================  ======  ====

    Examples
    --------
    >>> from secant import problems
    >>> [str(f) for f in problems.mgh()][:2]
    ['helical_valley(n=3)', 'biggs_exp6(n=6)']
    """
    return (
        helical_valley(),
        biggs_exp6(),
        gaussian(),
        powell_badly_scaled(),
        box(),
        variably_dimensioned(10),
        watson(12),
        penalty_1(10),
        penalty_2(10),
        brown_badly_scaled(),
        brown_dennis(),
        gulf(),
        trigonometric(10),
        extended_rosenbrock(10),
        extended_powell(12),
        beale(),
        wood(),
        chebyquad(8),
    )
