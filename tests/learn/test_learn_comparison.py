"""Comparisons: the same start for all methods, honest rows, failures as rows."""

from __future__ import annotations

import csv
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from secant.learn import Settings, Strategy, comparison
from secant.learn.comparison import Attempt, Curve, compare_table, trainable_methods
from secant.learn.errors import InputError

SETTINGS = Settings("y", hidden=(4,), strategy=Strategy(max_iter=15))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A smooth function of two columns."""
    x, z = np.random.default_rng(0).normal(size=(2, 80))
    path = tmp_path_factory.mktemp("comparison") / "table.csv"
    pd.DataFrame({"x": x, "z": z, "y": np.sin(x) + z**2}).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def found(table):
    return compare_table(table, SETTINGS, ["l-bfgs", "BFGS", "lm", "adam"], repeats=2)


def test_all_methods_begin_at_the_same_loss_and_repeats_do_not(found):
    starts = {
        (one.repeat, round(one.curve.objective[0], 12)) for one in found.attempts if not one.failed
    }
    assert len(starts) == 2
    assert found.methods == ("l-bfgs", "bfgs", "lm", "adam")
    assert len(found.attempts) == 8


def test_repeats_are_interleaved(found):
    assert [one.repeat for one in found.attempts] == [0] * 4 + [1] * 4
    assert found.attempts[4].method != found.attempts[0].method


def test_rows_are_medians_of_what_happened(found):
    for row in found.rows:
        attempts = found.of(row.method)
        assert row.repeats == len(attempts) == 2
        assert row.best_loss == np.median([one.best_loss for one in attempts])
        assert row.reached == sum(one.best_loss <= found.to_loss for one in attempts)
        assert row.memory_words == row.memory_bytes / 8 / found.weights
        for one in attempts:
            assert one.best_loss == min(one.curve.objective)
            assert one.curve.seconds == tuple(sorted(one.curve.seconds))


def test_the_loss_is_what_the_median_method_reaches(found):
    lowest = sorted(np.median([one.best_loss for one in found.of(name)]) for name in found.methods)
    assert found.to_loss == lowest[2]
    assert found.is_median
    # So at least half of the methods have a time.
    assert sum(math.isfinite(row.seconds_to_loss) for row in found.rows) >= 2


def test_the_fastest_comes_first_and_its_time_is_in_its_curve(found):
    times = [row.seconds_to_loss for row in found.rows if math.isfinite(row.seconds_to_loss)]
    assert times == sorted(times)
    attempt = Attempt("m", 0, "", curve=Curve((0.0, 1.0, 2.0), (1.0, 3.0, 8.0), (9.0, 5.0, 4.0)))
    assert attempt.to(5.0) == (1.0, 3.0)
    assert attempt.to(3.9) == (math.inf, math.inf)


def test_a_dense_method_holds_more_than_a_limited_one(table):
    wide = replace(SETTINGS, hidden=(60, 10), strategy=Strategy(max_iter=5))
    rows = {row.method: row for row in compare_table(table, wide, ["gd", "bfgs"], repeats=1).rows}
    n = compare_table(table, wide, ["gd"], repeats=1).weights
    difference = rows["bfgs"].memory_words - rows["gd"].memory_words
    # The inverse Hessian is n numbers for each weight, and an update needs no second one.
    assert n <= difference < 2.5 * n


def test_a_method_that_breaks_is_a_row_and_the_others_go_on(table, monkeypatch):
    train = comparison.train_prepared

    def breaks(prepared, progress=None):
        if prepared.settings.strategy.method == "bfgs":
            raise np.linalg.LinAlgError("singular matrix")
        return train(prepared, progress)

    monkeypatch.setattr(comparison, "train_prepared", breaks)
    rows = {
        row.method: row for row in compare_table(table, SETTINGS, ["bfgs", "gd"], repeats=1).rows
    }
    assert rows["bfgs"].failed
    assert rows["bfgs"].reason == "LinAlgError: singular matrix"
    assert math.isnan(rows["bfgs"].best_loss)
    assert not rows["gd"].failed


def test_all_methods_is_the_default(table):
    assert {"l-bfgs", "newton", "lm", "adam", "sgd"} <= set(trainable_methods())
    settings = replace(SETTINGS, strategy=Strategy(max_iter=2))
    found = compare_table(table, settings, repeats=1)
    assert set(found.methods) == set(trainable_methods())
    assert all(row.reason for row in found.rows)


def test_a_comparison_that_is_interrupted_keeps_what_it_has(table, monkeypatch):
    calls = []

    def progress(done, total, method, history):
        calls.append((done, total))
        if method == "gd" and history is not None and len(history) > 3:
            raise KeyboardInterrupt

    found = compare_table(table, SETTINGS, ["bfgs", "gd", "cg"], repeats=1, progress=progress)
    assert found.interrupted
    assert found.methods == ("bfgs", "gd")
    assert calls[-1] == (1, 3)


def test_the_file_has_a_line_for_each_method(found, tmp_path):
    found.write_csv(tmp_path / "comparison.csv")
    with (tmp_path / "comparison.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["method"] for row in rows] == [row.method for row in found.rows]
    assert float(rows[0]["best_loss"]) == found.rows[0].best_loss


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"methods": ["newtn"]}, "method must be one of"),
        ({"methods": []}, "methods must name at least one method"),
        ({"repeats": 0}, "repeats must be at least 1, not 0"),
        ({"to_loss": math.inf}, "to_loss must be a finite number, not inf"),
    ],
)
def test_bad_options_are_refused(table, options, expected):
    with pytest.raises(InputError, match=expected):
        compare_table(table, SETTINGS, **options)


def test_the_first_iterations_are_in_float32_where_a_method_can_have_them(table):
    settings = replace(SETTINGS, strategy=Strategy(max_iter=5, single_first=True))
    strategies = comparison._strategies(settings.strategy, ["l-bfgs", "lm", "adam", "bfgs"])
    assert [one.single_first for one in strategies.values()] == [True, False, False, True]
    found = compare_table(table, settings, ["l-bfgs", "adam"], repeats=1)
    assert not any(row.failed for row in found.rows)


def test_the_choice_of_auto_is_told(table):
    found = compare_table(table, SETTINGS, ["auto", "l-bfgs"], repeats=1)
    reasons = {row.method: row.reason for row in found.rows}
    assert reasons["l-bfgs"] == "limit reached: max_iter iterations"
    assert reasons["auto"].startswith(
        "limit reached: max_iter iterations; by ssbroyden: a matrix of "
    )
