"""The whole way from a table in a file to a trained model and its scores."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secant.learn.history import History
from secant.learn.judging import judged
from secant.learn.loss import LossIndex
from secant.learn.model import Model
from secant.learn.prepared import Prepared, prepare_table
from secant.learn.restarts import Restarts, train_from_starts
from secant.learn.scores import Scores
from secant.learn.settings import Settings
from secant.learn.strategy import Training
from secant.learn.tables.dataset import Dataset
from secant.learn.tables.division import Parts
from secant.learn.tables.source import Readable

__all__ = ["Trained", "train_prepared", "train_table"]


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
        The prediction of every row of the table: numbers or classes, shape (rows,), or (rows, targets)
        if there are several targets.
    restarts : Restarts, optional
        The trainings from all starts; `training` is the best of them.
    """

    settings: Settings
    dataset: Dataset
    parts: Parts
    model: Model
    index: LossIndex
    training: Training
    scores: dict[str, Scores]
    predicted: NDArray[Any]
    restarts: Restarts | None = None


def train_table(
    path: Readable,
    settings: Settings,
    progress: Callable[[History], None] | None = None,
) -> Trained:
    """Read a table, divide it, train a network on it and judge the network.

    Parameters
    ----------
    path : str, Path or open file
        A CSV, TSV or Parquet file; ``"-"`` is standard input.
    settings : Settings
        What to learn and how.
    progress : callable, optional
        Called with the history after each iteration.

    Returns
    -------
    Trained

    Raises
    ------
    InputError
        If anything about the file, the settings or their combination cannot be used.

    Examples
    --------
    >>> import io
    >>> import numpy as np
    >>> import pandas as pd
    >>> from secant.learn import Settings, train_table
    >>> x = np.linspace(-1.0, 1.0, 100)
    >>> table = io.StringIO(pd.DataFrame({"x": x, "y": np.sin(3.0 * x)}).to_csv(index=False))
    >>> trained = train_table(table, Settings("y", hidden=(8,)))
    >>> trained.scores["test"].values["R2"] > 0.99
    True
    """
    return train_prepared(prepare_table(path, settings), progress)


def train_prepared(
    prepared: Prepared, progress: Callable[[History], None] | None = None
) -> Trained:
    """Train the network of `prepared`, in place, and judge it: the rest of `train_table`.

    Parameters
    ----------
    prepared : Prepared
        Its network goes on from the weights that it has.
    progress : callable, optional
        Called with the history after each iteration.

    Returns
    -------
    Trained

    Raises
    ------
    InputError
        If the method of the settings cannot train the network.

    Examples
    --------
    The same rows and first weights by two methods:

    >>> import io
    >>> from dataclasses import replace
    >>> import numpy as np
    >>> import pandas as pd
    >>> from secant.learn import Settings, Strategy, prepare_table, train_prepared
    >>> x = np.linspace(-1.0, 1.0, 100)
    >>> table = io.StringIO(pd.DataFrame({"x": x, "y": np.sin(3.0 * x)}).to_csv(index=False))
    >>> prepared = prepare_table(table, Settings("y", hidden=(8,)))
    >>> for method in ("bfgs", "lm"):
    ...     own = replace(prepared.settings, strategy=Strategy(method))
    ...     trained = train_prepared(replace(prepared, settings=own).start(seed=0))
    ...     print(method, trained.scores["test"].values["R2"] > 0.99)
    bfgs True
    lm True
    """
    settings, model, index = prepared.settings, prepared.model, prepared.index
    dataset, parts, samples = prepared.dataset, prepared.parts, prepared.samples
    restarts = train_from_starts(
        model.network,
        index,
        samples["train"],
        samples["validation"],
        settings.strategy,
        starts=settings.starts,
        scheme=settings.initialisation,
        # Another stream than the one of the first weights, which has the seed alone.
        random=np.random.default_rng([settings.seed, 1]),
        total_seconds=settings.strategy.max_seconds if settings.starts > 1 else math.inf,
        progress=progress,
    )
    index = restarts.best.index
    predicted = model.target.decode(model.outputs(dataset.frame))
    scores = {
        name: judged(model, index, samples[name], dataset.target.to_numpy()[rows], predicted[rows])
        for name, rows in parts.items()
    }
    return Trained(
        settings, dataset, parts, model, index, restarts.best, scores, predicted, restarts
    )
