"""The optimiser and the limits of a training, checked before anything is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass

import secant
from secant.learn.errors import InputError, listing
from secant.learn.minibatch import BATCH_METHODS
from secant.learn.plain import settle_types
from secant.learn.runs import ORTHANT_WISE

__all__ = ["AUTO", "Strategy"]

AUTO = "auto"
"""Stands for the method that suits the problem."""


@dataclass(frozen=True)
class Strategy:
    """The optimiser and the limits of a training.

    Attributes
    ----------
    method : str
        A name or alias of the method registry (kept as the name), or "adam", "adamw" or "sgd". "lm",
        Levenberg-Marquardt, needs an error and a penalty that are sums of squares. "auto" chooses by
        the size of the problem (`secant.learn.choice`), and goes on with another method when one fails.
    gtol : float
        Stop when no component of the gradient exceeds this.
    max_iter : int
        Limit on the iterations; on the epochs of mini-batch methods.
    max_seconds : float
        Limit on the time.
    max_evals : int, optional
        Limit on the evaluations of the loss index; of its gradient on mini-batches.
    pairs : int, optional
        That "l-bfgs" keeps of its last steps.
    single_first : bool
        Make the first iterations on a network of float64 in float32, `secant.learn.single_first`.
    patience : int
        Iterations in a row without a lower validation loss after which the training stops.
    goal : float, optional
        Stop when the training loss, without the regularisation, is at most this.
    tol : float
        Stop when the loss index has not fallen by more than this for `n_iter_no_change` iterations in a
        row; 0 for never.
    n_iter_no_change : int
    learning_rate : float, optional
        Of mini-batch methods; by default 1e-3, and 1e-2 for "sgd".
    batch_size : int, optional
        Of mini-batch methods; by default 200 rows.
    seed : int
        Of the order of the rows for mini-batch methods.
    bayesian : bool
        Let "lm" find the factor of the squared weights itself (MacKay 1992; Foresee & Hagan 1997);
        the loss index's ``l2`` is where it starts.

    Raises
    ------
    InputError
        For a value that makes no sense, or that the method has no use for.

    Examples
    --------
    >>> from secant.learn import Strategy
    >>> Strategy("trainlm", goal=1e-3).method
    'lm'
    >>> Strategy("bfgs", batch_size=50)
    Traceback (most recent call last):
    ...
    secant.learn.errors.InputError: batch_size is for the methods 'adam', 'adamw', 'sgd', not 'bfgs'
    """

    method: str = "l-bfgs"
    gtol: float = 1e-6
    max_iter: int = 10_000
    max_seconds: float = 60.0
    max_evals: int | None = None
    pairs: int | None = None
    single_first: bool = False
    patience: int = 50
    goal: float | None = None
    tol: float = 0.0
    n_iter_no_change: int = 10
    learning_rate: float | None = None
    batch_size: int | None = None
    seed: int = 0
    bayesian: bool = False

    def __post_init__(self) -> None:
        settle_types(self)
        object.__setattr__(self, "method", method_name(self.method))
        _check_positive("gtol", self.gtol)
        _check_positive("max_seconds", self.max_seconds)
        if not (math.isfinite(self.tol) and self.tol >= 0):
            raise InputError(f"tol must be a number from 0, not {self.tol}")
        if self.goal is not None and not math.isfinite(self.goal):
            raise InputError(f"goal must be a finite number, not {self.goal}")
        for name in (
            "max_iter",
            "max_evals",
            "pairs",
            "patience",
            "n_iter_no_change",
            "batch_size",
        ):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} must be at least 1, not {value}")
        self._check_batch_options()
        if self.bayesian and self.method != "lm":
            raise InputError(f"bayesian regularisation is for method 'lm', not {self.method!r}")

    @property
    def in_batches(self) -> bool:
        """Whether each step looks at a part of the rows."""
        return self.method in BATCH_METHODS

    def _check_batch_options(self) -> None:
        if self.learning_rate is not None:
            _check_positive("learning_rate", self.learning_rate)
        for name in ("learning_rate", "batch_size"):
            if getattr(self, name) is not None and not (self.in_batches or self.method == AUTO):
                raise InputError(
                    f"{name} is for the methods {listing(BATCH_METHODS)}, not {self.method!r}"
                )
        if self.single_first and (self.in_batches or self.method in (AUTO, "lm", ORTHANT_WISE)):
            raise InputError(
                "single_first is for methods that take smooth gradients of all rows, not "
                f"{self.method!r}"
            )
        if self.pairs is not None and self.method not in ("l-bfgs", AUTO):
            raise InputError(f"pairs is for the method 'l-bfgs', not {self.method!r}")
        if self.seed < 0:
            raise InputError(f"seed must be at least 0, not {self.seed}")


def method_name(method: str, option: str = "method") -> str:
    """The name of a method or of an alias as the registry has it; an error speaks of `option`."""
    wanted = method.strip().lower()
    if wanted in (AUTO, *BATCH_METHODS):
        return wanted
    try:
        return secant.methods.get(method).name
    except ValueError as error:
        sentence = str(error).replace("method", option, 1)
        raise InputError(f"{sentence}; in mini-batches {', '.join(BATCH_METHODS)}") from None


def _check_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} must be a positive number, not {value}")
