"""What the columns of a table are taken for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secant.learn.errors import InputError
from secant.learn.tables.columns import Kind, as_numbers, kind_of
from secant.learn.tables.data import read_table
from secant.learn.tables.dataset import Task, read_dataset


def dataset(tmp_path, table: pd.DataFrame, target: str = "y", **options):
    path = tmp_path / "t.csv"
    table.to_csv(path, index=False)
    return read_dataset(path, target, **options)


def column(values, name: str = "x") -> pd.Series:
    return pd.Series(values, name=name)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([1, 2, 3], Kind.NUMBER),
        ([1.5, None, 3], Kind.NUMBER),
        (["a", "b", None], Kind.CATEGORY),
        ([True, False], Kind.CATEGORY),
        (pd.Series([True, None, False], dtype=object), Kind.CATEGORY),
        (["1", "2", "x"], Kind.NUMBER),  # damaged, not categories
        (["1", "y", "x"], Kind.CATEGORY),
        ([None, None], Kind.NUMBER),
    ],
)
def test_kinds(cells, kind):
    assert kind_of(column(cells)) is kind


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=30))
def test_numbers_are_read_to_the_last_bit(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("table") / "t.csv"
    path.write_text("x,y\n" + "".join(f"{number!r},1\n" for number in numbers))
    np.testing.assert_array_equal(as_numbers(read_table(path)["x"]).to_numpy(), numbers)


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", categories=("L", "P", "S")), min_size=1, max_size=8),
        min_size=1,
        max_size=20,
    )
)
def test_any_text_is_read_as_a_column_of_text(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("table") / "t.csv"
    pd.DataFrame({"größe": texts, "y": 1}).to_csv(path, index=False)
    cells = read_table(path, text=["größe"])["größe"].dropna()
    assert set(cells) <= set(texts)


def test_categories_keep_the_text_of_the_file(tmp_path):
    (tmp_path / "t.csv").write_text(
        "code,flag,y\n"
        + "".join(f"00{i % 3},{'TRUE' if i % 2 else 'False'},{i}\n" for i in range(20))
    )
    data = read_dataset(tmp_path / "t.csv", "y", categorical=["code"])
    assert set(data.frame["code"]) == {"000", "001", "002"}
    assert set(data.frame["flag"]) == {"TRUE", "False"}


def test_what_cannot_help_is_left_out_with_a_note(tmp_path):
    rows = np.arange(40)
    table = pd.DataFrame(
        {
            "x": 2.0 * rows,
            "same": 7,
            "empty": None,
            "name": [f"person {i}" for i in rows],
            "town": np.where(rows % 3 == 0, "Bern", "Basel"),
            "y": rows * 1.5 + 0.25,
        }
    )
    data = dataset(tmp_path, table)
    assert data.kinds == {"x": Kind.NUMBER, "town": Kind.CATEGORY}
    assert data.notes == (
        "left out, the same value in every row: 'same'",
        "left out, empty in every row: 'empty'",
        "left out, too many different texts for categories (--categorical keeps a column): 'name'",
    )
    kept = dataset(tmp_path, table, categorical=["name"], ignore=["x", "town"])
    assert kept.kinds == {"name": Kind.CATEGORY}


def test_a_nameless_column_is_no_input(tmp_path):
    pd.DataFrame({"x": range(20), "y": np.arange(20) * 1.5}).to_csv(tmp_path / "t.csv")
    assert list(read_dataset(tmp_path / "t.csv", "y").kinds) == ["x"]


@pytest.mark.parametrize(
    ("target", "task"),
    [
        (np.arange(30) * 0.5, Task.REGRESSION),
        (np.arange(30) % 2, Task.CLASSIFICATION),
        (np.arange(30) % 2 * 0.5, Task.CLASSIFICATION),
        (np.arange(30) % 3, Task.CLASSIFICATION),
        (np.arange(30) % 3 + 1, Task.CLASSIFICATION),
        (np.arange(30) % 3 * 10, Task.REGRESSION),
        (np.arange(30) % 10, Task.REGRESSION),  # three rows of each are too few for classes
        (np.array(["yes", "no"] * 15), Task.CLASSIFICATION),
        (np.array([True, False] * 15), Task.CLASSIFICATION),
    ],
)
def test_the_task_is_seen_from_the_target(tmp_path, target, task):
    data = dataset(tmp_path, pd.DataFrame({"x": range(30), "y": target}))
    assert data.task is task


def test_a_row_is_counted_from_one_below_the_header(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,2\nbad,3\n" + "4,5\n" * 10)
    with pytest.raises(InputError, match="row 2 holds text: 'bad'"):
        read_dataset(tmp_path / "t.csv", "y")
