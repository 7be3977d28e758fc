"""What a run shows of an iteration: to callbacks, stops, loops and the trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secant import arrays
from secant.arrays import Array

if TYPE_CHECKING:
    from secant.run import Run
    from secant.trace import Trace


class Snapshot:
    """One iteration of a run. Arrays are copies in the shape of ``x0``, made when asked for.

    Attributes
    ----------
    k : int
        Iterations done; 0 at the start.
    f : float
        Value at the iterate.
    optimality : float
        Largest absolute component of the gradient.
    alpha : float
        Length of the step that led here; 0 at the start.
    nfev, njev : int
        Evaluations of the function and of its gradient so far.
    seconds : float
        Time inside the run so far.
    event : str
        What was out of the ordinary: a reset, a skipped pair, ...
    """

    __slots__ = (
        "_point",
        "_run",
        "alpha",
        "event",
        "f",
        "k",
        "nfev",
        "njev",
        "optimality",
        "seconds",
    )

    def __init__(self, run: Run) -> None:
        state, counts = run.state, run.problem.counts
        point = state.point
        self._run = run
        self._point = point
        self.k = state.k
        self.f = point.f
        self.optimality = point.optimality
        self.alpha = state.alpha
        self.nfev = counts.nfev
        self.njev = counts.njev
        self.seconds = run.seconds
        self.event = state.event

    @property
    def x(self) -> Any:
        """A copy of the iterate in the shape of ``x0``."""
        return self._run.structure.nest(arrays.copy(self._point.x))

    @property
    def g(self) -> Any:
        """A copy of the gradient in the shape of ``x0``."""
        return self._run.structure.nest(arrays.copy(self._point.g))

    def hvp(self, v: Array) -> Array:
        """The Hessian at the iterate times the flat vector ``v``; differences of gradients are counted."""
        return self._run.problem.hvp(self._point, v)

    @property
    def flat(self) -> Array:
        """The iterate as the flat vector that methods work on; not to be written to."""
        return self._point.x

    @property
    def trace(self) -> Trace:
        """The run's trace up to here."""
        return self._run.trace

    def __repr__(self) -> str:
        return (
            f"Snapshot(k={self.k}, f={self.f:.6g}, optimality={self.optimality:.3g}, "
            f"alpha={self.alpha:.3g}, nfev={self.nfev}, seconds={self.seconds:.3g})"
        )
