"""Targets that are numbers: the network learns them scaled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secant.learn.errors import InputError
from secant.learn.scaling import Scaling
from secant.learn.targets.columns import TargetCells, Task
from secant.learn.targets.shape import OneColumn, SeveralColumns

__all__ = ["NumericTarget", "NumericTargets"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class NumericTarget(OneColumn):
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

    def described(self) -> dict[str, Any]:
        """The column and its scaling."""
        return {"name": self.name, **self.scaling.to_dict()}


@dataclass(frozen=True)
class NumericTargets(SeveralColumns[NumericTarget]):
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
