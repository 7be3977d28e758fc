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
    that the model is as good as f, for near a solution steps are to converge as fast as those of the rule.
    Where ``p`` is rejected ``p_LM`` is tried, then half of it, before a matrix with more damping is
    factorised. Within bounds all steps are the rule's: one that is met breaks the motion.

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
        """The rule's step and some of the last one; after a rejection the next spare step."""
        if damped.proposed is None and damped.spares:
            spare, *others = damped.spares
            # the last of them is the half
            return spare, damped._replace(
                proposed=spare, spares=tuple(others), is_whole=bool(others)
            )
        last = damped.last
        p, damped = self.rule.propose(model, scale, damped)
        if p is None:
            return None, damped._replace(proposed=None, spares=(), is_whole=True)
        half = 0.5 * p
        if last is None:
            return p, damped._replace(proposed=p, spares=(half,), is_whole=True)
        d = self.part * p + self.momentum * last
        return d, damped._replace(proposed=d, spares=(p, half), is_whole=False)

    def learn(self, damped: Damped, outcome: Outcome) -> Damped:
        """The rule's next damping; the same one if momentum is to blame."""
        if outcome.accepted:
            last = damped.proposed if outcome.ratio <= self.trusted else None
            return self.rule.learn(damped, outcome)._replace(last=last, spares=())
        has_momentum = len(damped.spares) == 2
        after = damped if has_momentum else self.rule.learn(damped, outcome)
        return after._replace(proposed=None, last=None, spares=damped.spares)
