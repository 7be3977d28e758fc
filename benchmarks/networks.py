"""The same small network, data and start for every optimiser, timed in seconds of processor time.

Two tasks in float64, trained on all rows at once:

- regression: scikit-learn's diabetes table (442 rows, 10 columns, standardised), two hidden layers of 24
  tanh units (889 weights), mean squared error;
- classification: scikit-learn's digits (1797 rows, 64 pixels, 10 classes), one hidden layer of 32 tanh
  units (2410 weights), cross-entropy.

Times are processor time of one thread, so that other programs on the machine do not count. The race of
the drop-in optimizers over these tasks is `benchmarks.torch_optimizers`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from time import process_time
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_diabetes, load_digits

import secant

HIDDEN = 24
"""Units in each of the two hidden layers."""

RATES: dict[str, tuple[float, ...]] = {
    "Adam": (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
    "gradient descent": (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0),
}
"""Learning rates from which the one with the lowest final loss is taken."""


@dataclass
class Curve:
    """Training loss over processor time.

    Attributes
    ----------
    label : str
    seconds, loss : list of float
        One entry for each iteration.
    steps : int
        Iterations made.
    """

    label: str
    seconds: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)

    @property
    def steps(self) -> int:
        return len(self.loss) - 1

    @property
    def lowest(self) -> float:
        """The lowest loss reached; NaN counts as infinite."""
        return min((value for value in self.loss if value == value), default=float("inf"))

    def add(self, seconds: float, loss: float) -> None:
        self.seconds.append(seconds)
        self.loss.append(loss)


@dataclass
class Task:
    """A network, the data and the criterion of its loss."""

    network: torch.nn.Module
    inputs: torch.Tensor
    targets: torch.Tensor
    criterion: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

    def loss(self) -> torch.Tensor:
        """Mean over all rows."""
        return self.criterion(self.network(self.inputs), self.targets)


def diabetes(seed: int = 0) -> Task:
    """The regression; the same for the same seed."""
    inputs, targets = load_diabetes(return_X_y=True)
    network = _tanh_network((inputs.shape[1], HIDDEN, HIDDEN, 1), seed)
    return Task(network, _standardised(inputs), _standardised(targets[:, None]), torch.nn.MSELoss())


def digits(seed: int = 0) -> Task:
    """The classification; the same for the same seed."""
    pixels, classes = load_digits(return_X_y=True)
    inputs = torch.tensor(pixels / 16.0)
    network = _tanh_network((inputs.shape[1], 32, 10), seed)
    return Task(network, inputs, torch.tensor(classes), torch.nn.CrossEntropyLoss())


def _tanh_network(sizes: Sequence[int], seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    parts: list[torch.nn.Module] = []
    for wide, narrow in pairwise(sizes):
        parts += [torch.nn.Linear(wide, narrow), torch.nn.Tanh()]
    return torch.nn.Sequential(*parts[:-1]).double()


def by_secant(label: str, method: Any, seconds: float, seed: int = 0) -> Curve:
    """Train the regression with one of secant's methods."""
    task, curve = diabetes(seed), Curve(label)
    began = process_time()

    def watch(snapshot: secant.Snapshot) -> bool:
        curve.add(process_time() - began, snapshot.f)
        return curve.seconds[-1] > seconds

    secant.minimize(task.loss, task.network, method=method, gtol=0.0, callback=watch)
    return curve


def by_torch(label: str, optimizer: Callable[..., Any], seconds: float, seed: int = 0) -> Curve:
    """Train the regression with one of PyTorch's optimisers."""
    task, curve = diabetes(seed), Curve(label)
    steps = optimizer(task.network.parameters())
    began = process_time()
    while not curve.seconds or curve.seconds[-1] <= seconds:
        steps.zero_grad()
        loss = task.loss()
        loss.backward()  # type: ignore[no-untyped-call]
        curve.add(process_time() - began, loss.item())
        steps.step()
        if not np.isfinite(curve.loss[-1]):
            break
    return curve


def best_rate(name: str, seconds: float, seed: int = 0) -> Curve:
    """Adam or gradient descent with the constant learning rate that gets lowest in the time."""
    optimizer = {"Adam": torch.optim.Adam, "gradient descent": torch.optim.SGD}[name]
    curves = [
        by_torch(f"{name}, rate {rate:g}", lambda p, lr=rate: optimizer(p, lr=lr), seconds, seed)
        for rate in RATES[name]
    ]
    return min(curves, key=lambda curve: curve.lowest)


def _standardised(values: np.ndarray) -> torch.Tensor:
    return torch.tensor((values - values.mean(0)) / values.std(0))
