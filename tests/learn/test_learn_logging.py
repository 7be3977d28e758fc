"""Loggers: every iteration once, in both kinds of run."""

from __future__ import annotations

import csv
import math
import sys

import numpy as np
import pytest
import torch

import secant
from secant.learn.errors import InputError
from secant.learn.history import Epoch, History
from secant.learn.logging import CsvLogger, TensorBoardLogger
from secant.learn.loss import LossIndex, error_term
from secant.learn.network import Perceptron
from secant.learn.strategy import Sample, Strategy, train_network
from secant.learn.targets import NumericTarget


def rosenbrock(x):
    return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2


def minimise(log, max_iter: int = 200):
    return secant.minimize(rosenbrock, np.array([-1.2, 1.0]), callback=log, max_iter=max_iter)


def train(log, seed: int = 0, **limits):
    inputs = torch.linspace(-1, 1, 30, dtype=torch.float64).reshape(-1, 1)
    sample = Sample(inputs, torch.sin(3 * inputs))
    index = LossIndex(error_term("auto", NumericTarget("y", 0.0, 1.0)), l2=1e-4)
    strategy = Strategy(**({"max_iter": 12} | limits))
    return train_network(Perceptron((1, 4, 1), seed=seed), index, sample, sample, strategy, log)


def lines(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_minimisation_line_by_line(tmp_path):
    with CsvLogger(tmp_path / "deep" / "log.csv") as log:
        result = minimise(log)
    rows = lines(log.path)
    assert [int(row["iteration"]) for row in rows] == list(range(result.nit + 1))
    assert {row["run"] for row in rows} == {"1"}
    assert float(rows[-1]["value"]) == result.fun  # all digits
    assert int(rows[-1]["evaluations"]) == result.nfev


@pytest.mark.parametrize("limits", [{}, {"patience": 2}, {"goal": 0.1}, {"method": "adam"}])
def test_a_training_line_by_line(tmp_path, limits):
    with CsvLogger(tmp_path / "log.csv") as log:
        training = train(log, **limits)
    rows = lines(log.path)
    assert len(rows) == len(training.history)
    for row, epoch in zip(rows, training.history, strict=True):
        assert float(row["validation_loss"]) == epoch.validation_loss
        assert int(row["iteration"]) == epoch.iteration


def test_each_line_is_there_at_once(tmp_path):
    seen = []

    def watched(snapshot):
        log(snapshot)
        seen.append(len(lines(log.path)))

    with CsvLogger(tmp_path / "log.csv") as log:
        minimise(watched, max_iter=5)
    assert seen == [1, 2, 3, 4, 5, 6]


def test_runs_are_counted(tmp_path):
    with CsvLogger(tmp_path / "log.csv") as log:
        first, second = train(log), train(log, seed=1)
    runs = [row["run"] for row in lines(log.path)]
    assert runs == ["1"] * len(first.history) + ["2"] * len(second.history)


def test_replacing_and_going_on(tmp_path):
    path = tmp_path / "log.csv"
    for append, expected in ((False, ["1"]), (True, ["1", "2"]), (True, ["1", "2", "3"])):
        with CsvLogger(path, append=append) as log:
            minimise(log, max_iter=2)
        assert sorted({row["run"] for row in lines(path)}) == expected
    with CsvLogger(path) as log:
        minimise(log, max_iter=2)
    assert {row["run"] for row in lines(path)} == {"1"}
    with pytest.raises(InputError, match="has the columns"), CsvLogger(path, append=True) as log:
        train(log)


def test_what_was_logged_survives_an_error(tmp_path):
    def fails_later(x):
        if calls.append(1) or len(calls) > 8:
            raise RuntimeError("broken")
        return rosenbrock(x)

    calls: list[int] = []
    with pytest.raises(RuntimeError, match="broken"), CsvLogger(tmp_path / "log.csv") as log:
        secant.minimize(fails_later, np.array([-1.2, 1.0]), callback=log)
    assert len(lines(log.path)) >= 1


def test_a_closed_logger_says_so(tmp_path):
    log = CsvLogger(tmp_path / "log.csv")
    log.close()
    log.close()
    with pytest.raises(InputError, match="the logger is closed"):
        log(History())
    assert not log.path.exists()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        minimise(CsvLogger(tmp_path / "file" / "log.csv"))


def scalars(folder):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = accumulator.EventAccumulator(str(folder))
    found.Reload()
    return {
        name: [(event.step, event.value) for event in found.Scalars(name)]
        for name in found.Tags()["scalars"]
    }


def test_tensorboard_has_every_iteration(tmp_path):
    pytest.importorskip("tensorboard")
    with TensorBoardLogger(tmp_path / "board") as log:
        first = train(log)
        result = minimise(log)
    found = scalars(log.folder)
    losses = [(epoch.iteration, epoch.validation_loss) for epoch in first.history]
    np.testing.assert_allclose(found["validation_loss"], losses, rtol=1e-6)
    assert "damping" not in found  # NaN: l-bfgs has none
    values = scalars(log.folder / "run-2")["value"]
    assert [step for step, _ in values] == list(range(result.nit + 1))
    assert values[-1][1] == pytest.approx(result.fun, rel=1e-6, abs=1e-30)


def test_tensorboard_leaves_out_what_is_not_finite(tmp_path):
    pytest.importorskip("tensorboard")
    history = History([Epoch(0, 0.0, 1.0, math.inf, math.nan, 2.0, 0.0, 1)])
    with TensorBoardLogger(tmp_path) as log:
        log(history)
    assert scalars(tmp_path).keys() == {
        "seconds",
        "objective",
        "gradient_norm",
        "step",
        "evaluations",
    }


def test_a_missing_package_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(InputError, match=r"pip install 'secant\[tensorboard\]'"):
        TensorBoardLogger(tmp_path)
