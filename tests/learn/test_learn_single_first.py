"""First iterations in single precision: what ends a training is judged in double."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from secant.learn import LossIndex, Perceptron, Strategy, train_network
from secant.learn.automatic import circumstances
from secant.learn.choice import SINGLE_DISTANCE, SINGLE_WORK, Circumstances, choose
from secant.learn.closed_form.objective import Objective, weights_of
from secant.learn.error_terms import BinaryCrossEntropy, CrossEntropy, MeanSquared
from secant.learn.errors import InputError
from secant.learn.sample import Sample
from secant.status import Status

METHODS = ["l-bfgs", "ssbroyden", "bfgs", "cg"]


def table(rows: int = 400, seed: int = 0) -> Sample:
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 3))
    y = np.sin(x.sum(axis=1, keepdims=True)) + 0.1 * random.normal(size=(rows, 1))
    return Sample(torch.as_tensor(x), torch.as_tensor(y))


TRAIN, HELD = table(), table(100, seed=1)
INDEX = LossIndex(MeanSquared(), l2=1e-3)
STRATEGY = Strategy("l-bfgs", single_first=True, gtol=1e-7, max_iter=2_000)


def network() -> Perceptron:
    return Perceptron((3, 6, 1), seed=0)


def in_double(trained: Perceptron, train: Sample = TRAIN, index: LossIndex = INDEX):
    """Objective and gradient at the network's weights, by the float64 closed form."""
    f, g = Objective(trained, index, train.inputs, train.targets)(weights_of(trained))
    return f, np.abs(g).max()


@pytest.mark.parametrize("term", [MeanSquared(), BinaryCrossEntropy(), CrossEntropy()])
def test_the_objective_in_single_is_the_objective(term):
    count = 3 if isinstance(term, CrossEntropy) else 1
    labels = torch.as_tensor(np.random.default_rng(2).integers(0, max(count, 2), (400, 1)))
    targets = labels.reshape(-1) if count == 3 else labels.to(torch.float64)
    weights = torch.linspace(0.5, 1.5, 400, dtype=torch.float64)
    whole = Perceptron((3, 6, count), seed=0)
    double = Objective(whole, LossIndex(term, l2=1e-3), TRAIN.inputs, targets, weights)
    single, x = double.in_single(), weights_of(whole)
    f, g = double(x)
    f32, g32 = single(x.astype(np.float32))
    assert g32.dtype == np.float32
    assert f32 == pytest.approx(f, rel=1e-6)
    np.testing.assert_allclose(g32, g, atol=2e-6 * np.abs(g).max())
    assert double(x)[0] == f  # nothing is shared that the other writes to


@pytest.mark.parametrize("method", METHODS)
def test_the_end_is_found_in_double(method):
    trained = network()
    strategy = replace(STRATEGY, method=method)
    training = train_network(trained, INDEX, TRAIN, None, strategy)
    f, optimality = in_double(trained)
    assert training.status is Status.GRADIENT
    assert optimality <= STRATEGY.gtol
    assert training.best.objective == f
    iterations = [epoch.iteration for epoch in training.history]
    assert iterations == list(range(training.iterations + 1))
    evaluations = training.history.column("evaluations")
    assert np.all(np.diff(evaluations) > 0)
    assert evaluations[-1] == training.evaluations


def test_single_precision_costs_no_iterations():
    """The curvature learned in float32 is not learned again."""
    double, single = (
        train_network(network(), INDEX, TRAIN, None, replace(STRATEGY, single_first=first))
        for first in (False, True)
    )
    assert single.iterations <= 1.2 * double.iterations
    assert single.best.objective == pytest.approx(double.best.objective, rel=0.1)
    early = [one.history.column("objective")[:10] for one in (double, single)]
    np.testing.assert_allclose(early[1], early[0], rtol=1e-4)
    assert early[0] != early[1]


def test_a_limit_among_the_first_iterations():
    trained = network()
    training = train_network(trained, INDEX, TRAIN, None, replace(STRATEGY, max_iter=5))
    assert training.status is Status.MAX_ITERATIONS
    assert training.iterations == len(training.history) - 1 == 5
    assert training.best.objective == in_double(trained)[0]
    assert training.history.epochs[5] is training.best
    penalty = INDEX.l2 * sum(float(w.detach().square().sum()) for w in trained.weights())
    assert training.best.training_loss == pytest.approx(training.best.objective - penalty)


def test_limits_hold_for_both_parts_together():
    whole = train_network(network(), INDEX, TRAIN, None, STRATEGY)
    for limit in (whole.iterations - 1, whole.iterations - 10):
        part = train_network(network(), INDEX, TRAIN, None, replace(STRATEGY, max_iter=limit))
        assert (part.status, part.iterations) == (Status.MAX_ITERATIONS, limit)
    limit = whole.evaluations - 5
    part = train_network(network(), INDEX, TRAIN, None, replace(STRATEGY, max_evals=limit))
    assert part.status is Status.MAX_EVALUATIONS
    assert limit <= part.evaluations <= limit + 3


def test_a_goal_is_judged_in_double():
    trained = network()
    strategy = replace(STRATEGY, goal=0.03)
    training = train_network(trained, LossIndex(MeanSquared()), TRAIN, None, strategy)
    assert training.status is Status.TARGET
    f, _ = in_double(trained, index=LossIndex(MeanSquared()))
    assert f == training.best.objective <= 0.03


