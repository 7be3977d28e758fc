"""Nonlinear conjugate gradients: ``d+ = -g+ + beta d`` with the formulas for beta side by side.

References
----------
Nocedal & Wright, 2nd ed., section 5.2; Hager & Zhang, *Pacific J. Optim.* 2, 35 (2006), a survey;
Hager & Zhang, *SIAM J. Optim.* 16, 170 (2005), eqs. 1.3-1.6; Powell, *Math. Program.* 12, 241 (1977), restart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from secant import checks
from secant.arrays import Array, read
from secant.pair import SecantPair
from secant.point import Point


class Products(NamedTuple):
    """The numbers that the formulas are made of; ``g+`` is the new gradient, ``y = g+ - g``."""

    new_new: float  # g+'g+
    new_old: float  # g+'g
    old_old: float  # g'g
    d_new: float  # d'g+
    d_old: float  # d'g
    d_d: float  # d'd

    @property
    def y_new(self) -> float:
        return self.new_new - self.new_old

    @property
    def d_y(self) -> float:
        return self.d_new - self.d_old

    @property
    def y_y(self) -> float:
        return self.new_new - 2.0 * self.new_old + self.old_old


def fletcher_reeves(p: Products) -> float:
    """``g+'g+ / g'g``."""
    return p.new_new / p.old_old


def polak_ribiere(p: Products) -> float:
    """``g+'y / g'g``."""
    return p.y_new / p.old_old


def polak_ribiere_plus(p: Products) -> float:
    """``max(0, g+'y / g'g)``."""
    return max(0.0, p.y_new / p.old_old)


def hestenes_stiefel(p: Products) -> float:
    """``g+'y / d'y``."""
    return p.y_new / p.d_y


def dai_yuan(p: Products) -> float:
    """``g+'g+ / d'y``."""
    return p.new_new / p.d_y


def hager_zhang(p: Products) -> float:
    """``(y - 2 d y'y / d'y)'g+ / d'y``, not below ``-1 / (|d| min(0.01, |g|))``."""
    beta = (p.y_new - 2.0 * p.d_new * p.y_y / p.d_y) / p.d_y
    eta = -1.0 / (math.sqrt(p.d_d) * min(0.01, math.sqrt(p.old_old)))
    return max(beta, eta)


def moller(p: Products) -> float:
    """``(g+'g+ - g+'g) / -d'g``, Polak-Ribiere's where d is conjugate (Moller 1993)."""
    return p.y_new / -p.d_old


FORMULAS = {
    "fletcher-reeves": fletcher_reeves,
    "polak-ribiere": polak_ribiere,
    "polak-ribiere+": polak_ribiere_plus,
    "hestenes-stiefel": hestenes_stiefel,
    "dai-yuan": dai_yuan,
    "hager-zhang": hager_zhang,
    "moller": moller,
}


class Track(NamedTuple):
    """The last direction, what is known of it, and the iterations since the last restart."""

    d: Array
    products: Products | None
    since_restart: int


@dataclass(frozen=True)
class ConjugateGradient:
    """``d = -g + beta d``, restarted along ``-g`` every so often.

    Parameters
    ----------
    beta : str
        A name of `FORMULAS`.
    restart_every : int, optional
        Iterations between restarts; n when left out, 0 for never.
    powell : float
        Restart when ``|g+'g| >= powell * g+'g+``: consecutive gradients are far from orthogonal.
        ``inf`` turns it off.
    """

    has_scale: ClassVar[bool] = False
    is_unit_free: ClassVar[bool] = True

    beta: str = "hager-zhang"
    restart_every: int | None = None
    powell: float = math.inf

    def __post_init__(self) -> None:
        checks.one_of("beta", self.beta, FORMULAS)
        if self.restart_every is not None:
            checks.count("restart_every", self.restart_every, 0)
        checks.non_negative("powell", self.powell)

    def init(self, point: Point) -> None:
        """No direction yet."""
        return

    def propose(self, point: Point, memory: Track | None) -> tuple[Array, Track]:
        """``-g + beta d``, or ``-g`` at a restart."""
        g = point.g
        beta = 0.0 if memory is None else self._beta(memory, g.shape[0])
        if memory is None or beta == 0.0:
            d = -g
            return d, Track(d, None, 0)
        d = beta * memory.d - g
        return d, Track(d, None, memory.since_restart)

    def _beta(self, track: Track, n: int) -> float:
        p = track.products
        every = n if self.restart_every is None else self.restart_every
        if p is None or (every and track.since_restart >= every):
            return 0.0
        if abs(p.new_old) >= self.powell * p.new_new:
            return 0.0
        try:
            beta = FORMULAS[self.beta](p)
        except ZeroDivisionError:  # a step without change of slope carries no information
            return 0.0
        return beta if math.isfinite(beta) else 0.0

    def learn(self, memory: Track, pair: SecantPair, point: Point) -> tuple[Track, str]:
        """The products of the step's two gradients (one host read)."""
        d, old, new = memory.d, pair.before.g, point.g
        products = Products(*read(new @ new, new @ old, old @ old, d @ new, d @ old, d @ d))
        return Track(d, products, memory.since_restart + 1), ""

    def is_initial(self, memory: Track | None) -> bool:
        """Whether the next direction is ``-g``."""
        return memory is None or memory.since_restart == 0
