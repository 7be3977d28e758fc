"""The whole way from a table in a file to a trained model and its scores."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from secant.learn.dataset import Dataset, Task, read_dataset
from secant.learn.division import Division, Parts
from secant.learn.errors import InputError, listing
from secant.learn.history import History
from secant.learn.loss import LOSSES, LossIndex, check_loss, error_term
from secant.learn.model import Model
from secant.learn.network import ACTIVATIONS, Perceptron
from secant.learn.preparation import Preparation
from secant.learn.scores import Scores, accuracy, r2, rmse
from secant.learn.strategy import Sample, Strategy, Training, train_network
from secant.learn.target import NumericTarget, fit_target
from secant.learn.threads import threads_for

__all__ = ["Settings", "Trained", "train_table"]


# 0.8 GB of weights, of which every method keeps several copies.
_MOST_WEIGHTS = 100_000_000


@dataclass(frozen=True)
class Settings:
    """All that can be chosen about a training; the command line's options.

    Attributes
    ----------
    target : str
        The column to learn.
    hidden : tuple of int
        Units of each hidden layer; none makes a linear model.
    activation : str
        A key of `secant.learn.network.ACTIVATIONS`.
    loss : str
        ``auto`` or a key of `secant.learn.loss.LOSSES`.
    l2 : float
        Factor of the sum of squared weights.
    seed : int
        Of the division and of the initial weights.
    strategy : Strategy
        The method and the limits.
    task : Task, optional
        By default seen from the loss, then from the target column.
    ignore, categorical : tuple of str
        Columns that are no inputs, and columns whose numbers are codes.
    separator : str, optional
        What stands between two cells.
    """

    target: str
    hidden: tuple[int, ...] = (16, 16)
    activation: str = "tanh"
    loss: str = "auto"
    l2: float = 1e-3
    seed: int = 0
    strategy: Strategy = field(default_factory=Strategy)
    task: Task | None = None
    ignore: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    separator: str | None = None

    def __post_init__(self) -> None:
        check_loss(self.loss)
        if self.activation not in ACTIVATIONS:
            raise InputError(
                f"activation must be one of {listing(ACTIVATIONS)}, not {self.activation!r}"
            )
        if any(units < 1 for units in self.hidden):
            raise InputError(f"hidden layers need at least one unit each, not {self.hidden}")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"seed must be a whole number from 0 to 2**63 - 1, not {self.seed}")
        if not (np.isfinite(self.l2) and self.l2 >= 0):
            raise InputError(f"l2 must be a number from 0, not {self.l2}")


@dataclass(frozen=True)
class Trained:
    """A model and how it came about.

    Attributes
    ----------
    settings : Settings
    dataset : Dataset
    parts : Parts
        Which rows trained, validated and tested.
    model : Model
    index : LossIndex
        What was minimised.
    training : Training
    scores : dict of str to Scores
        For "train", "validation" and "test".
    predicted : ndarray
        The prediction of every row of the table: numbers or classes.
    """

    settings: Settings
    dataset: Dataset
    parts: Parts
    model: Model
    index: LossIndex
    training: Training
    scores: dict[str, Scores]
    predicted: NDArray[Any]


def train_table(
    path: str | Path,
    settings: Settings,
    progress: Callable[[History], None] | None = None,
) -> Trained:
    """Read a table, divide it, train a network on it and judge the network.

    Parameters
    ----------
    path : str or Path
        The CSV file.
    settings : Settings
        What to learn and how.
    progress : callable, optional
        Called with the history after each iteration.

    Raises
    ------
    InputError
        If anything about the file, the settings or their combination cannot be used.
    """
    task = settings.task or LOSSES.get(settings.loss)
    dataset = read_dataset(
        path,
        settings.target,
        task=task,
        ignore=settings.ignore,
        categorical=settings.categorical,
        separator=settings.separator,
    )
    parts = _divide(dataset, settings.seed)
    model = _untrained(dataset, parts, settings)
    index = LossIndex(error_term(settings.loss, model.target), settings.l2)
    inputs = torch.as_tensor(model.preparation.transform(dataset.frame))
    targets = torch.as_tensor(model.target.encode(dataset.target))
    samples = {name: Sample(inputs[rows], targets[rows]) for name, rows in parts.items()}
    train, validation = samples["train"], samples["validation"]
    with threads_for(len(train) * model.network.count):
        training = train_network(
            model.network, index, train, validation, settings.strategy, progress
        )
    predicted = model.target.decode(model.outputs(dataset.frame))
    scores = {
        name: _scores(model, index, samples[name], dataset.target.to_numpy()[rows], predicted[rows])
        for name, rows in parts.items()
    }
    return Trained(settings, dataset, parts, model, index, training, scores, predicted)


def _divide(dataset: Dataset, seed: int) -> Parts:
    stratify = dataset.task is Task.CLASSIFICATION
    classes = dataset.target.to_numpy(dtype=object) if stratify else None
    return Division(seed=seed).split(len(dataset.frame), classes)


def _untrained(dataset: Dataset, parts: Parts, settings: Settings) -> Model:
    """A model whose statistics come from the training rows alone."""
    preparation = Preparation.fit(dataset.frame.iloc[parts.train], dataset.kinds)
    target = fit_target(dataset.target.iloc[parts.train], dataset.task)
    sizes = (preparation.width, *settings.hidden, target.outputs)
    weights = sum(math.prod(shape) for shape in Perceptron.shapes(sizes).values())
    if weights > _MOST_WEIGHTS:
        raise InputError(
            f"a network of {weights:,} weights is larger than the {_MOST_WEIGHTS:,} that can be "
            "trained: choose fewer hidden units"
        )
    network = Perceptron(sizes, settings.activation, settings.seed)
    return Model(preparation, network, target)


def _scores(
    model: Model,
    index: LossIndex,
    sample: Sample,
    actual: NDArray[Any],
    predicted: NDArray[Any],
) -> Scores:
    with torch.no_grad():
        loss = float(index.error(model.network(sample.inputs), sample.targets))
    if isinstance(model.target, NumericTarget):
        values = {"R2": r2(actual, predicted), "RMSE": rmse(actual, predicted)}
    else:
        values = {"accuracy": accuracy(actual, predicted)}
    return Scores(len(sample), loss, values)
