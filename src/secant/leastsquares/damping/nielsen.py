"""Nielsen's rule: ``lambda`` follows the gain ratio smoothly.

References
----------
.. [1] H. B. Nielsen, "Damping Parameter in Marquardt's Method", IMM-REP-1999-05 (1999), (2.4)-(2.6).
"""

from __future__ import annotations

from dataclasses import dataclass

from secant import checks
from secant.arrays import HostArray
from secant.leastsquares.damping.rule import Damped, Outcome, damped_step
from secant.leastsquares.model import Model


@dataclass(frozen=True)
class Nielsen:
    """``lambda`` falls smoothly with the gain ratio and rises ever faster with rejections [1]_.

    ``lambda <- lambda max(1/3, 1 - (2 rho - 1)^3)`` and ``nu <- 2`` after a gain, else
    ``lambda <- nu lambda``, ``nu <- 2 nu``.

    Parameters
    ----------
    tau : float
        The first ``lambda``.

    Examples
    --------
    >>> from secant.leastsquares.damping import Damped, Nielsen, Outcome
    >>> rule, good = Nielsen(), Outcome(1.0, 1.0, -1.0, 1.0, True)
    >>> rule.learn(Damped(1e-3), good).value
    0.000333
    """

    tau: float = 1e-3

    def __post_init__(self) -> None:
        checks.positive("tau", self.tau)

    def begin(self, model: Model, x: HostArray, scale: HostArray) -> Damped:
        """``lambda = tau``."""
        return Damped(self.tau)

    def propose(
        self, model: Model, scale: HostArray, damped: Damped
    ) -> tuple[HostArray | None, Damped]:
        """The step with the ``lambda`` remembered."""
        return damped_step(model, scale, damped)

    def learn(self, damped: Damped, outcome: Outcome) -> Damped:
        """The cubic of the gain ratio, or the growing factor."""
        if not outcome.accepted:
            return Damped(damped.value * damped.growth, 2.0 * damped.growth)
        # capped where the cubic is long above any use: a step can be far better than predicted
        cubic = 1.0 - (2.0 * min(outcome.ratio, 1.0) - 1.0) ** 3
        return Damped(damped.value * max(1.0 / 3.0, cubic))
