"""The nearly exact solution of the subproblem, hard case included.

``p`` is a global solution if and only if there is a ``lambda >= 0`` with

    (B + lambda I) p = -g,   lambda (radius - |p|) = 0,   B + lambda I positive semi-definite

Newton's method on ``1 / |p(lambda)| = 1 / radius`` finds it, each iteration one Cholesky factorisation. In the
hard case ``g`` is orthogonal to the eigenvectors of the least eigenvalue, and no lambda brings ``p`` to the
boundary; such an eigenvector is then added to it.

References
----------
Moré & Sorensen, *SIAM J. Sci. Stat. Comput.* 4, 553 (1983); Conn, Gould & Toint, *Trust-Region Methods*, SIAM
(2000), Algorithm 7.3.4; Nocedal & Wright, *Numerical Optimization*, 2nd ed., Theorem 4.1 and Algorithm 4.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from secant import checks
from secant.arrays import Array, HostArray, inner, like, to_numpy
from secant.curvature.factor import Cholesky, NoFactor, cholesky, lowest_direction, try_cholesky
from secant.trustregion.step import Step, Within, length

_MAX_FACTORS = 60


@dataclass(frozen=True)
class MoreSorensen:
    """Newton's method on the secular equation, by Cholesky factorisations of ``B + lambda I``.

    Parameters
    ----------
    tol : float
        How far ``|p|`` may be from the radius, relative to it, and ``m(p)`` from its minimum: 0.1 loses
        nothing, the model being no better (Moré & Sorensen); smaller values give the exact solution.

    Examples
    --------
    >>> import numpy as np
    >>> from secant.curvature.exact import HostMatrix
    >>> from secant.trustregion import MoreSorensen
    >>> step = MoreSorensen(tol=1e-10)(np.array([1.0, 0.0]), HostMatrix(np.diag([3.0, -1.0])))(1.0)
    >>> abs(step.p).round(6), step.on_boundary  # the hard case: g is orthogonal to (0, 1)
    (array([0.25    , 0.968246]), True)
    """

    tol: float = 0.1

    def __post_init__(self) -> None:
        checks.between("tol", self.tol, 0.0, 1.0)

    def __call__(self, g: Array, B: Any) -> Within:
        secular = Secular(np.asarray(to_numpy(g), float), B.dense(), self.tol)

        def within(radius: float) -> Step:
            p, _ = secular.solve(radius)
            size = length(p)
            reduction = -inner(secular.g, p) - 0.5 * inner(p, secular.B.dot(p))
            on_boundary = size >= (1.0 - self.tol) * radius
            return Step(like(p, g), reduction, on_boundary, size)

        return within


@dataclass(slots=True)
class _Bracket:
    """``low <= lambda <= high``."""

    low: float
    high: float

    def holds(self, lam: float) -> bool:
        """Whether ``lam`` is inside."""
        return self.low < lam < self.high

    def between(self) -> float:
        """A lambda inside, nearer to the lower end (Conn, Gould & Toint, eq. 7.3.14)."""
        return max(math.sqrt(self.low * self.high), self.low + 0.01 * (self.high - self.low))


class Secular:
    """``p(lambda) = -(B + lambda I)^-1 g`` and what brackets its lambda, for one radius after another.

    Attributes
    ----------
    g, B : arrays on the host
    """

    def __init__(self, g: HostArray, B: HostArray, tol: float) -> None:
        self.g, self.B, self.tol = g, B, tol
        self._size = length(g)
        self._singular = max(0.0, -float(B.diagonal().min()))  # no lambda up to it will do
        self._known: Cholesky | None = None  # the last factor: a smaller radius begins there
        self._full: HostArray | None = None  # Newton's step
        if self._singular == 0.0:
            factor = cholesky(B)
            if isinstance(factor, Cholesky):
                self._known, self._full = factor, -factor.solve(g)
            else:
                self._singular = max(0.0, -factor.direction()[1])

    @cached_property
    def _discs(self) -> tuple[float, float]:
        """The eigenvalues lie between these (Gershgorin; the Frobenius norm)."""
        diagonal = self.B.diagonal()
        sums = np.abs(self.B).sum(axis=1) - np.abs(diagonal)
        norm = float(np.linalg.norm(self.B))
        lowest, highest = float((diagonal - sums).min()), float((diagonal + sums).max())
        return max(lowest, -norm), min(highest, norm)

    def solve(self, radius: float) -> tuple[HostArray, float]:
        """``p`` and ``lambda``."""
        if self._full is not None:
            size = length(self._full)
            if size <= radius:
                return self._full, 0.0
            if size <= radius * (1.0 + self.tol):
                return self._full * (radius / size), 0.0
        return self._on_boundary(radius)

    def _on_boundary(self, radius: float) -> tuple[HostArray, float]:
        reach, (lowest, highest) = self._size / radius, self._discs
        bracket = _Bracket(max(self._singular, reach - highest), max(0.0, reach - lowest))
        known = self._known
        lam = bracket.between() if known is None else known.tau
        p = np.zeros_like(self.g)
        for _ in range(_MAX_FACTORS):
            factor = cholesky(self.B, lam) if known is None else known
            known = None
            if isinstance(factor, Cholesky):
                self._known = factor
                p = -factor.solve(self.g)
                size = length(p)
                if abs(size - radius) <= self.tol * radius:
                    return p * (min(radius, size) / size), lam
                if size > radius:
                    bracket.low = max(bracket.low, lam)
                else:
                    bracket.high = min(bracket.high, lam)
                    found, bound = self._hard_case(factor, p, lam, radius)
                    if found is not None:
                        return found, lam
                    self._raise(bracket, bound)
                lam = self._newton(factor, p, size, radius)
            else:
                lam = self._past_pole(factor, radius, bracket)
            if not bracket.holds(lam):
                lam = bracket.between()
            if not bracket.holds(lam):
                break
        return self._best(p, bracket.high, radius)

    def _newton(self, factor: Cholesky, p: HostArray, size: float, radius: float) -> float:
        """N&W eq. 4.44."""
        rest = length(factor.half_solve(p))
        if rest == 0.0:  # g is zero, or so small that its square is
            return math.inf
        ratio = size / rest  # the power of a float may raise
        return factor.tau + ratio * ratio * (size - radius) / radius

    def _past_pole(self, failed: NoFactor, radius: float, bracket: _Bracket) -> float:
        """A lambda that may do, where ``failed.tau`` is too small; raises the bracket.

        Were ``v`` the lowest eigenvector, ``|p| >= |g'v| / (lambda - low)``.
        """
        v, curvature = failed.direction()
        self._raise(bracket, max(failed.tau, failed.tau - curvature))
        least = abs(inner(self.g, v)) / radius
        return max(bracket.low + least, bracket.between())

    def _raise(self, bracket: _Bracket, singular: float) -> None:
        """Up to ``singular`` the matrix is not positive definite."""
        self._singular = max(self._singular, singular)
        bracket.low = max(bracket.low, self._singular)

    def _hard_case(
        self, factor: Cholesky, p: HostArray, lam: float, radius: float
    ) -> tuple[HostArray | None, float]:
        """``p`` and an eigenvector up to the boundary, if that is nearly optimal; a bound on lambda.

        With ``u'(B + lambda I) u = rest`` small, ``p + tau u`` misses the minimum by at most
        ``tau^2 rest / 2``, and ``-lambda_1 >= lambda - rest``.
        """
        u = lowest_direction(factor, p.shape[0])
        rest = max(0.0, float(u @ (self.B @ u)) + lam)
        tau = _to_sphere(p, u, radius)
        gain = float(-(self.g @ p)) + lam * radius * radius
        if tau * tau * rest <= self.tol * gain:
            q = p + tau * u
            return q * (radius / length(q)), lam - rest
        return None, lam - rest

    def _best(self, p: HostArray, lam: float, radius: float) -> tuple[HostArray, float]:
        """The bracket has closed: lambda is the negative of the least eigenvalue, to round-off."""
        numbers = np.finfo(self.B.dtype)
        bump = float(numbers.eps) * (abs(self._discs[0]) + abs(self._discs[1]) + lam)
        bump = max(bump, float(numbers.tiny))  # B may be zero, or so small that its size is
        factor = try_cholesky(self.B, lam)
        while factor is None:
            if not lam < math.inf:
                return np.zeros_like(self.g), lam
            lam, bump = lam + bump, 2.0 * bump
            factor = try_cholesky(self.B, lam)
        p = -factor.solve(self.g)
        size = length(p)
        if size >= radius:
            return p * (radius / size), lam
        u = lowest_direction(factor, p.shape[0])
        return p + _to_sphere(p, u, radius) * u, lam


def _to_sphere(p: HostArray, u: HostArray, radius: float) -> float:
    """The shorter ``tau`` with ``|p + tau u| = radius``, for a unit vector ``u`` and ``|p| <= radius``.

    For ``p'u = 0``, where both are as long, the positive one.
    """
    pu, c = float(p @ u), max(0.0, radius * radius - float(p @ p))
    root = math.sqrt(pu * pu + c)
    return c / (pu + root) if pu >= 0.0 else c / (pu - root)
