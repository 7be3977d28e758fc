"""Limited-memory ``B``: L-BFGS and L-SR1 as models for trust regions.

The last m pairs, applied to ``sigma I`` one after the other, change it only in the span of their ``s`` and
``y``. With an orthonormal basis ``Q`` of that, of at most 2m rows,

    B = sigma (I - Q'Q) + Q' M Q

and the small ``M`` is found once a pair, in double precision. The compact forms of Byrd, Nocedal & Schnabel
are the same matrices as ``sigma I`` and a correction. Where the curvatures of f are far apart, ``sigma`` is as
large as the largest, and a small one is what the correction leaves of it: nothing in single precision, some
digits in double. In the coordinates of ``Q`` nothing is subtracted from ``sigma``.

References
----------
Byrd, Nocedal & Schnabel, *Math. Program.* 63, 129 (1994), Theorems 2.3 and 5.1; Nocedal & Wright, *Numerical
Optimization*, 2nd ed., section 7.2; Burdakov, Gong, Zikrin & Yuan, *Math. Program. Comput.* 9, 101 (2017).
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, NamedTuple

import numpy as np

from secant import checks
from secant.arrays import (
    Array,
    HostArray,
    combine,
    dot,
    eps_of,
    host_blas,
    inner,
    products,
    products_and_square,
    to_numpy,
    zeros,
)
from secant.curvature.factor import lapack
from secant.curvature.initial_scale import StepScale
from secant.curvature.span import Span
from secant.pair import SecantPair
from secant.point import Point

_PARALLEL = 100.0
"""Rows are in the span of others if so many eps of their square are left outside it."""

_ROUNDING = 10.0
"""A vector is in the span if no more than so many eps of its square are left outside."""


class Parts(NamedTuple):
    """A vector ``v`` as ``Q' inside`` and the rest of it, which is ``outside`` long."""

    inside: HostArray
    outside: float


