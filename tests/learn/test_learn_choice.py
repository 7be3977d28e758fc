"""What "auto" chooses, and that it goes on when a choice fails."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from secant.learn import LossIndex, Perceptron, Strategy, automatic, train_network
from secant.learn.choice import (
    DENSE_WEIGHTS,
    FULL_BATCH,
    SMALL_WEIGHTS,
    Circumstances,
    available_memory,
    choose,
)
from secant.learn.error_terms import BinaryCrossEntropy, MeanSquared
from secant.learn.errors import InputError
from secant.learn.strategy import Sample
from secant.status import Status


def first(**case) -> str:
    return choose(Circumstances(**case))[0].method


def test_the_size_decides():
    assert first(weights=97, rows=970, squares=True) == "lm"
    assert first(weights=97, rows=969, squares=True) == "ssbroyden"
    assert first(weights=769, rows=300, squares=True) == "lm"
    assert first(weights=769, rows=300, squares=True, penalty=1.0) == "l-bfgs"
    assert first(weights=193, rows=4_420) == "ssbroyden"
    assert first(weights=50_000, rows=442) == "l-bfgs"
    assert first(weights=50_000, rows=10**9) == "adam"
    assert first(weights=50, rows=500, absolute=True) == "owl-qn"


def test_a_validation_loss_is_no_goal_for_long_steps():
    """But where rows are many for the weights, Levenberg-Marquardt predicts best, too."""
    case = {"squares": True, "validated": True}
    assert first(weights=769, rows=300, **case) == "l-bfgs"
    assert first(weights=385, rows=300, **case) == "ssbroyden"
    assert first(weights=97, rows=970, **case) == "lm"
    random = np.random.default_rng(0)
    x = torch.as_tensor(random.normal(size=(60, 3)))
    train, held = Sample(x[:40], x[:40, :1]), Sample(x[40:], x[40:, :1])
    for validation, expected in ((None, "lm"), (held, "ssbroyden")):
        network = Perceptron((3, 20, 1))
        strategy = Strategy("auto", max_iter=3)
        training = train_network(network, LossIndex(MeanSquared()), train, validation, strategy)
        assert training.method == expected


def test_the_lines():
    rows = 10 * DENSE_WEIGHTS
    assert first(weights=DENSE_WEIGHTS, rows=rows) == "ssbroyden"
    assert first(weights=DENSE_WEIGHTS + 1, rows=rows) == "l-bfgs"
    assert first(weights=1_000, rows=10) == "l-bfgs"
    assert first(weights=SMALL_WEIGHTS, rows=10) == "ssbroyden"
    assert first(weights=SMALL_WEIGHTS + 1, rows=10) == "l-bfgs"
    weights = 10**6
    assert first(weights=weights, rows=int(FULL_BATCH / weights)) == "l-bfgs"
    assert first(weights=weights, rows=int(FULL_BATCH / weights) + 1) == "adam"


def test_classes_are_learnt_with_few_pairs():
    for weights, rows in ((10, 1_000), (300, 100), (1_000, 10_000), (50_000, 100)):
        chosen = choose(Circumstances(weights, rows, classes=True))
        assert [(one.method, one.pairs) for one in chosen] == [("l-bfgs", 12), ("adam", None)]


def test_memory_decides_too():
    case = {"weights": 1_000, "rows": 10_000}
    assert first(**case, memory=1e9) == "ssbroyden"
    assert first(**case, memory=2e7) == "l-bfgs"
    assert first(**case, memory=2e7, itemsize=2) == "ssbroyden"
    assert first(weights=97, rows=4_420, squares=True, memory=1e5) != "lm"
    (limited,) = [one for one in choose(Circumstances(1_000, 10)) if one.method == "l-bfgs"]
    (tight,) = [one for one in choose(Circumstances(1_000, 10, memory=1e6)) if one.pairs]
    assert (limited.pairs, tight.pairs) == (60, 12)
    assert available_memory() > 1e6


def test_every_choice_has_its_reason_and_another_to_follow():
    cases = [
        Circumstances(weights, rows, squares=squares, batches=batches)
        for weights in (10, 3_000, 10**6)
        for rows in (100, 10**5, 10**8)
        for squares in (False, True)
        for batches in (False, True)
    ]
    for case in cases:
        candidates = choose(case)
        assert all(one.reason for one in candidates)
        assert "adam" not in {one.method for one in candidates} or case.batches
        assert len({one.method for one in candidates}) == len(candidates)
        assert "l-bfgs" in {one.method for one in candidates}


def table(rows: int = 300, outputs: int = 1) -> tuple[Perceptron, Sample]:
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 3))
    y = np.tanh(x @ random.normal(size=(3, outputs))) + 0.1 * random.normal(size=(rows, outputs))
    return Perceptron((3, 4, outputs), seed=1), Sample(torch.as_tensor(x), torch.as_tensor(y))


def test_a_training_says_what_was_chosen_and_why():
    network, rows = table()
    training = train_network(network, LossIndex(MeanSquared(), 1e-4), rows, None, Strategy("auto"))
    assert training.method == "lm"
    assert training.reason == ("a sum of 300 squares of 21 weights: Levenberg-Marquardt")
    named = train_network(network, LossIndex(MeanSquared()), rows, None, Strategy("bfgs"))
    assert (named.method, named.reason) == ("bfgs", "")


def test_the_loss_decides():
    network, rows = table()
    labels = Sample(rows.inputs, (rows.targets > 0).to(torch.float64))
    index = LossIndex(BinaryCrossEntropy(), 1e-3)
    assert train_network(network, index, labels, None, Strategy("auto")).method == "l-bfgs"
    index = LossIndex(MeanSquared(), l1=1e-3)
    assert (
        train_network(network, index, rows, None, Strategy("auto", max_iter=20)).method == "owl-qn"
    )


class Scripted:
    """A `train_network` in which some methods fail."""

    def __init__(self, endings: dict[str, Status | BaseException]) -> None:
        self.endings = endings
        self.called: list[str] = []

    def __call__(self, network, index, train, validation, strategy, progress):
        from dataclasses import replace

        self.called.append(strategy.method)
        ending = self.endings.get(strategy.method)
        if isinstance(ending, BaseException):
            raise ending
        short = replace(strategy, max_iter=min(3, strategy.max_iter))
        training = train_network(network, index, train, validation, short, progress)
        return replace(training, status=ending) if ending else training


def run(endings, **options):
    network, rows = table()
    scripted = Scripted(endings)
    training = automatic.train_automatically(
        scripted,
        network,
        LossIndex(MeanSquared(), 1e-4),
        rows,
        None,
        Strategy("auto", **options),
        None,
    )
    return training, scripted.called, network, rows


def out_of_memory() -> InputError:
    error = InputError("method 'lm' needs more memory than there is")
    error.__cause__ = MemoryError()
    return error


def test_the_next_method_goes_on_where_one_failed():
    training, called, network, rows = run({"lm": Status.SEARCH_FAILED})
    assert called == ["lm", "ssbroyden"]
    assert training.method == "ssbroyden"
    assert training.reason.startswith(
        "lm ended (failed: no step along a descent direction lowers f); "
    )
    iterations = training.history.column("iteration")
    assert iterations == list(range(training.iterations + 1))
    assert training.iterations == 6
    assert training.best.objective == min(training.history.column("objective"))
    with torch.no_grad():
        now = float(LossIndex(MeanSquared(), 1e-4)(network, rows.inputs, rows.targets))
    assert now == pytest.approx(training.best.objective, rel=1e-12)
    evaluations = training.history.column("evaluations")
    assert evaluations == sorted(evaluations)


def test_limits_hold_for_all_methods_together():
    failing = {"lm": Status.SEARCH_FAILED, "ssbroyden": Status.SEARCH_FAILED}
    training, called, _, _ = run(failing, max_iter=8)
    assert (called, training.iterations) == (["lm", "ssbroyden", "l-bfgs"], 8)
    training, called, _, _ = run(failing, max_iter=6)
    assert (called, training.iterations) == (["lm", "ssbroyden"], 6)
    training, called, _, _ = run({"lm": Status.SEARCH_FAILED}, max_evals=2)
    assert called == ["lm"]


def test_ctrl_c_before_the_next_method_has_begun():
    training, called, _, _ = run({"lm": Status.SEARCH_FAILED, "ssbroyden": KeyboardInterrupt()})
    assert called == ["lm", "ssbroyden"]
    assert (training.status, training.iterations) == (Status.INTERRUPTED, 3)
    with pytest.raises(KeyboardInterrupt):
        run({"lm": KeyboardInterrupt()})


def test_a_method_without_the_memory_it_needs_is_passed_over():
    training, called, _, _ = run({"lm": out_of_memory()})
    assert called == ["lm", "ssbroyden"]
    assert training.reason.startswith("lm had too little memory; ")


def test_when_all_fail_the_last_word_is_theirs():
    everything = dict.fromkeys(("lm", "ssbroyden", "l-bfgs", "adam"), Status.DIVERGED)
    training, called, _, _ = run(everything)
    assert called == ["lm", "ssbroyden", "l-bfgs", "adam"]
    assert training.status is Status.DIVERGED
    memory = {method: out_of_memory() for method in everything}
    with pytest.raises(InputError, match="more memory than there is"):
        run(memory)


def test_limits_are_no_failures():
    training, called, _, _ = run({"lm": Status.MAX_ITERATIONS})
    assert called == ["lm"]
    assert training.status is Status.MAX_ITERATIONS


def test_what_the_user_can_put_right_is_not_passed_over():
    with pytest.raises(InputError, match="no numbers"):
        run({"lm": InputError("no numbers")})


def test_pairs_are_for_l_bfgs():
    network, rows = table()
    index = LossIndex(MeanSquared(), 1e-4)
    few = train_network(network, index, rows, None, Strategy("l-bfgs", pairs=1, max_iter=30))
    network, rows = table()
    many = train_network(network, index, rows, None, Strategy("l-bfgs", pairs=40, max_iter=30))
    assert many.best.objective < few.best.objective
    with pytest.raises(InputError, match="pairs is for the method 'l-bfgs', not 'bfgs'"):
        Strategy("bfgs", pairs=3)


def test_max_evals_is_a_limit():
    network, rows = table()
    strategy = Strategy("l-bfgs", max_evals=9)
    training = train_network(network, LossIndex(MeanSquared(), 1e-4), rows, None, strategy)
    assert training.status is Status.MAX_EVALUATIONS
    assert 9 <= training.evaluations < 14