def test_a_validation_stop_keeps_the_best_weights():
    trained = network()
    training = train_network(
        trained, LossIndex(MeanSquared()), TRAIN, HELD, replace(STRATEGY, patience=5)
    )
    assert training.status is Status.VALIDATION_STOP
    losses = training.history.column("validation_loss")
    assert training.best.validation_loss == min(losses)
    assert training.iterations - training.best.iteration == 5
    index = LossIndex(MeanSquared())
    assert in_double(trained, HELD, index)[0] == pytest.approx(min(losses), rel=1e-6)
    assert in_double(trained, index=index)[0] == training.best.objective


@pytest.mark.parametrize("method", ["l-bfgs", "ssbroyden", "hessian-free"])
def test_numbers_too_large_for_single_precision(method):
    """Nothing is learned from them, and the training is that of double precision."""
    large = Sample(TRAIN.inputs, 1e20 * TRAIN.targets)
    single, double = (
        train_network(
            network(),
            LossIndex(MeanSquared()),
            large,
            None,
            Strategy(method, single_first=first, max_iter=15),
        )
        for first in (True, False)
    )
    objective = single.history.column("objective")
    assert objective == double.history.column("objective")
    assert objective[0] == pytest.approx(float(large.targets.square().mean()), rel=1e-3)
    assert single.best.objective < objective[0]
    assert single.evaluations == double.evaluations + 1


def test_the_evaluations_of_a_step_that_failed_are_counted():
    """In both columns of the account: where float32 finds no step, the evaluations had no iteration."""
    small = Sample(TRAIN.inputs, 1e-3 * TRAIN.targets + 1e3)
    strategy = replace(STRATEGY, method="newton", max_iter=100)
    training = train_network(network(), LossIndex(MeanSquared()), small, None, strategy)
    assert training.history.epochs[-1].evaluations == training.evaluations


def test_an_interruption_of_the_first_part():
    def interrupt(history):
        if len(history) == 4:
            raise KeyboardInterrupt

    trained = network()
    training = train_network(trained, INDEX, TRAIN, None, STRATEGY, interrupt)
    assert (training.status, training.iterations) == (Status.INTERRUPTED, 3)
    assert training.best.objective == in_double(trained)[0]


@pytest.mark.parametrize("held", [None, HELD])
def test_an_interruption_of_the_second_evaluation_of_the_last_weights(monkeypatch, held):
    """The first one in float64, between the two parts: what was learned is kept."""
    evaluate = Objective.__call__

    def interrupted(self, x):
        if x.dtype == np.float64:
            raise KeyboardInterrupt
        return evaluate(self, x)

    trained = network()
    with monkeypatch.context() as patch:
        patch.setattr(Objective, "__call__", interrupted)
        training = train_network(trained, INDEX, TRAIN, held, replace(STRATEGY, patience=10**4))
    assert training.status is Status.INTERRUPTED
    assert training.iterations == len(training.history) - 1 > 10
    assert training.best in training.history.epochs
    assert training.best.objective == in_double(trained)[0]


def test_a_float32_network_has_one_part():
    sample = Sample(TRAIN.inputs.float(), TRAIN.targets.float())
    results = [
        train_network(
            Perceptron((3, 6, 1), dtype=torch.float32),
            INDEX,
            sample,
            None,
            replace(STRATEGY, single_first=first, max_iter=20),
        ).best.objective
        for first in (False, True)
    ]
    assert results[0] == results[1]


def test_auto_begins_in_single_precision_where_an_evaluation_costs_more_than_its_calls():
    large = Circumstances(weights=1_000, rows=SINGLE_WORK // 1_000)
    for case, expected in (
        (large, True),
        (replace(large, rows=large.rows - 1), False),
        (replace(large, itemsize=4), False),
        (replace(large, batches=False), False),
        (replace(large, inputs=10**6, memory=1e6), False),
        (replace(large, distance=SINGLE_DISTANCE), True),
        (replace(large, distance=1.01 * SINGLE_DISTANCE), False),
    ):
        first = choose(case)[0]
        assert (first.method, first.single_first) == ("l-bfgs", expected)
    assert all(not one.single_first for one in choose(large) if one.method in ("adam", "lm"))


def test_how_far_a_table_is_from_zero():
    """In standard deviations of its columns, where constant ones and places of classes do not count."""
    inputs = torch.stack([torch.full((4,), 0.1), torch.tensor([-1.0, 1.0, -1.0, 1.0])], 1).double()
    for targets, expected in (
        (torch.tensor([[1e6], [1e6 + 2], [1e6], [1e6 + 2]], dtype=torch.float64), 1e6 + 1),
        (torch.tensor([0, 1, 2, 1]), 0.0),
    ):
        sample = Sample(inputs, targets)
        distance = circumstances(Perceptron((2, 3, 1)), INDEX, sample).distance
        assert distance == pytest.approx(expected, rel=1e-3)


def test_auto_learns_small_differences_of_large_targets():
    """Of which float32 would make whole numbers: the choice leaves it out there, and there alone."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(1_000, 6))
    targets = 1e7 + np.sin(inputs.sum(axis=1, keepdims=True))
    sample = Sample(torch.as_tensor(inputs), torch.as_tensor(targets))
    strategy = Strategy("auto", max_iter=60)
    results = []
    for given in (sample, Sample(sample.inputs, sample.targets - 1e7)):
        training = train_network(
            Perceptron((6, 16, 1)), LossIndex(MeanSquared()), given, None, strategy
        )
        results.append(training)
    far, near = results
    assert "float32" not in far.reason
    assert "begun in float32" in near.reason


@pytest.mark.parametrize("method", ["auto", "lm", "owl-qn", "adam"])
def test_methods_that_cannot_begin_in_single_precision(method):
    with pytest.raises(InputError, match=f"single_first is for methods .*, not '{method}'"):
        Strategy(method, single_first=True)
