"""Mini-batch methods against PyTorch's optimisers, and what their epochs record."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import secant
from secant.learn import LossIndex, Perceptron, Strategy, train_network
from secant.learn.error_terms import MeanSquared
from secant.learn.strategy import Sample

RANDOM = np.random.default_rng(0)
X = torch.as_tensor(RANDOM.normal(size=(50, 3)))
Y = torch.as_tensor(np.sin(X[:, :1].numpy()))
INDEX = LossIndex(MeanSquared(), l2=0.01)


def by_pytorch(method, epochs, batch):
    """The weights after the same batches, by autograd and torch.optim."""
    network = Perceptron((3, 4, 1), seed=1)
    weights = network.weights()
    biases = [p for p in network.parameters() if p.ndim == 1]
    decay = 0.02 if method == "adamw" else 0.0
    groups = [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]
    peer = {
        "adam": lambda: torch.optim.Adam(groups, 0.01),
        "adamw": lambda: torch.optim.AdamW(groups, 0.01),
        "sgd": lambda: torch.optim.SGD(groups, 0.01, momentum=0.9, nesterov=True),
    }[method]()
    index = LossIndex(MeanSquared()) if method == "adamw" else INDEX
    order = np.random.default_rng(7)
    for _ in range(epochs):
        rows = order.permutation(50)
        for start in range(0, 50, batch):
            part = rows[start : start + batch]
            peer.zero_grad()
            index(network, X[part], Y[part]).backward()
            peer.step()
    return network


@pytest.mark.parametrize("method", ["adam", "adamw", "sgd"])
def test_the_steps_are_pytorchs(method):
    network = Perceptron((3, 4, 1), seed=1)
    strategy = Strategy(method, max_iter=6, learning_rate=0.01, batch_size=20, seed=7, gtol=1e-12)
    training = train_network(network, INDEX, Sample(X, Y), None, strategy)
    assert training.best.iteration == 6
    assert training.evaluations == training.gradients == 18
    for ours, theirs in zip(
        network.parameters(), by_pytorch(method, 6, 20).parameters(), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def test_an_epoch_records_the_loss_of_all_rows():
    network = Perceptron((3, 4, 1), seed=1)
    strategy = Strategy("adam", max_iter=5, learning_rate=0.01, batch_size=16)
    training = train_network(network, INDEX, Sample(X, Y), Sample(X[:9], Y[:9]), strategy)
    assert [row.iteration for row in training.history] == list(range(6))
    assert [row.evaluations for row in training.history] == [0, 4, 8, 12, 16, 20]
    with torch.no_grad():
        assert training.best.objective == pytest.approx(INDEX(network, X, Y).item(), rel=1e-12)
        error = INDEX.error(network(X[:9]), Y[:9]).item()
    assert training.best.validation_loss == pytest.approx(error, rel=1e-12)


def test_the_order_of_the_rows_is_the_seeds():
    def train(seed):
        network = Perceptron((3, 4, 1), seed=1)
        strategy = Strategy("sgd", max_iter=3, batch_size=10, seed=seed)
        return train_network(network, INDEX, Sample(X, Y), None, strategy).history.column(
            "objective"
        )

    assert train(1) == train(1)
    assert train(1) != train(2)


def test_weights_of_rows_count():
    weights = torch.ones(50, dtype=torch.float64)
    weights[25:] = 0.0
    objectives = []
    for rows in (Sample(X, Y, weights), Sample(X[:25], Y[:25])):
        network = Perceptron((3, 4, 1), seed=1)
        strategy = Strategy("adam", max_iter=4, batch_size=1000)
        objectives.append(train_network(network, INDEX, rows, None, strategy).best.objective)
    assert objectives[0] == pytest.approx(objectives[1], rel=1e-10)


def test_divergence_is_named():
    network = Perceptron((3, 4, 1), "identity", seed=1)
    strategy = Strategy("sgd", max_iter=500, learning_rate=1e6)
    training = train_network(network, INDEX, Sample(X, Y), None, strategy)
    assert training.status is secant.Status.DIVERGED
    assert training.best.iteration == 0
