"""Limited-memory ``B`` in compact form: L-BFGS and L-SR1 as models for trust regions.

With the last m pairs as columns of S and Y, oldest first, ``L`` and ``D`` the strictly lower triangle and the
diagonal of ``S'Y``, and ``sigma`` the scale of the matrix that is updated,

    L-BFGS   B = sigma I - [sigma S  Y] [ sigma S'S   L ]^-1 [sigma S']
                                        [     L'     -D ]    [   Y'   ]
    L-SR1    B = sigma I + (Y - sigma S) (D + L + L' - sigma S'S)^-1 (Y - sigma S)'

Both are ``B = sigma I + W' C W`` for the 2m rows ``W`` of the pairs and a small ``C``, which is found once a
pair; a product takes two passes over the pairs.

References
----------
Byrd, Nocedal & Schnabel, *Math. Program.* 63, 129 (1994), Theorems 2.2, 2.3 and 5.1; Nocedal & Wright,
*Numerical Optimization*, 2nd ed., section 7.2; Erway & Marcia, *SIAM J. Matrix Anal. Appl.* 36, 1338 (2015).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from secant import checks
from secant.arrays import Array, HostArray, combine, copy, dot, eps_of, read, to_numpy, zeros
from secant.curvature.factor import try_cholesky
from secant.curvature.initial_scale import StepScale
from secant.pair import SecantPair
from secant.problem import Point


@dataclass(slots=True)
class CompactMatrix:
    """The operator: rows of pairs, their Gram matrix, and the small matrix between them.

    Attributes
    ----------
    W : array, shape (2m, n)
        The s of all slots, then the y of all slots; a new pair takes the oldest one's.
    gram : array on the host, shape (2m, 2m)
        ``W W'``.
    C : array on the host, shape (2m, 2m)
        ``B = sigma I + W' C W``; zero before any pair.
    sigma : float
        Scale of the identity.
    count : int
        Pairs stored since the start.
    is_definite : bool
        Whether B is positive definite but for round-off, so that `solve` leads downhill.
    """

    W: Array
    gram: HostArray
    C: HostArray
    sigma: float
    count: int = 0
    is_definite: bool = True

    @property
    def is_initial(self) -> bool:
        """Whether nothing has been learned."""
        return self.count == 0

    @property
    def size(self) -> int:
        """Numbers in the rows."""
        return int(self.W.shape[0] * self.W.shape[1])

    @property
    def memory(self) -> int:
        """Pairs that there is room for."""
        return int(self.W.shape[0]) // 2

    def __matmul__(self, v: Array) -> Array:
        if self.count == 0:
            return self.sigma * v
        return combine(self.C @ to_numpy(dot(self.W, v)), self.W, self.sigma, v)

    def solve(self, v: Array, shift: float = 0.0) -> Array:
        """``(B + shift I)^-1 v``, by the formula of Sherman, Morrison and Woodbury.

        With ``a = sigma + shift`` and ``G = W W'`` it is ``(v - W' (a I + C G)^-1 C W v) / a``.
        """
        a = self.sigma + shift
        if self.count == 0:
            return v / a
        small = self.C @ to_numpy(dot(self.W, v))
        weights = np.linalg.solve(a * np.eye(len(small)) + self.C @ self.gram, small)
        return combine(weights * (-1.0 / a), self.W, 1.0 / a, v)

    def dense(self) -> HostArray:
        """All of it, in double precision on the host."""
        W = np.array(to_numpy(self.W), dtype=float)
        B: HostArray = W.T @ (self.C @ W)
        np.einsum("ii->i", B)[:] += self.sigma
        return B

    def store(self, pair: SecantPair) -> None:
        """The pair in the place of the oldest, and its products with all rows."""
        m = self.memory
        slot = self.count % m
        self.W[slot, :] = pair.s
        self.W[m + slot, :] = pair.y
        self.count += 1
        for row in (slot, m + slot):
            products = to_numpy(dot(self.W, copy(self.W[row, :])))
            self.gram[row, :] = self.gram[:, row] = products

    def by_age(self) -> HostArray:
        """Slots that hold a pair, oldest first."""
        m, count = self.memory, self.count
        return np.arange(max(0, count - m), count) % m


_SAFE = 1e-3
"""Pivots of the small matrix, its diagonal being 1, from which on it loses few digits."""


def _empty(memory: int, point: Point, is_definite: bool) -> CompactMatrix:
    small = np.zeros((2, 2 * memory, 2 * memory))
    sigma = 1.0 / StepScale().gamma(point)
    W = zeros((2 * memory, point.x.shape[0]), point.x)
    return CompactMatrix(W, small[0], small[1], sigma, is_definite=is_definite)


def _blocks(B: CompactMatrix) -> tuple[HostArray, HostArray, HostArray, HostArray, HostArray]:
    """``S'S``, ``S'Y`` and ``Y'Y``, oldest first, and the rows of s and of y."""
    s = B.by_age()
    y = B.memory + s
    return B.gram[np.ix_(s, s)], B.gram[np.ix_(s, y)], B.gram[np.ix_(y, y)], s, y


