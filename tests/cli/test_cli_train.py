"""The main job: a table in, a model, a history and a report out."""

from __future__ import annotations

import re
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from sklearn import datasets

from secant.learn import load_model, monitor, predict_table

FILES = {
    "model.safetensors",
    "model.json",
    "history.csv",
    "run.toml",
    "report.json",
    "report.html",
}
SHORT = ("--hidden", "6", "--max-iter", "40")


def test_diabetes_is_learnt_and_predicted(secant, tmp_path, real_pictures):
    root = Path(__file__).parents[2]
    export = runpy.run_path(str(root / "scripts" / "export_diabetes.py"))["main"]
    assert export(["data/diabetes.csv"]) == 0
    train = ("train", "data/diabetes.csv", "--target", "progression", "--out", "runs/diabetes")
    done = secant(*train)
    assert (done.code, done.err) == (0, "")
    out = tmp_path / "runs" / "diabetes"
    assert {path.name for path in out.iterdir()} == FILES
    assert (out / "report.html").read_text("utf-8").count("<path") > 100  # the pictures are there
    r2 = float(re.search(r"^test +88 +\S+ +(\S+)", done.out, re.MULTILINE)[1])
    assert 0.35 < r2 < 0.6
    assert "next: secant predict runs/diabetes new.csv --out predictions.csv" in done.out

    done = secant("predict", "runs/diabetes", "data/diabetes.csv", "--out", "predictions.csv")
    assert (done.code, done.err) == (0, "")
    predictions = pd.read_csv(tmp_path / "predictions.csv")
    assert list(predictions.columns) == ["predicted_progression"]
    assert len(predictions) == 442


