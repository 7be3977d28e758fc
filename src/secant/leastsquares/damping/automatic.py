"""The rule that fits the kind of model."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from secant.arrays import HostArray
from secant.leastsquares.damping.nielsen import Nielsen
from secant.leastsquares.damping.rule import Damped, Damping, Outcome
from secant.leastsquares.damping.trust_radius import TrustRadius
from secant.leastsquares.matrix_free import Products
from secant.leastsquares.model import Model


@dataclass(frozen=True)
class Automatic:
    """`TrustRadius` where a factorisation tells how long a step will be, else `Nielsen`."""

    radius: TrustRadius = field(default_factory=TrustRadius)
    factor: Nielsen = field(default_factory=Nielsen)

    def begin(self, model: Model, x: HostArray, scale: HostArray) -> Damped:
        """By the kind of the model."""
        rule: Damping = self.factor if isinstance(model, Products) else self.radius
        return rule.begin(model, x, scale)

    def propose(
        self, model: Model, scale: HostArray, damped: Damped
    ) -> tuple[HostArray | None, Damped]:
        """By the rule that began."""
        rule: Damping = self.radius if damped.radius < math.inf else self.factor
        return rule.propose(model, scale, damped)

    def learn(self, damped: Damped, outcome: Outcome) -> Damped:
        """By the rule that began."""
        rule: Damping = self.radius if damped.radius < math.inf else self.factor
        return rule.learn(damped, outcome)
