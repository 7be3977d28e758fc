"""The rows of a fit: which of them are set aside, and as tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from secant.learn.errors import InputError
from secant.learn.sample import Sample

__all__ = ["Values", "sample_of", "set_aside"]

Values = NDArray[np.floating]


def set_aside(
    count: int,
    fraction: float,
    strata: NDArray[Any] | None,
    weights: Values | None,
    random: np.random.RandomState,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The numbers of the rows that train, and of those that validate.

    Raises
    ------
    InputError
        If there are too few rows, or of a class of `strata`, or one part has no weight.
    """
    try:
        train, held = train_test_split(
            np.arange(count), test_size=fraction, random_state=random, stratify=strata
        )
    except ValueError as error:  # too few rows, or of a class
        raise InputError(f"early_stopping cannot set rows aside: {error}") from None
    if len(held) < 2:
        raise InputError(
            f"validation_fraction {fraction} leaves {len(held)} of {count} rows for validation; "
            "it needs 2"
        )
    for part, name in ((train, "that train"), (held, "set aside")):
        if weights is not None and not weights[part].sum() > 0.0:
            raise InputError(f"sample_weight is zero in all {len(part)} rows {name}")
    return train, held


def sample_of(
    X: Values, targets: NDArray[Any], weights: Values | None, rows: Any, device: Any
) -> Sample:
    """Some of the rows as tensors."""
    return Sample(
        torch.as_tensor(_writable(X[rows]), device=device),
        torch.as_tensor(_writable(targets[rows]), device=device),
        None if weights is None else torch.as_tensor(weights[rows], device=device),
    )


def _writable(values: Values) -> Values:
    """The array, or a copy of one that is mapped from a file: PyTorch takes no read-only memory."""
    return values if values.flags.writeable else values.copy()
