"""The subproblem of a tridiagonal matrix that grows: what the generalised Lanczos method solves.

    minimise  size h_1 + h'Th / 2   subject to  |h| <= radius

On the boundary ``(T + lambda I) h = -size e_1`` with ``|h| = radius``: Newton's method on ``1 / |h|``, from the
lambda of the smaller space, which is never larger. Each of its iterations costs O(k).

References
----------
Gould, Lucidi, Roma & Toint, *SIAM J. Optim.* 9, 504 (1999), section 5.2.
"""

from __future__ import annotations

import math

import numpy as np

from secant.arrays import HostArray, inner
from secant.curvature.factor import lapack
from secant.trustregion.more_sorensen import Secular

_TOL = 0.01
"""Accuracy of ``|h|`` before it is brought to the boundary; that of ``m(h)`` is its square."""

_MAX_FACTORS = 60


class TridiagonalBall:
    """``T``, and the last lambda.

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
    """

    def __init__(self, size: float, limit: int) -> None:
        self.k = 0
        self.diagonal, self.beside = np.empty(limit), np.empty(limit)
        self._size = size
        self._right = np.zeros(limit)
        self._right[0] = -size
        self._value = 0.0  # lambda of the last solution on the boundary

    def append(self, alpha: float, beta: float) -> None:
        """One more row: its diagonal element, and what leads out of it."""
        self.diagonal[self.k], self.beside[self.k] = alpha, beta
        self.k += 1

    def solve(self, radius: float) -> tuple[HostArray, float]:
        """``h`` and ``-m(h)``, on the boundary unless ``T`` has its minimum inside; nearly exact."""
        k = self.k
        d, e, b = self.diagonal[:k], self.beside[: k - 1], self._right[:k]
        low, high, value = 0.0, math.inf, self._value
        for _ in range(_MAX_FACTORS):
            D, E, info = _factor(d + value if value else d, e)
            if info != 0:  # not positive definite; a NaN never is
                low = value
                if high == math.inf:
                    low, high = self._bracket(d, e, radius, low)
                value = _between(low, high)
            else:
                h = _solve(D, E, b)
                square = inner(h, h)
                length = math.sqrt(square)
                if abs(length - radius) <= _TOL * radius or (value == 0.0 and length <= radius):
                    self._value = value
                    return self._scaled(h, value, square, radius / length if length else 1.0)
                low, high = (value, high) if length > radius else (low, value)
                slope = inner(h, _solve(D, E, h))
                rise = (length / radius - 1.0) * square
                value += rise / slope if slope > 0.0 else math.inf  # h'h may underflow
                if not low < value < high:
                    if high == math.inf:
                        low, high = self._bracket(d, e, radius, low)
                    value = _between(low, high)
            if not low < value < high:
                break
        # g has all but no part in the lowest eigenvector: the hard case, which needs the eigenvector
        T = np.diag(d) + np.diag(e, 1) + np.diag(e, -1)
        h = Secular(-b, T, _TOL).solve(radius)[0]
        return h, float(-(h @ (0.5 * (T @ h) - b)))

    def _scaled(
        self, h: HostArray, value: float, square: float, stretch: float
    ) -> tuple[HostArray, float]:
        """``h`` brought to the boundary, where the model is flat along it; no product for ``-m(h)``.

        For ``(T + lambda I) h = -size e_1`` is ``h'Th = -size h_1 - lambda h'h``.
        """
        fall = -self._size * float(h[0])
        if value == 0.0 and stretch > 1.0:
            stretch = 1.0
        curvature = fall - value * square
        return stretch * h, stretch * (fall - 0.5 * stretch * curvature)

    def _bracket(
        self, d: HostArray, e: HostArray, radius: float, low: float
    ) -> tuple[float, float]:
        """Below and above lambda, by Gershgorin's discs."""
        discs = np.zeros(len(d))
        discs[1:] += np.abs(e)
        discs[:-1] += np.abs(e)
        reach = self._size / radius
        low = max(low, -float(d.min()), reach - float((d + discs).max()))
        return low, max(low, reach - float((d - discs).min())) * (1.0 + 1e-12)


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
