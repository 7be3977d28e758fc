"""Initial weights: each scheme against its formula, and the same numbers as scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier, MLPRegressor

from secant.learn import Perceptron
from secant.learn.errors import InputError
from secant.learn.initial import INITIALISATIONS, initial_weights, initialise


@pytest.mark.parametrize("activation", ["tanh", "logistic", "relu"])
def test_scikit_learn_gives_the_weights_that_scikit_learn_starts_from(activation):
    x, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20.0)
    theirs = MLPRegressor(hidden_layer_sizes=(5, 4), activation=activation, random_state=7)
    # One epoch with a step too small to change any digit leaves the initial weights.
    theirs.set_params(solver="sgd", learning_rate_init=1e-300, max_iter=1, alpha=0.0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        theirs.fit(x, y)
    ours = initial_weights((3, 5, 4, 1), activation, "scikit-learn", np.random.RandomState(7))
    for (weights, biases), coef, intercept in zip(
        ours, theirs.coefs_, theirs.intercepts_, strict=True
    ):
        np.testing.assert_array_equal(weights.T, coef)
        np.testing.assert_array_equal(biases, intercept)


def test_a_classifier_of_scikit_learn_starts_alike():
    x, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 3
    theirs = MLPClassifier(
        (4,), solver="sgd", learning_rate_init=1e-300, max_iter=1, random_state=1
    )
    with pytest.warns(UserWarning, match="Maximum iterations"):
        theirs.fit(x, y)
    ours = initial_weights((2, 4, 3), "relu", "scikit-learn", np.random.RandomState(1))
    np.testing.assert_array_equal(ours[1][0].T, theirs.coefs_[1])


def test_xavier_and_he_have_their_spread():
    random = np.random.default_rng(0)
    ((xavier, zero), _) = initial_weights((300, 200, 1), "tanh", "xavier", random)
    limit = (6 / 500) ** 0.5
    assert 0.99 * limit < np.abs(xavier).max() <= limit
    assert not zero.any()
    ((he, zero), _) = initial_weights((300, 200, 1), "relu", "he", random)
    assert he.std() == pytest.approx((2 / 300) ** 0.5, rel=0.02)
    assert not zero.any()


def test_nguyen_widrow_is_the_published_rule_on_inputs_from_minus_one_to_one():
    units, n = 9, 3
    ((W, b), _) = initial_weights((n, units, 1), "tanh", "nguyen-widrow", np.random.default_rng(0))
    length = 2.0 * 0.7 * units ** (1 / n)  # tanh is active from -2 to 2
    np.testing.assert_allclose(np.linalg.norm(W, axis=1), length, rtol=1e-13)
    np.testing.assert_allclose(
        b * np.sign(W[:, 0]), length * np.linspace(-1, 1, units), rtol=0, atol=1e-13
    )


def test_nguyen_widrow_follows_the_ranges_of_the_inputs():
    random = np.random.default_rng(3)
    ranges = np.array([[0.0, 10.0], [-3.0, -1.0], [5.0, 5.0]])
    ((W, b), _) = initial_weights((3, 6, 1), "logistic", "nguyen-widrow", random, ranges)
    # The same draw on [-1, 1]^2: a scaled copy of the inputs gives the same net inputs.
    ((V, c), _) = initial_weights((2, 6, 1), "logistic", "nguyen-widrow", np.random.default_rng(3))
    x = np.array([[2.0, -1.5, 5.0], [9.0, -2.9, 5.0]])
    scaled = np.column_stack([(x[:, 0] - 5.0) / 5.0, x[:, 1] + 2.0])
    np.testing.assert_allclose(x @ W.T + b, scaled @ V.T + c, rtol=1e-12)
    assert not W[:, 2].any()


def test_the_active_regions_of_one_input_cover_its_range():
    ((W, b), _) = initial_weights((1, 12, 1), "tanh", "nguyen-widrow", np.random.default_rng(0))
    x = np.linspace(-1, 1, 101)
    active = np.abs(x[:, None] * W[:, 0] + b) <= 2.0
    assert active.any(axis=1).all()
    assert active.any(axis=0).all()


def test_deeper_layers_see_the_values_of_the_activation():
    layers = initial_weights((2, 5, 7, 1), "logistic", "nguyen-widrow", np.random.default_rng(0))
    W, _ = layers[1]
    # From 0 to 1 half as wide as from -1 to 1: weights twice as long.
    np.testing.assert_allclose(np.linalg.norm(W, axis=1), 4.0 * 2.0 * 0.7 * 7**0.2, rtol=1e-13)


@pytest.mark.parametrize("scheme", INITIALISATIONS)
def test_initialise_fills_the_network_and_keeps_its_dtype(scheme):
    network = Perceptron((3, 5, 2)).to(torch.float32)
    x = np.random.default_rng(0).normal(size=(10, 3))
    initialise(network, scheme, np.random.default_rng(1), x)
    first = [p.clone() for p in network.parameters()]
    assert all(p.dtype == torch.float32 for p in first)
    initialise(network, scheme, np.random.default_rng(1), x)
    assert all(map(torch.equal, first, network.parameters()))
    initialise(network, scheme, np.random.default_rng(2), x)
    assert not torch.equal(first[0], next(network.parameters()))


def test_constant_inputs_leave_finite_weights():
    network = Perceptron((2, 3, 1))
    initialise(network, "nguyen-widrow", np.random.default_rng(0), np.ones((4, 2)))
    assert not network.layers[0].weight.detach().any()
    assert all(torch.isfinite(p).all() for p in network.parameters())


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="initialisation must be one of 'xavier'"):
        initialise(Perceptron((2, 3, 1)), "glorot", np.random.default_rng(0))
    with pytest.raises(InputError, match="needs an activation that saturates"):
        initialise(Perceptron((2, 3, 1), "relu"), "nguyen-widrow", np.random.default_rng(0))
