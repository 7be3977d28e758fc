"""Preparation and targets: training statistics only, plain data, declared policies."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from secant.learn.columns import Kind
from secant.learn.dataset import Task
from secant.learn.errors import InputError
from secant.learn.preparation import Preparation
from secant.learn.schema import Fields
from secant.learn.target import ClassTarget, fit_target, read_target

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
    median = (3.5 - preparation.inputs[0].mean) / preparation.inputs[0].scale
    np.testing.assert_allclose(preparation.transform(new), [[median, 0, 0, 0]])
    assert preparation.gaps(new) == (
        "column 'size': 1 missing, taken as the median of the training rows, 3.5",
        "column 'town': 1 with a category unknown to the model ('Chur'), taken as no category",
    )
    assert preparation.gaps(TABLE.dropna()) == ()


def test_through_json_and_back():
    preparation = Preparation.fit(TABLE, KINDS)
    plain = json.loads(json.dumps(preparation.to_dict()))
    assert Preparation.from_fields(Fields(plain, "here")) == preparation


def test_a_column_without_variation_in_the_training_rows_is_harmless():
    preparation = Preparation.fit(pd.DataFrame({"x": [2.0, 2.0]}), {"x": Kind.NUMBER})
    np.testing.assert_array_equal(
        preparation.transform(pd.DataFrame({"x": [2.0, 3.0]})), [[0], [1]]
    )


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
