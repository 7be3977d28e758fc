"""Preparation and targets: training statistics only, plain data, declared policies."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from secant.learn.errors import InputError
from secant.learn.inputs import MISSING
from secant.learn.preparation import Choices, Preparation
from secant.learn.scaling import SCALERS, Scaling, read_scalers
from secant.learn.schema import Fields
from secant.learn.tables.columns import Kind
from secant.learn.tables.dataset import Task
from secant.learn.targets import ClassTarget, NumericTarget, fit_target, read_target

TABLE = pd.DataFrame(
    {
        "size": [1.0, 5.0, None, 9.0, 2.0],
        "town": ["Bern", "Genf", "Bern", None, "Basel"],
    }
)
KINDS = {"size": Kind.NUMBER, "town": Kind.CATEGORY}


def test_the_same_numbers_as_scikit_learn():
    imputed = SimpleImputer(strategy="median").fit_transform(TABLE[["size"]])
    scaled = StandardScaler().fit_transform(imputed)
    known = TABLE.dropna(subset="town")
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(known[["town"]])
    expected = np.hstack([scaled, encoder.transform(TABLE[["town"]])])
    np.testing.assert_allclose(Preparation.fit(TABLE, KINDS).transform(TABLE), expected, rtol=1e-15)


def test_order_and_other_columns_of_the_table_do_not_matter():
    preparation = Preparation.fit(TABLE, KINDS)
    turned = TABLE[["town", "size"]].assign(more=1)
    np.testing.assert_array_equal(preparation.transform(turned), preparation.transform(TABLE))


def test_missing_and_unknown():
    preparation = Preparation.fit(TABLE, KINDS)
    new = pd.DataFrame({"size": [None], "town": ["Chur"]})
    median = preparation.inputs[0].scaling.apply(3.5)
    np.testing.assert_allclose(preparation.transform(new), [[median, 0, 0, 0]])
    assert preparation.gaps(new) == (
        "column 'size': 1 missing, taken as the median of the training rows, 3.5",
        "column 'town': 1 with a category unknown to the model ('Chur'), taken as no category",
    )
    assert preparation.gaps(TABLE.dropna()) == ()


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("scaler", SCALERS)
def test_through_json_and_back(missing, scaler):
    preparation = Preparation.fit(TABLE, KINDS, Choices(missing, "error", scaler))
    plain = json.loads(json.dumps(preparation.to_dict()))
    assert Preparation.from_fields(Fields(plain, "here")) == preparation


def test_a_column_without_variation_in_the_training_rows_is_harmless():
    preparation = Preparation.fit(pd.DataFrame({"x": [2.0, 2.0]}), {"x": Kind.NUMBER})
    np.testing.assert_array_equal(
        preparation.transform(pd.DataFrame({"x": [2.0, 3.0]})), [[0], [1]]
    )


@pytest.mark.parametrize("strategy", ["median", "mean", "most_frequent"])
def test_missing_numbers_are_filled_as_scikit_learn_does(strategy):
    table = pd.DataFrame({"x": [4.0, 1.0, np.nan, 4.0, 9.0], "z": [1.0, 2.0, 3.0, np.nan, 8.0]})
    choices = Choices(strategy.replace("_", "-"), scaler="none")
    kinds = {"x": Kind.NUMBER, "z": Kind.NUMBER}
    prepared = Preparation.fit(table, kinds, choices).transform(table)
    expected = SimpleImputer(strategy=strategy).fit_transform(table)
    np.testing.assert_allclose(prepared, expected, rtol=1e-15)


def test_an_indicator_says_where_cells_are_missing():
    preparation = Preparation.fit(TABLE, KINDS, Choices("indicator", scaler="none"))
    assert preparation.feature_names == (
        "size",
        "size=missing",
        "town=Basel",
        "town=Bern",
        "town=Genf",
        "town=missing",
    )
    np.testing.assert_array_equal(
        preparation.transform(TABLE),
        [
            [1, 0, 0, 1, 0, 0],
            [5, 0, 0, 0, 1, 0],
            [3.5, 1, 0, 1, 0, 0],
            [9, 0, 0, 0, 0, 1],
            [2, 0, 1, 0, 0, 0],
        ],
    )


def test_a_missing_category_can_be_the_most_frequent_one():
    preparation = Preparation.fit(TABLE, KINDS, Choices("most-frequent"))
    np.testing.assert_array_equal(preparation.transform(TABLE)[3, 1:], [0, 1, 0])
    assert "column 'town': 1 missing, taken as 'Bern'" in preparation.gaps(TABLE)


def test_dropped_rows_are_refused_at_prediction():
    preparation = Preparation.fit(TABLE.dropna(), KINDS, Choices("drop"))
    with pytest.raises(InputError, match="column 'size': row 3 is empty, and the model was tra"):
        preparation.transform(TABLE)
    with pytest.raises(InputError, match="column 'town': row 4 is empty"):
        preparation.transform(TABLE.fillna({"size": 0}))


def test_an_unknown_category_is_refused_where_the_model_says_so():
    preparation = Preparation.fit(TABLE, KINDS, Choices(unknown="error"))
    assert preparation.transform(TABLE).shape == (5, 4)  # a missing one is not an unknown one
    new = pd.DataFrame({"size": [1.0, 2.0], "town": ["Bern", "Chur"]})
    with pytest.raises(InputError, match="column 'town': row 2 holds 'Chur', which is none of"):
        preparation.transform(new)


@pytest.mark.parametrize("scaler", SCALERS)
def test_scalers(scaler):
    values = np.array([0.0, 1.0, 3.0, 9.0])
    table = pd.DataFrame({"x": values})
    entry = Preparation.fit(table, {"x": Kind.NUMBER}, Choices(scaler=scaler)).inputs[0]
    scaled = entry.transform(table["x"])[:, 0]
    oracle = {
        "mean-std": StandardScaler().fit_transform(values.reshape(-1, 1)),
        "min-max": MinMaxScaler((-1, 1)).fit_transform(values.reshape(-1, 1)),
        "log": StandardScaler().fit_transform(np.log1p(values).reshape(-1, 1)),
        "none": values,
    }
    np.testing.assert_allclose(scaled, np.ravel(oracle[scaler]), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(entry.scaling.invert(scaled), values, rtol=1e-13, atol=1e-13)


def test_a_column_can_have_a_scaler_of_its_own():
    table = pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0]})
    choices = Choices(scaler="min-max", scalers={"b": "none"})
    prepared = Preparation.fit(table, dict.fromkeys(table, Kind.NUMBER), choices).transform(table)
    np.testing.assert_array_equal(prepared, [[-1, 1], [1, 2]])


def test_scalers_that_cannot_be():
    table = pd.DataFrame({"price": [-1.0, 2.0]})
    kinds = {"price": Kind.NUMBER}
    with pytest.raises(InputError, match="'price' cannot have the scaler 'log': it holds -1"):
        Preparation.fit(table, kinds, Choices(scaler="log"))
    with pytest.raises(InputError, match="called 'prize'; did you mean 'price'"):
        Preparation.fit(table, kinds, Choices(scalers={"prize": "log"}))
    with pytest.raises(InputError, match="scaling must be one of 'mean-std'"):
        Choices(scaler="robust")
    for text, expected in (
        ("price", "must be like 'price=log'"),
        ("=log", "must be like"),
        ("price=cube", "column_scaling of 'price' must be one of"),
    ):
        with pytest.raises(InputError, match=expected):
            read_scalers([text])
    with pytest.raises(InputError, match="gives column 'a' two scalers"):
        read_scalers(["a=log", "a=none"])


def test_a_number_without_logarithm_is_refused_at_prediction():
    preparation = Preparation.fit(
        pd.DataFrame({"x": [0.0, 2.0]}), {"x": Kind.NUMBER}, Choices(scaler="log")
    )
    with pytest.raises(InputError, match="column 'x': row 2 holds -1, which the scaler 'log'"):
        preparation.transform(pd.DataFrame({"x": [1.0, -1.0]}))


@pytest.mark.parametrize("scaler", SCALERS)
def test_the_target_comes_back_in_its_units(scaler):
    values = pd.Series([0.0, 20.0, 60.0], name="y")
    target = fit_target(values, Task.REGRESSION, scaler)
    np.testing.assert_allclose(target.decode(target.encode(values)), values, atol=1e-13)
    assert read_target(Fields(target.to_dict(), "here")) == target
    with pytest.raises(InputError, match=r"target 'y' holds -2, which the scaler 'log'"):
        NumericTarget("y", 0.0, 1.0, "log").encode(pd.Series([-2.0]))


def test_a_class_without_training_rows_is_named():
    target = ClassTarget("y", ("a", "b"))
    with pytest.raises(InputError, match="no training row has the class 'c'"):
        target.encode(pd.Series(["a", "c"]))


def test_what_a_scaling_says_of_itself():
    assert Scaling("mean-std", 1.0, 2.0).summary == "mean 1, standard deviation 2"
    assert Scaling("min-max", 1.0, 2.0).summary == "-1 to 3"
    assert Scaling("log", 1.0, 2.0).summary.endswith("of log(1 + x)")
    assert Scaling().summary == "not scaled"


def test_an_empty_column_in_the_training_rows_is_refused():
    for kind in (Kind.NUMBER, Kind.CATEGORY):
        with pytest.raises(InputError, match="column 'x' is empty in every training row"):
            Preparation.fit(pd.DataFrame({"x": [np.nan, np.nan]}), {"x": kind})


def test_numbers_as_target():
    values = pd.Series([10.0, 20.0, 60.0], name="y")
    target = fit_target(values, Task.REGRESSION)
    encoded = target.encode(values)
    assert encoded.mean() == pytest.approx(0)
    assert encoded.std() == pytest.approx(1)
    np.testing.assert_allclose(target.decode(encoded), values)
    assert read_target(Fields(target.to_dict(), "here")) == target


def test_classes_as_target():
    target = fit_target(pd.Series(["9", "10", "b", "9"], name="y"), Task.CLASSIFICATION)
    assert target.classes == ("9", "10", "b")
    np.testing.assert_array_equal(target.encode(pd.Series(["b", "9"])), [2, 0])
    assert list(target.decode(np.array([[0.0, 5.0, 1.0], [800.0, -800.0, 0.0]]))) == ["10", "9"]
    assert read_target(Fields(target.to_dict(), "here")) == target


def test_two_classes_share_one_output():
    target = ClassTarget("y", ("no", "yes"))
    assert target.outputs == 1
    outputs = np.array([[0.0], [1.0], [-1000.0]])
    logistic = 1 / (1 + np.exp(-np.array([0.0, 1.0])))
    np.testing.assert_allclose(target.probabilities(outputs)[:2, 1], logistic)
    assert list(target.decode(outputs)) == ["no", "yes", "no"]
