"""Symmetric matrices of which only products with vectors are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from secant import checks
from secant.arrays import (
    Array,
    HostArray,
    copy,
    eps_of,
    is_array,
    is_torch,
    like,
    namespace,
    read,
)
from secant.functions import real_floating
from secant.returned_values import copied_like

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
        # a function may write into what it is given
        self._product: Product = (lambda v: B @ v) if has_product else (lambda v: B(copy(v)))
        self.example = example
        self.n = int(example.shape[0])
        self.products = 0

    def __matmul__(self, v: Array) -> Array:
        self.products += 1
        w = self._product(v)
        if type(w) is not type(v) or w.dtype != v.dtype:
            w = copied_like("B", w, self.example)
        if tuple(w.shape) != (self.n,):
            raise ValueError(
                f"B must return a vector of {self.n} numbers, got shape {tuple(w.shape)}"
            )
        return w

    def vector(self, values: HostArray) -> Array:
        """Numbers on the host as a vector that ``B`` can multiply."""
        return like(values, self.example)


def as_symmetric(B: Any, n: int | None, example: Array | None) -> Symmetric:
    """What a user gives for a matrix: itself, an operator or a callable with its size."""
    if isinstance(B, Symmetric):
        return B
    if isinstance(B, (list, tuple)) or hasattr(B, "to_numpy"):  # nested lists, a table
        B = np.asarray(B)
    if is_array(B):
        B = _checked(B.detach() if is_torch(B) else B)
        return Symmetric(B, B[:, 0])
    if example is None:
        _require_product(B)
        size = getattr(B, "shape", (None,))[0] if n is None else n
        if size is None:
            raise ValueError("n must be given for a callable: the number of variables, got None")
        checks.count("n", size)
        example = np.zeros(size)
    return Symmetric(B, example)


def _checked(B: Array) -> Array:
    """A matrix of real numbers; one clear sentence if it is not square or not symmetric."""
    if len(B.shape) != 2 or B.shape[0] != B.shape[1] or B.shape[0] == 0:
        raise ValueError(f"B must be a square matrix, got shape {tuple(B.shape)}")
    B = real_floating("B", B)
    xp = namespace(B)
    gap, size = read(xp.max(xp.abs(B - B.T)), xp.max(xp.abs(B)))
    if gap > eps_of(B) ** 0.25 * size:  # differences of gradients leave less
        raise ValueError(
            f"B must be symmetric, got |B - B'| up to {gap:.3g} beside |B| up to {size:.3g}"
        )
    return B


def _require_product(B: Any) -> None:
    known = hasattr(B, "__matmul__") or callable(B)
    checks.require(known, "B", B, "a matrix, an operator with @ or a callable")
