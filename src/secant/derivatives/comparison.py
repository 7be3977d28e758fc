"""Derivatives as they are given, beside extrapolated differences, at several points.

Of every gap between the two, what the differences' own error explains is taken away first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from secant import arrays, checks
from secant.arrays import Array, HostArray, like, to_numpy
from secant.derivatives.differences import extrapolated
from secant.derivatives.verdict import Check, CheckedPoint

_SMALL = 1e-8
"""Components below this fraction of the largest are compared with it, not with themselves."""

_ROUND_OFF = 1000.0
"""Gaps below so many eps of the largest component of all points are round-off.

Near an optimum a gradient is what is left of terms that cancel, each as large as components elsewhere or some
times larger, and has their round-off.
"""

_HERE = "at x"


@dataclass(frozen=True)
class Extent:
    """How much is looked at.

    Attributes
    ----------
    points : int
        Points.
    components : int
        Components, or columns, in each of them at most.
    seed : int
        Of the random points, and of which components.
    """

    points: int
    components: int
    seed: int

    def __post_init__(self) -> None:
        checks.count("points", self.points)
        checks.count("components", self.components)


@dataclass(frozen=True)
class _Compared:
    """The chosen columns at one point: as given, by differences, and the differences' errors."""

    where: str
    x: Array
    chosen: HostArray
    g: HostArray
    d: HostArray
    e: HostArray


def compare(
    what: str,
    x0: Array,
    given: Callable[..., HostArray],
    values: Callable[[Array], Any],
    near: Array | None,
    extent: Extent,
    shape: tuple[int, ...] | None = None,
) -> Check:
    """The comparison at ``x0``, at ``near`` if there is such a point, and at random ones.

    Parameters
    ----------
    what : str
        ``"gradient"``, ``"Jacobian"`` or ``"Hessian"``.
    x0, near : array, shape (n,)
    given : callable
        The derivatives at a point; of a Hessian, one column of them.
    values : callable
        What the derivatives are of.
    extent : Extent
    shape : tuple of int, optional
        Of the user's ``x``, in which components of a gradient are named.
    """
    rng = np.random.default_rng(extent.seed)
    compared = []
    for where, x in _places(x0, near, extent.points, rng):
        chosen = np.sort(rng.permutation(x.shape[0])[: extent.components])
        g = _chosen(what, given, x, chosen)
        compared.append(_Compared(where, x, chosen, g, *_differences(values, x, chosen)))
    largest = max(float(np.max(np.abs(one.g), initial=0.0)) for one in compared)
    floor = _ROUND_OFF * arrays.eps_of(x0) * (largest if math.isfinite(largest) else 0.0)
    names = shape if what == "gradient" and shape is not None else tuple(x0.shape)
    return Check(what, tuple(_worst(one, floor, names) for one in compared))


def _chosen(what: str, given: Callable[..., HostArray], x: Array, chosen: HostArray) -> HostArray:
    """The columns under test: of a Hessian one product each, else parts of the whole."""
    if what == "Hessian":
        return np.stack([given(x, int(i)) for i in chosen], axis=-1).astype(float)
    return np.asarray(given(x), dtype=float)[..., chosen]


def _differences(
    values: Callable[[Array], Any], x: Array, chosen: HostArray
) -> tuple[HostArray, HostArray]:
    host = to_numpy(x)

    def of_chosen(part: HostArray) -> Any:
        whole = host.copy()
        whole[chosen] = part
        return values(like(whole, x))

    with np.errstate(all="ignore"):
        return extrapolated(of_chosen, host[chosen])


def _worst(one: _Compared, floor: float, shape: tuple[int, ...]) -> CheckedPoint:
    g, d, e = one.g, one.d, np.maximum(one.e, floor)
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(g), np.abs(d))
        size = np.maximum(size, _SMALL * np.max(size, initial=0.0))
        unexplained = np.maximum(np.abs(g - d) - e, 0.0)
        relative = np.where(unexplained > 0.0, unexplained / size, 0.0)
    # elsewhere the differences may leave the domain of f, at x they have to be there to say anything
    known = np.isfinite(g) & (np.isfinite(d) if one.where == _HERE else True)
    relative = np.where(known, relative, np.inf)
    index = np.unravel_index(int(np.argmax(relative)), relative.shape)
    scale = float(np.max(size, initial=0.0))
    resolution = float(np.median(e)) / scale if scale > 0.0 else 0.0
    column = np.unravel_index(int(one.chosen[index[-1]]), shape)
    return CheckedPoint(
        one.where,
        to_numpy(one.x),
        float(relative[index]),
        resolution,
        tuple(int(i) for i in (*index[:-1], *column)),
        float(g[index]),
        float(d[index]),
    )


def _places(
    x0: Array, near: Array | None, points: int, rng: np.random.Generator
) -> Iterator[tuple[str, Array]]:
    yield _HERE, x0
    if near is not None:
        yield "near an optimum", near
    host = to_numpy(x0)
    for k in range(points - 1 - (near is not None)):
        noise = rng.standard_normal(host.size) * np.maximum(0.1, np.abs(host))
        yield f"around x, {k + 1}", like(host + 0.1 * 10.0**-k * noise, x0)
