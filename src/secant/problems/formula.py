"""How a test problem is written down: as a sum of squares, or directly with its gradient.

The methods of a formula take 1-D arrays of any library and return arrays of the same library,
dtype and device; they are differentiable wherever the library differentiates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from secant.arrays import Array

__all__ = ["Direct", "Formula", "SumOfSquares"]


class Formula(Protocol):
    """What an objective needs from the formula behind it."""

    def value(self, x: Array) -> Array:
        """Return f(x)."""
        ...

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return f(x) and its gradient, sharing what the two have in common."""
        ...


@dataclass(frozen=True, slots=True)
class SumOfSquares:
    """A sum of squares f = Σ r_i², with gradient g = 2 J'r (no factor ½: Moré et al., 1981).

    Parameters
    ----------
    residuals : callable
        x of shape (n,) to r of shape (m,).
    jacobian : callable
        x to J of shape (m, n), J_ij = ∂r_i/∂x_j.
    pullback : callable, optional
        (x, r) to J'r without forming J, which keeps large n linear in memory.
    """

    residuals: Callable[[Array], Array]
    jacobian: Callable[[Array], Array]
    pullback: Callable[[Array, Array], Array] | None = None

    def value(self, x: Array) -> Array:
        """Return Σ r_i(x)²."""
        r = self.residuals(x)
        return r @ r

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return Σ r_i² and 2 J'r."""
        r = self.residuals(x)
        half = r @ self.jacobian(x) if self.pullback is None else self.pullback(x, r)
        return r @ r, 2.0 * half


@dataclass(frozen=True, slots=True)
class Direct:
    """A function given by its value and its gradient.

    Parameters
    ----------
    value : callable
        x of shape (n,) to f, a scalar.
    gradient : callable
        x to g of shape (n,).
    """

    value: Callable[[Array], Array]
    gradient: Callable[[Array], Array]

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return f(x) and its gradient."""
        return self.value(x), self.gradient(x)
