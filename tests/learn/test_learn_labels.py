"""Several targets of two classes each: read, learnt together, judged each by itself, exported."""

from __future__ import annotations

import io
import json
import runpy
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss

from secant.learn import (
    MLPClassifier,
    Settings,
    Strategy,
    Task,
    load_model,
    predict_table,
    prepare_table,
    save_model,
    train_table,
)
from secant.learn.comparison import compare_table
from secant.learn.errors import InputError
from secant.learn.export import export_model, onnx_bytes
from secant.learn.export.rounding import described, rounding_error
from secant.learn.tables.dataset import read_dataset
from secant.learn.targets import ClassTarget, ClassTargets

ROWS = 200
NAMES = ("fever", "cough", "worse")


def made(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Numbers, texts and truth values that are classes."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.normal(size=(rows, 3)), columns=["a", "b", "c"])
    noise = random.logistic(0.0, 0.3, (rows, 3))
    table["fever"] = (table.a + table.b + noise[:, 0] > 0.5).astype(int)
    table["cough"] = np.where(table.b - table.c + noise[:, 1] > 0, "yes", "no")
    table["worse"] = table.c + noise[:, 2] > -0.3
    return table


@pytest.fixture
def path(tmp_path):
    made().to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    file = tmp_path_factory.mktemp("labels") / "t.csv"
    made().to_csv(file, index=False)
    return train_table(file, Settings(NAMES, hidden=(5,), strategy=Strategy(max_iter=60)))


def read(tmp_path, targets=NAMES, change=None, **options):
    made().assign(**(change or {})).to_csv(tmp_path / "t.csv", index=False)
    return read_dataset(tmp_path / "t.csv", targets, **options)


# --- Reading


def test_columns_of_two_values_are_classes(tmp_path):
    data = read(tmp_path)
    assert data.task is Task.CLASSIFICATION
    assert data.notes == ("taken as two classes each (--task regression learns numbers): 'fever'",)
    assert {name: set(data.target[name]) for name in NAMES} == {
        "fever": {"0", "1"},
        "cough": {"no", "yes"},
        "worse": {"False", "True"},
    }


def test_the_task_may_be_said(tmp_path):
    change = {"cough": np.arange(ROWS) % 2}
    assert read(tmp_path, NAMES[:2], change, task=Task.CLASSIFICATION).notes == ()
    data = read(tmp_path, NAMES[:2], change, task=Task.REGRESSION)
    assert (data.task, data.target["cough"].dtype) == (Task.REGRESSION, np.float64)


@pytest.mark.parametrize(
    ("change", "options", "expected"),
    [
        (
            {"cough": ["u", "v", "w", "x"] * (ROWS // 4)},
            {},
            "hold numbers, or two classes each, and",
        ),
        (
            {"cough": ["u", "v", "w", "x"] * (ROWS // 4)},
            {"task": Task.CLASSIFICATION},
            "must have two classes each, and 'cough' has 4: train a model of its own",
        ),
        ({"cough": ["u", None] * (ROWS // 2)}, {}, "'cough' is missing in 100 of 200 rows"),
        ({"cough": ["u", "   "] * (ROWS // 2)}, {}, "'cough' is missing in 100 of 200 rows"),
        ({"cough": ["u"] * (ROWS - 4) + ["v"] * 4}, {}, "needs at least 5 rows, and 'v' has fewer"),
        ({"fever": [0] * (ROWS - 4) + [1] * 4}, {}, "'fever' needs at least 5 rows, and '1' has"),
        ({"fever": 1}, {}, "target 'fever' is '1' in every row: there is nothing to learn"),
        ({}, {"task": Task.REGRESSION}, "'cough', 'worse' hold categories"),
    ],
)
def test_targets_that_cannot_be_learnt_together(tmp_path, change, options, expected):
    with pytest.raises(InputError, match=expected):
        read(tmp_path, NAMES, change, **options)


def test_no_combination_is_divided_in_proportion(path):
    with pytest.raises(InputError, match="'stratified' is for one target of classes"):
        prepare_table(path, Settings(NAMES, division="stratified"))


# --- Learning


def test_the_network_learns_what_the_estimator_learns(path):
    """The same rows, first weights and penalty give the same probabilities."""
    settings = Settings(
        NAMES, hidden=(4,), l2=1e-2, strategy=Strategy("bfgs", gtol=1e-9, patience=10_000)
    )
    prepared = prepare_table(path, settings)
    train = prepared.samples["train"]
    X, y = train.inputs.numpy(), train.targets.numpy()
    assert y.shape == (120, 3)
    assert set(np.unique(y)) == {0.0, 1.0}
    logits = prepared.model.network(train.inputs).detach().numpy()
    costs = np.log1p(np.exp(-np.abs(logits))) + np.maximum(logits, 0.0) - y * logits
    assert float(prepared.index.error(torch.as_tensor(logits), train.targets)) == pytest.approx(
        costs.sum(axis=1).mean(), rel=1e-12
    )
    options = {"alpha": 2e-2 * len(X), "solver": "bfgs", "gtol": 1e-9, "tol": 0.0}
    theirs = MLPClassifier((), **options, max_iter=5000).fit(X, y.astype(int))
    linear = prepare_table(path, Settings(NAMES, hidden=(), l2=1e-2, strategy=settings.strategy))
    found = train_linear(linear)
    np.testing.assert_allclose(found, theirs.predict_proba(X), atol=1e-5)


def train_linear(prepared):
    from dataclasses import replace

    from secant.learn.strategy import train_network

    model = prepared.model
    strategy = replace(prepared.settings.strategy, max_iter=5000)
    train = prepared.samples["train"]
    train_network(model.network, prepared.index, train, None, strategy)
    return model.target.probabilities(model.network.outputs(train.inputs.numpy()))


def test_scores_are_those_of_scikit_learn(trained, path):
    rows = trained.parts.test
    actual = made().iloc[rows][list(NAMES)].astype(str).to_numpy()
    predicted = trained.predicted[rows]
    test = trained.scores["test"]
    assert test.values["mean accuracy"] == np.mean(actual == predicted)
    assert test.values["subset accuracy"] == np.mean((actual == predicted).all(axis=1))
    assert test.values["mean accuracy"] > 0.8
    losses = []
    table = trained.model.predict(made().iloc[rows])
    for k, (name, second) in enumerate(zip(NAMES, ("1", "yes", "True"), strict=True)):
        probability = table[f"probability_{name}_{second}"]
        losses.append(log_loss(actual[:, k] == second, probability))
        assert test.targets[name].loss == pytest.approx(losses[-1])
        right = accuracy_score(actual[:, k], predicted[:, k])
        assert test.targets[name].values == {"accuracy": right}
    assert test.loss == pytest.approx(sum(losses))


@pytest.mark.parametrize(
    "options",
    [
        {"strategy": Strategy("adam", max_iter=25, learning_rate=0.05)},
        {"strategy": Strategy("auto", max_iter=25)},
        {"strategy": Strategy("newton-cg", max_iter=10)},
        {"initialisation": "nguyen-widrow", "starts": 2},
        {"division": "blocks"},
        {"dtype": "float32"},
    ],
    ids=str,
)
def test_whatever_is_chosen_for_one_target_is_for_several(path, options):
    chosen = {"hidden": (4,), "strategy": Strategy(max_iter=25)} | options
    found = train_table(path, Settings(NAMES, **chosen))
    assert found.scores["train"].values["mean accuracy"] > 0.75
    assert found.predicted.shape == (ROWS, 3)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"strategy": Strategy("lm")}, "lm"),
        ({"loss": "weighted-squared"}, "is for one target of two classes, and there are several"),
        ({"loss": "mean-squared"}, "hold categories"),
        (
            {"target_scaling": "log"},
            "target_scaling is for numbers, and 'fever', 'cough', 'worse' is",
        ),
    ],
)
def test_what_needs_another_kind_of_target_is_refused(path, options, expected):
    with pytest.raises(InputError, match=expected):
        train_table(path, Settings(NAMES, **options))


def test_a_class_that_no_training_row_has_is_refused(path):
    table = made().sort_values("fever", ascending=True)
    table.to_csv(path, index=False)
    with pytest.raises(InputError, match="target 'fever' is the same in all 120 training rows"):
        train_table(path, Settings(NAMES, division="blocks"))


def test_methods_are_compared_by_the_subset_accuracy(path):
    settings = Settings(NAMES, hidden=(3,), strategy=Strategy(max_iter=8))
    found = compare_table(path, settings, ["l-bfgs", "cg"], repeats=1)
    assert found.score == "subset accuracy"
    assert all(0.0 < row.test_score <= 1.0 for row in found.rows)


# --- Predictions, files, exports


def test_predictions_are_classes_and_probabilities_of_the_second(trained, path):
    predictions, _ = predict_table(trained.model, path)
    assert list(predictions.columns) == [
        *(f"predicted_{name}" for name in NAMES),
        "probability_fever_1",
        "probability_cough_yes",
        "probability_worse_True",
    ]
    np.testing.assert_array_equal(predictions.to_numpy()[:, :3], trained.predicted)
    likelier = predictions["probability_cough_yes"] > 0.5
    assert (likelier == (predictions["predicted_cough"] == "yes")).all()


def test_a_model_comes_back_from_its_files(trained, tmp_path):
    save_model(trained.model, tmp_path)
    described = json.loads((tmp_path / "model.json").read_text("utf-8"))
    assert described["version"] == 3
    assert described["target"]["targets"][1] == {"name": "cough", "classes": ["no", "yes"]}
    again = load_model(tmp_path)
    assert again.target == trained.model.target
    pd.testing.assert_frame_equal(again.predict(made()), trained.model.predict(made()))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda columns: columns[:1], "'targets' must hold two or more different columns"),
        (lambda columns: [columns[0]] * 3, "'targets' must hold two or more different columns"),
        (lambda columns: columns[:2], "does not fit 3 inputs and 2 outputs"),
        (lambda columns: [*columns[:2], {"name": "x"}], r"targets\[2\] has no 'classes'"),
        (
            lambda columns: [*columns[:2], {"name": "x", "classes": ["u", "v", "w"]}],
            r"targets\[2\]: 'classes' must hold two classes",
        ),
        (
            lambda columns: [*columns[:2], {"name": "x", "classes": ["u"]}],
            "'classes' must hold at least two classes",
        ),
    ],
)
def test_a_changed_description_of_the_targets_is_refused(trained, tmp_path, change, expected):
    save_model(trained.model, tmp_path)
    described = json.loads((tmp_path / "model.json").read_text("utf-8"))
    described["target"]["targets"] = change(described["target"]["targets"])
    (tmp_path / "model.json").write_text(json.dumps(described), "utf-8")
    with pytest.raises(InputError, match=expected):
        load_model(tmp_path)


def test_onnx_has_an_output_for_each_target(trained):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(onnx_bytes(trained.model))
    rows = made(40, seed=1)
    feeds = {entry.name: rows[[entry.name]].to_numpy() for entry in session.get_inputs()}
    names = [entry.name for entry in session.get_outputs()]
    assert names == [*(f"predicted_{name}" for name in NAMES), "probabilities"]
    *classes, probabilities = session.run(names, feeds)
    expected = trained.model.predict(rows)
    for name, found in zip(NAMES, classes, strict=True):
        assert list(found) == list(expected[f"predicted_{name}"])
    np.testing.assert_allclose(probabilities, expected.iloc[:, 3:], rtol=1e-6, atol=1e-12)
    told = session.get_modelmeta().custom_metadata_map
    assert json.loads(told["targets"]) == list(NAMES)
    assert json.loads(told["classes"]) == [["0", "1"], ["no", "yes"], ["False", "True"]]


def test_the_python_file_predicts_every_target(trained, tmp_path):
    export_model(trained.model, tmp_path / "m.py", "python")
    predict = runpy.run_path(str(tmp_path / "m.py"))["predict"]
    rows = made(40, seed=1)
    found = pd.DataFrame([predict(row) for row in rows.to_dict("records")])
    expected = trained.model.predict(rows)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12, check_dtype=False)


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler on this machine")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_c_file_predicts_every_target(trained, tmp_path, dtype):
    export_model(trained.model, tmp_path / "m.c", "c", dtype)
    flags = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-DSECANT_MAIN"]
    subprocess.run(["cc", *flags, "m.c", "-o", "model", "-lm"], cwd=tmp_path, check=True)
    rows = made(40, seed=1)
    text = rows.to_csv(index=False).encode()
    done = subprocess.run([tmp_path / "model"], input=text, capture_output=True, check=True)
    found = pd.read_csv(
        io.BytesIO(done.stdout), dtype=dict.fromkeys((f"predicted_{name}" for name in NAMES), str)
    )
    rtol = 1e-12 if dtype == "float64" else 1e-4
    expected = trained.model.predict(rows)
    pd.testing.assert_frame_equal(found, expected, rtol=rtol, check_dtype=False)


def test_what_single_precision_changes_is_counted(trained):
    found = rounding_error(trained.model, "float32", "c")
    assert found.changed == 0
    assert 0.0 < max(found.largest.values()) < 1e-5
    assert "and 0 of these rows have another class" in described(found, "drawn")


def test_second_classes_far_from_certain():
    """Probabilities do not overflow, and their classes are the likelier ones."""
    targets = ClassTargets((ClassTarget("u", ("a", "b")), ClassTarget("v", ("c", "d"))))
    outputs = np.array([[1000.0, -1000.0], [0.0, 1e-9]])
    np.testing.assert_allclose(targets.probabilities(outputs), [[1.0, 0.0], [0.5, 0.5]], atol=1e-9)
    assert targets.decode(outputs).tolist() == [["b", "c"], ["a", "d"]]
    codes = targets.encode(pd.DataFrame({"u": ["b", "a"], "v": ["c", "d"]}))
    assert codes.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_targets_whose_probabilities_would_be_called_alike_are_refused(tmp_path):
    change = {"a_b": ["b", "c"] * (ROWS // 2), "a_b_c": ["b", "d"] * (ROWS // 2)}
    alike = {"a_b": change["a_b"], "a": ["a", "b_c"] * (ROWS // 2)}
    path = tmp_path / "t.csv"
    for extra, refused in ((change, False), (alike, True)):
        made().drop(columns=["a"]).assign(**extra).to_csv(path, index=False)
        settings = Settings(tuple(extra))
        if refused:
            with pytest.raises(InputError, match="'a_b', 'a' would both have a column 'probab"):
                prepare_table(path, settings)
        else:
            assert prepare_table(path, settings).model.target.outputs == 2
