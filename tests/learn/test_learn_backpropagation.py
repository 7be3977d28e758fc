"""The closed forms of a network's derivatives against autograd, differences and dense algebra."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from secant.learn.closed_form.kernel import KernelModel
from secant.learn.closed_form.objective import Objective, set_weights, weights_of
from secant.learn.closed_form.squares import NetworkSquares
from secant.learn.error_terms import (
    BinaryCrossEntropy,
    CrossEntropy,
    Huber,
    MeanSquared,
    Minkowski,
    NormalisedSquared,
    WeightedSquared,
)
from secant.learn.loss import LossIndex
from secant.learn.network import ACTIVATIONS, Perceptron
from secant.leastsquares.normal import Gram

ROWS = 23
TERMS = {
    "mean squared": (MeanSquared(), 3),
    "normalised squared": (NormalisedSquared(), 2),
    "weighted squared": (WeightedSquared(), 1),
    "Minkowski 1.5": (Minkowski(), 2),
    "Minkowski 3": (Minkowski(3.0), 2),
    "Huber": (Huber(0.7), 2),
    "binary": (BinaryCrossEntropy(), 1),
    "several binary": (BinaryCrossEntropy(), 3),
    "classes": (CrossEntropy(), 4),
}


def targets_for(term, outputs, random, rows=ROWS):
    if isinstance(term, CrossEntropy):
        return torch.as_tensor(random.integers(0, outputs, rows))
    if isinstance(term, (BinaryCrossEntropy, WeightedSquared)):
        return torch.as_tensor(random.integers(0, 2, (rows, outputs)))
    return torch.as_tensor(random.normal(size=(rows, outputs)))


def make(name, activation="tanh", weighted=True, rows=ROWS, hidden=(5, 4), dtype=torch.float64):
    """A network away from its start, its loss index with both smooth penalties, and its data."""
    random = np.random.default_rng(0)
    term, outputs = TERMS[name]
    network = Perceptron((3, *hidden, outputs), activation, seed=1, dtype=dtype)
    set_weights(network, weights_of(network) + 0.1 * random.normal(size=network.count))
    inputs = torch.as_tensor(random.normal(size=(rows, 3))).to(dtype)
    targets = targets_for(term, outputs, random, rows)
    targets = targets.to(dtype) if targets.is_floating_point() else targets
    weights = torch.as_tensor(random.uniform(0.2, 2.0, rows)).to(dtype) if weighted else None
    index = LossIndex(term, l2=0.01, smooth_l1=0.02, smoothing=0.1).fitted(targets, weights)
    return network, index, inputs, targets, weights


def by_autograd(network, index, inputs, targets, weights, v):
    """Value, gradient and the Hessian times ``v``."""
    value = index(network, inputs, targets, weights)
    parameters = list(network.parameters())
    parts = torch.autograd.grad(value, parameters, create_graph=True)
    g = torch.cat([part.reshape(-1) for part in parts])
    again = torch.autograd.grad(g @ torch.as_tensor(v), parameters, materialize_grads=True)
    return value.item(), g.detach().numpy(), torch.cat([p.reshape(-1) for p in again]).numpy()


def close(actual, expected, rtol):
    assert np.max(np.abs(actual - expected)) <= rtol * max(1e-30, np.max(np.abs(expected)))


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])
@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_value_gradient_and_hessian_are_autograds(activation, name, weighted):
    given = make(name, activation, weighted)
    objective, x = Objective(*given), weights_of(given[0])
    v = np.random.default_rng(2).normal(size=x.size)
    f, g, product = by_autograd(*given, v)
    value, gradient = objective(x)
    assert value == pytest.approx(f, rel=1e-13)
    close(gradient, g, 1e-12)
    close(objective.hessian_product(x, v), product, 1e-11)
    index, network = given[1], given[0]
    assert objective.penalty(x) == pytest.approx(index.penalty(network).item(), rel=1e-13)
    assert objective.error(x) == pytest.approx(f - objective.penalty(x), rel=1e-12)


@pytest.mark.parametrize("name", TERMS)
def test_blocks_of_rows_change_nothing(name):
    given = make(name)
    objective, x = Objective(*given), weights_of(given[0])
    f, g = objective(x)
    g, v = g.copy(), np.cos(np.arange(x.size))
    product = objective.gauss_newton_product(x, v)
    objective.passes.rows = 7  # three blocks and a rest
    in_blocks, gradient = objective(x)
    assert in_blocks == pytest.approx(f, rel=1e-14)
    close(gradient, g, 1e-13)
    close(objective.gauss_newton_product(x, v), product, 1e-13)


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])
@pytest.mark.parametrize("name", TERMS)
def test_squared_gradients_are_those_of_a_loop_over_the_rows(name, weighted):
    """One row's cost after the other by autograd, and the diagonal of the penalty's Hessian."""
    network, index, inputs, targets, weights = make(name, weighted=weighted)
    objective, x = Objective(network, index, inputs, targets, weights), weights_of(network)
    shares = torch.ones(ROWS, dtype=inputs.dtype) if weights is None else weights
    expected = np.zeros(x.size)
    parameters = list(network.parameters())
    for row in range(ROWS):
        part = slice(row, row + 1)
        cost = index.error.costs(network(inputs[part]), targets[part]).sum()
        g = torch.cat([p.reshape(-1) for p in torch.autograd.grad(cost, parameters)]).numpy()
        expected += float(shares[row]) / objective.divisor * g**2
    penalty = Objective(network, LossIndex(index.error), inputs, targets, weights)
    unit = np.eye(x.size)
    bends = [objective.hessian_product(x, e) @ e - penalty.hessian_product(x, e) @ e for e in unit]
    expected += np.array(bends)
    close(objective.gradient_squares(x), expected, 1e-12)
    objective.passes.rows = 7
    close(objective.gradient_squares(x), expected, 1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_single_precision(activation):
    double, single = (
        Objective(*make("mean squared", activation, dtype=dtype))
        for dtype in (torch.float64, torch.float32)
    )
    x = weights_of(make("mean squared", activation)[0])
    f, g = double(x)
    value, gradient = single(x.astype(np.float32))
    assert gradient.dtype == np.float32
    assert value == pytest.approx(f, rel=1e-5)
    close(gradient, g, 1e-4)


def test_selected_rows_are_a_smaller_table():
    given = make("classes")
    network, index, inputs, targets, weights = given
    rows = np.array([4, 1, 17, 1])
    part = Objective(network, index, inputs[rows], targets[rows], weights[rows])
    x = weights_of(network)
    f, g = part(x)
    value, gradient = Objective(*given).selected(rows)(x)
    assert value == pytest.approx(f, rel=1e-14)
    close(gradient, g, 1e-13)


def test_whole_weights_are_repeated_rows():
    network, index, inputs, targets, _ = make("mean squared", weighted=False)
    times = torch.as_tensor(np.arange(ROWS) % 3, dtype=torch.float64)
    repeated = np.repeat(np.arange(ROWS), np.arange(ROWS) % 3)
    x = weights_of(network)
    f, g = Objective(network, index, inputs, targets, times)(x)
    value, gradient = Objective(network, index, inputs[repeated], targets[repeated])(x)
    assert value == pytest.approx(f, rel=1e-13)
    close(gradient, g, 1e-12)


# --------------------------------------------------------------------------------------- the squares

SQUARES = ("mean squared", "normalised squared", "weighted squared")


def squares(name, rows):
    network, index, inputs, targets, weights = make(name, rows=rows)
    index = LossIndex(index.error, l2=0.01)
    objective = Objective(network, index, inputs, targets, weights)
    return objective, NetworkSquares(objective), weights_of(network)


@pytest.mark.parametrize(("rows", "kind"), [(5, KernelModel), (90, Gram)])
@pytest.mark.parametrize("name", SQUARES)
def test_the_model_is_that_of_the_dense_jacobian(name, rows, kind):
    objective, problem, x = squares(name, rows)
    point = problem.at(x)
    f, g = objective(x)
    assert point.f == pytest.approx(f, rel=1e-13)
    close(point.g, g, 1e-12)
    J = np.vstack([block for _, block in point.evaluation.blocks()])
    h = 1e-6
    differences = [
        (problem.evaluate(x + h * e).r - problem.evaluate(x - h * e).r) / (2 * h)
        for e in np.eye(x.size)
    ]
    close(J, np.array(differences).T, 1e-7)
    model, v = point.model, np.sin(np.arange(x.size))
    assert isinstance(model, kind)
    C = J.T @ J + 0.3 * 0.7**2 * np.eye(x.size)
    factor = model.factor(0.3, np.full(x.size, 0.7))
    close(factor.solve(), -np.linalg.solve(C, g), 1e-10)
    close(factor.correction(v), np.linalg.solve(C, v), 1e-10)
    assert factor.inverse_norm2(v) == pytest.approx(v @ np.linalg.solve(C, v), rel=1e-10)
    assert model.length2(v) == pytest.approx(np.sum((J @ v) ** 2), rel=1e-11)
    norms = np.sqrt(np.sum(J**2, axis=0))
    close(np.maximum(model.column_norms, norms), model.column_norms, 1e-13)
    close(objective.gauss_newton_product(x, v), J.T @ (J @ v), 1e-11)
    close(point.evaluation.forward(v), J @ v, 1e-12)
    u = np.cos(np.arange(len(J)))
    close(point.evaluation.backward(u), J.T @ u, 1e-12)


def test_models_that_share_memory_do_not_disturb_one_another():
    _, problem, x = squares("mean squared", 5)
    scale = np.ones(x.size)
    here, there = problem.at(x).model, problem.at(x + 0.3).model
    step = here.factor(0.1, scale).solve()
    assert np.abs(there.factor(0.1, scale).solve() - step).max() > 1e-3
    assert np.array_equal(here.factor(0.1, scale).solve(), step)


def test_blocks_of_rows_change_no_model():
    for rows in (5, 90):
        objective, problem, x = squares("mean squared", rows)
        scale = np.ones(x.size)
        whole = problem.at(x).model.factor(0.1, scale).solve()
        objective.passes.rows = 3
        close(problem.at(x).model.factor(0.1, scale).solve(), whole, 1e-11)
