"""A perceptron that learns classes, in scikit-learn's conventions."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import type_of_target, unique_labels

from secant.learn.error_terms import BinaryCrossEntropy, CrossEntropy, ErrorTerm, WeightedSquared
from secant.learn.errors import InputError, listing
from secant.learn.estimators.base import BasePerceptron, Goal, Values

__all__ = ["MLPClassifier"]

_TARGETS = ("binary", "multiclass", "multilabel-indicator")
_LOSSES = ("auto", "log_loss", "weighted-squared")


class MLPClassifier(ClassifierMixin, BasePerceptron):  # type: ignore[misc]
    """A multilayer perceptron for classes, trained by any method of secant.

    Minimises ``mean_i w_i loss(y_i, f(x_i)) + alpha / (2 sum w) |W|^2`` over the weights ``W`` and
    the biases, which is scikit-learn's objective: the cross-entropy of the softmax of the outputs,
    of the logistic function of one output for two classes, and summed over the labels for
    multilabel targets. Inputs are not scaled; put a scaler before it.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int
        Units of each hidden layer; ``()`` makes a logistic regression.
    loss : str or ErrorTerm
        ``"auto"`` is ``"log_loss"``, the cross-entropy; or ``"weighted-squared"`` for two classes.
    class_weight : dict, "balanced" or None
        Weights of the classes, multiplied with `sample_weight`.

    The other parameters are those of `MLPRegressor`.

    Attributes
    ----------
    classes_ : ndarray
        The classes in ascending order.

    The other attributes are those of `MLPRegressor`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from secant.learn import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((8,), random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "tanh",
        *,
        solver: Any = "auto",
        loss: Any = "auto",
        alpha: float = 1e-4,
        class_weight: Any = None,
        batch_size: Any = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int = 1000,
        max_fun: int | None = None,
        max_seconds: float | None = None,
        tol: float = 1e-4,
        gtol: float = 1e-6,
        goal: float | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        n_restarts: int = 0,
        initialisation: str = "scikit-learn",
        random_state: Any = None,
        warm_start: bool = False,
        dtype: str = "float64",
        device: Any = "cpu",
        verbose: Any = False,
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            activation,
            solver=solver,
            loss=loss,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate_init=learning_rate_init,
            max_iter=max_iter,
            max_fun=max_fun,
            max_seconds=max_seconds,
            tol=tol,
            gtol=gtol,
            goal=goal,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            n_restarts=n_restarts,
            initialisation=initialisation,
            random_state=random_state,
            warm_start=warm_start,
            dtype=dtype,
            device=device,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows and their classes.

        Parameters
        ----------
        X : array-like, shape (rows, inputs)
        y : array-like, shape (rows,), or (rows, labels) of 0 and 1
        sample_weight : array-like, shape (rows,), optional
            Weights from 0; 2 counts like the row twice.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter cannot be used.
        """
        return self._train(X, y, sample_weight)

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each row; for multilabel targets 0 and 1, shape (rows, labels)."""
        outputs = self._outputs(X)
        if self._multilabel:
            return (outputs > 0.0).astype(int)
        places = np.argmax(outputs, axis=1) if self.n_outputs_ > 1 else outputs[:, 0] > 0.0
        labels: NDArray[Any] = self.classes_[places.astype(int)]
        return labels

    def predict_proba(self, X: Any) -> Values:
        """The probability of each class, shape (rows, classes), in the order of ``classes_``."""
        probabilities: Values = np.exp(self.predict_log_proba(X))
        if self._multilabel:  # no number rounds to certainty
            below_one = np.nextafter(probabilities.dtype.type(1), probabilities.dtype.type(0))
            np.minimum(probabilities, below_one, out=probabilities)
        return probabilities

    def predict_log_proba(self, X: Any) -> Values:
        """The logarithms of the probabilities, exact where these underflow."""
        outputs = self._outputs(X)
        logarithms: Values
        if self._multilabel:
            logarithms = -np.logaddexp(0.0, -outputs)
        elif self.n_outputs_ == 1:
            logarithms = -np.logaddexp(0.0, np.hstack([outputs, -outputs]))
        else:
            outputs -= outputs.max(axis=1, keepdims=True)
            logarithms = outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True))
        return logarithms

    # -------------------------------------------------------------------------------- internals

    def _read_targets(self, y: Any, reset: bool) -> NDArray[Any]:
        kind = type_of_target(y, input_name="y")
        if kind not in _TARGETS:
            raise InputError(
                f"Unknown label type: y is {kind}, and classes are numbers without fractions, "
                "texts, or rows of 0 and 1"
            )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if reset:
            self._learn_classes(y, kind)
        elif set(unique_labels(y)) - set(self.classes_):
            raise InputError(
                f"warm_start needs the classes of the last fit, {listing(self.classes_)}, "
                f"and y has {listing(unique_labels(y))}"
            )
        if self._multilabel:
            return np.asarray(y, dtype=self.dtype)
        places: NDArray[Any] = np.searchsorted(self.classes_, y)
        return places if self.n_outputs_ > 1 else places[:, None].astype(self.dtype)

    def _learn_classes(self, y: NDArray[Any], kind: str) -> None:
        self._multilabel = kind == "multilabel-indicator"
        self.classes_ = np.arange(y.shape[1]) if self._multilabel else np.unique(y)
        count = len(self.classes_)
        if self._multilabel:
            self.n_outputs_ = y.shape[1]
        elif count < 2:
            raise InputError(f"y has one class only, {self.classes_[0]!r}; a classifier needs two")
        else:
            self.n_outputs_ = 1 if count == 2 else count

    def _row_weights(self, sample_weight: Any, X: Values, y: Any) -> Values | None:
        weights = super()._row_weights(sample_weight, X, y)
        if self.class_weight is None:
            return weights
        balance: Values = compute_sample_weight(self.class_weight, y).astype(X.dtype)
        return balance if weights is None else weights * balance

    def _strata(self, targets: NDArray[Any]) -> NDArray[Any] | None:
        return None if self._multilabel else targets

    def _goal(self, targets: NDArray[Any]) -> Goal:
        if isinstance(self.loss, ErrorTerm):
            return Goal(self.loss)
        if self.loss not in _LOSSES:
            raise InputError(f"loss must be one of {listing(_LOSSES)}, not {self.loss!r}")
        if self.loss == "weighted-squared":
            if self._multilabel or self.n_outputs_ > 1:
                raise InputError("loss 'weighted-squared' is for two classes")
            return Goal(WeightedSquared())
        binary = self._multilabel or self.n_outputs_ == 1
        return Goal(BinaryCrossEntropy() if binary else CrossEntropy())

    def _output_activation(self) -> str:
        return "logistic" if self._multilabel or self.n_outputs_ == 1 else "softmax"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
