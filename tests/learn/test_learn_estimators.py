"""The estimators: scikit-learn's own checks, its objective, and what it has not."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, load_wine, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.estimator_checks import (
    estimator_checks_generator,
    parametrize_with_checks,
)

from secant.learn import MLPClassifier, MLPRegressor
from secant.learn.error_terms import Huber
from secant.learn.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@parametrize_with_checks([MLPRegressor(max_iter=60), MLPClassifier(max_iter=60)])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


# Round-off grows over iterations, and one of the checks compares fits whose sums have another order:
# methods that creep along valleys get few of them.
FAMILIES = [
    MLPClassifier((10,), solver="l-bfgs", max_iter=50),
    MLPRegressor((10,), solver="ssbroyden", max_iter=50),
    MLPRegressor((10,), solver="lm", max_iter=50),
    MLPRegressor((10,), solver="cg", max_iter=50),
    MLPClassifier((10,), solver="newton-cg", max_iter=10),
    MLPRegressor((10,), solver="trust-ncg", max_iter=6),
    MLPClassifier((10,), solver="adam", learning_rate_init=1e-2, max_iter=50),
    MLPRegressor((10,), solver="sgd", learning_rate_init=0.05, max_iter=50),
]

# Those whose outcome depends on how the weights are found.
SELECTED = {
    "check_classifiers_train",
    "check_estimators_dtypes",
    "check_estimators_pickle",
    "check_fit2d_1feature",
    "check_fit2d_1sample",
    "check_fit_idempotent",
    "check_non_transformer_estimators_n_iter",
    "check_regressors_train",
    "check_sample_weight_equivalence_on_dense_data",
}


@pytest.mark.parametrize("estimator", FAMILIES, ids=lambda estimator: estimator.solver)
def test_scikit_learns_checks_of_every_family_of_solvers(estimator):
    checked = set()
    for fresh, check in estimator_checks_generator(estimator):
        if check.func.__name__ in SELECTED:
            check(fresh)
            checked.add(check.func.__name__)
    assert len(checked) == len(SELECTED) - 1  # there is one for each of the two kinds


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(X), (y - y.mean()) / y.std()


def wine():
    X, y = load_wine(return_X_y=True)
    return StandardScaler().fit_transform(X), y


# ------------------------------------------------------------------------- the same objective


def test_a_regressor_has_scikit_learns_minimum():
    X, y = diabetes()
    ours = MLPRegressor((3,), alpha=5.0, tol=0.0, gtol=1e-9, random_state=1).fit(X, y)
    theirs = TheirRegressor(
        hidden_layer_sizes=(3,), activation="tanh", solver="lbfgs", alpha=5.0, tol=1e-9,
        max_iter=5000, random_state=1,
    ).fit(X, y)  # fmt: skip
    # From our minimum theirs cannot go down, and its value there is ours.
    theirs.coefs_ = [c.copy() for c in ours.coefs_]
    theirs.intercepts_ = [b.copy() for b in ours.intercepts_]
    theirs.set_params(warm_start=True, max_iter=1).fit(X, y)
    assert theirs.loss_ == pytest.approx(ours.loss_, rel=1e-10)
    np.testing.assert_allclose(theirs.predict(X), ours.predict(X), atol=1e-4)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_of_a_classifier_is_scikit_learns(weighted):
    X, y = wine()
    weights = np.random.default_rng(0).uniform(0.5, 3.0, len(y)) if weighted else None
    ours = MLPClassifier((4,), alpha=0.3, max_iter=20, random_state=3)
    ours.fit(X, y, sample_weight=weights)
    theirs = TheirClassifier((4,), activation="tanh", solver="lbfgs", alpha=0.3, random_state=3)
    theirs.set_params(max_iter=1).fit(X, y, sample_weight=weights)
    theirs.coefs_, theirs.intercepts_ = ours.coefs_, ours.intercepts_
    np.testing.assert_allclose(theirs.predict_proba(X), ours.predict_proba(X), rtol=1e-9)
    theirs.set_params(solver="sgd", learning_rate_init=1e-300, batch_size=len(y), warm_start=True)
    theirs.loss_curve_, theirs._no_improvement_count, theirs.best_loss_ = [], 0, np.inf
    theirs.fit(X, y, sample_weight=weights)
    assert theirs.loss_ == pytest.approx(ours.loss_, rel=1e-10)


def test_both_start_from_the_same_weights():
    X, y = diabetes()
    options = {"hidden_layer_sizes": (5, 4), "activation": "logistic", "random_state": 9}
    ours = MLPRegressor(**options, max_iter=1, max_fun=1, solver="gd").fit(X, y)
    theirs = TheirRegressor(**options, solver="sgd", learning_rate_init=1e-300, max_iter=1)
    theirs.fit(X, y)
    start = ours.history_.epochs[0].objective / 2
    assert start == pytest.approx(theirs.loss_curve_[0], rel=0.1)  # theirs is a mean over batches


# ------------------------------------------------------------------------------------ attributes


def test_attributes_of_a_regressor():
    X, y = diabetes()
    model = MLPRegressor((6, 3), alpha=1.0, random_state=0).fit(X, y)
    assert [c.shape for c in model.coefs_] == [(10, 6), (6, 3), (3, 1)]
    assert [b.shape for b in model.intercepts_] == [(6,), (3,), (1,)]
    assert (model.n_layers_, model.n_outputs_, model.out_activation_) == (4, 1, "identity")
    assert len(model.loss_curve_) == model.n_iter_
    assert model.loss_ == model.best_loss_ == min(model.loss_curve_)
    residuals = model.predict(X) - y
    weights = sum((c**2).sum() for c in model.coefs_)
    objective = 0.5 * (residuals**2).mean() + 0.5 * 1.0 * weights / len(y)
    assert model.loss_ == pytest.approx(objective, rel=1e-12)
    assert model.solver_ == "ssbroyden"
    assert "self-scaled Broyden" in model.solver_reason_
    assert model.stop_reason_.startswith(("converged", "stopped"))
    assert model.validation_scores_ is None


def test_early_stopping_keeps_the_weights_of_the_best_validation_loss():
    X, y = diabetes()
    model = MLPRegressor((30,), solver="l-bfgs", early_stopping=True, random_state=0).fit(X, y)
    assert (
        model.stop_reason_
        == "stopped: the validation loss has not improved for the iterations allowed"
    )
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.best_loss_ is None
    assert model.score(X, y) > MLPRegressor((30,), random_state=0).fit(X[::2], y[::2]).score(
        X[1::2], y[1::2]
    )


def test_solvers_by_name_and_alias():
    X, y = diabetes()
    for solver, name in (("lbfgs", "l-bfgs"), ("levenberg-marquardt", "lm"), ("BFGS", "bfgs")):
        model = MLPRegressor((2,), solver=solver, max_iter=3).fit(X, y)
        assert model.solver_ == name
        assert model.solver_reason_ == ""


# ---------------------------------------------------------------------------------------- targets


def test_several_targets_at_once():
    X, y = diabetes()
    both = np.column_stack([y, -2.0 * y])
    model = MLPRegressor((4,), alpha=1.0, random_state=0).fit(X, both)
    predicted = model.predict(X)
    assert predicted.shape == both.shape
    assert model.score(X, both) > 0.5
    # The mean over outputs: twice the same target is once the target.
    single = MLPRegressor((), alpha=0.0, tol=0.0, gtol=1e-10).fit(X, y)
    double = MLPRegressor((), alpha=0.0, tol=0.0, gtol=1e-10).fit(X, np.column_stack([y, y]))
    assert double.loss_ == pytest.approx(single.loss_, rel=1e-9)


def test_several_labels_at_once():
    X, y = make_multilabel_classification(120, 8, n_classes=3, random_state=0)
    X = StandardScaler().fit_transform(X)
    model = MLPClassifier((8,), random_state=0).fit(X, y)
    assert model.predict(X).shape == y.shape
    assert (model.predict(X) == y).mean() > 0.95
    probabilities = model.predict_proba(X)
    np.testing.assert_array_equal(probabilities > 0.5, model.predict(X))
    assert model.out_activation_ == "logistic"
    assert model.score(X, y) == (model.predict(X) == y).all(axis=1).mean()
    sparse = MLPClassifier((8,), random_state=0).fit(X, csr_array(y))
    np.testing.assert_array_equal(sparse.coefs_[0], model.coefs_[0])


def test_classes_may_be_texts():
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = MLPClassifier((6,), random_state=0).fit(X, names)
    assert list(model.classes_) == ["setosa", "versicolor", "virginica"]
    assert model.score(X, names) > 0.95
    binary = MLPClassifier((4,), random_state=0).fit(X[:100], names[:100])
    assert binary.out_activation_ == "logistic"
    np.testing.assert_allclose(binary.predict_proba(X).sum(axis=1), 1.0, rtol=1e-14)
    assert set(binary.predict(X[:100])) == {"setosa", "versicolor"}


def test_log_probabilities_do_not_underflow():
    X, y = np.array([[-1.0], [1.0]]), np.array([0, 1])
    model = MLPClassifier((), alpha=0.0, random_state=0, max_iter=10).fit(X, y)
    far = model.predict_log_proba(np.array([[1e6]]))
    assert np.isfinite(far).all()
    assert far[0, 0] < -1000


def test_class_weights_are_sample_weights():
    X, y = wine()
    balanced = MLPClassifier((3,), class_weight="balanced", random_state=0).fit(X, y)
    weights = compute_sample_weight("balanced", y)
    by_hand = MLPClassifier((3,), random_state=0).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(balanced.coefs_[0], by_hand.coefs_[0])


def test_other_losses():
    X, y = diabetes()
    y = y.copy()
    y[0] = 1e3
    model = MLPRegressor((), loss=Huber(0.5), solver="l-bfgs").fit(X, y)
    squared = MLPRegressor((), random_state=0).fit(X, y)
    assert (
        np.abs(model.predict(X[1:]) - y[1:]).mean() < np.abs(squared.predict(X[1:]) - y[1:]).mean()
    )
    assert MLPRegressor((), loss="minkowski", random_state=0).fit(X, y).solver_ != "lm"
    two, labels = wine()
    two, labels = two[labels < 2], labels[labels < 2]
    model = MLPClassifier((2,), loss="weighted-squared", random_state=0).fit(two, labels)
    assert model.score(two, labels) > 0.95


# ------------------------------------------------------------------------------------ conventions


def test_warm_start_goes_on_from_the_last_weights():
    X, y = diabetes()
    model = MLPRegressor((5,), solver="l-bfgs", max_iter=5, warm_start=True, random_state=0)
    first = model.fit(X, y).loss_
    second = model.fit(X, y)
    assert second.history_.epochs[0].objective / 2 == pytest.approx(first, rel=1e-12)
    assert second.loss_ < first
    with pytest.raises(
        InputError, match="warm_start and partial_fit need the layers of the last fit"
    ):
        model.set_params(hidden_layer_sizes=(4,)).fit(X, y)


def test_the_case_of_a_solver_does_not_matter():
    X, y = diabetes()
    options = {"learning_rate_init": 0.05, "batch_size": 50, "max_iter": 3, "random_state": 0}
    one, other = (
        MLPRegressor((3,), solver=name, **options).fit(X, y) for name in ("Adam ", "adam")
    )
    np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])
    assert one.history_.epochs[-1].step == 0.05


def test_a_step_of_sgd_is_scikit_learns():
    X, y = diabetes()
    options = {
        "hidden_layer_sizes": (3,),
        "activation": "tanh",
        "solver": "sgd",
        "learning_rate_init": 0.05,
        "batch_size": len(y),
        "max_iter": 30,
        "random_state": 2,
    }
    ours, theirs = MLPRegressor(**options).fit(X, y), TheirRegressor(**options).fit(X, y)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-9)


def test_a_part_without_weight_is_a_sentence():
    """The one row of weight 1 is in one part, and the other has none; over the seeds in either."""
    X, y = diabetes()
    model = MLPRegressor((2,), early_stopping=True, max_iter=2)
    weights = np.zeros(len(y))
    weights[3] = 1.0
    sentences = set()
    for seed in range(40):
        with pytest.raises(InputError) as caught:
            model.set_params(random_state=seed).fit(X, y, sample_weight=weights)
        sentences.add(str(caught.value))
    assert sentences == {
        "sample_weight is zero in all 397 rows that train",
        "sample_weight is zero in all 45 rows set aside",
    }


def test_restarts_keep_the_best():
    X, y = diabetes()
    options = {"solver": "l-bfgs", "max_iter": 30, "random_state": 5}
    once = MLPRegressor((4,), **options).fit(X, y)
    often = MLPRegressor((4,), n_restarts=4, **options).fit(X, y)
    assert often.loss_ <= once.loss_


def test_limits():
    X, y = diabetes()
    model = MLPRegressor((8,), solver="l-bfgs", max_fun=7, random_state=0).fit(X, y)
    assert model.stop_reason_ == "limit reached: max_evals evaluations of the function"
    model = MLPRegressor((8,), goal=0.3, random_state=0).fit(X, y)
    assert model.stop_reason_ == "target reached: f is at most the value asked for"
    assert 0.5 * np.mean((model.predict(X) - y) ** 2) <= 0.3
    with pytest.warns(
        ConvergenceWarning, match=r"MLPRegressor \(l-bfgs\): limit reached: max_iter"
    ):
        MLPRegressor((8,), solver="l-bfgs", max_iter=2).fit(X, y)


def test_single_precision_stays_single():
    X, y = diabetes()
    model = MLPRegressor((8,), alpha=1.0, dtype="float32", random_state=0).fit(X, y)
    assert model.predict(X).dtype == np.float32
    assert {c.dtype for c in model.coefs_} == {np.dtype("float32")}
    double = MLPRegressor((8,), alpha=1.0, random_state=0).fit(X, y)
    assert model.loss_ == pytest.approx(double.loss_, rel=0.05)


def test_a_device_without_closed_forms_computes_by_autograd(monkeypatch):
    # No accelerator is at hand; without the closed form the CPU takes the same way as one.
    from secant.learn import automatic, strategy

    X, y = wine()
    closed = MLPClassifier((4,), solver="l-bfgs", max_iter=15, random_state=0).fit(X, y)
    monkeypatch.setattr(strategy, "has_closed_form", lambda network, inputs: False)
    monkeypatch.setattr(automatic, "has_closed_form", lambda network, inputs: False)
    model = MLPClassifier((4,), solver="l-bfgs", max_iter=15, random_state=0).fit(X, y)
    assert model.loss_ == pytest.approx(closed.loss_, rel=1e-6)
    regressor = MLPRegressor((4,), max_iter=15, random_state=0).fit(*diabetes())
    assert regressor.solver_ in ("ssbroyden", "l-bfgs")


def test_pipeline_search_clone_and_pickle():
    X, y = load_diabetes(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), MLPRegressor((2,), max_iter=30, random_state=0))
    search = GridSearchCV(pipeline, {"mlpregressor__alpha": [0.1, 10.0]}, cv=2).fit(X, y)
    model = search.best_estimator_[-1]
    again = clone(model).fit(StandardScaler().fit_transform(X), y)
    restored = pickle.loads(pickle.dumps(again))
    inputs = StandardScaler().fit_transform(X)
    np.testing.assert_array_equal(restored.predict(inputs), again.predict(inputs))


def test_predictions_of_many_rows_are_those_of_few():
    X, y = wine()
    model = MLPClassifier((3,), random_state=0).fit(X, y)
    many = np.tile(X, (60, 1))  # more than a block
    np.testing.assert_allclose(
        model.predict_proba(many)[-len(X) :], model.predict_proba(X), rtol=1e-12
    )


def test_verbose_prints_every_iteration(capsys):
    MLPRegressor((2,), solver="l-bfgs", max_iter=2, verbose=True).fit(*diabetes())
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()] == [
        "Iteration 1",
        "Iteration 2",
    ]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be whole numbers from 1"),
        ({"activation": "sine"}, "activation must be one of 'tanh'"),
        ({"solver": "nadam"}, "solver must be one of"),
        ({"loss": ["huber"]}, r"loss must be one of .*, not \['huber'\]"),
        ({"solver": None}, "solver must be 'auto' or the name of a method, not None"),
        ({"hidden_layer_sizes": (True,)}, "hidden_layer_sizes must be whole numbers from 1"),
        ({"batch_size": None}, "batch_size must be a whole number from 1, not None"),
        ({"max_fun": "auto"}, "max_fun must be a whole number from 1, not 'auto'"),
        ({"alpha": -1.0}, "alpha must be a number from 0, not -1.0"),
        ({"learning_rate_init": 0.0}, "learning_rate_init must be a number above 0"),
        ({"max_iter": 0}, "max_iter must be a whole number from 1, not 0"),
        ({"max_fun": 1.5}, "max_fun must be a whole number from 1, not 1.5"),
        ({"max_seconds": 0}, "max_seconds must be a number above 0 or None"),
        ({"goal": float("nan")}, "goal must be a number or None"),
        ({"validation_fraction": 1.0}, "validation_fraction must be a number between 0 and 1"),
        ({"n_restarts": -1}, "n_restarts must be a whole number from 0, not -1"),
        ({"initialisation": "zeros"}, "initialisation must be one of 'xavier'"),
        ({"dtype": "float16"}, "dtype must be one of 'float64', 'float32', not 'float16'"),
        ({"device": "abacus"}, "device 'abacus' cannot be used"),
        ({"warm_start": 1}, "warm_start must be True or False"),
        ({"loss": "hinge"}, "loss must be one of 'auto'"),
        ({"early_stopping": True, "validation_fraction": 1e-3}, "it needs 2"),
    ],
)
def test_parameters_that_make_no_sense(options, sentence):
    X, y = diabetes()
    with pytest.raises(ValueError, match=sentence):
        MLPRegressor(**{"hidden_layer_sizes": (2,), **options}).fit(X, y)


def test_data_that_make_no_sense():
    X, y = wine()
    with pytest.raises(TypeError, match="Sparse data was passed"):
        MLPClassifier().fit(csr_array(X), y)
    with pytest.raises(ValueError, match=r"y has one class only, 0\.0; a classifier needs two"):
        MLPClassifier().fit(X, np.zeros(len(X)))
    with pytest.raises(ValueError, match="classes has one class only, 'red'; a classifier"):
        MLPClassifier().partial_fit(X, ["red"] * len(X), classes=["red"])
    with pytest.raises(InputError, match=r"early_stopping cannot set rows aside: .* classes = 3"):
        MLPClassifier(early_stopping=True).fit(X[::20], y[::20])
    with pytest.raises(InputError, match="y has numbers too large to be squared in float64"):
        MLPRegressor().fit(X, 1e200 * X[:, 0])
    with pytest.raises(ValueError, match="Unknown label type: y is continuous"):
        MLPClassifier().fit(X, y + 0.5)
    with pytest.raises(ValueError, match="zero"):
        MLPClassifier().fit(X, y, sample_weight=np.zeros(len(X)))
    with pytest.raises(InputError, match="lm"):
        MLPClassifier(solver="lm").fit(X, y)


def test_a_grid_of_numpy_values_is_searched():
    grid = {"early_stopping": np.array([True, False]), "hidden_layer_sizes": np.array([2, 3])}
    X = np.linspace(-1.0, 1.0, 60)[:, None]
    search = GridSearchCV(MLPRegressor(max_iter=5), grid, cv=2, error_score="raise")
    search.fit(X, X[:, 0] ** 2)
    assert len(search.cv_results_["params"]) == 4
