"""Levenberg-Marquardt against its peers: curve fits, network training, and memory.

    python -m benchmarks.least_squares
    python -m benchmarks.least_squares --only curves|networks|memory

Every peer makes a fixed number of its steps and is timed; secant is then timed until it is at the loss which
the peer has reached. Repetitions are interleaved, times are medians of processor time of one thread, and a
ratio above 1 means that secant was faster. All compute in float64 from the same start. SciPy and optimistix
are installed with ``pip install scipy optimistix``, torch-levenberg-marquardt by its name; a peer that is
missing is left out. JAX's compilation is not counted.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
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

torch.set_num_threads(1)


@dataclass(frozen=True)
class Run:
    """What one solver did: processor seconds, and half the sum of squares where it ended."""

    seconds: float
    cost: float


@dataclass(frozen=True)
class Comparison:
    """A peer and secant on one problem."""

    problem: str
    peer: str
    theirs: Run
    ours: Run

    @property
    def ratio(self) -> float:
        """How many times faster secant was."""
        return self.theirs.seconds / self.ours.seconds

    def __str__(self) -> str:
        """One line of the table; a star where secant did not reach the peer's loss."""
        missed = "" if self.ours.cost <= self.theirs.cost * (1 + 1e-9) else " *"
        return (
            f"{self.problem:<34}{self.peer:<28}{self.theirs.seconds:>10.4f}"
            f"{self.ours.seconds:>10.4f}{self.ratio:>8.1f}{self.theirs.cost:>13.4e}"
            f"{self.ours.cost:>13.4e}{missed}"
        )


HEAD = (
    f"{'problem':<34}{'peer':<28}{'peer s':>10}{'secant s':>10}{'ratio':>8}"
    f"{'peer loss':>13}{'our loss':>13}"
)


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
) -> Comparison:
    """Interleaved medians; ``ours(goal)`` stops at the peer's cost."""
    goal = theirs()  # a first run compiles and warms caches
    ours(goal)
    pairs = [(timed(theirs), timed(lambda: ours(goal))) for _ in range(repetitions)]
    a = Run(statistics.median(p.seconds for p, _ in pairs), goal)
    b = Run(statistics.median(q.seconds for _, q in pairs), pairs[-1][1].cost)
    return Comparison(problem, peer, a, b)


# --------------------------------------------------------------------------------------- curves


@dataclass(frozen=True)
class Curve:
    """A model with its data, its derivatives, and the same for JAX."""

    name: str
    x: np.ndarray
    y: np.ndarray
    start: tuple[float, ...]
    model: Callable[..., Any]
    jacobian: Callable[[np.ndarray], np.ndarray]

    def residuals(self, b: np.ndarray) -> np.ndarray:
        """``model - y``."""
        return np.asarray(self.model(np, self.x, b) - self.y)


