"""The main job: a table in, a model, a history and a report out."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from sklearn import datasets

from secant.learn import load_model, predict_table, strategy

FILES = {"model.safetensors", "model.json", "history.csv", "report.html"}
SHORT = ("--hidden", "6", "--max-iter", "40")


def test_a_real_process_trains_diabetes_and_predicts(tmp_path):
    root = Path(__file__).parents[2]
    table = tmp_path / "data" / "diabetes.csv"
    subprocess.run(
        [sys.executable, root / "scripts" / "export_diabetes.py", table], check=True, cwd=tmp_path
    )
    command = [sys.executable, "-m", "secant"]
    train = [*command, "train", str(table), "--target", "progression", "--out", "runs/diabetes"]
    done = subprocess.run(train, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    out = tmp_path / "runs" / "diabetes"
    assert {path.name for path in out.iterdir()} == FILES
    r2 = float(re.search(r"^test +88 +\S+ +(\S+)", done.stdout, re.MULTILINE)[1])
    assert 0.35 < r2 < 0.6
    assert "next: secant predict runs/diabetes new.csv --out predictions.csv" in done.stdout

    predict = [*command, "predict", "runs/diabetes", str(table), "--out", "predictions.csv"]
    done = subprocess.run(predict, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    predictions = pd.read_csv(tmp_path / "predictions.csv")
    assert list(predictions.columns) == ["predicted_progression"]
    assert len(predictions) == 442


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
        assert " R2 " in done.out


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
    assert "is no model folder" in done.sentence
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


def test_an_interruption_while_training_keeps_the_best_weights(
    secant, houses_csv, tmp_path, monkeypatch
):
    observe = strategy._Monitor.observe

    def interrupted(self, snapshot):
        observe(self, snapshot)
        if snapshot.k == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(strategy._Monitor, "observe", interrupted)
    done = secant("train", houses_csv, "--target", "price", "--hidden", "6", "--out", "model")
    assert done.code == 0
    assert "interrupted from the keyboard" in done.out
    assert len(pd.read_csv("model/history.csv")) == 8
    predictions, _ = predict_table(load_model("model"), houses_csv)
    assert len(predictions) == 120


def test_ctrl_c_in_a_terminal(tmp_path, houses_csv):
    command = [sys.executable, "-m", "secant", "train", str(houses_csv), "--target", "price"]
    endless = ["--patience", "1000000", "--max-iter", "100000000", "--gtol", "1e-300"]
    process = subprocess.Popen(
        [*command, *endless, "--method", "gd", "--max-seconds", "300", "--out", "model"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not _uses_time(process.pid, seconds=6.0) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    if "nothing was written" in err:  # the signal came before the training had begun
        assert process.returncode == 130
        assert not (tmp_path / "model").exists()
        return
    assert (process.returncode, err) == (0, "")
    assert "interrupted from the keyboard" in out
    assert json.loads((tmp_path / "model" / "model.json").read_text("utf-8"))["version"] == 1


def _uses_time(pid: int, seconds: float) -> bool:
    """Whether a process has had so many seconds of a processor."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") > seconds
