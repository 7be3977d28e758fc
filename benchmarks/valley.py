"""The function on which solvers are timed: a winding valley that never ends.

    f(x) = 1/2 sum_i d_i (x_i - u_i(t))^2 - t,     t = x_0,     u_i(t) = a sin(t + p_i),     i = 1 ... n - 1

The floor of the valley falls along t for ever while it winds through all other coordinates, so a
solver neither converges nor stalls: however long it runs, it takes steps of the same kind, with new
curvature in each, and its first trial is mostly accepted. Sizes of f, g, s and y do not depend on n, and
stay, so that tests against absolute tolerances behave alike for all n, in float32 as well as in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

STIFF = 1e3
"""Curvatures d are spread from 1 to this, evenly on a logarithmic scale."""

AMPLITUDE = 2.0
"""Radius of the helix in R^(n-1): a = AMPLITUDE / sqrt(n - 1)."""


@dataclass(frozen=True)
class Valley:
    """The function with its tables, in one library and dtype.

    Attributes
    ----------
    d, cosine, sine : array, shape (n - 1,)
        Curvatures, and ``a cos p_i`` and ``a sin p_i``.
    """

    d: Any
    cosine: Any
    sine: Any

    def start(self) -> Any:
        """The origin, shape (n,)."""
        if isinstance(self.d, np.ndarray):
            return np.zeros(self.d.shape[0] + 1, dtype=self.d.dtype)
        return self.d.new_zeros(self.d.shape[0] + 1)

    def __call__(self, x: Any) -> tuple[float, Any]:
        """Value and gradient."""
        t = float(x[0])
        s, c = math.sin(t), math.cos(t)
        away = x[1:] - (s * self.cosine + c * self.sine)
        force = self.d * away
        g = np.empty_like(x) if isinstance(x, np.ndarray) else x.new_empty(x.shape)
        g[1:] = force
        g[0] = -1.0 - float(force @ (c * self.cosine - s * self.sine))
        return 0.5 * float(force @ away) - t, g


def valley(n: int, library: str = "numpy", dtype: str = "float64") -> Valley:
    """The valley in n >= 2 dimensions; phases and order of the curvatures are the same each time."""
    rng = np.random.default_rng(0)
    phases = rng.uniform(0.0, 2.0 * math.pi, n - 1)
    d = rng.permutation(np.geomspace(1.0, STIFF, n - 1))
    a = AMPLITUDE / math.sqrt(n - 1)
    tables = [d, a * np.cos(phases), a * np.sin(phases)]
    tables = [table.astype(dtype) for table in tables]
    if library == "torch":
        import torch

        tables = [torch.from_numpy(table) for table in tables]
    return Valley(*tables)
