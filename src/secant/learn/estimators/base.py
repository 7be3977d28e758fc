"""What the regressor and the classifier share: from arrays to a trained network, and attributes."""

from __future__ import annotations

import math
import warnings
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

import secant
from secant.learn.activations import ACTIVATIONS
from secant.learn.closed_form.backpropagation import Backpropagation
from secant.learn.error_terms import ErrorTerm
from secant.learn.errors import InputError, listing
from secant.learn.estimators.attributes import keep_network, keep_training
from secant.learn.estimators.goal import Goal
from secant.learn.estimators.parameters import check_parameters, hidden_sizes, solver_name
from secant.learn.estimators.plain import validated
from secant.learn.estimators.rows import Values, sample_of, set_aside
from secant.learn.estimators.unchanged import unchanged_on_failure
from secant.learn.history import History
from secant.learn.initial import initialise
from secant.learn.loss import LossIndex
from secant.learn.minibatch import BATCH_METHODS
from secant.learn.network import DTYPES, Perceptron
from secant.learn.restarts import train_from_starts
from secant.learn.strategy import AUTO, Sample, Strategy

__all__ = ["BasePerceptron"]

_BLOCK = 8192
"""Rows of a prediction that are in the workspaces at a time."""

_FOREVER = 1e12
"""Seconds without a limit."""

_NEVER = 5e-324
"""A gradient that is never met."""


