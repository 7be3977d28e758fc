"""What the network's outputs mean: scaled numbers, or classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secant.learn.dataset import Task
from secant.learn.errors import InputError
from secant.learn.schema import Fields

__all__ = ["ClassTarget", "NumericTarget", "fit_target", "read_target"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class NumericTarget:
    """A number y; the network learns (y - mean) / scale."""

    name: str
    mean: float
    scale: float
    task = Task.REGRESSION

    @property
    def outputs(self) -> int:
        """How many outputs the network has."""
        return 1

    def encode(self, values: pd.Series) -> Matrix:
        """What the network learns, shape (rows, 1)."""
        return ((values.to_numpy(dtype=np.float64) - self.mean) / self.scale).reshape(-1, 1)

    def decode(self, outputs: Matrix) -> Matrix:
        """Outputs of the network in the units of the table, shape (rows,)."""
        return np.asarray(outputs[:, 0] * self.scale + self.mean)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file."""
        return {
            "task": self.task.value,
            "name": self.name,
            "mean": self.mean,
            "scale": self.scale,
        }


@dataclass(frozen=True)
class ClassTarget:
    """One of several classes; two need one output, more need one each."""

    name: str
    classes: tuple[str, ...]
    task = Task.CLASSIFICATION

    @property
    def outputs(self) -> int:
        """How many outputs the network has."""
        return 1 if len(self.classes) == 2 else len(self.classes)

    def encode(self, values: pd.Series) -> NDArray[np.int64]:
        """The number of each row's class, shape (rows,)."""
        return np.asarray(pd.Index(self.classes).get_indexer(pd.Index(values)), dtype=np.int64)

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


Target = NumericTarget | ClassTarget


def fit_target(train: pd.Series, task: Task) -> Target:
    """Take scale or classes from the training rows."""
    # Imported here, because a prediction needs no fit and should not wait for scikit-learn.
    from sklearn.preprocessing import LabelEncoder, StandardScaler

    name = str(train.name)
    if task is Task.CLASSIFICATION:
        labels = LabelEncoder().fit(train.to_numpy(dtype=object)).classes_
        return ClassTarget(name, tuple(sorted(map(str, labels), key=_class_order)))
    with np.errstate(over="ignore", invalid="ignore"):
        scaler = StandardScaler().fit(train.to_numpy(dtype=np.float64).reshape(-1, 1))
    mean, scale = float(scaler.mean_[0]), float(scaler.scale_[0])
    if not np.isfinite([mean, scale]).all():
        raise InputError(f"target {name!r} holds numbers too large to be scaled")
    if train.nunique() < 2:
        raise InputError(f"target {name!r} is the same in all {len(train)} training rows")
    return NumericTarget(name, mean, scale)


def _class_order(label: str) -> tuple[float, str]:
    """Numbers by value, then text."""
    try:
        return float(label), label
    except ValueError:
        return float("inf"), label


def read_target(fields: Fields) -> Target:
    """Read what `to_dict` gave; raises InputError for anything else."""
    task = fields.choice("task", tuple(task.value for task in Task))
    name = fields.text("name")
    if task == Task.REGRESSION.value:
        return NumericTarget(name, fields.number("mean"), fields.number("scale", positive=True))
    classes = fields.texts("classes")
    if len(classes) < 2:
        raise InputError(f"{fields.where}: 'classes' must hold at least two classes")
    return ClassTarget(name, classes)
