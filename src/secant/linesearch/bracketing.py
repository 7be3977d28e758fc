"""Bracket a minimum of phi by values alone, and know when a bracket is narrow enough."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from secant import checks
from secant.linesearch.proposals import ProposingSearch, Routine, inside
from secant.linesearch.ray import Ray, Trial

GOLDEN = 0.5 * (3.0 - math.sqrt(5.0))
"""The smaller part of an interval divided in the golden ratio, 0.381966."""


@dataclass(frozen=True)
class BracketingSearch(ProposingSearch):
    """Base of the searches that narrow a bracket by values alone until it is `resolved`."""

    values_only: ClassVar[bool] = True

    tol: float = 1e-5
    growth: float = 1.0 / GOLDEN - 1.0
    max_trials: int = field(default=60, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.between("tol", self.tol, 0.0, 1.0)
        checks.positive("growth", self.growth)

    def accepts(self, ray: Ray, trial: Trial) -> bool:
        """No value alone shows that it is the lowest."""
        return False


class Triple(NamedTuple):
    """``a < b < c`` with ``phi(a) > phi(b) <= phi(c)``; ``phi(c)`` may be ``inf``."""

    a: Trial
    b: Trial
    c: Trial


def bracketed(ray: Ray, first: Trial, growth: float) -> Routine[Triple]:
    """Shrink from ``first`` until phi is below phi(0), or expand until it rises again.

    If neither happens the loop around the search ends it: at a step too short to move ``x``, or
    when the trials are used up.
    """
    a, b = ray.start, first
    if b.f < a.f:
        while True:
            c = yield b.alpha + growth * (b.alpha - a.alpha)
            if c.f >= b.f:
                return Triple(a, b, c)
            a, b = b, c
    while True:
        c = b
        b = yield GOLDEN * c.alpha if c.is_finite else inside(0.0, c.alpha)
        if b.f < a.f:
            return Triple(a, b, c)


def resolved(ray: Ray, triple: Triple, tol: float) -> bool:
    """Whether a bracket is narrow enough, or its three values differ by round-off alone."""
    a, b, c = triple
    if c.alpha - a.alpha <= tol * b.alpha:
        return True
    start = abs(ray.start.f)
    noise = ray.noise * abs(b.f) / start if start > 0.0 else 0.0  # eps |phi(b)|
    return max(a.f, c.f) - b.f <= noise
