"""A perceptron that learns classes, in scikit-learn's conventions."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call

import secant
from secant.learn.error_terms import BinaryCrossEntropy, CrossEntropy, WeightedSquared
from secant.learn.errors import InputError, listing
from secant.learn.estimators.goal import Goal
from secant.learn.estimators.plain import kind_of_classes
from secant.learn.estimators.rows import Values
from secant.learn.estimators.stream import StreamPerceptron, learns_in_parts

__all__ = ["MLPClassifier"]

_TARGETS = ("binary", "multiclass", "multilabel-indicator")


class MLPClassifier(ClassifierMixin, StreamPerceptron):  # type: ignore[misc]
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

    @available_if(learns_in_parts)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Go once through rows that are a part of all, in mini-batches, and keep what was learnt before.

        As `MLPRegressor.partial_fit`; a class may be missing among the rows of a call.

        Parameters
        ----------
        X : array-like, shape (rows, inputs)
        y : array-like, shape (rows,), or (rows, labels) of 0 and 1
        sample_weight : array-like, shape (rows,), optional
        classes : array-like, optional
            All classes that will come, or the numbers of the labels; needed in the first call.

        Returns
        -------
        self

        Raises
        ------
        AttributeError
            If the solver needs all rows at once.
        ValueError
            If the data or a parameter cannot be used, or the columns or classes are others than before.
        """
        if self.class_weight == "balanced":
            raise InputError(
                "partial_fit does not know how frequent the classes are: give class_weight as a dict, or "
                "sample_weight, instead of class_weight='balanced'"
            )
        return self._learn_part(X, y, sample_weight, classes)

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

    def _go_through(self, X: Any, y: Any, sample_weight: Any, classes: Any) -> secant.Status | None:
        _check_partial_fit_first_call(self, classes)
        return super()._go_through(X, y, sample_weight, self.classes_)

    def _read_targets(self, y: Any, reset: bool, classes: Any = None) -> NDArray[Any]:
        kind = kind_of_classes(y)
        if kind not in _TARGETS:
            raise InputError(
                f"Unknown label type: y is {kind}, and classes are numbers without fractions, "
                "texts, or rows of 0 and 1"
            )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if reset:
            self._learn_classes(y, kind, classes)
        self._refuse_other_classes(y, kind)
        if self._multilabel:
            return np.asarray(y, dtype=self.dtype)
        places: NDArray[Any] = np.searchsorted(self.classes_, y)
        return places if self.n_outputs_ > 1 else places[:, None].astype(self.dtype)

    def _refuse_other_classes(self, y: NDArray[Any], kind: str) -> None:
        """Of a warm start, and of the parts of a stream."""
        if (kind == "multilabel-indicator") != self._multilabel:
            known = "rows of 0 and 1" if self._multilabel else "one class for each row"
            raise InputError(f"y must be {known} as in the last fit, not {kind}")
        found = np.arange(y.shape[1]) if self._multilabel else np.unique(y)
        unknown = np.setdiff1d(found, self.classes_)
        if len(unknown) or (self._multilabel and len(found) < len(self.classes_)):
            raise InputError(
                f"warm_start and partial_fit need the known classes, {listing(self.classes_)}, "
                f"and y has {listing(found)}"
            )

    def _learn_classes(self, y: NDArray[Any], kind: str, classes: Any) -> None:
        self._multilabel = kind == "multilabel-indicator"
        self.classes_ = np.arange(y.shape[1]) if self._multilabel else np.unique(y)
        if classes is not None:
            self.classes_ = np.unique(classes)
        count = len(self.classes_)
        if self._multilabel:
            self.n_outputs_ = y.shape[1]
        elif count < 2:
            found = "y has" if classes is None else "classes has"
            only = self.classes_.tolist()[0]
            raise InputError(f"{found} one class only, {only!r}; a classifier needs two")
        else:
            self.n_outputs_ = 1 if count == 2 else count

    def _row_weights(self, sample_weight: Any, X: Values, y: Any) -> Values | None:
        weights = super()._row_weights(sample_weight, X, y)
        if self.class_weight is None:
            return weights
        given = self.class_weight
        if isinstance(given, dict):  # a part of the rows need not have all classes
            absent = set(self.classes_.tolist()) - set(np.unique(y).tolist())
            given = {label: weight for label, weight in given.items() if label not in absent}
        balance: Values = compute_sample_weight(given, y).astype(X.dtype)
        return balance if weights is None else weights * balance

    def _strata(self, targets: NDArray[Any]) -> NDArray[Any] | None:
        return None if self._multilabel else targets

    _losses = ("auto", "log_loss", "weighted-squared")

    def _named_goal(self, targets: NDArray[Any]) -> Goal:
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
