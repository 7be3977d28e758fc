"""A table made ready for training: read, divided, its columns as numbers, with a network of first weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from secant.learn.errors import InputError, listing
from secant.learn.hints import hints
from secant.learn.initial import initialise
from secant.learn.loss import LOSSES, LossIndex, error_term
from secant.learn.model import Model
from secant.learn.network import DTYPES, Perceptron
from secant.learn.preparation import Choices, Preparation
from secant.learn.sample import Sample
from secant.learn.scaling import check_columns
from secant.learn.settings import Settings
from secant.learn.tables.columns import Kind
from secant.learn.tables.dataset import Dataset, Task, read_dataset
from secant.learn.tables.division import Parts
from secant.learn.tables.source import Readable
from secant.learn.targets import Target, fit_target

__all__ = ["Prepared", "prepare_dataset", "prepare_table", "read_settings_dataset"]

# 0.8 GB of weights, of which every method keeps several copies.
_MOST_WEIGHTS = 100_000_000


@dataclass(frozen=True)
class Prepared:
    """A table made ready: everything that comes before the first iteration.

    Attributes
    ----------
    settings : Settings
    dataset : Dataset
    parts : Parts
        Which rows train, validate and test.
    model : Model
        Its network has the initial weights; `train_prepared` trains it in place.
    index : LossIndex
        What is minimised.
    samples : dict of str to Sample
        For "train", "validation" and "test".
    """

    settings: Settings
    dataset: Dataset
    parts: Parts
    model: Model
    index: LossIndex
    samples: dict[str, Sample]

    def start(self, seed: int) -> Prepared:
        """The same rows in the same parts, a new network with the initial weights of `seed`."""
        settings = replace(self.settings, seed=seed)
        network = _untrained(self.model.network.sizes, settings, self.samples["train"])
        return replace(self, model=replace(self.model, network=network))


def prepare_table(path: Readable, settings: Settings) -> Prepared:
    """Read a table, divide it and make a network for it: `train_table` up to the training.

    Parameters
    ----------
    path, settings
        As for `train_table`.

    Returns
    -------
    Prepared

    Raises
    ------
    InputError
        If anything about the file, the settings or their combination cannot be used.

    Examples
    --------
    >>> import io
    >>> import numpy as np
    >>> import pandas as pd
    >>> from secant.learn import Settings, prepare_table
    >>> x = np.linspace(-1.0, 1.0, 100)
    >>> table = io.StringIO(pd.DataFrame({"x": x, "y": np.sin(3.0 * x)}).to_csv(index=False))
    >>> prepared = prepare_table(table, Settings("y", hidden=(8,)))
    >>> prepared.model.network.sizes, {name: len(part) for name, part in prepared.samples.items()}
    ((1, 8, 1), {'train': 60, 'validation': 20, 'test': 20})
    """
    return prepare_dataset(read_settings_dataset(path, settings), settings)


def read_settings_dataset(path: Readable, settings: Settings) -> Dataset:
    """The table as the settings say that it is to be read."""
    dataset = read_dataset(
        path,
        settings.target,
        task=settings.task or LOSSES.get(settings.loss),
        ignore=settings.ignore,
        categorical=settings.categorical,
        dialect=settings.dialect(),
        division_column=settings.division_column,
        drop_missing=settings.missing == "drop",
    )
    return replace(dataset, notes=(*dataset.notes, *hints(dataset, settings)))


def prepare_dataset(dataset: Dataset, settings: Settings) -> Prepared:
    """Divide a table that was read and make a network for it.

    Parameters
    ----------
    dataset : Dataset
        From `read_dataset`, or that of an earlier `Prepared`.
    settings : Settings
        What to learn and how.

    Returns
    -------
    Prepared

    Raises
    ------
    InputError
        If the settings do not fit the table.
    """
    parts = _divide(dataset, settings)
    train = dataset.frame.iloc[parts.train]
    learnt = dataset.target.iloc[parts.train]
    inputs_choices, own = _choices(dataset, settings)
    preparation = Preparation.fit(train, dataset.kinds, inputs_choices)
    target = fit_target(learnt, dataset.task, settings.target_scaling, own)
    sizes = (preparation.width, *settings.hidden, target.outputs)
    _refuse_large(sizes)
    inputs = torch.as_tensor(preparation.transform(dataset.frame), dtype=DTYPES[settings.dtype])
    targets = torch.as_tensor(target.encode(dataset.target))
    if targets.is_floating_point():  # and no places of classes
        targets = targets.to(inputs.dtype)
    samples = {name: Sample(inputs[rows], targets[rows]) for name, rows in parts.items()}
    model = Model(preparation, _untrained(sizes, settings, samples["train"]), target)
    return Prepared(settings, dataset, parts, model, _index(settings, target), samples)


def _choices(dataset: Dataset, settings: Settings) -> tuple[Choices, dict[str, str]]:
    """How the inputs are prepared, and the targets of numbers with a scaler of their own."""
    choices = settings.choices()
    if dataset.task is Task.CLASSIFICATION and settings.target_scaling != Settings.target_scaling:
        raise InputError(
            f"target_scaling is for numbers, and {listing(dataset.target_names)} is learnt as classes"
        )
    learnt = dataset.target_names if dataset.task is Task.REGRESSION else ()
    numbers = [name for name, kind in dataset.kinds.items() if kind is Kind.NUMBER]
    check_columns(choices.scalers, [*numbers, *learnt])
    own = {name: scaler for name, scaler in choices.scalers.items() if name in learnt}
    others = {name: scaler for name, scaler in choices.scalers.items() if name not in own}
    return replace(choices, scalers=others), own


def _index(settings: Settings, target: Target) -> LossIndex:
    error = error_term(settings.loss, target, settings.exponent, settings.delta)
    return LossIndex(error, settings.l2, settings.l1, settings.smooth_l1, settings.smoothing)


def _divide(dataset: Dataset, settings: Settings) -> Parts:
    several = len(dataset.target_names) > 1  # whose classes come in too many combinations
    stratify = dataset.task is Task.CLASSIFICATION and not several
    if several and settings.division == "stratified":
        raise InputError(
            "division 'stratified' is for one target of classes, not for several targets"
        )
    classes = dataset.target.to_numpy(dtype=object) if stratify else None
    return settings.row_division().split(len(dataset.frame), classes, dataset.marks)


def _refuse_large(sizes: tuple[int, ...]) -> None:
    weights = sum(math.prod(shape) for shape in Perceptron.shapes(sizes).values())
    if weights > _MOST_WEIGHTS:
        raise InputError(
            f"a network of {weights:,} weights is larger than the {_MOST_WEIGHTS:,} that can be "
            "trained: choose fewer hidden units"
        )


def _untrained(sizes: tuple[int, ...], settings: Settings, train: Sample) -> Perceptron:
    network = Perceptron(sizes, settings.activation, settings.seed, DTYPES[settings.dtype])
    if settings.initialisation != "xavier":  # what a Perceptron starts with
        random = np.random.default_rng(settings.seed)
        initialise(network, settings.initialisation, random, train.inputs.numpy())
    return network
