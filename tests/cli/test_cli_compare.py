"""`secant compare`: a table, pictures, and rows with reasons instead of crashes."""

from __future__ import annotations

import json

import pandas as pd
import pytest

FILES = {"comparison.html", "comparison.csv", "comparison.png", "comparison.json", "run.toml"}
QUICK = ("--hidden", "4", "--max-iter", "12", "--max-seconds", "5")


def test_a_comparison_writes_its_folder(secant, houses_csv, tmp_path):
    done = secant(
        *("compare", houses_csv, "--target", "price", "--methods", "l-bfgs, bfgs,adam"),
        *(*QUICK, "--repeats", "2", "--out", "c"),
    )
    assert (done.code, done.err) == (0, "")
    assert {path.name for path in (tmp_path / "c").iterdir()} == FILES
    table = pd.read_csv(tmp_path / "c" / "comparison.csv")
    assert set(table.method) == {"l-bfgs", "bfgs", "adam"}
    assert (table.repeats == 2).all()
    assert (table.memory_bytes > 0).all()
    assert (tmp_path / "c" / "comparison.png").read_bytes().startswith(b"\x89PNG")
    data = json.loads((tmp_path / "c" / "comparison.json").read_text("utf-8"))
    assert len(data["attempts"]) == 6
    for method in table.method:
        assert method in done.out

    again = secant("compare", "--config", "c/run.toml", "--methods", "gd", "--out", "d", "--json")
    assert (again.code, again.err) == (0, "")
    printed = json.loads(again.out)
    assert [row["method"] for row in printed["rows"]] == ["gd"]
    assert printed["rows"][0]["repeats"] == 2  # from the file


def test_options_of_some_methods_are_for_these_alone(secant, houses_csv, tmp_path):
    done = secant(
        *("compare", houses_csv, "--target", "price", "--methods", "adam,l-bfgs,bfgs", *QUICK),
        *(
            "--learning-rate",
            "0.02",
            "--batch-size",
            "9",
            "--pairs",
            "5",
            "--repeats",
            "1",
            "--out",
            "c",
            "--json",
        ),
    )
    assert (done.code, done.err) == (0, "")
    assert {row["repeats"] for row in json.loads(done.out)["rows"]} == {1}


def test_a_method_that_cannot_train_is_a_row(secant, houses_csv, tmp_path):
    # Levenberg-Marquardt needs a sum of squares, which Huber's loss is not.
    done = secant(
        *("compare", houses_csv, "--target", "price", "--loss", "huber", *QUICK),
        *("--methods", "lm,l-bfgs", "--repeats", "1", "--out", "c"),
    )
    assert (done.code, done.err) == (0, "")
    assert "lm could not train: " in done.out
    assert "could not train" in (tmp_path / "c" / "comparison.html").read_text("utf-8")


BAD = {
    "unknown method": (("--methods", "l-bfgs,newtn"), "method must be one of l-bfgs"),
    "no repeats": (("--repeats", "0"), "repeats must be at least 1, not 0"),
    "no loss": (("--to-loss", "nan"), "to_loss must be a finite number, not nan"),
    "no method": (("--methods", ","), "methods must name at least one method"),
    "no time": (("--max-seconds", "-1"), "max_seconds must be a positive number"),
}


@pytest.mark.parametrize(("options", "expected"), BAD.values(), ids=BAD)
def test_bad_options(secant, houses_csv, tmp_path, options, expected):
    done = secant("compare", houses_csv, "--target", "price", "--out", "c", *options)
    assert expected in done.sentence
    assert [path.name for path in tmp_path.iterdir()] == ["houses.csv"]


def test_a_missing_table_and_a_missing_target(secant, houses_csv):
    assert secant("compare").sentence.startswith("the table is missing")
    assert "houses.csv has 'size', 'town'" in secant("compare", houses_csv).sentence
