"""How often the user's functions have been called, and how often they still may be."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from secant.point import Point


class Exhausted(Exception):
    """The run's budget of evaluations or seconds is used up; raised *before* an evaluation.

    Attributes
    ----------
    lowest : Point or None
        The lowest point of the step that was cut short, if it is known with its gradient.
    """

    lowest: Point | None = None


class OutOfEvaluations(Exhausted):
    """`Exhausted`: no evaluation is left."""


class OutOfTime(Exhausted):
    """`Exhausted`: no time is left."""


@dataclass(slots=True)
class Counts:
    """Evaluations done and the budget that is left to them.

    Attributes
    ----------
    nfev, njev, nhev : int
        Values, gradients and Hessian products evaluated so far.
    max_evals : float
        Values that may be evaluated.
    deadline : float
        `time.perf_counter` after which nothing more is evaluated.
    """

    nfev: int = 0
    njev: int = 0
    nhev: int = 0
    max_evals: float = math.inf
    deadline: float = math.inf

    def value(self) -> None:
        """Count a value about to be evaluated; raise `Exhausted` instead if the budget is used up."""
        if self.nfev >= self.max_evals:
            raise OutOfEvaluations
        if self.deadline != math.inf and time.perf_counter() >= self.deadline:
            raise OutOfTime
        self.nfev += 1
