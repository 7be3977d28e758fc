"""Non-monotone searches: decrease is measured from more than the last value."""

from __future__ import annotations

from dataclasses import dataclass, field

from secant import checks
from secant.linesearch.backtracking import Backtracking
from secant.linesearch.ray import Ray, Trial
from secant.linesearch.search import LineSearch, Memory


@dataclass(frozen=True)
class NonMonotone(LineSearch):
    """Any search, with its decrease measured from the highest of the last ``memory`` values.

        phi(alpha) <= max(f_k, ..., f_{k-M+1}) + c1 alpha phi'(0)

    A step may go uphill for a while, which follows curved valleys and forgives noise; for one
    value (``memory=1``) it is the search itself.

    Parameters
    ----------
    search : LineSearch, default Backtracking()
        The search; it must measure decrease from ``ray.reference`` (all of this package do that
        look for decrease).
    memory : int, default 10
        M, the number of values.

    References
    ----------
    .. [1] L. Grippo, F. Lampariello, S. Lucidi, "A nonmonotone line search technique for Newton's
       method", SIAM J. Numer. Anal. 23 (1986) 707-716, equation (1).

    Examples
    --------
    Values may rise on the way:

    >>> import numpy as np
    >>> import secant
    >>> from secant import problems
    >>> f, method = problems.rosenbrock(2), secant.GradientDescent(search=NonMonotone(memory=5))
    >>> result = secant.minimize(f.value_and_gradient, f.start(), method=method, jac=True)
    >>> result.success, bool((np.diff(result.trace.f) > 0).any())
    (True, True)
    """

    search: LineSearch = field(default_factory=Backtracking)
    memory: int = 10

    def __post_init__(self) -> None:
        _check_inner(self.search)
        checks.count("memory", self.memory)

    def begin(self, f: float) -> Memory:
        """The value at the start."""
        return (f,)

    def learn(self, memory: Memory, trial: Trial) -> Memory:
        """The last M values."""
        return (*memory, trial.f)[-self.memory :]

    def __call__(self, ray: Ray, alpha0: float, memory: Memory = ()) -> Trial:
        ray.reference = max((ray.start.f, *memory))
        return self.search(ray, alpha0)


@dataclass(frozen=True)
class NonMonotoneAverage(LineSearch):
    """Any search, with its decrease measured from a weighted average of all values so far.

        Q_{k+1} = eta Q_k + 1,   C_{k+1} = (eta Q_k C_k + f_{k+1}) / Q_{k+1}
        phi(alpha) <= C_k + c1 alpha phi'(0)

    Parameters
    ----------
    search : LineSearch, default Backtracking()
        The search; it must measure decrease from ``ray.reference``.
    eta : float, default 0.85
        Weight of the past: 0 is the search itself, 1 the plain average.

    References
    ----------
    .. [1] H. Zhang, W. W. Hager, "A nonmonotone line search technique and its application to
       unconstrained optimization", SIAM J. Optim. 14 (2004) 1043-1056, equation (1.6).

    Examples
    --------
    >>> NonMonotoneAverage().begin(4.0)
    (4.0, 1.0)
    """

    search: LineSearch = field(default_factory=Backtracking)
    eta: float = 0.85

    def __post_init__(self) -> None:
        _check_inner(self.search)
        in_range = checks.is_number(self.eta) and 0.0 <= self.eta <= 1.0
        checks.require(in_range, "eta", self.eta, "between 0 and 1")

    def begin(self, f: float) -> Memory:
        """``(C_0, Q_0)``."""
        return (f, 1.0)

    def learn(self, memory: Memory, trial: Trial) -> Memory:
        """``(C_{k+1}, Q_{k+1})``."""
        C, Q = memory
        weight = self.eta * Q
        return ((weight * C + trial.f) / (weight + 1.0), weight + 1.0)

    def __call__(self, ray: Ray, alpha0: float, memory: Memory = ()) -> Trial:
        # Round-off, or a start that is not the value last learned, may put C_k below f_k.
        ray.reference = max(ray.start.f, memory[0]) if memory else ray.start.f
        return self.search(ray, alpha0)


def _check_inner(search: LineSearch) -> None:
    is_search = isinstance(search, LineSearch) and search.begin(0.0) == ()
    checks.require(is_search, "search", search, "a line search without memory of its own")
