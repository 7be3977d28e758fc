"""Several targets of numbers: read, scaled each by itself, learnt together, judged each by itself."""

from __future__ import annotations

import json
import runpy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import mean_squared_error, r2_score

from secant.learn import (
    GrowingNeurons,
    LossIndex,
    Perceptron,
    Settings,
    Strategy,
    load_model,
    predict_table,
    prepare_table,
    save_model,
    select_order,
    train_network,
    train_table,
)
from secant.learn.comparison import compare_table
from secant.learn.errors import InputError
from secant.learn.export import export_model, onnx_bytes
from secant.learn.loss import error_term
from secant.learn.sample import Sample
from secant.learn.tables.dataset import Task, read_dataset
from secant.learn.targets import NumericTarget, NumericTargets
from secant.learn.targets.columns import target_names

ROWS = 120
NAMES = ("far", "near", "grows")


def made(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Three targets of very different sizes, the last one above zero."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.normal(size=(rows, 3)), columns=["a", "b", "c"])
    table["far"] = 1e5 + 300.0 * (table.a - 2 * table.b) + random.normal(0, 20, rows)
    table["near"] = 1e-3 * (np.sin(2 * table.b) + table.c)
    table["grows"] = np.exp(2 + table.a)
    return table


@pytest.fixture
def path(tmp_path):
    made().to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    file = tmp_path_factory.mktemp("several") / "t.csv"
    made().to_csv(file, index=False)
    settings = Settings(
        NAMES,
        hidden=(6,),
        strategy=Strategy(max_iter=60),
        column_scaling=("grows=log", "a=min-max"),
    )
    return train_table(file, settings)


# --- Which columns are meant


@pytest.mark.parametrize(
    ("wanted", "columns", "expected"),
    [
        ("y", "xy", ("y",)),
        ("y,z", "xyz", ("y", "z")),
        (" y , z ", "xyz", ("y", "z")),
        (["z", "y"], "xyz", ("z", "y")),
        (["x,y", "z"], "xyz", ("x", "y", "z")),
        ("y,z", ["x", "y,z", "y"], ("y,z",)),  # a column of that name comes first
    ],
)
def test_names_of_targets(wanted, columns, expected):
    assert target_names(wanted, list(columns), "t.csv") == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("y,y", "--target names the column 'y' 2 times"),
        (["y", "x,y"], "--target names the column 'y' 2 times"),
        ("y,w", "t.csv has no column 'w'"),
        ("v,w", "t.csv has no column 'v,w'"),
        (["y", ""], "t.csv has no column ''"),
    ],
)
def test_names_that_cannot_be(wanted, expected):
    with pytest.raises(InputError, match=expected):
        target_names(wanted, ["x", "y", "z"], "t.csv")


def read(tmp_path, targets=NAMES, change=None, **options):
    table = made().assign(**(change or {}))
    table.to_csv(tmp_path / "t.csv", index=False)
    return read_dataset(tmp_path / "t.csv", targets, **options)


def test_targets_are_read_in_the_order_of_the_choice(tmp_path):
    data = read(tmp_path, ["near", "far"])
    assert data.target_names == ("near", "far")
    assert list(data.frame.columns) == ["a", "b", "c", "grows"]
    assert data.task is Task.REGRESSION
    np.testing.assert_array_equal(data.target.to_numpy(), made()[["near", "far"]].to_numpy())


def test_numbers_that_would_be_classes_alone_are_learnt_as_numbers(tmp_path):
    classes = {"near": np.arange(ROWS) % 2, "far": np.arange(ROWS) % 3}
    assert read(tmp_path, ["near"], classes).task is Task.CLASSIFICATION
    data = read(tmp_path, NAMES, classes)
    assert data.task is Task.REGRESSION
    assert data.notes == ("learnt as numbers, because there are several targets: 'far', 'near'",)


GAP = [None, *range(1, ROWS)]


