"""The Broyden class in its inverse form, self-scaled or not: BFGS, DFP, SSBFGS, SSBroyden.

With ``u = H y`` and ``v = sqrt(y'u) (s / s'y - u / y'u)``,

    H+ = (H - u u' / y'u + phi v v') / tau + s s' / s'y

``phi = 1`` is BFGS, ``phi = 0`` is DFP, ``tau = 1`` leaves the scale alone. Divided by their natural
lengths, ``s~ = s / sqrt(s'y)`` and ``u~ = u / sqrt(y'u)``, the three outer products collect into

    H+ = H / tau + a s~s~' + b (s~u~' + u~s~') + c u~u~'
    a = 1 + phi h / tau,   b = -phi sqrt(h) / tau,   c = (phi - 1) / tau,   h = y'u / s'y

an indefinite form of rank two that is written as ``p q' + q p'``, so that an update is one pass over H.

References
----------
Broyden (1970); Nocedal & Wright, *Numerical Optimization*, 2nd ed., eqs. 6.17, 6.20 and 6.32;
Al-Baali, *Comput. Optim. Appl.* 9, 191 (1998); Urban, Stefanou & Pons, *J. Comput. Phys.* 523,
113656 (2025), whose form of the update and whose "SSBroyden2" rule these are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from secant import checks
from secant.arrays import Array, namespace, read
from secant.curvature.initial_scale import InitialScale, StepScale, UnitScale
from secant.curvature.symmetric import SymmetricMatrix
from secant.pair import SecantPair
from secant.point import Point


class Rule(Protocol):
    """Chooses ``(phi, tau)`` from ``b = s'Bs / s'y`` and ``h = y'Hy / s'y``.

    ``first`` asks for a ``tau`` that also brings ``H0 = I`` to the scale of the problem.
    """

    def __call__(self, b: float, h: float, n: int, first: bool) -> tuple[float, float]: ...


@dataclass(frozen=True)
class Fixed:
    """``phi`` as given and ``tau = 1``: 1 is BFGS, 0 is DFP, between them the convex class.

    The first ``tau = h`` makes the update that of ``(s'y / y'y) I`` (N&W eq. 6.20).
    """

    phi: float = 1.0

    def __post_init__(self) -> None:
        in_range = checks.is_number(self.phi) and 0.0 <= self.phi <= 1.0
        checks.require(in_range, "phi", self.phi, "between 0 (DFP) and 1 (BFGS)")

    def __call__(self, b: float, h: float, n: int, first: bool) -> tuple[float, float]:
        return self.phi, h if first else 1.0


@dataclass(frozen=True)
class SelfScaledBFGS:
    """``phi = 1`` and ``tau = min(1, s'y / s'Bs)`` (Al-Baali 1998)."""

    def __call__(self, b: float, h: float, n: int, first: bool) -> tuple[float, float]:
        return 1.0, h if first else min(1.0, 1.0 / b)


@dataclass(frozen=True)
class SelfScaledBroyden:
    """Both ``phi`` and ``tau`` chosen anew at every step (Al-Baali 1998; Urban et al. 2025)."""

    def __call__(self, b: float, h: float, n: int, first: bool) -> tuple[float, float]:
        a = b * h - 1.0  # >= 0 by Cauchy-Schwarz, and 0 where BFGS and DFP agree
        # beyond 1 / eps^2 nothing is left of the two quotients that follow
        if a <= 1e-14 * b * h or not a < 1e30:
            return SelfScaledBFGS()(b, h, n, first)
        # h (1 - sqrt(a / (1 + a))), of which nothing is left to divide by where a is large
        rho_minus = min(1.0, h / ((1.0 + a) * (1.0 + math.sqrt(a / (1.0 + a)))))
        theta = max((rho_minus - 1.0) / a, min(1.0 / rho_minus, (1.0 - b) / b))
        sigma = 1.0 + a * theta
        phi = (1.0 - theta) / sigma
        if first:
            return phi, h / sigma
        rho_plus = min(1.0, 1.0 / b)
        spread = sigma ** (1.0 / (1 - n)) if n > 1 else 1.0
        if theta <= 0.0:
            tau = min(rho_plus * spread, sigma)
        else:
            tau = rho_plus * min(spread, 1.0 / theta)
        return phi, tau


@dataclass(slots=True)
class DenseInverse:
    """The operator ``B`` kept as its inverse ``H``, n x n."""

    H: SymmetricMatrix
    is_initial: bool = True

    @property
    def size(self) -> int:
        """Numbers in the matrix."""
        return int(self.H.M.shape[0] ** 2)

    def solve(self, v: Array, scale: float = 1.0) -> Array:
        """``scale * H v``."""
        return self.H.times(v, scale)


@dataclass(frozen=True)
class BroydenClass:
    """Rank-two updates of a dense ``H`` in O(n^2) operations.

    Parameters
    ----------
    rule : Rule
        Chooses ``phi`` and ``tau``.
    scale : InitialScale
        How large the identity is that ``H`` starts as.
    H0 : array, optional
        Initial ``H`` instead, symmetric positive definite, shape (n, n).
    """

    rule: Rule = Fixed()
    scale: InitialScale = StepScale()
    H0: Array = None

    @property
    def is_unit_free(self) -> bool:
        """Unless the first ``H`` is one of f in its own unit."""
        return self.H0 is None and not isinstance(self.scale, UnitScale)

    @property
    def scaled_by_pairs(self) -> bool:
        """Whether the first pair replaces the scale."""
        return self.H0 is None and self.scale.corrected_by_first_pair

    def init(self, point: Point) -> DenseInverse:
        """``H0`` at the start."""
        if self.H0 is None:
            H = SymmetricMatrix.identity(point.x)
            H.scale = self.scale.gamma(point)
            return DenseInverse(H)
        n = point.x.shape[0]
        if tuple(self.H0.shape) != (n, n):
            raise ValueError(f"H0 must have shape ({n}, {n}), got {tuple(self.H0.shape)}")
        return DenseInverse(SymmetricMatrix.of(namespace(point.x).asarray(self.H0)), False)

    def update(self, B: DenseInverse, pair: SecantPair, point: Point) -> DenseInverse:
        """The class's formula, in place."""
        first = B.is_initial and self.scale.corrected_by_first_pair
        B.is_initial = False
        u = B.H @ pair.y
        (yu,) = read(pair.y @ u)
        if not 0.0 < yu < math.inf:
            return B  # H has lost its definiteness to round-off: the next descent test resets it
        sy, h = pair.sy, yu / pair.sy
        phi, tau = self.rule(pair.sBs / sy, h, pair.d.shape[0], first)
        B.H.scale /= tau
        s_scaled = (pair.alpha / math.sqrt(sy)) * pair.d
        u_scaled = u / math.sqrt(yu)
        a, b, c = 1.0 + phi * h / tau, -phi * math.sqrt(h) / tau, (phi - 1.0) / tau
        _add_form(B.H, a, b, c, s_scaled, u_scaled)
        return B


def _add_form(H: SymmetricMatrix, a: float, b: float, c: float, s: Array, u: Array) -> None:
    """``H + a ss' + b (su' + us') + c uu'``."""
    if abs(c) > abs(a):
        a, c, s, u = c, a, u, s
    discriminant = b * b - a * c
    if discriminant < 0.0:  # a definite form is a sum of two squares
        p = s + (b / a) * u
        H.add_rank_two(p, p, 0.5 * a)
        H.add_rank_two(u, u, -0.5 * discriminant / a)
        return
    # an indefinite one factors: (a s + r1 u)(a s + r2 u) / a, with r1 r2 = ac free of cancellation
    r1 = b - math.copysign(math.sqrt(discriminant), -b)
    r2 = a * c / r1 if r1 else 0.0
    H.add_rank_two(a * s + r1 * u, a * s + r2 * u, 0.5 / a)
