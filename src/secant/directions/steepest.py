"""Steepest descent, heavy ball and Nesterov momentum, as directions.

With a fixed step ``alpha`` and ``m+ = beta m - g``,

    heavy ball   d = m+                x+ = x - alpha g + beta (x - x-)
    Nesterov     d = beta m+ - g       the same with g taken at the look-ahead point, which is the iterate here

and ``beta = 0`` is gradient descent.

References
----------
Polyak, *USSR Comput. Math. Math. Phys.* 4, 1 (1964); Nesterov, *Soviet Math. Dokl.* 27, 372 (1983);
Sutskever et al., ICML 2013, for the form in which the iterate is the look-ahead point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from secant import checks
from secant.arrays import Array
from secant.pair import SecantPair
from secant.point import Point


@dataclass(frozen=True)
class SteepestDescent:
    """``d = -g``."""

    has_scale: ClassVar[bool] = False

    def init(self, point: Point) -> None:
        """Nothing to remember."""
        return

    def propose(self, point: Point, memory: None) -> tuple[Array, None]:
        """``-g``."""
        return -point.g, None

    def learn(self, memory: None, pair: SecantPair, point: Point) -> tuple[None, str]:
        """Nothing to learn."""
        return None, ""

    def is_initial(self, memory: None) -> bool:
        """Always: there is nothing to reset."""
        return True


@dataclass(frozen=True)
class Momentum:
    """Heavy ball, or Nesterov's look-ahead.

    Parameters
    ----------
    beta : float
        Share of the last direction that is kept, ``0 <= beta < 1``.
    nesterov : bool
        Nesterov's form instead of Polyak's.
    """

    has_scale: ClassVar[bool] = False

    beta: float = 0.9
    nesterov: bool = False

    def __post_init__(self) -> None:
        in_range = checks.is_number(self.beta) and 0.0 <= self.beta < 1.0
        checks.require(in_range, "beta", self.beta, "in [0, 1)")

    def init(self, point: Point) -> None:
        """No velocity."""
        return

    def propose(self, point: Point, memory: Array) -> tuple[Array, Array]:
        """The velocity after this gradient, or Nesterov's look-ahead along it."""
        m = -point.g if memory is None else self.beta * memory - point.g
        return (self.beta * m - point.g if self.nesterov else m), m

    def learn(self, memory: Array, pair: SecantPair, point: Point) -> tuple[Array, str]:
        """The velocity is known already."""
        return memory, ""

    def is_initial(self, memory: Array) -> bool:
        """Whether there is no velocity yet."""
        return memory is None


def optimal_momentum(mu: float, L: float) -> tuple[float, float]:
    """Heavy ball's best ``(alpha, beta)`` for a quadratic with eigenvalues in ``[mu, L]``.

    ``alpha = 4 / (sqrt(L) + sqrt(mu))^2``, ``beta = ((sqrt(kappa) - 1) / (sqrt(kappa) + 1))^2`` with
    ``kappa = L / mu``; the error then falls by about ``sqrt(beta)`` an iteration (Polyak 1964).

    Parameters
    ----------
    mu, L : float
        Smallest and largest eigenvalue of the Hessian, ``0 < mu <= L``.

    Returns
    -------
    alpha, beta : float

    Raises
    ------
    ValueError
        If not ``0 < mu <= L``.

    Examples
    --------
    >>> import secant
    >>> alpha, beta = secant.optimal_momentum(1.0, 100.0)
    >>> round(alpha, 4), round(beta, 4)
    (0.0331, 0.6694)
    """
    checks.positive("mu", mu)
    checks.require(mu <= L < math.inf, "L", L, f"a finite number >= mu = {mu}")
    root = math.sqrt(L) + math.sqrt(mu)
    return 4.0 / root**2, ((math.sqrt(L) - math.sqrt(mu)) / root) ** 2
