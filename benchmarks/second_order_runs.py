"""One run of a Newton's method, ours or SciPy's, ended by the instrument that counts.

A run ends at the first gradient with ``max |g_i| <= tolerance max(1, max |g_i(x0)|)``, x0 the standard start of
the problem, at a value that is not above all seen before: far out on a plateau gradients are small, too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize

import secant
from benchmarks.second_order_problems import Problem, Vector

PRODUCTS, MATRICES = ("newton-cg", "trust-ncg", "trust-krylov"), ("trust-exact", "dogleg")
METHODS = (*PRODUCTS, *MATRICES)

TOLERANCE = 1e-6

ROUND_OFF = 1e-12
"""Relative error of values."""


class Ended(Exception):
    """The run is over; the words say why."""


SOLVED, OVER_BUDGET = "solved", "evaluations or time used up"


class Watch:
    """A problem that counts, and ends the run that is solved or too long.

    Attributes
    ----------
    problem : Problem
    nfev, njev, products : int
    lowest : float
        The least value seen.
    solution : array or None
    """

    def __init__(
        self, problem: Problem, most: int, seconds: float, tolerance: float = TOLERANCE
    ) -> None:
        self.problem, self._most = problem, most
        self.nfev = self.njev = self.products = 0
        self.lowest = math.inf
        self.solution: Vector | None = None
        self._x: Vector | None = None
        self._end = time.process_time() + seconds
        standard = problem.x0 if problem.standard is None else problem.standard
        size = float(np.abs(problem.jac(standard)).max())
        self._small = tolerance * max(1.0, size)

    def fun(self, x: Vector) -> float:
        """The value."""
        self.nfev += 1
        if self.nfev > self._most:
            raise Ended(OVER_BUDGET)
        self._look_at_the_time()
        f = self.problem.fun(x)
        if f < self.lowest:
            self.lowest = f
        return f

    def jac(self, x: Vector) -> Vector:
        """The gradient."""
        self.njev += 1
        g = self.problem.jac(x)
        if np.maximum.reduce(np.abs(g)) <= self._small and self._is_lowest(x):
            self.solution = x.copy()
            raise Ended(SOLVED)
        return g

    def hess(self, x: Vector) -> Vector:
        """The whole Hessian."""
        self.products += 1
        self._look_at_the_time()
        return self.problem.matrix(x)

    def hessp(self, x: Vector, p: Vector) -> Vector:
        """A product; what depends on x alone is computed once for each x.

        The time is not looked at, which may take longer than a short product.
        """
        self.products += 1
        if self._x is None or not np.array_equal(x, self._x):
            self._x, self._product = x.copy(), self.problem.at(x)
        return self._product(p)

    def _is_lowest(self, x: Vector) -> bool:
        """Whether nothing lower was seen, but for round-off."""
        return self.problem.fun(x) <= self.lowest + ROUND_OFF * abs(self.lowest)

    def _look_at_the_time(self) -> None:
        if time.process_time() > self._end:
            raise Ended(OVER_BUDGET)


@dataclass(frozen=True)
class Outcome:
    """How a run went; ``seconds`` for one that did not solve the problem are those it took to fail.

    Attributes
    ----------
    f : float or None
        At the solution; where there is none, the least value seen.
    end : str
        Why it ended.
    """

    solved: bool
    f: float | None
    nfev: int
    njev: int
    products: int
    seconds: float
    end: str


def run(
    solve: Callable[[Watch], str],
    problem: Problem,
    most: int,
    limit: float,
    tolerance: float = TOLERANCE,
) -> Outcome:
    """One solver on one problem, for so many evaluations and seconds."""
    return watched(solve, Watch(problem, most, limit, tolerance))


def watched(solve: Callable[[Watch], str], watch: Watch) -> Outcome:
    """One solver on the problem of a watch."""
    began = time.process_time()
    try:
        end = solve(watch)
    except Ended as why:
        end = str(why)
    seconds = time.process_time() - began
    f = watch.lowest if watch.solution is None else watch.problem.fun(watch.solution)
    return Outcome(
        end == SOLVED,
        f if math.isfinite(f) else None,
        watch.nfev,
        watch.njev,
        watch.products,
        seconds,
        end,
    )


def solvers(method: str, problem: Problem) -> dict[str, Callable[[Watch], str]]:
    """Ours and SciPy's, with stopping rules that never stop."""

    def second(watch: Watch) -> dict[str, Any]:
        return {"hessp": watch.hessp} if method in PRODUCTS else {"hess": watch.hess}

    tight = {"xtol": 1e-16} if method == "newton-cg" else {"gtol": 1e-16}

    def ours(watch: Watch) -> str:
        found = secant.minimize(
            watch.fun, problem.x0, jac=watch.jac, method=method, gtol=0.0, **second(watch)
        )
        return found.status.name.lower()

    def scipys(watch: Watch) -> str:
        try:
            found = optimize.minimize(
                watch.fun,
                problem.x0,
                jac=watch.jac,
                method=method,
                options={**tight, "maxiter": 10**6},
                **second(watch),
            )
        except (np.linalg.LinAlgError, ValueError) as error:  # of matrices that it cannot use
            return f"{type(error).__name__}: {error}"
        return str(found.message)

    return {"secant": ours, "SciPy": scipys}
