"""`secant predict`: the model's own outputs, in the order of the rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cli_tables import houses

from secant.learn import load_model


def test_predictions_are_the_outputs_of_the_model(secant, model):
    new = houses(40, seed=5)
    shuffled = new[["age", "price", "size", "town"]].assign(extra="ignored")
    shuffled.to_csv("new.csv", index=False)
    done = secant("predict", model, "new.csv")
    assert (done.code, done.err) == (0, "")
    assert "note: column 'age': 9 missing, taken as the median" in done.out
    written = pd.read_csv("predictions.csv")["predicted_price"].to_numpy()
    loaded = load_model(model)
    outputs = loaded.outputs(pd.read_csv("new.csv"))
    np.testing.assert_array_equal(written, loaded.target.decode(outputs))
    # The model has learnt what the table says, which is what makes the comparison worth anything.
    assert np.corrcoef(written, new["price"])[0, 1] > 0.95


def test_one_row_is_enough(secant, model):
    houses(40, seed=5).head(1).to_csv("new.csv", index=False)
    assert secant("predict", model, "new.csv", "--quiet").out == ""
    assert len(pd.read_csv("predictions.csv")) == 1


def test_unknown_categories_are_none_of_the_known_ones(secant, model):
    pd.DataFrame({"size": [90.0, 90.0], "town": ["Lugano", None], "age": [3, 3]}).to_csv(
        "new.csv", index=False
    )
    done = secant("predict", model, "new.csv")
    assert "note: column 'town': 1 with a category unknown to the model ('Lugano')" in done.out
    first, second = pd.read_csv("predictions.csv")["predicted_price"]
    assert first == second


def test_classes_come_with_probabilities(secant):
    random = np.random.default_rng(0)
    x = random.normal(size=90)
    label = np.select([x < -0.5, x < 0.5], ["low", "mid"], "high")
    pd.DataFrame({"x": x, "z": random.normal(size=90), "level": label}).to_csv("t.csv", index=False)
    assert secant("train", "t.csv", "--target", "level", "--out", "m", "--hidden", "5").code == 0
    assert secant("predict", "m", "t.csv", "--out", "out/p.csv").code == 0
    table = pd.read_csv("out/p.csv")
    columns = ["probability_high", "probability_low", "probability_mid"]
    assert list(table.columns) == ["predicted_level", *columns]
    np.testing.assert_allclose(table[columns].sum(axis=1), 1, rtol=1e-12)
    likeliest = table[columns].idxmax(axis=1).str.removeprefix("probability_")
    assert (likeliest == table["predicted_level"]).all()
    assert (table["predicted_level"] == label).mean() > 0.9


def test_one_input_needs_one_column(secant):
    pd.DataFrame({"x": range(30), "y": [2.0 * i for i in range(30)]}).to_csv("t.csv", index=False)
    assert secant("train", "t.csv", "--target", "y", "--out", "m", "--hidden", "3").code == 0
    pd.DataFrame({"x": [4, 5]}).to_csv("new.csv", index=False)
    assert secant("predict", "m", "new.csv").code == 0
    assert len(pd.read_csv("predictions.csv")) == 2


BAD = {
    "missing column": ("size,twon\n1,Bern\n", "lacks 2 of the model's 3 columns: 'town', 'age'"),
    "near column": (
        "size,town,Age\n1,Bern,2\n",
        "the column 'age' of the model; did you mean 'Age'",
    ),
    "text": (
        "size,town,age\nbig,Bern,2\n",
        "column 'size' must hold numbers, and row 1 holds text",
    ),
    "header only": ("size,town,age\n", "has a header and no rows"),
    "empty": ("", "new.csv is empty"),
}


@pytest.mark.parametrize(("content", "expected"), BAD.values(), ids=BAD)
def test_bad_tables(secant, model, tmp_path, content, expected):
    (tmp_path / "new.csv").write_text(content)
    assert expected in secant("predict", model, "new.csv").sentence
    assert not (tmp_path / "predictions.csv").exists()


def test_an_existing_file_is_kept_unless_forced(secant, model, houses_csv, tmp_path):
    (tmp_path / "predictions.csv").write_text("mine")
    done = secant("predict", model, houses_csv)
    assert (
        done.sentence == "'predictions.csv' exists already: choose another --out, or give --force"
    )
    assert (tmp_path / "predictions.csv").read_text() == "mine"
    assert secant("predict", model, houses_csv, "--force").code == 0
    assert len(pd.read_csv("predictions.csv")) == 120


def test_no_model_there(secant, houses_csv, tmp_path):
    assert "'nowhere' holds no model.json" in secant("predict", "nowhere", houses_csv).sentence
    assert "holds no model.json" in secant("predict", houses_csv, houses_csv).sentence
