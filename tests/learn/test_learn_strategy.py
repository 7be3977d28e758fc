"""The training run: which weights are kept, what is recorded, and why it stops."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import scale

import secant
from secant.learn import GrowingNeurons, Perceptron, Strategy, train_network
from secant.learn.closed_form.objective import Objective
from secant.learn.error_terms import BinaryCrossEntropy, Huber
from secant.learn.errors import InputError
from secant.learn.loss import LossIndex, error_term
from secant.learn.strategy import Sample
from secant.learn.targets import NumericTarget

INDEX = LossIndex(error_term("auto", NumericTarget("y", 0.0, 1.0)), l2=1e-3)


def sample(rows: int, seed: int) -> Sample:
    random = np.random.default_rng(seed)
    x = random.uniform(-2, 2, size=(rows, 2))
    y = np.sin(2 * x[:, :1]) * x[:, 1:] + random.normal(0, 0.3, size=(rows, 1))
    return Sample(torch.as_tensor(x), torch.as_tensor(y))


TRAIN, VALIDATION = sample(40, 0), sample(40, 1)


def error(network: Perceptron, rows: Sample) -> float:
    with torch.no_grad():
        return float(INDEX.error(network(rows.inputs), rows.targets))


def test_the_weights_of_the_lowest_validation_loss_are_kept():
    network = Perceptron((2, 12, 1), seed=0)
    training = train_network(network, INDEX, TRAIN, VALIDATION, Strategy(patience=15))
    losses = training.history.column("validation_loss")
    assert training.status is secant.Status.VALIDATION_STOP
    assert training.best.iteration == int(np.argmin(losses))
    assert len(losses) == training.best.iteration + 15 + 1
    assert error(network, VALIDATION) == pytest.approx(min(losses), rel=1e-13)
    assert error(network, TRAIN) == pytest.approx(training.best.training_loss, rel=1e-12)


def test_the_history_is_what_the_optimiser_did():
    network = Perceptron((2, 4, 1), seed=0)
    with torch.no_grad():
        start = float(INDEX(network, TRAIN.inputs, TRAIN.targets))
    seen = []
    training = train_network(
        network, INDEX, TRAIN, VALIDATION, Strategy(max_iter=12), lambda h: seen.append(len(h))
    )
    rows = training.history.epochs
    assert training.status is secant.Status.MAX_ITERATIONS
    assert [row.iteration for row in rows] == list(range(13))
    assert seen == list(range(2, 14))
    assert rows[0].objective == pytest.approx(start, rel=1e-14)
    assert rows[-1].objective < rows[0].objective
    assert rows[-1].evaluations == training.evaluations
    assert all(row.objective > row.training_loss for row in rows)
    assert all(a.seconds <= b.seconds for a, b in pairwise(rows))


@pytest.mark.parametrize(
    ("strategy", "status"),
    [
        (Strategy(gtol=0.1), secant.Status.GRADIENT),
        (Strategy(max_iter=2), secant.Status.MAX_ITERATIONS),
        (
            Strategy("gd", gtol=1e-300, patience=10**6, max_seconds=0.2, max_iter=10**9),
            secant.Status.TIME_LIMIT,
        ),
    ],
    ids=["gradient", "iterations", "time"],
)
def test_stops(strategy, status):
    network = Perceptron((2, 4, 1), seed=0)
    assert train_network(network, INDEX, TRAIN, VALIDATION, strategy).status is status


def test_the_goal_ends_the_training():
    network = Perceptron((2, 12, 1), seed=0)
    training = train_network(network, INDEX, TRAIN, None, Strategy(goal=0.2))
    losses = training.history.column("training_loss")
    assert training.status is secant.Status.TARGET
    assert losses[-1] <= 0.2 < min(losses[:-1])


def test_a_decrease_too_small_ends_the_training():
    network = Perceptron((2, 4, 1), seed=0)
    strategy = Strategy("gd", tol=1e-3, n_iter_no_change=3, max_iter=5000)
    training = train_network(network, INDEX, TRAIN, None, strategy)
    f = np.array(training.history.column("objective"))
    assert training.status is secant.Status.NO_PROGRESS
    lowest = np.minimum.accumulate(f)[:-1]
    failures = f[1:] >= lowest - 1e-3
    assert failures[-3:].all()
    assert not any(failures[i : i + 3].all() for i in range(len(failures) - 3))


def test_without_validation_the_lowest_index_is_kept():
    network = Perceptron((2, 12, 1), seed=0)
    training = train_network(network, INDEX, TRAIN, None, Strategy("rprop", max_iter=60))
    objective = training.history.column("objective")
    assert training.status is secant.Status.MAX_ITERATIONS
    assert training.best.iteration == int(np.argmin(objective))
    assert training.history.best == training.best
    assert math.isnan(training.best.validation_loss)
    with torch.no_grad():
        value = float(INDEX(network, TRAIN.inputs, TRAIN.targets))
    assert value == pytest.approx(min(objective), rel=1e-12)


@pytest.mark.parametrize("units", [8, 30], ids=["more rows", "more weights"])
def test_levenberg_marquardt_trains_networks(units):
    assert Strategy("levenberg-marquardt").method == "lm"
    found = []
    for method in ("lm", "l-bfgs"):
        network = Perceptron((2, units, 1), seed=0)
        strategy = Strategy(method, max_iter=40, gtol=1e-9)
        found.append(train_network(network, INDEX, TRAIN, None, strategy))
    training, peer = found
    objective = training.history.column("objective")
    assert all(a > b for a, b in pairwise(objective))
    assert training.best.objective < peer.best.objective
    assert all(row.damping > 0 for row in training.history.epochs[1:])
    assert all(math.isnan(row.effective_parameters) for row in training.history)


def test_levenberg_marquardt_ends_at_the_gradient():
    network = Perceptron((2, 4, 1), seed=0)
    training = train_network(network, INDEX, TRAIN, None, Strategy("lm", gtol=1e-7, max_iter=500))
    assert training.status is secant.Status.GRADIENT
    value = INDEX(network, TRAIN.inputs, TRAIN.targets)
    slopes = torch.autograd.grad(value, list(network.parameters()))
    assert max(float(g.abs().max()) for g in slopes) <= 1.001e-7


@pytest.mark.parametrize(
    "method", ["l-bfgs", "lm", "newton-cg", "hessian-free", "scg", "gdx", "rprop"]
)
def test_single_precision_trains(method):
    rows = Sample(TRAIN.inputs.float(), TRAIN.targets.float())
    network = Perceptron((2, 6, 1), seed=0, dtype=torch.float32)
    training = train_network(network, INDEX, rows, None, Strategy(method, max_iter=20))
    assert network.dtype is torch.float32
    assert training.best.objective < 0.9 * training.history.epochs[0].objective


def test_hessian_free_asks_for_the_squared_gradients_of_the_rows(monkeypatch):
    """Martens' preconditioner, once an iteration."""
    calls, original = [], Objective.gradient_squares

    def seen(self, x):
        calls.append(x.copy())
        return original(self, x)

    monkeypatch.setattr(Objective, "gradient_squares", seen)
    network = Perceptron((2, 6, 1), seed=0)
    train_network(network, INDEX, TRAIN, None, Strategy("hessian-free", max_iter=5))
    assert len(calls) == 5
    assert len({x.tobytes() for x in calls}) == 5


