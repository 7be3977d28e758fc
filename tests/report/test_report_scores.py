"""The numbers of the test analysis are scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from secant.report.analysis import class_scores, error_scores
from secant.report.classification import brier, calibration, log_loss, precision_recall, roc


@pytest.fixture(params=[0, 1, 2])
def judged(request):
    """Rows with a probability, many of them equal."""
    random = np.random.default_rng(request.param)
    probability = random.uniform(size=400).round(2 if request.param else 6)
    return random.uniform(size=400) < probability, probability


def test_roc(judged):
    positive, score = judged
    found = roc(positive, score)
    false, true, _ = metrics.roc_curve(positive, score, drop_intermediate=False)
    np.testing.assert_allclose(found.false, false, rtol=1e-14)
    np.testing.assert_allclose(found.true, true, rtol=1e-14)
    assert found.area == pytest.approx(metrics.roc_auc_score(positive, score), rel=1e-13)


def test_roc_counts_ties_half():
    assert roc(np.array([True, False]), np.array([0.5, 0.5])).area == 0.5


def test_roc_of_one_class_has_no_area():
    assert np.isnan(roc(np.array([True, True]), np.array([0.5, 0.4])).area)


def test_precision_and_recall(judged):
    positive, score = judged
    found = precision_recall(positive, score)
    precision, recall, _ = metrics.precision_recall_curve(positive, score)
    # scikit-learn goes the other way, and from recall 1 on says no more.
    full = np.searchsorted(found.recall, 1.0) + 1
    np.testing.assert_allclose(found.recall[1:full], recall[-2::-1][: full - 1], rtol=1e-14)
    np.testing.assert_allclose(found.precision[1:full], precision[-2::-1][: full - 1], rtol=1e-14)
    expected = metrics.average_precision_score(positive, score)
    assert found.average == pytest.approx(expected, rel=1e-13)
    assert found.share == positive.mean()


def test_calibration(judged):
    positive, score = judged
    # scikit-learn counts an edge to the bin below, so rows at edges are moved off them.
    score = np.clip(score + 1e-9, 0, 1)
    found = calibration(positive, score, bins=10)
    observed, predicted = calibration_curve(positive, score, n_bins=10)
    np.testing.assert_allclose(found.observed, observed, rtol=1e-13)
    np.testing.assert_allclose(found.predicted, predicted, rtol=1e-13)
    assert found.rows.sum() == len(score)
    expected = np.average(np.abs(observed - predicted), weights=found.rows)
    assert found.error == pytest.approx(expected, rel=1e-13)


def test_the_last_bin_holds_certainty():
    found = calibration(np.array([True, True]), np.array([1.0, 0.95]))
    assert found.rows.tolist() == [2]


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_scores_of_classes(classes):
    random = np.random.default_rng(classes)
    probabilities = random.dirichlet(np.full(classes, 0.7), size=300)
    actual = np.array([random.choice(classes, p=p) for p in probabilities])
    predicted = probabilities.argmax(axis=1)
    hot = np.eye(classes)[actual]
    found = class_scores(actual, predicted, probabilities)
    if classes == 2:
        area = metrics.roc_auc_score(actual, probabilities[:, 1])
        average = metrics.average_precision_score(actual, probabilities[:, 1])
        squares = metrics.brier_score_loss(actual, probabilities[:, 1])
    else:
        area = metrics.roc_auc_score(actual, probabilities, multi_class="ovr")
        average = metrics.average_precision_score(hot, probabilities)
        squares = np.mean(np.sum((probabilities - hot) ** 2, axis=1))
    expected = {
        "accuracy": metrics.accuracy_score(actual, predicted),
        "balanced accuracy": metrics.balanced_accuracy_score(actual, predicted),
        "AUC": area,
        "average precision": average,
        "log loss": metrics.log_loss(actual, probabilities),
        "Brier score": squares,
    }
    assert found == pytest.approx(expected, rel=1e-12)


def test_certain_and_wrong_costs_much_and_not_infinitely_much():
    probabilities = np.array([[1.0, 0.0]])
    assert log_loss(np.array([1]), probabilities) == pytest.approx(-np.log(np.finfo(float).eps))
    assert brier(np.array([1]), probabilities) == 1.0


def test_scores_of_numbers():
    random = np.random.default_rng(0)
    actual = random.normal(10, 3, 200)
    predicted = actual + random.normal(0, 1, 200)
    expected = {
        "R2": metrics.r2_score(actual, predicted),
        "RMSE": metrics.root_mean_squared_error(actual, predicted),
        "mean absolute error": metrics.mean_absolute_error(actual, predicted),
        "median absolute error": metrics.median_absolute_error(actual, predicted),
        "largest absolute error": metrics.max_error(actual, predicted),
        "mean error": np.mean(predicted - actual),
    }
    assert error_scores(actual, predicted) == pytest.approx(expected, rel=1e-12)
