"""secant tune: trials, a study that can be gone on with, the best model in a folder."""

from __future__ import annotations

import csv
import json
import tomllib

import pytest

from secant.learn.config import read_config, settings_from

pytest.importorskip("optuna")

FAST = ("--target", "price", "--max-iter", "8", "--quiet")
SEARCH = ("--search", "width=2..4", "--search", "l2=log:1e-5..1e-1")


def trials_of(folder):
    with (folder / "trials.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_best_model_is_written(secant, houses_csv, tmp_path):
    done = secant("tune", houses_csv, *FAST[:-1], *SEARCH, "--trials", 3, "--out", "best")
    assert (done.code, done.err) == (0, "")
    assert done.out.count("trial ") >= 3
    assert "(best)" in done.out
    rows = trials_of(tmp_path / "best")
    assert [row["trial"] for row in rows] == ["0", "1", "2"]
    losses = {float(row["validation_loss"]): row for row in rows if row["state"] == "complete"}
    best = losses[min(losses)]
    config = tomllib.loads((tmp_path / "best" / "run.toml").read_text())
    assert config["hidden"] == [int(best["width"])] * 2  # two layers, as by default
    assert config["l2"] == float(best["l2"])
    assert secant("predict", "best", houses_csv, "--quiet").code == 0
    options = read_config("best/run.toml", {"data": str})
    assert options.pop("data") == str(houses_csv)
    assert settings_from(options).l2 == float(best["l2"])


def test_a_study_is_gone_on_with(secant, houses_csv, tmp_path):
    for trials in (1, 2):
        out = ("--out", f"best{trials}")
        options = ("--trials", trials, "--study", "runs/tune.db")
        done = secant("tune", houses_csv, *FAST, *SEARCH, *options, *out)
        assert (done.code, done.out, done.err) == (0, "", "")
    assert (tmp_path / "runs" / "tune.db").is_file()
    first, second = (trials_of(tmp_path / name) for name in ("best1", "best2"))
    assert second[0] == first[0]
    assert len(second) == 2


def test_what_is_given_is_not_searched(secant, houses_csv):
    given = ("--hidden", "3", "--method", "l-bfgs", "--activation", "tanh")
    done = secant("tune", houses_csv, *FAST[:-1], *given, "--trials", 1, "--json", "--out", "best")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["trials"][0]["choices"].keys() == {"l2"}
    assert found["best"]["number"] == 0
    assert tomllib.loads(found["config"])["hidden"] == [3]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--search", "width"), "a search must be like width=4..64"),
        (("--search", "colour=red,blue"), "has 'colour', which cannot be searched"),
        (("--search", "l2=0..1", "--l2", "0.1"), "--search l2: it was given a value, too"),
        (("--trials", "0"), "trials must be at least 1, not 0"),
        (("--search-seconds", "0"), "max_seconds must be a positive number"),
        (("--study", "houses.csv/tune.db"), "houses.csv"),
    ],
)
def test_bad_options(secant, houses_csv, options, expected):
    arguments = ("tune", houses_csv, "--target", "price", "--out", "best", "--quiet")
    assert expected in secant(*arguments, *options).sentence
