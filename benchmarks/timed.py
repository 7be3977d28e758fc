"""The solvers that are timed on the valley, each for a given number of iterations.

Functions return value and gradient together. No solver's autograd is timed: torch.optim.LBFGS has its
closure, torchmin is given an object that evaluates, so that only the solvers' own work is left.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.optimize

import secant
from benchmarks import machine
from benchmarks.stopwatch import Run, Subject, Watch

MIXED = "secant, pairs in float32"
"""Label of secant's L-BFGS whose pairs are kept in single precision under a run in double."""

ENDLESS = 1_000_000_000
"""A limit on evaluations that is never met."""


def limited_memory(library: str, memory: int, mixed: bool = False) -> list[Subject]:
    """L-BFGS of secant and of the peers for NumPy or torch arrays; ``mixed`` adds `MIXED`."""
    subjects = [Subject("secant", by_secant(secant.LBFGS(memory=memory)))]
    if library == "numpy":
        subjects.append(Subject("SciPy L-BFGS-B", scipy_lbfgsb(memory)))
    else:
        subjects.append(Subject("torch.optim.LBFGS", torch_lbfgs(memory)))
        if machine.available("torchmin"):
            subjects.append(Subject("torchmin l-bfgs", torchmin("l-bfgs", history_size=memory)))
    if mixed:
        method = secant.LBFGS(memory=memory, history_dtype="float32")
        subjects.append(Subject(MIXED, by_secant(method)))
    return subjects


def dense(library: str, peers: bool = True) -> list[Subject]:
    """The dense methods of secant and of the peers."""
    subjects = [
        Subject("secant BFGS", by_secant(secant.BFGS())),
        Subject("secant SSBroyden", by_secant(secant.SSBroyden())),
    ]
    if peers and library == "numpy":
        subjects.append(Subject("SciPy BFGS", scipy_bfgs))
    if peers and library == "torch" and machine.available("torchmin"):
        subjects.append(Subject("torchmin BFGS", torchmin("bfgs")))
    return subjects


def by_secant(method: Any) -> Run:
    """secant, through its front door."""

    def run(watch: Watch, x0: Any, iterations: int) -> int:
        result = secant.minimize(watch, x0, method=method, jac=True, gtol=0.0, max_iter=iterations)
        return int(result.nit)

    return run


def scipy_lbfgsb(memory: int) -> Run:
    """SciPy's L-BFGS-B without bounds."""
    options = {"maxcor": memory, "ftol": 0.0, "gtol": 0.0, "maxfun": ENDLESS}

    def run(watch: Watch, x0: Any, iterations: int) -> int:
        result = scipy.optimize.minimize(
            watch, x0, jac=True, method="L-BFGS-B", options=options | {"maxiter": iterations}
        )
        return int(result.nit)

    return run


def scipy_bfgs(watch: Watch, x0: Any, iterations: int) -> int:
    """SciPy's BFGS."""
    options = {"gtol": 0.0, "maxiter": iterations}
    with np.errstate(all="ignore"):
        result = scipy.optimize.minimize(watch, x0, jac=True, method="BFGS", options=options)
    return int(result.nit)


def torch_lbfgs(memory: int) -> Run:
    """torch.optim.LBFGS with its strong Wolfe search, all iterations in one step."""

    def run(watch: Watch, x0: Any, iterations: int) -> int:
        import torch

        p = x0.clone().requires_grad_(True)
        optimizer = torch.optim.LBFGS(
            [p],
            max_iter=iterations,
            max_eval=ENDLESS,
            tolerance_grad=0.0,
            tolerance_change=0.0,
            history_size=memory,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Any:
            f, p.grad = watch(p.detach())
            return torch.as_tensor(f, dtype=p.dtype)

        optimizer.step(closure)
        return int(optimizer.state[p]["n_iter"])

    return run


def torchmin(method: str, **options: Any) -> Run:
    """pytorch-minimize."""
    tight = {"gtol": 0.0, "xtol": 0.0, "gtd_tol": 0.0}

    def run(watch: Watch, x0: Any, iterations: int) -> int:
        from torchmin import minimize

        result = minimize(
            _evaluator(watch),
            x0,
            method=method,
            max_iter=iterations,
            options=options | tight,
        )
        return int(result.nit)

    return run


def _evaluator(watch: Watch) -> Any:
    """What torchmin takes in the place of a function to be differentiated."""
    import torch
    from torchmin.function import de_value, sf_value
    from torchmin.optim.minimizer import Minimizer

    class Evaluator(Minimizer):  # type: ignore[misc]
        _hess = _hessp = False
        nfev = 0

        def __init__(self) -> None: ...

        def closure(self, x: Any) -> Any:
            f, g = watch(x)
            return sf_value(torch.as_tensor(f, dtype=x.dtype), g, None, None)

        def dir_evaluate(self, x: Any, t: Any, d: Any) -> Any:
            return de_value(*watch(x + d.mul(t)))

    return Evaluator()
