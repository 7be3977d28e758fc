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
from typing import Any

import numpy as np

from secant import checks
from secant.arrays import (
    Array,
    HostArray,
    cast,
    combine,
    dot,
    dtype_named,
    scale_into,
    to_numpy,
    zeros,
)
from secant.pair import SecantPair
from secant.problem import Point

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
        by_age, by_slot = _orders(k, self.oldest)
        Wv = self.Wg.take(by_age)
        if scale != 1.0:
            Wv *= scale
        R, YY = self.gram if k == self.gram.shape[1] else self.gram[:, :k, :k]
        t = _solve_upper(R, Wv[:k])
        middle = YY.dot(t)
        middle -= Wv[k:]
        middle *= gamma
        middle += R.diagonal() * t
        weights = np.empty(2 * k)
        weights[:k] = _solve_upper_transposed(R, middle)
        np.multiply(t, -gamma, out=weights[k:])
        return combine(weights.take(by_slot), self._rows(), scale * gamma, v)

    def _products(self, v: Array) -> HostArray:
        """``s_i'v`` and ``y_i'v`` in the order of the rows."""
        rows = self._rows()
        return to_numpy(dot(rows, cast(v, rows.dtype)))

    def _rows(self) -> Array:
        return self.W if 2 * self.pairs == self.W.shape[0] else self.W[: 2 * self.pairs, :]

    # -------------------------------------------------------------------------------- learning

    def learn(self, pair: SecantPair, g: Array) -> None:
        """Store ``pair``, whose step ended where the gradient is ``g``; the oldest makes room."""
        before = self.Wg if self.g is pair.before.g else None
        row = 2 * self._make_room()
        scale_into(self.W[row, :], pair.alpha, pair.d)
        self.W[row + 1, :] = pair.y
        after = self._products(g)
        if before is None or _loses_digits(pair):
            columns = self._products(pair.y)
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
        flat = self.gram.reshape(2, memory * memory)
        flat[:, : -memory - 1] = flat[:, memory + 1 :]
        return slot

    def _store(self, columns: HostArray, pair: SecantPair) -> None:
        """The last column of ``S'Y`` and ``Y'Y``, from the products of ``y`` with all rows."""
        k, gram = self.pairs, self.gram
        by_age = columns.take(_orders(k, self.oldest)[0]).reshape(2, k)
        gram[:, :k, k - 1] = by_age
        gram[1, k - 1, :k] = by_age[1]
        gram[0, k - 1, k - 1] = pair.sy
        gram[1, k - 1, k - 1] = pair.yy


def _loses_digits(pair: SecantPair) -> bool:
    """Whether the change of ``S'g`` would be a poor ``S'y``."""
    return pair.is_damped or pair.yy < (_SMALL_CHANGE * pair.before.optimality) ** 2


@cache
def _orders(pairs: int, oldest: int) -> tuple[HostArray, HostArray]:
    """From the order of the rows to all s, then all y, oldest first; and the way back."""
    ages = (oldest + np.arange(pairs)) % pairs
    by_age = np.concatenate([2 * ages, 2 * ages + 1])
    return by_age, np.argsort(by_age)


@cache
def _trsv() -> Any:
    from scipy.linalg.blas import dtrsv  # costs a quarter of a second: not at `import secant`

    return dtrsv


def _solve_upper(R: HostArray, b: HostArray) -> HostArray:
    """``R^-1 b``. BLAS sees the row-major ``R`` as the transpose of a lower triangle."""
    return _trsv()(R.T, b, lower=1, trans=1)  # type: ignore[no-any-return]


def _solve_upper_transposed(R: HostArray, b: HostArray) -> HostArray:
    """``R^-T b``."""
    return _trsv()(R.T, b, lower=1)  # type: ignore[no-any-return]


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
