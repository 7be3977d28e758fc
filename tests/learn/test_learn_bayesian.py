"""Bayesian regularisation against the evidence in closed form, and on noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from secant.learn import LossIndex, Perceptron, Strategy, train_network
from secant.learn.bayesian import BayesianSquares
from secant.learn.closed_form.objective import Objective, weights_of
from secant.learn.error_terms import BinaryCrossEntropy, MeanSquared
from secant.learn.errors import InputError
from secant.learn.strategy import Sample

BAYESIAN = Strategy("lm", bayesian=True, max_iter=300, gtol=1e-10)


def sample(x, y):
    return Sample(torch.as_tensor(x), torch.as_tensor(y).reshape(-1, 1))


def linear_data(rows, width, noise=0.5):
    random = np.random.default_rng(rows)
    x = random.normal(size=(rows, width))
    return x, x[:, :2] @ np.array([1.0, -2.0]) + 0.7 + noise * random.normal(size=rows)


def most_evident(x, y):
    """MacKay's fixed point for ``y = x w + b``, with no prior on the bias; the paper's formulas."""
    m, n = x.shape
    A = np.column_stack([x, np.ones(m)])
    prior = np.append(np.ones(n), 0.0)
    alpha = beta = 1.0
    for _ in range(10_000):
        H = 2 * beta * A.T @ A + 2 * alpha * np.diag(prior)
        w = np.linalg.solve(H, 2 * beta * A.T @ y)
        gamma = n + 1 - 2 * alpha * np.trace(np.linalg.inv(H)[:n, :n])
        alpha = (gamma - 1) / (2 * w[:n] @ w[:n])
        beta = (m - gamma) / (2 * np.sum((A @ w - y) ** 2))
    return w, gamma, alpha / (beta * m)


@pytest.mark.parametrize(("rows", "width"), [(60, 8), (20, 15)])
def test_a_linear_model_ends_at_the_most_evident_penalty(rows, width):
    x, y = linear_data(rows, width)
    w, gamma, l2 = most_evident(x, y)
    network = Perceptron((width, 1), seed=0)
    training = train_network(network, LossIndex(MeanSquared()), sample(x, y), None, BAYESIAN)
    assert training.index.l2 == pytest.approx(l2, rel=1e-5)
    assert training.effective_parameters == pytest.approx(gamma, rel=1e-5)
    assert training.history.epochs[-1].effective_parameters == training.effective_parameters
    layer = network.layers[0]
    np.testing.assert_allclose(layer.weight.detach().numpy()[0], w[:-1], rtol=1e-4, atol=1e-6)
    assert layer.bias.item() == pytest.approx(w[-1], rel=1e-4)


def test_the_penalty_maximises_the_evidence():
    """The likelihood of the targets alone, weights and a free bias integrated out: no gamma in it."""
    x, y = linear_data(60, 8)
    m, one = len(y), np.ones(len(y))

    def surprise(logs):
        noise, prior = np.exp(logs)  # variances of the errors and of the weights
        C = noise * np.eye(m) + prior * x @ x.T
        v, u = np.linalg.solve(C, np.column_stack([one, y])).T
        free = one @ v
        return np.linalg.slogdet(C)[1] + np.log(free) + y @ u - (one @ u) ** 2 / free

    found = minimize(surprise, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9})
    l2 = np.exp(found.x[0] - found.x[1]) / m
    centred = x - x.mean(axis=0)
    hat = centred @ np.linalg.solve(centred.T @ centred + m * l2 * np.eye(8), centred.T)
    network = Perceptron((8, 1), seed=0)
    training = train_network(network, LossIndex(MeanSquared()), sample(x, y), None, BAYESIAN)
    assert training.index.l2 == pytest.approx(l2, rel=1e-4)
    assert training.effective_parameters == pytest.approx(1 + np.trace(hat), rel=1e-5)


@pytest.mark.parametrize("rows", [12, 90], ids=["fewer rows", "more rows"])
def test_the_trace_is_that_of_the_dense_inverse(rows):
    """By inner products of rows with fewer rows than weights, else by J'J."""
    random = np.random.default_rng(0)
    given = sample(random.normal(size=(rows, 2)), random.normal(size=rows))
    network = Perceptron((2, 4, 1), seed=0)
    index = LossIndex(MeanSquared(), l2=0.02)
    problem = BayesianSquares(Objective(network, index, given.inputs, given.targets))
    point = problem.at(weights_of(network))
    J = np.vstack([block for _, block in point.evaluation.blocks()])
    weights = problem.is_weight > 0.0
    trace = np.trace(np.linalg.inv(J.T @ J)[np.ix_(weights, weights)])
    problem.reestimated(point)
    assert problem.effective_parameters == pytest.approx(17 - 2 * 0.02 * trace, rel=1e-5)


def test_noise_is_not_learnt():
    """Far more weights than the data determine: the error beside the data stays that of the noise."""
    random = np.random.default_rng(1)
    x = np.linspace(-1.0, 1.0, 41)[:, None]
    y = np.sin(np.pi * x[:, 0]) + 0.2 * random.normal(size=41)
    between = torch.as_tensor(np.linspace(-0.95, 0.95, 200)[:, None])
    truth = np.sin(np.pi * between.numpy()[:, 0])

    def error(strategy, l2):
        network = Perceptron((1, 20, 1), seed=0)
        training = train_network(
            network, LossIndex(MeanSquared(), l2=l2), sample(x, y), None, strategy
        )
        outputs = network.outputs(between.numpy())[:, 0]
        return training, np.sqrt(np.mean((outputs - truth) ** 2))

    bayesian, small = error(Strategy("lm", bayesian=True, max_iter=60), 0.0)
    _, large = error(Strategy("lm", max_iter=60), 0.0)
    assert 1.5 < bayesian.effective_parameters - 21 < 6.0  # the biases count as determined
    assert small < 0.12
    assert large > 2.0 * small


def test_what_it_cannot_be_used_for_is_refused():
    with pytest.raises(InputError, match="bayesian regularisation is for method 'lm', not 'bfgs'"):
        Strategy("bfgs", bayesian=True)
    rows = sample(np.ones((4, 2)), np.array([0.0, 1, 0, 1]))
    with pytest.raises(InputError, match="needs an error that is a sum of squares, not binary"):
        train_network(Perceptron((2, 1)), LossIndex(BinaryCrossEntropy()), rows, None, BAYESIAN)
