"""No damping: Gauss-Newton."""

from __future__ import annotations

from dataclasses import dataclass

from secant.arrays import HostArray
from secant.leastsquares.damping.rule import Damped, Outcome, least_damped
from secant.leastsquares.model import Model


@dataclass(frozen=True)
class Undamped:
    """Gauss-Newton: ``lambda = 0`` (or what it takes to be regular), the step halved where it fails."""

    def begin(self, model: Model, x: HostArray, scale: HostArray) -> Damped:
        """No damping."""
        return Damped(0.0)

    def propose(
        self, model: Model, scale: HostArray, damped: Damped
    ) -> tuple[HostArray | None, Damped]:
        """The Gauss-Newton step, shortened."""
        value, factor = least_damped(model, scale)
        if factor is None:
            return None, damped
        return damped.shrink * factor.solve(), damped._replace(value=value)

    def learn(self, damped: Damped, outcome: Outcome) -> Damped:
        """Half the step after a loss, the whole step after a gain."""
        return damped._replace(shrink=1.0 if outcome.accepted else 0.5 * damped.shrink)
