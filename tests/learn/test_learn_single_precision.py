"""Tables trained in float32: the same rows, the same first weights, all arithmetic in float32."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from secant.learn import InputError, Settings, Strategy, train_table
from secant.learn.closed_form.objective import has_closed_form
from secant.learn.comparison import compare_table
from secant.learn.prepared import prepare_table

SINGLE = {
    "l-bfgs": {},
    "ssbroyden": {},
    "lm": {},
    "auto": {},
    "newton-cg": {},
    "rprop": {},
    "adam": {"learning_rate": 0.01},
    "owl-qn": {},
}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    random = np.random.default_rng(0)
    x = random.uniform(-1.0, 1.0, (160, 3))
    rows = pd.DataFrame(x, columns=["a", "b", "c"])
    rows["town"] = random.choice(["Bern", "Genf"], len(rows))
    rows["y"] = (
        500.0 + 80.0 * np.sin(2.0 * x[:, 0]) + 30.0 * x[:, 1] + random.normal(0, 5, len(rows))
    )
    rows["kind"] = np.where(x[:, 0] * x[:, 1] > 0, "same", "other")
    path = tmp_path_factory.mktemp("single") / "table.csv"
    rows.to_csv(path, index=False)
    return path


def settings(method: str = "l-bfgs", **more: object) -> Settings:
    strategy = Strategy(method, max_iter=40, **SINGLE[method])
    given = {
        "target": "y",
        "hidden": (6,),
        "ignore": ("kind",),
        "strategy": strategy,
        "dtype": "float32",
    }
    return Settings(**(given | more))


@pytest.mark.parametrize("method", SINGLE)
def test_a_training_in_float32_is_in_float32_throughout(table, method):
    found = train_table(table, settings(method))
    network = found.model.network
    assert network.dtype == torch.float32
    assert found.training.status is not None
    outputs = found.model.outputs(found.dataset.frame)
    np.testing.assert_array_equal(outputs, outputs.astype(np.float32))
    double = train_table(table, settings(method, dtype="float64"))
    assert double.model.network.dtype == torch.float64
    assert found.scores["test"].values["R2"] == pytest.approx(
        double.scores["test"].values["R2"], abs=0.05
    )
    assert found.training.best.objective < 0.5 * found.training.history.epochs[0].objective


def test_the_first_weights_are_those_of_float64_but_for_rounding(table):
    for scheme in ("xavier", "nguyen-widrow"):
        one, other = (
            prepare_table(table, settings(dtype=dtype, initialisation=scheme))
            for dtype in ("float32", "float64")
        )
        for a, b in zip(
            one.model.network.state_dict().values(),
            other.model.network.state_dict().values(),
            strict=True,
        ):
            torch.testing.assert_close(a, b.float(), rtol=1e-6, atol=1e-7)
        assert {sample.inputs.dtype for sample in one.samples.values()} == {torch.float32}
        assert has_closed_form(one.model.network, one.samples["train"].inputs)


def test_classes_restarts_and_other_seeds_stay_in_float32(table):
    chosen = settings(starts=2, ignore=("y",), target="kind")
    found = train_table(table, chosen)
    assert found.scores["test"].values["accuracy"] > 0.7
    assert found.model.network.dtype == torch.float32
    assert found.restarts is not None
    assert len(found.restarts.trainings) == 2
    assert prepare_table(table, chosen).start(9).model.network.dtype == torch.float32


def test_a_comparison_in_float32(table):
    found = compare_table(table, settings(), ["l-bfgs", "lm", "adam"], repeats=1)
    assert not any(row.failed for row in found.rows)
    assert found.settings.dtype == "float32"


def test_another_precision_is_refused():
    with pytest.raises(InputError, match="dtype must be one of 'float64', 'float32', not 'half'"):
        Settings("y", dtype="half")