@dataclass(frozen=True)
class DirectLimitedMemory:
    """L-BFGS: BFGS updates of ``sigma I``, ``sigma = y'y / s'y``, by the last pairs.

    Parameters
    ----------
    memory : int
        Number of pairs m; extra memory is 2 m n numbers.
    """

    keeps_definite: ClassVar[bool] = True

    memory: int = 10

    def __post_init__(self) -> None:
        checks.count("memory", self.memory)

    def init(self, point: Point) -> CompactMatrix:
        """No pairs."""
        return _empty(self.memory, point, self.keeps_definite)

    def update(self, B: CompactMatrix, pair: SecantPair, point: Point) -> CompactMatrix:
        """``pair`` in the place of the oldest."""
        B.store(pair)
        B.sigma = sigma = pair.yy / pair.sy
        order = B.by_age()
        while not self._connect(B, order, sigma) and len(order) > 1:
            order = order[1:]
        return B

    def _connect(self, B: CompactMatrix, s: HostArray, sigma: float) -> bool:
        """The small matrix of the pairs in the slots ``s``; whether the last one's ``Bs = y`` holds.

        Of nearly parallel pairs it does not: without the oldest ones it will.
        """
        y = B.memory + s
        SS, SY = B.gram[np.ix_(s, s)], B.gram[np.ix_(s, y)]
        scale = 1.0 / np.sqrt(SY.diagonal())  # pairs with s'y = 1, so that D = I
        L = np.tril(SY, -1) * scale[:, None] * scale
        K = sigma * (SS * scale[:, None] * scale) + L @ L.T
        sizes = 1.0 / np.sqrt(K.diagonal())
        factor = try_cholesky(K * sizes[:, None] * sizes)
        B.C[:] = 0.0
        if factor is None:
            return False
        # rows of Z = J^-1 (sigma S' + L Y'), of which Z'Z is subtracted
        J = np.tril(factor.L)
        on_s = np.linalg.solve(J, np.diag(sizes * sigma * scale))
        on_y = np.linalg.solve(J, sizes[:, None] * L * scale)
        B.C[np.ix_(s, s)] = -on_s.T @ on_s
        B.C[np.ix_(s, y)] = -on_s.T @ on_y
        B.C[np.ix_(y, s)] = -on_y.T @ on_s
        B.C[np.ix_(y, y)] = np.diag(scale * scale) - on_y.T @ on_y
        return bool(J.diagonal().min() > _SAFE) or self._error(B, s[-1]) <= math.sqrt(eps_of(B.W))

    def _error(self, B: CompactMatrix, slot: int) -> float:
        """``|Bs - y| / |y|``."""
        y = B.W[B.memory + slot, :]
        gap = B @ copy(B.W[slot, :]) - y
        size, length = read(dot(gap, gap), dot(y, y))
        return math.sqrt(size / length) if length > 0.0 else 0.0


@dataclass(frozen=True)
class LimitedSR1:
    """L-SR1: rank-one updates of ``sigma I`` by the last pairs; ``B`` may be indefinite.

    ``sigma`` is ``s'y / s's`` of the last pair with positive curvature. As it changes, so do the
    denominators of all updates: directions in which the small matrix is nearly singular are left out.

    Parameters
    ----------
    memory : int
        Number of pairs m; extra memory is 2 m n numbers.
    r : float
        Least eigenvalue of the small matrix, relative to ``|s| |y - sigma s|``.
    """

    keeps_definite: ClassVar[bool] = False

    memory: int = 10
    r: float = 1e-8

    def __post_init__(self) -> None:
        checks.count("memory", self.memory)
        checks.between("r", self.r, 0.0, 1.0)

    def init(self, point: Point) -> CompactMatrix:
        """No pairs."""
        return _empty(self.memory, point, self.keeps_definite)

    def update(self, B: CompactMatrix, pair: SecantPair, point: Point) -> CompactMatrix:
        """``pair`` in the place of the oldest."""
        B.store(pair)
        if pair.sy > 0.0:
            B.sigma = pair.sy / float(to_numpy(dot(pair.s, pair.s)))
        SS, SY, YY, s, y = _blocks(B)
        sigma = B.sigma
        L = np.tril(SY, -1)
        middle = L + L.T + np.diag(SY.diagonal()) - sigma * SS
        squares = YY.diagonal() - 2.0 * sigma * SY.diagonal() + sigma * sigma * SS.diagonal()
        lengths = np.sqrt(SS.diagonal() * np.maximum(squares, 0.0))  # |s| |y - sigma s|
        inverse = _safe_inverse(middle, lengths, self.r)
        B.C[:] = 0.0
        B.C[np.ix_(y, y)] = inverse
        B.C[np.ix_(s, s)] = sigma * sigma * inverse
        B.C[np.ix_(s, y)] = B.C[np.ix_(y, s)] = -sigma * inverse
        return B


def _safe_inverse(middle: HostArray, lengths: HostArray, r: float) -> HostArray:
    """The inverse without the directions in which ``middle`` is singular to ``r``.

    Divided by ``lengths`` the diagonal of ``middle`` holds the cosines that SR1's safeguard looks at.
    """
    scale = 1.0 / np.sqrt(np.where(lengths > 0.0, lengths, np.inf))
    values, vectors = np.linalg.eigh(scale[:, None] * middle * scale)
    keep = np.abs(values) > r
    basis = (scale[:, None] * vectors)[:, keep]
    inverse: HostArray = (basis / values[keep]) @ basis.T
    return inverse
