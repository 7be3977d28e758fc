"""Pictures draw what the history says and leave Matplotlib's settings alone."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
import pytest

from secant.learn.history import Epoch, History
from secant.report import plots
from secant.report.numbers import short
from secant.report.svg import to_svg


def history(losses) -> History:
    rows = [Epoch(k, k / 10, 2 * v, v, 3 * v, v / 7, 1.0, k + 1) for k, v in enumerate(losses)]
    return History(rows)


def test_loss_curves_mark_the_best_iteration():
    axes = plots.loss_curves(history([4.0, 2.0, 1.0, 1.5])).axes[0]
    curves = {line.get_label(): line.get_ydata() for line in axes.lines}
    np.testing.assert_array_equal(curves["training"], [4, 2, 1, 1.5])
    np.testing.assert_array_equal(curves["validation"], [12, 6, 3, 4.5])
    assert list(curves["best: iteration 2"]) == [3.0]
    assert axes.get_yscale() == "log"


@pytest.mark.parametrize("losses", [[1.0], [1.0, 0.0], [1.0, -1e-17, math.nan]])
def test_values_without_a_place_on_a_log_scale_are_gaps(losses):
    assert to_svg(plots.loss_curves(history(losses)), "loss").startswith("<svg")
    assert to_svg(plots.gradient_norm(history(losses)), "gradient").startswith("<svg")


def test_best_is_the_first_of_the_lowest_finite_losses():
    assert history([3.0, math.nan, 1.0, 1.0]).best.iteration == 2


def test_parity_draws_at_most_some_thousand_points():
    actual = np.random.default_rng(0).normal(size=100_000)
    parts = {"train": np.arange(60_000), "test": np.arange(60_000, 100_000)}
    axes = plots.parity(actual, actual + 1, parts, "y").axes[0]
    assert sum(len(line.get_xdata()) for line in axes.lines) < 2_100


def test_confusion_matrix_of_many_classes():
    classes = [f"class {i}" for i in range(40)]
    figure = plots.confusion_matrix(np.eye(40, dtype=np.int64), classes)
    assert not list(figure.axes[0].texts)
    assert to_svg(figure, "confusion").startswith("<svg")


def test_global_settings_are_left_alone():
    before = dict(mpl.rcParams)
    to_svg(plots.error_histogram(np.arange(20.0), "$y"), "errors")
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, "0"), (12.0, "12.00"), (1234.0, "1234"), (-2e-9, "-2.000e-09")]
)
def test_short(value, expected):
    assert short(value) == expected
