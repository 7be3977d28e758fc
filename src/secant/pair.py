"""The secant pair ``s = x+ - x``, ``y = g+ - g`` and the one place that judges it.

Quasi-Newton updates keep ``B`` positive definite only for pairs of positive curvature, ``s'y > 0``.
How far above zero is enough must not depend on the units of ``f`` or ``x``: the tests here compare
``s'y`` with ``s'Bs``, the curvature that the present model expects along ``s``, which is invariant under
any linear change of variables and scaling of ``f``.

References
----------
Nocedal & Wright, *Numerical Optimization*, 2nd ed., section 6.1 (curvature condition) and
Procedure 18.2 (Powell's damping).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from secant import checks
from secant.arrays import (
    Array,
    change_products,
    dot,
    eps_of,
    read,
    scale_into,
    subtract_into,
)
from secant.point import Point


class SecantPair:
    """One accepted step and the change of gradient over it; nothing is computed before it is needed.

    Parameters
    ----------
    alpha, d : float, array
        The step, ``s = alpha d``.
    before, after : Point
        Its two ends.
    slope : float
        ``g'd`` at ``before``.
    Bs : array, optional
        The model's ``B s``. Left out, ``d`` is the quasi-Newton direction ``-B^-1 g``, for which
        ``Bs = -alpha g`` and ``s'Bs = -alpha^2 g'd`` need no product.

    Attributes
    ----------
    s, y : array, shape (n,)
    sy, yy, sBs : float
        ``s'y``, ``y'y`` and ``s'Bs``.
    is_damped : bool
        Whether ``y`` was replaced by Powell's damping.
    """

    __slots__ = (
        "Bs",
        "_slope",
        "after",
        "alpha",
        "before",
        "d",
        "is_damped",
        "s",
        "sBs",
        "sy",
        "y",
        "yy",
    )

    s: Array
    y: Array
    Bs: Array
    sy: float
    yy: float
    sBs: float

    def __init__(
        self,
        alpha: float,
        d: Array,
        before: Point,
        after: Point,
        slope: float,
        Bs: Array | None = None,
    ) -> None:
        self.alpha = alpha
        self.d = d
        self.before = before
        self.after = after
        self.is_damped = False
        self._slope = slope
        if Bs is None:
            self.sBs = -alpha * alpha * slope
        else:
            self.Bs = Bs

    def __getattr__(self, name: str) -> Any:
        # Called for a slot that is still empty; a filled one is found without a call.
        if name in ("sy", "yy"):
            if self.is_damped:
                dy, self.yy = read(dot(self.d, self.y), dot(self.y, self.y))
            else:
                dy, self.yy = change_products(self.d, self.after.g, self.before.g)
            self.sy = self.alpha * dy
        elif name == "s":
            self.s = self.alpha * self.d
        elif name == "y":
            self.y = self.after.g - self.before.g
        elif name == "Bs":
            self.Bs = -self.alpha * self.before.g
        elif name == "sBs":
            self.sBs = self.alpha * read(dot(self.d, self.Bs))[0]
        else:
            raise AttributeError(name)
        return object.__getattribute__(self, name)

    def write(self, s: Array, y: Array) -> None:
        """Write the pair into two rows; unless somebody has asked for it, ``y`` is nowhere else."""
        scale_into(s, self.alpha, self.d)
        if self.is_damped:
            y[...] = self.y
        else:
            subtract_into(y, self.after.g, self.before.g)

    def in_unit(
        self, unit: float, before: Point, after: Point, Bs: Array | None = None
    ) -> SecantPair:
        """The pair of ``f / unit``, between its two ends there, with the model's ``B s`` there."""
        return SecantPair(self.alpha, self.d, before, after, self._slope / unit, Bs)

    @property
    def has_curvature(self) -> bool:
        """Whether ``s'y`` is positive by more than the rounding of ``y``: ``eps |s| |y| < s'y``."""
        (dd,) = read(dot(self.d, self.d))
        noise = eps_of(self.d) * self.alpha * math.sqrt(dd) * math.sqrt(self.yy)
        return noise < self.sy < math.inf and self.yy < math.inf

    def damped(self, theta: float) -> SecantPair:
        """The pair with ``y`` replaced by ``theta y + (1 - theta) Bs``."""
        pair = SecantPair(self.alpha, self.d, self.before, self.after, self._slope, self.Bs)
        pair.y = theta * self.y + (1.0 - theta) * self.Bs
        pair.is_damped = True
        return pair


@dataclass(frozen=True)
class Skip:
    """Leave the model as it is unless ``s'y > tol s'Bs``.

    Parameters
    ----------
    tol : float, optional
        Relative threshold; the square root of the dtype's epsilon when left out. A strong Wolfe search
        with constant c2 gives ``s'y >= (1 - c2) s'Bs`` at a unit step, so good pairs pass.

    Examples
    --------
    >>> import secant
    >>> method = secant.LBFGS(curvature_test=secant.Skip(tol=1e-3))
    """

    tol: float | None = None

    def __post_init__(self) -> None:
        if self.tol is not None:
            checks.between("tol", self.tol, 0.0, 1.0)

    def __call__(self, pair: SecantPair) -> SecantPair | None:
        """The pair, or None if it must not be used."""
        tol = math.sqrt(eps_of(pair.d)) if self.tol is None else self.tol
        sy = pair.sy
        usable = sy > 0.0 and sy > tol * pair.sBs and 0.0 < pair.yy < math.inf
        return pair if usable else None


@dataclass(frozen=True)
class Damp:
    """Powell's damping: pull ``y`` towards ``Bs`` until ``s'y = threshold s'Bs``.

    ``theta = (1 - threshold) s'Bs / (s'Bs - s'y)`` where ``s'y < threshold s'Bs``, else 1
    (N&W eq. 18.15, with 0.2 as threshold).

    Parameters
    ----------
    threshold : float
        Between 0 and 1.

    Examples
    --------
    >>> import secant
    >>> method = secant.BFGS(curvature_test=secant.Damp(threshold=0.2))
    """

    threshold: float = 0.2

    def __post_init__(self) -> None:
        checks.between("threshold", self.threshold, 0.0, 1.0)

    def __call__(self, pair: SecantPair) -> SecantPair | None:
        """The pair, damped if need be; None only for a pair without finite curvature."""
        sy, sBs = pair.sy, pair.sBs
        if not (math.isfinite(pair.yy) and 0.0 < sBs < math.inf):
            return None
        if sy < self.threshold * sBs:
            pair = pair.damped((1.0 - self.threshold) * sBs / (sBs - sy))
        return pair if pair.yy > 0.0 else None  # the square of a tiny y may be zero


CurvatureTest = Skip | Damp
