"""Every bad input ends in one sentence, exit code 2, and nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from secant.learn import prepared

ROWS = "".join(f"{i},{i % 7},{2 * i}\n" for i in range(30))
GOOD = "a,b,y\n" + ROWS


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def cell(row: int, column: int, text: str) -> str:
    """The good table with one cell (row from 1) replaced."""
    lines = GOOD.splitlines()
    cells = lines[row].split(",")
    cells[column] = text
    lines[row] = ",".join(cells)
    return "\n".join(lines) + "\n"


FILES = {
    "empty": ("", "data.csv is empty"),
    "blank": ("\n\n  \n", "data.csv is empty"),
    "header only": ("a,b,y\n", "has a header and no rows"),
    "one column": ("y\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", "no input column besides the target 'y'"),
    "semicolons": (GOOD.replace(",", ";"), "semicolons seem to, so give --separator ';'"),
    "tabs": (GOOD.replace(",", "\t"), "tabs seem to, so give --separator tab"),
    "repeated names": (GOOD.replace("a,b,y", "a,a,y"), "more than one column named 'a'"),
    "no header": (ROWS, "the first line of data.csv holds numbers only"),
    "few rows": ("a,b,y\n1,2,3\n2,3,4\n", "data.csv has 2 rows: at least 10 are needed"),
    "long line": (GOOD + "1,2,3,4\n", "line 32 has 4 cells while the header names 3 columns"),
    "open quote": (GOOD + '"1,2,3\n', "cannot be read as a table"),
    "binary": (b"\x00\x01\x02\x03", "data.csv is a binary file"),
    "damaged archive": (b"PK\x03\x04 something", "data.csv is damaged, zip cannot read it"),
    "latin-1": (GOOD.replace("a,", "ä,").encode("latin-1"), "is not UTF-8 text (byte 0xe4"),
    "utf-16": (GOOD.encode("utf-16"), "is UTF-16 text"),
    "text in a number column": (
        cell(17, 0, "unknown"),
        "column 'a' must hold numbers, and row 17 holds text: 'unknown'",
    ),
    "infinite input": (
        cell(4, 1, "inf"),
        "column 'b' must hold numbers, and row 4 holds an infini",
    ),
    "missing target": (cell(5, 2, ""), "target 'y' is missing in 1 of 30 rows, first in row 5"),
    "text in the target": (
        cell(6, 2, "n.a."),
        "target 'y' must hold numbers, and row 6 holds text: 'n.a.'",
    ),
    "infinite target": (cell(6, 2, "-inf"), "row 6 holds an infinite number: '-inf'"),
    "huge input": (cell(6, 0, "1e308"), "column 'a' holds numbers too large to be scaled"),
    "constant target": (
        "a,y\n" + "".join(f"{i},3\n" for i in range(20)),
        "target 'y' is '3' in every row: there is nothing to learn",
    ),
    "one class": (
        "a,y\n" + "".join(f"{i},yes\n" for i in range(20)),
        "target 'y' is 'yes' in every row: there is nothing to learn",
    ),
    "empty target": (
        "a,y\n" + "".join(f"{i},\n" for i in range(20)),
        "target 'y' is empty in every row",
    ),
    "rare class": (
        "a,y\n" + "".join(f"{i},{'no' if i else 'yes'}\n" for i in range(20)),
        "each class of target 'y' needs at least 5 rows, and 'yes' has fewer",
    ),
    "names as target": (
        "a,y\n" + "".join(f"{i},name{i}\n" for i in range(20)),
        "target 'y' has 20 different values in 20 rows: too many for classes",
    ),
    "constant inputs": (
        "a,b,y\n" + "".join(f"1,x,{i}\n" for i in range(20)),
        "no input column besides the target 'y': left out, the same value in every row: 'a', 'b'",
    ),
}


@pytest.mark.parametrize(("content", "expected"), FILES.values(), ids=FILES)
def test_bad_files(secant, tmp_path, content, expected):
    write(tmp_path / "data.csv", content)
    done = secant("train", "data.csv", "--target", "y", "--out", "model")
    assert expected in done.sentence
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


OPTIONS = {
    "no target": ((), "--target is missing: name the column to learn; data.csv has 'a', 'b', 'y'"),
    "unknown target": (("--target", "Yy"), "data.csv has no column 'Yy'; did you mean 'y'?"),
    "far target": (("--target", "price"), "no column 'price'; there is 'a', 'b', 'y'"),
    "no such second target": (("--target", "y,price"), "no column 'price'; there is 'a', 'b', "),
    "target twice": (("--target", "y", "--target", "y"), "--target names the column 'y' 2 times"),
    "method": (("--target", "y", "--method", "lbfsg"), "method must be one of l-bfgs, "),
    "activation": (("--target", "y", "--activation", "thin"), "activation must be one of 'tanh', "),
    "loss": (
        ("--target", "y", "--loss", "l3"),
        "loss must be one of 'auto', 'mean-squared', 'norm",
    ),
    "loss of the other task": (
        ("--target", "y", "--task", "regression", "--loss", "cross-entropy"),
        "loss 'cross-entropy' is for classification, and target 'y' is learnt by regression",
    ),
    "classes of numbers": (
        ("--target", "y", "--task", "classification"),
        "target 'y' has 30 different values in 30 rows: too many for classes",
    ),
    "task": (("--target", "y", "--task", "guess"), "--task must be one of auto, regression, clas"),
    "hidden": (("--target", "y", "--hidden", "16,x"), "--hidden must be whole numbers from 1"),
    "hidden zero": (("--target", "y", "--hidden", "0"), "--hidden must be whole numbers from 1"),
    "too many weights": (
        ("--target", "y", "--hidden", "1000000,1000000"),
        "a network of 1,000,005,000,001 weights is larger than the 100,000,000",
    ),
    "too much memory": (
        ("--target", "y", "--hidden", "2000,2000", "--method", "bfgs"),
        "method 'bfgs' needs more memory than there is for 4,010,001 weights",
    ),
    "l2": (("--target", "y", "--l2", "much"), "Invalid value for '--l2'"),
    "l2 below zero": (("--target", "y", "--l2", "-1"), "l2 must be a number from 0, not -1"),
    "l2 nan": (("--target", "y", "--l2", "nan"), "l2 must be a number from 0, not nan"),
    "seed": (("--target", "y", "--seed", "-1"), "seed must be at least 0, not -1"),
    "max-seconds": (("--target", "y", "--max-seconds", "0"), "max_seconds must be a positive numb"),
    "max-iter": (("--target", "y", "--max-iter", "0"), "max_iter must be at least 1, not 0"),
    "patience": (("--target", "y", "--patience", "0"), "patience must be at least 1, not 0"),
    "gtol": (("--target", "y", "--gtol", "-1"), "gtol must be a positive number, not -1"),
    "ignore": (("--target", "y", "--ignore", "c"), "--ignore: data.csv has no column 'c'"),
    "ignored target": (("--target", "y", "--ignore", "y"), "'y' cannot be the target and be ignor"),
    "categorical": (
        ("--target", "y", "--categorical", "c"),
        "--categorical: data.csv has no colum",
    ),
    "separator": (
        ("--target", "y", "--separator", ",,"),
        "separator must be one character such as",
    ),
    "no fraction": (("--target", "y", "--test-fraction", "x"), "Invalid value for '--test-fr"),
    "batch size of another method": (
        ("--target", "y", "--batch-size", "9"),
        "batch_size is for the methods 'adam', 'adamw', 'sgd', not 'l-bfgs'",
    ),
    "unknown option": (("--target", "y", "--colour", "red"), "No such option"),
}


@pytest.mark.parametrize(("options", "expected"), OPTIONS.values(), ids=OPTIONS)
def test_bad_options(secant, tmp_path, options, expected):
    write(tmp_path / "data.csv", GOOD)
    done = secant("train", "data.csv", "--out", "model", *options)
    assert expected in done.sentence
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


def test_no_such_file(secant, tmp_path):
    assert secant("train", "nothing.csv", "--target", "y").sentence == (
        "there is no file 'nothing.csv'"
    )
    (tmp_path / "folder").mkdir()
    assert "is a folder" in secant("train", "folder", "--target", "y").sentence


def test_an_existing_out_is_refused_before_anything_is_read(secant, tmp_path):
    (tmp_path / "model").mkdir()
    done = secant("train", "not-even-there.csv", "--target", "y", "--out", "model")
    assert done.sentence == "'model' exists already: choose another --out, or give --force"


def test_an_out_below_a_file_is_refused(secant, tmp_path):
    write(tmp_path / "data.csv", GOOD)
    done = secant("train", "data.csv", "--target", "y", "--out", "data.csv/model")
    assert "is no folder" in done.sentence


def test_no_arguments_and_unknown_commands(secant):
    assert secant("train").sentence == (
        "the table is missing: give a file such as data.csv, or - for standard input"
    )
    assert "Missing argument" in secant("predict").sentence
    assert "No such command" in secant("learn").sentence


@pytest.mark.parametrize(
    "full",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
    ],
)
def test_full_memory_is_a_sentence(secant, tmp_path, monkeypatch, full):
    """Wherever it happens; reading and training have sentences of their own."""

    def prepare(*arguments):
        raise full

    monkeypatch.setattr(prepared, "prepare_dataset", prepare)
    write(tmp_path / "data.csv", GOOD)
    said = secant("train", "data.csv", "--target", "y").sentence
    assert said.startswith("secant train needs more memory than there is: try a smaller table")
