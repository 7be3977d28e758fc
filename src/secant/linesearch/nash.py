"""Nash's step: backtracking by a factor until the weights stop changing."""

from __future__ import annotations

from dataclasses import dataclass

from secant import checks
from secant.linesearch.ray import Ray, Trial
from secant.linesearch.search import LineSearch, Memory


@dataclass(frozen=True)
class Nash(LineSearch):
    """Multiply the step by ``reduction`` until the value has decreased enough.

    A trial is accepted if

        E(w + eta d) <= E(w) + tol eta d'g

    and the search ends at the start when no weight changes any more. Nothing is allowed for
    round-off and a step that leaves the domain is reduced like any other, as in the source.

    Parameters
    ----------
    tol : float, default 1e-4
        Sufficient decrease.
    reduction : float, default 0.2
        Factor on the step after a rejected trial.
    max_trials : int, default 500
        Evaluations of the value. ``x`` stops moving long before, unless it is zero.

    References
    ----------
    .. [1] J. C. Nash, *Compact Numerical Methods for Computers*, 2nd ed., Adam Hilger (1990),
       Algorithm 21, steps 8 to 12; the search of ``optim(method="BFGS")`` in R.

    Examples
    --------
    One step down (x - 3)^4 from 0, where the first trial is 10:

    >>> import secant
    >>> method = secant.GradientDescent(search=Nash(), first=secant.Length(10.0))
    >>> secant.start(lambda x: (x[0] - 3.0) ** 4, [0.0], method=method).step().x.round(2)
    array([2.])
    """

    tol: float = 1e-4
    reduction: float = 0.2
    max_trials: int = 500

    def __post_init__(self) -> None:
        checks.between("tol", self.tol, 0.0, 1.0)
        checks.between("reduction", self.reduction, 0.0, 1.0)
        checks.count("max_trials", self.max_trials)

    def __call__(self, ray: Ray, alpha0: float, memory: Memory = ()) -> Trial:
        eta = alpha0 if 0.0 < alpha0 < float("inf") else 1.0
        for _ in range(self.max_trials):
            if not ray.moves(eta):
                break
            trial = ray.value(eta)
            if trial.f <= ray.reference + self.tol * eta * ray.start.slope:
                return trial
            eta *= self.reduction
        return ray.start
