"""Model files: exact, deterministic, and refused in a sentence when they are not what they were."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load, save

from secant.learn.errors import InputError
from secant.learn.model import Model
from secant.learn.modelfile import load_model, save_model
from secant.learn.network import Perceptron
from secant.learn.preparation import Preparation
from secant.learn.tables.columns import Kind
from secant.learn.targets import ClassTarget

TABLE = pd.DataFrame({"size": [1.0, 5.0, 9.0], "town": ["Bern", "Genf", "Bern"]})


@pytest.fixture
def folder(tmp_path):
    """A saved model of three inputs and three classes."""
    kinds = {"size": Kind.NUMBER, "town": Kind.CATEGORY}
    preparation = Preparation.fit(TABLE, kinds)
    target = ClassTarget("kind", ("a", "b", "ü"))
    save_model(Model(preparation, Perceptron((3, 4, 3), "softplus", seed=2), target), tmp_path)
    return tmp_path


@pytest.fixture
def single(folder, tmp_path_factory):
    """The same model in float32."""
    model, place = load_model(folder), tmp_path_factory.mktemp("single")
    save_model(Model(model.preparation, model.network.float(), model.target), place)
    return place


def change(folder, path, value):
    """Set one entry of model.json; a path such as ("inputs", 0, "scale")."""
    file = folder / "model.json"
    plain = json.loads(file.read_text("utf-8"))
    place = plain
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    file.write_text(json.dumps(plain), "utf-8")


def test_what_is_loaded_is_what_was_saved(folder, tmp_path_factory):
    model = load_model(folder)
    again = tmp_path_factory.mktemp("again")
    save_model(model, again)
    for name in ("model.json", "model.safetensors"):
        assert (folder / name).read_bytes() == (again / name).read_bytes()
    np.testing.assert_array_equal(load_model(again).outputs(TABLE), model.outputs(TABLE))
    assert list(model.predict(TABLE).columns) == [
        "predicted_kind",
        "probability_a",
        "probability_b",
        "probability_ü",
    ]


CHANGES = {
    "format": (("format",), "pickle", "'format' must be one of ('secant-model',), not 'pickle'"),
    "no version": (("version",), None, "has no 'version'"),
    "later version": (("version",), 4, "has format version 4, and this secant"),
    "version type": (("version",), "1", "'version' must be a whole number, not '1'"),
    "scale zero": (
        ("inputs", 0, "scale"),
        0,
        "inputs[0]: 'scale' must be a positive number, not 0",
    ),
    "scale text": (("inputs", 0, "scale"), "x", "inputs[0]: 'scale' must be a positive number"),
    "earlier version": (("version",), 0, "has format version 0, and this secant"),
    "shift nan": (("inputs", 0, "shift"), float("nan"), "'shift' must be a finite number"),
    "shift huge": (("inputs", 0, "shift"), 10**400, "'shift' must be a finite number"),
    "fill": (("inputs", 0, "fill"), "x", "inputs[0]: 'fill' must be a finite number"),
    "no fill": (("inputs", 0, "fill"), None, "inputs[0] has no 'fill'"),
    "no required": (("inputs", 1, "required"), None, "inputs[1] has no 'required'"),
    "scaler": (("inputs", 0, "scaler"), ["log"], "'scaler' must be one of"),
    "indicator": (("inputs", 0, "indicator"), 1, "'indicator' must be true or false, not 1"),
    "statistic": (("inputs", 0, "statistic"), "sum", "'statistic' must be one of"),
    "unknown": (("inputs", 1, "unknown"), "skip", "'unknown' must be one of"),
    "fill category": (("inputs", 1, "fill"), "Chur", "'fill' must be one of"),
    "kind": (("inputs", 0, "kind"), "date", "inputs[0]: 'kind' must be one of"),
    "no inputs": (("inputs",), [], "'inputs' must not be empty"),
    "inputs type": (("inputs",), [1], "'inputs' must be a list of objects"),
    "same name": (("inputs", 1, "name"), "size", "names a column more than once"),
    "categories": (
        ("inputs", 1, "categories"),
        ["a", "a"],
        "'categories' must hold different texts",
    ),
    "fewer inputs": (("inputs", 1, "categories"), ["Bern"], "does not fit 2 inputs and 3 outputs"),
    "one class": (("target", "classes"), ["a"], "'classes' must hold at least two classes"),
    "more classes": (("target", "classes"), list("abcd"), "does not fit 3 inputs and 4 outputs"),
    "task": (("target", "task"), "clustering", "'task' must be one of"),
    "target type": (("target",), 5, "'target' must be an object, not 5"),
    "activation": (("network", "activation"), "eval", "'activation' must be one of"),
    "sizes": (("network", "sizes"), [3, 0, 3], "'sizes' must be a list of whole numbers from 1"),
    "precision": (("network", "dtype"), "float16", "'dtype' must be one of ('float64', 'float32')"),
    "other precision": (
        ("network", "dtype"),
        "float32",
        "'layers.0.weight' must be {'dtype': 'float32'",
    ),
    "precision of a tensor": (
        ("tensors", "layers.0.bias", "dtype"),
        "float32",
        "'layers.0.bias' must be {'dtype': 'float64', 'shape': [4]}",
    ),
    "huge sizes": (("network", "sizes"), [3, 10**12, 3], "'layers.0.weight' must be"),
    "more layers": (("network", "sizes"), [3, 4, 4, 3], "must hold the tensors"),
    "digest": (("sha256",), "0" * 64, "the digests differ"),
    "shape": (("tensors", "layers.0.bias", "shape"), [5], "'layers.0.bias' must be"),
    "no tensors": (("tensors",), None, "'tensors' must be an object, not None"),
}


@pytest.mark.parametrize(("path", "value", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_changed_description_is_refused(folder, path, value, expected):
    change(folder, path, value)
    with pytest.raises(InputError) as caught:
        load_model(folder)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\x00", "[" * 100_000])
def test_a_description_that_is_no_object_is_refused(folder, content):
    (folder / "model.json").write_text(content)
    with pytest.raises(InputError, match=r"model\.json"):
        load_model(folder)


def test_changed_weights_are_refused(folder):
    path = folder / "model.safetensors"
    content = path.read_bytes()
    for damaged in (content[:-1], content[:-1] + bytes([content[-1] ^ 1]), b""):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="the digests differ"):
            load_model(folder)
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        load_model(folder)


@pytest.mark.parametrize(
    ("replace", "expected"),
    [
        (lambda w: w.float(), "'dtype': 'float32'"),
        (lambda w: w.T.contiguous(), "'shape': [3, 4]"),
        (lambda w: w * torch.nan, "holds values that are not finite"),
    ],
    ids=["type", "shape", "nan"],
)
def test_weights_of_another_form_are_refused_even_with_a_matching_digest(folder, replace, expected):
    path = folder / "model.safetensors"
    tensors = load(path.read_bytes())
    tensors["layers.0.weight"] = replace(tensors["layers.0.weight"])
    path.write_bytes(save(tensors))
    change(folder, ("sha256",), hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(InputError) as caught:
        load_model(folder)
    assert expected in str(caught.value)


# --- float32


def test_a_model_in_single_precision_is_saved_and_loaded_as_such(folder, single, tmp_path):
    described = json.loads((single / "model.json").read_text("utf-8"))
    assert described["network"]["dtype"] == "float32"
    assert {tensor["dtype"] for tensor in described["tensors"].values()} == {"float32"}
    header, _, _ = (single / "model.safetensors").read_bytes()[8:].partition(b"}}")
    assert header.count(b'"dtype":"F32"') == 4
    loaded, double = load_model(single), load_model(folder)
    assert loaded.network.dtype == torch.float32
    save_model(loaded, tmp_path)
    for name in ("model.json", "model.safetensors"):
        assert (single / name).read_bytes() == (tmp_path / name).read_bytes()
    outputs = loaded.outputs(TABLE)
    np.testing.assert_array_equal(outputs, outputs.astype(np.float32))  # computed in float32
    np.testing.assert_allclose(outputs, double.outputs(TABLE), rtol=1e-5, atol=1e-6)


def test_a_model_without_a_named_precision_is_in_double(folder, single):
    expected = load_model(folder).outputs(TABLE)
    change(folder, ("network", "dtype"), None)  # as it was written before there was a choice
    np.testing.assert_array_equal(load_model(folder).outputs(TABLE), expected)
    change(single, ("network", "dtype"), None)
    with pytest.raises(InputError, match=r"'layers.0.weight' must be \{'dtype': 'float64'"):
        load_model(single)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (
            lambda network: network.half(),
            "dtype must be one of 'float64', 'float32', not 'float16'",
        ),
        (
            lambda network: network.layers[1].bias.data.fill_(torch.inf),
            "the model cannot be saved: 'layers.1.bias' holds values that are not finite",
        ),
    ],
    ids=["half", "infinite"],
)
def test_a_model_that_could_not_be_loaded_is_not_saved(folder, tmp_path_factory, spoil, expected):
    model, empty = load_model(folder), tmp_path_factory.mktemp("empty")
    spoil(model.network)
    with pytest.raises(InputError) as caught:
        save_model(model, empty)
    assert str(caught.value) == expected
    assert list(empty.iterdir()) == []


MODELS = Path(__file__).parent / "models"


@pytest.mark.parametrize("name", ["version-1-regression", "version-1-classes"])
def test_models_of_the_first_version_predict_what_they_did(name):
    model = load_model(MODELS / name)
    predictions = model.predict(pd.read_csv(MODELS / name / "rows.csv"))
    expected = pd.read_csv(MODELS / name / "predictions.csv")
    pd.testing.assert_frame_equal(predictions, expected, check_dtype=False, rtol=1e-13)


def test_a_model_of_the_first_version_is_saved_in_the_present_one(tmp_path):
    model = load_model(MODELS / "version-1-regression")
    save_model(model, tmp_path)
    assert json.loads((tmp_path / "model.json").read_text("utf-8"))["version"] == 2
    rows = pd.read_csv(MODELS / "version-1-regression" / "rows.csv")
    np.testing.assert_array_equal(load_model(tmp_path).outputs(rows), model.outputs(rows))


def test_nothing_is_left_behind_by_a_save_that_fails(folder, monkeypatch):
    before = (folder / "model.json").read_bytes()
    model = load_model(folder)

    def no_space(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", no_space)
    with pytest.raises(InputError, match="No space left on device"):
        save_model(model, folder)
    assert (folder / "model.json").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "model.safetensors"]


def test_weights_larger_than_described_are_refused_by_their_size(folder):
    path = folder / "model.safetensors"
    with path.open("r+b") as file:
        file.truncate(1 << 40)  # a sparse file: it takes no room, and must not be read
    with pytest.raises(InputError, match="bytes, and the network that it belongs to takes at most"):
        load_model(folder)


def test_no_model_there(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path, tmp_path / "nowhere", tmp_path / "file", tmp_path / "file" / "model"):
        with pytest.raises(InputError, match=r"holds no model\.json: it is no model folder"):
            load_model(place)


def test_a_file_of_the_model_is_named(folder):
    with pytest.raises(InputError, match=r"model\.json' is a file of a model: give its folder"):
        load_model(folder / "model.json")


@pytest.mark.parametrize("name", ["model.json", "model.safetensors"])
def test_a_folder_in_the_place_of_a_file(folder, name):
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(InputError, match=f"{name}' cannot be read: Is a directory"):
        load_model(folder)


@pytest.mark.parametrize("name", ["model.json", "model.safetensors"])
def test_a_file_that_may_not_be_read(folder, name, monkeypatch):
    def refused(self, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text" if name == "model.json" else "read_bytes", refused)
    with pytest.raises(InputError, match=f"{name}' cannot be read: Permission denied"):
        load_model(folder)


def test_every_truncation_of_a_description_is_refused(folder):
    path = folder / "model.json"
    content = path.read_bytes()
    for length in range(0, len(content) - 2, 7):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match="damaged"):
            load_model(folder)
