"""Order selection: how many neurons a hidden layer needs, found by growing it.

Too few neurons cannot follow the target, too many follow the noise; the validation loss over their
number shows where the one turns into the other (Neural Designer calls this "growing neurons").
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from secant.learn.errors import InputError
from secant.learn.initial import check_initialisation, initialise
from secant.learn.loss import LossIndex
from secant.learn.network import Perceptron
from secant.learn.plain import settle_types
from secant.learn.restarts import score, train_from_starts
from secant.learn.strategy import Sample, Strategy, Training
from secant.status import Status

__all__ = ["GrowingNeurons", "OrderSelection", "OrderTrial", "select_order"]


@dataclass(frozen=True)
class GrowingNeurons:
    """Which numbers of neurons are tried, and when to stop.

    Attributes
    ----------
    minimum, maximum, step : int
        Numbers of neurons of the layer that grows: from, to, and by.
    trials : int
        Starts at each number; the best of them counts.
    patience : int
        Numbers in a row without a lower validation loss after which the search stops.
    max_seconds : float
        Limit on the time of all trainings together.
    layer : int
        Place of the hidden layer that grows, 0 the first.
    initialisation : str
        A key of `secant.learn.initial.INITIALISATIONS`.
    seed : int
        Of the initial weights.
    """

    minimum: int = 1
    maximum: int = 10
    step: int = 1
    trials: int = 3
    patience: int = 100
    max_seconds: float = 3600.0
    layer: int = 0
    initialisation: str = "xavier"
    seed: int = 0

    def __post_init__(self) -> None:
        settle_types(self)
        for name in ("minimum", "step", "trials", "patience"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.maximum < self.minimum:
            raise InputError(
                f"maximum must be at least minimum, {self.minimum}, not {self.maximum}"
            )
        if self.layer < 0:
            raise InputError(f"layer must be at least 0, not {self.layer}")
        if not self.max_seconds > 0:
            raise InputError(f"max_seconds must be a positive number, not {self.max_seconds}")

    @property
    def sizes(self) -> range:
        """The numbers of neurons, in the order in which they are tried."""
        return range(self.minimum, self.maximum + 1, self.step)


@dataclass(frozen=True)
class OrderTrial:
    """The best training of one number of neurons.

    Attributes
    ----------
    neurons : int
    weights : int
        Weights and biases of the network.
    training_loss, validation_loss : float
        Of the weights that were kept.
    validation_losses : tuple of float
        Of every start, in order.
    training : Training
        Of the best start.
    """

    neurons: int
    weights: int
    training_loss: float
    validation_loss: float
    validation_losses: tuple[float, ...]
    training: Training


@dataclass(frozen=True)
class OrderSelection:
    """Every number of neurons tried, and the network of the chosen one.

    Attributes
    ----------
    trials : tuple of OrderTrial
        In the order in which they were made.
    network : Perceptron
        The trained network of the lowest validation loss.
    interrupted : bool
        Whether Ctrl-C ended the search.
    """

    trials: tuple[OrderTrial, ...]
    network: Perceptron
    interrupted: bool = False

    @property
    def best(self) -> OrderTrial:
        """The trial of the lowest validation loss, the smallest of equals."""
        return min(self.trials, key=lambda trial: trial.validation_loss)

    @property
    def neurons(self) -> int:
        """The chosen number of neurons."""
        return self.best.neurons


def select_order(
    network: Perceptron,
    index: LossIndex,
    train: Sample,
    validation: Sample,
    strategy: Strategy,
    growing: GrowingNeurons = GrowingNeurons(),
    progress: Callable[[OrderTrial], None] | None = None,
) -> OrderSelection:
    """Train networks of growing size and choose the one of the lowest validation loss.

    Ctrl-C ends the search; what was found until then is returned.

    Parameters
    ----------
    network : Perceptron
        Its sizes, activation, dtype and device are those of the networks tried, but for the number
        of neurons of one hidden layer; its weights are left alone.
    index : LossIndex
    train, validation : Sample
        The rows that train and the rows that decide.
    strategy : Strategy
        Of every single training.
    growing : GrowingNeurons
    progress : callable, optional
        Called with each number's trial.

    Returns
    -------
    OrderSelection

    Raises
    ------
    InputError
        If the network has no such hidden layer, or no training could be made.

    Examples
    --------
    >>> import torch
    >>> from secant.learn.loss import LossIndex, error_term
    >>> from secant.learn.targets import NumericTarget
    >>> x = torch.linspace(-1, 1, 60, dtype=torch.float64)[:, None]
    >>> rows = Sample(x, torch.sin(4 * x))
    >>> index = LossIndex(error_term("auto", NumericTarget("y", 0.0, 1.0)))
    >>> found = select_order(
    ...     Perceptron((1, 1, 1)), index, rows, rows, Strategy(max_iter=30),
    ...     GrowingNeurons(maximum=3, trials=1),
    ... )
    >>> [trial.neurons for trial in found.trials], found.network.sizes[1] == found.neurons
    ([1, 2, 3], True)
    """
    _check_layer(network, growing)
    started = perf_counter()
    trials: list[OrderTrial] = []
    best: tuple[float, Perceptron] | None = None
    failures, interrupted = 0, False
    for neurons in growing.sizes:
        left = growing.max_seconds - (perf_counter() - started)
        if trials and (interrupted or left <= 0.0 or failures >= growing.patience):
            break
        try:
            trial, trained = _try(
                network, index, train, validation, strategy, growing, neurons, left
            )
        except KeyboardInterrupt:  # before its first iteration
            if best is None:
                raise
            interrupted = True
            break
        trials.append(trial)
        interrupted = trial.training.status is Status.INTERRUPTED
        if best is None or trial.validation_loss < best[0]:
            best, failures = (trial.validation_loss, trained), 0
        else:
            failures += 1
        if progress is not None:
            progress(trial)
    assert best is not None
    return OrderSelection(tuple(trials), best[1], interrupted)


def _check_layer(network: Perceptron, growing: GrowingNeurons) -> None:
    hidden = len(network.sizes) - 2
    if growing.layer >= hidden:
        raise InputError(
            f"layer must be one of the {hidden} hidden layers, counted from 0, not {growing.layer}"
        )
    check_initialisation(growing.initialisation, network.activation)


def _try(
    like: Perceptron,
    index: LossIndex,
    train: Sample,
    validation: Sample,
    strategy: Strategy,
    growing: GrowingNeurons,
    neurons: int,
    seconds: float,
) -> tuple[OrderTrial, Perceptron]:
    sizes = list(like.sizes)
    sizes[growing.layer + 1] = neurons
    first = next(like.parameters())
    network = Perceptron(sizes, like.activation).to(first.device, first.dtype)
    # A generator of its own, so that a number of neurons gives the same whatever was tried before.
    random = np.random.default_rng([growing.seed, neurons])
    initialise(network, growing.initialisation, random, train.inputs.detach().cpu().numpy())
    restarts = train_from_starts(
        network,
        index,
        train,
        validation,
        strategy,
        starts=growing.trials,
        scheme=growing.initialisation,
        random=random,
        total_seconds=seconds,
    )
    best = restarts.best
    losses = tuple(
        math.inf if training is None else score(training, True) for training in restarts.trainings
    )
    trial = OrderTrial(
        neurons,
        network.count,
        best.best.training_loss,
        score(best, True),
        losses,
        best,
    )
    return trial, network
