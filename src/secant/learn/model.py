"""A trained model: preparation, network and the meaning of its outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secant.learn.network import Perceptron
from secant.learn.preparation import Preparation
from secant.learn.target import ClassTarget, Target

__all__ = ["Model"]


@dataclass(frozen=True)
class Model:
    """From the cells of a table to predictions."""

    preparation: Preparation
    network: Perceptron
    target: Target

    def outputs(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Raw outputs of the network, shape (rows, outputs)."""
        return self.network.outputs(self.preparation.transform(frame))

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """One row for each row of the table, in its order.

        The column ``predicted_<target>`` holds numbers in the target's units or classes; there is one
        for each of several targets; for classes, the columns ``probability_<class>`` follow.

        Raises
        ------
        InputError
            If a needed column is not there, or holds text where numbers are needed.
        """
        outputs = self.outputs(frame)
        if isinstance(self.target, ClassTarget):
            columns: dict[str, NDArray[Any]] = {
                f"predicted_{self.target.name}": self.target.decode(outputs)
            }
            probabilities = self.target.probabilities(outputs)
            for label, probability in zip(self.target.classes, probabilities.T, strict=True):
                columns[f"probability_{label}"] = probability
            return pd.DataFrame(columns)
        numbers = self.target.decode(outputs).reshape(len(outputs), -1)
        names = [f"predicted_{name}" for name in self.target.names]
        return pd.DataFrame(numbers, columns=names)
