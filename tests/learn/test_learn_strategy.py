"""The training run: which weights are kept, what is recorded, and why it stops."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

import secant
from secant.learn import Perceptron, Strategy, train_network
from secant.learn.errors import InputError
from secant.learn.loss import LossIndex, error_term
from secant.learn.strategy import Sample
from secant.learn.target import NumericTarget

INDEX = LossIndex(error_term("auto", NumericTarget("y", 0.0, 1.0)), l2=1e-3)


def sample(rows: int, seed: int) -> Sample:
    random = np.random.default_rng(seed)
    x = random.uniform(-2, 2, size=(rows, 2))
    y = np.sin(2 * x[:, :1]) * x[:, 1:] + random.normal(0, 0.3, size=(rows, 1))
    return Sample(torch.as_tensor(x), torch.as_tensor(y))


TRAIN, VALIDATION = sample(40, 0), sample(40, 1)


def error(network: Perceptron, rows: Sample) -> float:
    with torch.no_grad():
        return float(INDEX.error(network(rows.inputs), rows.targets))


def test_the_weights_of_the_lowest_validation_loss_are_kept():
    network = Perceptron((2, 12, 1), seed=0)
    training = train_network(network, INDEX, TRAIN, VALIDATION, Strategy(patience=15))
    losses = training.history.column("validation_loss")
    assert training.status is secant.Status.VALIDATION_STOP
    assert training.best.iteration == int(np.argmin(losses))
    assert len(losses) == training.best.iteration + 15 + 1
    assert error(network, VALIDATION) == min(losses)
    assert error(network, TRAIN) == pytest.approx(training.best.training_loss, rel=1e-12)


def test_the_history_is_what_the_optimiser_did():
    network = Perceptron((2, 4, 1), seed=0)
    with torch.no_grad():
        start = float(INDEX(network, TRAIN.inputs, TRAIN.targets))
    seen = []
    training = train_network(
        network, INDEX, TRAIN, VALIDATION, Strategy(max_iter=12), lambda h: seen.append(len(h))
    )
    rows = training.history.epochs
    assert training.status is secant.Status.MAX_ITERATIONS
    assert [row.iteration for row in rows] == list(range(13))
    assert seen == list(range(2, 14))
    assert rows[0].objective == pytest.approx(start, rel=1e-14)
    assert rows[-1].objective < rows[0].objective
    assert rows[-1].evaluations == training.evaluations
    assert all(row.objective > row.training_loss for row in rows)
    assert all(a.seconds <= b.seconds for a, b in pairwise(rows))


@pytest.mark.parametrize(
    ("strategy", "status"),
    [
        (Strategy(gtol=0.1), secant.Status.GRADIENT),
        (Strategy(max_iter=2), secant.Status.MAX_ITERATIONS),
        (
            Strategy("gd", gtol=1e-300, patience=10**6, max_seconds=0.2, max_iter=10**9),
            secant.Status.TIME_LIMIT,
        ),
    ],
    ids=["gradient", "iterations", "time"],
)
def test_stops(strategy, status):
    network = Perceptron((2, 4, 1), seed=0)
    assert train_network(network, INDEX, TRAIN, VALIDATION, strategy).status is status


def test_an_interruption_between_iterations_keeps_what_was_found():
    network = Perceptron((2, 4, 1), seed=0)

    def interrupt(history):
        if len(history) == 6:
            raise KeyboardInterrupt

    training = train_network(network, INDEX, TRAIN, VALIDATION, Strategy(), interrupt)
    assert training.status is secant.Status.INTERRUPTED
    assert training.iterations == 5
    assert error(network, VALIDATION) == training.best.validation_loss


def test_a_loss_that_is_not_finite_at_the_start_is_refused():
    wrong = Sample(TRAIN.inputs, TRAIN.targets * math.inf)
    with pytest.raises(InputError, match="not finite before training"):
        train_network(Perceptron((2, 4, 1)), INDEX, wrong, VALIDATION, Strategy())


def test_names_and_aliases_of_methods():
    assert Strategy("LBFGS").method == "l-bfgs"
    with pytest.raises(InputError, match="method must be one of l-bfgs"):
        Strategy("sgdd")
