"""Why a search found no lower value: the gradient, noise, chance, a kink or round-off.

A descent direction along which no step lowers f is a contradiction, and something that the method was
told is not so. Some twenty further values of f at the iterate tell which:

- f again at the same x: another value means that f depends on more than x;
- seven values on a short line along -g: their difference table shows noise, their slopes the
  derivative and kinks, their curvature the decrease that a step could have brought;
- the derivative along a second, random direction; where one of the two is not ``g'v``, the set of
  coordinates is halved until the wrong component is found.

References
----------
.. [1] J. J. Moré, S. M. Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33 (2011).
"""

from __future__ import annotations

import math

import numpy as np

from secant.arrays import eps_of, to_numpy
from secant.counts import Exhausted
from secant.diagnosis.cause import Cause as Cause
from secant.diagnosis.cause import Diagnosis as Diagnosis
from secant.point import Point
from secant.problem import Problem
from secant.status import Status
from secant.trace import Trace

_PATIENCE = 32
"""A run that is so many iterations long, or two, four ... times as many, may be asked why it is slow,"""

_PROGRESS = 1e-2
"""if it has lowered f by no more than this fraction in the second half of them."""


def diagnose(
    problem: Problem, point: Point, status: Status | None, trace: Trace
) -> Diagnosis | None:
    """The cause of a failed search, or of a convergence that is hard to believe.

    Parameters
    ----------
    problem : Problem
    point : Point
        Where the run ended.
    status : Status or None
        How it ended: only `SEARCH_FAILED`, and `ROUNDOFF` at a gradient that has hardly fallen, are
        looked into.
    trace : Trace
        Of the run up to there: how large f and its gradient have been.

    Returns
    -------
    Diagnosis or None
        None also where the budget is used up that a failed search would be looked into with.

    Raises
    ------
    Exhausted
        If the budget is used up before a doubtful convergence could be looked into.
    """
    if status is Status.ROUNDOFF:
        if not _is_doubtful(point, max(row.optimality for row in trace)):
            return None
    elif status is not Status.SEARCH_FAILED or point.optimality == 0.0:
        return None  # a gradient of zeros, at which a fit may fail, points nowhere
    try:
        return _examined(problem, point, max(abs(row.f) for row in trace))
    except Exhausted:
        if status is Status.ROUNDOFF:
            raise
        return None


def _examined(problem: Problem, point: Point, largest: float) -> Diagnosis:
    from secant.diagnosis.examination import Examination  # most programs never need these files

    return Examination(problem, point, largest).verdict()


def _is_doubtful(point: Point, largest: float) -> bool:
    """Whether the gradient is larger than round-off explains: beside those before, or beside f and x.

    With ``f = f* + (x - x*)^2 / 2`` known to eps, x is known to ``sqrt(eps)``, and so is ``g``.
    """
    root = math.sqrt(eps_of(point.x))
    x, g = (to_numpy(a).astype(np.float64) for a in (point.x, point.g))
    return point.optimality > root * largest or float(np.abs(g) @ np.abs(x)) > root * abs(point.f)


def why_stalled(problem: Problem, point: Point, trace: Trace) -> Diagnosis | None:
    """The noise that a run without progress is walking about in, if that is what holds it up.

    A search along a direction made of noise need not fail: of many values one is the lowest by chance.
    After 32, 64, 128 ... iterations whose second half has lowered f by less than a hundredth of itself f is
    examined, and noise is the reason if it is larger than what that half has gained.
    """
    k = len(trace) - 1
    if k < _PATIENCE or k & (k - 1):
        return None
    f = trace.f
    lowest = f.min()
    gain = f[: k // 2 + 1].min() - lowest
    if not gain <= _PROGRESS * abs(lowest):
        return None
    found = _examined(problem, point, float(np.abs(f).max()))
    if found.kind in (Cause.NOISY, Cause.NON_DETERMINISTIC) and found.noise >= gain:
        return found
    return None
