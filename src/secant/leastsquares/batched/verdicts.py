"""When each of many fits has ended, by the tests of `secant.leastsquares.levenberg_marquardt`.

All look at the step without damping, never at one that is short because it is damped:

- the *relative offset* ``|J (J'J)^-1 J'r| / (2 f)^1/2``, whose numerator a QR factorisation has as ``|z|``;
- that step, ``-R^-1 z``, in units of the variables;
- where neither ``f`` nor the offset falls any more, whether r is at right angles with the columns of J, or
  rounding itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from secant import arrays, checks
from secant.arrays import Array
from secant.leastsquares.batched.box import Box
from secant.leastsquares.batched.lanes import Lanes, Place
from secant.leastsquares.batched.steps import is_fitted, undamped
from secant.leastsquares.batched.triangular import back_substitute
from secant.status import Status

ENDS = (
    Status.GRADIENT,
    Status.NO_PROGRESS,
    Status.ROUNDOFF,
    Status.SEARCH_FAILED,
    Status.MAX_ITERATIONS,
    Status.NOT_FINITE_START,
    Status.TIME_LIMIT,
    Status.INTERRUPTED,
)
"""How a fit can end; arrays hold positions in this list, and -1 for a fit under way."""

UNDER_WAY = -1

_FLAT = 3
"""So many steps in a row that could not be seen to lower f are round-off, r being at right angles with J."""

_HOPELESS = 20
"""If it is not, so many are the end: by then no damping is left that could hide how f falls."""

_TRIES = 60
"""So many trials in a row may be rejected."""


@dataclass(frozen=True)
class Limits:
    """When a fit has converged, or has to end.

    Parameters
    ----------
    xtol : float
        The undamped step is at most ``xtol |x_i|`` in every variable.
    gtol : float
        Relative offset.
    max_iter : int
    """

    xtol: float = 1e-10
    gtol: float = 1e-10
    max_iter: int = 200

    def __post_init__(self) -> None:
        checks.non_negative("xtol", self.xtol)
        checks.non_negative("gtol", self.gtol)
        checks.count("max_iter", self.max_iter, 0)


def verdicts(lanes: Lanes, limits: Limits, box: Box | None) -> Array:
    """Positions in `ENDS`, or -1, shape (k,)."""
    place, memory = lanes.place, lanes.memory
    xp = arrays.namespace(place.x)
    R, z = undamped(place, box)
    offset2, square = xp.sum(z * z, axis=0), 2.0 * place.f
    ends_fitted = is_fitted(place, offset2)
    is_flat = memory.flat >= xp.where(ends_fitted, _FLAT, _HOPELESS)
    stuck = (memory.rejected >= _TRIES) | is_flat
    is_small = _is_small(place.x, back_substitute(R, z), place.norms, limits.xtol)
    is_perfect = place.f <= arrays.eps_of(z) ** 2 * memory.level
    codes = xp.full_like(lanes.number, UNDER_WAY)
    for status, ended in (  # where several hold the last one counts
        (Status.MAX_ITERATIONS, memory.steps >= limits.max_iter),
        (Status.SEARCH_FAILED, stuck),
        (Status.ROUNDOFF, (stuck & ends_fitted) | is_perfect),
        (Status.NO_PROGRESS, is_small),
        (Status.GRADIENT, offset2 <= limits.gtol**2 * square),
    ):
        codes = xp.where(ended, ENDS.index(status), codes)
    found = (codes >= 0) & (codes <= ENDS.index(Status.ROUNDOFF))
    lost = found & ~is_perfect & _has_lost_a_variable(place, memory.scale)
    codes = xp.where(lost, ENDS.index(Status.SEARCH_FAILED), codes)
    bad = ~xp.isfinite(place.f + offset2)  # no step leads to such a point
    return xp.where(bad, ENDS.index(Status.NOT_FINITE_START), codes)


def _is_small(x: Array, p: Array, norms: Array, xtol: float) -> Array:
    """Every ``|p_i|`` at most ``xtol |x_i|``; where ``x_i`` is as good as 0, below what can be seen."""
    xp, eps = arrays.namespace(p), arrays.eps_of(p)
    size, length = xp.abs(x), xp.abs(p)
    seen = xp.max(norms * size, axis=0)
    is_zero = norms * size <= eps**0.5 * seen
    unseen = norms * length <= eps * seen
    return xp.all((length <= xtol * size) | (is_zero & unseen), axis=0)


def _has_lost_a_variable(place: Place, scale: Array) -> Array:
    """Whether a fit ends where a column of J has vanished.

    Exponentials underflow, and nothing leads back from there. A column that is only shorter than it was,
    far away, still shows beside the residuals when its variable is halved.
    """
    xp, eps = arrays.namespace(place.x), arrays.eps_of(place.x)
    unseen = place.norms * xp.abs(place.x) <= (2.0 * eps * place.f) ** 0.5
    return xp.any(unseen & (place.norms <= eps * scale), axis=0)
