"""Levenberg-Marquardt against its peers: curve fits, network training, and memory.

    python -m benchmarks squares
    python -m benchmarks.least_squares --only curves|networks|limits|memory

Every peer makes a fixed number of its steps (on curves until it has converged) and is timed; secant is then
timed until it is at the loss which the peer has reached. Repetitions are interleaved, times are medians of
processor time of one thread, and a ratio above 1 means that secant was faster. The floor is the time of the
user's residuals and Jacobians alone, as often as secant evaluates them. Then all train for the same time,
and their lowest losses are compared. All compute in float64 from the same start. SciPy and optimistix are
installed with ``pip install scipy optimistix``, torch-levenberg-marquardt by its name; a peer that is
missing is left out. JAX's compilation is not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)

import numpy as np  # noqa: E402 (after the number of threads is set)
import torch  # noqa: E402
from scipy import optimize  # noqa: E402

import secant  # noqa: E402
from benchmarks import machine, memory  # noqa: E402
from benchmarks.curves import Curve, curves  # noqa: E402
from benchmarks.interleaved import progress  # noqa: E402
from benchmarks.tables import ratios, spread, table  # noqa: E402

torch.set_num_threads(1)


@dataclass(frozen=True)
class Run:
    """What one solver did: processor seconds, and half the sum of squares where it ended."""

    seconds: float
    cost: float


def timed(work: Callable[[], float]) -> Run:
    """Run ``work``, which returns the cost it has reached."""
    began = time.process_time()
    cost = work()
    return Run(time.process_time() - began, cost)


def compare(
    problem: str,
    peer: str,
    theirs: Callable[[], float],
    ours: Callable[[float], float],
    repetitions: int,
    floor: Callable[[], float] | None = None,
) -> dict[str, Any]:
    """Interleaved repeats; ``ours(goal)`` stops at the peer's cost, ``floor`` evaluates and no more."""
    goal = theirs()  # a first run compiles and warms caches
    ours(goal)
    rows = [
        (timed(theirs), timed(lambda: ours(goal)), timed(floor) if floor else None)
        for _ in range(repetitions)
    ]
    found = {
        "problem": problem,
        "peer": peer,
        "peer seconds": [theirs.seconds for theirs, _, _ in rows],
        "seconds": [ours.seconds for _, ours, _ in rows],
        "floor": [least.seconds for _, _, least in rows if least],
        "peer loss": goal,
        "loss": rows[-1][1].cost,
    }
    progress(f"{problem}, {peer}: {spread(ratios(found['peer seconds'], found['seconds']))}")
    return found


# --------------------------------------------------------------------------------------- curves


def curve_comparisons(repetitions: int, most: int) -> list[dict[str, Any]]:
    """SciPy's ``lm`` and ``trf`` with exact derivatives, optimistix by JAX."""
    found = []
    for curve in (curve for curve in curves() if curve.x.size <= most):
        start = np.array(curve.start)
        reached = secant.least_squares(curve.residuals, start, curve.jacobian)
        counted = secant.least_squares(
            curve.residuals, start, curve.jacobian, target=reached.cost * (1 + 1e-9)
        )

        def ours(goal: float, curve: Curve = curve, start: np.ndarray = start) -> float:
            fit = secant.least_squares(
                curve.residuals, start, curve.jacobian, target=goal * (1 + 1e-10)
            )
            return float(fit.cost)

        def floor(curve: Curve = curve, start: np.ndarray = start, fit: Any = counted) -> float:
            for _ in range(fit.nfev):
                r = curve.residuals(start)
            for _ in range(fit.njev):
                curve.jacobian(start)
            return 0.5 * float(r @ r)

        for method in ("lm", "trf"):

            def scipy(
                method: Any = method, curve: Curve = curve, start: np.ndarray = start
            ) -> float:
                fit = optimize.least_squares(
                    curve.residuals, start, curve.jacobian, method=method, x_scale="jac"
                )
                return float(fit.cost)

            found.append(compare(curve.name, f"SciPy {method}", scipy, ours, repetitions, floor))
        by_jax = _optimistix(curve.model, curve.x, curve.y, start, 0)
        if by_jax is not None:
            found.append(compare(curve.name, "optimistix LM", by_jax, ours, repetitions, floor))
    return found