class BasePerceptron(BaseEstimator):  # type: ignore[misc]
    """A multilayer perceptron trained by any method of secant; the base of both estimators."""

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "tanh",
        *,
        solver: Any = "auto",
        loss: Any = "auto",
        alpha: float = 1e-4,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.loss = loss
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.max_fun = max_fun
        self.max_seconds = max_seconds
        self.tol = tol
        self.gtol = gtol
        self.goal = goal
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.n_restarts = n_restarts
        self.initialisation = initialisation
        self.random_state = random_state
        self.warm_start = warm_start
        self.dtype = dtype
        self.device = device
        self.verbose = verbose

    n_outputs_: int
    n_layers_: int
    out_activation_: str
    coefs_: list[Values]
    intercepts_: list[Values]
    loss_: float
    loss_curve_: list[float]
    best_loss_: float | None
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    n_iter_: int
    t_: int
    solver_: str
    solver_reason_: str
    stop_reason_: str
    history_: History
    _stream: Any = None

    # ------------------------------------------------------------------ what a subclass has to say

    def _read_targets(self, y: Any, reset: bool, classes: Any = None) -> NDArray[Any]:
        """The targets as `ErrorTerm` takes them; learns the `classes`, or those of `y`, when `reset`."""
        raise NotImplementedError

    _losses: ClassVar[tuple[str, ...]]
    """Names of `loss`."""

    def _named_goal(self, targets: NDArray[Any]) -> Goal:
        """What is minimised under the name of `loss`."""
        raise NotImplementedError

    def _output_activation(self) -> str:
        """What turns outputs into predictions."""
        raise NotImplementedError

    def _strata(self, targets: NDArray[Any]) -> NDArray[Any] | None:
        """Labels whose shares a validation split keeps; None for a random one."""
        return None

    def _goal(self, targets: NDArray[Any]) -> Goal:
        """What is minimised."""
        if isinstance(self.loss, ErrorTerm):
            return Goal(self.loss)
        if self.loss not in self._losses:
            raise InputError(f"loss must be one of {listing(self._losses)}, not {self.loss!r}")
        return self._named_goal(targets)

    def _row_weights(self, sample_weight: Any, X: Values, y: Any) -> Values | None:
        """The weight of each row, or None where all are 1."""
        if sample_weight is None:
            return None
        weights: Values = _check_sample_weight(
            sample_weight, X, dtype=X.dtype, ensure_non_negative=True
        )
        if not weights.sum() > 0:
            raise InputError("sample_weight must have a positive weight, but all are zero")
        return weights

    # ---------------------------------------------------------------------------------- training

    def _train(self, X: Any, y: Any, sample_weight: Any) -> Self:
        with unchanged_on_failure(self):
            status = self._fitted(X, y, sample_weight)
        self._warn(status)
        return self

    def _fitted(self, X: Any, y: Any, sample_weight: Any) -> secant.Status:
        """Train, keep what was found, and say why it ended."""
        check_parameters(self)
        warm = self.warm_start and hasattr(self, "coefs_")
        X, y = validated(self, X, y, np.dtype(self.dtype), reset=not warm)
        targets = self._read_targets(y, reset=not warm)
        weights = self._row_weights(sample_weight, X, y)
        random = check_random_state(self.random_state)
        network = self._network(X, random, warm)
        train, validation = self._divide(X, targets, weights, random)
        goal = self._goal(targets)
        found = train_from_starts(
            network,
            self._index(train, goal),
            train,
            validation,
            self._strategy(goal, random),
            starts=1 + self.n_restarts,
            scheme=self.initialisation,
            random=random,
            total_seconds=self.max_seconds or _FOREVER,
            progress=self._progress(goal) if self.verbose else None,
        )
        keep_network(self, network)
        keep_training(self, found.best, goal.factor)
        self._stream = None
        return found.best.status

    def _network(self, X: Values, random: np.random.RandomState, warm: bool) -> Perceptron:
        """With the weights so far on a warm start, else with new ones."""
        sizes = (X.shape[1], *hidden_sizes(self), self.n_outputs_)
        network = Perceptron(sizes, self.activation, None, DTYPES[self.dtype])
        if not warm:
            initialise(network, self.initialisation, random, X)
        elif tuple(coef.shape[1] for coef in self.coefs_) != sizes[1:]:
            raise InputError(
                "warm_start and partial_fit need the layers of the last fit, "
                f"{[c.shape[1] for c in self.coefs_]} units, not {list(sizes[1:])}"
            )
        else:
            network.fill(part for layer in self._layers() for part in layer)
        if self.device == "cpu":
            return network
        try:
            return network.to(self.device)
        except (RuntimeError, AssertionError, TypeError) as error:
            raise InputError(f"device {self.device!r} cannot be used: {error}") from None

    def _divide(
        self,
        X: Values,
        targets: NDArray[Any],
        weights: Values | None,
        random: np.random.RandomState,
    ) -> tuple[Sample, Sample | None]:
        """The rows that train, and with early stopping those that validate."""
        if not self.early_stopping:
            return sample_of(X, targets, weights, slice(None), self.device), None
        train, held = set_aside(
            len(X), self.validation_fraction, self._strata(targets), weights, random
        )
        return (
            sample_of(X, targets, weights, train, self.device),
            sample_of(X, targets, weights, held, self.device),
        )

    def _index(self, train: Sample, goal: Goal) -> LossIndex:
        """What is minimised on these rows, where scikit-learn's penalty is a mean over them."""
        amount = float(len(train)) if train.weights is None else float(train.weights.sum())
        return LossIndex(goal.error, l2=0.5 * self.alpha / (amount * goal.factor))

    def _strategy(self, goal: Goal, random: np.random.RandomState) -> Strategy:
        """The parameters as the training knows them; losses there are not halved."""
        if not math.isfinite(goal.unit):
            raise InputError(f"y has numbers too large to be squared in {self.dtype}")
        solver = solver_name(self)
        in_batches = solver in (AUTO, *BATCH_METHODS)
        return Strategy(
            solver,
            gtol=self.gtol * goal.unit / goal.factor or _NEVER,
            max_iter=self.max_iter,
            max_seconds=self.max_seconds or _FOREVER,
            max_evals=self.max_fun,
            patience=self.n_iter_no_change,
            goal=None if self.goal is None else self.goal / goal.factor,
            tol=self.tol * goal.unit / goal.factor,
            n_iter_no_change=self.n_iter_no_change,
            learning_rate=self._learning_rate(goal) if in_batches else None,
            batch_size=None if self.batch_size == "auto" or not in_batches else self.batch_size,
            seed=int(random.randint(2**31 - 1)),
        )

    def _learning_rate(self, goal: Goal) -> float:
        """A step along the gradient is to be that of scikit-learn's loss; Adam's have no such unit."""
        return self.learning_rate_init * (goal.factor if solver_name(self) == "sgd" else 1.0)

    def _progress(self, goal: Goal) -> Any:
        """Prints each iteration as scikit-learn does."""

        def show(history: History) -> None:
            epoch = history.epochs[-1]
            print(f"Iteration {epoch.iteration}, loss = {goal.factor * epoch.objective:.8f}")
            if self.early_stopping:
                print(f"Validation loss: {goal.factor * epoch.validation_loss:.8f}")

        return show

    def _warn(self, status: secant.Status) -> None:
        if not status.success and status is not secant.Status.TIME_LIMIT:
            warnings.warn(
                f"{type(self).__name__} ({self.solver_}): {status.value}",
                ConvergenceWarning,
                stacklevel=4,
            )

    # -------------------------------------------------------------------------------- prediction

    def _layers(self) -> list[tuple[Values, Values]]:
        """Weights, shape (outputs, inputs), and biases of each layer."""
        return [(coef.T, b) for coef, b in zip(self.coefs_, self.intercepts_, strict=True)]

    def _outputs(self, X: Any) -> Values:
        """The network's outputs, shape (rows, outputs), before any output activation."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=self.coefs_[0].dtype, reset=False)
        layers = self._layers()
        sizes = [X.shape[1], *(len(b) for _, b in layers)]
        rows = min(len(X), _BLOCK)
        passes = Backpropagation(sizes, ACTIVATIONS[self.activation], rows, X.dtype)
        outputs = np.empty((len(X), sizes[-1]), X.dtype)
        for start in range(0, len(X), rows):
            block = X[start : start + rows]
            outputs[start : start + rows] = passes.forward(layers, block)
        return outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags
