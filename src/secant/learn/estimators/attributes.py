"""The attributes that a training leaves on an estimator, under scikit-learn's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secant.learn.network import Perceptron
from secant.learn.strategy import Training

if TYPE_CHECKING:
    from secant.learn.estimators.base import BasePerceptron

__all__ = ["keep_network", "keep_training"]


def keep_network(estimator: BasePerceptron, network: Perceptron) -> None:
    """What a prediction needs."""
    parameters = [parameter.detach().cpu().numpy() for parameter in network.tensors()]
    estimator.coefs_ = [W.T.copy() for W in parameters[::2]]
    estimator.intercepts_ = [b.copy() for b in parameters[1::2]]
    estimator.n_layers_ = len(network.sizes)
    estimator.out_activation_ = estimator._output_activation()


def keep_training(estimator: BasePerceptron, training: Training, factor: float) -> None:
    """How it went; `factor` turns the losses of the training into scikit-learn's units."""
    estimator.history_ = training.history
    estimator.n_iter_, estimator.t_ = training.iterations, 0
    estimator.solver_ = training.method
    estimator.solver_reason_ = training.reason
    estimator.stop_reason_ = training.status.value
    objective = [factor * value for value in training.history.column("objective")]
    estimator.loss_curve_ = objective[1:] or objective
    estimator.loss_ = factor * training.best.objective
    estimator.best_loss_ = None if estimator.early_stopping else min(objective)
    estimator.validation_scores_ = None
    estimator.best_validation_score_ = None
    if estimator.early_stopping:
        losses = training.history.column("validation_loss")
        estimator.validation_scores_ = [-factor * loss for loss in losses[1:] or losses]
        estimator.best_validation_score_ = -factor * training.best.validation_loss
