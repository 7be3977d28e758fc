"""The report of several targets of two classes: a table of all, one figure for each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from secant.learn import Settings, Strategy, train_table
from secant.learn.errors import InputError
from secant.report import class_plots, several_targets
from secant.report.evaluation import evaluate_table, evaluation_page
from secant.report.html import render
from secant.report.record import load_record, save_record
from secant.report.recorder import record_of
from secant.report.several_targets import target_blocks, target_table
from secant.report.training import training_page

NAMES = ("$a_b$", "<b>wide</b>")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    random = np.random.default_rng(0)
    x, z = random.normal(size=(2, 120))
    made = pd.DataFrame({"x": x, "z": z})
    made[NAMES[0]] = np.where(x + z > 0.3, "<yes>", "-no")
    made[NAMES[1]] = (x - z + random.normal(size=120) > 0).astype(int)
    path = tmp_path_factory.mktemp("labels") / "t.csv"
    made.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def trained(table):
    return train_table(table, Settings(NAMES, hidden=(4,), strategy=Strategy(max_iter=15)))


@pytest.fixture(scope="module")
def record(trained):
    return record_of(trained, "t.csv")


def test_every_target_has_its_column_its_row_and_its_figure(record):
    html = render(training_page(record))
    assert "<b>wide" not in html
    assert "<yes>" not in html
    assert html.count(": ROC, precision-recall and calibration of ") == 2
    assert "subset accuracy, test rows" in html
    assert "The subset accuracy is the share of the rows" in html
    targets = [column for column in record.columns if column.role == "target"]
    assert [column.name for column in targets] == list(NAMES)
    assert targets[1].categories.keys() == {"0", "1"}
    assert record.layers.outputs == NAMES
    assert (record.classes, record.division) == ((), "random, seed 0")


def test_each_outcome_is_that_of_its_own_target(trained, record):
    rows = trained.parts.test
    found = trained.model.predict(trained.dataset.frame.iloc[rows])
    for name, second in zip(NAMES, ("<yes>", "1"), strict=True):
        one = record.outcomes["test"].targets[name]
        assert one.classes[1] == second
        actual, predicted = one.labels()
        np.testing.assert_array_equal(actual, trained.dataset.target[name].iloc[rows] == second)
        np.testing.assert_array_equal(predicted, found[f"predicted_{name}"] == second)
        np.testing.assert_allclose(
            np.array(one.probabilities)[:, 1], found[f"probability_{name}_{second}"]
        )
    assert not record.outcomes["train"].targets[NAMES[0]].probabilities


def test_the_table_has_the_accuracies_of_every_part(trained, record):
    shown = target_table(record.outcomes)
    parts = ("train", "validation", "test")
    assert shown.header == ("target", "test loss", *(f"accuracy, {part}" for part in parts))
    accuracy = trained.scores["validation"].targets[NAMES[1]].values["accuracy"]
    assert float(shown.rows[1][3]) == pytest.approx(accuracy, abs=1e-4)


def test_a_record_survives_its_file(record, tmp_path):
    save_record(record, tmp_path / "report.json")
    again = load_record(tmp_path / "report.json")
    assert render(training_page(again)) == render(training_page(record))


def test_the_panels_hold_what_single_figures_show():
    random = np.random.default_rng(0)
    probability = random.uniform(size=80)
    positive = random.uniform(size=80) < probability
    left, middle, right = class_plots.panels("$y$", "yes", positive, probability).axes
    area = roc_auc_score(positive, probability)
    assert left.get_legend().get_texts()[0].get_text() == f"yes: AUC {area:.4f}"
    assert middle.lines[0].get_ydata()[0] == positive.mean()  # what guessing gets
    observed = right.lines[-1].get_ydata()
    assert len(observed) == 10
    assert observed[0] == positive[probability < 0.1].mean()


def test_rows_of_one_class_have_no_curves(record):
    test = record.outcomes["test"]
    name = NAMES[1]
    one = test.targets[name]
    alike = replace(one, actual=(0.0,) * len(one.actual))
    page = target_blocks({"test": replace(test, targets={**test.targets, name: alike})})
    notes = [block.text for block in page if block.kind == "note"]
    assert any(text.startswith(f"{name}: 0 of 24 rows are 1") for text in notes)
    assert any("no curves to draw where all rows are of one class" in text for text in notes)
    assert sum(block.kind == "figure" for block in page) == 1


def test_as_many_figures_as_a_page_can_hold(record, monkeypatch):
    monkeypatch.setattr("secant.report.several_classes.to_svg", lambda figure, name: "<svg></svg>")
    monkeypatch.setattr(several_targets, "_MOST_FIGURES", 3)
    test = record.outcomes["test"]
    many = {f"t{k}": test.targets[NAMES[k % 2]] for k in range(5)}
    blocks = target_blocks({"test": replace(test, targets=many)})
    assert sum(block.kind == "figure" for block in blocks) == 3
    assert "Drawn are the 3 targets of lowest AUC; 2 others fit better." in blocks[1].text


def test_an_evaluation_judges_each_target(trained, table):
    found = evaluate_table(trained.model, table)
    truth = pd.read_csv(table, dtype=str)[list(NAMES)].to_numpy()
    right = truth == trained.predicted
    assert found.scores == {
        "subset accuracy": right.all(axis=1).mean(),
        "mean accuracy": right.mean(),
    }
    for k, name in enumerate(NAMES):
        assert found.outcome.targets[name].scores["accuracy"] == right[:, k].mean()
    (section,) = evaluation_page(found).sections
    assert sum(block.kind == "figure" for block in section.blocks) == 2


def test_a_table_with_an_unknown_class_is_refused(trained, table, tmp_path):
    other = pd.read_csv(table, dtype=str)
    other.loc[3, NAMES[0]] = "perhaps"
    other.to_csv(tmp_path / "o.csv", index=False)
    with pytest.raises(
        InputError, match="row 4 has the class 'perhaps', and the model knows '-no'"
    ):
        evaluate_table(trained.model, tmp_path / "o.csv")
