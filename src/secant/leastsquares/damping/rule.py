"""What every rule for the damping remembers, is told and has to answer."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from secant.arrays import HostArray
from secant.leastsquares.model import Factor, Model

_LARGEST = 1e30
"""More damping than this leaves no step worth a look."""


class Damped(NamedTuple):
    """What a rule remembers.

    Attributes
    ----------
    value : float
        ``lambda`` of the last step, or of the next.
    growth : float
        By how much the next rejection multiplies it (`Nielsen`).
    radius : float
        Longest ``|D p|`` allowed; infinite for rules without one.
    shrink : float
        Factor of the step (`Undamped`).
    proposed, last : array, shape (n,), or None
        The last proposal, None where it was rejected, and the last step if the next proposal is to have a
        part of it (`WithMomentum`).
    spares : tuple of array
        What to try if the proposal is rejected, in this order (`WithMomentum`).
    is_whole : bool
        Whether the proposal was the rule's own step (`WithMomentum`).
    """

    value: float
    growth: float = 2.0
    radius: float = math.inf
    shrink: float = 1.0
    proposed: HostArray | None = None
    last: HostArray | None = None
    spares: tuple[HostArray, ...] = ()
    is_whole: bool = True

    @property
    def exhausted(self) -> bool:
        """Whether no shorter step is worth a look."""
        return self.value > _LARGEST or self.radius < 1e-300 or self.shrink < 1e-12

    @property
    def is_bare(self) -> bool:
        """Whether the last proposal was Gauss-Newton's step: whole, and not damped at all."""
        return self.value == 0.0 and self.shrink == 1.0 and self.is_whole


class Outcome(NamedTuple):
    """How a step turned out.

    Attributes
    ----------
    ratio : float
        The gain ratio ``rho``; ``-inf`` if the trial was not finite.
    length : float
        ``|D p|``.
    slope : float
        ``g'p``.
    actual : float
        ``f(x) - f(x + p)``.
    accepted : bool
    """

    ratio: float
    length: float
    slope: float
    actual: float
    accepted: bool


class Damping(Protocol):
    """A rule for ``lambda``."""

    def begin(self, model: Model, x: HostArray, scale: HostArray) -> Damped:
        """The first damping, at ``x``."""
        ...

    def propose(
        self, model: Model, scale: HostArray, damped: Damped
    ) -> tuple[HostArray | None, Damped]:
        """The step, None if the matrix is singular; with the damping it was made with."""
        ...

    def learn(self, damped: Damped, outcome: Outcome) -> Damped:
        """The next damping."""
        ...


def least_damped(model: Model, scale: HostArray) -> tuple[float, Factor | None]:
    """The smallest ``lambda`` for which the matrix is regular in this precision, with its factor."""
    damping, factor = 0.0, model.factor(0.0, scale)
    while factor is None and damping < 1.0:
        damping = max(model.floor, 100.0 * damping)
        factor = model.factor(damping, scale)
    return damping, factor


def damped_step(model: Model, scale: HostArray, damped: Damped) -> tuple[HostArray | None, Damped]:
    """The step with the ``lambda`` remembered."""
    factor = model.factor(damped.value, scale)
    return (None if factor is None else factor.solve()), damped
