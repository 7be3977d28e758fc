"""Levenberg-Marquardt's method for many fits at once, each with its own damping, gain ratio and end.

    rho = (f(x) - f(x + p)) / (-g'p - |J p|^2 / 2),   lambda <- lambda max(1/3, 1 - (2 rho - 1)^3)

and ``lambda <- nu lambda, nu <- 2 nu`` after a rejection [1]_. The geodesic acceleration of the step [2]_
keeps fits from running off to where a parameter is infinite and all curves are straight. Robust losses scale
rows as `secant.leastsquares.loss` says.

References
----------
.. [1] H. B. Nielsen, "Damping Parameter in Marquardt's Method", IMM-REP-1999-05 (1999), (2.4)-(2.6).
.. [2] M. K. Transtrum, J. P. Sethna, "Improvements to the Levenberg-Marquardt algorithm for nonlinear
   least-squares minimization", arXiv:1201.5885 (2012), (13) and (15).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from secant import arrays
from secant.arrays import Array
from secant.leastsquares.batched.box import Box
from secant.leastsquares.batched.columns import Columns
from secant.leastsquares.batched.curves import Curves, Data
from secant.leastsquares.batched.lanes import Lanes, Memory, Place, put, taken
from secant.leastsquares.batched.steps import (
    acceleration,
    damped_step,
    is_fitted,
    product,
)
from secant.leastsquares.batched.triangular import column_norms, factorise
from secant.leastsquares.levenberg_marquardt import Geodesic
from secant.leastsquares.loss import Robust
from secant.linesearch.acceptance import ROUND_OFF

_TAU = 1e-3
"""The first damping."""

_GROWTH = 2.0
"""What the first rejection multiplies it by."""

_LEAST_GAIN = 1e-4
"""Gain ratio from which a step is accepted."""

_DESERTED = 1e-6
"""A column of J that shrinks by this factor in one step has been left behind."""

_RETREATS = 10
"""So many trials in a row may be rejected for that."""

_FALLING = 0.8
"""While the offset falls by this factor, squared, there is something to gain that f no longer shows."""

_FREER = 1e-2
"""Where it does not, far from 0, damping may hide how f could fall, and becomes less by this factor."""


@dataclass(frozen=True, eq=False)
class Fits:
    """The fits of one model to all data sets.

    Parameters
    ----------
    curves : Curves
    data : Data
    columns : Columns
    robust : Robust, optional
    box : Box, optional
    geodesic : Geodesic, optional
    """

    curves: Curves
    data: Data
    columns: Columns
    robust: Robust | None = None
    box: Box | None = None
    geodesic: Geodesic | None = None

    @property
    def evaluations_a_trial(self) -> int:
        """One, and one for the acceleration."""
        return 1 if self.geodesic is None else 2

    def begin(self, number: Array, x: Array) -> Lanes:
        """Lanes for some of the fits, at ``x``, shape (n, k)."""
        xp, x, data = arrays.namespace(x), arrays.copy(x), self.data.take(number)
        place = self._arrive(data, x, arrays.copy(self.curves.values(data, x)))
        memory = Memory(
            level=self._level(data, place),
            scale=arrays.copy(place.norms),
            damping=xp.full_like(place.f, _TAU),
            growth=xp.full_like(place.f, _GROWTH),
            steps=xp.zeros_like(number),
            trials=xp.zeros_like(number),
            jacobians=xp.ones_like(number),
            rejected=xp.zeros_like(number),
            flat=xp.zeros_like(number),
        )
        return Lanes(number, place, memory)

    def step(self, lanes: Lanes) -> Lanes:
        """A trial for every lane; ``lanes`` is overwritten."""
        (number, place, memory), data = lanes, self.data.take(lanes.number)
        xp = arrays.namespace(place.x)
        p, is_usable = self._proposed(lanes, data)
        x = place.x + p
        if self.box is not None:
            x = self.box.clip(x)
            p = x - place.x
        values = arrays.copy(self.curves.values(data, x))  # the function may reuse its own
        change = product(place.R, p)
        predicted = -xp.sum(change * (place.z + 0.5 * change), axis=0)
        actual = self._reduction(data.residuals(place.values), data.residuals(values))
        allowance = ROUND_OFF * place.noise
        rho = (actual + allowance) / (predicted + allowance)
        is_gain = (rho >= _LEAST_GAIN) & (predicted + allowance > 0.0)
        accepted = xp.nonzero(is_gain & is_usable)[0]
        if accepted.shape[0] == 0:
            return Lanes(lanes.number, place, _after_a_rejection(memory))
        number, x, values = taken((number, x, values), accepted)
        there = self._arrive(self.data.take(number), x, values)
        stand = _may_stay(there, *taken((place.norms, memory.rejected), accepted))
        memory.jacobians[accepted] += 1
        accepted, there = taken((accepted, there), stand)
        after = _after_a_gain(there, *taken((place.z, place.noise, memory, rho, actual), accepted))
        return Lanes(
            lanes.number,
            put(place, accepted, there),
            put(_after_a_rejection(memory), accepted, after),
        )

    def _proposed(self, lanes: Lanes, data: Data) -> tuple[Array, Array]:
        """The step, and where its acceleration is small enough to be a correction."""
        place, scale = lanes.place, lanes.memory.scale
        xp = arrays.namespace(place.x)
        v, T = damped_step(lanes, self.box)
        if self.geodesic is None:
            return v, xp.ones_like(place.f, dtype=xp.bool)
        h = self.geodesic.h
        ahead = self.curves.values(data, place.x + h * v)
        change = data.weighted((ahead - place.values) / h)
        if self.robust is not None:
            change = self.robust.scaled(data.residuals(place.values))[1] * change
        a = acceleration(place, T, v, change, h)
        length_v, length_a = (xp.sum((scale * step) ** 2, axis=0) for step in (v, a))
        return v + 0.5 * a, length_a <= self.geodesic.limit**2 * length_v

    def _arrive(self, data: Data, x: Array, values: Array) -> Place:
        """Everything there is to know of ``x``."""
        xp = arrays.namespace(x)
        n, (m, k) = x.shape[0], values.shape
        columns = arrays.zeros((n + 1, m, k), x)
        self.columns(self.curves, data, x, values, columns[:n])
        r, v = data.residuals(values), data.weighted(values)
        if data.weights is not None:
            columns[:n] = data.weighted(columns[:n])
        f = 0.5 * xp.sum(r * r, axis=0)
        if self.robust is not None:
            f = self.robust.cost(r)
            r, factors = self.robust.scaled(r)
            columns[:n] *= factors
        if bool(xp.any(f == 0.0)):  # what is no zero has squares that underflow, and says nothing
            f = xp.where((f == 0.0) & xp.any(r != 0.0, axis=0), math.inf, f)
        square = 2.0 * f
        noise = arrays.eps_of(x) * xp.sqrt(square) * xp.sqrt(square + xp.sum(v * v, axis=0))
        columns[n] = r
        norms = column_norms(columns[:n])
        return Place(x, values, f, noise, norms, *factorise(columns, norms))

    def _level(self, data: Data, place: Place) -> Array:
        """``f`` of a model that is zero; where all data are, much less than at the start."""
        xp, r = arrays.namespace(place.x), data.residuals(arrays.zeros((1, 1), place.x))
        level = 0.5 * xp.sum(r * r, axis=0) if self.robust is None else self.robust.cost(r)
        return xp.where(level > 0.0, level, arrays.eps_of(r) ** 2 * place.f)

    def _reduction(self, before: Array, after: Array) -> Array:
        """``f(before) - f(after)``, the differences taken before the sum."""
        if self.robust is not None:
            return self.robust.reduction(before, after)
        return 0.5 * arrays.namespace(before).sum((before - after) * (before + after), axis=0)


def _may_stay(there: Place, norms: Array, rejected: Array) -> Array:
    """Positions of the lanes where J is finite and no variable has all but lost its influence."""
    xp = arrays.namespace(there.x)
    deserted = xp.any(there.norms < _DESERTED * norms, axis=0) & (rejected < _RETREATS)
    usable = xp.all(xp.isfinite(there.norms), axis=0) & xp.isfinite(there.f)
    return xp.nonzero(usable & ~deserted)[0]


def _after_a_rejection(memory: Memory) -> Memory:
    return memory._replace(
        damping=memory.damping * memory.growth,
        growth=2.0 * memory.growth,
        trials=memory.trials + 1,
        rejected=memory.rejected + 1,
    )


def _after_a_gain(
    there: Place, z: Array, noise: Array, memory: Memory, rho: Array, actual: Array
) -> Memory:
    """Less damping, or more where the gain was poor; ``z`` and ``noise`` are those before the step."""
    xp = arrays.namespace(z)
    # the cubic is long above any use where a step is far better than predicted
    cubic = 1.0 - (2.0 * xp.clip(rho, max=1.0) - 1.0) ** 3
    before, after = (xp.sum(part * part, axis=0) for part in (z, there.z))
    stalls = (after > _FALLING * before) & (actual <= noise)
    is_hidden = stalls & ~is_fitted(there, after)
    shrink = xp.clip(cubic, min=1.0 / 3.0) * xp.where(is_hidden, _FREER, 1.0)
    least = float(xp.finfo(z.dtype).smallest_normal)  # from which it still can grow
    return memory._replace(
        scale=xp.maximum(memory.scale, there.norms),
        damping=xp.clip(memory.damping * shrink, min=least),
        growth=xp.full_like(rho, _GROWTH),
        steps=memory.steps + 1,
        trials=memory.trials + 1,
        rejected=xp.zeros_like(memory.rejected),
        flat=xp.where(actual > noise, 0, memory.flat + xp.astype(stalls, memory.flat.dtype)),
    )
