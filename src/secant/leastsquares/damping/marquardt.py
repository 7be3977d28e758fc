"""Marquardt's rule: ``lambda`` changes by constant factors.

References
----------
.. [1] D. W. Marquardt, "An Algorithm for Least-Squares Estimation of Nonlinear Parameters", *J. SIAM* 11
   (1963).
"""

from __future__ import annotations

from dataclasses import dataclass

from secant import checks
from secant.arrays import HostArray
from secant.leastsquares.damping.rule import Damped, Outcome, damped_step
from secant.leastsquares.model import Model


@dataclass(frozen=True)
class Marquardt:
    """``lambda`` divided by a factor after a gain, multiplied by one after a loss [1]_.

    Parameters
    ----------
    initial : float
        The first ``lambda``.
    decrease, increase : float
        The factors, below and above one.
    good : float
        ``lambda`` falls only where the gain ratio is above this.

    Examples
    --------
    >>> from secant.leastsquares.damping import Damped, Marquardt, Outcome
    >>> Marquardt().learn(Damped(1e-3), Outcome(-1.0, 1.0, -1.0, -1.0, False)).value
    0.01
    """

    initial: float = 1e-3
    decrease: float = 0.1
    increase: float = 10.0
    good: float = 0.0

    def __post_init__(self) -> None:
        checks.positive("initial", self.initial)
        checks.between("decrease", self.decrease, 0.0, 1.0)
        checks.require(self.increase > 1.0, "increase", self.increase, "above 1")
        checks.non_negative("good", self.good)

    def begin(self, model: Model, x: HostArray, scale: HostArray) -> Damped:
        """``lambda = initial``."""
        return Damped(self.initial)

    def propose(
        self, model: Model, scale: HostArray, damped: Damped
    ) -> tuple[HostArray | None, Damped]:
        """The step with the ``lambda`` remembered."""
        return damped_step(model, scale, damped)

    def learn(self, damped: Damped, outcome: Outcome) -> Damped:
        """One factor or the other."""
        if not outcome.accepted:
            return Damped(damped.value * self.increase)
        return Damped(damped.value * self.decrease) if outcome.ratio > self.good else damped
