"""Why a run ended: an enum whose values are the sentences that users read."""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """Reason for the end of a run; ``status.value`` is the sentence, ``status.success`` the verdict.

    Examples
    --------
    >>> from secant import Status
    >>> Status.GRADIENT.success, Status.MAX_ITERATIONS.success
    (True, False)
    >>> print(Status.GRADIENT)
    converged: the largest gradient component is at most gtol
    """

    GRADIENT = "converged: the largest gradient component is at most gtol"
    ROUNDOFF = "converged: f can fall no further in this precision"
    TARGET = "target reached: f is at most the value asked for"
    NO_PROGRESS = "stopped: f has stopped falling by the amount asked for"
    VALIDATION_STOP = "stopped: the validation loss has not improved for the iterations allowed"
    CALLBACK = "stopped by the callback"
    MAX_ITERATIONS = "limit reached: max_iter iterations"
    MAX_EVALUATIONS = "limit reached: max_evals evaluations of the function"
    TIME_LIMIT = "limit reached: max_seconds of time"
    SEARCH_FAILED = "failed: no step along a descent direction lowers f"
    WRONG_GRADIENT = "failed: the gradient is not that of f"
    NOISY = "failed: f is too noisy to be lowered further"
    NON_DETERMINISTIC = "failed: f has more than one value at the same x"
    NOT_FINITE_START = "failed: f or its gradient is not finite at x0"
    DIVERGED = "failed: f or its gradient stopped being finite at the iterates"
    UNBOUNDED = "failed: f falls without bound"
    INTERRUPTED = "interrupted from the keyboard"

    @property
    def success(self) -> bool:
        """Whether the run ended where its user wanted it to."""
        return self in _SUCCESSES

    def __str__(self) -> str:
        return self.value


_SUCCESSES = {
    Status.GRADIENT,
    Status.ROUNDOFF,
    Status.TARGET,
    Status.NO_PROGRESS,
    Status.VALIDATION_STOP,
    Status.CALLBACK,
}
