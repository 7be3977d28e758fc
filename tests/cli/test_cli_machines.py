"""`--json`, `--quiet` and standard streams: what other programs rely on."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SHORT = ("--hidden", "4", "--max-iter", "15")


@pytest.fixture
def standard_input(monkeypatch):
    """Put a file on standard input."""

    def put(path: Path) -> None:
        stream = io.TextIOWrapper(io.BytesIO(path.read_bytes()), encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", stream)

    return put


def only_json(done):
    assert (done.code, done.err) == (0, "")
    assert done.out.count("\n") == 1
    return json.loads(done.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_every_command_prints_one_object(secant, houses_csv, model):
    trained = only_json(
        secant("train", houses_csv, "--target", "price", *SHORT, "--out", "m2", "--json")
    )
    assert trained["folder"] == "m2"
    assert set(trained["scores"]) == {"train", "validation", "test"}
    assert trained["scores"]["test"]["rows"] == 24
    predicted = only_json(secant("predict", model, houses_csv, "--json"))
    assert predicted["rows"] == 120
    assert predicted["columns"] == ["predicted_price"]
    assert len(predicted["notes"]) == 2
    evaluated = only_json(secant("evaluate", model, houses_csv, "--json"))
    assert evaluated["rows"] == 120
    assert set(evaluated["scores"]) >= {"R2", "RMSE"}
    assert only_json(secant("report", model, "--json")) == {"file": "model/report.html"}
    assert len(only_json(secant("methods", "--json"))["methods"]) > 20


def test_check_prints_one_object(secant, tmp_path):
    (tmp_path / "f.py").write_text(
        "import numpy as np\nx0 = [1.0, 2.0]\ndef f(x): return np.sum(x**2)\n"
        "def g(x): return 2 * x\ndef wrong(x): return 3 * x\n"
    )
    found = only_json(secant("check", "f.py:f", "--jac", "g", "--json"))
    assert found["ok"] is True
    assert found["checks"][0]["what"] == "gradient"
    done = secant("check", "f.py:f", "--jac", "wrong", "--json")
    assert done.code == 1
    assert json.loads(done.out)["checks"][0]["verdict"] == "wrong"


def test_errors_leave_standard_output_empty(secant, model, houses_csv):
    for words in (
        ("train", houses_csv, "--target", "prize", "--json"),
        ("train", houses_csv, "--target", "price", "--method", "newtn", "--json"),
        ("train", "no.csv", "--target", "price", "--json"),
        ("train", houses_csv, "--json"),
        ("compare", houses_csv, "--target", "price", "--methods", "newtn", "--json"),
        ("predict", "nowhere", houses_csv, "--json"),
        ("evaluate", model, "no.csv", "--json"),
        ("report", "nowhere", "--json"),
    ):
        assert secant(*words).sentence


def test_tables_from_standard_input(secant, houses_csv, model, standard_input):
    standard_input(houses_csv)
    done = secant("train", "-", "--target", "price", *SHORT, "--out", "piped", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    # The same rows, whatever they came through, give the same weights.
    piped, read = (Path(name, "model.safetensors").read_bytes() for name in ("piped", "model"))
    assert piped == read
    standard_input(houses_csv)
    done = secant("predict", model, "-", "--out", "-")
    assert done.code == 0
    assert done.err.startswith("note: ")
    table = pd.read_csv(io.StringIO(done.out))
    assert secant("predict", model, houses_csv, "--quiet").code == 0
    pd.testing.assert_frame_equal(table, pd.read_csv("predictions.csv"))
    standard_input(houses_csv)
    assert only_json(secant("evaluate", model, "-", "--json"))["rows"] == 120


def test_json_and_predictions_cannot_share_standard_output(secant, model, houses_csv):
    sentence = secant("predict", model, houses_csv, "--out", "-", "--json").sentence
    assert "both want standard output" in sentence


def test_an_unwritable_folder(secant, houses_csv, tmp_path, monkeypatch):
    locked = tmp_path / "locked"
    locked.mkdir()
    # Permissions do not bind a superuser, so the answer of the system is what is replaced.
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != locked)
    done = secant("train", houses_csv, "--target", "price", "--out", "locked/model")
    assert "allows no new files" in done.sentence
    assert list(locked.iterdir()) == []


class TestEvaluate:
    def test_scores_are_those_of_the_predictions(self, secant, model, houses_csv):
        scores = only_json(secant("evaluate", model, houses_csv, "--json"))["scores"]
        assert secant("predict", model, houses_csv, "--quiet").code == 0
        errors = (
            pd.read_csv("predictions.csv")["predicted_price"] - pd.read_csv(houses_csv)["price"]
        )
        assert scores["RMSE"] == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-12)
        assert scores["mean absolute error"] == pytest.approx(np.abs(errors).mean(), rel=1e-12)

    def test_a_table_in_words_and_a_page(self, secant, model, houses_csv, tmp_path):
        done = secant("evaluate", model, houses_csv, "--out", "page.html")
        assert (done.code, done.err) == (0, "")
        assert "120 rows of houses.csv\n" in done.out
        assert "Predicted against actual price" in (tmp_path / "page.html").read_text("utf-8")
        assert (
            "exists already" in secant("evaluate", model, houses_csv, "--out", "page.html").sentence
        )

    def test_targets_that_cannot_be_judged(self, secant, model, houses_csv, tmp_path):
        table = pd.read_csv(houses_csv)
        table.drop(columns="price").to_csv("new.csv", index=False)
        assert "lacks the target 'price'" in secant("evaluate", model, "new.csv").sentence
        table.assign(price=[None, *table["price"][1:]]).to_csv("new.csv", index=False)
        assert "is missing in 1 of 120 rows, first in row 1" in (
            secant("evaluate", model, "new.csv").sentence
        )

    def test_classes(self, secant, tmp_path):
        x = np.linspace(-1, 1, 80)
        labels = np.where(x > 0, 2, 1)
        pd.DataFrame({"x": x, "kind": labels}).to_csv("two.csv", index=False)
        train = ("train", "two.csv", "--target", "kind", *SHORT, "--out", "m", "--quiet")
        assert secant(*train).code == 0
        scores = only_json(secant("evaluate", "m", "two.csv", "--json"))["scores"]
        assert scores["AUC"] > 0.99
        pd.DataFrame({"x": x, "kind": 3}).to_csv("three.csv", index=False)
        assert "row 1 has the class '3', and the model knows '1', '2'" in (
            secant("evaluate", "m", "three.csv").sentence
        )


class TestReport:
    def test_the_report_made_again_is_the_same(self, secant, model, tmp_path, real_pictures):
        page = tmp_path / "model" / "report.html"
        first = page.read_text("utf-8")
        page.unlink()
        done = secant("report", model)
        assert (done.code, done.out) == (0, "model/report.html\n")
        assert page.read_text("utf-8") == first

    def test_another_place_is_not_overwritten(self, secant, model, tmp_path):
        (tmp_path / "mine.html").write_text("mine")
        assert "exists already" in secant("report", model, "--out", "mine.html").sentence
        assert secant("report", model, "--out", "mine.html", "--force").code == 0

    def test_a_history_is_enough(self, secant, model, tmp_path):
        done = secant("report", "model/history.csv", "--out", "h.html")
        assert done.code == 0
        assert "Training and validation loss" in (tmp_path / "h.html").read_text("utf-8")
        (tmp_path / "model" / "report.json").unlink()
        assert secant("report", model).code == 0

    def test_damaged_files_are_named(self, secant, model, tmp_path):
        record = tmp_path / "model" / "report.json"
        good = json.loads(record.read_text("utf-8"))
        for damaged, expected in (
            (good | {"version": 99}, "has version 99"),
            (good | {"rows": 3}, "has no 'rows'"),
            ({name: good[name] for name in good if name != "columns"}, "lacks 'columns'"),
            (good | {"target": 3}, "target must be text, not 3"),
            ([], "is no record of a training"),
        ):
            record.write_text(json.dumps(damaged))
            assert expected in secant("report", model).sentence
        record.write_text("{")
        assert "it is no JSON" in secant("report", model).sentence
        assert "holds no report.json and no history.csv" in secant("report", tmp_path).sentence
        (tmp_path / "h.csv").write_text("a,b\n1,2\n")
        assert "is no history of a training" in secant("report", "h.csv").sentence
        (tmp_path / "h.csv").write_text("iteration,seconds,training_loss\n0,0,x\n")
        assert "line 2 holds 'x'" in secant("report", "h.csv").sentence
