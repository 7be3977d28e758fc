"""Minimisers of the parabolas and cubics through what is known at two or three step lengths.

Every function returns NaN where there is no finite answer: a value is not finite, two step lengths
coincide, or the interpolant has no minimum. `safeguarded` turns that, and anything too close to an
end or outside, into a usable step length. Differences are formed before products, so that a large
constant in phi costs no digits beyond those it has already cost in the values.

References
----------
.. [1] J. Nocedal, S. J. Wright, *Numerical Optimization*, 2nd ed., equations (3.57) to (3.59).
.. [2] J. J. Moré, D. J. Thuente, "Line search algorithms with guaranteed sufficient decrease",
   ACM Trans. Math. Softw. 20 (1994), section 4.
"""

from __future__ import annotations

import math
from typing import Protocol


class Sample(Protocol):
    """A step length with the value and the slope there: a `Trial`, or anything like it."""

    @property
    def alpha(self) -> float: ...
    @property
    def f(self) -> float: ...
    @property
    def slope(self) -> float: ...


def quadratic(a: Sample, b: Sample) -> float:
    """Minimiser of the parabola through phi(a), phi'(a), phi(b) [1]_ (3.58); ignores phi'(b)."""
    h = b.alpha - a.alpha
    if h == 0.0:
        return math.nan
    bend = (b.f - a.f) / h - a.slope  # h times half the second derivative
    if not bend / h > 0.0:
        return math.nan
    return _finite(a.alpha - 0.5 * h * (a.slope / bend))


def secant(a: Sample, b: Sample) -> float:
    """Zero of the line through phi'(a) and phi'(b); NaN if the slopes are equal."""
    change = b.slope - a.slope
    if change == 0.0:
        return math.nan
    # Measured from the end with the smaller slope, which is nearer and so has the smaller error.
    near = a if abs(a.slope) < abs(b.slope) else b
    return _finite(near.alpha - (b.alpha - a.alpha) * (near.slope / change))


def cubic(a: Sample, b: Sample) -> float:
    """Minimiser of the cubic through values and slopes at ``a`` and ``b`` [1]_ (3.59)."""
    h = b.alpha - a.alpha
    if h == 0.0:
        return math.nan
    d1 = 3.0 * (a.f - b.f) / h + a.slope + b.slope
    scale = max(abs(d1), abs(a.slope), abs(b.slope))  # no overflow in the squares [2]_
    if not 0.0 < scale < math.inf:
        return math.nan
    square = (d1 / scale) ** 2 - (a.slope / scale) * (b.slope / scale)
    if not square >= 0.0:
        return math.nan
    d2 = math.copysign(scale * math.sqrt(square), h)
    # (3.59) is b - h t, where t is a root of A t^2 - 2 (phi'(b) + d1) t + phi'(b); of the two ways
    # to write that root, the one in which nothing cancels is taken.
    middle = b.slope + d1
    if middle * d2 > 0.0:
        return _finite(b.alpha - h * (b.slope / (middle + d2)))
    leading = 2.0 * d1 + a.slope + b.slope
    return _finite(b.alpha - h * ((middle - d2) / leading)) if leading != 0.0 else math.nan


def cubic_from_values(a: Sample, b: Sample, c: Sample) -> float:
    """Minimiser of the cubic through phi(a), phi'(a), phi(b), phi(c) [1]_; no other slopes."""
    hb, hc = b.alpha - a.alpha, c.alpha - a.alpha
    if hb == 0.0 or hc == 0.0 or hb == hc:
        return math.nan
    # phi(a + h) = phi(a) + slope h + p h^2 + q h^3, from its divided differences
    bend_b = ((b.f - a.f) / hb - a.slope) / hb
    bend_c = ((c.f - a.f) / hc - a.slope) / hc
    q = (bend_c - bend_b) / (hc - hb)
    p = bend_b - q * hb
    square = p * p - 3.0 * q * a.slope
    if not 0.0 <= square < math.inf:
        return math.nan
    root = math.sqrt(square)
    if p > 0.0:
        # of the two forms the one without cancellation
        return _finite(a.alpha - a.slope / (p + root))
    return _finite(a.alpha + (root - p) / (3.0 * q)) if q != 0.0 else math.nan


def safeguarded(alpha: float, a: float, b: float, margin: float = 0.1) -> float:
    """``alpha`` moved inside [a, b], ``margin |b - a|`` from both ends; the middle if NaN."""
    low, high = (a, b) if a <= b else (b, a)
    if math.isnan(alpha):
        return low + 0.5 * (high - low)
    inset = margin * (high - low)
    return min(max(alpha, low + inset), high - inset)


def _finite(alpha: float) -> float:
    return alpha if math.isfinite(alpha) else math.nan
