"""Learning from rows that arrive in parts: `partial_fit`, one pass of a mini-batch method over each.

A method that learns curvature would fit each part for itself and forget the last one, so there is no
`partial_fit` for those; as in scikit-learn, asking for it is an AttributeError.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Self

import numpy as np
from sklearn.utils import check_random_state

import secant
from secant.learn.closed_form.objective import Objective, has_closed_form, set_weights, weights_of
from secant.learn.error_terms import ErrorTerm
from secant.learn.errors import InputError, listing
from secant.learn.estimators.attributes import keep_network
from secant.learn.estimators.base import BasePerceptron
from secant.learn.estimators.goal import Goal
from secant.learn.estimators.parameters import check_parameters, solver_name
from secant.learn.estimators.plain import validated
from secant.learn.estimators.rows import Values, sample_of
from secant.learn.estimators.unchanged import unchanged_on_failure
from secant.learn.history import Epoch, History
from secant.learn.minibatch import (
    BATCH_METHODS,
    BATCH_SIZE,
    Optimiser,
    batch_steps,
    optimiser_for,
)
from secant.learn.network import Perceptron
from secant.learn.strategy import AUTO, Sample

__all__ = ["StreamPerceptron", "learns_in_parts"]

_SOLVERS = (AUTO, *BATCH_METHODS)
_REASON = "rows that arrive in parts are learnt in mini-batches"
_ENDED = "one pass over the rows that were given"


def learns_in_parts(estimator: Any) -> bool:
    """Whether there is a `partial_fit`; an AttributeError says why not."""
    if solver_name(estimator) in _SOLVERS:
        return True
    raise AttributeError(
        f"partial_fit is for the solvers {listing(_SOLVERS)}, not {estimator.solver!r}: a method that "
        "learns curvature would fit each part for itself; warm_start=True goes on with all rows"
    )


@dataclass(frozen=True)
class Stream:
    """What is remembered from one part to the next.

    Attributes
    ----------
    method : str
        A key of `BATCH_METHODS`.
    optimiser : Optimiser
    error : ErrorTerm
        With the constants that the targets of the first part gave it.
    """

    method: str
    optimiser: Optimiser
    error: ErrorTerm


@dataclass(frozen=True)
class _Met:
    """What one pass met: means over the rows, each at the weights before the step of its batch."""

    objective: float
    error: float
    gradient_norm: float
    steps: int

    @property
    def finite(self) -> bool:
        return math.isfinite(self.objective + self.gradient_norm)


class StreamPerceptron(BasePerceptron):
    """A perceptron that can go on learning from further rows."""

    def _learn_part(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> Self:
        """One pass over the rows, from the weights and the optimiser's memory so far."""
        with unchanged_on_failure(self):
            status = self._go_through(X, y, sample_weight, classes)
        if self.verbose:
            print(f"Iteration {self.n_iter_}, loss = {self.loss_:.8f}")
        if status is not None:
            self._warn(status)
        return self

    def _go_through(self, X: Any, y: Any, sample_weight: Any, classes: Any) -> secant.Status | None:
        """Read the rows and teach the network; a status says that this diverged."""
        check_parameters(self)
        self._refuse_what_needs_all_rows()
        first = not hasattr(self, "coefs_")
        X, y = validated(self, X, y, np.dtype(self.dtype), reset=first)
        targets = self._read_targets(y, reset=first, classes=classes)
        sample_weight = self._row_weights(sample_weight, X, y)
        random = check_random_state(self.random_state)
        network = self._network(X, random, warm=not first)
        sample = sample_of(X, targets, sample_weight, slice(None), self.device)
        if not has_closed_form(network, sample.inputs):
            raise InputError(f"partial_fit trains on device 'cpu', not {self.device!r}")
        if first:
            self._begin()
        return self._teach(sample, network, self._goal(targets), random)

    def _teach(
        self, sample: Sample, network: Perceptron, goal: Goal, random: np.random.RandomState
    ) -> secant.Status | None:
        """Step through the rows; where that diverges, the weights stay as they were."""
        began = perf_counter()
        if self._stream is not None:
            goal = replace(goal, error=self._stream.error)
        index = self._index(sample, goal).fitted(sample.targets, sample.weights)
        objective = Objective(network, index, sample.inputs, sample.targets, sample.weights)
        stream, x = self._following(objective, goal), weights_of(network)
        met = _pass(objective, stream.optimiser, x, random.permutation(len(sample)), self._batch())
        learnt = met.finite and bool(np.isfinite(x).all())
        if learnt:
            set_weights(network, x)
        keep_network(self, network)
        self._stream = stream if learnt else None  # what led away is forgotten
        self.solver_ = stream.method
        self.solver_reason_ = _REASON if solver_name(self) == AUTO else ""
        self.stop_reason_ = _ENDED if learnt else secant.Status.DIVERGED.value
        self.t_ += len(sample)
        self._count(met, goal, perf_counter() - began)
        return None if learnt else secant.Status.DIVERGED

    def _refuse_what_needs_all_rows(self) -> None:
        if self.early_stopping:
            raise InputError("partial_fit does not support early_stopping=True")
        if self.n_restarts:
            raise InputError(f"partial_fit cannot start again: n_restarts is {self.n_restarts}")

    def _following(self, objective: Objective, goal: Goal) -> Stream:
        """With the present learning rate and penalty, and the memory of the parts before."""
        solver = solver_name(self)
        method = "adam" if solver == AUTO else solver
        optimiser = optimiser_for(method, self._learning_rate(goal), objective)
        past = self._stream
        if past is not None and past.method == method:
            optimiser = optimiser.following(past.optimiser)
        return Stream(method, optimiser, objective.index.error)

    def _batch(self) -> int:
        return BATCH_SIZE if self.batch_size == "auto" else int(self.batch_size)

    def _begin(self) -> None:
        """The counts before the first part."""
        self.n_iter_, self.t_ = 0, 0
        self.loss_curve_, self.best_loss_ = [], None
        self.validation_scores_ = self.best_validation_score_ = None
        self.history_ = History()

    def _count(self, met: _Met, goal: Goal, seconds: float) -> None:
        """Add a pass to the counts, and last to the curves, which change in place."""
        self.n_iter_ += 1
        self.loss_ = goal.factor * met.objective
        known = self.best_loss_
        self.best_loss_ = self.loss_ if known is None else min(known, self.loss_)
        past = self.history_.epochs
        self.history_.append(
            Epoch(
                self.n_iter_,
                (past[-1].seconds if past else 0.0) + seconds,
                met.objective,
                met.error,
                math.nan,
                met.gradient_norm,
                self._learning_rate(goal),
                (past[-1].evaluations if past else 0) + met.steps,
            )
        )
        self.loss_curve_.append(self.loss_)


def _pass(
    objective: Objective, optimiser: Optimiser, x: Values, rows: Any, batch_size: int
) -> _Met:
    """Step through the rows, and take the means of what the batches were before they taught."""
    part = optimiser.part_of(objective)
    counted = steps = 0
    total = error = gradient_norm = 0.0
    for size, f, g in batch_steps(part, optimiser, x, rows, batch_size):
        own = f - part.penalty(x)
        error += size * own
        total += size * (own + objective.penalty(x))
        gradient_norm = float(np.max(np.abs(g)))
        counted, steps = counted + size, steps + 1
    return _Met(total / counted, error / counted, gradient_norm, steps)
