"""What happened in each iteration of a training, as a table."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

__all__ = ["Epoch", "History"]


@dataclass(frozen=True)
class Epoch:
    """One iteration; the first row of a history is the network before training.

    Attributes
    ----------
    iteration : int
        0 before training.
    seconds : float
        Wall-clock time since the start of the training.
    objective : float
        What is minimised: training loss and regularisation.
    training_loss, validation_loss : float
        The error term alone, on either part.
    gradient_norm : float
        The largest absolute component of the objective's gradient.
    step : float
        The step length alpha; 0 in row 0.
    evaluations : int
        Evaluations of the objective so far.
    """

    iteration: int
    seconds: float
    objective: float
    training_loss: float
    validation_loss: float
    gradient_norm: float
    step: float
    evaluations: int


@dataclass
class History:
    """The epochs of one training, in order."""

    epochs: list[Epoch] = field(default_factory=list)

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self.epochs)

    def __len__(self) -> int:
        return len(self.epochs)

    def append(self, epoch: Epoch) -> None:
        """Add an iteration."""
        self.epochs.append(epoch)

    def column(self, name: str) -> list[float]:
        """One quantity over the iterations."""
        return [float(getattr(epoch, name)) for epoch in self.epochs]

    @property
    def best(self) -> Epoch:
        """The iteration of lowest validation loss, the first of equals."""
        finite = [epoch for epoch in self.epochs if math.isfinite(epoch.validation_loss)]
        return min(finite or self.epochs, key=lambda epoch: epoch.validation_loss)

    def write_csv(self, path: str | Path) -> None:
        """Write all digits, one line per iteration, under a header of the attribute names."""
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            names = [entry.name for entry in fields(Epoch)]
            writer.writerow(names)
            writer.writerows([getattr(epoch, name) for name in names] for epoch in self.epochs)
