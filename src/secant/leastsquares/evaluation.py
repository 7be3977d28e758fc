"""The residuals at one x, and their Jacobian in whatever form it can be had.

A front end (arrays in `functions`, PyTorch in `secant.torch.residuals`) turns what the user gave into one
callable ``x -> Evaluation``. The Jacobian comes whole, in blocks of rows that are forgotten once they are
added to the model, or as products only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from secant.arrays import Array, HostArray, like, to_numpy

Block = tuple[slice, Array]
"""Some rows, and the Jacobian there."""


class Evaluation(Protocol):
    """The residuals at one x and what else can be known there."""

    @property
    def r(self) -> Array:
        """Residuals, shape (m,)."""
        ...

    @property
    def fits(self) -> bool:
        """Whether `blocks` needs no more memory than allowed."""
        ...

    def blocks(self) -> Iterator[Block]:
        """The Jacobian in blocks of rows; a block may be overwritten by the next."""
        ...

    def forward(self, v: HostArray) -> Array:
        """``J v``."""
        ...

    def backward(self, u: Array) -> HostArray:
        """``J'u``."""
        ...


ResidualFunction = Callable[[Array], Evaluation]


class WholeJacobian:
    """`Evaluation` of residuals whose Jacobian is one array.

    Parameters
    ----------
    r : array, shape (m,)
    make : callable
        The Jacobian, shape (m, n), evaluated when first asked for.
    """

    __slots__ = ("_J", "make", "r")

    fits = True

    def __init__(self, r: Array, make: Callable[[], Array]) -> None:
        self.r = r
        self.make = make
        self._J: Array = None

    @property
    def J(self) -> Array:
        """The Jacobian."""
        if self._J is None:
            self._J = self.make()
        return self._J

    def blocks(self) -> Iterator[Block]:
        """All rows in one block."""
        yield slice(None), self.J

    def forward(self, v: HostArray) -> Array:
        """``J v``."""
        return self.J @ like(v, self.r)

    def backward(self, u: Array) -> HostArray:
        """``J'u``."""
        return to_numpy(self.J.T @ u).astype(float, copy=False)


def scaled_products(
    evaluation: Evaluation, rows: Array | None
) -> tuple[Callable[[HostArray], Array], Callable[[Array], HostArray]]:
    """``J v`` and ``J'u``, the rows of J times ``rows``."""
    if rows is None:
        return evaluation.forward, evaluation.backward
    return (
        lambda v: rows * evaluation.forward(v),
        lambda u: evaluation.backward(rows * u),
    )


def column_norms(evaluation: Evaluation, rows: Array | None) -> HostArray:
    """``|J e_j|``, of a Jacobian that can be had in blocks."""
    squares: HostArray | float = 0.0
    for part, J in evaluation.blocks():
        scaled = to_numpy(J if rows is None else rows[part, None] * J)
        squares += np.einsum("ij,ij->j", scaled, scaled, dtype=float)
    return np.sqrt(squares)
