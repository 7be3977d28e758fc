"""Curves to be fitted: models with data, derivatives, and the same model for JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Curve:
    """A model with its data, its derivatives, and the same for JAX."""

    name: str
    x: np.ndarray
    y: np.ndarray
    start: tuple[float, ...]
    model: Callable[..., Any]
    jacobian: Callable[[np.ndarray], np.ndarray]

    def residuals(self, b: np.ndarray) -> np.ndarray:
        """``model - y``."""
        return np.asarray(self.model(np, self.x, b) - self.y)


def curves() -> list[Curve]:
    """A small fit, and two of many data."""
    rng = np.random.default_rng(0)
    return [decay(14, rng), two_peaks(10_000, rng), two_peaks(300_000, rng)]


def decay(m: int, rng: np.random.Generator) -> Curve:
    """An exponential and a constant, 3 parameters."""
    x = np.linspace(0.0, 4.0, m)

    def model(xp: Any, x: Any, b: Any) -> Any:
        return b[0] * xp.exp(-b[1] * x) + b[2]

    def jacobian(b: np.ndarray) -> np.ndarray:
        e = np.exp(-b[1] * x)
        return np.stack([e, -b[0] * x * e, np.ones_like(x)], axis=1)

    y = model(np, x, [2.5, 1.3, 0.5]) + 0.02 * rng.standard_normal(m)
    return Curve(f"exponential, {m} data", x, y, (1.0, 0.5, 0.0), model, jacobian)


def two_peaks(m: int, rng: np.random.Generator) -> Curve:
    """Two Gaussians on an exponential, 8 parameters."""
    x = np.linspace(0.0, 5.0, m)

    def model(xp: Any, x: Any, b: Any) -> Any:
        first = b[0] * xp.exp(-(((x - b[1]) / b[2]) ** 2))
        second = b[3] * xp.exp(-(((x - b[4]) / b[5]) ** 2))
        return first + second + b[6] * xp.exp(-b[7] * x)

    def jacobian(b: np.ndarray) -> np.ndarray:
        J = np.empty((x.size, 8), order="F")
        for k in (0, 3):
            z = (x - b[k + 1]) / b[k + 2]
            e = np.exp(-z * z)
            J[:, k], J[:, k + 1] = e, 2 * b[k] * e * z / b[k + 2]
            J[:, k + 2] = J[:, k + 1] * z
        e = np.exp(-b[7] * x)
        J[:, 6], J[:, 7] = e, -b[6] * x * e
        return J

    true = np.array([4.0, 1.5, 0.3, 2.5, 2.6, 0.5, 3.0, 0.4])
    y = model(np, x, true) + 0.05 * rng.standard_normal(m)
    start = (3.0, 1.3, 0.5, 2.0, 2.9, 0.4, 2.0, 0.2)
    return Curve(f"two peaks, {m} data", x, y, start, model, jacobian)
