"""Symmetric matrices of which only products with vectors are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from secant import checks
from secant.arrays import Array, HostArray, is_array, like

Product = Callable[[Array], Array]


class Symmetric:
    """A symmetric n x n matrix ``B`` by its products, which are counted.

    Parameters
    ----------
    B : array, shape (n, n), object with ``@``, or callable ``v -> B v``
    example : array, shape (n,)
        A vector of the kind that ``B`` multiplies; its numbers do not matter.

    Attributes
    ----------
    n : int
    products : int
        Products so far.
    """

    def __init__(self, B: Any, example: Array) -> None:
        has_product = hasattr(B, "__matmul__")
        checks.require(
            has_product or callable(B), "B", B, "a matrix, an operator with @ or a callable"
        )
        self._product: Product = (lambda v: B @ v) if has_product else B
        self.example = example
        self.n = int(example.shape[0])
        self.products = 0

    def __matmul__(self, v: Array) -> Array:
        self.products += 1
        return self._product(v)

    def vector(self, values: HostArray) -> Array:
        """Numbers on the host as a vector that ``B`` can multiply."""
        return like(values, self.example)


def as_symmetric(B: Any, n: int | None, example: Array | None) -> Symmetric:
    """What a user gives for a matrix: itself, an operator or a callable with its size."""
    if isinstance(B, Symmetric):
        return B
    if is_array(B):
        square = len(B.shape) == 2 and B.shape[0] == B.shape[1]
        checks.require(square, "B", f"shape {tuple(B.shape)}", "a square matrix")
        return Symmetric(B, B[:, 0])
    if example is None:
        _require_product(B)
        size = getattr(B, "shape", (None,))[0] if n is None else n
        if size is None:
            raise ValueError("n must be given for a callable: the number of variables, got None")
        checks.count("n", size)
        example = np.zeros(size)
    return Symmetric(B, example)


def _require_product(B: Any) -> None:
    known = hasattr(B, "__matmul__") or callable(B)
    checks.require(known, "B", B, "a matrix, an operator with @ or a callable")
