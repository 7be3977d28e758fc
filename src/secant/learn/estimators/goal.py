"""What an estimator minimises, and its units beside those of the training."""

from __future__ import annotations

from dataclasses import dataclass

from secant.learn.error_terms import ErrorTerm

__all__ = ["Goal"]


@dataclass(frozen=True)
class Goal:
    """What is minimised: ``factor (error + penalty)`` is the objective in scikit-learn's units.

    Attributes
    ----------
    error : ErrorTerm
    factor : float
        1/2 for squared errors, of which scikit-learn takes the half; else 1.
    unit : float
        What `tol` and `gtol` are multiples of: the size of the error that is there to be explained.
    """

    error: ErrorTerm
    factor: float = 1.0
    unit: float = 1.0
