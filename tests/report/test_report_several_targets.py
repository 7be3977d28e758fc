"""The report of several targets: a table of all, one figure for each, no more than a page can hold."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from secant.learn import Settings, Strategy, train_table
from secant.report import regression_plots, several_targets
from secant.report.analysis import error_scores
from secant.report.evaluation import evaluate_table, evaluation_page
from secant.report.html import render
from secant.report.page import Figure, Table
from secant.report.record import Outcome, load_record, save_record
from secant.report.recorder import record_of
from secant.report.several_targets import target_blocks, target_table
from secant.report.training import training_page

NAMES = ("$a_b$", "<b>wide</b>", "y")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    random = np.random.default_rng(0)
    x, z = random.normal(size=(2, 90))
    made = pd.DataFrame({"x": x, "z": z, NAMES[0]: x + z, NAMES[1]: 1e6 * x, NAMES[2]: z**2})
    path = tmp_path_factory.mktemp("targets") / "t.csv"
    made.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def trained(table):
    return train_table(table, Settings(NAMES, hidden=(4,), strategy=Strategy(max_iter=15)))


@pytest.fixture(scope="module")
def record(trained):
    return record_of(trained, "t.csv")


def figures(blocks) -> list[Figure]:
    return [block for block in blocks if isinstance(block, Figure)]


def test_every_target_has_its_column_its_row_and_its_figure(trained, record):
    html = render(training_page(record))
    assert html.count('aria-label="') - 1 == len(re.findall("<svg", html))
    for name in ("$a_b$", "&lt;b&gt;wide&lt;/b&gt;", "y"):
        assert f'aria-label="{name}: predicted against actual, histogram of the errors,' in html
    assert "<b>wide" not in html
    targets = [column for column in record.columns if column.role == "target"]
    assert [column.name for column in targets] == list(NAMES)
    assert targets[1].highest == trained.dataset.target[NAMES[1]].max()
    assert record.layers.outputs == NAMES
    assert "mean R², test rows" in html


def test_each_outcome_is_that_of_its_own_target(trained, record):
    rows = trained.parts.test
    actual = trained.dataset.target.to_numpy()[rows]
    for place, name in enumerate(NAMES):
        a, p = record.outcomes["test"].targets[name].numbers()
        np.testing.assert_array_equal(a, actual[:, place])
        np.testing.assert_array_equal(p, trained.predicted[rows, place])


def test_the_table_has_the_scores_of_every_part(trained, record):
    shown = target_table(record.outcomes)
    assert shown.header == (
        "target",
        "test loss",
        "R², train",
        "R², validation",
        "R², test",
        "RMSE, test",
    )
    assert [row[0] for row in shown.rows] == list(NAMES)
    r2 = trained.scores["validation"].targets["y"].values["R2"]
    assert float(shown.rows[2][3]) == pytest.approx(r2, abs=1e-3)


def test_a_record_survives_its_file(record, tmp_path):
    save_record(record, tmp_path / "report.json")
    again = load_record(tmp_path / "report.json")
    assert render(training_page(again)) == render(training_page(record))


def test_the_panels_hold_what_single_figures_show():
    actual = np.linspace(0, 1, 50)
    predicted = actual + np.sin(40 * actual)
    pairs = {"train": (actual, actual), "test": (actual, predicted)}
    left, middle, right = regression_plots.panels(pairs, "$y$").axes
    np.testing.assert_array_equal(left.lines[-1].get_ydata(), predicted)
    assert sum(bar.get_height() for bar in middle.patches) == 50
    np.testing.assert_allclose(right.lines[-1].get_ydata(), predicted - actual)
    few = regression_plots.panels(pairs, "y", most=20).axes[0]
    assert max(len(line.get_xdata()) for line in few.lines) <= 20


def outcomes(targets: int, rows: int = 30) -> dict[str, Outcome]:
    """Targets whose predictions become worse and worse."""
    random = np.random.default_rng(0)
    each = {}
    for place in range(targets):
        actual = random.normal(size=rows)
        predicted = actual + 0.1 * place * random.normal(size=rows)
        scores = error_scores(actual, predicted)
        each[f"t{place}"] = Outcome(rows, 0.0, scores, tuple(actual), tuple(predicted))
    return {"test": Outcome(rows, 0.0, {"mean R2": 0.5}, (), (), targets=each)}


@pytest.mark.parametrize("targets", [2, 10, 30])
def test_as_many_figures_as_a_page_can_hold(targets, monkeypatch):
    # Without ink: the figures are counted here, and looked at elsewhere.
    monkeypatch.setattr(several_targets, "to_svg", lambda figure, name: "<svg></svg>")
    blocks = target_blocks(outcomes(targets))
    assert isinstance(blocks[0], Table)
    assert len(blocks[0].rows) == targets
    drawn = figures(blocks)
    assert len(drawn) == min(targets, 24)
    assert all(figure.wide for figure in drawn)
    text = " ".join(block.text for block in blocks if block.kind == "note")
    assert ("Drawn are the 24 targets of lowest R²; 6 others" in text) == (targets == 30)
    if targets == 30:  # the best ones are those that are left out
        assert not {"t0", "t1", "t2"} & {figure.caption.split(":")[0] for figure in drawn}


def test_a_selection_of_rows_is_said():
    found = outcomes(2)
    large = {name: replace(one, rows=99_999) for name, one in found["test"].targets.items()}
    blocks = target_blocks({"test": replace(found["test"], rows=99_999, targets=large)})
    assert blocks[-1].text == "Of 99,999 rows an even selection of 30 is judged here."


def test_an_evaluation_judges_each_target(trained, table):
    found = evaluate_table(trained.model, table)
    actual = pd.read_csv(table)[list(NAMES)].to_numpy()
    for place, name in enumerate(NAMES):
        expected = error_scores(actual[:, place], trained.predicted[:, place])
        assert found.outcome.targets[name].scores == pytest.approx(expected)
    each = [one.scores["R2"] for one in found.outcome.targets.values()]
    assert found.scores == pytest.approx({"mean R2": np.mean(each), "lowest R2": min(each)})
    (section,) = evaluation_page(found).sections
    assert len(figures(section.blocks)) == 3
