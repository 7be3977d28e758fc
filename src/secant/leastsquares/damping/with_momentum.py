"""Steps that keep a part of the last one.

    p_k = a p_LM + b p_(k-1)

Along a bent valley each damped step overshoots a little to the outside, and has the direction of the last one
in common: less of the first and some of the second follow the bend.

References
----------
.. [1] B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", *USSR Comput. Math.
   Math. Phys.* 4, 1 (1964), the heavy ball.
.. [2] N. Ampazis and S. J. Perantonis, "Two highly efficient second-order algorithms for training feedforward
   networks", *IEEE Trans. Neural Netw.* 13, 1064 (2002), Levenberg-Marquardt steps with momentum, of factors
   that vary.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from secant import checks
from secant.arrays import HostArray
from secant.leastsquares.damping.nielsen import Nielsen
from secant.leastsquares.damping.rule import Damped, Damping, Outcome
from secant.leastsquares.model import Model


@dataclass(frozen=True)
class WithMomentum:
    """Another rule's steps, with momentum where the model is not to be trusted to the last digit.

    ``p = part p_LM + momentum p_last`` [1]_ [2]_; ``p_LM`` itself at first, after a gain ratio so close to 1
    that the model is as good as f, for near a solution steps are to converge as fast as those of the rule,
    and where ``p`` is rejected, before there is more damping. Within bounds all steps are the rule's: one
    that is met breaks the motion.

    Parameters
    ----------
    rule : Damping
        Chooses ``lambda``.
    part, momentum : float
        Factors of the rule's step and of the last one, between 0 and 1.
    trusted : float
        The gain ratio above which the next step is the rule's own.

    Examples
    --------
    >>> import numpy as np, secant
    >>> from secant.leastsquares.damping import WithMomentum
    >>> t = np.arange(6.0)
    >>> y = np.array([2.0, 1.3, 0.7, 0.5, 0.25, 0.2])
    >>> secant.least_squares(lambda b: b[0] * np.exp(-b[1] * t) - y, [1.0, 1.0], damping=WithMomentum()).x
    array([2.017, 0.487])
    """

    rule: Damping = field(default_factory=Nielsen)
    part: float = 0.9
    momentum: float = 0.2
    trusted: float = 0.99

    def __post_init__(self) -> None:
        checks.require(0.0 < self.part <= 1.0, "part", self.part, "above 0 and at most 1")
        checks.require(0.0 <= self.momentum < 1.0, "momentum", self.momentum, "0 or more, below 1")
        checks.positive("trusted", self.trusted)

    def begin(self, model: Model, x: HostArray, scale: HostArray) -> Damped:
        """The rule's."""
        return self.rule.begin(model, x, scale)

    def propose(
        self, model: Model, scale: HostArray, damped: Damped
    ) -> tuple[HostArray | None, Damped]:
        """The rule's step and some of the last one; without it where that was rejected."""
        last, spare = damped.last, damped.spare
        if damped.proposed is None and spare is not None:
            return spare, damped._replace(proposed=spare, spare=None)
        p, damped = self.rule.propose(model, scale, damped)
        if p is None or last is None:
            return p, damped._replace(proposed=p, spare=None)
        d = self.part * p + self.momentum * last
        return d, damped._replace(proposed=d, spare=p)

    def learn(self, damped: Damped, outcome: Outcome) -> Damped:
        """The rule's next damping; the same one if momentum is to blame."""
        if not outcome.accepted and damped.spare is not None:
            return damped._replace(proposed=None, last=None)
        keeps = outcome.accepted and outcome.ratio <= self.trusted
        last = damped.proposed if keeps else None
        return self.rule.learn(damped, outcome)._replace(last=last, spare=None)
