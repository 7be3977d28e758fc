"""Targets that are classes: one column of two or more, or several columns of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secant.learn.errors import InputError, listing
from secant.learn.targets.columns import TargetCells, Task
from secant.learn.targets.shape import OneColumn, SeveralColumns

__all__ = ["ClassTarget", "ClassTargets"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class ClassTarget(OneColumn):
    """One of several classes; two need one output, more need one each."""

    name: str
    classes: tuple[str, ...]
    task = Task.CLASSIFICATION

    @property
    def outputs(self) -> int:
        """How many outputs the network has."""
        return 1 if len(self.classes) == 2 else len(self.classes)

    @property
    def probability_names(self) -> list[str]:
        """What the columns of `probabilities` are called in a table of predictions."""
        return [f"probability_{label}" for label in self.classes]

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

    def described(self) -> dict[str, Any]:
        """The column and its classes."""
        return {"name": self.name, "classes": list(self.classes)}


@dataclass(frozen=True)
class ClassTargets(SeveralColumns[ClassTarget]):
    """Several columns of two classes each, an output for each; the network learns them together.

    The classes of a row are independent of one another given the inputs, as in scikit-learn's multilabel
    classification.

    Attributes
    ----------
    columns : tuple of ClassTarget
        In the order of the outputs; an output is for the second class of its column.

    Examples
    --------
    >>> targets = ClassTargets((ClassTarget("warm", ("no", "yes")), ClassTarget("rain", ("0", "1"))))
    >>> targets.decode(np.array([[2.0, -1.0], [-3.0, 0.5]]))
    array([['yes', '0'],
           ['no', '1']], dtype=object)
    """

    columns: tuple[ClassTarget, ...]
    task = Task.CLASSIFICATION

    @property
    def probability_names(self) -> list[str]:
        """What the columns of `probabilities` are called in a table of predictions."""
        return [f"probability_{one.name}_{one.classes[1]}" for one in self.columns]

    def encode(self, values: TargetCells) -> Matrix:
        """0 for the first class of a column and 1 for the second, shape (rows, targets).

        Raises
        ------
        InputError
            If a class is none of the known ones: no training row had it.
        """
        cells = pd.DataFrame(values)
        codes = [column.encode(cells[column.name]) for column in self.columns]
        return np.column_stack(codes).astype(np.float64)

    def each(self, outputs: Matrix) -> list[tuple[ClassTarget, Matrix]]:
        """Each column with its own output, shape (rows, 1)."""
        return [(column, outputs[:, k : k + 1]) for k, column in enumerate(self.columns)]

    def probabilities(self, outputs: Matrix) -> Matrix:
        """The probability of the second class of each column, shape (rows, targets)."""
        return np.column_stack([one.probabilities(own)[:, 1] for one, own in self.each(outputs)])

    def decode(self, outputs: Matrix) -> NDArray[np.object_]:
        """The likelier class of each column in each row, shape (rows, targets)."""
        return np.column_stack([column.decode(own) for column, own in self.each(outputs)])
