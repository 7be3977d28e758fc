"""What a trained model is worth on some rows."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray

from secant.learn.loss import LossIndex
from secant.learn.model import Model
from secant.learn.scores import Scores, accuracy, of_all, of_all_classes, r2, rmse
from secant.learn.strategy import Sample
from secant.learn.targets import ClassTarget, ClassTargets, NumericTarget

__all__ = ["judged"]


def judged(
    model: Model,
    index: LossIndex,
    sample: Sample,
    actual: NDArray[Any],
    predicted: NDArray[Any],
) -> Scores:
    """The scores of the predictions of a part of the rows, of all targets and of each."""
    target = model.target
    with torch.no_grad():
        outputs = model.network(sample.inputs)
        loss = float(index.error(outputs, sample.targets))
        if isinstance(target, ClassTarget | NumericTarget):
            return Scores(len(sample), loss, _of_one(target, actual, predicted))
        columns: tuple[ClassTarget | NumericTarget, ...] = target.columns
        each = {
            column.name: Scores(
                len(sample),
                float(index.error(outputs[:, k : k + 1], sample.targets[:, k : k + 1])),
                _of_one(column, actual[:, k], predicted[:, k]),
            )
            for k, column in enumerate(columns)
        }
    if isinstance(target, ClassTargets):
        return Scores(len(sample), loss, of_all_classes(actual, predicted), each)
    return Scores(len(sample), loss, of_all(one.values["R2"] for one in each.values()), each)


def _of_one(
    target: ClassTarget | NumericTarget, actual: NDArray[Any], predicted: NDArray[Any]
) -> dict[str, float]:
    if isinstance(target, ClassTarget):
        return {"accuracy": accuracy(actual, predicted)}
    return {"R2": r2(actual, predicted), "RMSE": rmse(actual, predicted)}
