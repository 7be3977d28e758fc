"""secant export: from a trained folder to a file that others run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from cli_tables import houses

from secant.learn import Settings, Strategy, save_model, train_table


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A model folder, without the reports that `secant train` would write beside it."""
    folder = tmp_path_factory.mktemp("saved")
    houses().to_csv(folder / "houses.csv", index=False)
    settings = Settings("price", hidden=(4,), strategy=Strategy(max_iter=15))
    model = train_table(folder / "houses.csv", settings).model
    (folder / "model").mkdir()
    save_model(model, folder / "model")
    return folder / "model"


@pytest.fixture
def trained(secant, houses_csv, saved, tmp_path):
    """The model in the folder `model`."""
    shutil.copytree(saved, tmp_path / "model")
    return "model"


def test_the_python_file_predicts_what_the_model_predicts(secant, trained, tmp_path):
    done = secant("export", trained, "--format", "python", "--out", "price.py")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("price.py: ")
    assert "next: python price.py new.csv > predictions.csv" in done.out
    houses(30, seed=3).to_csv("new.csv", index=False)
    command = [sys.executable, "price.py", "new.csv"]
    found = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path)
    (tmp_path / "found.csv").write_bytes(found.stdout)
    assert secant("predict", trained, "new.csv", "--quiet").code == 0
    a, b = pd.read_csv("found.csv"), pd.read_csv("predictions.csv")
    np.testing.assert_allclose(a["predicted_price"], b["predicted_price"], rtol=1e-12)


def test_the_format_follows_the_ending(secant, trained, tmp_path):
    for name in ("m.py", "m.c", "m.onnx"):
        if name == "m.onnx":
            pytest.importorskip("onnx")
        assert secant("export", trained, "--out", name, "--quiet").out == ""
        assert (tmp_path / name).stat().st_size > 500


def test_by_default_the_file_is_put_beside_the_model(secant, trained, tmp_path):
    done = secant("export", trained, "--format", "c", "--json")
    assert json.loads(done.out)["file"] == str(
        (tmp_path / "model" / "model.c").relative_to(tmp_path)
    )
    again = secant("export", trained, "--format", "c")
    assert "exists already" in again.sentence
    assert secant("export", trained, "--format", "c", "--force").code == 0


def test_another_precision_is_measured(secant, trained, tmp_path):
    done = secant("export", trained, "--dtype", "float32", "--out", "m.c")
    assert (done.code, done.err) == (0, "")
    rounding = done.out.splitlines()[1]
    start = "float32 instead of float64: on 1,000 rows (drawn from the statistics of the columns) "
    assert rounding.startswith(f"{start}predicted_price differs by at most ")
    assert "computes in float" in (tmp_path / "m.c").read_text("ascii")
    on_rows = secant(
        *("export", trained, "--dtype", "float32", "--rows", "houses.csv", "--out", "m.py"),
        "--json",
    )
    told = json.loads(on_rows.out)["rounding"]
    assert told["rows"] == len(houses())
    assert 0.0 < told["relative"]["predicted_price"] < 1e-6
    same = secant("export", trained, "--dtype", "float64", "--out", "m64.c")
    assert "instead of" not in same.out


def test_a_model_trained_in_single_precision(secant, houses_csv, tmp_path):
    """From the table to a prediction by a C program, all in float32."""
    options = ("--dtype", "float32", "--hidden", "4", "--max-iter", "15", "--out", "single")
    assert secant("train", houses_csv, "--target", "price", *options, "--quiet").code == 0
    described = json.loads((tmp_path / "single" / "model.json").read_text("utf-8"))
    assert described["network"]["dtype"] == "float32"
    assert 'dtype = "float32"' in (tmp_path / "single" / "run.toml").read_text("utf-8")
    assert secant("predict", "single", houses_csv, "--quiet").code == 0
    expected = pd.read_csv("predictions.csv")["predicted_price"]
    assert secant("export", "single", "--out", "price.py", "--quiet").code == 0
    command = [sys.executable, "price.py", houses_csv]
    found = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path)
    (tmp_path / "found.csv").write_bytes(found.stdout)
    np.testing.assert_allclose(pd.read_csv("found.csv")["predicted_price"], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("model",), "--format is missing: choose one of onnx, python, c"),
        (("model", "--format", "pmml"), "--format must be one of onnx, python, c, not 'pmml'"),
        (("model", "--out", "model.txt"), "--format is missing"),
        (
            ("model", "--out", "m.c", "--dtype", "float16"),
            "dtype must be one of 'float64', 'float32', not 'float16'",
        ),
        (
            ("model", "--out", "m.c", "--rows", "houses.csv"),
            "--rows is for another --dtype than the model's, float64",
        ),
        (("model", "--out", "m.c", "--dtype", "float32", "--rows", "no.csv"), "no.csv"),
        (("model/model.json", "--out", "m.c"), "is a file of a model: give its folder"),
        (("nothing", "--format", "c", "--out", "m.c"), "holds no model.json"),
        (("model", "--format", "c", "--out", "model"), "is a folder, and a file is to be written"),
        (("model", "--format", "c", "--out", "houses.csv/m.c"), "is no folder"),
    ],
)
def test_bad_options(secant, trained, arguments, expected):
    assert expected in secant("export", *arguments).sentence
