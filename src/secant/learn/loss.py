"""The loss index: an error term on the outputs and a regularisation term on the weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from secant.learn.dataset import Task
from secant.learn.errors import InputError, listing
from secant.learn.network import Perceptron
from secant.learn.target import Target

__all__ = ["LOSSES", "ErrorTerm", "LossIndex", "error_term"]


@dataclass(frozen=True)
class ErrorTerm:
    """A mean over the rows of what an output costs, given the target."""

    name: str
    value: Callable[[Tensor, Tensor], Tensor]

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The error, a scalar."""
        return self.value(outputs, targets)


def _mean_squared(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.mse_loss(outputs, targets)


def _binary_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(outputs[:, 0], targets.to(outputs.dtype))


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs, targets)


# What the command line calls them, and what they can be used for.
LOSSES: dict[str, Task] = {
    "mean-squared": Task.REGRESSION,
    "cross-entropy": Task.CLASSIFICATION,
}


def error_term(name: str, target: Target) -> ErrorTerm:
    """The error term called `name`, in the form that fits the target.

    Parameters
    ----------
    name : str
        ``auto``, or a key of `LOSSES`.
    target : NumericTarget or ClassTarget
        What is learnt.

    Raises
    ------
    InputError
        If there is no such loss or the target cannot have it.
    """
    check_loss(name)
    if name != "auto" and LOSSES[name] is not target.task:
        raise InputError(
            f"loss {name!r} is for {LOSSES[name].value}, "
            f"and target {target.name!r} is learnt by {target.task.value}"
        )
    if target.task is Task.REGRESSION:
        return ErrorTerm("mean squared error of the scaled target", _mean_squared)
    if target.outputs == 1:
        return ErrorTerm("binary cross-entropy", _binary_cross_entropy)
    return ErrorTerm("cross-entropy", _cross_entropy)


def check_loss(name: str) -> None:
    """Raise InputError unless `name` is a loss."""
    if name != "auto" and name not in LOSSES:
        raise InputError(f"loss must be one of {listing(['auto', *LOSSES])}, not {name!r}")


@dataclass(frozen=True)
class LossIndex:
    """error(outputs, targets) + l2 * (sum of the squared weights, biases not counted)."""

    error: ErrorTerm
    l2: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.l2) and self.l2 >= 0):
            raise InputError(f"l2 must be a number from 0, not {self.l2}")

    def __call__(self, network: Perceptron, inputs: Tensor, targets: Tensor) -> Tensor:
        """The loss index, a scalar."""
        return self.error(network(inputs), targets) + self.penalty(network)

    def penalty(self, network: Perceptron) -> Tensor:
        """The regularisation term, a scalar."""
        squares = torch.stack([weight.square().sum() for weight in network.weights()])
        return self.l2 * squares.sum()
