"""Tables as other countries and programs write them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from secant.learn import Settings, Strategy, predict_table, train_table
from secant.learn.errors import InputError
from secant.learn.tables.data import read_columns_as_text, read_table
from secant.learn.tables.dialect import Dialect
from secant.report.evaluation import evaluate_table

ROWS = 60
GERMAN = Dialect(";", decimal=",", thousands=".", encoding="cp1252")


def made() -> pd.DataFrame:
    random = np.random.default_rng(0)
    table = pd.DataFrame({"größe": random.normal(0, 3000, ROWS).round(2)})
    table["zahl"] = random.integers(0, 10**7, ROWS)
    table["ort"] = random.choice(["Köln", "Zürich", "007"], ROWS)
    table["garten"] = random.choice([True, False], ROWS)
    table["tag"] = "31.12.2024"
    table["preis"] = (2.0 * table["größe"] + 1e-3 * table.zahl).round(3)
    table.loc[3, "größe"] = np.nan
    table["garten"] = table.garten.astype(object).where(table.index != 5)
    return table


def written(cell: object, decimal: str, thousands: str) -> object:
    """As a spreadsheet shows a number."""
    if isinstance(cell, bool) or not isinstance(cell, int | float) or pd.isna(cell):
        return cell
    return f"{cell:,}".replace(",", "\0").replace(".", decimal).replace("\0", thousands)


def saved(path, dialect: Dialect, table: pd.DataFrame):
    thousands = dialect.thousands or ""
    texts = table.astype(object).map(written, decimal=dialect.decimal, thousands=thousands)
    texts.to_csv(path, index=False, sep=dialect.separator or ",", encoding=dialect.encoding)
    return path


@pytest.mark.parametrize(
    "dialect",
    [
        GERMAN,
        Dialect(";", decimal=",", thousands="\u202f", encoding="utf-8"),
        Dialect("tab", decimal=".", thousands="'", encoding="latin-1"),
        Dialect(thousands=",", encoding="utf-16"),
        Dialect("|", decimal=",", thousands=" ", encoding="utf-8"),
    ],
    ids=str,
)
def test_a_table_is_the_same_however_it_is_written(tmp_path, dialect):
    plain = tmp_path / "plain.csv"
    made().to_csv(plain, index=False)
    path = saved(tmp_path / "t.csv", dialect, made())
    expected = read_table(plain, text=["ort"])
    found = read_table(path, dialect=dialect, text=["ort"])
    pd.testing.assert_frame_equal(found, expected)
    texts = read_columns_as_text(path, ["ort"], dialect=dialect)
    assert set(texts["ort"]) == {"Köln", "Zürich", "007"}


def test_a_whole_training_on_a_german_table(tmp_path):
    made().to_csv(tmp_path / "plain.csv", index=False)
    saved(tmp_path / "t.csv", GERMAN, made())
    chosen = {"strategy": Strategy(max_iter=20), "hidden": (3,), "categorical": ("ort",)}
    written_so = {"separator": ";", "decimal": ",", "thousands": ".", "encoding": "cp1252"}
    plain = train_table(tmp_path / "plain.csv", Settings("preis", **chosen))
    german = train_table(tmp_path / "t.csv", Settings("preis", **chosen, **written_so))
    np.testing.assert_array_equal(german.predicted, plain.predicted)
    found, notes = predict_table(german.model, tmp_path / "t.csv", GERMAN)
    np.testing.assert_array_equal(found["predicted_preis"], plain.predicted)
    assert any("'größe': 1 missing" in note for note in notes)
    judged = evaluate_table(german.model, tmp_path / "t.csv", GERMAN)
    assert judged.scores == evaluate_table(plain.model, tmp_path / "plain.csv").scores


def test_cells_that_are_no_numbers_stay_as_they_are():
    cells = ["1.234,5", "-7", "+,5", "3,", "1.23,4", "12.34", ",", "1e3", "1,5e-3", "x"]
    found = GERMAN.numbers(pd.Series(cells)).tolist()
    expected = ["1234.5", "-7", "+.5", "3.", "1.23,4", "12.34", ",", "1e3", "1.5e-3", "x"]
    assert found == expected


def test_a_bad_cell_among_numbers_is_named(tmp_path):
    table = made().astype({"größe": object})
    table.loc[8, "größe"] = "viel"
    saved(tmp_path / "t.csv", GERMAN, table)
    settings = {"separator": ";", "decimal": ",", "thousands": ".", "encoding": "cp1252"}
    with pytest.raises(InputError, match="'größe' must hold numbers, and row 9 holds text: 'viel'"):
        train_table(tmp_path / "t.csv", Settings("preis", **settings))


@pytest.mark.parametrize(
    ("thousands", "cells"),
    [(" ", ["1 234,5", "1\u00a0234,5", "1\u202f234,5"]), ("'", ["1'234,5", "1\u2019234,5"])],
)
def test_blanks_and_apostrophes_of_any_kind_divide_thousands(thousands, cells):
    found = Dialect(";", ",", thousands).numbers(pd.Series(cells))
    assert set(found) == {"1234.5"}


def test_a_comma_may_be_both_where_numbers_are_quoted(tmp_path):
    """As spreadsheets on the web export: "1,5","2,5"."""
    made().to_csv(tmp_path / "plain.csv", index=False)
    saved(tmp_path / "t.csv", Dialect(decimal=","), made())
    chosen = {"strategy": Strategy(max_iter=5), "hidden": (3,), "categorical": ("ort",)}
    plain = train_table(tmp_path / "plain.csv", Settings("preis", **chosen))
    commas = train_table(tmp_path / "t.csv", Settings("preis", **chosen, decimal=","))
    np.testing.assert_array_equal(commas.predicted, plain.predicted)


def test_points_are_not_taken_for_decimal_commas_where_a_comma_is_both(tmp_path):
    (tmp_path / "t.csv").write_text('a,b\n"1,5",1.5\n"2,5",2.5\n')
    with pytest.raises(InputError, match=r"'b' holds '1\.5', which is no number with a decimal"):
        read_table(tmp_path / "t.csv", dialect=Dialect(decimal=","))


def test_commas_that_are_not_quoted_make_too_many_cells(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,5,2\n2,5,3\n")
    with pytest.raises(InputError, match="a line has more cells while the header names 2 columns"):
        read_table(tmp_path / "t.csv", dialect=Dialect(decimal=","))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path, encoding, mark):
    name = encoding.removesuffix("-sig")
    (tmp_path / "t.csv").write_bytes((mark + '"a;c";b\n1;2\n').encode(name))
    found = read_table(tmp_path / "t.csv", dialect=Dialect(";", encoding=encoding))
    assert list(found.columns) == ["a;c", "b"]


@pytest.mark.parametrize("dialect", [Dialect(";", ","), Dialect(";", ",", ".")], ids=str)
def test_points_are_not_taken_for_decimal_commas(tmp_path, dialect):
    (tmp_path / "t.csv").write_text("a;b\n1,5;8.7971\n2,5;1.2345\n")
    with pytest.raises(InputError, match=r"'b' holds '8\.7971', which is no number with a decimal"):
        read_table(tmp_path / "t.csv", dialect=dialect)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1,5", "22", "-0,25"], "with a decimal comma, such as '1,5': .* or give --decimal ','$"),
        (
            ["1,234", "22", "5,678,901"],
            "with commas between thousands, such as '1,234'.*--thousands ','$",
        ),
        (["1,234.5", "22.5"], "with commas between thousands, such as '1,234.5'"),
        (["1,234", "22", "345,678"], "with commas, .* give --thousands ',' or --decimal ','$"),
        (["1.234,5", "22"], r".*such as '1\.234,5'.* give --decimal ',' --thousands '\.'$"),
    ],
)
@pytest.mark.parametrize("target", ["a", "y"])
def test_commas_in_numbers_are_explained(tmp_path, cells, expected, target):
    repeated = [cells[k % len(cells)] for k in range(30)]
    table = pd.DataFrame({"a": repeated, "y": np.arange(30) / 7})
    table.to_csv(tmp_path / "t.csv", index=False)
    what = "target" if target == "a" else "column"
    with pytest.raises(InputError, match=f"^{what} 'a' holds numbers {expected}"):
        train_table(tmp_path / "t.csv", Settings(target))


def test_texts_with_commas_are_texts(tmp_path):
    towns = ["Bern, BE", "Genf, GE", "1,2 km", "3,4,5"]
    table = pd.DataFrame({"a": [towns[k % 4] for k in range(40)], "y": np.arange(40) / 7})
    table.to_csv(tmp_path / "t.csv", index=False)
    trained = train_table(tmp_path / "t.csv", Settings("y", strategy=Strategy(max_iter=2)))
    assert trained.model.preparation.width == 4


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"separator": ";;"}, "separator must be one character"),
        ({"separator": '"'}, "separator must be one character"),
        ({"decimal": ";"}, "decimal must be '.' or ',', not ';'"),
        (
            {"thousands": "x"},
            "thousands must be a comma, a point, a blank, an apostrophe or '_', no",
        ),
        ({"thousands": "."}, "thousands and decimal cannot both be '.'"),
        ({"separator": 5}, "separator must be text, not 5"),
        ({"encoding": "latin-99"}, "there is no encoding 'latin-99'"),
        ({"encoding": "base64"}, "there is no encoding 'base64'"),  # of bytes, not of text
        ({"encoding": "a\0"}, "there is no encoding"),
        ({"encoding": None}, "encoding must be text, not None"),
    ],
)
def test_what_cannot_be_is_refused(options, expected):
    for make in (Dialect, lambda **given: Settings("y", **given)):
        with pytest.raises(InputError, match=expected):
            make(**options)


def test_a_parquet_file_has_no_dialect(tmp_path):
    pytest.importorskip("pyarrow")
    made().to_parquet(tmp_path / "t.parquet")
    assert len(read_table(tmp_path / "t.parquet", dialect=Dialect())) == ROWS
    with pytest.raises(
        InputError, match=r"t\.parquet is a Parquet file: separator, decimal, thousands"
    ):
        read_table(tmp_path / "t.parquet", dialect=Dialect(decimal=","))


@pytest.mark.parametrize(
    ("content", "encoding", "expected"),
    [
        (
            "a;ü\n".encode("latin-1"),
            "utf-8",
            "is not UTF-8 text .*--encoding it has, such as latin",
        ),
        (b"a;b\n\x81;2\n", "cp1252", "is not 'cp1252' text"),
        ("a;b\n1;2\n".encode("utf-16"), "utf-8", "is UTF-16 text: .* or give --encoding utf-16"),
        (b"a;b\n1;2\n", "utf-16", "is not 'utf-16' text"),
        ("\ufeffa;b\n1;2\n".encode(), "latin-1", "begins with the mark of UTF-8 text: leave out"),
    ],
)
def test_another_encoding_than_the_file_has(tmp_path, content, encoding, expected):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=expected):
        read_table(tmp_path / "t.csv", dialect=Dialect(";", encoding=encoding))