def test_a_process_of_its_own(houses_csv, tmp_path):
    command = [sys.executable, "-m", "secant", "train", str(houses_csv), "--target", "price"]
    done = subprocess.run(
        [*command, *SHORT, "--out", "model"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in (tmp_path / "model").iterdir()} == FILES
    assert "next: secant predict model new.csv" in done.stdout


@pytest.mark.parametrize(
    ("load", "least"),
    [(datasets.load_iris, 0.9), (datasets.load_wine, 0.9), (datasets.load_breast_cancer, 0.93)],
    ids=["iris", "wine", "breast_cancer"],
)
def test_classes_are_learnt(secant, tmp_path, load, least):
    bunch = load(as_frame=True)
    names = [str(bunch.target_names[number]) for number in bunch.target]
    bunch.frame.assign(target=names).to_csv("table.csv", index=False)
    done = secant("train", "table.csv", "--target", "target", "--out", "model")
    assert (done.code, done.err) == (0, "")
    accuracy = float(re.search(r"^test .* (\S+) *$", done.out, re.MULTILINE)[1])
    assert accuracy >= least
    assert load_model("model").target.classes == tuple(sorted(set(names)))
    assert "Confusion matrix" in (tmp_path / "model" / "report.html").read_text("utf-8")


def test_whole_numbers_from_zero_are_classes_unless_told_otherwise(secant):
    datasets.load_iris(as_frame=True).frame.to_csv("iris.csv", index=False)
    done = secant("train", "iris.csv", "--target", "target", *SHORT, "--out", "classes")
    assert "note: target 'target' was taken as 3 classes" in done.out
    assert load_model("classes").target.classes == ("0", "1", "2")
    for option in (("--task", "regression"), ("--loss", "mean-squared")):
        done = secant(
            "train", "iris.csv", "--target", "target", *SHORT, *option, "--out", option[0]
        )
        assert done.code == 0
        assert " R² " in done.out


def test_the_same_seed_gives_the_same_bytes(secant, houses_csv, tmp_path):
    for out in ("one", "two"):
        assert secant("train", houses_csv, "--target", "price", *SHORT, "--out", out).code == 0
    secant("train", houses_csv, "--target", "price", *SHORT, "--seed", "1", "--out", "other")
    for name in ("model.safetensors", "model.json"):
        same, again = (tmp_path / out / name for out in ("one", "two"))
        assert same.read_bytes() == again.read_bytes()
        assert same.read_bytes() != (tmp_path / "other" / name).read_bytes()


def test_history_is_complete_and_the_kept_weights_are_the_best(secant, houses_csv, tmp_path):
    done = secant("train", houses_csv, "--target", "price", "--hidden", "8", "--out", "model")
    history = pd.read_csv(tmp_path / "model" / "history.csv")
    assert list(history.columns) == [
        "iteration",
        "seconds",
        "objective",
        "training_loss",
        "validation_loss",
        "gradient_norm",
        "step",
        "evaluations",
        "damping",
        "effective_parameters",
    ]
    assert list(history.iteration) == list(range(len(history)))
    assert history.evaluations.is_monotonic_increasing
    assert (history.objective > history.training_loss).all()
    best = int(history.validation_loss.idxmin())
    assert f"the weights of iteration {best} were kept" in done.out
    printed = float(re.search(r"^validation +\d+ +(\S+)", done.out, re.MULTILINE)[1])
    assert printed == pytest.approx(history.validation_loss[best], rel=1e-3)


@pytest.mark.parametrize("method", ["bfgs", "LBFGS", "cg", "gd", "ssbroyden"])
def test_other_methods_train(secant, houses_csv, method):
    done = secant(
        "train", houses_csv, "--target", "price", "--method", method, *SHORT, "--out", "m"
    )
    assert (done.code, done.err) == (0, "")


def test_every_limit_is_named(secant, houses_csv):
    train = ("train", houses_csv, "--target", "price", "--hidden", "6")
    assert "max_iter" in secant(*train, "--max-iter", "3").out
    endless = ("--method", "gd", "--patience", "1000000", "--gtol", "1e-300")
    assert "max_seconds" in secant(*train, *endless, "--max-seconds", "0.05").out
    assert "validation loss has not improved" in secant(*train, "--patience", "2").out
    assert "gradient component" in secant(*train, "--gtol", "1e-2").out


def test_a_linear_model_has_no_hidden_layers(secant, houses_csv):
    secant("train", houses_csv, "--target", "price", "--hidden", "none", "--out", "line")
    assert load_model("line").network.sizes == (5, 1)


def test_the_default_folder_is_numbered_and_never_overwritten(secant, houses_csv, tmp_path):
    for _ in range(2):
        assert secant("train", houses_csv, "--target", "price", *SHORT).code == 0
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {
        "houses-price",
        "houses-price-2",
    }


def test_force_replaces_a_model_folder_only(secant, houses_csv, tmp_path):
    train = ("train", houses_csv, "--target", "price", *SHORT, "--out", "model")
    assert secant(*train).code == 0
    (tmp_path / "model" / "stale.txt").write_text("old")
    assert secant(*train, "--force").code == 0
    assert {path.name for path in (tmp_path / "model").iterdir()} == FILES
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("precious")
    done = secant(*train[:-1], "thesis", "--force")
    assert "holds no model.json" in done.sentence
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "precious"


def test_quiet_prints_nothing(secant, houses_csv):
    done = secant("train", houses_csv, "--target", "price", *SHORT, "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_categories_by_request_and_ignored_columns(secant, tmp_path):
    random = pd.Series(range(60)).sample(frac=1, random_state=0)
    table = pd.DataFrame({"id": range(60), "code": random % 3, "x": random, "y": random * 0.5 + 7})
    table.to_csv("t.csv", index=False)
    done = secant(
        *("train", "t.csv", "--target", "y", *SHORT, "--out", "model"),
        *("--categorical", "code", "--ignore", "id"),
    )
    assert done.code == 0
    assert load_model("model").preparation.feature_names == ("code=0", "code=1", "code=2", "x")


def test_a_failure_while_writing_leaves_nothing(secant, houses_csv, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("secant.learn.save_model", full)
    done = secant("train", houses_csv, "--target", "price", *SHORT, "--out", "model")
    assert done.sentence == "'model' cannot be written: No space left on device"
    assert [path.name for path in tmp_path.iterdir()] == ["houses.csv"]


def _interrupt():
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "interrupt",
    [_interrupt, lambda: signal.raise_signal(signal.SIGINT)],
    ids=["exception", "signal"],
)
def test_ctrl_c_while_training_keeps_the_best_weights(
    secant, houses_csv, tmp_path, monkeypatch, interrupt
):
    observe = monitor.Monitor.observe

    def interrupted(self, snapshot):
        observe(self, snapshot)
        if snapshot.k == 7:
            interrupt()

    monkeypatch.setattr(monitor.Monitor, "observe", interrupted)
    done = secant("train", houses_csv, "--target", "price", "--hidden", "6", "--out", "model")
    assert (done.code, done.err) == (
        130,
        "error: interrupted; model has the best weights so far\n",
    )
    assert "interrupted from the keyboard" in done.out
    assert len(pd.read_csv("model/history.csv")) == 8
    predictions, _ = predict_table(load_model("model"), houses_csv)
    assert len(predictions) == 120


def test_ctrl_c_before_the_training_writes_nothing(secant, houses_csv, tmp_path, monkeypatch):
    monkeypatch.setattr("secant.learn.train_table", lambda *_: signal.raise_signal(signal.SIGINT))
    done = secant("train", houses_csv, "--target", "price", "--out", "model")
    assert (done.code, done.out, done.err) == (130, "", "error: interrupted; nothing was written\n")
    assert [path.name for path in tmp_path.iterdir()] == ["houses.csv"]
