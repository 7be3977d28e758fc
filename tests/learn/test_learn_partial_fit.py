"""`partial_fit`: a stream of rows, beside scikit-learn's estimators on the same one."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor

from secant.learn import MLPClassifier, MLPRegressor
from secant.learn.errors import InputError


def waves(parts: int, rows: int = 40, seed: int = 0):
    random = np.random.default_rng(seed)
    for _ in range(parts):
        X = random.uniform(-1.0, 1.0, (rows, 2))
        yield X, np.sin(3.0 * X[:, 0]) - X[:, 1] ** 2


def digits(parts: int):
    X, y = load_digits(return_X_y=True)
    X = X / 8.0 - 1.0
    order = np.random.default_rng(0).permutation(len(X))
    for rows in np.array_split(order, parts):
        yield X[rows], y[rows]


SOLVERS = {"adam": 0.01, "sgd": 0.05}

# scikit-learn adds Adam's epsilon to the root before the bias is taken out, PyTorch and we after.
NEAR = {"adam": 1e-4, "sgd": 1e-12}

# One batch a call: scikit-learn goes through the rows of a call in an order of its own.


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_stream_teaches_a_regressor_what_it_teaches_scikit_learns(solver):
    options = {
        "hidden_layer_sizes": (6,),
        "activation": "tanh",
        "solver": solver,
        "learning_rate_init": SOLVERS[solver],
        "alpha": 0.1,
        "random_state": 3,
    }
    ours, theirs = MLPRegressor(**options), TheirRegressor(**options)
    for X, y in waves(60):
        ours.partial_fit(X, y)
        theirs.partial_fit(X, y)
        assert ours.loss_ == pytest.approx(theirs.loss_, rel=NEAR[solver])
    assert len(ours.loss_curve_) == len(theirs.loss_curve_)
    for a, b in zip(
        ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=0.0, atol=NEAR[solver])
    assert (ours.t_, ours.n_iter_) == (theirs.t_, 60)
    assert ours.best_loss_ == min(ours.loss_curve_)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("many", [True, False], ids=["ten classes", "two classes"])
def test_a_stream_teaches_a_classifier_what_it_teaches_scikit_learns(solver, many):
    options = {
        "hidden_layer_sizes": (12,),
        "activation": "tanh",
        "solver": solver,
        "learning_rate_init": SOLVERS[solver],
        "random_state": 5,
    }
    ours, theirs = MLPClassifier(**options), TheirClassifier(**options)
    for X, y in digits(12):
        labels = y if many else y > 4
        classes = np.arange(10) if many else [False, True]
        ours.partial_fit(X, labels, classes=classes)
        theirs.partial_fit(X, labels, classes=classes)
        a, b = ours.predict_proba(X), theirs.predict_proba(X)
        np.testing.assert_allclose(a, b, rtol=0.0, atol=NEAR[solver])
    assert ours.score(X, labels) == theirs.score(X, labels)
    assert ours.t_ == theirs.t_


def test_sample_weights_on_a_stream():
    """A weight of two is the row twice, a weight of zero none."""
    options = {"hidden_layer_sizes": (4,), "solver": "adam", "alpha": 0.0, "random_state": 0}
    weighted, repeated = MLPRegressor(**options), MLPRegressor(**options)
    for X, y in waves(10):
        times = np.arange(len(X)) % 3
        weighted.partial_fit(X, y, sample_weight=times)
        repeated.partial_fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(weighted.coefs_[0], repeated.coefs_[0], rtol=1e-8)
    sparse = np.zeros(len(X))
    sparse[0] = 1.0  # batches of one row, all of weight zero but this one
    model = MLPRegressor(**options, batch_size=1).partial_fit(X, y, sparse)
    assert model.history_.epochs[-1].evaluations == 1
    assert np.isfinite(model.coefs_[0]).all()


def test_more_rows_than_a_batch_make_several_steps():
    model = MLPRegressor((4,), solver="sgd", batch_size=16, random_state=0)
    for X, y in waves(3):
        model.partial_fit(X, y)
    assert [epoch.evaluations for epoch in model.history_] == [3, 6, 9]
    assert [epoch.iteration for epoch in model.history_] == [1, 2, 3]
    assert model.history_.column("objective") == [2.0 * loss for loss in model.loss_curve_]
    assert model.history_.epochs[-1].training_loss < model.history_.epochs[-1].objective


# ---------------------------------------------------------------------------- auto and the others


def test_auto_is_adam_on_a_stream():
    auto, adam = (MLPRegressor((4,), solver=name, random_state=1) for name in ("auto", "adam"))
    for X, y in waves(5):
        auto.partial_fit(X, y)
        adam.partial_fit(X, y)
    np.testing.assert_array_equal(auto.coefs_[0], adam.coefs_[0])
    assert auto.solver_ == "adam"
    assert auto.solver_reason_ == "rows that arrive in parts are learnt in mini-batches"
    assert adam.solver_reason_ == ""
    assert auto.stop_reason_ == "one pass over the rows that were given"


@pytest.mark.parametrize("solver", ["l-bfgs", "lm", "bfgs", "scg"])
@pytest.mark.parametrize("estimator", [MLPRegressor, MLPClassifier])
def test_a_method_that_learns_curvature_has_no_partial_fit(estimator, solver):
    model = estimator(solver=solver)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as caught:
        _ = model.partial_fit
    assert f"not '{solver}': a method that learns curvature would fit each part" in str(
        caught.value.__cause__
    )


def test_adamw_decays_the_weights_alone():
    """With gradients of zero the biases stay and the weights shrink by the rate times alpha / rows."""
    X = np.zeros((20, 2))
    model = MLPRegressor((), solver="adamw", alpha=4.0, learning_rate_init=0.01, random_state=0)
    model.partial_fit(X, np.zeros(20))
    first, bias = model.coefs_[0].copy(), model.intercepts_[0].copy()
    model._stream.optimiser._m[:] = 0.0
    y = np.full(20, float(bias[0]))
    model.partial_fit(X, y)
    np.testing.assert_allclose(model.coefs_[0], first * (1.0 - 0.01 * 2.0 * 4.0 / 20), rtol=1e-12)
    np.testing.assert_allclose(model.intercepts_[0], bias, rtol=1e-12)
    assert model.loss_ == pytest.approx(0.5 * 4.0 / 20 * float((first**2).sum()), rel=1e-9)


# ------------------------------------------------------------------------------- going on


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_partial_fit_goes_on_from_a_fit_and_a_fit_begins_anew():
    parts = list(waves(4))
    model = MLPRegressor((5,), random_state=0, max_iter=50).fit(*parts[0])
    iterations, curve = model.n_iter_, list(model.loss_curve_)
    predicted = model.predict(parts[0][0])
    model.partial_fit(*parts[1])
    assert model.n_iter_ == iterations + 1
    assert model.loss_curve_ == [*curve, model.loss_]
    assert model.t_ == 40
    assert np.abs(model.predict(parts[0][0]) - predicted).max() < 0.1  # one step of Adam
    again = clone(model).fit(*parts[0])
    model.fit(*parts[0])
    assert model.n_iter_ == iterations
    assert model.t_ == 0
    np.testing.assert_array_equal(model.coefs_[0], again.coefs_[0])
    # The optimiser's memory is that of the stream alone.
    model.partial_fit(*parts[2])
    again.partial_fit(*parts[2])
    np.testing.assert_array_equal(model.coefs_[0], again.coefs_[0])


def test_a_stream_goes_on_after_pickling():
    parts = list(waves(6))
    model = MLPRegressor((5,), solver="adam", random_state=0)
    for X, y in parts[:3]:
        model.partial_fit(X, y)
    restored = pickle.loads(pickle.dumps(model))
    for X, y in parts[3:]:
        model.partial_fit(X, y)
        restored.partial_fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], restored.coefs_[0])


def test_a_learning_rate_that_is_changed_counts_from_there_on():
    X, y = next(waves(1))
    model = MLPRegressor((3,), solver="sgd", random_state=0).partial_fit(X, y)
    before = model.coefs_[0].copy()
    model.set_params(learning_rate_init=1e-12).partial_fit(X, y)
    np.testing.assert_allclose(model.coefs_[0], before, atol=1e-9)
    assert model.history_.epochs[-1].step == 0.5e-12  # of the squared error, which is not halved


def test_single_precision_stays_single_on_a_stream():
    model = MLPRegressor((5,), dtype="float32", random_state=0)
    for X, y in waves(3):
        model.partial_fit(X, y)
    assert {c.dtype for c in model.coefs_} == {np.dtype("float32")}


def test_several_labels_on_a_stream():
    X, y = make_multilabel_classification(200, 8, n_classes=3, random_state=0)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    options = {"activation": "tanh", "learning_rate_init": 0.05, "random_state": 0}
    model, theirs = MLPClassifier((8,), **options), TheirClassifier((8,), **options)
    for rows in np.array_split(np.tile(np.arange(200), 5), 20):
        model.partial_fit(X[rows], y[rows], classes=[0, 1, 2])
        theirs.partial_fit(X[rows], y[rows], classes=[0, 1, 2])
    np.testing.assert_allclose(model.predict_proba(X), theirs.predict_proba(X), atol=NEAR["adam"])
    np.testing.assert_array_equal(model.predict(X), theirs.predict(X))
    with pytest.raises(
        InputError, match="y must be rows of 0 and 1 as in the last fit, not binary"
    ):
        model.partial_fit(X, y[:, 0])
    with pytest.raises(
        InputError, match="need the known classes, '0', '1', '2', and y has '0', '1'"
    ):
        model.partial_fit(X, y[:, :2])


def test_weights_of_classes_on_a_stream():
    """Also where a part lacks a class."""
    X, y = next(digits(1))
    X, y = X[y < 2], y[y < 2]
    weights = {0: 3.0, 1: 0.5}
    options = {"hidden_layer_sizes": (3,), "solver": "adam", "random_state": 0}
    model, by_hand = MLPClassifier(**options, class_weight=weights), MLPClassifier(**options)
    for part in (y == 0, y < 2, y == 1):
        model.partial_fit(X[part], y[part], classes=[0, 1])
        own = np.array([weights[label] for label in y[part]])
        by_hand.partial_fit(X[part], y[part], sample_weight=own, classes=[0, 1])
    np.testing.assert_array_equal(model.coefs_[0], by_hand.coefs_[0])


# -------------------------------------------------------------------------------- what goes wrong


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_a_pass_that_diverges_leaves_the_weights_as_they_were():
    parts = list(waves(3))
    model = MLPRegressor((3,), solver="sgd", random_state=0).partial_fit(*parts[0])
    before = [c.copy() for c in model.coefs_]
    X, y = parts[1]
    with pytest.warns(ConvergenceWarning, match="f or its gradient stopped being finite"):
        model.partial_fit(X, y * 1e200)
    assert model.stop_reason_.startswith("failed: f or its gradient stopped being finite")
    for a, b in zip(model.coefs_, before, strict=True):
        np.testing.assert_array_equal(a, b)
    model.partial_fit(*parts[2])
    assert np.isfinite(model.loss_)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"early_stopping": True}, "partial_fit does not support early_stopping=True"),
        ({"n_restarts": 2}, "partial_fit cannot start again: n_restarts is 2"),
        ({"device": "meta"}, "partial_fit trains on device 'cpu', not 'meta'"),
        ({"class_weight": "balanced"}, "partial_fit does not know how frequent the classes are"),
        ({"batch_size": 0}, "batch_size must be a whole number from 1, not 0"),
    ],
)
def test_parameters_that_a_stream_cannot_have(options, sentence):
    X, y = next(digits(12))
    model = MLPClassifier((3,), **options)
    with pytest.raises(ValueError, match=sentence):
        model.partial_fit(X, y, classes=np.arange(10))


def test_a_first_call_without_classes_and_a_later_one_with_others():
    (X, y), (X2, y2) = list(digits(12))[:2]
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        MLPClassifier((3,)).partial_fit(X, y)
    model = MLPClassifier((3,), random_state=0).partial_fit(X, y, classes=np.arange(10))
    with pytest.raises(ValueError, match="is not the same as on last call to partial_fit"):
        model.partial_fit(X2, y2, classes=np.arange(9))
    with pytest.raises(InputError, match=r"need the known classes, '0', .* and y has '11'"):
        model.partial_fit(X2, np.full(len(X2), 11))
    with pytest.raises(InputError, match="a classifier needs two"):
        MLPClassifier((3,)).partial_fit(X, np.zeros(len(X), int), classes=[0])


def test_other_columns_targets_and_layers_are_refused():
    X, y = next(waves(1))
    model = MLPRegressor((3,), random_state=0).partial_fit(X, y)
    with pytest.raises(ValueError, match="X has 1 features, but MLPRegressor is expecting 2"):
        model.partial_fit(X[:, :1], y)
    with pytest.raises(InputError, match="need 1 targets as in the last fit, not 2"):
        model.partial_fit(X, np.column_stack([y, y]))
    with pytest.raises(InputError, match=r"need the layers of the last fit, \[3, 1\] units"):
        model.set_params(hidden_layer_sizes=(4,)).partial_fit(X, y)


# ------------------------------------------------------------------------------ calls that fail


def test_a_first_call_that_fails_leaves_nothing_behind():
    X, y = np.eye(4), np.array([0, 1, 2, 1])
    model = MLPClassifier((3,), random_state=0)
    before = dict(vars(model))
    with pytest.raises(ValueError, match="known classes"):
        model.partial_fit(X, y, classes=[0, 1])
    assert vars(model) == before
    model.partial_fit(X, y, classes=[0, 1, 2])
    assert list(model.classes_) == [0, 1, 2]


@pytest.mark.parametrize("call", ["partial_fit", "fit"])
def test_a_later_call_that_fails_changes_nothing(call):
    X, y = next(waves(1))
    model = MLPRegressor((3,), random_state=0, warm_start=True, max_iter=3, tol=0.0, solver="adam")
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    model.partial_fit(X, y)
    before = pickle.dumps(vars(model))
    learn = getattr(model, call)
    for wrong in (
        (X[:, :1], y),
        (X, np.full(len(X), np.nan)),
        (X, np.column_stack([y, y])),
        (X, y, -np.ones(len(X))),
    ):
        with pytest.raises(ValueError, match=r"."):
            learn(*wrong)
    assert pickle.dumps(vars(model)) == before


@pytest.mark.parametrize("call", ["partial_fit", "fit"])
def test_an_interruption_changes_nothing(call, monkeypatch):
    X, y = next(waves(1))
    model = MLPClassifier((3,), random_state=0, solver="adam", batch_size=8)
    model.partial_fit(X, y > 0, classes=[False, True])
    before = pickle.dumps(vars(model))

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("secant.learn.estimators.base.keep_network", interrupt)
    monkeypatch.setattr("secant.learn.estimators.stream.keep_network", interrupt)
    with pytest.raises(KeyboardInterrupt):
        getattr(model, call)(X, np.arange(len(X)) % 3 if call == "fit" else y > 0)
    assert pickle.dumps(vars(model)) == before


def test_a_warning_that_is_an_error_does_not_take_the_training_back():
    X, y = next(waves(1))
    model = MLPRegressor((3,), random_state=0, max_iter=2, tol=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        with pytest.raises(ConvergenceWarning):
            model.fit(X, y)
    assert model.n_iter_ == 2
