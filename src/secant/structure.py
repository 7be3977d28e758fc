"""Between the flat vector inside and what the user's function takes: shapes, nests, modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from secant.arrays import Array, is_array, namespace, reshape


class Structure(Protocol):
    """How the flat vector looks from outside."""

    def nest(self, flat: Array) -> Any:
        """``flat`` in the shape of ``x0``."""
        ...

    def vector(self, flat: Array) -> Array:
        """``flat`` as a vector of the user's library."""
        ...

    def present(self, flat: Array) -> None:
        """Let the user's own objects hold ``flat``, where there are any."""
        ...


@dataclass(frozen=True)
class Shape:
    """One array of any shape."""

    shape: tuple[int, ...]

    def nest(self, flat: Array) -> Array:
        """``flat``, reshaped (a view)."""
        return flat if len(self.shape) == 1 else reshape(flat, self.shape)

    def vector(self, flat: Array) -> Array:
        """``flat`` itself."""
        return flat

    def present(self, flat: Array) -> None:
        """The user holds no array of ours."""


@dataclass(frozen=True)
class Nest:
    """A dict, list or tuple of arrays, nested at will, by way of `optree`."""

    treespec: Any
    shapes: tuple[tuple[int, ...], ...]

    def nest(self, flat: Array) -> Any:
        """Views of ``flat`` in the user's nest."""
        leaves, start = [], 0
        for shape in self.shapes:
            stop = start + _size(shape)
            leaves.append(reshape(flat[start:stop], shape))
            start = stop
        return self.treespec.unflatten(leaves)

    def vector(self, flat: Array) -> Array:
        """``flat`` itself."""
        return flat

    def present(self, flat: Array) -> None:
        """The user holds no array of ours."""


def flatten_nest(x: Any) -> tuple[list[Array], Any]:
    """Leaves and treespec of a nest."""
    try:
        import optree
    except ImportError:
        raise ImportError(
            "x0 is a dict, list or tuple of arrays, which needs optree; "
            "install it with: pip install 'secant[tree]'"
        ) from None
    leaves, treespec = optree.tree_flatten(x)
    return leaves, treespec


def is_nest(x: Any) -> bool:
    """Whether ``x`` is a container with an array somewhere inside (a list of numbers is not)."""
    if isinstance(x, dict):
        return True
    return isinstance(x, (list, tuple)) and any(
        is_nest(item) or (is_array(item) and getattr(item, "ndim", 0) > 0) for item in x
    )


def ravel(leaves: list[Array]) -> Array:
    """One new flat vector of all elements."""
    return namespace(leaves[0]).concat([reshape(leaf, (-1,)) for leaf in leaves])


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size
