"""How good predictions are, in the terms of the table rather than of the network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scores", "accuracy", "confusion", "of_all", "of_all_classes", "r2", "rmse"]

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Loss and scores on one part of the rows.

    Attributes
    ----------
    rows : int
    loss : float
        The error term, without the regularisation.
    values : dict of str to float
        R2 or accuracy comes first; of several targets what `of_all` or `of_all_classes` gives.
    targets : dict of str to Scores
        Of each of several targets alone, by its name; empty for one target.
    """

    rows: int
    loss: float
    values: dict[str, float]
    targets: dict[str, Scores] = field(default_factory=dict)


def r2(actual: Numbers, predicted: Numbers) -> float:
    """1 - sum (y - p)^2 / sum (y - mean y)^2; NaN where y does not vary."""
    variation = float(np.sum((actual - actual.mean()) ** 2))
    if variation == 0:
        return float("nan")
    return 1.0 - float(np.sum((actual - predicted) ** 2)) / variation


def rmse(actual: Numbers, predicted: Numbers) -> float:
    """sqrt(mean (y - p)^2), in the units of y."""
    return float(np.sqrt(np.mean((actual - predicted) ** 2)))


def of_all(r2_of_each: Iterable[float]) -> dict[str, float]:
    """The scores of several targets together, whose units need not be the same.

    The mean is scikit-learn's score of several outputs; NaN where one target does not vary.

    >>> of_all([0.9, 0.5])
    {'mean R2': 0.7, 'lowest R2': 0.5}
    """
    values = np.fromiter(r2_of_each, dtype=np.float64)
    return {"mean R2": float(values.mean()), "lowest R2": float(values.min())}


def accuracy(actual: NDArray[Any], predicted: NDArray[Any]) -> float:
    """The share of rows whose class is predicted right."""
    return float(np.mean(actual == predicted))


def of_all_classes(actual: NDArray[Any], predicted: NDArray[Any]) -> dict[str, float]:
    """The scores of several targets of classes together, from arrays of shape (rows, targets).

    The subset accuracy, scikit-learn's score of multilabel targets, is the share of rows in which all
    classes are right; the mean is that over the targets.

    >>> of_all_classes(np.array([[0, 1], [1, 1]]), np.array([[0, 1], [1, 0]]))
    {'subset accuracy': 0.5, 'mean accuracy': 0.75}
    """
    right = actual == predicted
    return {
        "subset accuracy": float(right.all(axis=1).mean()),
        "mean accuracy": float(right.mean()),
    }


def confusion(
    actual: NDArray[Any], predicted: NDArray[Any], classes: tuple[str, ...]
) -> NDArray[np.int64]:
    """How many rows of class i were taken for class j, entry (i, j)."""
    place = {label: index for index, label in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    for a, p in zip(actual, predicted, strict=True):
        counts[place[a], place[p]] += 1
    return counts
