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

from secant.learn.errors import InputError
from secant.learn.export import FORMATS, c_source, export_model, onnx_bytes, python_source
from secant.learn.export.precision import in_precision
from secant.learn.export.rounding import described, drawn_rows, rounding_error
from secant.learn.model import Model
from secant.learn.network import ACTIVATIONS, Perceptron
from secant.learn.preparation import Choices, Preparation
from secant.learn.tables.columns import Kind
from secant.learn.targets import ClassTarget, NumericTarget, NumericTargets

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
    "several": NumericTargets((NUMBER, NumericTarget("a,b", 0.5, 0.25, "log"), NumericTarget("c"))),
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
SINGLE = {name: in_precision(one, "float32") for name, one in MODELS.items()}
each_model = pytest.mark.parametrize("exported", MODELS.values(), ids=MODELS)
each_single = pytest.mark.parametrize("exported", SINGLE.values(), ids=SINGLE)


def new_rows(exported: Model) -> pd.DataFrame:
    """Rows with missing cells and with a category that the model has not seen."""
    rows = table(25, seed=1)
    rows.loc[3, KIND] = "never seen"
    return rows


def single_rows(exported: Model) -> pd.DataFrame:
    """The same with numbers that float32 has, so that what differs is the arithmetic alone."""
    rows = new_rows(exported)
    return rows.assign(**{name: rows[name].astype("float32").astype(float) for name in (SIZE, AGE)})


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
        elif entry.type == "tensor(float)":
            cells = cells.astype(np.float32)
        feeds[entry.name] = cells.to_numpy().reshape(-1, 1)
    names = [entry.name for entry in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


@each_model
def test_onnx_predicts_the_same(exported):
    pytest.importorskip("onnx")
    rows = new_rows(exported)
    outputs = run_onnx(onnx_bytes(exported), rows)
    expected = exported.predict(rows)
    if not isinstance(exported.target, ClassTarget):
        assert list(outputs) == list(expected.columns)
        found = np.hstack(list(outputs.values()))
        np.testing.assert_allclose(found, numbers_of(expected), rtol=1e-6, atol=1e-9)
    else:
        name = f"predicted_{exported.target.name}"
        assert list(outputs[name]) == list(expected[name])
        probabilities = numbers_of(expected)
        np.testing.assert_allclose(outputs["probabilities"], probabilities, rtol=1e-6, atol=1e-12)


@each_single
def test_onnx_in_single_precision_predicts_the_same(exported):
    onnx = pytest.importorskip("onnx")
    content = onnx_bytes(exported)
    rows = single_rows(exported)
    outputs = run_onnx(content, rows)
    expected = exported.predict(rows)
    if isinstance(exported.target, ClassTarget):
        name = f"predicted_{exported.target.name}"
        assert list(outputs.pop(name)) == list(expected[name])
    found, wanted = np.hstack(list(outputs.values())), numbers_of(expected)
    assert found.dtype == np.float32
    assert (np.abs(found - wanted) <= 1e-6 * np.abs(wanted).max(axis=0)).all()
    graph = onnx.shape_inference.infer_shapes(onnx.load_from_string(content)).graph
    typed = [*graph.input, *graph.output, *graph.value_info]
    kinds = {one.type.tensor_type.elem_type for one in typed}
    kinds |= {one.data_type for one in graph.initializer}
    assert onnx.TensorProto.FLOAT in kinds
    assert onnx.TensorProto.DOUBLE not in kinds


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


def test_onnx_refuses_a_column_without_a_name():
    pytest.importorskip("onnx")
    rows = pd.DataFrame({"": [1.0, 2.0], "x": [0.0, 3.0]})
    preparation = Preparation.fit(rows, dict.fromkeys(rows, Kind.NUMBER))
    with pytest.raises(InputError, match="a column without a name can be no input"):
        onnx_bytes(Model(preparation, Perceptron((2, 1), seed=1), NUMBER))


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


@each_single
def test_python_keeps_the_weights_of_single_precision(exported, tmp_path):
    rows = new_rows(exported)
    predict = module(exported, tmp_path)["predict"]
    found = pd.DataFrame([predict(row) for row in rows.to_dict("records")])
    # It computes in double precision: the model with the same weights, widened.
    assert_same(found, in_precision(exported, "float64").predict(rows), 1e-12)
    assert_same(found, exported.predict(rows), 2e-6)


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


def test_the_python_file_says_why_it_cannot_read_a_table(tmp_path):
    export_model(model(), tmp_path / "exported.py", "python")
    (tmp_path / "latin.csv").write_bytes("größe\n1\n".encode("latin-1"))
    for name, expected in (
        ("latin.csv", "error: the table must be text in UTF-8: 'utf-8' codec can't decode byte"),
        ("none.csv", "error: the table cannot be read: [Errno 2] No such file"),
    ):
        command = [sys.executable, "-I", "-S", str(tmp_path / "exported.py"), str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.startswith(expected)
        assert done.stderr.count("\n") == 1


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
        # -Wdouble-promotion: arithmetic in float stays in float.
        warnings = ["-pedantic", "-Wall", "-Wextra", "-Wdouble-promotion", "-Werror"]
        flags = ["-std=c99", *warnings, "-DSECANT_MAIN"]
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
@pytest.mark.parametrize("name", [name for name in SINGLE if name.startswith(("t", "a", "own"))])
def test_c_in_single_precision_predicts_the_same(name, build):
    exported = SINGLE[name]
    folder, command = build(exported)
    assert "double secant" not in (folder / "model.c").read_text("ascii")
    rows = single_rows(exported)
    assert_same(run_file(command, rows, folder), exported.predict(rows), 2e-6)


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


# --- another precision than the model's


def year_model() -> Model:
    """A column whose numbers are large beside their spread, and a target that needs log1p near 0."""
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {"year": random.uniform(2023.0, 2024.0, 80), "share": random.uniform(0.0, 1e-5, 80)}
    )
    kinds = dict.fromkeys(rows, Kind.NUMBER)
    preparation = Preparation.fit(rows, kinds, Choices(scalers={"share": "log"}))
    return Model(preparation, Perceptron((2, 6, 1), seed=1), NumericTarget("y", 4e-6, 2e-6, "log"))


def test_single_precision_scales_without_cancellation(build):
    """Shifts and logarithms lose no more digits than the rounding of the table itself does."""
    pytest.importorskip("onnx")
    exported = in_precision(year_model(), "float32")
    rows = drawn_rows(exported.preparation, 50).astype("float32").astype(float)
    expected = exported.predict(rows)
    found = run_onnx(onnx_bytes(exported), rows)["predicted_y"]
    assert np.abs(found - numbers_of(expected)).max() <= 1e-6 * np.abs(numbers_of(expected)).max()
    if COMPILER is not None:
        folder, command = build(exported)
        assert_same(run_file(command, rows, folder), expected, 1e-6)


@pytest.mark.parametrize("name", ["target number", "target three", "own scaler"])
def test_the_measured_rounding_is_that_of_the_runtime(name):
    pytest.importorskip("onnx")
    double = MODELS[name]
    rows = drawn_rows(double.preparation, 300, seed=4)
    measured = rounding_error(double, "float32", "onnx", rows)
    outputs = run_onnx(onnx_bytes(in_precision(double, "float32")), rows)
    key = "probabilities" if measured.changed is not None else f"predicted_{double.target.name}"
    expected = numbers_of(double.predict(rows))
    largest = max(measured.largest.values())
    assert 0.0 < largest <= 1e-6 * np.abs(expected).max()
    differences = np.abs(outputs[key] - expected).max()
    assert differences == pytest.approx(largest, rel=0.0, abs=3e-7 * np.abs(expected).max())


def test_rounding_of_probabilities_and_classes_is_told():
    told = described(rounding_error(MODELS["target three"], "float32", "c"), "drawn")
    assert told.startswith(
        "float32 instead of float64: on 1,000 rows (drawn) probabilities differ by at most "
    )
    assert told.endswith("and 0 of these rows have another class")
    rows = table(25)
    told = described(rounding_error(SINGLE["target number"], "float64", "c", rows), "x.csv")
    assert told.startswith("float64 instead of float32: on 25 rows (x.csv) predicted_y")


def test_only_the_weights_of_a_python_file_are_rounded():
    double = MODELS["target number"]
    in_python = rounding_error(double, "float32", "python").largest[f"predicted_{NUMBER.name}"]
    in_c = rounding_error(double, "float32", "c").largest[f"predicted_{NUMBER.name}"]
    assert 0.0 < in_python < in_c


def test_a_model_is_not_changed_by_an_export_in_another_precision(tmp_path):
    double = MODELS["target number"]
    rows = table(20)
    before = double.predict(rows)
    for format in FORMATS:
        export_model(double, tmp_path / format, format, "float32")
    pd.testing.assert_frame_equal(double.predict(rows), before, check_exact=True)
    single = SINGLE["target number"]
    for format in FORMATS:
        export_model(single, tmp_path / f"{format}-single", format)
        assert (tmp_path / format).read_bytes() == (tmp_path / f"{format}-single").read_bytes()


def test_numbers_that_have_no_place_in_single_precision_are_named(tmp_path):
    wide = Model(
        MODELS["target number"].preparation, Perceptron((9, 2, 1)), NumericTarget("y", 0.0, 1e-40)
    )
    for format in ("onnx", "c"):
        with pytest.raises(
            InputError, match=r"target 'y': its scale 1e-40 has no place in float32"
        ):
            export_model(wide, tmp_path / "m", format, "float32")
    rows = pd.DataFrame({"x": [1e39, 2e39, 3e39]})
    preparation = Preparation.fit(rows, {"x": Kind.NUMBER})
    large = Model(preparation, Perceptron((1, 1)), NumericTarget("y"))
    with pytest.raises(InputError, match=r"column 'x': its shift 2e\+39 has no place in float32"):
        export_model(large, tmp_path / "m", "c", "float32")
    large.network.layers[0].weight.data[:] = 1e39
    with pytest.raises(
        InputError, match=r"'layers\.0\.weight' has weights that are not finite in float32"
    ):
        export_model(large, tmp_path / "m", "python", "float32")
    wide.network.layers[1].bias.data[0] = np.nan
    for format in FORMATS:
        with pytest.raises(InputError, match=r"bias' has weights that are not finite in float64"):
            export_model(wide, tmp_path / "m", format)
    with pytest.raises(InputError, match="dtype must be one of 'float64', 'float32', not 'half'"):
        export_model(large, tmp_path / "m", "python", "half")
    assert list(tmp_path.iterdir()) == []
