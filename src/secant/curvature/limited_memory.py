"""L-BFGS in its compact form, on one preallocated ring of pairs.

With the last m pairs as columns of S and Y, oldest first, ``R`` the upper triangle of ``S'Y`` and ``D`` its
diagonal,

    H = gamma I + [S  gamma Y] [ R^-T (D + gamma Y'Y) R^-1   -R^-T ] [   S'    ]
                               [       -R^-1                   0   ] [ gamma Y']

so that ``H g`` takes one pass over the pairs for ``S'g`` and ``Y'g``, two triangular solves with m x m
matrices on the host, and one pass for the sum of the columns. The new column of ``S'Y`` and ``Y'Y`` costs
no pass of its own: it is the change of ``S'g`` and ``Y'g`` between the two ends of the step.

References
----------
Byrd, Nocedal & Schnabel, *Math. Program.* 63, 129 (1994), Theorem 2.2 and section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from secant import checks
from secant.arrays import (
    Array,
    HostArray,
    combine,
    dtype_named,
    host_blas,
    products,
    zeros,
)
from secant.pair import SecantPair
from secant.point import Point

_SMALL_CHANGE = 1e-3
"""Below this ratio of ``|y|`` to ``|g|``, differences of ``S'g`` lose too many digits for ``S'y``."""


@dataclass(slots=True)
class PairRing:
    """The operator: a ring of pairs and their small Gram matrices.

    Attributes
    ----------
    W : array, shape (2m, n)
        Rows ``s_0, y_0, s_1, y_1 ...`` in the order of storing; a new pair takes the oldest one's
        place.
    gram : array on the host, shape (2, m, m)
        ``S'Y`` (its upper triangle) and ``Y'Y``, oldest pair first.
    pairs, oldest : int
        How many pairs are held, and the slot of the oldest.
    gamma : float
        ``H = gamma I`` before any pair.
    g, Wg : array, array on the host
        The vector solved for last and its products with the rows, kept for the next pair.
    """

    W: Array
    gram: HostArray
    pairs: int = 0
    oldest: int = 0
    gamma: float = 1.0
    g: Array = None
    Wg: HostArray | None = None

    @classmethod
    def empty(cls, memory: int, x: Array, dtype: Any = None) -> PairRing:
        """A ring of ``memory`` pairs like ``x``, kept in another dtype if one is given."""
        return cls(zeros((2 * memory, x.shape[0]), x, dtype), np.zeros((2, memory, memory)))

    @property
    def is_initial(self) -> bool:
        return self.pairs == 0

    @property
    def size(self) -> int:
        """Numbers in the ring."""
        return int(self.W.shape[0] * self.W.shape[1])

    # ------------------------------------------------------------------------------- products

    def solve(self, v: Array, scale: float = 1.0) -> Array:
        """``scale * H v``."""
        k, gamma = self.pairs, self.gamma
        if k == 0:
            return (scale * gamma) * v
        if v is not self.g or self.Wg is None:
            self.g, self.Wg = v, self._products(v)
        by_age, by_row = _orders(k, self.oldest)
        R, YY = self.gram if k == self.gram.shape[1] else self.gram[:, :k, :k]
        blas, L = (
            host_blas(),
            R.T,
        )  # BLAS sees the row-major R as the transpose L of a lower triangle
        p = self.Wg[by_age]  # S'v, Y'v
        blas.trsv(L, p, 1, 0, 1, 1, 0, 1)  # t = R^-1 S'v, Y'v
        blas.gemv(gamma, YY.T, p, -gamma, p, 0, 1, k, 1, 0, 1)  # t, gamma (Y'Y t - Y'v)
        p[k:] += R.diagonal() * p[:k]
        blas.trsv(L, p, 1, k, 1, 0, 0, 1)  # t, the weights of S
        blas.scal(-gamma, p, k)  # the weights of Y, those of S
        return combine(p[by_row], self._rows(), scale * gamma, v, scale)

    def _products(self, v: Array) -> HostArray:
        """``s_i'v`` and ``y_i'v`` in the order of the rows."""
        return products(self._rows(), v)

    def _rows(self) -> Array:
        W, filled = self.W, 2 * self.pairs
        return W if filled == W.shape[0] else W[:filled, :]

    # -------------------------------------------------------------------------------- learning

    def learn(self, pair: SecantPair, g: Array) -> None:
        """Store ``pair``, whose step ended where the gradient is ``g``; the oldest makes room."""
        before = self.Wg if self.g is pair.before.g else None
        row = 2 * self._make_room()
        pair.write(self.W[row, :], self.W[row + 1, :])
        after = self._products(g)
        if before is None or _loses_digits(pair):
            columns = self._products(pair.y)
        elif before.shape == after.shape:
            columns = after - before
        else:
            columns = after.copy()
            columns[: before.shape[0]] -= before
        self._store(columns, pair)
        self.gamma = pair.sy / pair.yy
        self.g, self.Wg = g, after

    def _make_room(self) -> int:
        memory = self.gram.shape[1]
        if self.pairs < memory:
            self.pairs += 1
            return self.pairs - 1
        slot = self.oldest
        self.oldest = (slot + 1) % memory
        # up and to the left by one: in memory, m + 1 numbers; what wraps around is overwritten next
        flat = self.gram.reshape(-1)
        flat[: -memory - 1] = flat[memory + 1 :]
        return slot

    def _store(self, columns: HostArray, pair: SecantPair) -> None:
        """The last column of ``S'Y`` and ``Y'Y``, from the products of ``y`` with all rows."""
        k, gram = self.pairs, self.gram
        by_age = columns[_orders(k, self.oldest)[0]]
        gram[0, :k, k - 1] = by_age[:k]
        gram[1, :k, k - 1] = gram[1, k - 1, :k] = by_age[k:]
        gram[0, k - 1, k - 1] = pair.sy
        gram[1, k - 1, k - 1] = pair.yy


def _loses_digits(pair: SecantPair) -> bool:
    """Whether the change of ``S'g`` would be a poor ``S'y``."""
    return pair.is_damped or pair.yy < (_SMALL_CHANGE * pair.before.optimality) ** 2


@cache
def _orders(pairs: int, oldest: int) -> tuple[HostArray, HostArray]:
    """From the order of the rows to all s, then all y, oldest first; back from all y, then all s."""
    ages = (oldest + np.arange(pairs)) % pairs
    by_age = np.concatenate([2 * ages, 2 * ages + 1])
    return by_age, np.argsort(np.roll(by_age, pairs))


@dataclass(frozen=True)
class LimitedMemory:
    """The last ``memory`` pairs, in compact form.

    Parameters
    ----------
    memory : int
        Number of pairs m; extra memory is 2 m n numbers.
    history_dtype : str, optional
        Keep the pairs in this dtype, such as ``"float32"`` under a float64 run, which halves the
        memory and the traffic; the variables' own when left out.
    """

    memory: int = 12
    history_dtype: str | None = None
    scaled_by_pairs: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checks.count("memory", self.memory)

    def init(self, point: Point) -> PairRing:
        """An empty ring."""
        x, name = point.x, self.history_dtype
        return PairRing.empty(self.memory, x, None if name is None else dtype_named(name, x))

    def update(self, B: PairRing, pair: SecantPair, point: Point) -> PairRing:
        """``pair`` in the place of the oldest."""
        B.learn(pair, point.g)
        return B
