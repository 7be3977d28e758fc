"""Whether what a result claims is true, found out without the library: by the problem's own formulas.

A run is watched (`Watched`) and its result is examined afterwards (`faults`): the counts against the
calls that were seen, the value against the function, and a claimed convergence against the analytic
gradient in a higher precision than the run's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

import secant
from secant import Status
from secant.problems import Objective

SLACK = 30.0
"""Round-off may be so many times what one perturbation of x by its last digit shows."""

UNSEEN = 100.0
"""A run ends rightly in round-off if -g leads down by no more than so many times the round-off of f."""

ACCUSATIONS = (Status.WRONG_GRADIENT, Status.NON_DETERMINISTIC)
"""What may never be said of a smooth function with its own gradient."""


@dataclass
class Watched:
    """A problem in the precision of the run, which counts its calls and remembers the lowest value.

    Attributes
    ----------
    problem : Objective
    calls, gradients : int
        Of the value (alone or with the gradient) and of the gradient alone.
    """

    problem: Objective
    calls: int = 0
    gradients: int = 0

    def value(self, x: np.ndarray) -> float:
        """f."""
        self.calls += 1
        return float(self.problem(x))

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """g alone."""
        self.gradients += 1
        return np.asarray(self.problem.gradient(x))

    def both(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """f and g."""
        self.calls += 1
        f, g = self.problem.value_and_gradient(x)
        return float(f), g


def faults(
    result: secant.Result, watched: Watched, x0: np.ndarray, jac: str, gtol: float, max_evals: int
) -> list[str]:
    """Everything that is wrong with ``result``; empty where all is as it says.

    Parameters
    ----------
    result : Result
    watched : Watched
        The objective of that run.
    x0 : array, shape (n,)
    jac : str
        How the gradient was made: "separate", "joint", "2-point" or "3-point".
    gtol, max_evals : float, int
        As given to the run.
    """
    seen = (watched.calls, watched.gradients)
    return [
        *_miscounts(result, seen, jac, max_evals),
        *_false(result, watched.problem, x0, jac, gtol),
    ]


def _miscounts(
    result: secant.Result, seen: tuple[int, int], jac: str, max_evals: int
) -> Iterator[str]:
    calls, gradients = seen
    if result.nfev != calls:
        yield f"nfev is {result.nfev}, {calls} calls were seen"
    if jac == "separate" and result.njev != gradients:
        yield f"njev is {result.njev}, {gradients} calls were seen"
    if calls > max_evals:
        yield f"{calls} calls, {max_evals} were allowed"


def _false(
    result: secant.Result, problem: Objective, x0: np.ndarray, jac: str, gtol: float
) -> Iterator[str]:
    x, status = result.x, result.status
    if x.dtype != x0.dtype or x.shape != x0.shape:
        yield f"x is {x.dtype} of shape {x.shape}"
    if status is None:
        yield "the run has no status"
        return
    if float(problem(x)) != result.fun and status is not Status.NOT_FINITE_START:
        yield f"fun is {result.fun!r}, f(x) is {float(problem(x))!r}"
    if status is Status.NOT_FINITE_START:
        if _is_finite(problem, x0, jac):
            yield "the start is finite"
        return
    if not result.fun <= _round_up(float(problem(x0)), x0):
        yield f"fun is {result.fun!r}, at the start it was {float(problem(x0))!r}"
    if jac in ("separate", "joint") and status in ACCUSATIONS:
        yield f"accused without reason: {result.message}"
    if result.success:
        yield from _unearned(result, problem, jac, gtol)


def _is_finite(problem: Objective, x: np.ndarray, jac: str) -> bool:
    """Whether f and its gradient are finite, and the differences that the gradient is made by."""
    f, g = problem.value_and_gradient(x)
    if jac in ("separate", "joint"):
        return bool(np.isfinite(f) and np.isfinite(g).all())
    # the steps of two points are shorter than those of three: what is left out is a false accusation
    h = np.finfo(x.dtype).eps ** (1.0 / 3.0) * np.maximum(1.0, np.abs(x))
    steps = np.concatenate([-np.diag(h), np.diag(h)]).astype(x.dtype)
    largest = max(abs(float(problem(x + step))) for step in steps)
    return bool(np.isfinite(f) and largest / h.min() < float(np.finfo(x.dtype).max))


def _unearned(result: secant.Result, problem: Objective, jac: str, gtol: float) -> Iterator[str]:
    if not (np.isfinite(result.x).all() and np.isfinite(result.jac).all()):
        yield "a success that is not finite"
        return
    error = gradient_error(problem, result.x, result.fun, jac)
    g = np.abs(wide_gradient(problem, result.x))
    if result.status is Status.GRADIENT:
        if not result.optimality <= gtol or result.optimality != np.abs(result.jac).max():
            yield f"max |g_i| is said to be {result.optimality:.3g}, gtol is {gtol:.3g}"
        excess = float((g - gtol - error).max())
        if excess > 0.0:
            yield f"max |g_i| is {g.max():.3g}, gtol {gtol:.3g}, round-off {error.max():.3g}"
    elif result.status is Status.ROUNDOFF:
        if (g > error).any():
            gain, round_off = decrease(problem, result.x)
            if gain > UNSEEN * round_off:
                yield f"f falls by another {gain:.3g} along -g, its round-off is {round_off:.3g}"
    else:
        yield f"a success that nobody asked for: {result.status.name}"


# -------------------------------------------------------------------------- in higher precision


def wide_gradient(problem: Objective, x: np.ndarray) -> np.ndarray:
    """The gradient at ``x`` in extended precision (in double where the formula allows no more)."""
    return np.asarray(problem.gradient(_wide(x)))


def gradient_error(problem: Objective, x: np.ndarray, f: float, jac: str) -> np.ndarray:
    """How wrong the gradient of a run may be, by rounding and by differences."""
    eps = float(np.finfo(x.dtype).eps)
    wide, size = _wide(x), np.maximum(1.0, np.abs(_wide(x)))
    g = np.asarray(problem.gradient(wide))
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (4, x.size))
    moved = [np.abs(np.asarray(problem.gradient(wide + eps * v * size)) - g) for v in signs]
    error = SLACK * np.max(moved, axis=0)
    if jac in ("separate", "joint"):
        return error
    return error + _difference_error(problem, wide, g, f, eps, 0.5 if jac == "2-point" else 1 / 3)


def _difference_error(
    problem: Objective, x: np.ndarray, g: np.ndarray, f: float, eps: float, power: float
) -> np.ndarray:
    """Truncation and rounding of differences with the step ``eps^power max(1, |x_i|)``."""
    h = eps**power * np.maximum(1.0, np.abs(x))
    error = np.empty(x.size)
    for i in range(x.size):
        ends = [np.asarray(problem.gradient(x + t * h[i] * np.eye(x.size)[i])) for t in (-1.0, 1.0)]
        error[i] = max(abs(float(end[i] - g[i])) for end in ends)
    round_off = eps * (abs(f) + np.abs(g) @ np.abs(x))
    return np.asarray(error + SLACK * round_off / h)


def decrease(problem: Objective, x: np.ndarray) -> tuple[float, float]:
    """How far f falls along -g, in given units or in those of x itself; the round-off of f in x's precision."""
    wide = _wide(x)
    f, g = problem.value_and_gradient(wide)
    eps = float(np.finfo(x.dtype).eps)
    parts = g * wide
    largest = max(float(np.abs(parts).max()), 1e-300)
    in_units = wide * (parts / largest)  # the unit of each variable is its size
    round_off = eps * (abs(float(f)) + float(np.abs(g) @ np.abs(wide)))
    round_off = max(round_off, _rounding(problem, x))
    lowest = float(f)
    for d in (g, in_units):
        for t in 2.0 ** np.arange(-60.0, 10.0):
            value = float(problem(wide - t * d))
            if not value <= float(f) + round_off:  # beyond a rise lies another valley
                break
            lowest = min(lowest, value)
    return float(f) - lowest, round_off


def _rounding(problem: Objective, x: np.ndarray) -> float:
    """What rounding makes of f: its value in the run's precision against that in a higher one."""
    moved = [x, np.nextafter(x, np.inf), np.nextafter(x, -np.inf)]
    return max(abs(float(problem(y)) - float(problem(_wide(y)))) for y in moved)


def _wide(x: np.ndarray) -> np.ndarray:
    return np.asarray(x.astype(np.longdouble))


def _round_up(f: float, x: np.ndarray) -> float:
    """Values that cannot be told from ``f`` are no higher."""
    return f + 10.0 * float(np.finfo(x.dtype).eps) * abs(f)
