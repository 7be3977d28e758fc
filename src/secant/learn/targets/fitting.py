"""What the network's outputs mean: learnt from the training rows, or read from a model file."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from secant.learn.errors import InputError, listing
from secant.learn.scaling import Scaling, fit_scalings
from secant.learn.schema import Fields
from secant.learn.targets.classes import ClassTarget, ClassTargets
from secant.learn.targets.columns import TargetCells, Task
from secant.learn.targets.numbers import NumericTarget, NumericTargets

__all__ = ["Target", "fit_target", "read_target", "read_target_of_version_1"]

Target = NumericTarget | NumericTargets | ClassTarget | ClassTargets


def fit_target(
    train: TargetCells, task: Task, scaler: str = "mean-std", own: Mapping[str, str] | None = None
) -> Target:
    """Take scales or classes from the training rows; `own` names scalers of single columns."""
    if isinstance(train, pd.Series):
        columns = [train]
    else:
        columns = [train[name] for name in train.columns]
    if task is Task.CLASSIFICATION:
        classes = tuple(map(_fit_classes, columns))
        return classes[0] if len(classes) == 1 else _of_two_classes(classes)
    numbers = tuple(_fit_numbers(column, scaler, own or {}) for column in columns)
    return numbers[0] if len(numbers) == 1 else NumericTargets(numbers)


def _fit_classes(train: pd.Series) -> ClassTarget:
    _refuse_constant(train)
    return ClassTarget(str(train.name), tuple(sorted(map(str, train.unique()), key=_class_order)))


def _of_two_classes(columns: tuple[ClassTarget, ...]) -> ClassTargets:
    """All together, unless two would be one: a_b with the class c, and a with the class b_c."""
    targets = ClassTargets(columns)
    names = targets.probability_names
    for place, name in enumerate(names):
        if name in names[:place]:
            both = targets.names[names.index(name)], targets.names[place]
            raise InputError(
                f"targets {listing(both)} would both have a column {name!r}: rename one"
            )
    return targets


def _fit_numbers(train: pd.Series, scaler: str, own: Mapping[str, str]) -> NumericTarget:
    _refuse_constant(train)
    name = str(train.name)
    numbers = train.to_numpy(dtype=np.float64).reshape(-1, 1)
    scaling = fit_scalings([name], numbers, [own.get(name, scaler)], "target")[0]
    return NumericTarget(name, scaling.shift, scaling.scale, scaling.scaler)


def _refuse_constant(train: pd.Series) -> None:
    if train.nunique() < 2:
        raise InputError(
            f"target {str(train.name)!r} is the same in all {len(train)} training rows"
        )


def _class_order(label: str) -> tuple[float, str]:
    """Numbers by value, then text."""
    try:
        return float(label), label
    except ValueError:
        return float("inf"), label


def read_target(fields: Fields) -> Target:
    """Read what `to_dict` gave; raises InputError for anything else."""
    task = fields.choice("task", tuple(task.value for task in Task))
    classes = task == Task.CLASSIFICATION.value
    if "targets" not in fields.members:
        return _read_classes(fields) if classes else _read_number(fields)
    if classes:
        labels = fields.each("targets", _read_two_classes)
        _refuse_repeated(labels, fields)
        return _of_two_classes(labels)
    numbers = fields.each("targets", _read_number)
    _refuse_repeated(numbers, fields)
    return NumericTargets(numbers)


def _refuse_repeated(
    columns: tuple[ClassTarget, ...] | tuple[NumericTarget, ...], fields: Fields
) -> None:
    if len(columns) < 2 or len({column.name for column in columns}) < len(columns):
        raise InputError(f"{fields.where}: 'targets' must hold two or more different columns")


def _read_number(fields: Fields) -> NumericTarget:
    scaling = Scaling.from_fields(fields)
    return NumericTarget(fields.text("name"), scaling.shift, scaling.scale, scaling.scaler)


def read_target_of_version_1(fields: Fields) -> Target:
    """The same from the first format, in which every number was scaled by mean and deviation."""
    task = fields.choice("task", tuple(task.value for task in Task))
    if task == Task.REGRESSION.value:
        scale = fields.number("scale", positive=True)
        return NumericTarget(fields.text("name"), fields.number("mean"), scale)
    return _read_classes(fields)


def _read_classes(fields: Fields) -> ClassTarget:
    name, classes = fields.text("name"), fields.texts("classes")
    if len(classes) < 2:
        raise InputError(f"{fields.where}: 'classes' must hold at least two classes")
    return ClassTarget(name, classes)


def _read_two_classes(fields: Fields) -> ClassTarget:
    column = _read_classes(fields)
    if len(column.classes) > 2:
        raise InputError(f"{fields.where}: 'classes' must hold two classes")
    return column
