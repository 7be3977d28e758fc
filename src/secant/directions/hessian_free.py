"""Hessian-free optimisation: damped, preconditioned, warm-started conjugate gradients.

    (G + lambda I) d = -g

``G`` is the Gauss-Newton matrix where the problem offers products with it, else the Hessian. The damping
follows the ratio ``rho`` of the actual to the predicted reduction of the last step,

    rho < 1/4:  lambda <- 3/2 lambda,     rho > 3/4:  lambda <- 2/3 lambda

and conjugate gradients begin at a part of the last direction, and end when the quadratic has stopped
falling, long before the residual is small.

References
----------
Martens, "Deep learning via Hessian-free optimization", ICML 2010, sections 4.1 to 4.7.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from secant import checks
from secant.arrays import Array, dot, eps_of, read, step_along, zeros
from secant.directions.descent import descends, gradient_step
from secant.directions.preconditioner import Preconditioner
from secant.pair import SecantPair
from secant.point import Point


@dataclass(frozen=True)
class Damped:
    """Memory: the damping, the last direction, and what the model promised along it.

    Attributes
    ----------
    damping : float
        lambda.
    warm : array or None
        Where conjugate gradients ended the last time.
    slope, curvature : float
        ``g'd`` and ``d'Gd`` of the direction proposed last.
    """

    damping: float
    warm: Array = None
    slope: float = 0.0
    curvature: float = 0.0


@dataclass(frozen=True)
class HessianFree:
    """Martens' direction.

    Parameters
    ----------
    damping : float
        First lambda, relative to the curvature along the first gradient.
    decay : float
        Part of the last direction that conjugate gradients begin at.
    preconditioner : Preconditioner, optional
        A diagonal ``M`` near ``G + lambda I``.
    max_iter : int
        Products an iterate may cost.
    tol : float
        Conjugate gradients end when the quadratic has fallen by less than this fraction of itself an
        iteration, over the last tenth of the iterations.
    """

    damping: float = 0.1
    decay: float = 0.95
    preconditioner: Preconditioner | None = None
    max_iter: int = 250
    tol: float = 5e-4
    has_scale: ClassVar[bool] = True
    is_unit_free: ClassVar[bool] = True
    uses_hessian: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checks.non_negative("damping", self.damping)
        in_range = checks.is_number(self.decay) and 0.0 <= self.decay < 1.0
        checks.require(in_range, "decay", self.decay, "in [0, 1)")
        checks.count("max_iter", self.max_iter)
        checks.between("tol", self.tol, 0.0, 1.0)

    def init(self, point: Point) -> None:
        """Nothing yet: the first damping takes a product."""
        return

    def propose(self, point: Point, memory: Damped | None) -> tuple[Array, Damped]:
        """The last iterate of conjugate gradients, or the gradient step where that does not descend."""
        g = point.g
        if memory is None:
            memory = Damped(self.damping * _first_curvature(point))
        scale = None if self.preconditioner is None else self.preconditioner(point, memory.damping)
        start = None if memory.warm is None else self.decay * memory.warm
        end = _minimise(point, memory.damping, start, scale, self.max_iter, self.tol)
        d, curvature = end.d, end.curvature
        if not descends(d, g):
            d, curvature = gradient_step(point), math.nan
        (slope,) = read(dot(g, d))
        return d, Damped(memory.damping, d, slope, curvature)

    def learn(self, memory: Damped, pair: SecantPair, point: Point) -> tuple[Damped, str]:
        """The damping, by the ratio of the reductions at the step that was taken."""
        alpha = pair.alpha
        predicted = -alpha * (memory.slope + 0.5 * alpha * memory.curvature)
        ratio = (pair.before.f - pair.after.f) / predicted if predicted > 0.0 else 0.0
        if ratio > 0.75 and alpha >= 0.5:
            return replace(memory, damping=memory.damping / 1.5), ""
        if not ratio >= 0.25 or alpha < 0.1:
            return replace(memory, damping=memory.damping * 1.5), ""
        return memory, ""

    def is_initial(self, memory: Damped | None) -> bool:
        """Whether there is no damping and no last direction yet."""
        return memory is None or memory.slope == 0.0


def _first_curvature(point: Point) -> float:
    """``|g'Gg| / g'g``, as far as it can be seen.

    A curvature that would make a step ``1 / sqrt(eps)`` times as long as x may as well be the round-off of
    a product by differences, next to which there would be no damping at all.
    """
    g, x = point.g, point.x
    gGg, gg, xx = read(dot(g, point.gauss_newton(g)), dot(g, g), dot(x, x))
    if not 0.0 < gg < math.inf:
        return 1.0
    size = max(abs(gGg) / gg, math.sqrt(eps_of(g)) * math.sqrt(gg / max(1.0, xx)))
    return size if 0.0 < size < math.inf else 1.0


@dataclass(frozen=True)
class _End:
    d: Array
    curvature: float  # d'Gd, without the damping


def _minimise(
    point: Point, damping: float, start: Array, scale: Array, limit: int, tol: float
) -> _End:
    """Conjugate gradients on ``q(d) = g'd + d'(G + lambda I)d / 2`` with Martens' end."""
    g = point.g

    def product(v: Array) -> Array:
        return step_along(point.gauss_newton(v), damping, v)

    def precondition(r: Array) -> Array:
        return r if scale is None else r / scale

    d = zeros(g.shape[0], g) if start is None else start
    r = -g if start is None else -g - product(start)  # b - A d
    z = precondition(r)
    u = z
    rr, rz, falls = *read(dot(r, r), dot(r, z)), _Falls(tol)
    least = 1e-30 * rr
    for _ in range(limit):
        if not (rr > least and math.isfinite(rr)) or rz <= 0.0:
            break
        Au = product(u)
        uAu, uu = read(dot(u, Au), dot(u, u))
        if not uAu > 0.0:  # negative curvature: what there is descends, if there is anything
            d = d if falls.any else step_along(d, _far(point, uu), u)
            break
        alpha = rz / uAu
        d, r = step_along(d, alpha, u), step_along(r, -alpha, Au)
        z = precondition(r)
        before = rz
        rr, rz = read(dot(r, r), dot(r, z))
        u = step_along(z, rz / before, u)
        gd, rd, dd = read(dot(g, d), dot(r, d), dot(d, d))
        if falls.have_ended(0.5 * (gd - rd)):  # q(d), as A d = -g - r
            break
    gd, rd, dd = read(dot(g, d), dot(r, d), dot(d, d))
    return _End(d, -gd - rd - damping * dd)


def _far(point: Point, uu: float) -> float:
    """The step along ``u`` that is as long as x."""
    xx = float(read(dot(point.x, point.x))[0])
    return math.sqrt(max(1.0, xx) / uu) if uu > 0.0 else 0.0


class _Falls:
    """The values of q, and Martens' test of their relative progress (section 4.4)."""

    def __init__(self, tol: float) -> None:
        self._tol = tol
        self._values: list[float] = []

    @property
    def any(self) -> bool:
        """Whether an iteration has been made."""
        return bool(self._values)

    def have_ended(self, q: float) -> bool:
        """Whether q has fallen by less than ``k tol`` of itself in the last k iterations."""
        self._values.append(q)
        i = len(self._values)
        k = max(10, i // 10)
        if i <= k or q >= 0.0:
            return False
        return (q - self._values[-1 - k]) / q < k * self._tol
