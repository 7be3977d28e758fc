"""Robust losses: how much a large residual counts.

    f(x) = 1/2 sum_i C^2 rho(z_i),   z_i = (r_i / C)^2

with ``C`` the soft threshold between inliers and outliers (``f_scale``). Gauss-Newton's model of f is that
of a linear fit with the residuals and the rows of the Jacobian scaled [1]_:

    r~_i = rho'_i r_i / a_i,   J~_i = a_i J_i,   a_i = sqrt(rho'_i + 2 rho''_i z_i)

so that ``J~'r~ = J' (rho' r)`` is the gradient and ``J~'J~`` the Hessian without second derivatives of r. The
root is zero or none for outliers, whose rows would be lost, and with them directions that no other row has.
Where its square is less than a hundredth of ``rho'_i`` that takes its place: the weights of iterated
reweighting [2]_, with which the model of a loss that is concave in z is nowhere below it.

References
----------
.. [1] B. Triggs, P. F. McLauchlan, R. I. Hartley, A. W. Fitzgibbon, "Bundle Adjustment - A Modern
   Synthesis" (2000), section 4.3.
.. [2] P. W. Holland, R. E. Welsch, "Robust regression using iteratively reweighted least-squares", *Comm.
   Statist. Theory Methods* 6 (1977).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from secant import arrays, checks
from secant.arrays import Array

_CONVEX = 1e-2
"""Less curvature than this part of ``rho'`` is none to rely on; more makes convergence faster than linear."""

Derivatives = tuple[Array, Array, Array]
"""rho, rho' and rho'' at every z."""


class Loss(Protocol):
    """A loss of the squared, scaled residuals."""

    def __call__(self, z: Array) -> Derivatives:
        """``rho(z), rho'(z), rho''(z)`` element by element."""
        ...


def soft_l1(z: Array) -> Derivatives:
    """``rho(z) = 2 (sqrt(1 + z) - 1)``, a smooth absolute value."""
    t = 1.0 + z
    return 2.0 * (t**0.5 - 1.0), t**-0.5, -0.5 * t**-1.5


def huber(z: Array) -> Derivatives:
    """``rho(z) = z`` up to 1, ``2 sqrt(z) - 1`` beyond."""
    xp = arrays.namespace(z)
    inside = z <= 1.0
    one = xp.ones_like(z)
    t = xp.where(inside, one, z)  # keeps the unused branch away from z = 0
    return (
        xp.where(inside, z, 2.0 * t**0.5 - 1.0),
        xp.where(inside, one, t**-0.5),
        xp.where(inside, xp.zeros_like(z), -0.5 * t**-1.5),
    )


def cauchy(z: Array) -> Derivatives:
    """``rho(z) = ln(1 + z)``."""
    t = 1.0 + z
    return arrays.namespace(z).log1p(z), 1.0 / t, -1.0 / t**2


def arctan(z: Array) -> Derivatives:
    """``rho(z) = arctan z``, bounded: far outliers count no more than near ones."""
    t = 1.0 + z**2
    return arrays.namespace(z).atan(z), 1.0 / t, -2.0 * z / t**2


LOSSES: dict[str, Loss] = {
    "soft_l1": soft_l1,
    "huber": huber,
    "cauchy": cauchy,
    "arctan": arctan,
}
"""SciPy's names; "linear" is no loss at all."""


@dataclass(frozen=True)
class Robust:
    """A loss with its threshold.

    Parameters
    ----------
    loss : callable
        ``z -> rho, rho', rho''``.
    scale : float
        ``C``.
    """

    loss: Loss
    scale: float = 1.0

    def __post_init__(self) -> None:
        checks.positive("f_scale", self.scale)

    def cost(self, r: Array) -> Array:
        """``f``, a 0-d array; of residuals of shape (m, k) those of k fits."""
        rho, _, _ = self._derivatives(r)
        return (0.5 * self.scale**2) * arrays.namespace(r).sum(rho, axis=0)

    def reduction(self, before: Array, after: Array) -> Array:
        """``f(before) - f(after)``, the differences taken before the sum."""
        old, new = self._derivatives(before)[0], self._derivatives(after)[0]
        return (0.5 * self.scale**2) * arrays.namespace(before).sum(old - new, axis=0)

    def scaled(self, r: Array) -> tuple[Array, Array]:
        """The residuals ``r~`` of the local linear fit and the factors ``a`` of its rows."""
        slope, curvature = self._bends(r)
        xp, eps = arrays.namespace(r), arrays.eps_of(r)
        a = xp.where(curvature < _CONVEX * slope, slope, curvature)
        a = xp.where(a < eps, eps * xp.ones_like(a), a) ** 0.5
        return slope * r / a, a

    def factors(self, r: Array) -> Array:
        """``sqrt(max(rho' + 2 rho'' z, eps))``, SciPy's factors of the rows of the Jacobian that it gives."""
        _, curvature = self._bends(r)
        xp, eps = arrays.namespace(r), arrays.eps_of(r)
        a: Array = xp.where(curvature < eps, eps * xp.ones_like(curvature), curvature) ** 0.5
        return a

    def _bends(self, r: Array) -> tuple[Array, Array]:
        """First and second derivatives of ``C^2 rho / 2`` by r, the first one as a part of r."""
        _, slope, curvature = self._derivatives(r)
        return slope, slope + 2.0 * curvature * (r / self.scale) ** 2

    def _derivatives(self, r: Array) -> Derivatives:
        return self.loss((r / self.scale) ** 2)


def make_loss(loss: Any, f_scale: float) -> Robust | None:
    """A loss from SciPy's name, or from a callable ``z -> (rho, rho', rho'')``; None for "linear".

    Raises
    ------
    ValueError
        For a name that does not exist.
    """
    checks.positive("f_scale", f_scale)
    if callable(loss):
        return Robust(loss, f_scale)
    if loss == "linear":
        return None
    checks.one_of("loss", loss, ("linear", *LOSSES))
    return Robust(LOSSES[loss], f_scale)
