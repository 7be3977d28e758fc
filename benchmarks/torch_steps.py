"""`secant.torch.LBFGS.step` beside `torch.optim.LBFGS.step`, and Levenberg-Marquardt beside both.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.torch_steps

Overhead is processor time of an iteration outside of the closure, on a quadratic whose gradient costs next to
nothing, with a full history. The fits are networks of one hidden layer and their seconds to fixed losses.
Solvers take turns within each repeat; medians are printed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

import secant.torch
from benchmarks.tables import table

SIZES = (1_000, 100_000)
MEMORIES = (10, 100)
REPEATS = 5
ITERATIONS = 20
STEPS = 2


@dataclass
class Stepper:
    """One optimizer on the quadratic ``sum d_i (x_i - 1)^2 / 2``, its history full."""

    make: Callable[..., Any]
    n: int
    memory: int
    dtype: torch.dtype
    calls: int = 0

    def __post_init__(self) -> None:
        self.w = torch.nn.Parameter(torch.zeros(self.n, dtype=self.dtype))
        self.d = torch.logspace(0.0, 6.0, self.n, dtype=self.dtype)
        self.opt = self.make(
            [self.w],
            max_iter=ITERATIONS,
            max_eval=10 * ITERATIONS,
            history_size=self.memory,
            line_search_fn="strong_wolfe",
            tolerance_grad=0.0,
            tolerance_change=0.0,
        )
        for _ in range(self.memory // ITERATIONS + 2):
            self.opt.step(self.closure)

    def closure(self) -> torch.Tensor:
        """The loss, its gradient written without autograd."""
        self.calls += 1
        with torch.no_grad():
            r = self.w.detach() - 1.0
            self.w.grad = self.d * r
            return 0.5 * torch.dot(self.w.grad, r)

    def seconds(self) -> float:
        """Of an iteration, without the closure; reading the clock is not cheap."""
        self.calls, before, start = 0, self._count(), time.process_time()
        for _ in range(STEPS):
            self.opt.step(self.closure)
        spent, calls = time.process_time() - start, self.calls
        start = time.process_time()
        for _ in range(calls):
            self.closure()
        spent -= time.process_time() - start
        return spent / max(1, self._count() - before)

    def _count(self) -> int:
        return int(self.opt.state[self.w]["n_iter"])


def overhead() -> str:
    """The table of overheads."""
    rows = []
    for n in SIZES:
        for memory in MEMORIES:
            for dtype in (torch.float64, torch.float32):
                makers = (secant.torch.LBFGS, torch.optim.LBFGS)
                steppers = [Stepper(make, n, memory, dtype) for make in makers]
                times: list[list[float]] = [[], []]
                for _ in range(REPEATS):
                    for stepper, seen in zip(steppers, times, strict=True):
                        seen.append(stepper.seconds())
                ours, theirs = (1e6 * median(seen) for seen in times)
                name = str(dtype).removeprefix("torch.")
                rows.append(
                    [n, memory, name, f"{ours:.0f}", f"{theirs:.0f}", f"{theirs / ours:.1f}"]
                )
    head = ["n", "history", "dtype", "secant, us", "torch, us", "torch / secant"]
    return "Overhead of an iteration of L-BFGS in step()\n\n" + table(head, rows)


# ------------------------------------------------------------------------------------------- fits


@dataclass(frozen=True)
class Contest:
    """A regression network and the loss (mean square) to reach."""

    label: str
    samples: int
    inputs: int
    hidden: int
    targets: tuple[float, ...]
    most: float = 15.0

    def model(self) -> torch.nn.Module:
        """The network at its start."""
        torch.manual_seed(0)
        layers = (
            torch.nn.Linear(self.inputs, self.hidden),
            torch.nn.Tanh(),
            torch.nn.Linear(self.hidden, 1),
        )
        return torch.nn.Sequential(*layers).double()

    def data(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs, and a smooth function of them."""
        torch.manual_seed(1)
        X = 2.0 * torch.rand(self.samples, self.inputs, dtype=torch.float64) - 1.0
        y = torch.sin(3.0 * X[:, :1]) * torch.cos(X.sum(1, keepdim=True)) + 0.5 * X[:, -1:] ** 2
        return X, y


CONTESTS = (
    Contest("200 samples, 1-10-1", 200, 1, 10, (1e-5, 1e-7)),
    Contest("500 samples, 3-15-1", 500, 3, 15, (1e-4, 1e-5)),
)


def run(contest: Contest, make: Callable[[Any], Any]) -> list[float]:
    """Processor seconds to each target; infinite where it was not reached."""
    model, (X, y) = contest.model(), contest.data()
    opt = make(model)
    by_residuals = isinstance(opt, secant.torch.LevenbergMarquardt)

    def residuals() -> torch.Tensor:
        r: torch.Tensor = model(X) - y
        return r

    def closure() -> torch.Tensor:
        opt.zero_grad()
        loss = (residuals() ** 2).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    found = [float("inf")] * len(contest.targets)
    start, spent = time.process_time(), 0.0
    while spent < contest.most and found[-1] == float("inf"):
        opt.step(residuals if by_residuals else closure)
        spent = time.process_time() - start
        with torch.no_grad():
            loss = float((residuals() ** 2).mean())
        for i, target in enumerate(contest.targets):
            if loss <= target and found[i] == float("inf"):
                found[i] = spent
        start += time.process_time() - start - spent
    return found


SOLVERS: dict[str, Callable[[Any], Any]] = {
    "secant LevenbergMarquardt(model)": lambda model: secant.torch.LevenbergMarquardt(
        model, max_iter=5
    ),
    "secant LevenbergMarquardt(parameters)": lambda model: secant.torch.LevenbergMarquardt(
        model.parameters(), max_iter=5
    ),
    "secant LBFGS": lambda model: secant.torch.LBFGS(model.parameters(), max_iter=20),
    "torch LBFGS": lambda model: torch.optim.LBFGS(
        model.parameters(), max_iter=20, history_size=100, line_search_fn="strong_wolfe"
    ),
}


def fits(repeats: int = 3) -> str:
    """The table of fits."""
    rows = []
    for contest in CONTESTS:
        seen: dict[str, list[list[float]]] = {label: [] for label in SOLVERS}
        for _ in range(repeats):
            for label, make in SOLVERS.items():
                seen[label].append(run(contest, make))
        for label, times in seen.items():
            medians = [median(column) for column in zip(*times, strict=True)]
            for target, seconds in zip(contest.targets, medians, strict=True):
                shown = f"{seconds:.3f}" if seconds < float("inf") else f"> {contest.most:.0f}"
                rows.append([contest.label, label, f"{target:g}", shown])
    return "Seconds to a loss\n\n" + table(["problem", "solver", "loss", "seconds"], rows)


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(overhead())
    print()
    print(fits())
