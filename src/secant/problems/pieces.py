"""The three array manipulations that the formulas of the test problems share."""

from __future__ import annotations

from collections.abc import Sequence

from secant.arrays import Array, device, namespace

__all__ = ["identity", "interleave", "matrix", "split"]


def split(x: Array) -> list[Array]:
    """Return the entries of x as views of length one.

    They broadcast like scalars and, unlike NumPy's scalars, never promote float32 to float64.
    """
    return [x[i : i + 1] for i in range(x.shape[0])]


def identity(x: Array) -> Array:
    """Return the n by n identity in the library, dtype and device of x."""
    xp = namespace(x)
    return xp.eye(x.shape[0], dtype=x.dtype, device=device(x))


def matrix(entries: Sequence[Array], columns: int) -> Array:
    """Return the matrix whose entries, row by row, are these arrays of length one."""
    xp = namespace(entries[0])
    return xp.reshape(xp.concat(entries), (-1, columns))


def interleave(*parts: Array) -> Array:
    """Return p1[0], p2[0], ..., p1[1], p2[1], ... along the first axis."""
    xp = namespace(parts[0])
    return xp.reshape(xp.stack(parts, axis=1), (-1, *parts[0].shape[1:]))