class Plain(Perceptron):
    """A perceptron that has no closed form, because a subclass may do anything."""


@pytest.mark.parametrize("method", ["l-bfgs", "newton-cg", "bfgs"])
def test_modules_without_a_closed_form_go_by_autograd(method):
    weights = torch.linspace(0.5, 1.5, 40, dtype=torch.float64)
    rows = Sample(TRAIN.inputs, TRAIN.targets, weights)
    columns = []
    for kind in (Perceptron, Plain):
        training = train_network(
            kind((2, 5, 1), seed=0), INDEX, rows, VALIDATION, Strategy(method, max_iter=8)
        )
        columns.append([training.history.column(name) for name in ("objective", "validation_loss")])
    np.testing.assert_allclose(columns[0], columns[1], rtol=1e-6)


@pytest.mark.parametrize("method", ["lm", "adam", "owl-qn"])
def test_methods_of_the_closed_form_refuse_other_modules(method):
    with pytest.raises(InputError, match=f"method '{method}' trains a Perceptron on the CPU"):
        train_network(Plain((2, 4, 1)), INDEX, TRAIN, None, Strategy(method))


def test_gdx_takes_small_rises_of_a_loss_that_falls_to_zero():
    """As MATLAB's traingdx does; the registry's method, for any function, takes none."""
    training = train_network(
        Perceptron((2, 8, 1), seed=0), INDEX, TRAIN, None, Strategy("gdx", max_iter=300)
    )
    f = np.asarray(training.history.column("objective"))
    rises = f[1:] / f[:-1] - 1.0
    assert 0.0 < rises.max() <= 0.04


def test_absolute_values_make_zeros_and_meet_their_conditions():
    index = LossIndex(INDEX.error, l1=0.02)
    network = Perceptron((2, 12, 1), seed=0)
    strategy = Strategy("owl-qn", gtol=1e-6, max_iter=3000)
    training = train_network(network, index, TRAIN, None, strategy)
    assert training.status is secant.Status.GRADIENT
    error = INDEX.error(network(TRAIN.inputs), TRAIN.targets)
    parameters = list(network.parameters())
    for p, g in zip(parameters, torch.autograd.grad(error, parameters), strict=True):
        l1 = 0.02 if p.ndim == 2 else 0.0
        zero = p == 0.0
        assert (g[zero].abs() <= l1 + 1e-6).all()
        assert ((g + l1 * p.sign())[~zero].abs() <= 1e-6).all()
    w = torch.cat([weight.reshape(-1) for weight in network.weights()])
    assert 10 <= int((w == 0.0).sum()) < 36
    assert training.best.objective - training.best.training_loss == pytest.approx(
        0.02 * float(w.detach().abs().sum())
    )


