"""The peers, each as a callable that trains from the start and returns the loss it has reached.

A peer that is not installed is None.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy import optimize

from benchmarks.least_squares_runs import timed
from benchmarks.least_squares_training import Training, flat_weights, loss_of


def optimistix_fit(
    model: Any, x: np.ndarray, y: np.ndarray, start: np.ndarray, steps: int
) -> Callable[[], float] | None:
    """optimistix's Levenberg-Marquardt, compiled; ``steps`` of them, or until it converges."""
    try:
        import jax
        import optimistix
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    jx, jy = jax.numpy.asarray(x), jax.numpy.asarray(y)
    tolerance = 1e-8 if steps == 0 else 1e-30
    solver = optimistix.LevenbergMarquardt(rtol=tolerance, atol=tolerance)

    def residuals(b: Any, _: Any) -> Any:
        return (model(jax.numpy, jx, b) - jy).reshape(-1)

    @jax.jit
    def solve(b: Any) -> Any:
        solution = optimistix.least_squares(
            residuals, solver, b, max_steps=steps or 300, throw=False
        )
        return 0.5 * (residuals(solution.value, None) ** 2).sum()

    return lambda: float(solve(jax.numpy.asarray(start)))


def torch_lm(
    training: Training, X: torch.Tensor, y: torch.Tensor, steps: int, limit: float
) -> Callable[[], float] | None:
    try:
        from torch_levenberg_marquardt.training import LevenbergMarquardtModule
    except ImportError:
        return None

    def work() -> float:
        network = training.network()
        batch = None if training.samples <= 20_000 else 8192
        module = LevenbergMarquardtModule(network, solve_method="cholesky", max_batch_size=batch)
        lowest, end = math.inf, time.process_time() + limit
        for _ in range(steps):
            _, _, stop, _ = module.training_step(X, y)
            if limit < math.inf:  # the loss it reports is that before the step
                lowest = min(lowest, loss_of(network, X, y))
            if stop or time.process_time() >= end:
                break
        return min(lowest, loss_of(network, X, y))

    return work


def optimistix_network(
    training: Training, X: torch.Tensor, y: torch.Tensor, steps: int
) -> Callable[[], float] | None:
    def model(xp: Any, x: Any, b: Any) -> Any:
        start = 0
        pairs = list(zip(training.layers[:-1], training.layers[1:], strict=True))
        for number, (wide, narrow) in enumerate(pairs):
            W = b[start : start + wide * narrow].reshape(narrow, wide)
            start += wide * narrow
            x = x @ W.T + b[start : start + narrow]
            start += narrow
            x = xp.tanh(x) if number < len(pairs) - 1 else x
        return x

    return optimistix_fit(model, X.numpy(), y.numpy(), flat_weights(training.network()), steps)


def optimistix_for(
    training: Training, X: torch.Tensor, y: torch.Tensor, limit: float
) -> Callable[[], float] | None:
    """As many steps as fit the time, by the time that some take: a compiled loop cannot be stopped."""
    few = optimistix_network(training, X, y, 10)
    if few is None:
        return None
    few()
    each = timed(few).seconds / 10
    return optimistix_network(training, X, y, max(1, round(limit / each)))


class OutOfTime(Exception):
    """The processor time allowed is over."""


def scipy_network(
    training: Training, X: torch.Tensor, y: torch.Tensor, steps: int, limit: float, method: Any
) -> Callable[[], float]:
    """SciPy with the Jacobian of torch.func, vmapped over the samples."""

    def work() -> float:
        network = training.network()
        names = [name for name, _ in network.named_parameters()]
        shapes = [p.shape for p in network.parameters()]
        sizes = [p.numel() for p in network.parameters()]

        def unpack(b: torch.Tensor) -> dict[str, torch.Tensor]:
            parts = torch.split(b, sizes)
            return {n: p.view(s) for n, p, s in zip(names, parts, shapes, strict=True)}

        def of_one(b: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = torch.func.functional_call(network, unpack(b), (row[None],))
            return out.reshape(())

        jacobian = torch.func.vmap(torch.func.grad(of_one), in_dims=(None, 0))

        lowest, end = math.inf, time.process_time() + limit

        def residuals(b: np.ndarray) -> np.ndarray:
            nonlocal lowest
            if time.process_time() >= end:
                raise OutOfTime
            with torch.no_grad():
                out = torch.func.functional_call(network, unpack(torch.from_numpy(b)), (X,))
            r = np.asarray((out - y).reshape(-1).numpy())
            lowest = min(lowest, 0.5 * float(r @ r))
            return r

        with contextlib.suppress(OutOfTime):
            optimize.least_squares(
                residuals,
                flat_weights(network),
                lambda b: jacobian(torch.from_numpy(b), X).numpy(),
                method=method,
                max_nfev=steps,
                ftol=1e-15 if limit < math.inf else 1e-8,
                xtol=1e-15 if limit < math.inf else 1e-8,
                gtol=1e-15 if limit < math.inf else 1e-8,
            )
        return lowest

    return work
