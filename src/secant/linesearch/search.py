"""What a one-dimensional search is: from a ray and a first guess to a trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from secant.linesearch.ray import Ray, Trial

Memory = tuple[float, ...]
"""What a search carries from one iteration to the next: a few numbers, saved with the state."""


@dataclass(frozen=True)
class LineSearch:
    """Base of all searches: configuration only, checked in ``__post_init__``.

    A search returns the best trial that it has. If that is ``ray.start`` (``alpha == 0``) it found
    nothing better than the start. It never raises because of what it meets on the ray.
    """

    needs_descent: ClassVar[bool] = True
    """Whether ``d'g < 0`` must hold; methods reset their direction otherwise."""

    uses_hessian: ClassVar[bool] = False
    """Whether the search asks the ray for its curvature."""

    def __call__(self, ray: Ray, alpha0: float, memory: Memory = ()) -> Trial:
        """Search along ``ray``, first trying ``alpha0``."""
        raise NotImplementedError

    def begin(self, f: float) -> Memory:
        """Memory at the start of a run, at the value ``f``."""
        return ()

    def learn(self, memory: Memory, trial: Trial) -> Memory:
        """Memory after ``trial`` became the new iterate."""
        return memory