def test_absolute_values_select_the_columns_that_scikit_learn_selects():
    """The elastic net of a logistic regression, whose minimum is unique."""
    bunch = load_breast_cancer()
    x, y = scale(bunch.data[:150, :10]), bunch.target[:150]
    index = LossIndex(BinaryCrossEntropy(), l1=0.03, l2=0.004)
    network = Perceptron((10, 1), seed=0)
    rows = Sample(torch.as_tensor(x), torch.as_tensor(y))
    training = train_network(network, index, rows, None, Strategy("owl-qn", gtol=1e-9))
    assert training.status is secant.Status.GRADIENT
    # Theirs is c * sum of losses + ratio |w|_1 + (1 - ratio) |w|^2 / 2.
    total = index.l1 + 2 * index.l2
    theirs = LogisticRegression(
        C=1 / (len(y) * total), l1_ratio=index.l1 / total, solver="saga", tol=1e-9, max_iter=10_000
    ).fit(x, y)
    coefficients = network.layers[0].weight.detach().numpy()
    assert 2 <= np.sum(coefficients == 0.0) < 10
    np.testing.assert_array_equal(coefficients == 0.0, theirs.coef_ == 0.0)
    np.testing.assert_allclose(coefficients, theirs.coef_, rtol=0, atol=1e-6)
    assert network.layers[0].bias.item() == pytest.approx(theirs.intercept_[0], abs=1e-6)


def test_the_smooth_form_makes_weights_small_and_not_zero():
    network = Perceptron((2, 12, 1), seed=0)
    index = LossIndex(INDEX.error, smooth_l1=0.02, smoothing=1e-3)
    training = train_network(network, index, TRAIN, None, Strategy("bfgs", max_iter=3000))
    assert training.status.success
    w = torch.cat([weight.detach().reshape(-1).abs() for weight in network.weights()])
    assert int((w < 1e-3).sum()) >= 5
    assert int((w == 0.0).sum()) == 0


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Strategy(goal=math.nan), "goal must be a finite number, not nan"),
        (lambda: Strategy(tol=-1.0), "tol must be a number from 0, not -1.0"),
        (lambda: Strategy(learning_rate=0.1), "learning_rate is for the methods 'adam'"),
        (lambda: Strategy("lm", batch_size=10), "batch_size is for the methods 'adam'"),
        (lambda: Strategy("adam", learning_rate=0.0), "learning_rate must be a positive number"),
        (lambda: Strategy("adam", batch_size=0), "batch_size must be at least 1, not 0"),
        (lambda: Strategy("adam", seed=-1), "seed must be at least 0, not -1"),
        (lambda: Strategy(5), "method must be text, not 5"),
        (lambda: Strategy(gtol="small"), "gtol must be a number, not 'small'"),
        (lambda: Strategy(max_iter=1.5), "max_iter must be a whole number, not 1.5"),
        (lambda: Strategy(bayesian=1), "bayesian must be true or false, not 1"),
        (lambda: Huber(None), "delta must be a number, not None"),
        (lambda: LossIndex("huber"), "error must be ErrorTerm, not 'huber'"),
        (lambda: LossIndex(INDEX.error, l2=None), "l2 must be a number, not None"),
        (lambda: GrowingNeurons(maximum=[5]), r"maximum must be a whole number, not \[5\]"),
    ],
)
def test_options_that_make_no_sense_are_refused(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


@pytest.mark.parametrize("method", ["l-bfgs", "lm", "adam"])
def test_absolute_values_are_refused_where_a_gradient_is_needed(method):
    index = LossIndex(INDEX.error, l1=0.1)
    with pytest.raises(InputError, match=f"which method '{method}' needs: use method 'owl-qn'"):
        train_network(Perceptron((2, 4, 1)), index, TRAIN, None, Strategy(method))


def test_an_interruption_between_iterations_keeps_what_was_found():
    network = Perceptron((2, 4, 1), seed=0)

    def interrupt(history):
        if len(history) == 6:
            raise KeyboardInterrupt

    training = train_network(network, INDEX, TRAIN, VALIDATION, Strategy(), interrupt)
    assert training.status is secant.Status.INTERRUPTED
    assert training.iterations == 5
    assert error(network, VALIDATION) == pytest.approx(training.best.validation_loss, rel=1e-13)


def test_a_loss_that_is_not_finite_at_the_start_is_refused():
    wrong = Sample(TRAIN.inputs, TRAIN.targets * math.inf)
    with pytest.raises(InputError, match="not finite before training"):
        train_network(Perceptron((2, 4, 1)), INDEX, wrong, VALIDATION, Strategy())


def test_names_and_aliases_of_methods():
    assert Strategy("LBFGS").method == "l-bfgs"
    with pytest.raises(InputError, match="method must be one of l-bfgs"):
        Strategy("sgdd")
    matlab = {"trainlm": "lm", "trainbfg": "bfgs", "traincgf": "cg-fr", "traincgp": "cg-pr"}
    matlab |= {"trainscg": "scg", "traingdx": "gdx", "trainrp": "rprop"}
    assert {name: Strategy(name).method for name in matlab} == matlab
