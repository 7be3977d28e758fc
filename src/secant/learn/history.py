"""What happened in each iteration of a training, as a table."""

from __future__ import annotations

import csv
import math
from bisect import bisect_left
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
        0 before training; for mini-batch methods, passes through the rows.
    seconds : float
        Wall-clock time since the start of the training.
    objective : float
        What is minimised: training loss and regularisation.
    training_loss, validation_loss : float
        The error term alone, on either part; NaN without validation rows.
    gradient_norm : float
        The largest absolute component of the objective's gradient.
    step : float
        The step length alpha, or the radius of the step; 0 in row 0.
    evaluations : int
        Evaluations of the objective so far.
    damping : float
        Levenberg-Marquardt's lambda; NaN for other methods.
    effective_parameters : float
        How many weights and biases the data determine, by Bayesian regularisation; else NaN.
    """

    iteration: int
    seconds: float
    objective: float
    training_loss: float
    validation_loss: float
    gradient_norm: float
    step: float
    evaluations: int
    damping: float = math.nan
    effective_parameters: float = math.nan


@dataclass
class History:
    """The epochs of one training, in order.

    Examples
    --------
    >>> from secant.learn import Epoch, History
    >>> history = History()
    >>> for k, loss in enumerate((2.0, 0.5, 0.8)):
    ...     history.append(Epoch(k, 0.1 * k, loss, loss, loss, 0.0, 1.0, k + 1))
    >>> history.column("objective"), history.best.iteration
    ([2.0, 0.5, 0.8], 1)
    """

    epochs: list[Epoch] = field(default_factory=list)

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self.epochs)

    def __len__(self) -> int:
        return len(self.epochs)

    def append(self, epoch: Epoch) -> None:
        """Add an iteration."""
        self.epochs.append(epoch)

    def put(self, epoch: Epoch) -> None:
        """Add an iteration in its place, or instead of the one that has its number."""
        place = bisect_left(self.epochs, epoch.iteration, key=lambda one: one.iteration)
        self.epochs[place : place + 1] = [epoch]

    def column(self, name: str) -> list[float]:
        """One quantity over the iterations."""
        return [float(getattr(epoch, name)) for epoch in self.epochs]

    @property
    def best(self) -> Epoch:
        """The iteration of lowest validation loss, without validation of lowest objective."""
        finite = [epoch for epoch in self.epochs if math.isfinite(epoch.validation_loss)]
        if finite:
            return min(finite, key=lambda epoch: epoch.validation_loss)
        finite = [epoch for epoch in self.epochs if math.isfinite(epoch.objective)]
        return min(finite or self.epochs, key=lambda epoch: epoch.objective)

    def write_csv(self, path: str | Path) -> None:
        """Write all digits, one line per iteration, under a header of the attribute names."""
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            names = [entry.name for entry in fields(Epoch)]
            writer.writerow(names)
            writer.writerows([getattr(epoch, name) for name in names] for epoch in self.epochs)
