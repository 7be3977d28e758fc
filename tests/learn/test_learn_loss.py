"""The loss index: formulas, extremes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import check_grad
from sklearn.metrics import r2_score

from secant.learn.error_terms import (
    BinaryCrossEntropy,
    CrossEntropy,
    Huber,
    Minkowski,
    NormalisedSquared,
    WeightedSquared,
)
from secant.learn.errors import InputError
from secant.learn.loss import LOSSES, LossIndex, error_term
from secant.learn.regularisation import Regularisation
from secant.learn.targets import ClassTarget, NumericTarget

RANDOM = np.random.default_rng(3)
OUTPUTS, TARGETS = RANDOM.normal(size=(30, 2)), RANDOM.normal(size=(30, 2))
ERROR = OUTPUTS - TARGETS


def value(term, outputs=OUTPUTS, targets=TARGETS, weights=None):
    tensors = (torch.as_tensor(outputs), torch.as_tensor(targets))
    return term(*tensors, None if weights is None else torch.as_tensor(weights)).item()


def test_normalised_squared_error_is_one_less_r2():
    targets = TARGETS[:, :1]
    expected = 1.0 - r2_score(targets, OUTPUTS[:, :1])
    assert value(NormalisedSquared(), OUTPUTS[:, :1], targets) == pytest.approx(expected)


def test_normalisation_comes_from_the_rows_it_was_fitted_to():
    term = NormalisedSquared().fitted(torch.as_tensor(TARGETS))
    variation = np.mean(np.sum((TARGETS - TARGETS.mean(axis=0)) ** 2, axis=1))
    assert term.variation == pytest.approx(variation)
    expected = np.mean(np.sum(ERROR[:4] ** 2, axis=1)) / variation
    assert value(term, OUTPUTS[:4], TARGETS[:4]) == pytest.approx(expected)


def test_weighted_squared_error_balances_the_classes():
    classes = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    outputs = RANDOM.normal(size=(8, 1))
    squares = (1 / (1 + np.exp(-outputs[:, 0])) - classes) ** 2
    expected = 0.5 * squares[:6].mean() + 0.5 * squares[6:].mean()
    assert value(WeightedSquared(), outputs, classes) == pytest.approx(expected)


def test_minkowski_and_huber():
    assert value(Minkowski(1.5)) == pytest.approx(np.mean(np.abs(ERROR) ** 1.5))
    inside = np.abs(ERROR) <= 0.4
    each = np.where(inside, 0.5 * ERROR**2, 0.4 * (np.abs(ERROR) - 0.2))
    assert inside.any()
    assert not inside.all()
    assert value(Huber(0.4)) == pytest.approx(each.mean())


def test_weights_of_rows():
    weights = RANDOM.uniform(0.5, 2.0, 30)
    expected = np.average(np.mean(np.abs(ERROR) ** 1.5, axis=1), weights=weights)
    assert value(Minkowski(1.5), weights=weights) == pytest.approx(expected)


@pytest.mark.parametrize("size", [1e3, 1e30, 1e300])
def test_large_outputs_cost_what_they_should(size):
    """Right and wrong by a large number: 0 and that number, slopes 0 and 1."""
    outputs = np.array([[size], [size], [-size], [-size]])
    costs, slope = BinaryCrossEntropy().closed_form(outputs, np.array([[1.0], [0], [1], [0]]))
    assert costs.tolist() == [0.0, size, size, 0.0]
    assert slope[:, 0].tolist() == [0.0, 1.0, -1.0, 0.0]
    outputs = np.array([[size, 0.0, -size], [size, 0.0, -size]])
    costs, slope = CrossEntropy().closed_form(outputs, np.array([0, 2]))
    assert costs.tolist() == [0.0, 2.0 * size]
    assert slope.tolist() == [[0.0, 0.0, 0.0], [1.0, 0.0, -1.0]]


@pytest.mark.parametrize("name", ["l2", "smooth_l1"])
def test_the_penalties_have_their_derivatives(name):
    penalty = Regularisation(**{name: 0.3}, smoothing=0.05)
    flags = np.array([1.0, 1, 1, 0, 0])
    x = np.array([0.3, -0.01, 2.0, 5.0, -1.0])

    def gradient(x):
        g = np.zeros_like(x)
        penalty.add_gradient(x, flags, g)
        return g

    assert check_grad(lambda x: penalty.value(x, flags), gradient, x) < 1e-6
    for v in np.eye(5):
        product = np.zeros(5)
        penalty.add_product(x, flags, v, product)
        differences = (gradient(x + 1e-6 * v) - gradient(x - 1e-6 * v)) / 2e-6
        np.testing.assert_allclose(product, differences, atol=1e-6)
    assert gradient(x)[3:].tolist() == [0.0, 0.0]


def test_absolute_values_and_their_smooth_form():
    flags = np.array([1.0, 1.0, 0.0])
    x = np.array([-2.0, 0.5, 9.0])
    assert Regularisation(l1=0.1).value(x, flags) == pytest.approx(0.25)
    assert Regularisation(l1=0.1).smooth_value(x, flags) == 0.0
    smooth = Regularisation(smooth_l1=0.1, smoothing=1e-4).value(x, flags)
    assert 0.25 - 2e-5 <= smooth < 0.25


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_has_a_name_that_makes_it(name):
    targets = (NumericTarget("y", 0.0, 1.0), ClassTarget("y", ("a", "b")))
    target = next(t for t in targets if t.task is LOSSES[name])
    assert error_term(name, target).name


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Minkowski(1.0), "exponent must be a number above 1, not 1.0"),
        (lambda: Huber(0.0), "delta must be a positive number, not 0.0"),
        (lambda: LossIndex(Huber(), l2=-1.0), "l2 must be a number from 0, not -1.0"),
        (lambda: LossIndex(Huber(), smoothing=0.0), "smoothing must be a positive number"),
        (
            lambda: NormalisedSquared().fitted(torch.ones(4, 1)),
            "the target must vary",
        ),
        (
            lambda: WeightedSquared().fitted(torch.ones(4)),
            "needs rows of both classes",
        ),
        (
            lambda: error_term("weighted-squared", ClassTarget("y", ("a", "b", "c"))),
            "is for one target of two classes, and there are 3",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()
