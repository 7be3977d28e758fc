"""The solvers of the race, secant's and the peers', behind one signature.

Tolerances are so tight that no solver stops before the race does; memories hold ten pairs; all else is
each solver's default.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import secant
from benchmarks import machine
from benchmarks.race import Race
from benchmarks.recorder import OutOfBudget, Solved
from benchmarks.solvers import scipy_solver, secant_solver
from benchmarks.timed import ENDLESS

MEMORY = 10

Solve = Callable[[Race, np.ndarray], str]
"""Minimises from a start, and returns why it stopped."""


@dataclass(frozen=True)
class Contestant:
    """A solver.

    Attributes
    ----------
    label : str
    solve : callable
    is_dense : bool
        Whether it keeps an n x n matrix.
    needs : str or None
        Module of `machine.PEERS`.
    """

    label: str
    solve: Solve
    is_dense: bool = False
    needs: str | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it is secant's."""
        return self.label.startswith("secant")

    def run(self, race: Race) -> str:
        """Why the solver stopped; whatever it raises is an end like any other."""
        x0 = race.start()
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                return self.solve(race, x0)
        except Solved:
            return "solved"
        except OutOfBudget as limit:
            return type(limit).__name__
        except Exception as error:
            return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[
                :100
            ]


def nlopt_lbfgs(race: Race, x0: np.ndarray) -> str:
    """NLopt's LD_LBFGS."""
    import nlopt

    solver = nlopt.opt(nlopt.LD_LBFGS, x0.size)
    solver.set_vector_storage(MEMORY)
    raised: list[Exception] = []

    def value(x: np.ndarray, g: np.ndarray) -> float:
        try:
            f, g[:] = race(x)
        except Exception as error:
            raised.append(error)
            raise
        return f

    solver.set_min_objective(value)
    try:
        solver.optimize(x0)
    finally:
        if raised:
            raise raised[0]
    return f"code {solver.last_optimize_result()}"


def torch_lbfgs(race: Race, x0: np.ndarray) -> str:
    """torch.optim.LBFGS with its strong Wolfe search."""
    import torch

    p = torch.from_numpy(x0).requires_grad_(True)
    optimizer = torch.optim.LBFGS(
        [p],
        max_iter=ENDLESS,
        max_eval=ENDLESS,
        tolerance_grad=0.0,
        tolerance_change=0.0,
        history_size=MEMORY,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Any:
        f, g = race(p.detach().numpy())
        p.grad = torch.from_numpy(g)
        return torch.tensor(f, dtype=p.dtype)

    optimizer.step(closure)
    return "stopped"


def torchmin(method: str, **options: Any) -> Solve:
    """pytorch-minimize; gradients come through autograd, by a function that knows its own."""
    options |= {"gtol": 0.0, "xtol": 0.0}
    if method != "cg":
        options |= {"gtd_tol": 0.0}

    def solve(race: Race, x0: np.ndarray) -> str:
        import torch
        from torchmin import minimize

        result = minimize(
            lambda x: _joint().apply(x, race),
            torch.from_numpy(x0),
            method=method,
            max_iter=ENDLESS,
            options=options,
        )
        return str(result.message).split(".")[0].lower()

    return solve


def _joint() -> Any:
    """The autograd function of a race, made once."""
    if not _JOINT:
        import torch

        class Joint(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any, race: Race) -> Any:
                f, g = race(x.detach().numpy())
                ctx.save_for_backward(torch.from_numpy(g))
                return x.new_tensor(f)

            @staticmethod
            def backward(ctx: Any, weight: Any) -> Any:
                return weight * ctx.saved_tensors[0], None

        _JOINT.append(Joint)
    return _JOINT[0]


_JOINT: list[Any] = []


def optax_lbfgs(race: Race, x0: np.ndarray) -> str:
    """optax.lbfgs in its documented loop."""
    from benchmarks import through_jax

    return through_jax.optax_lbfgs(race, x0, MEMORY)


def optimistix_bfgs(race: Race, x0: np.ndarray) -> str:
    """optimistix.BFGS."""
    from benchmarks import through_jax

    return through_jax.optimistix_bfgs(race, x0)


OURS = ("l-bfgs", "bfgs", "ssbfgs", "ssbroyden", "cg", "memoryless-bfgs")
"""secant's methods that take part, by their registry names."""

DENSE = ("bfgs", "ssbfgs", "ssbroyden")


def contestants() -> list[Contestant]:
    """All solvers whose packages are installed."""
    light = secant.LBFGS(memory=MEMORY)
    ours = [
        Contestant(
            f"secant {name}",
            secant_solver(light if name == "l-bfgs" else name),
            name in DENSE,
        )
        for name in OURS
    ]
    peers = [
        Contestant("SciPy L-BFGS-B", scipy_solver("L-BFGS-B"), needs="scipy"),
        Contestant("SciPy BFGS", scipy_solver("BFGS"), True, "scipy"),
        Contestant("SciPy CG", scipy_solver("CG"), needs="scipy"),
        Contestant("NLopt LBFGS", nlopt_lbfgs, needs="nlopt"),
        Contestant("torch LBFGS", torch_lbfgs, needs="torch"),
        Contestant("torchmin l-bfgs", torchmin("l-bfgs", history_size=MEMORY), needs="torchmin"),
        Contestant("torchmin bfgs", torchmin("bfgs"), True, "torchmin"),
        Contestant("optax lbfgs", optax_lbfgs, needs="optax"),
        Contestant("optimistix BFGS", optimistix_bfgs, True, "optimistix"),
    ]
    return [*ours, *[peer for peer in peers if peer.needs is None or machine.available(peer.needs)]]
