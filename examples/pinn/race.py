"""The same warmed-up network for every optimizer, and what each makes of it in so many seconds.

Times are processor time of one thread, so that other programs on the machine do not count, and the clock
stands still while a curve is recorded. The clock runs inside the closure, which is the same for all: an
evaluation is a loss with its gradient, an optimizer ends when the closure finds that the time is over.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import process_time
from typing import Any, Protocol

import torch

import secant.torch as quasi_newton

Tensor = torch.Tensor

ENDLESS = 10**9
"""A limit that is never met."""

MOMENTS = 120
"""How often, at even distances in time, the parameters are kept for the true error."""


class Problem(Protocol):
    """A network that is to satisfy an equation whose solution is known."""

    @property
    def network(self) -> torch.nn.Module:
        """What is trained."""
        ...

    def loss(self) -> Tensor:
        """What is minimised."""
        ...

    def error(self) -> float:
        """Relative error of the solution, in the L2 norm."""
        ...


Closure = Callable[[], Tensor]
Train = Callable[[Any, Closure], None]


@dataclass(frozen=True)
class Contestant:
    """An optimizer.

    Attributes
    ----------
    label : str
    train : callable
        ``train(parameters, closure)`` minimises until it knows no further step.
    """

    label: str
    train: Train


@dataclass
class Curve:
    """What an optimizer did.

    Attributes
    ----------
    label : str
    seconds, loss : list of float
        The lowest loss so far, whenever it fell.
    moments, errors : list of float
        Seconds, and the true error of the best parameters then.
    evaluations : int
    ended : float
        Seconds after which the optimizer stopped, or was stopped.
    """

    label: str
    seconds: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    evaluations: int = 0
    ended: float = 0.0


class OutOfTime(Exception):
    """The seconds are used up."""


class Recorder:
    """A closure with a clock.

    Parameters
    ----------
    problem : Problem
    curve : Curve
        Where to record.
    seconds : float
        After so many seconds `OutOfTime` is raised.
    """

    def __init__(self, problem: Problem, curve: Curve, seconds: float) -> None:
        self.curve = curve
        self.kept: list[dict[str, Tensor]] = []
        self._problem = problem
        self._seconds = seconds
        self._lowest = math.inf
        self._paused = 0.0
        self._began = process_time()

    def __call__(self) -> Tensor:
        """Loss and gradient."""
        self._problem.network.zero_grad()
        loss = self._problem.loss()
        loss.backward()  # type: ignore[no-untyped-call]
        now = process_time()
        self._note(loss.item(), now - self._began - self._paused)
        self._paused += process_time() - now
        return loss

    @property
    def lowest(self) -> float:
        """The lowest loss so far."""
        return self._lowest

    def _note(self, loss: float, seconds: float) -> None:
        curve = self.curve
        curve.evaluations += 1
        curve.ended = seconds
        if loss < self._lowest:
            self._lowest = loss
            curve.seconds.append(seconds)
            curve.loss.append(loss)
            if seconds >= len(self.kept) * self._seconds / MOMENTS:
                curve.moments.append(seconds)
                self.kept.append(copy.deepcopy(self._problem.network.state_dict()))
        if seconds > self._seconds:
            raise OutOfTime


def warm_up(problem: Problem, steps: int, rate: float = 5e-3, decay: float = 0.998) -> float:
    """Steps of Adam with a rate that decays; the loss at their end."""
    adam = torch.optim.Adam(problem.network.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.ExponentialLR(adam, decay)
    for _ in range(steps):
        adam.zero_grad()
        problem.loss().backward()  # type: ignore[no-untyped-call]
        adam.step()
        schedule.step()
    return problem.loss().item()


def race(problem: Problem, contestants: Sequence[Contestant], seconds: float) -> Iterator[Curve]:
    """One curve after the other, each from the network as it is now."""
    start = copy.deepcopy(problem.network.state_dict())
    for contestant in contestants:
        problem.network.load_state_dict(start)
        yield _run(problem, contestant, seconds)
    problem.network.load_state_dict(start)


def _run(problem: Problem, contestant: Contestant, seconds: float) -> Curve:
    """Train, anew after an early end as long as that gets lower."""
    recorder = Recorder(problem, Curve(contestant.label), seconds)
    before = math.inf
    try:
        while recorder.lowest < before or before == math.inf:
            before = recorder.lowest
            contestant.train(list(problem.network.parameters()), recorder)
    except OutOfTime:
        pass
    for kept in recorder.kept:
        problem.network.load_state_dict(kept)
        recorder.curve.errors.append(problem.error())
    return recorder.curve


# ------------------------------------------------------------------------------------- contestants


def by_step(make: Callable[..., Any], **options: Any) -> Train:
    """One step without a limit on its iterations."""

    def train(parameters: Any, closure: Closure) -> None:
        make(parameters, max_iter=ENDLESS, max_eval=ENDLESS, **options).step(closure)

    return train


def by_adam(rate: float) -> Train:
    """Adam, to the end of the time."""

    def train(parameters: Any, closure: Closure) -> None:
        adam = torch.optim.Adam(parameters, lr=rate)
        while True:
            adam.step(closure)

    return train


def everybody() -> list[Contestant]:
    """Those of the pictures; no tolerance ends a run."""
    endless = {"tolerance_grad": 0.0, "tolerance_change": 0.0}
    torch_wolfe = endless | {"line_search_fn": "strong_wolfe"}
    secant_search = endless | {"line_search_fn": "hager_zhang"}
    return [
        Contestant("SSBroyden (secant)", by_step(quasi_newton.SSBroyden, **secant_search)),
        Contestant("BFGS (secant)", by_step(quasi_newton.BFGS, **secant_search)),
        Contestant(
            "L-BFGS, 100 pairs (secant)",
            by_step(quasi_newton.LBFGS, history_size=100, **secant_search),
        ),
        Contestant(
            "torch.optim.LBFGS, 100 pairs",
            by_step(torch.optim.LBFGS, history_size=100, **torch_wolfe),
        ),
        Contestant(
            "torch.optim.LBFGS, 10 pairs",
            by_step(torch.optim.LBFGS, history_size=10, **torch_wolfe),
        ),
        Contestant("torch.optim.Adam", by_adam(1e-3)),
    ]
