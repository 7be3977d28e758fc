"""What the network's outputs mean: scaled numbers, or classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secant.learn.errors import InputError, listing
from secant.learn.scaling import Scaling, fit_scalings
from secant.learn.schema import Fields
from secant.learn.target_columns import TargetCells, Task

__all__ = ["ClassTarget", "NumericTarget", "NumericTargets", "Target", "fit_target", "read_target"]

Matrix = NDArray[np.float64]

# So many names stand for all of a long list.
_NAMED = 3


@dataclass(frozen=True)
class NumericTarget:
    """A number y; the network learns the scaled one, see `scaling`.

    Attributes
    ----------
    name : str
        Of the column.
    shift, scale : float
    scaler : str
        One of `secant.learn.scaling.SCALERS`.
    """

    name: str
    shift: float = 0.0
    scale: float = 1.0
    scaler: str = "mean-std"
    task = Task.REGRESSION

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are learnt: this one."""
        return (self.name,)

    @property
    def columns(self) -> tuple[NumericTarget, ...]:
        """The numbers that are learnt: this one."""
        return (self,)

    @property
    def outputs(self) -> int:
        """How many outputs the network has."""
        return 1

    @property
    def scaling(self) -> Scaling:
        """From the target's units to the network's and back."""
        return Scaling(self.scaler, self.shift, self.scale)

    def encode(self, values: TargetCells) -> Matrix:
        """What the network learns, shape (rows, 1).

        Raises
        ------
        InputError
            If the scaler has no value for a number.
        """
        numbers = values.to_numpy(dtype=np.float64).reshape(-1)
        scaled = self.scaling.apply(numbers)
        wrong = np.flatnonzero(~np.isfinite(scaled))
        if len(wrong):
            raise InputError(
                f"target {self.name!r} holds {numbers[wrong[0]]:g}, which the scaler "
                f"{self.scaler!r} cannot take"
            )
        return scaled.reshape(-1, 1)

    def decode(self, outputs: Matrix) -> Matrix:
        """Outputs of the network in the units of the table, shape (rows,)."""
        return self.scaling.invert(outputs[:, 0])

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file."""
        return {"task": self.task.value, "name": self.name, **self.scaling.to_dict()}


@dataclass(frozen=True)
class NumericTargets:
    """Several numbers, an output for each; the network learns them together.

    Attributes
    ----------
    columns : tuple of NumericTarget
        In the order of the outputs; each has a scaling of its own.

    Examples
    --------
    >>> targets = NumericTargets((NumericTarget("length", 5.0, 2.0), NumericTarget("width")))
    >>> targets.decode(np.array([[1.0, 0.5], [0.0, 0.25]]))
    array([[7.  , 0.5 ],
           [5.  , 0.25]])
    """

    columns: tuple[NumericTarget, ...]
    task = Task.REGRESSION

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are learnt."""
        return tuple(column.name for column in self.columns)

    @property
    def name(self) -> str:
        """The names of all, shortened where there are many; for people."""
        shown, more = ", ".join(self.names[:_NAMED]), len(self.names) - _NAMED
        return ", ".join(self.names) if more <= 1 else f"{shown} and {more} more"

    @property
    def outputs(self) -> int:
        """How many outputs the network has."""
        return len(self.columns)

    def encode(self, values: TargetCells) -> Matrix:
        """What the network learns, shape (rows, targets).

        Raises
        ------
        InputError
            If a scaler has no value for a number.
        """
        cells = pd.DataFrame(values)
        return np.hstack([column.encode(cells[column.name]) for column in self.columns])

    def decode(self, outputs: Matrix) -> Matrix:
        """Outputs of the network in the units of the table, shape (rows, targets)."""
        return np.column_stack(
            [column.scaling.invert(outputs[:, k]) for k, column in enumerate(self.columns)]
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file."""
        columns = [{"name": column.name, **column.scaling.to_dict()} for column in self.columns]
        return {"task": self.task.value, "targets": columns}


@dataclass(frozen=True)
class ClassTarget:
    """One of several classes; two need one output, more need one each."""

    name: str
    classes: tuple[str, ...]
    task = Task.CLASSIFICATION

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are learnt: one."""
        return (self.name,)

    @property
    def outputs(self) -> int:
        """How many outputs the network has."""
        return 1 if len(self.classes) == 2 else len(self.classes)

    def encode(self, values: TargetCells) -> NDArray[np.int64]:
        """The number of each row's class, shape (rows,).

        Raises
        ------
        InputError
            If a class is none of the known ones: no training row had it.
        """
        labels = pd.Index(values.to_numpy(dtype=object).reshape(-1))
        codes = np.asarray(pd.Index(self.classes).get_indexer(labels), dtype=np.int64)
        unknown = labels[codes < 0].unique()
        if len(unknown):
            raise InputError(
                f"target {self.name!r}: no training row has the class {listing(unknown, 3)}, "
                "and others have it: choose another division"
            )
        return codes

    def probabilities(self, outputs: Matrix) -> Matrix:
        """The probability of each class, shape (rows, classes)."""
        if outputs.shape[1] == 1:  # two classes: the logistic function of one output
            outputs = np.hstack([np.zeros_like(outputs), outputs])
        # Against overflow: subtracting the largest output leaves the ratios as they are.
        weights = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def decode(self, outputs: Matrix) -> NDArray[np.object_]:
        """The likeliest class of each row, shape (rows,)."""
        likeliest = self.probabilities(outputs).argmax(axis=1)
        return np.asarray(np.array(self.classes, dtype=object)[likeliest])

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file."""
        return {"task": self.task.value, "name": self.name, "classes": list(self.classes)}


Target = NumericTarget | NumericTargets | ClassTarget


def fit_target(
    train: TargetCells, task: Task, scaler: str = "mean-std", own: Mapping[str, str] | None = None
) -> Target:
    """Take scales or classes from the training rows; `own` names scalers of single columns."""
    if isinstance(train, pd.DataFrame):
        columns = [_fit_numbers(train[name], scaler, own or {}) for name in train.columns]
        return NumericTargets(tuple(columns))
    if task is Task.REGRESSION:
        return _fit_numbers(train, scaler, own or {})
    _refuse_constant(train)
    return ClassTarget(str(train.name), tuple(sorted(map(str, train.unique()), key=_class_order)))


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
    if task == Task.CLASSIFICATION.value:
        return _read_classes(fields.text("name"), fields)
    if "targets" not in fields.members:
        return _read_number(fields)
    columns = fields.each("targets", _read_number)
    names = {column.name for column in columns}
    if len(columns) < 2 or len(names) < len(columns):
        raise InputError(f"{fields.where}: 'targets' must hold two or more different columns")
    return NumericTargets(columns)


def _read_number(fields: Fields) -> NumericTarget:
    scaling = Scaling.from_fields(fields)
    return NumericTarget(fields.text("name"), scaling.shift, scaling.scale, scaling.scaler)


def read_target_of_version_1(fields: Fields) -> Target:
    """The same from the first format, in which every number was scaled by mean and deviation."""
    task = fields.choice("task", tuple(task.value for task in Task))
    name = fields.text("name")
    if task == Task.REGRESSION.value:
        return NumericTarget(name, fields.number("mean"), fields.number("scale", positive=True))
    return _read_classes(name, fields)


def _read_classes(name: str, fields: Fields) -> ClassTarget:
    classes = fields.texts("classes")
    if len(classes) < 2:
        raise InputError(f"{fields.where}: 'classes' must hold at least two classes")
    return ClassTarget(name, classes)
