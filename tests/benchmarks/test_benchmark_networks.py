"""The race over real networks: sane rows, and tables that say what was not reached. No time is asserted."""

import math

import torch

from benchmarks import networks, torch_optimizers
from benchmarks.networks import Curve


def test_tasks_are_what_they_are_called():
    regression, classes = networks.diabetes(), networks.digits()
    assert sum(p.numel() for p in regression.network.parameters()) == 889
    assert sum(p.numel() for p in classes.network.parameters()) == 2410
    assert abs(classes.loss().item() - math.log(10)) < 0.2  # ten classes, nothing learned
    assert regression.loss().item() == networks.diabetes().loss().item()
    assert regression.loss().item() != networks.diabetes(seed=1).loss().item()


def test_a_drop_in_run_records_every_evaluation():
    task = networks.diabetes()
    make = torch_optimizers.DROP_IN[torch_optimizers.OURS[0]]
    curve = torch_optimizers.train(task, make, 0.05, "a run")
    assert curve.label == "a run"
    assert curve.lowest < curve.loss[0]
    assert curve.seconds == sorted(curve.seconds)
    assert len(curve.loss) == len(curve.seconds)


def test_a_run_ends_at_round_off(monkeypatch):
    monkeypatch.setattr(torch_optimizers, "ENOUGH", 1e9)
    curve = torch_optimizers.train(networks.diabetes(), torch_optimizers.adam(0.1), 60.0)
    assert len(curve.loss) == 1


def test_the_first_time_at_a_loss():
    curve = Curve("", [0.1, 0.2, 0.3], [3.0, 1.0, 2.0])
    assert torch_optimizers.reached(curve, 2.0) == 0.2
    assert torch_optimizers.reached(curve, 0.5) == math.inf
    assert torch_optimizers.row(curve, (2.0, 0.5))["seconds"] == [0.2, None]


def test_measures_and_prints_a_table(monkeypatch):
    linear = torch.nn.Linear(10, 1).double()
    weights = {name: value.clone() for name, value in linear.state_dict().items()}

    def task(seed):
        linear.load_state_dict(weights)
        big = networks.diabetes()
        return networks.Task(linear, big.inputs, big.targets, big.criterion)

    monkeypatch.setattr(torch_optimizers, "TASKS", {"diabetes": task})
    monkeypatch.setitem(
        torch_optimizers.LOSSES, "diabetes", (0.9, 0.1)
    )  # least squares ends at 0.48
    monkeypatch.setitem(networks.RATES, "Adam", (1e-2, 1e-1))
    found = torch_optimizers.measure(torch_optimizers.Extent(0.05, 1))
    rows = {row["label"]: row for row in found["rows"]}
    assert list(rows)[: len(torch_optimizers.DROP_IN)] == list(torch_optimizers.DROP_IN)
    for row in rows.values():
        assert row["seconds"][0] > 0.0
        assert row["seconds"][1] is None
        assert row["lowest"] < 0.9
    text = torch_optimizers.tables(found)
    assert "Adam, rate 0.1" in text
    assert text.count(" / secant.torch") == 6
