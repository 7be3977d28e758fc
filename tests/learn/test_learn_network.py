"""Network and loss index against plain NumPy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, mean_squared_error, r2_score

from secant.learn import scores
from secant.learn.errors import InputError
from secant.learn.loss import LossIndex, error_term
from secant.learn.network import ACTIVATIONS, Perceptron
from secant.learn.targets import ClassTarget, NumericTarget

RANDOM = np.random.default_rng(0)


def test_forward_is_the_formula():
    network = Perceptron((3, 5, 2), "tanh", seed=1)
    x = RANDOM.normal(size=(4, 3))
    (w1, b1), (w2, b2) = (
        (layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in network.layers
    )
    np.testing.assert_allclose(network.outputs(x), np.tanh(x @ w1.T + b1) @ w2.T + b2, rtol=1e-13)


def test_start_is_xavier_and_leaves_the_global_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    network = Perceptron((200, 100, 1), seed=3)
    assert torch.equal(torch.rand(1), expected)
    limit = (6 / 300) ** 0.5
    weights = network.layers[0].weight.detach()
    assert 0.98 * limit < float(weights.abs().max()) <= limit
    assert float(weights.std()) == pytest.approx(limit / 3**0.5, rel=0.02)
    assert all(parameter.dtype == torch.float64 for parameter in network.parameters())
    assert torch.equal(weights, Perceptron((200, 100, 1), seed=3).layers[0].weight)
    assert not torch.equal(weights, Perceptron((200, 100, 1), seed=4).layers[0].weight)


def test_shapes_are_those_of_the_parameters():
    network = Perceptron((3, 5, 2))
    found = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert Perceptron.shapes((3, 5, 2)) == found
    assert network.count == 3 * 5 + 5 + 5 * 2 + 2


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_have_gradients(name):
    network = Perceptron((2, 4, 1), name)
    x = torch.ones(3, 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: network(x), x.requires_grad_())


def test_unknown_activation():
    with pytest.raises(InputError, match="activation must be one of 'tanh'"):
        Perceptron((2, 1), "cube")


NUMBER = NumericTarget("y", 0.0, 1.0)
TWO = ClassTarget("y", ("a", "b"))
THREE = ClassTarget("y", ("a", "b", "c"))


def test_errors_are_those_of_scikit_learn():
    outputs, targets = RANDOM.normal(size=(6, 1)), RANDOM.normal(size=(6, 1))
    error = error_term("auto", NUMBER)
    value = error(torch.as_tensor(outputs), torch.as_tensor(targets))
    assert float(value) == pytest.approx(mean_squared_error(targets, outputs))
    for target in (TWO, THREE):
        outputs = RANDOM.normal(size=(6, target.outputs))
        classes = np.array([0, 1, len(target.classes) - 1] * 2)
        value = error_term("auto", target)(torch.as_tensor(outputs), torch.as_tensor(classes))
        labels = range(len(target.classes))
        expected = log_loss(classes, target.probabilities(outputs), labels=labels)
        assert float(value) == pytest.approx(expected)


def test_the_penalty_counts_weights_and_not_biases():
    network = Perceptron((2, 3, 1), seed=0)
    with torch.no_grad():
        network.layers[0].bias.fill_(100.0)
    squares = sum(float((layer.weight.detach() ** 2).sum()) for layer in network.layers)
    index = LossIndex(error_term("auto", NUMBER), l2=0.5)
    assert index.penalty(network).item() == pytest.approx(0.5 * squares)
    x, y = torch.ones(4, 2, dtype=torch.float64), torch.ones(4, 1, dtype=torch.float64)
    total = index.error(network(x), y).item() + 0.5 * squares
    assert index(network, x, y).item() == pytest.approx(total)


def test_a_loss_of_the_other_task_is_refused():
    with pytest.raises(InputError, match="loss 'mean-squared' is for regression"):
        error_term("mean-squared", TWO)


def test_scores_are_those_of_scikit_learn():
    actual, predicted = RANDOM.normal(size=20), RANDOM.normal(size=20)
    assert scores.r2(actual, predicted) == pytest.approx(r2_score(actual, predicted))
    assert np.isnan(scores.r2(np.ones(3), np.zeros(3)))
    labels = ("a", "b", "c")
    a, p = RANDOM.choice(labels, 30).astype(object), RANDOM.choice(labels, 30).astype(object)
    assert scores.accuracy(a, p) == accuracy_score(a, p)
    np.testing.assert_array_equal(scores.confusion(a, p, labels), confusion_matrix(a, p))
