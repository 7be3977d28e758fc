"""Derivatives as they are given, beside extrapolated differences, at several points.

Of every gap between the two, what the differences' own error explains is taken away first: that of their
formula, and that of values which differ by chance or by the rounding of a lower precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from secant import arrays, checks
from secant.arrays import Array, HostArray, like, to_numpy
from secant.derivatives.differences import Uncertainty, extrapolated, slope_jump
from secant.derivatives.noise import noise_around, repeated
from secant.derivatives.verdict import Check, CheckedPoint

_SMALL = 1e-8
"""Components below this fraction of the largest are compared with it, not with themselves."""

_ROUND_OFF = 1000.0
"""Gaps below so many eps of the largest component, here or at the user's x, are round-off.

Near an optimum a gradient is what is left of terms that cancel, each as large as components elsewhere or some
times larger, and has their round-off.
"""

_SURE = 4.0
"""Values are taken to be wrong by so many times the noise that shows in a few of them."""

_JUMP, _LOOKS = 0.01, 50
"""A kink is a jump of the slope by more than this fraction of it; looked for in so many columns."""

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
        checks.count("seed", self.seed, 0)


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
    given: Callable[[Array, HostArray], HostArray],
    values: Callable[[Array], HostArray],
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
        The chosen columns of the derivatives at a point, along the last axis.
    values : callable
        What the derivatives are of: a new array.
    extent : Extent
    shape : tuple of int, optional
        Of the user's ``x``, in which components of a gradient are named.

    Raises
    ------
    ValueError
        Where ``x0`` or the values there are not finite.
    """
    _require_finite("x must be finite", to_numpy(x0))
    _require_finite("fun must be finite at x", values(x0))
    rng = np.random.default_rng(extent.seed)
    compared, relative = [], _relative_noise(values, x0)
    for where, x in _places(x0, near, extent.points, rng):
        chosen = np.sort(rng.permutation(x.shape[0])[: extent.components])
        if where != _HERE and not _is_defined(values, x):
            continue
        g, level = given(x, chosen), noise_around(_on_host(values, x), to_numpy(x), rng)
        wrong = Uncertainty(_SURE * level, _SURE * relative)
        d, e = extrapolated(_of_chosen(values, x, chosen), to_numpy(x)[chosen], wrong)
        compared.append(_Compared(where, x, chosen, g, d, e))
    floor, names = _ROUND_OFF * arrays.eps_of(x0), tuple(x0.shape)
    if what == "gradient" and shape is not None:
        names = shape
    points = [_worst(one, values, floor * _largest(one, compared[0]), names) for one in compared]
    return Check(what, tuple(points))


def _largest(one: _Compared, first: _Compared) -> float:
    """The largest component here and at the user's ``x``."""
    largest = max(float(np.max(np.abs(these.g), initial=0.0)) for these in (one, first))
    return largest if math.isfinite(largest) else 0.0


def _require_finite(demand: str, found: HostArray) -> None:
    wrong = np.flatnonzero(~np.isfinite(found))
    if wrong.size:
        raise ValueError(f"{demand}, got {np.ravel(found)[wrong[0]]}")


def _is_defined(values: Callable[[Array], HostArray], x: Array) -> bool:
    """Whether ``x``, which the user did not ask for, is in the domain of the function."""
    try:
        with np.errstate(all="ignore"):
            return bool(np.isfinite(values(x)).all())
    except (ArithmeticError, ValueError):  # so `math` says that it is not
        return False


def _relative_noise(values: Callable[[Array], HostArray], x: Array) -> HostArray:
    """What values differ by at random, as a fraction of them: at points where f is 0 none may show."""
    value, spread = repeated(_on_host(values, x), to_numpy(x))
    size = np.abs(value)
    return np.divide(spread, size, out=np.zeros_like(size), where=size > 0.0)


def _on_host(values: Callable[[Array], HostArray], x: Array) -> Callable[[HostArray], HostArray]:
    """``values`` of NumPy arrays, whatever ``x`` is."""
    return lambda at: values(like(at, x))


def _of_chosen(
    values: Callable[[Array], HostArray], x: Array, chosen: HostArray
) -> Callable[[HostArray], HostArray]:
    """``values`` as a function of some components, the others being those of ``x``."""
    host, on_host = to_numpy(x), _on_host(values, x)

    def of_chosen(part: HostArray) -> HostArray:
        whole = host.copy()
        whole[chosen] = part
        return on_host(whole)

    return of_chosen


def _worst(
    one: _Compared, values: Callable[[Array], HostArray], floor: float, shape: tuple[int, ...]
) -> CheckedPoint:
    g, d, e = one.g, one.d, np.maximum(one.e, floor)
    with np.errstate(all="ignore"):
        size = np.fmax(np.abs(g), np.abs(d))  # of two numbers one of which is NaN the other
        size = np.maximum(size, _SMALL * np.nanmax(size, initial=0.0))
        unexplained = np.maximum(np.abs(g - d) - e, 0.0)
        relative = np.where(unexplained > 0.0, unexplained / size, 0.0)
    e = np.where(np.isfinite(d), e, np.inf)  # the differences have left the domain of f
    kinks = _kinks(one, values, relative / 1e-5, size)
    relative, e = np.where(kinks, 0.0, relative), np.where(kinks, np.inf, e)
    relative = np.where(np.isfinite(g), relative, np.inf)
    index = np.unravel_index(int(np.argmax(relative)), relative.shape)
    scale = float(np.nanmax(size, initial=0.0))
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


def _kinks(
    one: _Compared, values: Callable[[Array], HostArray], suspicion: HostArray, size: HostArray
) -> npt.NDArray[np.bool_]:
    """Where an accused derivative is that of a function with a kink at ``x``, which has none."""
    found = np.zeros(one.g.shape, dtype=bool)
    of_chosen, x = _of_chosen(values, one.x, one.chosen), to_numpy(one.x)[one.chosen]
    accused = np.max(suspicion, axis=tuple(range(suspicion.ndim - 1)), initial=0.0) > 1.0
    for i in np.flatnonzero(accused)[:_LOOKS].tolist():
        jump = slope_jump(of_chosen, x, i)
        found[..., i] = jump > _JUMP * size[..., i]
    return found & (suspicion > 1.0)


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
