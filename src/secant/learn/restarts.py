"""Training from several starts: a loss has many minima, and the first one found is seldom the best."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from torch import Tensor

from secant.learn.errors import InputError
from secant.learn.history import History
from secant.learn.initial import Random, initialise
from secant.learn.loss import LossIndex
from secant.learn.network import Perceptron
from secant.learn.strategy import Sample, Strategy, Training, train_network
from secant.status import Status

__all__ = ["Restarts", "score", "train_from_starts"]


@dataclass(frozen=True)
class Restarts:
    """The trainings from all starts, and which of them the network was left with.

    Attributes
    ----------
    trainings : tuple of Training or None
        In the order of the starts; None where a start could not be trained.
    chosen : int
        Place of the training whose weights were kept.
    interrupted : bool
        Whether Ctrl-C ended them before all starts were made.
    """

    trainings: tuple[Training | None, ...]
    chosen: int
    interrupted: bool = False

    @property
    def best(self) -> Training:
        """The training whose weights the network has; its status is that of all if they were interrupted."""
        training = self.trainings[self.chosen]
        assert training is not None
        return replace(training, status=Status.INTERRUPTED) if self.interrupted else training


def score(training: Training, validated: bool) -> float:
    """What decides between trainings: the validation loss, or the objective without validation rows."""
    value = training.best.validation_loss if validated else training.best.objective
    return value if math.isfinite(value) else math.inf


def train_from_starts(
    network: Perceptron,
    index: LossIndex,
    train: Sample,
    validation: Sample | None,
    strategy: Strategy,
    *,
    starts: int = 1,
    scheme: str = "xavier",
    random: Random | None = None,
    total_seconds: float = math.inf,
    progress: Callable[[History], None] | None = None,
) -> Restarts:
    """Train a network from its weights, then from newly drawn ones, and keep the best.

    Ctrl-C ends the start at work and leaves the later ones out.

    Parameters
    ----------
    network : Perceptron
        The first start; left with the weights of the lowest validation loss over all starts, or of
        the lowest objective if there are no validation rows.
    index : LossIndex
    train, validation : Sample
    strategy : Strategy
        Of every single training.
    starts : int
        How many, the first one counted.
    scheme : str
        A key of `secant.learn.initial.INITIALISATIONS`, for the second start and later ones.
    random : numpy.random.Generator, optional
        Where new weights come from; by default one of seed 0.
    total_seconds : float
        Limit on the time of all starts together; later starts that find none left are left out.
    progress : callable, optional
        Called with the history of the current start after each iteration.

    Raises
    ------
    InputError
        If no start can be trained.
    """
    if starts < 1:
        raise InputError(f"starts must be at least 1, not {starts}")
    random = np.random.default_rng(0) if random is None else random
    inputs = train.inputs.detach().cpu().numpy() if starts > 1 else None
    deadline = perf_counter() + total_seconds
    trainings: list[Training | None] = []
    kept: _Kept | None = None
    failure: InputError | None = None
    interrupted = False
    for place in range(starts):
        left = deadline - perf_counter()
        if interrupted or (place > 0 and left <= 0.0):
            break
        training = None
        try:
            if place > 0:
                initialise(network, scheme, random, inputs)
            limited = replace(strategy, max_seconds=min(strategy.max_seconds, left))
            training = train_network(network, index, train, validation, limited, progress)
            interrupted = training.status is Status.INTERRUPTED
        except InputError as error:
            failure = error
        except KeyboardInterrupt:  # before the first iteration of a start, which leaves no training
            if kept is None:
                raise
            interrupted = True
            break
        trainings.append(training)
        if training is not None:
            value = score(training, validation is not None)
            if kept is None or value < kept.score:
                kept = _Kept(place, value, _copies(network) if starts > 1 else {})
    if kept is None:
        assert failure is not None
        raise failure
    if kept.weights:
        network.load_state_dict(kept.weights)
    return Restarts(tuple(trainings), kept.place, interrupted)


@dataclass(frozen=True)
class _Kept:
    """The best start so far."""

    place: int
    score: float
    weights: dict[str, Tensor]


def _copies(network: Perceptron) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}
