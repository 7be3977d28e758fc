"""The precision of an export: whether a model's numbers have a place in it, and what it changes.

In float32 every number of a file is one of the 2^32, inputs and outputs included. A number that was
rounded cannot be scaled exactly, but no more is lost than that: a shift s is subtracted as two
numbers, ``(x - high) - low`` with ``high = float32(s)`` and ``low = float32(s - high)``, of which the
first difference is exact where x is near s (Sterbenz). A year does not lose its digits. What stands
for a missing number is scaled before it is rounded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secant.learn.errors import InputError
from secant.learn.inputs import NumericInput
from secant.learn.model import Model
from secant.learn.network import DTYPES, Perceptron, check_dtype
from secant.learn.targets import NumericTarget, NumericTargets

__all__ = ["check_constants", "in_precision", "parts", "precision_of", "scaled_fill"]


def precision_of(model: Model) -> str:
    """``"float64"`` or ``"float32"``: what the model computes in."""
    return str(model.network.dtype).removeprefix("torch.")


def in_precision(model: Model, dtype: str | None) -> Model:
    """The model with its network in another precision; None leaves it as it is.

    Raises
    ------
    InputError
        If there is no such precision, or a weight is not finite in it.
    """
    dtype = precision_of(model) if dtype is None else dtype
    check_dtype(dtype)
    network = model.network
    if dtype != precision_of(model):
        network = Perceptron(network.sizes, network.activation, None, DTYPES[dtype])
        network.load_state_dict(model.network.state_dict())
    for name, weights in network.state_dict().items():
        if not bool(weights.isfinite().all()):
            raise InputError(f"{name!r} has weights that are not finite in {dtype}")
    return Model(model.preparation, network, model.target)


def check_constants(model: Model) -> None:
    """Raise InputError if a constant of the scaling overflows, or vanishes, in the precision."""
    limits = np.finfo(precision_of(model))
    for where, name, value in _constants(model):
        least = float(limits.tiny) if name == "scale" else 0.0
        if not least <= abs(value) <= float(limits.max):
            raise InputError(
                f"{where}: its {name} {value:g} has no place in {limits.dtype}: "
                "export in float64, or train with the values in other units"
            )


def _constants(model: Model) -> Iterator[tuple[str, str, float]]:
    for entry in model.preparation.inputs:
        if isinstance(entry, NumericInput):
            yield f"column {entry.name!r}", "shift", entry.scaling.shift
            yield f"column {entry.name!r}", "scale", entry.scaling.scale
    if isinstance(model.target, NumericTarget | NumericTargets):
        for column in model.target.columns:
            yield f"target {column.name!r}", "shift", column.shift
            yield f"target {column.name!r}", "scale", column.scale


def scaled_fill(entry: NumericInput) -> float:
    """What the network sees of a missing number; NaN where one is refused."""
    return math.nan if entry.fill is None else float(entry.scaling.apply(np.array([entry.fill]))[0])


def parts(shift: ArrayLike, dtype: str) -> list[NDArray[np.floating]]:
    """Numbers of the precision that add up to the shift: one, or two where one is not enough.

    >>> [float(part) for part in parts(2024.1, "float32")]
    [2024.0999755859375, 2.44141e-05]
    """
    high = np.asarray(shift, dtype=dtype)
    low = (np.asarray(shift) - high).astype(dtype)
    return [high, low] if low.any() else [high]
