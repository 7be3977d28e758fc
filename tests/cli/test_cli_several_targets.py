"""Several targets and compressed tables from the command line, from training to export."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import subprocess
import sys
import tomllib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from secant.learn import load_model

TRAIN = ("--hidden", "4", "--max-iter", "15")


def weather(rows: int = 90, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    table = pd.DataFrame({"sun": random.uniform(0, 12, rows), "wind": random.normal(5, 2, rows)})
    table["place"] = random.choice(["hill", "shore"], rows)
    table["warmth"] = 2 * table.sun - table.wind + (table.place == "shore") * 3
    table["rain, mm"] = 1e-3 * np.exp(0.2 * table.wind)
    return table


@pytest.fixture
def table(tmp_path):
    """The weather, compressed."""
    weather().to_csv(tmp_path / "weather.csv.gz", index=False)
    return "weather.csv.gz"


@pytest.fixture
def trained(secant, table):
    done = secant(
        "train", table, "--target", "warmth", "--target", "rain, mm", *TRAIN, "--out", "m"
    )
    assert done.code == 0, done.err
    return done


def test_a_training_says_how_good_each_target_is(trained, tmp_path):
    assert "mean R²" in trained.out
    header, *rows = trained.out.split("\n\n")[1].splitlines()[:3]
    assert header.split()[0] == "target"
    assert [row[:8].strip() for row in rows] == ["warmth", "rain, mm"]
    config = tomllib.loads((tmp_path / "m" / "run.toml").read_text("utf-8"))
    assert config["target"] == ["warmth", "rain, mm"]


def test_a_run_of_several_targets_repeats_itself(secant, trained, tmp_path):
    assert secant("train", "--config", "m/run.toml", "--out", "again", "--quiet").code == 0
    for name in ("model.safetensors", "model.json"):
        assert (tmp_path / "m" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_the_default_folder_is_called_after_the_targets(secant, table, tmp_path):
    assert secant("train", table, "--target", "warmth,sun", *TRAIN).code == 0
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["weather-warmth_sun"]
    # As a list in a file; and a name that is longer than a file's can be is cut.
    long = {letter * 90: np.arange(90) * float(place) for place, letter in enumerate("abc", 1)}
    weather().assign(**long).to_csv(tmp_path / "long.csv", index=False)
    (tmp_path / "run.toml").write_text(f'target = ["{"a" * 90}", "{"b" * 90}", "{"c" * 90}"]')
    assert secant("train", "long.csv", "--config", "run.toml", *TRAIN).code == 0
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert names[0] == f"long-{'a' * 45}"


def test_for_machines(secant, table):
    done = secant("train", table, "--target", "warmth", "--target", "sun", *TRAIN, "--json")
    found = json.loads(done.out)
    assert (found["target"], found["targets"]) == ("warmth, sun", ["warmth", "sun"])
    test = found["scores"]["test"]
    assert test["targets"].keys() == {"warmth", "sun"}
    each = [one["R2"] for one in test["targets"].values()]
    assert test["mean R2"] == pytest.approx(np.mean(each))
    assert test["lowest R2"] == min(each)
    told = json.loads(secant("evaluate", found["folder"], table, "--json").out)
    assert told["targets"].keys() == {"warmth", "sun"}
    assert told["targets"]["sun"].keys() >= {"R2", "RMSE", "mean absolute error"}
    assert "mean R2" in told["scores"]


def test_predict_writes_a_column_for_each_target(secant, trained, table):
    done = secant("predict", "m", table, "--out", "p.csv.xz")
    assert done.out == "p.csv.xz: 90 predictions\n"
    found = pd.read_csv("p.csv.xz")
    pd.testing.assert_frame_equal(found, load_model("m").predict(weather()))
    assert list(found.columns) == ["predicted_warmth", "predicted_rain, mm"]
    found = json.loads(secant("predict", "m", table, "--json", "--out", "q.zip").out)
    assert found["columns"] == ["predicted_warmth", "predicted_rain, mm"]
    assert "exists already" in secant("predict", "m", table, "--out", "q.zip").sentence
    assert "compressed files end in" in secant("predict", "m", table, "--out", "p.lz4").sentence


def test_compressed_standard_input(secant, trained, table, tmp_path, monkeypatch):
    packed = (tmp_path / table).read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(packed)))
    done = secant("predict", "m", "-", "--out", "-")
    assert len(pd.read_csv(io.StringIO(done.out))) == 90


def test_evaluate_judges_each_target(secant, trained, table, tmp_path):
    done = secant("evaluate", "m", table, "--out", "e.html")
    assert done.out.startswith("90 rows of weather.csv.gz\nmean R²")
    rows = [line.split("  ")[0] for line in done.out.splitlines()]
    assert {"warmth", "rain, mm"} <= set(rows)
    assert "rain, mm" in (tmp_path / "e.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda rows: rows.drop(columns="rain, mm"), "lacks the target 'rain, mm' of the model"),
        (lambda rows: rows.assign(warmth=[None, *rows.warmth[1:]]), "is missing in 1 of 90 rows"),
        (lambda rows: rows.assign(warmth=["x", *rows.warmth[1:]]), "'warmth' must hold numbers"),
        (lambda rows: rows.drop(columns="sun"), "lacks the column 'sun' of the model"),
    ],
)
def test_tables_that_cannot_be_evaluated(secant, trained, tmp_path, change, expected):
    change(weather()).to_csv(tmp_path / "new.csv", index=False)
    assert expected in secant("evaluate", "m", "new.csv").sentence


def test_compare_and_report(secant, trained, table, tmp_path):
    options = ("--methods", "l-bfgs,lm", "--repeats", "1", "--max-iter", "10", "--hidden", "3")
    done = secant("compare", table, "--target", "warmth,sun", *options, "--out", "c", "--json")
    found = json.loads(done.out)
    assert (found["score"], found["target"]) == ("mean R2", "warmth, sun")
    assert "test mean R²" in (tmp_path / "c" / "comparison.html").read_text("utf-8")
    (tmp_path / "history.csv.gz").write_bytes(
        gzip.compress((tmp_path / "m" / "history.csv").read_bytes())
    )
    assert secant("report", "history.csv.gz").out == "history.html\n"
    before = (tmp_path / "m" / "report.html").read_bytes()
    assert secant("report", "m").code == 0
    assert (tmp_path / "m" / "report.html").read_bytes() == before


def test_tune(secant, table):
    pytest.importorskip("optuna")
    options = ("--trials", "2", "--search", "width=1..3", "--max-iter", "8", "--out", "t")
    done = secant("tune", table, "--target", "warmth,sun", *options)
    assert done.code == 0, done.err
    assert "on the test rows mean R²" in done.out
    assert len(load_model("t").target.columns) == 2


def test_targets_of_two_classes(secant, tmp_path):
    table = weather(200).assign(
        warm=lambda rows: np.where(rows.warmth > 5, "yes", "no"), windy=lambda rows: rows.wind > 5
    )
    table.drop(columns=["warmth", "rain, mm"]).to_csv(tmp_path / "t.csv.zst", index=False)
    done = secant("train", "t.csv.zst", "--target", "warm,windy", *TRAIN, "--out", "m")
    assert done.code == 0, done.err
    assert "subset accuracy" in done.out
    assert secant("predict", "m", "t.csv.zst", "--out", "p.tsv.zst", "--quiet").code == 0
    found = pd.read_csv("p.tsv.zst", sep="\t")
    names = ["predicted_warm", "predicted_windy", "probability_warm_yes", "probability_windy_True"]
    assert list(found.columns) == names
    told = json.loads(secant("evaluate", "m", "t.csv.zst", "--json").out)
    right = (found.predicted_warm == table.warm) & (found.predicted_windy == table.windy)
    assert told["scores"]["subset accuracy"] == right.mean()
    assert told["targets"].keys() == {"warm", "windy"}


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler on this machine")
def test_the_c_file_predicts_every_target(secant, trained, tmp_path):
    assert secant("export", "m", "--format", "c", "--out", "m.c").code == 0
    flags = ["-std=c99", "-pedantic", "-Wall", "-Werror", "-DSECANT_MAIN"]
    subprocess.run(["cc", *flags, "m.c", "-o", "model", "-lm"], cwd=tmp_path, check=True)
    text = weather(20, seed=1).to_csv(index=False).encode()
    done = subprocess.run([tmp_path / "model"], input=text, capture_output=True, check=True)
    found = pd.read_csv(io.BytesIO(done.stdout))
    expected = load_model("m").predict(weather(20, seed=1))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--target", "warmth,place"), "or two classes each, and 'place' holds categories"),
        (("--target", "warmth,warmth"), "names the column 'warmth' 2 times"),
        (("--target", "warmth", "--target", "warm"), "no column 'warm'; did you mean 'warmth'?"),
        (
            ("--target", "warmth,sun", "--ignore", "sun"),
            "'sun' cannot be the target and be ignored",
        ),
        (("--target", "warmth,sun", "--loss", "cross-entropy"), "must have two classes each"),
        (("--target", "warmth,sun", "--target-scaling", "log"), "cannot have the scaler 'log'"),
    ],
)
def test_targets_that_cannot_be(secant, table, tmp_path, options, expected):
    assert expected in secant("train", table, *options).sentence
    assert [path.name for path in tmp_path.iterdir()] == [table]


def test_damaged_archives_end_every_command_with_a_sentence(secant, trained, table, tmp_path):
    packed = (tmp_path / table).read_bytes()
    (tmp_path / "cut.csv.gz").write_bytes(packed[: len(packed) // 2])
    for command in (
        ("train", "cut.csv.gz", "--target", "sun"),
        ("compare", "cut.csv.gz", "--target", "sun"),
        ("tune", "cut.csv.gz", "--target", "sun"),
        ("predict", "m", "cut.csv.gz"),
        ("evaluate", "m", "cut.csv.gz"),
        ("report", "cut.csv.gz"),
    ):
        assert "cut.csv.gz is cut short" in secant(*command).sentence
