"""Several starts, and growing the number of neurons."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

import secant
from secant.learn import GrowingNeurons, LossIndex, Perceptron, Strategy, select_order
from secant.learn import restarts as restarts_module
from secant.learn.error_terms import MeanSquared
from secant.learn.errors import InputError
from secant.learn.restarts import score, train_from_starts
from secant.learn.strategy import Sample
from secant.report.order_selection import order_curves

INDEX = LossIndex(MeanSquared(), 1e-6)
STRATEGY = Strategy("lm", max_iter=60, patience=15, tol=1e-7)


def wave(rows: int, seed: int, bumps: float = 5.0) -> Sample:
    random = np.random.default_rng(seed)
    x = random.uniform(-1, 1, size=(rows, 1))
    y = np.sin(bumps * x) + 0.1 * random.normal(size=(rows, 1))
    return Sample(torch.as_tensor(x), torch.as_tensor(y))


TRAIN, VALIDATION = wave(50, 0), wave(80, 1)


def validation_loss(network: Perceptron) -> float:
    with torch.no_grad():
        return float(INDEX.error(network(VALIDATION.inputs), VALIDATION.targets))


# ------------------------------------------------------------------------------------- starts


def test_the_best_of_all_starts_is_kept():
    network = Perceptron((1, 3, 1), seed=0)
    found = train_from_starts(network, INDEX, TRAIN, VALIDATION, STRATEGY, starts=5)
    losses = [training.best.validation_loss for training in found.trainings]
    assert len(losses) == 5
    assert len(set(losses)) > 1
    assert found.chosen == int(np.argmin(losses))
    assert validation_loss(network) == pytest.approx(min(losses), rel=1e-12)


def test_the_first_start_is_the_network_as_it_was():
    one, other = Perceptron((1, 3, 1), seed=4), Perceptron((1, 3, 1), seed=4)
    train_from_starts(one, INDEX, TRAIN, VALIDATION, STRATEGY)
    restarts_module.train_network(other, INDEX, TRAIN, VALIDATION, STRATEGY)
    assert all(map(torch.equal, one.parameters(), other.parameters()))


def test_without_validation_rows_the_objective_decides():
    network = Perceptron((1, 3, 1), seed=0)
    found = train_from_starts(network, INDEX, TRAIN, None, STRATEGY, starts=3)
    objectives = [training.best.objective for training in found.trainings]
    assert found.best.best.objective == min(objectives)
    assert score(found.best, False) == min(objectives)


def test_a_start_that_cannot_be_trained_is_left_out(monkeypatch):
    calls = itertools.count()
    real = restarts_module.train_network

    def sometimes(*arguments):
        if next(calls) == 0:
            raise InputError("the loss is not finite")
        return real(*arguments)

    monkeypatch.setattr(restarts_module, "train_network", sometimes)
    network = Perceptron((1, 3, 1), seed=0)
    found = train_from_starts(network, INDEX, TRAIN, VALIDATION, STRATEGY, starts=2)
    assert found.trainings[0] is None
    assert found.chosen == 1

    def never(*arguments):
        raise InputError("the loss is not finite")

    monkeypatch.setattr(restarts_module, "train_network", never)
    with pytest.raises(InputError, match="not finite"):
        train_from_starts(network, INDEX, TRAIN, VALIDATION, STRATEGY, starts=2)


def test_no_time_left_for_another_start():
    network = Perceptron((1, 3, 1), seed=0)
    found = train_from_starts(
        network, INDEX, TRAIN, VALIDATION, STRATEGY, starts=50, total_seconds=0.01
    )
    assert len(found.trainings) < 50
    with pytest.raises(InputError, match="starts must be at least 1, not 0"):
        train_from_starts(network, INDEX, TRAIN, VALIDATION, STRATEGY, starts=0)


class Interrupt:
    """A progress that is Ctrl-C in the iteration `at` of all trainings together."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.calls = 0

    def __call__(self, history: object) -> None:
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("at", [3, 75, 140])
def test_ctrl_c_ends_all_starts_and_keeps_the_best(at):
    network = Perceptron((1, 3, 1), seed=0)
    watch = Interrupt(at)
    found = train_from_starts(
        network,
        INDEX,
        TRAIN,
        VALIDATION,
        replace(STRATEGY, patience=10**6, tol=0.0),  # 60 iterations each
        starts=5,
        progress=watch,
    )
    assert watch.calls == at  # nothing goes on after it
    assert len(found.trainings) == -(-at // 60)
    assert found.interrupted
    assert found.best.status is secant.Status.INTERRUPTED
    losses = [training.best.validation_loss for training in found.trainings]
    assert found.chosen == int(np.argmin(losses))
    assert validation_loss(network) == pytest.approx(min(losses), rel=1e-12)


def test_ctrl_c_between_two_starts_keeps_the_first(monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(restarts_module, "initialise", interrupted)
    network, alone = Perceptron((1, 3, 1), seed=4), Perceptron((1, 3, 1), seed=4)
    found = train_from_starts(network, INDEX, TRAIN, VALIDATION, STRATEGY, starts=3)
    assert (len(found.trainings), found.chosen, found.interrupted) == (1, 0, True)
    assert not train_from_starts(alone, INDEX, TRAIN, VALIDATION, STRATEGY).interrupted
    assert all(map(torch.equal, network.parameters(), alone.parameters()))


def test_ctrl_c_before_anything_was_trained_is_not_hidden(monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(restarts_module, "train_network", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_from_starts(Perceptron((1, 3, 1)), INDEX, TRAIN, VALIDATION, STRATEGY, starts=3)
    with pytest.raises(KeyboardInterrupt):
        select_order(Perceptron((1, 1, 1)), INDEX, TRAIN, VALIDATION, STRATEGY)


# ------------------------------------------------------------------------------------- growing


def test_a_wave_needs_several_neurons():
    growing = GrowingNeurons(minimum=1, maximum=9, step=2, trials=3)
    seen = []
    found = select_order(
        Perceptron((1, 1, 1)), INDEX, TRAIN, VALIDATION, STRATEGY, growing, seen.append
    )
    assert [trial.neurons for trial in found.trials] == [1, 3, 5, 7, 9]
    assert seen == list(found.trials)
    assert found.neurons > 1
    losses = [trial.validation_loss for trial in found.trials]
    assert losses[0] > 5 * min(losses)
    assert found.best.validation_loss == min(losses)
    assert found.network.sizes == (1, found.neurons, 1)
    assert validation_loss(found.network) == pytest.approx(min(losses), rel=1e-12)
    for trial in found.trials:
        assert trial.weights == 3 * trial.neurons + 1
        assert len(trial.validation_losses) == 3
        assert trial.validation_loss == min(trial.validation_losses)


@pytest.mark.parametrize("at", [1, 5])
def test_ctrl_c_ends_the_growing(monkeypatch, at):
    """In the fifth training: the second start of the third size."""
    calls = itertools.count(1)
    real = restarts_module.train_network

    def watched(*arguments):
        if next(calls) == 5:
            arguments = (*arguments[:-1], Interrupt(at))
        return real(*arguments)

    monkeypatch.setattr(restarts_module, "train_network", watched)
    growing = GrowingNeurons(minimum=1, maximum=9, trials=2)
    found = select_order(Perceptron((1, 1, 1)), INDEX, TRAIN, VALIDATION, STRATEGY, growing)
    assert next(calls) == 6
    assert found.interrupted
    assert [trial.neurons for trial in found.trials] == [1, 2, 3]
    assert found.best.validation_loss == min(trial.validation_loss for trial in found.trials)
    assert validation_loss(found.network) == pytest.approx(found.best.validation_loss, rel=1e-12)


def test_a_size_gives_the_same_whatever_was_tried_before():
    short = GrowingNeurons(minimum=3, maximum=3, trials=2)
    long = replace(short, minimum=1)
    alone = select_order(Perceptron((1, 1, 1)), INDEX, TRAIN, VALIDATION, STRATEGY, short)
    after = select_order(Perceptron((1, 1, 1)), INDEX, TRAIN, VALIDATION, STRATEGY, long)
    assert alone.trials[0].validation_losses == after.trials[2].validation_losses


def test_it_stops_when_more_neurons_do_not_help():
    random = np.random.default_rng(2)
    noise = [Sample(TRAIN.inputs, torch.as_tensor(random.normal(size=(50, 1)))) for _ in range(2)]
    growing = GrowingNeurons(maximum=10, trials=1, patience=2)
    found = select_order(Perceptron((1, 1, 1)), INDEX, *noise, STRATEGY, growing)
    losses = [trial.validation_loss for trial in found.trials]
    assert len(losses) < 10
    assert losses[-3] == min(losses) < min(losses[-2:])


def test_one_of_several_hidden_layers_grows():
    growing = GrowingNeurons(minimum=2, maximum=3, trials=1, layer=1)
    network = Perceptron((1, 4, 1, 1), "logistic").to(torch.float64)
    found = select_order(network, INDEX, TRAIN, VALIDATION, STRATEGY, growing)
    assert found.network.sizes == (1, 4, found.neurons, 1)
    assert found.network.activation == "logistic"
    assert network.sizes == (1, 4, 1, 1)


def test_one_second_is_the_limit_of_all():
    growing = GrowingNeurons(maximum=10**6, trials=1, max_seconds=0.2)
    found = select_order(Perceptron((1, 1, 1)), INDEX, TRAIN, VALIDATION, STRATEGY, growing)
    assert 1 <= len(found.trials) < 10**5


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"minimum": 0}, "minimum must be at least 1, not 0"),
        ({"minimum": 5, "maximum": 4}, "maximum must be at least minimum, 5, not 4"),
        ({"trials": 0}, "trials must be at least 1"),
        ({"layer": -1}, "layer must be at least 0"),
        ({"max_seconds": 0.0}, "max_seconds must be a positive number"),
    ],
)
def test_settings_that_make_no_sense(options, sentence):
    with pytest.raises(InputError, match=sentence):
        GrowingNeurons(**options)


def test_what_the_network_has_not():
    with pytest.raises(InputError, match="layer must be one of the 1 hidden layers"):
        select_order(
            Perceptron((1, 2, 1)), INDEX, TRAIN, VALIDATION, STRATEGY, GrowingNeurons(layer=1)
        )
    with pytest.raises(InputError, match="needs an activation that saturates"):
        select_order(
            Perceptron((1, 2, 1), "relu"), INDEX, TRAIN, VALIDATION, STRATEGY,
            GrowingNeurons(initialisation="nguyen-widrow"),
        )  # fmt: skip


def test_the_picture_shows_every_size():
    growing = GrowingNeurons(maximum=3, trials=2)
    found = select_order(Perceptron((1, 1, 1)), INDEX, TRAIN, VALIDATION, STRATEGY, growing)
    (axes,) = order_curves(found).axes
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines["training"].get_xdata()) == [1, 2, 3]
    losses = [trial.validation_loss for trial in found.trials]
    np.testing.assert_array_equal(lines["validation"].get_ydata(), losses)
    assert f"chosen: {found.neurons}" in lines