@dataclass(slots=True)
class CompactMatrix:
    """The operator: rows of pairs, their products with one another, and ``B`` in their span.

    Attributes
    ----------
    W : array, shape (2m, n)
        The s of all slots, then the y of all slots; a new pair takes the oldest one's.
    gram : array on the host, shape (2m, 2m)
        ``W W'``.
    span : Span
        The basis ``Q``.
    M : array on the host, shape (r, r)
        ``Q B Q'``.
    sigma : float
        The curvature outside the span.
    count : int
        Pairs stored since the start.
    is_definite : bool
        Whether B is positive definite but for round-off, so that `solve` leads downhill.
    """

    W: Array
    gram: HostArray
    span: Span
    M: HostArray
    sigma: float
    count: int = 0
    is_definite: bool = True

    @classmethod
    def empty(cls, memory: int, point: Point, is_definite: bool) -> CompactMatrix:
        """``sigma I`` with room for ``memory`` pairs."""
        rows = 2 * memory
        W, sigma = zeros((rows, point.x.shape[0]), point.x), 1.0 / StepScale().gamma(point)
        gram, M = np.zeros((rows, rows)), np.zeros((0, 0))
        return cls(W, gram, Span.empty(rows), M, sigma, is_definite=is_definite)

    def __deepcopy__(self, memo: dict[int, Any]) -> CompactMatrix:
        """One that learns alone: the rest of it is replaced by new pairs, never written to."""
        return replace(self, W=deepcopy(self.W, memo), gram=self.gram.copy())

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

    # ------------------------------------------------------------------------------- products

    def __matmul__(self, v: Array) -> Array:
        parts = self.split(v)
        return self.join(self.M @ parts.inside, self.sigma, v, parts)

    def solve(self, v: Array, shift: float = 0.0) -> Array:
        """``(B + shift I)^-1 v``."""
        parts = self.split(v)
        shifted = self.M + shift * np.eye(len(self.M))
        inside = np.linalg.solve(shifted, parts.inside)
        return self.join(inside, 1.0 / (self.sigma + shift), v, parts)

    def dense(self) -> HostArray:
        """All of it, in double precision on the host."""
        W = np.array(to_numpy(self.W), dtype=float)
        weights = [self.span.weights(e) for e in np.eye(self.span.rank)]
        Q = np.reshape(weights, (-1, W.shape[0])) @ W
        B: HostArray = Q.T @ (self.M @ Q)
        if len(Q) < W.shape[1]:
            B += self.sigma * (np.eye(W.shape[1]) - Q.T @ Q)
        return B

    def split(self, v: Array) -> Parts:
        """``v`` inside and outside the span."""
        if not self.count:
            return Parts(np.zeros(0), math.sqrt(inner(v, v)))
        along, square = products_and_square(self.W, v)
        inside = self.span.coordinates(along)
        rest = square - float(inside @ inside)
        if self.span.rank == v.shape[0] or rest <= _ROUNDING * eps_of(v) * square:
            rest = 0.0
        return Parts(inside, math.sqrt(rest))

    def join(self, inside: HostArray, factor: float, v: Array, parts: Parts) -> Array:
        """``Q' inside`` and ``factor`` times what of ``v`` is outside."""
        if not self.count:
            return factor * v
        factor = factor if parts.outside > 0.0 else 0.0
        return combine(self.span.weights(inside - factor * parts.inside), self.W, factor, v)

    # -------------------------------------------------------------------------------- learning

    def store(self, pair: SecantPair) -> None:
        """The pair in the place of the oldest, its products with all rows, and the new span."""
        m = self.memory
        slot = self.count % m
        self.W[slot, :] = pair.s
        self.W[m + slot, :] = pair.y
        self.count += 1
        for row in (slot, m + slot):
            self.gram[row, :] = self.gram[:, row] = products(self.W, self.W[row, :])
        self.span = Span.of(self.gram, self._orders()[1], _PARALLEL * eps_of(self.W))

    def by_age(self) -> HostArray:
        """Slots that hold a pair, oldest first."""
        return self._orders()[0]

    def _orders(self) -> tuple[HostArray, HostArray]:
        m, count = self.memory, self.count
        return _orders(m, min(count, m), count % m)

    def pairs(self) -> tuple[HostArray, HostArray]:
        """``Q S`` and ``Q Y``, oldest first, with ``|Q s| = 1`` and ``y`` divided by the same."""
        s = self.by_age()
        S, Y = self.span.rows[:, s], self.span.rows[:, self.memory + s]
        lengths = _lengths(S)
        if not lengths.all():
            held = lengths > 0.0
            S, Y, lengths = S[:, held], Y[:, held], lengths[held]
        return S / lengths, Y / lengths


@cache
def _orders(memory: int, held: int, next_slot: int) -> tuple[HostArray, HostArray]:
    """Slots of pairs, oldest first; and the rows of s and y, those of the newest pair first."""
    by_age = (np.arange(held) + (next_slot if held == memory else 0)) % memory
    rows = np.stack([by_age[::-1], memory + by_age[::-1]], axis=1).ravel()
    by_age.flags.writeable = rows.flags.writeable = False
    return by_age, rows


def _lengths(columns: HostArray) -> HostArray:
    """Those of the columns."""
    return np.sqrt(np.einsum("ij,ij->j", columns, columns))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class DirectLimitedMemory:
    """L-BFGS: BFGS updates of ``sigma I``, ``sigma = y'y / s'y``, by the last pairs.

    Parameters
    ----------
    memory : int
        Number of pairs m; extra memory is 2 m n numbers.
    """

    keeps_definite: ClassVar[bool] = True
    scaled_by_pairs: ClassVar[bool] = True

    memory: int = 10

    def __post_init__(self) -> None:
        checks.count("memory", self.memory)

    def init(self, point: Point) -> CompactMatrix:
        """No pairs."""
        return CompactMatrix.empty(self.memory, point, self.keeps_definite)

    def update(self, B: CompactMatrix, pair: SecantPair, point: Point) -> CompactMatrix:
        """``pair`` in the place of the oldest."""
        B.store(pair)
        B.sigma = pair.yy / pair.sy
        B.M = _updated(B.sigma, *B.pairs())
        return B


