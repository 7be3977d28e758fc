"""A network with its data, as a training asks about it: in closed form, or by autograd."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, Protocol

import torch

from secant.learn.closed_form.objective import Objective, set_weights
from secant.learn.loss import LossIndex
from secant.learn.network import Perceptron
from secant.learn.sample import Sample

__all__ = ["ByAutograd", "InClosedForm", "Learner", "Seen"]


class Seen(Protocol):
    """What is looked at of an iteration; a `secant.Snapshot` has it."""

    k: int
    f: float
    optimality: float
    alpha: float
    nfev: int

    @property
    def flat(self) -> Any:
        """The weights as a flat vector."""
        ...


class Learner(ABC):
    """A network with its data, and what can be asked about its weights.

    Parameters
    ----------
    network : Perceptron
    index : LossIndex
        Fitted to the training targets.
    """

    def __init__(self, network: Perceptron, index: LossIndex, has_validation: bool) -> None:
        self.network = network
        self.index = index
        self.has_validation = has_validation

    @abstractmethod
    def penalty(self, x: Any) -> float:
        """The regularisation term."""

    @abstractmethod
    def validation_loss(self, x: Any) -> float:
        """The error term on the validation rows; NaN if there are none."""

    def objective_at(self, kept: Any) -> float | None:
        """The objective at weights that were kept, if it is not known in the network's precision."""
        return None

    @abstractmethod
    def keep(self, x: Any) -> Any:
        """The weights, in a form that stays as it is."""

    @abstractmethod
    def restore(self, kept: Any) -> None:
        """Fill the network with weights that were kept."""

    def columns(self, seen: Seen) -> dict[str, float]:
        """The columns of the history that depend on the method."""
        return {"step": seen.alpha}

    def comparable(self, seen: Seen) -> float:
        """What the best weights are the lowest of when there are no validation rows."""
        return seen.f


class ByAutograd(Learner):
    """Any module on any device."""

    def __init__(
        self, network: Perceptron, index: LossIndex, train: Sample, validation: Sample | None
    ) -> None:
        super().__init__(network, index, validation is not None)
        self.train = train
        self.validation = validation

    def objective(self) -> torch.Tensor:
        """The smooth part of the loss index at the network's weights."""
        train, network = self.train, self.network
        error = self.index.error(network(train.inputs), train.targets, train.weights)
        smooth = self.index.regularisation.on_tensors(network.weights(), smooth_only=True)
        return error + smooth

    def penalty(self, x: Any) -> float:
        """The regularisation term."""
        with torch.no_grad():
            return float(self.index.penalty(self.network))

    def validation_loss(self, x: Any) -> float:
        """The error term on the validation rows; NaN if there are none."""
        rows = self.validation
        if rows is None:
            return math.nan
        with torch.no_grad():
            outputs = self.network(rows.inputs)
            return float(self.index.error(outputs, rows.targets, rows.weights))

    def keep(self, x: Any) -> Any:
        """A copy of the module's state."""
        return {name: value.clone() for name, value in self.network.state_dict().items()}

    def restore(self, kept: Any) -> None:
        """Load the state."""
        self.network.load_state_dict(kept)


class InClosedForm(Learner):
    """A perceptron on the CPU."""

    def __init__(
        self, network: Perceptron, index: LossIndex, train: Sample, validation: Sample | None
    ) -> None:
        super().__init__(network, index, validation is not None)
        self.train = Objective(network, index, train.inputs, train.targets, train.weights)
        self.validation: Objective | None = None
        if validation is not None:
            self.validation = Objective(
                network, index, validation.inputs, validation.targets, validation.weights
            )

    def penalty(self, x: Any) -> float:
        """The regularisation term."""
        return self.train.penalty(x)

    def validation_loss(self, x: Any) -> float:
        """The error term on the validation rows; NaN if there are none."""
        return math.nan if self.validation is None else self.validation.error(x)

    def objective_at(self, kept: Any) -> float | None:
        """Evaluated, if they are in another precision than the network."""
        if kept.dtype == self.train.dtype:
            return None
        return self.train.error(kept) + self.train.penalty(kept)

    def keep(self, x: Any) -> Any:
        """The vector itself: an iterate is never written to."""
        return x

    def restore(self, kept: Any) -> None:
        """Fill the network's parameters."""
        set_weights(self.network, kept)
