"""Pictures draw what the history says and leave Matplotlib's settings alone."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest

from secant.learn.history import Epoch, History
from secant.report import class_plots, plots, regression_plots
from secant.report.classification import calibration, precision_recall, roc
from secant.report.curves import curves_of, read_curves
from secant.report.network_drawing import draw_network
from secant.report.numbers import short
from secant.report.record import Layers
from secant.report.svg import to_svg


def history(losses) -> History:
    rows = [Epoch(k, k / 10, 2 * v, v, 3 * v, v / 7, 1.0, k + 1) for k, v in enumerate(losses)]
    return History(rows)


def test_loss_curves_mark_the_best_iteration():
    axes = plots.loss_curves(curves_of(history([4.0, 2.0, 1.0, 1.5])), 2).axes[0]
    curves = {line.get_label(): line.get_ydata() for line in axes.lines}
    np.testing.assert_array_equal(curves["training"], [4, 2, 1, 1.5])
    np.testing.assert_array_equal(curves["validation"], [12, 6, 3, 4.5])
    assert list(curves["best: iteration 2"]) == [3.0]
    assert axes.get_yscale() == "log"


def test_without_validation_the_training_loss_is_marked():
    rows = [Epoch(k, 0.1 * k, v, v, math.nan, v, 1.0, k) for k, v in enumerate([3.0, 2.0, 1.0])]
    curves = curves_of(History(rows))
    assert curves.best == 2
    labels = {line.get_label() for line in plots.loss_curves(curves, 2).axes[0].lines}
    assert "validation" not in labels
    assert not curves.shows("damping")


@pytest.mark.parametrize("losses", [[1.0], [1.0, 0.0], [1.0, -1e-17, math.nan]])
def test_values_without_a_place_on_a_log_scale_are_gaps(losses):
    curves = curves_of(history(losses))
    assert to_svg(plots.loss_curves(curves, 0), "loss").startswith("<svg")
    drawn = plots.over_iterations(curves, "gradient_norm", "gradient", "gradient", 0)
    assert to_svg(drawn, "gradient").startswith("<svg")


def test_best_is_the_first_of_the_lowest_finite_losses():
    for losses in (history([3.0, math.nan, 1.0, 1.0]),):
        assert losses.best.iteration == curves_of(losses).best == 2


def test_a_history_file_holds_the_same_columns(tmp_path):
    written = history([4.0, 2.0, 1.0])
    written.write_csv(tmp_path / "history.csv")
    read, kept = read_curves(tmp_path / "history.csv"), curves_of(written)
    assert list(read.columns) == list(kept.columns)
    for name in kept.columns:
        np.testing.assert_array_equal(read[name], kept[name])


def test_parity_draws_at_most_some_thousand_points():
    actual = np.random.default_rng(0).normal(size=100_000)
    pairs = {"train": (actual[:60_000],) * 2, "test": (actual[60_000:],) * 2}
    axes = regression_plots.parity(pairs, "y").axes[0]
    assert sum(len(line.get_xdata()) for line in axes.lines) < 2_100


def test_residuals_are_predicted_minus_actual():
    axes = regression_plots.residuals(np.array([1.0, 2.0]), np.array([1.5, 1.0]), "y").axes[0]
    points = axes.lines[-1]
    np.testing.assert_array_equal(points.get_xdata(), [1.5, 1.0])
    np.testing.assert_array_equal(points.get_ydata(), [0.5, -1.0])


def test_confusion_matrix_of_many_classes():
    classes = [f"class {i}" for i in range(40)]
    figure = class_plots.confusion_matrix(np.eye(40, dtype=np.int64), classes)
    assert not list(figure.axes[0].texts)
    assert to_svg(figure, "confusion").startswith("<svg")


def test_the_darkest_tiles_of_a_confusion_matrix_hold_the_largest_shares():
    counts = np.array([[9, 1], [2, 3]])
    axes = class_plots.confusion_matrix(counts, ["a", "b"]).axes[0]
    light = np.array([sum(tile.get_facecolor()[:3]) for tile in axes.patches]).reshape(2, 2)
    share = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_array_equal(np.argsort(light, axis=None), np.argsort(-share, axis=None))
    assert [text.get_text() for text in axes.texts] == ["9", "1", "2", "3"]


def test_curves_of_classifiers_hold_what_was_computed():
    positive = np.array([True, False, True, True, False])
    score = np.array([0.9, 0.8, 0.7, 0.3, 0.1])
    found = roc(positive, score)
    line = class_plots.roc_curves({"$a$": found}).axes[0].lines[1]
    np.testing.assert_array_equal(line.get_ydata(), found.true)
    for figure in (
        class_plots.precision_recall_curves({"a": precision_recall(positive, score)}),
        class_plots.calibration_curve(calibration(positive, score)),
    ):
        assert to_svg(figure, "x").startswith("<svg")


@pytest.mark.parametrize("sizes", [(1, 1), (3, 4, 2), (30, 100, 5, 1), (5000, 2)])
def test_a_network_is_drawn_unit_by_unit_and_shortened_where_it_is_wide(sizes):
    names = tuple(f"<{place}>" for place in range(min(sizes[0], 200)))
    outputs = tuple(f"out {place}" for place in range(sizes[-1]))
    drawn = draw_network(Layers(sizes, "tanh", 1, names, outputs))
    shown = [min(size, 8) if size > 9 else size for size in sizes]
    units = re.findall(r'<circle class="(?:input|hidden|output)"', drawn)
    assert len(units) == sum(shown)
    links = drawn.count("M")
    assert links == sum(a * b for a, b in pairwise(shown))
    assert "&lt;0&gt;" in drawn
    assert "<0>" not in drawn
    assert f">{sizes[0]:,} input" in drawn


def test_figures_take_the_colours_of_the_page():
    svg = to_svg(plots.loss_curves(curves_of(history([2.0, 1.0])), 1), "loss")
    assert "var(--train)" in svg
    assert "var(--grid)" in svg
    assert "#1f5fbf" not in svg


def test_global_settings_are_left_alone():
    before = dict(mpl.rcParams)
    to_svg(regression_plots.error_histogram(np.arange(20.0), "$y"), "errors")
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, "0"), (12.0, "12.00"), (1234.0, "1234"), (-2e-9, "-2.000e-09")]
)
def test_short(value, expected):
    assert short(value) == expected


def test_parity_names_the_parts_where_there_are_several():
    rows = np.arange(9.0), np.arange(9.0)
    assert regression_plots.parity({"train": rows, "test": rows}, "y").axes[0].get_legend()
    assert regression_plots.parity({"test": rows}, "y").axes[0].get_legend() is None
