"""Subproblems of every kind: convex, indefinite, and the hard case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from secant.curvature.exact import HostMatrix


@dataclass(frozen=True)
class Case:
    """``g``, ``B`` and a radius."""

    name: str
    g: Any
    B: Any
    radius: float

    def __str__(self) -> str:
        return self.name

    @property
    def operator(self) -> HostMatrix:
        return HostMatrix(self.B)

    def m(self, p: Any) -> float:
        """The model."""
        return float(self.g @ p + 0.5 * p @ (self.B @ p))


def symmetric(eigenvalues: Any, seed: int) -> tuple[Any, Any]:
    """A matrix with these eigenvalues in a random basis, and the basis."""
    n = len(eigenvalues)
    Q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))
    B = (Q * np.asarray(eigenvalues)) @ Q.T
    return 0.5 * (B + B.T), Q


def cases() -> list[Case]:
    found = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(2, 25))
        g = rng.standard_normal(n)
        convex, _ = symmetric(np.geomspace(1e-2, 1e2, n), seed)
        indefinite, _ = symmetric(rng.standard_normal(n) * 3.0, seed)
        for radius in (1e-3, 0.5, 1e3):
            found.append(Case(f"convex-{seed}-{radius}", g, convex, radius))
            found.append(Case(f"indefinite-{seed}-{radius}", g, indefinite, radius))
    return found + hard_cases()


def hard_cases() -> list[Case]:
    """``g`` orthogonal to the eigenvectors of the least eigenvalue, which may be multiple."""
    found = []
    for seed, multiplicity in [(0, 1), (1, 1), (2, 2), (3, 3)]:
        n = 8
        values = np.linspace(-2.0, 4.0, n)
        values[:multiplicity] = -2.0
        B, Q = symmetric(values, seed)
        g = Q[:, multiplicity:] @ np.random.default_rng(seed).standard_normal(n - multiplicity)
        found.append(Case(f"hard-{seed}", g, B, 10.0))
    found.append(Case("hard-diagonal", np.array([1.0, 0.0]), np.diag([3.0, -1.0]), 1.0))
    return found


CASES = cases()
HARD = hard_cases()
CONVEX = [case for case in CASES if case.name.startswith("convex")]