def curves() -> list[Curve]:
    """A small fit, and two of many data."""
    rng = np.random.default_rng(0)
    decay_x = np.linspace(0.0, 4.0, 14)

    def decay(xp: Any, x: Any, b: Any) -> Any:
        return b[0] * xp.exp(-b[1] * x) + b[2]

    def decay_jacobian(x: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        def jacobian(b: np.ndarray) -> np.ndarray:
            e = np.exp(-b[1] * x)
            return np.stack([e, -b[0] * x * e, np.ones_like(x)], axis=1)

        return jacobian

    def peaks(xp: Any, x: Any, b: Any) -> Any:
        first = b[0] * xp.exp(-(((x - b[1]) / b[2]) ** 2))
        second = b[3] * xp.exp(-(((x - b[4]) / b[5]) ** 2))
        return first + second + b[6] * xp.exp(-b[7] * x)

    def peaks_jacobian(x: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        def jacobian(b: np.ndarray) -> np.ndarray:
            J = np.empty((x.size, 8), order="F")
            for k in (0, 3):
                z = (x - b[k + 1]) / b[k + 2]
                e = np.exp(-z * z)
                J[:, k], J[:, k + 1] = e, 2 * b[k] * e * z / b[k + 2]
                J[:, k + 2] = J[:, k + 1] * z
            e = np.exp(-b[7] * x)
            J[:, 6], J[:, 7] = e, -b[6] * x * e
            return J

        return jacobian

    true = np.array([4.0, 1.5, 0.3, 2.5, 2.6, 0.5, 3.0, 0.4])
    start = (3.0, 1.3, 0.5, 2.0, 2.9, 0.4, 2.0, 0.2)
    found = [
        Curve(
            "exponential, 14 data",
            decay_x,
            decay(np, decay_x, [2.5, 1.3, 0.5]) + 0.02 * rng.standard_normal(14),
            (1.0, 0.5, 0.0),
            decay,
            decay_jacobian(decay_x),
        )
    ]
    for m in (10_000, 300_000):
        x = np.linspace(0.0, 5.0, m)
        y = peaks(np, x, true) + 0.05 * rng.standard_normal(m)
        found.append(Curve(f"two peaks, {m} data", x, y, start, peaks, peaks_jacobian(x)))
    return found


def curve_comparisons(repetitions: int) -> list[Comparison]:
    """SciPy's ``lm`` and ``trf`` with exact derivatives, optimistix by JAX."""
    found = []
    for curve in curves():
        start = np.array(curve.start)

        def ours(goal: float, curve: Curve = curve, start: np.ndarray = start) -> float:
            fit = secant.least_squares(
                curve.residuals, start, curve.jacobian, target=goal * (1 + 1e-10)
            )
            return float(fit.cost)

        for method in ("lm", "trf"):

            def scipy(
                method: Any = method, curve: Curve = curve, start: np.ndarray = start
            ) -> float:
                fit = optimize.least_squares(
                    curve.residuals, start, curve.jacobian, method=method, x_scale="jac"
                )
                return float(fit.cost)

            found.append(compare(curve.name, f"SciPy {method}", scipy, ours, repetitions))
        by_jax = _optimistix(curve.model, curve.x, curve.y, start, 0)
        if by_jax is not None:
            found.append(compare(curve.name, "optimistix LM", by_jax, ours, repetitions))
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


def network_comparisons(repetitions: int, large: bool) -> list[Comparison]:
    """torch-levenberg-marquardt, optimistix and SciPy, each for some of its steps."""
    trainings = [
        (Training((5, 12, 10, 1), 1_000), 100),
        (Training((5, 16, 16, 1), 10_000), 50),
    ]
    if large:
        trainings.append((Training((8, 16, 16, 1), 100_000), 15))
    found = []
    for training, steps in trainings:
        X, y = training.data()

        def ours(goal: float, training: Training = training, X: Any = X, y: Any = y) -> float:
            network = training.network()
            fit = secant.least_squares(
                lambda X, y: network(X) - y, network, samples=(X, y), target=goal, max_iter=500
            )
            return float(fit.cost)

        peers = {
            "torch-levenberg-marquardt": _torch_lm(training, X, y, steps),
            "optimistix LM": _optimistix_network(training, X, y, steps),
        }
        if training.samples <= 10_000:
            for method in ("lm", "trf"):
                peers[f"SciPy {method}"] = _scipy_network(training, X, y, steps, method)
        for peer, theirs in peers.items():
            if theirs is not None:
                times = repetitions if training.samples <= 1_000 else 1
                line = compare(training.name, f"{peer}, {steps} steps", theirs, ours, times)
                print(line, flush=True)
                found.append(line)
    return found


def _torch_lm(
    training: Training, X: torch.Tensor, y: torch.Tensor, steps: int
) -> Callable[[], float] | None:
    try:
        from torch_levenberg_marquardt.training import LevenbergMarquardtModule
    except ImportError:
        return None

    def work() -> float:
        network = training.network()
        batch = None if training.samples <= 20_000 else 8192
        module = LevenbergMarquardtModule(network, solve_method="cholesky", max_batch_size=batch)
        for _ in range(steps):
            _, _, stop, _ = module.training_step(X, y)
            if stop:
                break
        with torch.no_grad():
            return 0.5 * float(((network(X) - y) ** 2).sum())

    return work


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


def _scipy_network(
    training: Training, X: torch.Tensor, y: torch.Tensor, steps: int, method: Any
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

        def residuals(b: np.ndarray) -> np.ndarray:
            with torch.no_grad():
                out = torch.func.functional_call(network, unpack(torch.from_numpy(b)), (X,))
            return np.asarray((out - y).reshape(-1).numpy())

        fit = optimize.least_squares(
            residuals,
            _flat_weights(network),
            lambda b: jacobian(torch.from_numpy(b), X).numpy(),
            method=method,
            max_nfev=steps,
        )
        return float(fit.cost)

    return work


# --------------------------------------------------------------------------------------- memory


def million(solver: str = "auto") -> None:
    """10^6 residuals, 300 parameters: a network of 300 weights, five iterations, and the peak memory."""
    torch.manual_seed(0)
    X = torch.randn(1_000_000, 8, dtype=torch.float64)
    y = torch.sin(X.sum(1, keepdim=True))
    network = (
        torch.nn.Sequential(
            torch.nn.Linear(8, 13), torch.nn.Tanh(), torch.nn.Linear(13, 12), torch.nn.Tanh()
        )
        .append(torch.nn.Linear(12, 1))
        .double()
    )
    n = sum(p.numel() for p in network.parameters())
    began = time.process_time()
    fit = secant.least_squares(
        lambda X, y: network(X) - y, network, samples=(X, y), solver=solver, max_iter=5
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"10^6 residuals x {n} parameters, {solver}: f {fit.trace.f[0]:.4g} -> {fit.cost:.4g} in "
        f"{fit.nit} iterations, {time.process_time() - began:.1f} s; peak memory {peak:.2f} GiB, "
        f"J alone would be {1e6 * n * 8 / 2**30:.2f} GiB"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.least_squares")
    parser.add_argument("--only", choices=("curves", "networks", "memory", "million"))
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--large", action="store_true", help="also 10^5 samples")
    arguments = parser.parse_args()
    if arguments.only == "million":  # in a process of its own, whose peak memory is its own
        million()
        return
    wanted = (arguments.only,) if arguments.only else ("curves", "networks", "memory")
    if "curves" in wanted:
        print(HEAD)
        for line in curve_comparisons(arguments.repetitions):
            print(line, flush=True)
    if "networks" in wanted:
        print(HEAD)
        network_comparisons(arguments.repetitions, arguments.large)
    if "memory" in wanted:
        command = [sys.executable, "-m", "benchmarks.least_squares", "--only", "million"]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
