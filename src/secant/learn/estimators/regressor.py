"""A perceptron that learns numbers, in scikit-learn's conventions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from secant.learn.error_terms import Huber, MeanSquared, Minkowski, NormalisedSquared
from secant.learn.errors import InputError
from secant.learn.estimators.goal import Goal
from secant.learn.estimators.rows import Values
from secant.learn.estimators.stream import StreamPerceptron, learns_in_parts

__all__ = ["MLPRegressor"]

# scikit-learn takes the half of the squared error.
_GOALS: dict[str, Goal] = {
    "auto": Goal(MeanSquared(), 0.5),
    "squared_error": Goal(MeanSquared(), 0.5),
    "normalised-squared": Goal(NormalisedSquared()),
    "minkowski": Goal(Minkowski()),
    "huber": Goal(Huber()),
}


class MLPRegressor(RegressorMixin, StreamPerceptron):  # type: ignore[misc]
    """A multilayer perceptron for numbers, trained by any method of secant.

    Minimises ``1/2 mean_i w_i (f(x_i) - y_i)^2 + alpha / (2 sum w) |W|^2`` over the weights ``W`` and
    the biases, which is scikit-learn's objective; of several targets the mean is taken. Neither
    inputs nor targets are scaled; put a scaler before it.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int
        Units of each hidden layer; ``()`` makes a linear model.
    activation : str
        ``"tanh"``, ``"logistic"``, ``"softplus"``, ``"silu"``, ``"elu"``, ``"relu"`` or
        ``"identity"``.
    solver : str
        ``"auto"`` chooses by the size of the problem (`secant.learn.choice`); a name of ``secant
        methods``, or its alias; or ``"adam"``, ``"adamw"``, ``"sgd"``, which work on mini-batches.
    loss : str or ErrorTerm
        ``"auto"`` is ``"squared_error"``; or ``"normalised-squared"``, ``"minkowski"`` (exponent
        1.5), ``"huber"`` (delta 1), or an error term such as
        ``secant.learn.error_terms.Huber(0.5)``.
    alpha : float
        Factor of the L2 term, in scikit-learn's units.
    batch_size : int or "auto"
        Rows of a mini-batch of the stochastic solvers; "auto" is 200, or all if there are fewer.
        All others use all rows.
    learning_rate_init : float
        Step of the stochastic solvers.
    max_iter : int
        Iterations, or epochs of the stochastic solvers, at most.
    max_fun : int, optional
        Evaluations of the objective at most.
    max_seconds : float, optional
        Limit on the time of `fit`.
    tol : float
        Decrease of the objective below which an iteration counts as no progress; for squared errors
        in units of the targets' variance.
    gtol : float
        Largest gradient component at which the training has converged, in the same units.
    goal : float, optional
        Stop when the loss, without the L2 term, has come down to this.
    early_stopping : bool
        Set rows aside, stop when the loss on them has not fallen for `n_iter_no_change` iterations,
        and keep the weights of the lowest.
    validation_fraction : float
        Share of the rows that is set aside.
    n_iter_no_change : int
        Iterations in a row without progress after which the training stops.
    n_restarts : int
        Further starts from new initial weights; the best is kept.
    initialisation : str
        ``"scikit-learn"`` (the same weights from the same `random_state`), ``"xavier"``, ``"he"`` or
        ``"nguyen-widrow"``.
    random_state : int, RandomState or None
        Of the initial weights, the rows set aside and the mini-batches.
    warm_start : bool
        Go on from the weights of the last `fit`.
    dtype : str
        ``"float64"`` or ``"float32"``.
    device : str or torch.device
        On ``"cpu"`` the derivatives are closed forms in NumPy; elsewhere PyTorch computes them.
    verbose : bool
        Print the objective after each iteration.

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray
        Weights, shape (inputs, outputs), and biases of each layer.
    loss_ : float
        The objective at these weights.
    loss_curve_ : list of float
        The objective after each iteration.
    best_loss_ : float or None
        The lowest of them; None with early stopping.
    validation_scores_, best_validation_score_ : list of float or None, float or None
        Minus the validation loss after each iteration, and of the kept weights.
    n_iter_ : int
        Iterations made; `partial_fit` adds one for each call.
    t_ : int
        Rows that `partial_fit` has seen since the last `fit`.
    solver_, solver_reason_ : str
        The method that trained, and why it was chosen.
    stop_reason_ : str
        Why the training ended.
    history_ : History
        Losses, gradient, step and time of each iteration.
    n_layers_, n_outputs_, n_features_in_ : int
    feature_names_in_ : ndarray
        The names of the columns, if `X` had them.
    out_activation_ : str

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from secant.learn import MLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), MLPRegressor((8,), alpha=1.0, random_state=0))
    >>> model.fit(X, y).score(X, y) > 0.5
    True
    >>> model[-1].solver_
    'ssbroyden'
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows and their targets.

        Parameters
        ----------
        X : array-like, shape (rows, inputs)
        y : array-like, shape (rows,) or (rows, outputs)
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
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go once through rows that are a part of all, in mini-batches, and keep what was learnt before.

        Only for the solvers ``"adam"``, ``"adamw"``, ``"sgd"``, and ``"auto"``, which then is Adam. The
        optimiser's memory goes on from call to call; `fit` begins anew. `max_iter`, `tol` and the other
        limits are of `fit` alone.

        Parameters
        ----------
        X : array-like, shape (rows, inputs)
        y : array-like, shape (rows,) or (rows, outputs)
        sample_weight : array-like, shape (rows,), optional

        Returns
        -------
        self

        Raises
        ------
        AttributeError
            If the solver needs all rows at once.
        ValueError
            If the data or a parameter cannot be used, or the columns or targets are others than before.

        Examples
        --------
        >>> import numpy as np
        >>> random = np.random.default_rng(0)
        >>> model = MLPRegressor((8,), learning_rate_init=0.05, random_state=0)
        >>> for _ in range(200):
        ...     X = random.uniform(-1, 1, (50, 1))
        ...     model = model.partial_fit(X, np.sin(3 * X[:, 0]))
        >>> model.t_, model.loss_ < 0.01
        (10000, True)
        """
        return self._learn_part(X, y, sample_weight)

    def predict(self, X: Any) -> Values:
        """The prediction of each row, shape (rows,) or (rows, outputs) as `y` was."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self._flat else outputs

    # -------------------------------------------------------------------------------- internals

    def _read_targets(self, y: Any, reset: bool, classes: Any = None) -> NDArray[Any]:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        outputs = 1 if y.ndim == 1 else y.shape[1]
        if not reset and outputs != self.n_outputs_:
            raise InputError(
                f"warm_start and partial_fit need {self.n_outputs_} targets as in the last fit, "
                f"not {outputs}"
            )
        self._flat = y.ndim == 1
        self.n_outputs_ = outputs
        return np.asarray(y, dtype=self.dtype).reshape(len(y), outputs)

    _losses = tuple(_GOALS)

    def _named_goal(self, targets: NDArray[Any]) -> Goal:
        goal = _GOALS[self.loss]
        if isinstance(goal.error, MeanSquared):
            with np.errstate(over="ignore", invalid="ignore"):
                variance = float(targets.var(axis=0).mean())
            return replace(goal, unit=variance if variance > 0.0 else 1.0)
        return goal

    def _output_activation(self) -> str:
        return "identity"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
