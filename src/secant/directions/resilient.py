"""Resilient back-propagation: each variable has its own step, and of the gradient only signs count.

    step_i <- min(up step_i, largest)     where g_i has kept its sign,
    step_i <- max(down step_i, smallest)  where it has changed: a minimum was passed, and x_i rests once
    d_i = -sign(g_i) step_i

References
----------
Riedmiller & Braun, *Proc. ICNN* 586 (1993); Igel & Husken, *Neurocomputing* 50, 105 (2003), Algorithm 4,
iRprop-, which is also PyTorch's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from secant import checks
from secant.arrays import Array, namespace
from secant.pair import SecantPair
from secant.point import Point


class Steps(NamedTuple):
    """The step of each variable, and the gradient that the next is compared with, 0 at rest."""

    step: Array
    g: Array


@dataclass(frozen=True)
class Resilient:
    """``d_i = -sign(g_i) step_i``.

    Parameters
    ----------
    first : float
        Step of every variable at the start.
    down, up : float
        Factors of a step, ``0 < down < 1 < up``.
    smallest, largest : float
        Between which the steps stay. The papers' smallest step is 1e-6, at which the iterates go on
        jumping about a minimum; a smaller one lets runs converge.
    """

    has_scale: ClassVar[bool] = False

    first: float = 0.1
    down: float = 0.5
    up: float = 1.2
    smallest: float = 1e-12
    largest: float = 50.0

    def __post_init__(self) -> None:
        checks.between("down", self.down, 0.0, 1.0)
        checks.require(checks.is_number(self.up) and self.up > 1.0, "up", self.up, "above 1")
        checks.positive("smallest", self.smallest)
        above = checks.is_number(self.largest) and self.largest >= self.smallest
        checks.require(above, "largest", self.largest, "at least smallest")
        checks.require(
            checks.is_number(self.first) and self.smallest <= self.first <= self.largest,
            "first",
            self.first,
            f"between smallest = {self.smallest} and largest = {self.largest}",
        )

    def init(self, point: Point) -> None:
        """No steps yet."""
        return

    def propose(self, point: Point, memory: Steps | None) -> tuple[Array, Steps]:
        """The steps against the signs of the gradient."""
        g = point.g
        xp = namespace(g)
        if memory is None:
            memory = Steps(self.first * xp.ones_like(g), xp.zeros_like(g))
        agreement = g * memory.g
        longer = xp.where(agreement > 0.0, self.up * memory.step, memory.step)
        longer = xp.where(longer > self.largest, self.largest * xp.ones_like(g), longer)
        shorter = xp.where(agreement < 0.0, self.down * longer, longer)
        size = xp.where(shorter < self.smallest, self.smallest * xp.ones_like(g), shorter)
        used = xp.where(agreement < 0.0, xp.zeros_like(g), g)
        if not bool(xp.any(used != 0.0)):  # all at rest: nothing would be learned by staying
            used = g
        return -xp.sign(used) * size, Steps(size, used)

    def learn(self, memory: Steps, pair: SecantPair, point: Point) -> tuple[Steps, str]:
        """The signs are compared when the next direction is proposed."""
        return memory, ""

    def is_initial(self, memory: Steps | None) -> bool:
        """Whether there are no steps yet."""
        return memory is None
