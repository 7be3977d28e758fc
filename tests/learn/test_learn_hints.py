"""What a training says about a table without being asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from secant.learn import Settings, Task
from secant.learn.errors import InputError
from secant.learn.prepared import read_settings_dataset
from secant.learn.tables.dataset import read_dataset

ROWS = 50
OUTWEIGH = "a few large values outweigh the others (--target-scaling log): "
COUNTS = "learnt like the others, though it only counts the rows (--ignore): "


def made() -> pd.DataFrame:
    random = np.random.default_rng(0)
    table = pd.DataFrame({"a": random.normal(size=ROWS), "b,c": random.normal(size=ROWS)})
    table["y"] = np.exp(random.permutation(np.linspace(-5.0, 5.0, ROWS)))
    table["z"] = table.a - table["b,c"]
    return table


def notes(tmp_path, change=None, **options) -> tuple[str, ...]:
    made().assign(**(change or {})).to_csv(tmp_path / "t.csv", index=False)
    return read_settings_dataset(tmp_path / "t.csv", Settings(**options)).notes


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"target": "y"}, "'y'"),
        ({"target": ("z", "y")}, "'y'"),
        ({"target": "z"}, ""),
        ({"target": "y", "target_scaling": "log"}, ""),
        ({"target": ("y", "z"), "column_scaling": ("y=log",)}, ""),
        ({"target": "y", "column_scaling": ("y=min-max",)}, ""),
    ],
    ids=str,
)
def test_a_skewed_target_is_said(tmp_path, options, names):
    assert notes(tmp_path, **options) == ((OUTWEIGH + names,) if names else ())


def test_targets_that_have_no_logarithm_or_are_classes_are_not_skewed(tmp_path):
    assert notes(tmp_path, {"y": made().y - 1.0}, target="y") == ()
    rare = {"y": [0] * 35 + [1] * 8 + [2] * 7}
    assert notes(tmp_path, rare, target="y", task=Task.CLASSIFICATION) == ()


def test_a_target_of_hardly_more_than_one_class_is_said(tmp_path):
    rare = {"y": [0] * 45 + [1] * 5, "z": ["u"] * 44 + ["v"] * 6}
    first = "'y' is '0' in 90.0% of the rows: whoever always says so has that accuracy"
    assert notes(tmp_path, rare, target="y", task=Task.CLASSIFICATION) == (first,)
    assert notes(tmp_path, rare, target=("z", "y"), task=Task.CLASSIFICATION) == (first,)
    assert notes(tmp_path, rare, target="z") == ()


def test_a_column_that_counts_the_rows_is_said(tmp_path):
    counter = {"id": np.arange(17, 17 + ROWS)}
    assert notes(tmp_path, counter, target="z") == (f"{COUNTS}'id'",)
    assert notes(tmp_path, counter, target="z", ignore=("id",)) == ()
    assert notes(tmp_path, {"id": 2 * np.arange(ROWS)}, target="z") == ()
    assert notes(tmp_path, counter, target="z", categorical=("id",)) == ()


def test_a_counter_that_is_all_there_is_needs_no_word(tmp_path):
    pd.DataFrame({"t": range(ROWS), "z": made().z}).to_csv(tmp_path / "t.csv", index=False)
    assert read_dataset(tmp_path / "t.csv", "z").notes == ()


def test_columns_may_be_named_together(tmp_path):
    table = made().assign(d=made().a.round(1))
    table.to_csv(tmp_path / "t.csv", index=False)
    read = read_dataset(tmp_path / "t.csv", "z", ignore=["a,y"], categorical=["d"])
    assert list(read.frame.columns) == ["b,c", "d"]
    # A column that is called so comes first.
    assert list(read_dataset(tmp_path / "t.csv", "z", ignore=["b,c"]).frame.columns) == [
        "a",
        "y",
        "d",
    ]
    for option in ("ignore", "categorical"):
        with pytest.raises(InputError, match=f"--{option}: t.csv has no column 'e'"):
            read_dataset(tmp_path / "t.csv", "z", **{option: ["a,e"]})
