"""Arrays that need no conversion go the short way to the same end as all others."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.utils.multiclass import type_of_target

from secant.learn import MLPRegressor
from secant.learn.estimators.plain import kind_of_classes

X = np.random.default_rng(0).normal(size=(40, 3))
Y = np.sin(X.sum(axis=1))
OPTIONS = {"hidden_layer_sizes": (4,), "max_iter": 15, "tol": 0.0, "random_state": 0}


def fitted(X, y, kind=MLPRegressor):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(**OPTIONS).fit(X, y)


@pytest.mark.parametrize(
    ("rows", "targets"),
    [
        (X.tolist(), Y.tolist()),
        (np.asfortranarray(X), Y),
        (X[::-1][::-1], Y),
        (X.astype(object), Y),
    ],
)
def test_the_form_of_the_input_does_not_matter(rows, targets):
    short, long = fitted(X, Y), fitted(rows, targets)
    assert short.n_features_in_ == long.n_features_in_ == 3
    np.testing.assert_array_equal(short.predict(X), long.predict(X))


def test_the_number_of_columns_is_remembered_and_names_are_forgotten():
    pandas = pytest.importorskip("pandas")
    model = fitted(pandas.DataFrame(X, columns=["a", "b", "c"]), Y)
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    model.fit(X, Y)
    assert not hasattr(model, "feature_names_in_")
    with pytest.raises(ValueError, match="X has 2 features, but MLPRegressor is expecting 3"):
        model.predict(X[:, :2])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_in_scikit_learns_words(bad):
    rows, targets = X.copy(), Y.copy()
    rows[3, 1] = bad
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        fitted(rows, Y)
    targets[5] = bad
    with pytest.raises(ValueError, match=r"Input y contains (NaN|infinity)"):
        fitted(X, targets)


def test_a_sum_that_overflows_is_no_infinity():
    rows = X.copy()
    rows[:2, 0] = 1.5e308
    assert fitted(rows, Y).n_features_in_ == 3


def test_input_without_rows_or_of_different_lengths():
    for rows, targets in ((X[:0], Y[:0]), (X, Y[:-1]), (X[0], Y)):
        with pytest.raises(ValueError, match=r"sample|2D"):
            fitted(rows, targets)


@pytest.mark.parametrize(
    "y",
    [
        np.array([0, 1] * 10),
        np.array([0, 1, 2, 3] * 5, dtype=np.int8),
        np.array([3] * 20, dtype=np.uint16),
        np.arange(10),
        np.array([[0, 1], [1, 1]] * 5),
        np.array([0.0, 1.0] * 5),
        np.array([0.5, 1.0] * 5),
        np.array(["a", "b"] * 5),
    ],
)
def test_the_kind_is_scikit_learns(y):
    with warnings.catch_warnings(record=True) as ours:
        warnings.simplefilter("always")
        kind = kind_of_classes(y)
    with warnings.catch_warnings(record=True) as theirs:
        warnings.simplefilter("always")
        assert kind == type_of_target(y)
    assert len(ours) == len(theirs)
