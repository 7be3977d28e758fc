"""Tables as people have them: every kind of file, and every kind of damage in one sentence."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from secant.learn.config import config_text
from secant.learn.errors import InputError
from secant.learn.job import train_table
from secant.learn.prediction import predict_table
from secant.learn.settings import Settings
from secant.learn.strategy import Strategy
from secant.learn.tables.columns import Kind, are_dates, as_text
from secant.learn.tables.data import read_columns_as_text, read_table
from secant.learn.tables.dataset import Task, read_dataset

ROWS = 40
TABLE = pd.DataFrame(
    {
        "größe": np.linspace(1.0, 5.0, ROWS),
        "town": np.where(np.arange(ROWS) % 3 == 0, "Zürich", "Genève"),
        "code": [f"00{i % 4}" for i in range(ROWS)],
        "y": np.linspace(1.0, 5.0, ROWS) ** 2,
    }
)
FAST = Strategy(max_iter=5)


def settings(target: str = "y", **options) -> Settings:
    return Settings(target, hidden=(2,), strategy=FAST, **options)


def put(folder, content, name: str = "t.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


# --- kinds of files


@pytest.mark.parametrize(
    ("name", "separator", "start"),
    [("t.csv", ",", ""), ("t.tsv", "\t", ""), ("t.txt", ",", "\ufeff")],
    ids=["csv", "tsv", "byte-order mark"],
)
def test_text_files(tmp_path, name, separator, start):
    path = put(tmp_path, start + TABLE.to_csv(index=False, sep=separator), name)
    pd.testing.assert_frame_equal(
        read_table(path, text=["code"]), TABLE, check_dtype=False, rtol=1e-15
    )


@pytest.mark.parametrize("end", ["\r\n", "\r"], ids=["windows", "old mac"])
def test_line_ends(tmp_path, end):
    path = put(tmp_path, TABLE.to_csv(index=False, lineterminator=end))
    assert len(read_table(path)) == ROWS


def test_parquet_is_read_like_text(tmp_path):
    pytest.importorskip("pyarrow")
    TABLE.to_parquet(tmp_path / "t.parquet")
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    options = {"ignore": ["code"]}
    found, expected = (
        read_dataset(tmp_path / name, "y", **options) for name in ("t.parquet", "t.csv")
    )
    assert found.kinds == expected.kinds
    pd.testing.assert_frame_equal(found.frame, expected.frame, check_dtype=False, rtol=1e-15)
    models = [
        train_table(tmp_path / name, settings(ignore=("code",))).model
        for name in ("t.parquet", "t.csv")
    ]
    predictions = [predict_table(model, tmp_path / "t.parquet")[0] for model in models]
    pd.testing.assert_frame_equal(*predictions, rtol=1e-9)


def test_parquet_is_known_by_its_first_bytes_and_codes_are_text(tmp_path):
    pytest.importorskip("pyarrow")
    table = pd.DataFrame({"n": [7.0, None, 8.0], "k": [1, 2, 3], "b": [True, False, None]})
    table.to_parquet(tmp_path / "no-ending")
    found = read_columns_as_text(tmp_path / "no-ending", ["n", "k"])
    assert found["n"].dropna().tolist() == ["7", "8"]
    assert found["k"].tolist() == ["1", "2", "3"]
    assert as_text(read_table(tmp_path / "no-ending")["b"]).dropna().tolist() == ["True", "False"]


def test_parquet_that_cannot_be_used(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    damaged = put(tmp_path, b"PAR1 and nothing more", "damaged.parquet")
    with pytest.raises(InputError, match=r"damaged\.parquet cannot be read as Parquet"):
        read_table(damaged)
    pd.DataFrame({"x": [[1, 2], [3]], "y": [1, 2]}).to_parquet(tmp_path / "nested.parquet")
    with pytest.raises(InputError, match=r"column 'x' holds list<.*>, and a cell must be one"):
        read_table(tmp_path / "nested.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"pip install 'secant\[parquet\]'"):
        read_table(tmp_path / "nested.parquet")


@pytest.mark.parametrize(
    "make",
    [
        lambda text: io.StringIO(text),
        lambda text: io.BytesIO(text.encode("utf-8")),
        lambda text: SimpleNamespace(read=lambda: text.encode("utf-8")),
    ],
    ids=["text", "bytes", "anything with read"],
)
def test_open_files(make):
    data = read_dataset(make(TABLE.to_csv(index=False)), "y", categorical=["code"])
    assert data.kinds == {"größe": Kind.NUMBER, "town": Kind.CATEGORY, "code": Kind.CATEGORY}
    assert set(data.frame["code"]) == {"000", "001", "002", "003"}  # read twice, from one stream
    assert data.source == "the table"


def test_standard_input(monkeypatch):
    content = io.BytesIO(TABLE.to_csv(index=False).encode("utf-8"))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=content))
    trained = train_table("-", settings())
    assert trained.dataset.source == "standard input"
    assert len(trained.predicted) == ROWS


def test_what_is_no_table():
    with pytest.raises(InputError, match="a table must be a path, '-' or an open file, not int"):
        read_table(5)
    with pytest.raises(InputError, match="cannot be read: embedded null"):
        read_table("a\0b.csv")


# --- damage


DAMAGED = {
    "other separator, one column": (
        TABLE.to_csv(index=False, sep=";"),
        "has a single column when commas separate its cells: semicolons seem to",
    ),
    "other separator, several columns": (
        "a;b,c;y\n" + "1;2,5;3\n" * 12,
        "has 2 columns when commas separate its cells: semicolons seem to, so give --separator ';'",
    ),
    "two columns of one name": ("a,y,a\n" + "1,2,3\n" * 12, "more than one column named 'a'"),
    "decimal commas": (
        "a\ty\n" + "".join(f"{i},5\t{i}\n" for i in range(12)),
        "column 'a' holds numbers with a decimal comma, such as '0,5': write them with a point",
    ),
    "mixed types": (
        "a,y\n" + "".join(f"{i},{i}\n" for i in range(12)) + "many,3\n",
        "column 'a' must hold numbers, and row 13 holds text: 'many'",
    ),
    "infinity": (
        "a,y\n" + "".join(f"{i},{i}\n" for i in range(12)) + "-inf,3\n",
        "row 13 holds an infinite number",
    ),
    "one class": ("a,y\n" + "".join(f"{i},no\n" for i in range(12)), "is 'no' in every row"),
    "five rows": ("a,y\n" + "1,2\n" * 5, "has 5 rows: at least 10 are needed"),
    "nothing to learn from": (
        "a,b,y\n" + "".join(f"1,,{i}\n" for i in range(12)),
        "no input column besides the target 'y': left out, the same value in every row: 'a'; "
        "left out, empty in every row: 'b'",
    ),
}


@pytest.mark.parametrize(("content", "expected"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_one_sentence(tmp_path, content, expected):
    name = "t.tsv" if "\t" in content else "t.csv"
    with pytest.raises(InputError) as caught:
        read_dataset(put(tmp_path, content, name), "y")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_separators_inside_names_and_cells_are_no_damage(tmp_path):
    table = TABLE.rename(columns={"größe": "größe; in m, gerundet"})
    assert list(read_table(put(tmp_path, table.to_csv(index=False)))) == list(table)


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-01-31", "2023-12-01"],
        ["31.12.2024", "1.1.24"],
        ["12/31/2024", "1/2/2023"],
        ["2024-01-31T12:30:00Z", "2024-01-31 12:30"],
        ["12:30", "7:05"],
    ],
)
def test_dates_are_seen(cells):
    assert are_dates(pd.Series(cells))
    assert not are_dates(pd.Series([*cells, "Zürich"]))


def test_dates_and_texts_are_left_out_with_a_sentence(tmp_path):
    table = TABLE.assign(
        day=pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d"),
        remark=[f"remark {i}" for i in range(ROWS)],
    )
    data = read_dataset(put(tmp_path, table.to_csv(index=False)), "y")
    assert "day" not in data.kinds
    assert "remark" not in data.kinds
    assert data.notes[0].startswith("left out, dates or times (give them as numbers, such as")
    assert data.notes[1].startswith("left out, too many different texts for categories")


def test_typed_dates_of_parquet_are_left_out(tmp_path):
    pytest.importorskip("pyarrow")
    TABLE.assign(day=pd.date_range("2024-01-01", periods=ROWS)).to_parquet(tmp_path / "t.parquet")
    data = read_dataset(tmp_path / "t.parquet", "y", ignore=["code"])
    assert list(data.kinds) == ["größe", "town"]
    assert data.notes == (
        "left out, dates or times (give them as numbers, such as days since a start): 'day'",
    )


# --- rows that miss cells


def with_gaps() -> pd.DataFrame:
    table = TABLE.copy()
    table.loc[[3, 4], "größe"] = np.nan
    table.loc[[4, 9], "town"] = None
    table.loc[[20], "y"] = np.nan
    return table


def test_rows_that_miss_a_cell_can_be_dropped(tmp_path):
    path = put(tmp_path, with_gaps().to_csv(index=False))
    with pytest.raises(InputError, match="target 'y' is missing in 1 of 40 rows"):
        read_dataset(path, "y")
    data = read_dataset(path, "y", drop_missing=True)
    assert len(data.frame) == len(data.target) == ROWS - 4
    assert data.notes == ("left out, a cell is missing: 4 of 40 rows",)
    assert list(data.frame.index) == list(range(ROWS - 4))
    model = train_table(path, settings(missing="drop")).model
    complete = put(tmp_path, TABLE.to_csv(index=False), "new.csv")
    assert len(predict_table(model, complete)[0]) == ROWS
    with pytest.raises(InputError, match="column 'größe': row 4 is empty"):
        predict_table(model, path)


@pytest.mark.parametrize("missing", ["median", "mean", "most-frequent", "indicator"])
def test_missing_cells_are_no_obstacle(tmp_path, missing):
    table = with_gaps().dropna(subset="y")
    path = put(tmp_path, table.to_csv(index=False))
    trained = train_table(path, settings(missing=missing))
    predictions, notes = predict_table(trained.model, path)
    assert np.isfinite(predictions.to_numpy(dtype=float)).all()
    assert any(note.startswith("column 'größe': 2 missing, taken as") for note in notes)


@pytest.mark.parametrize("cell", ["", "NA", "nan", "NULL", "  ", "#N/A"])
def test_what_counts_as_missing(tmp_path, cell):
    lines = "".join(f"{i},{i % 5}\n" for i in range(12)) + f"{cell},3\n"
    assert read_table(put(tmp_path, "a,b\n" + lines))["a"].isna().sum() == 1


def test_an_unknown_category_is_taken_or_refused_as_the_model_says(tmp_path):
    path = put(tmp_path, TABLE.to_csv(index=False))
    new = put(tmp_path, TABLE.assign(town="Chur").to_csv(index=False), "new.csv")
    lenient, strict = (
        train_table(path, settings(unknown=policy)).model for policy in ("ignore", "error")
    )
    _, notes = predict_table(lenient, new)
    assert notes == (
        "column 'town': 40 with a category unknown to the model ('Chur'), taken as no category",
    )
    with pytest.raises(InputError, match="column 'town': row 1 holds 'Chur', which is none of"):
        predict_table(strict, new)


# --- division and scaling of a whole training


def test_a_column_divides_the_rows_and_is_no_input(tmp_path):
    part = np.resize(["train", "train", "validation", "test"], ROWS)
    path = put(tmp_path, TABLE.assign(part=part).to_csv(index=False))
    trained = train_table(path, settings(division="column", division_column="part"))
    assert "part" not in trained.dataset.kinds
    np.testing.assert_array_equal(trained.parts.test, np.flatnonzero(part == "test"))


def test_time_divides_the_rows(tmp_path):
    day = pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d")[::-1]
    path = put(tmp_path, TABLE.assign(day=day).to_csv(index=False))
    trained = train_table(path, settings(division="time", division_column="day", test_fraction=0.1))
    np.testing.assert_array_equal(trained.parts.test, range(4))  # the latest rows come first here


def test_a_class_that_only_the_test_rows_have_is_named(tmp_path):
    table = TABLE.assign(y=["a"] * 17 + ["b"] * 17 + ["c"] * 6)
    path = put(tmp_path, table.to_csv(index=False))
    with pytest.raises(InputError, match="no training row has the class 'c'"):
        train_table(path, settings(division="blocks"))


@pytest.mark.parametrize("scaler", ["min-max", "log", "none"])
def test_predictions_are_in_the_units_of_the_target(tmp_path, scaler):
    path = put(tmp_path, TABLE.to_csv(index=False))
    chosen = Settings("y", strategy=Strategy(max_iter=200), target_scaling=scaler, scaling=scaler)
    assert train_table(path, chosen).scores["test"].values["R2"] > 0.9


def test_a_target_below_zero_has_no_logarithm(tmp_path):
    path = put(tmp_path, TABLE.assign(y=TABLE["y"] - 9).to_csv(index=False))
    with pytest.raises(InputError, match="target 'y' cannot have the scaler 'log': it holds -"):
        train_table(path, settings(target_scaling="log"))


BAD_SETTINGS = {
    "division": ({"division": "chance"}, "division must be one of"),
    "no column": ({"division": "column"}, "needs division_column"),
    "needless column": ({"division_column": "town"}, "division_column is for the divisions 'time'"),
    "shares": ({"test_fraction": 0.95}, "0.9 together"),
    "shares of a column": (
        {"division": "column", "division_column": "town", "test_fraction": 0.3},
        "test_fraction is for a division without column",
    ),
    "missing": ({"missing": "guess"}, "missing must be one of"),
    "unknown": ({"unknown": "guess"}, "unknown must be one of"),
    "scaling": ({"scaling": "guess"}, "scaling must be one of"),
    "target scaling": ({"target_scaling": "guess"}, "target_scaling must be one of"),
    "column scaling": ({"column_scaling": ("a",)}, "column_scaling must be like"),
    "exponent": ({"exponent": 1.2}, "exponent is for loss 'minkowski'"),
    "delta": ({"delta": 2.0}, "delta is for loss 'huber'"),
    "smoothing": ({"smoothing": 0.1}, "smoothing is for smooth_l1 above 0"),
    "starts": ({"starts": 0}, "starts must be at least 1, not 0"),
    "initialisation": ({"initialisation": "zero"}, "initialisation must be one of"),
    "l1": ({"l1": -1.0}, "l1 must be a number from 0"),
    "no number": ({"l2": "0.1"}, "l2 must be a number, not '0.1'"),
    "no whole number": ({"starts": 1.5}, "starts must be a whole number, not 1.5"),
    "a truth value": ({"seed": True}, "seed must be a whole number, not True"),
    "a name for a list": ({"ignore": "a"}, "ignore must be a list, each text, not 'a'"),
    "a number for a list": ({"hidden": 5}, "hidden must be a list, each a whole number, not 5"),
    "a table for a list": (
        {"column_scaling": {"a": "log"}},
        "column_scaling must be a list, each text, not {'a': 'log'}",
    ),
    "a flat list": (
        {"hidden": np.array(5)},
        "hidden must be a list, each a whole number, not array(5)",
    ),
    "a number beyond float64": ({"l2": 10**400}, "l2 must be a number, not 1000"),
    "task": (
        {"task": "forecast"},
        "task must be one of 'regression', 'classification', not 'forecast'",
    ),
}


@pytest.mark.parametrize(("options", "expected"), BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_bad_settings(options, expected):
    with pytest.raises(InputError) as caught:
        Settings("y", **options)
    assert expected in str(caught.value)


def test_settings_of_other_libraries_are_those_of_python(tmp_path):
    names = TABLE.columns
    own = Settings(
        names[[-1]],
        hidden=np.array([3, 2]),
        seed=np.int64(3),
        l2=torch.tensor(0.5),
        task="regression",
        ignore=names[:1],
        test_fraction=np.float32(0.25),
        strategy=Strategy("bfgs", max_iter=np.uint8(3), max_seconds=9, single_first=np.True_),
    )
    assert own == Settings(
        str(names[-1]),
        hidden=(3, 2),
        seed=3,
        l2=0.5,
        task=Task.REGRESSION,
        ignore=(names[0],),
        test_fraction=0.25,
        strategy=Strategy("bfgs", max_iter=3, max_seconds=9.0, single_first=True),
    )
    assert type(own.seed) is int
    assert type(own.hidden) is tuple
    trained = train_table(put(tmp_path, TABLE.to_csv(index=False)), own)
    assert trained.training.history.epochs[-1].iteration <= 3
    assert "hidden = [3, 2]\nactivation" in config_text(own)


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "minkowski", "exponent": 1.2},
        {"loss": "huber", "delta": 0.5},
        {"loss": "normalised-squared", "target_scaling": "min-max"},
        {"smooth_l1": 1e-3, "smoothing": 1e-2},
        {"initialisation": "nguyen-widrow"},
    ],
    ids=str,
)
def test_options_reach_the_training(tmp_path, options):
    path = put(tmp_path, TABLE.to_csv(index=False))
    plain, other = (train_table(path, settings(**chosen)) for chosen in ({}, options))
    assert not np.array_equal(plain.predicted, other.predicted)


def test_the_best_of_several_starts_is_kept(tmp_path):
    trained = train_table(put(tmp_path, TABLE.to_csv(index=False)), settings(starts=3))
    losses = [training.best.validation_loss for training in trained.restarts.trainings]
    assert len(set(losses)) == 3
    assert trained.training.best.validation_loss == min(losses)
    assert trained.scores["validation"].loss == pytest.approx(min(losses), rel=1e-12)


# --- sizes


def test_many_rows_and_many_columns(tmp_path):
    random = np.random.default_rng(0)
    long = pd.DataFrame(random.normal(size=(20_000, 3)), columns=list("abc"))
    wide = pd.DataFrame(random.normal(size=(12, 600)), columns=[f"x{i}" for i in range(600)])
    for table in (long, wide):
        path = put(tmp_path, table.assign(y=table.iloc[:, 0]).to_csv(index=False))
        data = read_dataset(path, "y")
        assert data.frame.shape == table.shape
        assert data.task is Task.REGRESSION


def test_the_fewest_rows_train(tmp_path):
    path = put(tmp_path, TABLE.iloc[:10].to_csv(index=False))
    trained = train_table(path, settings())
    assert [len(rows) for _, rows in trained.parts.items()] == [6, 2, 2]
    assert np.isfinite(trained.predicted).all()
