"""A symmetric matrix as far as methods need to know it, and what keeps one up to date."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy as shallow_copy
from typing import Any, Protocol

from secant.arrays import Array, copy, device, like, namespace, to_numpy
from secant.pair import SecantPair
from secant.point import Point


class Operator(Protocol):
    """The model ``B`` of the Hessian, by its inverse ``H = B^-1``."""

    @property
    def is_initial(self) -> bool:
        """Whether nothing has been learned since the start or the last reset."""
        ...

    def solve(self, v: Array, scale: float = 1.0) -> Array:
        """``scale * B^-1 v``, a new vector."""
        ...


class Curvature(Protocol):
    """A way of getting ``B``: configuration only; what is learned lives in the operator."""

    def init(self, point: Point) -> Any:
        """The operator at the start."""
        ...

    def update(self, B: Any, pair: SecantPair, point: Point) -> Any:
        """The operator after ``pair``; it takes ownership of ``B`` and may work in place."""
        ...


class InverseHessian:
    """An operator's inverse as the user sees it: ``hess_inv @ v`` and ``hess_inv.todense()``.

    Parameters
    ----------
    operator : Operator
    x : array
        A vector of the library that the operator works in.
    outside : callable
        From that library's vectors to the user's.

    Attributes
    ----------
    shape : tuple of int
        ``(n, n)``.
    """

    def __init__(self, operator: Operator, x: Array, outside: Callable[[Array], Array]) -> None:
        self._operator = operator
        self._x = x
        self._outside = outside
        self.shape = (x.shape[0], x.shape[0])

    def __matmul__(self, v: Array) -> Array:
        if tuple(v.shape) != self.shape[:1]:
            raise ValueError(f"v must have shape {self.shape[:1]}, got {tuple(v.shape)}")
        # a copy: operators know their last vector by identity, and the user may write to v
        inside = copy(v) if type(v) is type(self._x) else like(to_numpy(v), self._x)
        return self._outside(self._reader().solve(inside))

    def todense(self) -> Array:
        """The whole matrix, shape (n, n)."""
        n = self.shape[0]
        xp = namespace(self._x)
        identity = xp.eye(n, dtype=self._x.dtype, device=device(self._x))
        columns = self._reader()
        return self._outside(xp.stack([columns.solve(identity[i, :]) for i in range(n)]))

    def _reader(self) -> Operator:
        """The operator with a place of its own for the products that it keeps for its next pair."""
        return shallow_copy(self._operator)

    def __repr__(self) -> str:
        return f"InverseHessian(shape={self.shape}, {type(self._operator).__name__})"
