"""Exports: run where they are meant to run, they predict what the model predicts."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
from itertools import product

import numpy as np
import pandas as pd
import pytest

from secant.learn.columns import Kind
from secant.learn.errors import InputError
from secant.learn.export import FORMATS, c_source, export_model, onnx_bytes, python_source
from secant.learn.model import Model
from secant.learn.network import ACTIVATIONS, Perceptron
from secant.learn.preparation import Choices, Preparation
from secant.learn.target import ClassTarget, NumericTarget

COMPILER = shutil.which("cc") or shutil.which("gcc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler on this machine")

# Names that would end a literal, a comment or a line if they were not escaped.
SIZE, TOWN, KIND, AGE = 'größe "m²"', "class", "int */ 'x';\\", "a,b\n%d??/"
KINDS = {SIZE: Kind.NUMBER, TOWN: Kind.CATEGORY, AGE: Kind.NUMBER, KIND: Kind.CATEGORY}
COLUMNS = list(KINDS)


def table(rows: int = 60, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    made = pd.DataFrame(
        {
            SIZE: random.uniform(0, 200, rows),
            TOWN: random.choice(["Zürich", 'a "b"', "x,y", "7"], rows),
            AGE: random.integers(0, 80, rows).astype(float),
            KIND: random.choice(["*/", "no", "\\n"], rows),
        }
    )
    made.loc[random.choice(rows, 8, replace=False), AGE] = np.nan
    made.loc[random.choice(rows, 8, replace=False), TOWN] = None
    return made


NUMBER = NumericTarget('y "ü"', 3.0, 2.5)
TARGETS = {
    "number": NUMBER,
    "log": NumericTarget("y", 0.5, 0.25, "log"),
    "two": ClassTarget("y", ("no", 'ja, "ü"')),
    "three": ClassTarget("y", ("a", "b\n", "c,")),
}


def model(target=NUMBER, activation: str = "tanh", hidden=(5, 4), seed: int = 3, **choices):
    preparation = Preparation.fit(table(), KINDS, Choices(**choices))
    sizes = (preparation.width, *hidden, target.outputs)
    return Model(preparation, Perceptron(sizes, activation, seed), target)


MODELS = {
    **{f"target {name}": model(target) for name, target in TARGETS.items()},
    **{f"activation {name}": model(activation=name) for name in ACTIVATIONS},
    **{
        f"{missing} {scaler}": model(missing=missing, scaler=scaler)
        for missing, scaler in product(
            ("median", "mean", "most-frequent", "indicator"), ("mean-std", "log")
        )
    },
    "linear": model(hidden=()),
    "own scaler": model(scaler="min-max", scalers={AGE: "log"}, missing="indicator"),
}
each_model = pytest.mark.parametrize("exported", MODELS.values(), ids=MODELS)


def new_rows(exported: Model) -> pd.DataFrame:
    """Rows with missing cells and with a category that the model has not seen."""
    rows = table(25, seed=1)
    rows.loc[3, KIND] = "never seen"
    return rows


def numbers_of(predictions: pd.DataFrame) -> np.ndarray:
    return predictions.select_dtypes("number").to_numpy(dtype=float)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame, rtol: float) -> None:
    assert list(found.columns) == list(expected.columns)
    a, b = numbers_of(found), numbers_of(expected)
    assert a.shape == b.shape
    # Relative to the column: a prediction near zero is a difference of larger numbers.
    assert (np.abs(a - b) <= rtol * np.abs(b).max(axis=0)).all()
    texts = expected.select_dtypes(exclude="number").columns
    for name in texts:
        assert list(found[name].astype(str)) == list(expected[name])


# --- ONNX


def run_onnx(content: bytes, rows: pd.DataFrame) -> dict[str, np.ndarray]:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    feeds = {}
    for entry in session.get_inputs():
        cells = rows[entry.name]
        if entry.type == "tensor(string)":
            cells = cells.astype(object).where(cells.notna(), "")
        feeds[entry.name] = cells.to_numpy().reshape(-1, 1)
    names = [entry.name for entry in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


@each_model
def test_onnx_predicts_the_same(exported):
    pytest.importorskip("onnx")
    rows = new_rows(exported)
    outputs = run_onnx(onnx_bytes(exported), rows)
    expected = exported.predict(rows)
    name = f"predicted_{exported.target.name}"
    if isinstance(exported.target, NumericTarget):
        assert outputs[name].shape == (len(rows), 1)
        np.testing.assert_allclose(outputs[name][:, 0], expected[name], rtol=1e-6, atol=1e-9)
    else:
        assert list(outputs[name]) == list(expected[name])
        probabilities = numbers_of(expected)
        np.testing.assert_allclose(outputs["probabilities"], probabilities, rtol=1e-6, atol=1e-12)


def test_onnx_names_its_classes_and_avoids_the_names_of_columns():
    onnx = pytest.importorskip("onnx")
    columns = ["probabilities", "predicted_y", "constant_0", "matmul_3"]
    kinds = dict.fromkeys(columns, Kind.NUMBER)
    rows = pd.DataFrame(np.arange(12.0).reshape(3, 4), columns=columns)
    preparation = Preparation.fit(rows, kinds)
    exported = Model(preparation, Perceptron((4, 3), seed=1), TARGETS["three"])
    content = onnx_bytes(exported)
    outputs = run_onnx(content, rows)
    np.testing.assert_allclose(
        outputs["probabilities_1"], numbers_of(exported.predict(rows)), rtol=1e-6
    )
    described = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
    assert json.loads(described["classes"]) == list(exported.target.classes)


def test_onnx_refuses_an_unknown_category_only_where_the_model_does():
    pytest.importorskip("onnx")
    strict = model(unknown="error")
    rows = table(20, seed=1)
    run_onnx(onnx_bytes(strict), rows)
    rows.loc[0, KIND] = "never seen"
    with pytest.raises(Exception, match=r"out of (data )?bounds"):
        run_onnx(onnx_bytes(strict), rows)


def test_onnx_gives_nan_for_a_number_that_must_not_be_missing():
    pytest.importorskip("onnx")
    rows = table().dropna()
    preparation = Preparation.fit(rows, KINDS, Choices("drop"))
    exported = Model(preparation, Perceptron((preparation.width, 1), seed=0), NUMBER)
    damaged = rows.copy()
    damaged.iloc[0, 2] = np.nan
    found = run_onnx(onnx_bytes(exported), damaged)[f"predicted_{NUMBER.name}"][:, 0]
    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:], exported.predict(rows).iloc[1:, 0], rtol=1e-6)


def test_a_missing_package_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"pip install 'secant\[onnx\]'"):
        export_model(model(), tmp_path / "m.onnx", "onnx")
    assert list(tmp_path.iterdir()) == []


# --- Python


def module(exported: Model, folder) -> dict[str, object]:
    path = folder / "exported.py"
    export_model(exported, path, "python")
    return runpy.run_path(str(path))


@each_model
def test_python_predicts_the_same(exported, tmp_path):
    rows = new_rows(exported)
    predict = module(exported, tmp_path)["predict"]
    found = pd.DataFrame([predict(row) for row in rows.to_dict("records")])
    assert_same(found, exported.predict(rows), 1e-12)


def run_file(command, rows: pd.DataFrame, folder) -> pd.DataFrame:
    rows.to_csv(folder / "new.csv", index=False)
    with (folder / "new.csv").open("rb") as new, (folder / "out.csv").open("wb") as out:
        subprocess.run(command, stdin=new, stdout=out, check=True, timeout=60)
    return pd.read_csv(folder / "out.csv", keep_default_na=False)


@pytest.mark.parametrize("name", TARGETS)
def test_the_python_file_predicts_a_table(name, tmp_path):
    """The file alone, in a process of its own, on a CSV file."""
    exported = MODELS[f"target {name}"]
    export_model(exported, tmp_path / "exported.py", "python")
    rows = new_rows(exported).assign(more="ignored")
    # -I: nothing but the standard library can be imported.
    command = [sys.executable, "-I", "-S", str(tmp_path / "exported.py")]
    assert_same(run_file(command, rows, tmp_path), exported.predict(rows), 1e-12)


def test_the_python_file_refuses_what_the_model_refuses(tmp_path):
    predict = module(model(unknown="error", scaler="log"), tmp_path)["predict"]
    row = dict(table().dropna().iloc[0])
    for change, expected in (
        ({KIND: "never seen"}, "which is none of"),
        ({SIZE: "wide"}, "must hold numbers, not 'wide'"),
        ({SIZE: "1_0"}, "must hold numbers"),
        ({SIZE: float("inf")}, "not an infinite one"),
        ({SIZE: -1.0}, "which has no log"),
    ):
        with pytest.raises(ValueError, match=expected):
            predict(row | change)
    del row[AGE]
    with pytest.raises(ValueError, match="the row lacks the column"):
        predict(row)


@pytest.mark.parametrize("column", [AGE, TOWN])
def test_the_python_file_refuses_missing_cells_where_the_model_does(column, tmp_path):
    rows = table().dropna()
    preparation = Preparation.fit(rows, KINDS, Choices("drop"))
    exported = Model(preparation, Perceptron((preparation.width, 1), seed=0), NUMBER)
    predict = module(exported, tmp_path)["predict"]
    row = dict(rows.iloc[0])
    assert predict(row) == pytest.approx(dict(exported.predict(rows).iloc[0]))
    with pytest.raises(ValueError, match="the model was trained without rows that miss a cell"):
        predict(row | {column: None})


# --- C


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Compile a model with all warnings as errors; the command that runs it."""

    def compiled(exported: Model):
        folder = tmp_path_factory.mktemp("c")
        export_model(exported, folder / "model.c", "c")
        flags = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-DSECANT_MAIN"]
        command = [COMPILER, *flags, "model.c", "-o", "model", "-lm"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return folder, [str(folder / "model")]

    return compiled


NOT_IN_C = ("median", "mean ", "linear")  # a compiler takes its time; the template has no other way


@needs_compiler
@pytest.mark.parametrize("name", [name for name in MODELS if not name.startswith(NOT_IN_C)])
def test_c_predicts_the_same(name, build):
    exported = MODELS[name]
    folder, command = build(exported)
    rows = new_rows(exported).assign(more="ignored")
    assert_same(run_file(command, rows, folder), exported.predict(rows), 1e-12)


@needs_compiler
def test_c_refuses_what_the_model_refuses(build):
    folder, command = build(model(unknown="error", scaler="log"))
    good = table().dropna().iloc[:3]
    for column, cell, expected in (
        (KIND, "never seen", "row 2: the model refuses a cell"),
        (SIZE, "wide", "must hold numbers, not wide"),
        (SIZE, "0x10", "must hold numbers, not 0x10"),
        (SIZE, "inf", "must hold numbers, not inf"),
        (SIZE, "-1", "row 2: the model refuses a cell"),
    ):
        rows = good.astype(object)
        rows.iloc[1, COLUMNS.index(column)] = cell
        done = subprocess.run(
            command, input=rows.to_csv(index=False), capture_output=True, text=True, cwd=folder
        )
        assert done.returncode == 2
        assert expected in done.stderr
    done = subprocess.run(command, input="a,b\n1,2\n", capture_output=True, text=True)
    assert "the table lacks the column" in done.stderr


@needs_compiler
def test_c_reads_other_line_ends_and_a_byte_order_mark(build):
    exported = MODELS["target three"]
    folder, command = build(exported)
    rows = table(20, seed=2)
    text = "\ufeff" + rows.to_csv(index=False, lineterminator="\r\n") + "\r\n"
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    (folder / "out.csv").write_bytes(done.stdout)
    assert_same(pd.read_csv(folder / "out.csv"), exported.predict(rows), 1e-12)


# --- all of them


def test_sources_are_the_same_every_time():
    for make in (python_source, c_source):
        assert make(MODELS["own scaler"]) == make(MODELS["own scaler"])


def test_an_unknown_format_is_named(tmp_path):
    with pytest.raises(InputError, match="format must be one of 'onnx', 'python', 'c', not 'pmml'"):
        export_model(model(), tmp_path / "m", "pmml")


@pytest.mark.parametrize("format", FORMATS)
def test_a_folder_that_cannot_be_written_is_a_sentence(format, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        export_model(model(), tmp_path / "file" / "m", format)
