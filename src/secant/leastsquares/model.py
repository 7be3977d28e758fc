"""What a damped step needs to know of a linear least-squares problem ``min |J p + r|^2``.

Each way to solve it is a file of its own: `qr` (orthogonal, accurate), `normal` (Cholesky of ``J'J``, fast)
and `matrix_free` (products with ``J`` alone). All but the last hold n x n numbers, whatever m is: blocks of
rows of ``J`` are added one after the other, so that ``J`` never has to exist whole.

The algebra in n dimensions is LAPACK's on the host, in float64.
"""

from __future__ import annotations

from typing import Protocol

from secant.arrays import Array, HostArray


class Factor(Protocol):
    """The factorised ``J'J + lambda D^2``."""

    def solve(self) -> HostArray:
        """``p``, the minimiser of ``|J p + r|^2 + lambda |D p|^2``."""
        ...

    def inverse_norm2(self, v: HostArray) -> float:
        """``v' (J'J + lambda D^2)^-1 v``."""
        ...

    def correction(self, v: HostArray) -> HostArray:
        """``(J'J + lambda D^2)^-1 v``."""
        ...


class Model(Protocol):
    """Gauss-Newton's model of f at one point: ``m(p) = f + g'p + |J p|^2 / 2``.

    Attributes
    ----------
    g : array, shape (n,)
        ``J'r``.
    column_norms : array, shape (n,)
        ``|J e_j|``.
    floor : float
        The smallest ``lambda`` that cures a singular ``J`` (``D`` being of the size of its columns).
    """

    g: HostArray
    column_norms: HostArray
    floor: float

    def factor(self, damping: float, scale: HostArray) -> Factor | None:
        """Factorise with ``lambda = damping`` and ``D = scale``; None if singular in this precision."""
        ...

    def length2(self, p: HostArray) -> float:
        """``|J p|^2``."""
        ...

    def restrict(self, free: HostArray, p: HostArray) -> Model:
        """The model in the variables ``free`` alone, the others displaced by ``p``."""
        ...

    def covariance(self) -> HostArray | None:
        """``(J'J)^-1``, its pseudo-inverse if singular, None if it cannot be had."""
        ...


class Builder(Protocol):
    """Takes ``J`` and ``r`` in blocks of rows and gives the model."""

    def add(self, J: Array, r: Array) -> None:
        """Take the next rows."""
        ...

    def finish(self) -> Model:
        """The model of all rows."""
        ...

    def whole(self, J: Array, r: Array) -> Model:
        """The model of rows that are all there is: `add` and `finish` at once."""
        ...


def predicted_reduction(model: Model, p: HostArray) -> float:
    """``m(0) - m(p) = -g'p - |J p|^2 / 2``."""
    return float(-(model.g @ p)) - 0.5 * model.length2(p)
