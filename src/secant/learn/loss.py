"""The loss index: an error term on the outputs and a regularisation term on the weights."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from secant.learn.error_terms import (
    BinaryCrossEntropy,
    CrossEntropy,
    ErrorTerm,
    Huber,
    MeanSquared,
    Minkowski,
    NormalisedSquared,
    WeightedSquared,
)
from secant.learn.errors import InputError, listing
from secant.learn.network import Perceptron
from secant.learn.plain import settle_types
from secant.learn.regularisation import Regularisation
from secant.learn.tables.dataset import Task
from secant.learn.targets import ClassTargets, Target

__all__ = ["LOSSES", "ErrorTerm", "LossIndex", "check_loss", "error_term"]

# What the command line calls them, and what they can be used for.
LOSSES: dict[str, Task] = {
    "mean-squared": Task.REGRESSION,
    "normalised-squared": Task.REGRESSION,
    "minkowski": Task.REGRESSION,
    "huber": Task.REGRESSION,
    "cross-entropy": Task.CLASSIFICATION,
    "weighted-squared": Task.CLASSIFICATION,
}


def error_term(name: str, target: Target, exponent: float = 1.5, delta: float = 1.0) -> ErrorTerm:
    """The error term called `name`, in the form that fits the target.

    Parameters
    ----------
    name : str
        ``auto``, or a key of `LOSSES`.
    target : Target
        What is learnt.
    exponent : float
        Of ``minkowski``.
    delta : float
        Of ``huber``, in the units of the scaled target.

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
        return _regression_term(name, exponent, delta)
    if name == "weighted-squared":
        if target.outputs != 1:
            several = isinstance(target, ClassTargets)
            found = "there are several targets" if several else f"there are {target.outputs}"
            raise InputError(
                f"loss 'weighted-squared' is for one target of two classes, and {found}"
            )
        return WeightedSquared()
    binary = target.outputs == 1 or isinstance(target, ClassTargets)
    return BinaryCrossEntropy() if binary else CrossEntropy()


def _regression_term(name: str, exponent: float, delta: float) -> ErrorTerm:
    if name == "normalised-squared":
        return NormalisedSquared()
    if name == "minkowski":
        return Minkowski(exponent)
    return Huber(delta) if name == "huber" else MeanSquared()


def check_loss(name: str) -> None:
    """Raise InputError unless `name` is a loss."""
    if name != "auto" and name not in LOSSES:
        raise InputError(f"loss must be one of {listing(['auto', *LOSSES])}, not {name!r}")


@dataclass(frozen=True)
class LossIndex:
    """error(outputs, targets) + regularisation(weights); biases are not counted.

    Parameters
    ----------
    error : ErrorTerm
    l2 : float
        Factor of the sum of the squared weights.
    l1 : float
        Factor of the sum of their absolute values, for method ``owl-qn`` alone.
    smooth_l1 : float
        Factor of the sum of ``sqrt(w^2 + smoothing^2) - smoothing``, for every method.
    smoothing : float
        The size below which a weight counts as small there.

    Raises
    ------
    InputError
        For a factor below 0.

    Examples
    --------
    >>> import torch
    >>> from secant.learn import LossIndex, Perceptron
    >>> from secant.learn.error_terms import MeanSquared
    >>> network, x = Perceptron((1, 1), seed=0), torch.ones(3, 1, dtype=torch.float64)
    >>> index = LossIndex(MeanSquared(), l2=0.5)
    >>> (W,) = (tensor for tensor in network.tensors() if tensor.ndim == 2)
    >>> added = index(network, x, 2.0 * x) - index.without_l2()(network, x, 2.0 * x)
    >>> added.item() == 0.5 * W.item() ** 2
    True
    """

    error: ErrorTerm
    l2: float = 0.0
    l1: float = 0.0
    smooth_l1: float = 0.0
    smoothing: float = 1e-3

    def __post_init__(self) -> None:
        settle_types(self)
        _ = self.regularisation

    @property
    def regularisation(self) -> Regularisation:
        """The regularisation term."""
        return Regularisation(self.l2, self.l1, self.smooth_l1, self.smoothing)

    def fitted(self, targets: Tensor, weights: Tensor | None = None) -> LossIndex:
        """The index with the constants that its error term takes from the training targets."""
        return replace(self, error=self.error.fitted(targets, weights))

    def without_l2(self) -> LossIndex:
        """The index without the sum of squares, for methods that treat it themselves."""
        return replace(self, l2=0.0)

    def __call__(
        self,
        network: Perceptron,
        inputs: Tensor,
        targets: Tensor,
        weights: Tensor | None = None,
    ) -> Tensor:
        """The loss index, a scalar."""
        return self.error(network(inputs), targets, weights) + self.penalty(network)

    def penalty(self, network: Perceptron) -> Tensor:
        """The regularisation term, a scalar."""
        return self.regularisation.on_tensors(network.weights())
