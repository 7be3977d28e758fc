"""secant's methods and SciPy's behind one signature, with tolerances too tight to stop them early."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.optimize

import secant
from benchmarks.recorder import OutOfBudget, Recorder, Solved

GTOL = 1e-12
"""Gradient at which every solver may stop: far below the criterion."""

SEARCHES: dict[str, Callable[..., Any]] = {
    "hager-zhang": secant.HagerZhang,
    "more-thuente": secant.MoreThuente,
    "strong-wolfe": secant.StrongWolfe,
    "backtracking": secant.Backtracking,
    "nash": secant.Nash,
}
"""Searches that quasi-Newton methods can be compared with, by name."""

METHODS: dict[str, Callable[..., Any]] = {"l-bfgs": secant.LBFGS, "bfgs": secant.BFGS}
"""The two methods of the comparison; all others are reached by their registry names."""

PEERS = {"l-bfgs": "L-BFGS-B", "bfgs": "BFGS"}
"""SciPy's counterpart of each."""


@dataclass(frozen=True)
class Row:
    """One solver on one problem.

    Attributes
    ----------
    problem, solver : str
    solved_at : int or None
        Evaluations until the criterion first held; None if it never did.
    evaluations : int
        Evaluations until the solver stopped.
    f, gradient : float
        The lowest value that was evaluated and the largest gradient component there.
    end : str
        Why the solver stopped.
    """

    problem: str
    solver: str
    solved_at: int | None
    evaluations: int
    f: float
    gradient: float
    end: str


Solver = Callable[[Recorder, np.ndarray], str]
"""Minimises a recorder from a start and returns why it stopped."""


def secant_solver(method: Any) -> Solver:
    """One of secant's methods: a name or a configured method."""

    def solve(fun: Recorder, x0: np.ndarray) -> str:
        result = secant.minimize(fun, x0, method=method, jac=True, gtol=GTOL)
        return result.status.name.lower()

    return solve


def scipy_solver(name: str) -> Solver:
    """One of SciPy's methods."""
    options: dict[str, Any] = {"gtol": GTOL, "maxiter": 100_000}
    if name == "L-BFGS-B":
        options |= {"ftol": 0.0, "maxfun": 1_000_000}

    def solve(fun: Recorder, x0: np.ndarray) -> str:
        with np.errstate(all="ignore"):
            result = scipy.optimize.minimize(fun, x0, jac=True, method=name, options=options)
        return str(result.message).split(".")[0].lower()

    return solve


def run(label: str, solver: Solver, recorder: Recorder, x0: np.ndarray | None = None) -> Row:
    """Run one solver on one problem, from its standard start unless another one is given."""
    try:
        end = solver(recorder, recorder.problem.start() if x0 is None else x0.copy())
    except Solved:
        end = "solved"
    except OutOfBudget:
        end = f"stopped after {recorder.budget} evaluations"
    return Row(
        str(recorder.problem),
        label,
        recorder.solved_at,
        recorder.evaluations,
        recorder.f,
        recorder.gradient,
        end,
    )
