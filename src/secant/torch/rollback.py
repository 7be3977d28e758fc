"""A curvature memory as it was, should the closure raise in the middle of a step.

Memories that are replaced and not changed need nothing. Those that work in place are put back: the ring of
pairs by the rows that new pairs overwrote, two for an iteration, and a dense matrix from a copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from secant import arrays
from secant.curvature.broyden import DenseInverse
from secant.curvature.limited_memory import PairRing
from secant.units import unit_and_content


class Rollback:
    """What it takes to undo the updates of one step.

    Parameters
    ----------
    memory : object
        The memory at the beginning of the step, or None if there is none yet.
    iterations : int
        Iterations to come. The last one's update is not followed by an evaluation that could raise.
    """

    def __init__(self, memory: Any, iterations: int) -> None:
        self._memory = memory = unit_and_content(memory)[1]
        self._rows: dict[int, Any] = {}
        self._small: tuple[Any, ...] = ()
        if isinstance(memory, PairRing):
            kept = memory.gram.copy(), memory.pairs, memory.oldest, memory.gamma
            self._small = (*kept, memory.g, memory.Wg)
        elif isinstance(memory, DenseInverse):
            M = memory.H.M
            if iterations > 1:  # in the order of the columns, as BLAS wants it
                M = M.copy(order="K") if isinstance(M, np.ndarray) else M.clone()
            self._small = M, memory.H.scale, memory.is_initial

    def before_iteration(self, memory: Any) -> None:
        """Keep what the next update may overwrite."""
        ring = self._memory
        if unit_and_content(memory)[1] is not ring or not isinstance(ring, PairRing):
            return
        if ring.pairs == ring.gram.shape[1] and ring.oldest not in self._rows:
            first = 2 * ring.oldest
            self._rows[ring.oldest] = arrays.copy(ring.W[first : first + 2, :])

    def undo(self) -> None:
        """Put the memory back."""
        memory = self._memory
        if isinstance(memory, PairRing):
            for slot, rows in self._rows.items():
                memory.W[2 * slot : 2 * slot + 2, :] = rows
            gram, memory.pairs, memory.oldest, memory.gamma, memory.g, memory.Wg = self._small
            memory.gram = gram
        elif isinstance(memory, DenseInverse):
            memory.H.M, memory.H.scale, memory.is_initial = self._small
