"""How good predictions are, in the terms of the table rather than of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scores", "accuracy", "confusion", "r2", "rmse"]

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Loss and scores on one part of the rows; R2 or accuracy comes first in `values`."""

    rows: int
    loss: float
    values: dict[str, float]


def r2(actual: Numbers, predicted: Numbers) -> float:
    """1 - sum (y - p)^2 / sum (y - mean y)^2; NaN where y does not vary."""
    variation = float(np.sum((actual - actual.mean()) ** 2))
    if variation == 0:
        return float("nan")
    return 1.0 - float(np.sum((actual - predicted) ** 2)) / variation


def rmse(actual: Numbers, predicted: Numbers) -> float:
    """sqrt(mean (y - p)^2), in the units of y."""
    return float(np.sqrt(np.mean((actual - predicted) ** 2)))


def accuracy(actual: NDArray[Any], predicted: NDArray[Any]) -> float:
    """The share of rows whose class is predicted right."""
    return float(np.mean(actual == predicted))


def confusion(
    actual: NDArray[Any], predicted: NDArray[Any], classes: tuple[str, ...]
) -> NDArray[np.int64]:
    """How many rows of class i were taken for class j, entry (i, j)."""
    place = {label: index for index, label in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    for a, p in zip(actual, predicted, strict=True):
        counts[place[a], place[p]] += 1
    return counts