@pytest.mark.parametrize(
    ("change", "options", "expected"),
    [
        ({"near": ["u", "v"] * (ROWS // 2)}, {}, "two classes each, and 'near' holds categories"),
        ({"near": [True, False] * (ROWS // 2)}, {}, "'near' holds categories"),
        (
            {"near": list("uvw") * (ROWS // 3), "far": list("uvwx") * (ROWS // 4)},
            {},
            "and 'far', 'near' hold categories",
        ),
        ({"near": "u"}, {}, "target 'near' is 'u' in every row: there is nothing to learn"),
        (
            {},
            {"categorical": ["far"]},
            "must all hold numbers, or two classes each, and 'far' holds",
        ),
        ({}, {"task": Task.CLASSIFICATION}, "must have two classes each, and 'far' has 120"),
        ({"near": GAP}, {}, "target 'near' is missing in 1 of 120 rows, first in row 1"),
        ({"grows": 7}, {}, "target 'grows' is '7' in every row: there is nothing to learn"),
        (
            {"grows": ["x", *range(1, ROWS)]},
            {},
            "target 'grows' must hold numbers, and row 1 holds",
        ),
        ({}, {"ignore": ["near"]}, "'near' cannot be the target and be ignored"),
        ({}, {"division_column": "far"}, "'far' cannot be the target and divide the rows"),
        ({}, {"ignore": ["a", "b", "c"]}, "besides the targets 'far', 'near', 'grows'"),
    ],
)
def test_targets_that_cannot_be_learnt_together(tmp_path, change, options, expected):
    with pytest.raises(InputError, match=expected):
        read(tmp_path, NAMES, change, **options)


def test_a_row_that_misses_one_target_can_be_dropped(tmp_path):
    gaps = {"near": GAP, "far": [*range(ROWS - 2), None, None]}
    data = read(tmp_path, NAMES, gaps, drop_missing=True)
    assert len(data.target) == len(data.frame) == ROWS - 3
    assert data.target.notna().all(axis=None)


def test_settings_keep_one_name_as_text_and_several_as_a_tuple():
    assert Settings(("y",)).target == "y"
    assert Settings(["y", "z"]).target == ("y", "z")
    assert Settings("y").targets == ("y",)
    with pytest.raises(InputError, match="target must name at least one column"):
        Settings(())


# --- What the network learns


def test_each_target_has_the_scale_of_its_own_training_rows(trained):
    cells = made()[list(NAMES)].iloc[trained.parts.train]
    far, near, grows = trained.model.target.columns
    for column, values in ((far, cells["far"]), (near, cells["near"])):
        assert (column.shift, column.scale) == pytest.approx((values.mean(), values.std(ddof=0)))
    logs = np.log1p(cells["grows"])
    assert grows.scaler == "log"
    assert (grows.shift, grows.scale) == pytest.approx((logs.mean(), logs.std(ddof=0)))
    scaled = trained.model.target.encode(cells)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(scaled.std(axis=0), 1)
    np.testing.assert_allclose(trained.model.target.decode(scaled), cells, rtol=1e-12)


def test_scores_are_those_of_scikit_learn(trained):
    for part, rows in trained.parts.items():
        actual = made()[list(NAMES)].to_numpy()[rows]
        predicted = trained.predicted[rows]
        scores = trained.scores[part]
        r2 = r2_score(actual, predicted, multioutput="raw_values")
        assert scores.values == pytest.approx({"mean R2": r2.mean(), "lowest R2": r2.min()})
        for place, name in enumerate(NAMES):
            error = mean_squared_error(actual[:, place], predicted[:, place]) ** 0.5
            assert scores.targets[name].values == pytest.approx({"R2": r2[place], "RMSE": error})
        losses = [one.loss for one in scores.targets.values()]
        assert scores.loss == pytest.approx(np.mean(losses), rel=1e-12)
    assert trained.scores["test"].values["lowest R2"] > 0.8


@pytest.mark.parametrize("method", ["l-bfgs", "lm", "auto"])
def test_without_hidden_units_it_is_linear_regression_of_each(path, method):
    strategy = Strategy(method=method, gtol=1e-11, patience=10**6, max_iter=500)
    settings = Settings(("far", "near"), hidden=(), l2=0.0, strategy=strategy, ignore=("grows",))
    found = train_table(path, settings)
    table, train = made(), found.parts.train
    inputs = np.column_stack([table[["a", "b", "c"]], np.ones(ROWS)])
    wanted = table[["far", "near"]].to_numpy()
    solution, *_ = np.linalg.lstsq(inputs[train], wanted[train])
    # The weights that were kept are those of lowest validation loss; the last ones solve the problem.
    lowest = min(epoch.objective for epoch in found.training.history)
    scale = wanted[train].std(axis=0)
    residuals = (inputs[train] @ solution - wanted[train]) / scale
    assert lowest == pytest.approx(np.mean(residuals**2), rel=1e-9)


def test_weighted_rows_count_so_often():
    random = np.random.default_rng(1)
    x = torch.as_tensor(random.normal(size=(40, 3)))
    y = torch.as_tensor(random.normal(size=(40, 2)))
    times = random.integers(1, 4, 40)
    repeated = np.repeat(np.arange(40), times)
    target = NumericTargets((NumericTarget("y"), NumericTarget("z")))
    found = []
    for sample in (
        Sample(x, y, torch.as_tensor(times, dtype=torch.float64)),
        Sample(x[repeated], y[repeated]),
    ):
        network = Perceptron((3, 4, 2), seed=2)
        index = LossIndex(error_term("auto", target), l2=1e-2)
        strategy = Strategy(method="lm", max_iter=30, gtol=1e-9)
        train_network(network, index, sample, None, strategy)
        found.append(network.outputs(x.numpy()))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"strategy": Strategy(method="lm", max_iter=25, bayesian=True)},
        {"strategy": Strategy(method="adam", max_iter=25, learning_rate=0.05)},
        {"strategy": Strategy(method="newton-cg", max_iter=15)},
        {"loss": "normalised-squared"},
        {"loss": "minkowski"},
        {"loss": "huber"},
        {"initialisation": "nguyen-widrow", "starts": 2},
        {"division": "time", "division_column": "a"},
        {"division": "blocks", "missing": "drop"},
        {"target_scaling": "min-max"},
        {"dtype": "float32"},
    ],
    ids=lambda options: "-".join(
        getattr(value, "method", f"{name} {value}") for name, value in options.items()
    ),
)
def test_whatever_is_chosen_for_one_target_is_for_several(path, options):
    settings = replace(Settings(NAMES, hidden=(5,), strategy=Strategy(max_iter=25)), **options)
    found = train_table(path, settings)
    history = list(found.training.history)
    assert found.training.best.training_loss < 0.9 * history[0].training_loss
    assert found.scores["train"].values["lowest R2"] > 0.1
    assert found.predicted.shape == (ROWS, 3)


def test_a_target_below_zero_has_no_logarithm(path):
    with pytest.raises(InputError, match="target 'near' cannot have the scaler 'log'"):
        train_table(path, Settings(NAMES, target_scaling="log"))
    with pytest.raises(InputError, match=r"no column of numbers is called 'nea'.*'near'"):
        train_table(path, Settings(NAMES, column_scaling=("nea=log",)))


def test_the_order_is_selected_on_all_targets(path):
    prepared = prepare_table(path, Settings(NAMES, hidden=(1,)))
    samples = prepared.samples
    found = select_order(
        prepared.model.network,
        prepared.index,
        samples["train"],
        samples["validation"],
        Strategy(max_iter=20),
        GrowingNeurons(maximum=3, trials=1),
    )
    assert found.network.sizes == (3, found.neurons, 3)
    assert found.best.validation_loss < found.trials[0].validation_loss * 1.0000001


def test_methods_are_compared_by_the_mean(path):
    settings = Settings(NAMES, hidden=(4,), strategy=Strategy(max_iter=10))
    found = compare_table(path, settings, ["l-bfgs", "lm"], repeats=1)
    assert (found.score, found.target) == ("mean R2", "far, near, grows")
    prepared = prepare_table(path, settings)
    assert found.weights == prepared.model.network.count
    assert all(0.0 < row.test_score <= 1.0 for row in found.rows)


def test_settings_are_searched_and_another_target_is_another_study(path, tmp_path):
    pytest.importorskip("optuna")
    from secant.learn.space import Whole
    from secant.learn.tune import tune_table

    settings = Settings(("far", "near"), strategy=Strategy(max_iter=8))
    options = {"space": {"width": Whole(1, 4)}, "trials": 2, "storage": tmp_path / "s.db"}
    tuned = tune_table(path, settings, **options)
    assert len(tuned.trained.model.target.columns) == 2
    with pytest.raises(InputError, match="is of another table, space or settings"):
        tune_table(path, replace(settings, target=("far", "grows")), **options)


# --- Predictions, files, exports


def test_predictions_have_a_column_for_each_target(trained, path):
    predictions, _ = predict_table(trained.model, path)
    assert list(predictions.columns) == [f"predicted_{name}" for name in NAMES]
    np.testing.assert_array_equal(predictions.to_numpy(), trained.predicted)


def test_a_model_comes_back_from_its_files(trained, tmp_path):
    save_model(trained.model, tmp_path)
    described = json.loads((tmp_path / "model.json").read_text("utf-8"))
    assert described["version"] == 3
    assert [column["name"] for column in described["target"]["targets"]] == list(NAMES)
    again = load_model(tmp_path)
    assert again.target == trained.model.target
    # There are files of this kind that say 2.
    (tmp_path / "model.json").write_text(json.dumps(described | {"version": 2}), "utf-8")
    assert load_model(tmp_path).target == again.target
    pd.testing.assert_frame_equal(again.predict(made()), trained.model.predict(made()))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda columns: columns[:1], "'targets' must hold two or more different columns"),
        (lambda columns: [], "'targets' must not be empty"),
        (lambda columns: [columns[0]] * 3, "'targets' must hold two or more different columns"),
        (lambda columns: columns[:2], "does not fit 3 inputs and 2 outputs"),
        (lambda columns: [*columns[:2], {"name": "x"}], r"targets\[2\] has no 'scaler'"),
        (lambda columns: [{**columns[0], "scale": 0}, *columns[1:]], "must be a positive number"),
        (lambda columns: "far", "'targets' must be a list of objects"),
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
    rows = made(30, seed=1)
    feeds = {entry.name: rows[[entry.name]].to_numpy() for entry in session.get_inputs()}
    names = [entry.name for entry in session.get_outputs()]
    assert names == [f"predicted_{name}" for name in NAMES]
    expected = trained.model.predict(rows)
    for name, values in zip(names, session.run(names, feeds), strict=True):
        np.testing.assert_allclose(values[:, 0], expected[name], rtol=1e-6)


def test_the_python_file_predicts_every_target(trained, tmp_path):
    export_model(trained.model, tmp_path / "m.py", "python")
    predict = runpy.run_path(str(tmp_path / "m.py"))["predict"]
    rows = made(30, seed=1)
    found = pd.DataFrame([predict(row) for row in rows.to_dict("records")])
    pd.testing.assert_frame_equal(found, trained.model.predict(rows), rtol=1e-12)


def test_many_names_are_shortened_for_people():
    targets = NumericTargets(tuple(NumericTarget(f"y{k}") for k in range(6)))
    assert targets.name == "y0, y1, y2 and 3 more"
    assert NumericTargets(targets.columns[:4]).name == "y0, y1, y2, y3"
