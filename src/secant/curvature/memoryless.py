"""Memoryless BFGS: one BFGS update of the identity, from the last pair alone.

    H g = g - A s - B y,   A = -(1 + y'y / s'y) s'g / s'y + y'g / s'y,   B = s'g / s'y

References
----------
Shanno, *Math. Oper. Res.* 3, 244 (1978); Nocedal & Wright, 2nd ed., eq. 7.27.
"""

from __future__ import annotations

from dataclasses import dataclass

from secant.arrays import Array, read
from secant.pair import SecantPair
from secant.point import Point


@dataclass(slots=True)
class LastPair:
    """The operator of the last pair: memory O(n)."""

    s: Array = None
    y: Array = None
    sy: float = 1.0
    yy: float = 1.0
    gamma: float = 1.0

    @property
    def is_initial(self) -> bool:
        return self.s is None

    def solve(self, v: Array, scale: float = 1.0) -> Array:
        """``scale * H v`` with ``H`` the BFGS update of ``gamma I``."""
        if self.s is None:
            return (scale * self.gamma) * v
        sv, yv = read(self.s @ v, self.y @ v)
        gamma, sy = self.gamma, self.sy
        A = -(1.0 + gamma * self.yy / sy) * sv / sy + gamma * yv / sy
        B = gamma * sv / sy
        return (scale * gamma) * v - (scale * A) * self.s - (scale * B) * self.y


@dataclass(frozen=True)
class Memoryless:
    """BFGS from the last pair alone.

    Parameters
    ----------
    scaled : bool
        Update ``(s'y / y'y) I`` (Oren & Luenberger's scaling) instead of the identity.
    """

    scaled: bool = False

    @property
    def scaled_by_pairs(self) -> bool:
        """Whether a pair replaces the identity by a multiple of it."""
        return self.scaled

    def init(self, point: Point) -> LastPair:
        """The identity."""
        return LastPair()

    def update(self, B: LastPair, pair: SecantPair, point: Point) -> LastPair:
        """Replaces the pair."""
        gamma = pair.sy / pair.yy if self.scaled else 1.0
        return LastPair(pair.s, pair.y, pair.sy, pair.yy, gamma)
