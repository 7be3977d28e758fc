"""Networks trained by secant and its peers: to the same loss, and for the same time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

import secant
from benchmarks.interleaved import progress
from benchmarks.least_squares_peers import (
    optimistix_for,
    optimistix_network,
    scipy_network,
    torch_lm,
)
from benchmarks.least_squares_runs import compare
from benchmarks.least_squares_training import Training


def network_comparisons(repetitions: int, steps: dict[Training, int]) -> list[dict[str, Any]]:
    """torch-levenberg-marquardt, optimistix and SciPy, each for some of its steps."""
    found = []
    for training, count in steps.items():
        X, y = training.data()

        def ours(goal: float, training: Training = training, X: Any = X, y: Any = y) -> float:
            return _secant(training, X, y, target=goal, max_iter=500)

        peers: dict[str, Callable[[], float] | None] = {
            "torch-levenberg-marquardt": torch_lm(training, X, y, count, math.inf),
        }
        if training.samples <= 10_000:
            peers["optimistix LM"] = optimistix_network(training, X, y, count)
            for method in ("lm", "trf"):
                peers[f"SciPy {method}"] = scipy_network(training, X, y, count, math.inf, method)
        for peer, theirs in peers.items():
            if theirs is not None:
                times = repetitions if training.samples <= 1_000 else 1
                name = f"{peer}, {count} steps"
                found.append(compare(training.name, name, theirs, ours, times))
    return found


def limited_trainings(seconds: dict[Training, float]) -> list[dict[str, Any]]:
    """The loss of every solver after the same processor time."""
    found = []
    for training, limit in seconds.items():
        X, y = training.data()
        solvers: dict[str, Callable[[], float] | None] = {
            "secant": partial(_secant_for, training, X, y, limit),
            "torch-levenberg-marquardt": torch_lm(training, X, y, 10**6, limit),
            "optimistix LM": optimistix_for(training, X, y, limit),
            "SciPy lm": scipy_network(training, X, y, 10**6, limit, "lm"),
            "SciPy trf": scipy_network(training, X, y, 10**6, limit, "trf"),
        }
        losses = {name: solve() for name, solve in solvers.items() if solve is not None}
        progress(f"{training.name}, {limit} s: {losses}")
        found.append({"problem": training.name, "seconds": limit, "losses": losses})
    return found


def _secant_for(training: Training, X: torch.Tensor, y: torch.Tensor, limit: float) -> float:
    return _secant(training, X, y, max_iter=10**6, stop=_after(limit))


def _after(limit: float) -> Callable[[Any], Any]:
    """A stop after so much processor time from now."""
    end = time.process_time() + limit
    return lambda snapshot: secant.Status.TIME_LIMIT if time.process_time() >= end else None


def _secant(training: Training, X: torch.Tensor, y: torch.Tensor, **options: Any) -> float:
    network = training.network()
    fit = secant.least_squares(
        lambda X, y: network(X) - y, network, samples=(X, y), gtol=0.0, xtol=0.0, **options
    )
    return float(fit.cost)
