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
        self._factorise, self._substitute = lapack().dpttrf, lapack().dpttrs

    def append(self, alpha: float, beta: float) -> None:
        """One more row: its diagonal element, and what leads out of it."""
        self.diagonal[self.k], self.beside[self.k] = alpha, beta
        self.k += 1

    def solve(self, radius: float) -> tuple[HostArray, float]:
        """``h`` and ``-m(h)``, on the boundary unless ``T`` has its minimum inside; nearly exact."""
        k = self.k
        if k == 1:
            return self._of_one(radius)
        d, e, b = self.diagonal[:k], self.beside[: k - 1], self._right[:k]
        factorise, substitute = self._factorise, self._substitute
        low, high, value = 0.0, math.inf, self._value
        for _ in range(_MAX_FACTORS):
            D, E, info = factorise(d + value if value else d, e)
            if info == 0:
                h = substitute(D, E, b)[0]
                square = inner(h, h)
                size = math.sqrt(square)
                if abs(size - radius) <= _TOL * radius or (value == 0.0 and size <= radius):
                    self._value = value
                    return self._scaled(h, value, square, radius / size if size else 1.0)
                low, high = (value, high) if size > radius else (low, value)
                slope = inner(h, substitute(D, E, h)[0])
                rise = (size / radius - 1.0) * square
                value += rise / slope if slope > 0.0 else math.inf  # h'h may underflow
            else:  # not positive definite; a NaN never is
                low, value = self._past_pole(D, E, info, value, radius)
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

    def _of_one(self, radius: float) -> tuple[HostArray, float]:
        """``h`` and ``-m(h)`` where there is one row."""
        curvature, size = self.diagonal.item(0), self._size
        if size < radius * curvature:
            radius = size / curvature
        self._value = max(0.0, size / radius - curvature)
        return np.array([-radius]), radius * (size - 0.5 * radius * curvature)

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

    def _past_pole(
        self, D: HostArray, E: HostArray, info: int, value: float, radius: float
    ) -> tuple[float, float]:
        """A lambda that is too small, and one that may do, from the pivot that is not positive.

        ``v`` with ``L'v = e_j`` has the curvature ``v'(T + lambda I) v = D_jj``, and if it is the lowest
        eigenvector, ``|h| >= |v'size e_1| / (lambda - low)`` (Conn, Gould & Toint, section 7.3.6).
        """
        square = first = 1.0
        if info > 1:
            v = np.cumprod(E[info - 2 :: -1])
            square, first = 1.0 + inner(v, v), abs(v.item(info - 2))
        low = value - D.item(info - 1) / square
        return low, low + self._size * first / (math.sqrt(square) * radius)

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
