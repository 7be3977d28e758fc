"""Stops: each looks at a snapshot and says why the run should end, or nothing.

Any callable ``Snapshot -> Status | None`` is a stop; these are the ones that `secant.minimize` makes from
its arguments, and `NoProgress` for those who want SciPy's ``ftol``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from secant import checks
from secant.snapshot import Snapshot
from secant.status import Status

Stop = Callable[[Snapshot], Status | None]


@dataclass(frozen=True)
class GradientBelow:
    """``max |g_i| <= gtol``."""

    gtol: float = 1e-5

    def __post_init__(self) -> None:
        checks.non_negative("gtol", self.gtol)

    def __call__(self, snapshot: Snapshot) -> Status | None:
        return Status.GRADIENT if snapshot.optimality <= self.gtol else None


@dataclass(frozen=True)
class Target:
    """``f <= value``."""

    value: float

    def __call__(self, snapshot: Snapshot) -> Status | None:
        return Status.TARGET if snapshot.f <= self.value else None


@dataclass(frozen=True)
class MaxIterations:
    """``k >= limit``."""

    limit: int

    def __post_init__(self) -> None:
        checks.count("max_iter", self.limit, 0)

    def __call__(self, snapshot: Snapshot) -> Status | None:
        return Status.MAX_ITERATIONS if snapshot.k >= self.limit else None


@dataclass(frozen=True)
class Unbounded:
    """``f`` has fallen below any value that a bounded objective would have.

    The line is drawn at ``-max(1, |f0|) / eps^2``: there not even the square root of f still sees
    one unit of the start.
    """

    eps: float

    def __call__(self, snapshot: Snapshot) -> Status | None:
        below = -max(1.0, abs(snapshot.trace.rows[0].f)) / self.eps**2
        return Status.UNBOUNDED if snapshot.f < below else None


@dataclass(frozen=True)
class NoProgress:
    """``f`` fell by at most ``ftol * max(|f|, 1)`` in each of the last ``patience`` iterations.

    SciPy's L-BFGS-B stops so with ``ftol = 2.2e-9`` and a patience of one.

    Parameters
    ----------
    ftol : float
        Relative decrease that counts as progress.
    patience : int
        Iterations in a row without progress.

    Examples
    --------
    >>> import secant
    >>> def f(x):
    ...     return (x**4).sum()
    >>> secant.minimize(f, [1.0], stop=(secant.NoProgress(1e-3),), gtol=0).status.name
    'NO_PROGRESS'
    """

    ftol: float = 1e-9
    patience: int = 1

    def __post_init__(self) -> None:
        checks.non_negative("ftol", self.ftol)
        checks.count("patience", self.patience)

    def __call__(self, snapshot: Snapshot) -> Status | None:
        rows = snapshot.trace.rows[-self.patience - 1 :]
        if len(rows) <= self.patience:
            return None
        for before, after in pairwise(rows):
            if before.f - after.f > self.ftol * max(abs(before.f), abs(after.f), 1.0):
                return None
        return Status.NO_PROGRESS


def checked_stops(stop: Any) -> list[Stop]:
    """The argument ``stop``, one callable or a sequence of them, as a list."""
    stops = [stop] if callable(stop) else list(stop) if isinstance(stop, Iterable) else [stop]
    for one in stops:
        checks.require(callable(one), "stop", one, "a sequence of callables")
    return stops
