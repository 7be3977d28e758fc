"""The pool: fits that have ended leave it, and others take their places.

Fits need different numbers of steps. Were all of them begun together, the last would run alone; a pool of
constant width is full until no fit waits any longer.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from secant import arrays
from secant.arrays import Array
from secant.leastsquares.batched.fits import Fits
from secant.leastsquares.batched.lanes import Lanes, joined, put, taken
from secant.leastsquares.batched.verdicts import ENDS, UNDER_WAY, Limits, verdicts
from secant.status import Status


@dataclass(slots=True, eq=False)
class Outcomes:
    """How all fits have ended, in the order of the data sets.

    Attributes
    ----------
    x, f, R, steps, trials, jacobians : array
        As in `Place` and `Memory`.
    codes : array of int, shape (k,)
        Positions in `ENDS`.
    """

    x: Array
    f: Array
    R: Array
    steps: Array
    trials: Array
    jacobians: Array
    codes: Array

    @classmethod
    def before(cls, x0: Array, numbers: Array) -> Outcomes:
        """What is known of fits that have not begun."""
        xp, (n, count) = arrays.namespace(x0), x0.shape
        return cls(
            x=arrays.copy(x0),
            f=xp.full_like(x0[0], math.nan),
            R=arrays.zeros((n, n, count), x0),
            steps=xp.zeros_like(numbers),
            trials=xp.zeros_like(numbers),
            jacobians=xp.zeros_like(numbers),
            codes=xp.full_like(numbers, UNDER_WAY),
        )

    def record(self, lanes: Lanes, codes: Array) -> None:
        """Keep what is known of these lanes."""
        for name in ("x", "f", "R"):
            getattr(self, name)[..., lanes.number] = getattr(lanes.place, name)
        for name in ("steps", "trials", "jacobians"):
            getattr(self, name)[lanes.number] = getattr(lanes.memory, name)
        self.codes[lanes.number] = codes  # last: an interrupt leaves no verdict without its numbers


@dataclass(slots=True, eq=False)
class Pool:
    """Fits under way, and those that wait.

    Parameters
    ----------
    fits : Fits
    x0 : array, shape (n, k)
        Where all fits start.
    limits : Limits
    width : int
        Fits under way at a time.
    """

    fits: Fits
    x0: Array
    limits: Limits
    width: int

    def run(self, max_seconds: float) -> Outcomes:
        """Every fit to its end."""
        xp, end = arrays.namespace(self.x0), time.perf_counter() + max_seconds
        waiting = xp.arange(self.x0.shape[1], device=arrays.device(self.x0))
        outcomes = Outcomes.before(self.x0, waiting)
        lanes, waiting = self._begun(waiting, self.width)
        reason = Status.TIME_LIMIT
        try:
            while time.perf_counter() < end:
                codes = verdicts(lanes, self.limits, self.fits.box)
                ended = xp.nonzero(codes != UNDER_WAY)[0]
                if ended.shape[0] == 0:
                    lanes = self.fits.step(lanes)
                    continue
                outcomes.record(*taken((lanes, codes), ended))
                if ended.shape[0] == lanes.width and waiting.shape[0] == 0:
                    return outcomes
                lanes, waiting = self._replaced(lanes, codes, ended, waiting)
        except KeyboardInterrupt:
            reason = Status.INTERRUPTED
        # an interrupt may come when some have ended and no others have begun in their places
        under_way = xp.nonzero(outcomes.codes[lanes.number] == UNDER_WAY)[0]
        lanes = taken(lanes, under_way)
        outcomes.record(lanes, xp.full_like(lanes.number, UNDER_WAY))
        left = outcomes.codes == UNDER_WAY
        outcomes.codes = xp.where(left, ENDS.index(reason), outcomes.codes)
        return outcomes

    def _begun(self, waiting: Array, count: int) -> tuple[Lanes, Array]:
        """The first of those that wait, and the others."""
        number = waiting[:count]
        return self.fits.begin(number, taken(self.x0, number)), waiting[count:]

    def _replaced(
        self, lanes: Lanes, codes: Array, ended: Array, waiting: Array
    ) -> tuple[Lanes, Array]:
        """The lanes with those that have ended replaced, or left out when none waits."""
        xp, count = arrays.namespace(self.x0), int(waiting.shape[0])
        if count < ended.shape[0]:
            lanes = taken(lanes, xp.nonzero(codes == UNDER_WAY)[0])
            if count == 0:
                return lanes, waiting
            new, waiting = self._begun(waiting, count)
            return joined(lanes, new), waiting
        new, waiting = self._begun(waiting, int(ended.shape[0]))
        return put(lanes, ended, new), waiting
