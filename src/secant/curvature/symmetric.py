"""A dense symmetric matrix ``scale * M`` with cheap products and rank-two updates in place.

NumPy's lives in one triangle of a column-major array and is touched by BLAS ``symv`` and ``syr2`` alone: a
product reads n^2/2 numbers, an update reads and writes as many. PyTorch's is full and updated by
one in-place ``addmm_``; other libraries add outer products.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from secant.arrays import Array, device, is_torch, namespace


@dataclass(slots=True)
class SymmetricMatrix:
    """``scale * M``, where in NumPy only the lower triangle of ``M`` is kept true."""

    M: Array
    scale: float = 1.0

    @classmethod
    def identity(cls, x: Array) -> SymmetricMatrix:
        """The identity of the size, library, dtype and device of ``x``."""
        n = x.shape[0]
        if _has_blas(x):
            return cls(np.eye(n, dtype=x.dtype, order="F"))
        xp = namespace(x)
        return cls(xp.eye(n, dtype=x.dtype, device=device(x)))

    @classmethod
    def of(cls, matrix: Array) -> SymmetricMatrix:
        """A copy of a full symmetric array."""
        if _has_blas(matrix):
            return cls(np.array(matrix, order="F"))
        return cls(namespace(matrix).asarray(matrix, copy=True))

    def __matmul__(self, v: Array) -> Array:
        return self.times(v)

    def times(self, v: Array, scale: float = 1.0) -> Array:
        """``scale`` times the product with ``v``."""
        if _has_blas(self.M):
            return _blas(self.M.dtype.char).symv(scale * self.scale, self.M, v, lower=1)
        product = self.M @ v
        product *= scale * self.scale
        return product

    def add_rank_two(self, p: Array, q: Array, weight: float) -> None:
        """``+ weight (p q' + q p')``, in place."""
        weight /= self.scale
        if _has_blas(self.M):
            self.M = _blas(self.M.dtype.char).syr2(weight, p, q, lower=1, a=self.M, overwrite_a=1)
        elif is_torch(self.M):
            stack = namespace(p).stack
            self.M.addmm_(stack([p, q], dim=1), stack([q, p]), alpha=weight)
        else:
            outer = p[:, None] * q[None, :]
            self.M += weight * (outer + outer.T)

    def full(self) -> Array:
        """The whole matrix, as a new array."""
        if _has_blas(self.M):
            lower = np.tril(self.M) * self.scale
            return lower + np.tril(lower, -1).T
        return self.M * self.scale


def _has_blas(x: Array) -> bool:
    return type(x) is np.ndarray and x.dtype.char in "df"


@dataclass(frozen=True)
class _Blas:
    symv: Any
    syr2: Any


@cache
def _blas(char: str) -> _Blas:
    from scipy.linalg import blas  # costs a quarter of a second: not at `import secant`

    if char == "d":
        return _Blas(blas.dsymv, blas.dsyr2)
    return _Blas(blas.ssymv, blas.ssyr2)
