"""A trained model: preparation, network and the meaning of its outputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from secant.learn.network import Perceptron
from secant.learn.preparation import Preparation
from secant.learn.targets import ClassTarget, ClassTargets, Target

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
        for each of several targets. For classes, the columns ``probability_<class>`` follow; for several
        targets of two classes, a column ``probability_<target>_<class>`` for the second class of each.

        Raises
        ------
        InputError
            If a needed column is not there, or holds text where numbers are needed.
        """
        outputs, target = self.outputs(frame), self.target
        values = target.decode(outputs).reshape(len(outputs), -1)
        named = zip(target.names, values.T, strict=True)
        predicted = pd.DataFrame({f"predicted_{name}": column for name, column in named})
        if not isinstance(target, ClassTarget | ClassTargets):
            return predicted
        found = pd.DataFrame(target.probabilities(outputs), columns=target.probability_names)
        return pd.concat([predicted, found], axis=1)
