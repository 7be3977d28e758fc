"""What an iteration costs at least: its numbers read once from where they lie.

Dot products of distinct arrays read at the machine's bandwidth and keep nothing. The arrays of a floor
are of the sizes that the solver has, all of them in use in turn, so that they are served from the same
caches. Measured with one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import thread_time
from typing import Any

import numpy as np

SHORTEST = 5e-4
"""Seconds that a measurement lasts at least."""


class Floor:
    """Passes over arrays, timed.

    Parameters
    ----------
    sizes : sequence of (int, int)
        Numbers in an array, and how often it is read.
    library, dtype : str
    """

    def __init__(self, sizes: Sequence[tuple[int, int]], library: str, dtype: str) -> None:
        self._reads: list[tuple[Any, Any]] = []
        for size, times in sizes:
            half = size // 2
            a, b = (_filled(half, library, dtype) for _ in range(2))
            self._reads += [(a, b)] * times
        self._loops = 1
        while self.measure() * self._loops < SHORTEST:
            self._loops *= 2

    def measure(self) -> float:
        """Seconds of processor time of one round of passes."""
        began = thread_time()
        for _ in range(self._loops):
            for a, b in self._reads:
                a.dot(b)
        return (thread_time() - began) / self._loops


def limited_memory(n: int, memory: int, library: str, dtype: str) -> Floor:
    """Two passes over the (2m, n) block of pairs and ten over n numbers."""
    return Floor([(2 * memory * n, 2), *[(2 * n, 1)] * 5], library, dtype)


def dense(n: int, library: str, dtype: str) -> Floor:
    """Three passes over an n x n matrix."""
    return Floor([(n * n, 3)], library, dtype)


def _filled(size: int, library: str, dtype: str) -> Any:
    values = np.full(size, 0.5, dtype=dtype)
    if library == "numpy":
        return values
    import torch

    return torch.from_numpy(values)
