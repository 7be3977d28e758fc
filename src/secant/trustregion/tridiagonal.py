"""The subproblem of a tridiagonal matrix that grows: what the generalised Lanczos method solves.

    minimise  size h_1 + h'Th / 2   subject to  |h| <= radius

While ``T`` is positive definite and ``h`` inside the ball, ``h`` is the iterate of conjugate gradients, whose
length and residual follow from those before by a few multiplications: with ``T = L D L'`` and the last
column ``w`` of ``L^-T``,

    w_k = e_k - l_k w_{k-1},   h_k = h_{k-1} + zeta_k w_k

On the boundary ``(T + lambda I) h = -size e_1`` with ``|h| = radius``: Newton's method on ``1 / |h|``, from the
lambda of the smaller space, which is never larger. Each of its iterations costs O(k).

References
----------
Gould, Lucidi, Roma & Toint, *SIAM J. Optim.* 9, 504 (1999), sections 5.1 and 5.2.
"""

from __future__ import annotations

import math

import numpy as np

from secant.arrays import HostArray
from secant.curvature.factor import lapack
from secant.trustregion.more_sorensen import Secular

_TOL = 1e-3
"""Accuracy of ``|h|`` on the boundary: nothing beside a product with ``B``."""

_MAX_FACTORS = 60


class TridiagonalBall:
    """``T`` and what is known of the solutions.

    Parameters
    ----------
    size : float
        ``|g|``.
    limit : int
        Rows at most.

    Attributes
    ----------
    k : int
        Rows so far.
    diagonal, beside : array, shape (limit,)
        ``T_ii`` and ``T_{i,i+1}``; the last of these leads out of the space.
    residual : float
        Of conjugate gradients after k iterations; infinite once ``T`` is not positive definite.
    """

    def __init__(self, size: float, limit: int) -> None:
        self.k = 0
        self.diagonal, self.beside = np.empty(limit), np.empty(limit)
        self.residual = math.inf
        self._size = size
        self._right = np.zeros(limit)
        self._right[0] = -size
        self._pivots, self._ratios = np.empty(limit), np.empty(limit)  # D and what L has beside 1
        self._rest = -size  # the last element of L^-1 times the right-hand side
        self._length = 0.0  # |h|; infinite where T is not positive definite
        self._ww = self._hw = self._hh = 0.0  # |w_k|^2, h_k'w_k and |h_k|^2
        self._value = 0.0  # lambda of the last solution on the boundary

    def append(self, alpha: float, beta: float) -> None:
        """One more row: its diagonal element, and what leads out of it."""
        k, pivot, ratio = self.k, alpha, 0.0
        self.diagonal[k], self.beside[k], self.k = alpha, beta, k + 1
        if self._length == math.inf:
            return
        if k:
            before = float(self.beside[k - 1])
            ratio = before / float(self._pivots[k - 1])
            pivot = alpha - ratio * before
            self._rest *= -ratio
            self._ratios[k - 1] = ratio
        if not pivot > 0.0:
            self._length = self.residual = math.inf
            return
        self._pivots[k] = pivot
        zeta, hw = self._rest / pivot, -ratio * self._hw
        self._ww = 1.0 + ratio * ratio * self._ww
        self._hh += zeta * (2.0 * hw + zeta * self._ww)
        self._hw = hw + zeta * self._ww
        self.residual = beta * abs(zeta)
        self._length = math.sqrt(self._hh) if self._hh >= 0.0 else math.inf

    def is_inside(self, radius: float) -> bool:
        """Whether conjugate gradients have not left the ball: their iterates only grow."""
        return self._length <= radius

    def inside(self) -> HostArray:
        """``-T^-1 size e_1``."""
        k = self.k
        return _solve(self._pivots[:k], self._ratios[: k - 1], self._right[:k])

    def on_boundary(self, radius: float) -> HostArray:
        """The solution with ``|h| = radius``, to a thousandth."""
        k = self.k
        d, e, b = self.diagonal[:k], self.beside[: k - 1], self._right[:k]
        low, high = self._bracket(d, e, radius)
        value = self._value if low <= self._value < high else low
        for _ in range(_MAX_FACTORS):
            D, E, info = _factor(d + value, e)
            if info != 0:  # not positive definite; a NaN never is
                low, value = value, _between(value, high)
            else:
                h = _solve(D, E, b)
                length = math.sqrt(float(h @ h))
                if abs(length - radius) <= _TOL * radius or (value == 0.0 and length <= radius):
                    self._value = value
                    return h * min(1.0, radius / length)
                low, high = (value, high) if length > radius else (low, value)
                slope = float(h @ _solve(D, E, h))
                rise = (length / radius - 1.0) * length * length
                value += rise / slope if slope > 0.0 else math.inf  # h'h may underflow
                if not low < value < high:
                    value = _between(low, high)
            if not low < value < high:
                break
        # g has all but no part in the lowest eigenvector: the hard case, which needs the eigenvector
        T = np.diag(d) + np.diag(e, 1) + np.diag(e, -1)
        return Secular(-b, T, _TOL).solve(radius)[0]

    def _bracket(self, d: HostArray, e: HostArray, radius: float) -> tuple[float, float]:
        """Below and above lambda, by Gershgorin's discs."""
        discs = np.zeros(len(d))
        discs[1:] += np.abs(e)
        discs[:-1] += np.abs(e)
        reach = self._size / radius
        low = max(0.0, -float(d.min()), reach - float((d + discs).max()))
        return low, max(low, reach - float((d - discs).min())) * (1.0 + 1e-12)

    def reduction(self, h: HostArray) -> float:
        """``-m(h)``."""
        k = len(h)
        hTh = self.diagonal[:k] @ (h * h) + 2.0 * (self.beside[: k - 1] @ (h[1:] * h[:-1]))
        return float(-self._size * h[0] - 0.5 * hTh)


def _between(low: float, high: float) -> float:
    """The geometric mean, or so much of the interval where that would be too little."""
    return max(low + 1e-3 * (high - low), math.sqrt(low * high))


def _factor(d: HostArray, e: HostArray) -> tuple[HostArray, HostArray, int]:
    """``D``, ``L`` and whether it failed, for a symmetric tridiagonal matrix."""
    if len(d) == 1:  # LAPACK's wrapper wants something beside the diagonal
        return d, e, int(not d[0] > 0.0)
    return lapack().dpttrf(d, e)  # type: ignore[no-any-return]


def _solve(D: HostArray, E: HostArray, b: HostArray) -> HostArray:
    if len(D) == 1:
        return b / D
    return lapack().dpttrs(D, E, b)[0]  # type: ignore[no-any-return]