def _optimistix(
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


# ------------------------------------------------------------------------------------- networks


@dataclass(frozen=True)
class Training:
    """A network of tanh layers, its data and its start."""

    layers: tuple[int, ...]
    samples: int

    @property
    def name(self) -> str:
        """Weights and samples."""
        pairs = zip(self.layers[:-1], self.layers[1:], strict=True)
        weights = sum((a + 1) * b for a, b in pairs)
        return f"{weights} weights, {self.samples} samples"

    def data(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs, and a smooth function of them with a little noise."""
        torch.manual_seed(0)
        X = torch.randn(self.samples, self.layers[0], dtype=torch.float64)
        y = torch.sin(X.sum(1, keepdim=True)) + 0.3 * X[:, :1] ** 2
        return X, y + 0.01 * torch.randn_like(y)

    def network(self) -> torch.nn.Module:
        """The same weights every time."""
        torch.manual_seed(1)
        parts: list[torch.nn.Module] = []
        for wide, narrow in zip(self.layers[:-1], self.layers[1:], strict=True):
            parts += [torch.nn.Linear(wide, narrow), torch.nn.Tanh()]
        return torch.nn.Sequential(*parts[:-1]).double()


SMALL, MIDDLE, LARGE = (
    Training((5, 12, 10, 1), 1_000),
    Training((5, 16, 16, 1), 10_000),
    Training((8, 16, 16, 1), 100_000),
)


def network_comparisons(repetitions: int, steps: dict[Training, int]) -> list[dict[str, Any]]:
    """torch-levenberg-marquardt, optimistix and SciPy, each for some of its steps."""
    found = []
    for training, count in steps.items():
        X, y = training.data()

        def ours(goal: float, training: Training = training, X: Any = X, y: Any = y) -> float:
            return _secant(training, X, y, target=goal, max_iter=500)

        peers: dict[str, Callable[[], float] | None] = {
            "torch-levenberg-marquardt": _torch_lm(training, X, y, count, math.inf),
        }
        if training.samples <= 10_000:
            peers["optimistix LM"] = _optimistix_network(training, X, y, count)
            for method in ("lm", "trf"):
                peers[f"SciPy {method}"] = _scipy_network(training, X, y, count, math.inf, method)
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
            "torch-levenberg-marquardt": _torch_lm(training, X, y, 10**6, limit),
            "optimistix LM": _optimistix_for(training, X, y, limit),
            "SciPy lm": _scipy_network(training, X, y, 10**6, limit, "lm"),
            "SciPy trf": _scipy_network(training, X, y, 10**6, limit, "trf"),
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


def _torch_lm(
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
                lowest = min(lowest, _loss(network, X, y))
            if stop or time.process_time() >= end:
                break
        return min(lowest, _loss(network, X, y))

    return work


def _loss(network: torch.nn.Module, X: torch.Tensor, y: torch.Tensor) -> float:
    with torch.no_grad():
        return 0.5 * float(((network(X) - y) ** 2).sum())


def _flat_weights(network: torch.nn.Module) -> np.ndarray:
    return np.concatenate([p.detach().numpy().reshape(-1) for p in network.parameters()])


def _optimistix_network(
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

    return _optimistix(model, X.numpy(), y.numpy(), _flat_weights(training.network()), steps)


def _optimistix_for(
    training: Training, X: torch.Tensor, y: torch.Tensor, limit: float
) -> Callable[[], float] | None:
    """As many steps as fit the time, by the time that some take: a compiled loop cannot be stopped."""
    few = _optimistix_network(training, X, y, 10)
    if few is None:
        return None
    few()
    each = timed(few).seconds / 10
    return _optimistix_network(training, X, y, max(1, round(limit / each)))


class OutOfTime(Exception):
    """The processor time allowed is over."""


def _scipy_network(
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
                _flat_weights(network),
                lambda b: jacobian(torch.from_numpy(b), X).numpy(),
                method=method,
                max_nfev=steps,
                ftol=1e-15 if limit < math.inf else 1e-8,
                xtol=1e-15 if limit < math.inf else 1e-8,
                gtol=1e-15 if limit < math.inf else 1e-8,
            )
        return lowest

    return work


# --------------------------------------------------------------------------------------- memory


def million() -> dict[str, Any]:
    """10^6 residuals, 300 parameters: a network of 300 weights, five iterations, and the peak memory."""
    torch.manual_seed(0)
    X = torch.randn(1_000_000, 8, dtype=torch.float64)
    y = torch.sin(X.sum(1, keepdim=True))
    network = Training((8, 13, 12, 1), 1_000_000).network()
    began = time.process_time()
    fit = secant.least_squares(lambda X, y: network(X) - y, network, samples=(X, y), max_iter=5)
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "iterations": fit.nit,
        "first loss": fit.trace.f[0],
        "loss": fit.cost,
        "seconds": time.process_time() - began,
        "peak": memory.largest_size(),
    }


def _million_apart() -> dict[str, Any]:
    """In a process of its own, whose peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.least_squares", "--only", "million"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    progress(f"10^6 residuals: {found}")
    return found


# --------------------------------------------------------------------------------------- the part


@dataclass(frozen=True)
class Extent:
    """How much is measured.

    Attributes
    ----------
    repetitions : int
    most : int
        Data of the largest curve.
    steps : dict
        Steps of the peers on each network.
    seconds : dict
        Time to train each network.
    """

    repetitions: int
    most: int
    steps: dict[Training, int]
    seconds: dict[Training, float]


QUICK = Extent(3, 10_000, {SMALL: 30}, {SMALL: 1.0})
DEFAULT = Extent(7, 10**6, {SMALL: 100, MIDDLE: 50, LARGE: 15}, {SMALL: 4.0, MIDDLE: 10.0})

PARTS = ("curves", "networks", "limits", "memory")


def measure(extent: Extent, parts: Sequence[str] = PARTS) -> dict[str, Any]:
    """Everything, as plain data."""
    rows, limits, million_rows = [], [], []
    if "curves" in parts:
        rows += curve_comparisons(extent.repetitions, extent.most)
    if "networks" in parts:
        rows += network_comparisons(extent.repetitions, extent.steps)
    if "limits" in parts:
        limits = limited_trainings(extent.seconds)
    if "memory" in parts:
        million_rows = [_million_apart()]
    return {
        "machine": machine.describe(),
        "rows": rows,
        "limits": limits,
        "million": million_rows,
    }


def tables(found: dict[str, Any]) -> str:
    """Times to the peers' losses, losses after the same time, and the memory of the largest fit."""
    lines = [
        [
            row["problem"],
            row["peer"],
            f"{statistics.median(row['peer seconds']):.4f}",
            f"{statistics.median(row['seconds']):.4f}",
            spread(ratios(row["peer seconds"], row["seconds"])),
            spread(ratios(row["seconds"], row["floor"])) if row["floor"] else "",
            f"{row['peer loss']:.4e}",
            "" if row["loss"] <= row["peer loss"] * (1 + 1e-9) else "not reached",
        ]
        for row in found["rows"]
    ]
    head = ["problem", "peer", "peer s", "secant s", "ratio", "secant / floor", "loss", ""]
    text = [table(head, lines)] if lines else []
    if found["limits"]:
        names = list(found["limits"][0]["losses"])
        lines = [
            [row["problem"], f"{row['seconds']:g} s", *(f"{row['losses'][n]:.3e}" for n in names)]
            for row in found["limits"]
        ]
        text.append(
            "lowest loss after the same time\n\n" + table(["problem", "time", *names], lines)
        )
    for row in found["million"]:
        text.append(
            f"10^6 residuals x {row['parameters']} parameters: f {row['first loss']:.4g} -> "
            f"{row['loss']:.4g} in {row['iterations']} iterations, {row['seconds']:.1f} s; peak "
            f"memory {row['peak'] / 2**30:.2f} GiB, J alone would be "
            f"{1e6 * row['parameters'] * 8 / 2**30:.2f} GiB"
        )
    return "\n\n".join(text)


def main() -> None:
    """Print the tables, or write the data to a file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.least_squares")
    parser.add_argument("--only", choices=(*PARTS, "million"))
    parser.add_argument("--extent", choices=("quick", "default", "large"), default="default")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.only == "million":
        print(json.dumps(million()))
        return
    parts = (arguments.only,) if arguments.only else PARTS
    found = measure(QUICK if arguments.extent == "quick" else DEFAULT, parts)
    if arguments.out is None:
        print(tables(found))
    else:
        arguments.out.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