def _updated(sigma: float, S: HostArray, Y: HostArray) -> HostArray:
    """``sigma I`` after the BFGS update by each column of ``S`` and of ``Y``; BLAS keeps the upper half."""
    r, blas = S.shape[0], host_blas()
    M = np.diag(np.full(r, sigma)).copy(order="F")
    for s, y in zip(S.T.copy(), Y.T.copy(), strict=True):
        Ms, sy = blas.symv(1.0, M, s), blas.dot(s, y)
        sMs = blas.dot(s, Ms)
        if sy > 0.0 and sMs > 0.0:  # as it is but for round-off
            M = blas.syr(1.0 / sy, y, 0, 1, 0, r, M, 1)
            M = blas.syr(-1.0 / sMs, Ms, 0, 1, 0, r, M, 1)
    M += np.triu(M, 1).T  # the lower half was left as it began: zero
    return M


@dataclass(frozen=True)
class LimitedSR1:
    """L-SR1: rank-one updates of ``sigma I`` by the last pairs; ``B`` may be indefinite.

        M = sigma I + (Y - sigma S) (D + L + L' - sigma S'S)^-1 (Y - sigma S)'

    in the coordinates of the span, with ``L`` and ``D`` the strictly lower triangle and the diagonal of
    ``S'Y``, and ``sigma`` the ``s'y / s's`` of the last pair with positive curvature. As it changes, so do the
    denominators of all updates: directions in which the matrix between is nearly singular are left out.

    Parameters
    ----------
    memory : int
        Number of pairs m; extra memory is 2 m n numbers.
    r : float
        Least eigenvalue of the matrix between, relative to ``|s| |y - sigma s|``.
    """

    keeps_definite: ClassVar[bool] = False
    scaled_by_pairs: ClassVar[bool] = False

    memory: int = 10
    r: float = 1e-8

    def __post_init__(self) -> None:
        checks.count("memory", self.memory)
        checks.between("r", self.r, 0.0, 1.0)

    def init(self, point: Point) -> CompactMatrix:
        """No pairs."""
        return CompactMatrix.empty(self.memory, point, self.keeps_definite)

    def update(self, B: CompactMatrix, pair: SecantPair, point: Point) -> CompactMatrix:
        """``pair`` in the place of the oldest."""
        B.store(pair)
        if pair.sy > 0.0:
            B.sigma = pair.sy / float(to_numpy(dot(pair.s, pair.s)))
        S, Y = B.pairs()
        R = Y - B.sigma * S
        # the lower triangle of S'R is that of D + L + L' - sigma S'S, which alone is read
        basis, values = _safe_inverse(S.T @ R, _lengths(R), self.r)
        P = R @ basis
        B.M = B.sigma * np.eye(B.span.rank) + (P / values) @ P.T
        return B


def _safe_inverse(middle: HostArray, lengths: HostArray, r: float) -> tuple[HostArray, HostArray]:
    """``V`` and ``v`` with the inverse ``V diag(1/v) V'``, from the lower triangle of ``middle``.

    It is without the directions in which ``middle`` is singular to ``r``. Divided by ``lengths`` the diagonal
    of ``middle`` holds the cosines that SR1's safeguard looks at.
    """
    scale = np.zeros(len(lengths))
    np.divide(1.0, np.sqrt(lengths), out=scale, where=lengths > 0.0)
    values, vectors, _ = lapack().dsyevd(scale[:, None] * middle * scale, 1, 1)
    keep = np.abs(values) > r
    return (scale[:, None] * vectors)[:, keep], values[keep]
