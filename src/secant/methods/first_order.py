"""Methods that follow gradients without learning curvature, as the compositions they are."""

from __future__ import annotations

from collections.abc import Callable

from secant import checks
from secant.directions.conjugate import ConjugateGradient
from secant.directions.resilient import Resilient
from secant.directions.steepest import Momentum, SteepestDescent
from secant.linesearch import (
    Backtracking,
    ExactQuadratic,
    FirstStep,
    FixedStep,
    FromPreviousSlope,
    HagerZhang,
    Length,
    LineSearch,
    QuadraticFit,
)
from secant.linesearch.adaptive_rate import AdaptiveRate
from secant.linesearch.method import LineSearchMethod
from secant.linesearch.scaled import ScaledStep

__all__ = [
    "SCG",
    "AdaptiveMomentum",
    "GradientDescent",
    "HeavyBall",
    "LinearCG",
    "Nesterov",
    "NonlinearCG",
    "Rprop",
]


def GradientDescent(
    rate: float | Callable[[int], float] | None = None,
    search: LineSearch | None = None,
    first: FirstStep = FromPreviousSlope(),
) -> LineSearchMethod:
    """Steepest descent, ``x+ = x - alpha g``.

    Parameters
    ----------
    rate : float or schedule, optional
        A fixed step, or a schedule ``k -> alpha``, instead of a search.
    search : LineSearch, optional
        `Backtracking` when neither is given.
    first : FirstStep

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**2).sum(), [1.0], method=secant.GradientDescent(0.1)).success
    True
    """
    return LineSearchMethod(SteepestDescent(), _rate_or(rate, search, Backtracking()), first, "gd")


def HeavyBall(
    rate: float | Callable[[int], float] | None = None,
    beta: float = 0.9,
    search: LineSearch | None = None,
    first: FirstStep = QuadraticFit(),
) -> LineSearchMethod:
    """Polyak's momentum, ``x+ = x - alpha g + beta (x - x-)`` at a fixed rate.

    Parameters
    ----------
    rate : float or schedule, optional
        A fixed step instead of a search; see `optimal_momentum` for quadratics.
    beta : float
        Momentum, ``0 <= beta < 1``.
    search : LineSearch, optional
        `HagerZhang` when neither is given; uphill directions are then reset.
    first : FirstStep

    Examples
    --------
    >>> import secant
    >>> method = secant.HeavyBall(rate=0.1, beta=0.5)
    >>> secant.minimize(lambda x: (x**2).sum(), [1.0], method=method).success
    True
    """
    return LineSearchMethod(
        Momentum(beta), _rate_or(rate, search, HagerZhang()), first, "heavy-ball"
    )


def Nesterov(
    rate: float | Callable[[int], float] | None = None,
    beta: float = 0.9,
    search: LineSearch | None = None,
    first: FirstStep = QuadraticFit(),
) -> LineSearchMethod:
    """Nesterov's accelerated gradient; the parameters are those of `HeavyBall`.

    Examples
    --------
    >>> import secant
    >>> method = secant.Nesterov(rate=0.1, beta=0.5)
    >>> secant.minimize(lambda x: (x**2).sum(), [1.0], method=method).success
    True
    """
    return LineSearchMethod(
        Momentum(beta, True), _rate_or(rate, search, HagerZhang()), first, "nesterov"
    )


def NonlinearCG(
    beta: str = "hager-zhang",
    search: LineSearch = HagerZhang(c2=0.1),
    restart_every: int | None = None,
    powell: float = float("inf"),
    first: FirstStep = FromPreviousSlope(),
) -> LineSearchMethod:
    """Nonlinear conjugate gradients (N&W Algorithm 5.4).

    Parameters
    ----------
    beta : str
        "fletcher-reeves", "polak-ribiere", "polak-ribiere+", "hestenes-stiefel", "dai-yuan" or
        "hager-zhang".
    search : LineSearch
    restart_every : int, optional
        Iterations between restarts along -g; n when left out, 0 for never.
    powell : float
        Restart when ``|g+'g| >= powell g+'g+`` (Powell 1977 has 0.2).
    first : FirstStep

    Examples
    --------
    >>> import secant
    >>> method = secant.NonlinearCG("polak-ribiere+", powell=0.2)
    >>> secant.minimize(lambda x: (x**2).sum(), [1.0, 2.0], method=method).success
    True
    """
    direction = ConjugateGradient(beta, restart_every, powell)
    return LineSearchMethod(direction, search, first, "cg")


def SCG(
    sigma: float = 5e-5, damping: float = 5e-7, restart_every: int | None = None
) -> LineSearchMethod:
    """Scaled conjugate gradients, two gradients an iteration and no line search (Moller 1993).

    Parameters
    ----------
    sigma : float
        How far along the direction the curvature is measured, relative to x.
    damping : float
        First ``lambda``.
    restart_every : int, optional
        Iterations between restarts along -g; n when left out, 0 for never.

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**2).sum(), [1.0, 2.0], method=secant.SCG()).success
    True
    """
    direction = ConjugateGradient("moller", restart_every)
    return LineSearchMethod(direction, ScaledStep(sigma, damping), name="scg")


def Rprop(
    first: float = 0.1,
    etas: tuple[float, float] = (0.5, 1.2),
    step_sizes: tuple[float, float] = (1e-12, 50.0),
) -> LineSearchMethod:
    """Resilient back-propagation: a step for each variable, led by the signs of the gradient.

    Parameters
    ----------
    first : float
        Step of every variable at the start.
    etas : pair of float
        Factors of a step after its gradient changed its sign, and after it kept it.
    step_sizes : pair of float
        The smallest and the largest step.

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**2).sum(), [1.0, 2.0], method=secant.Rprop()).success
    True
    """
    checks.pair("etas", etas)
    checks.pair("step_sizes", step_sizes)
    direction = Resilient(first, *etas, *step_sizes)
    return LineSearchMethod(direction, FixedStep(1.0), name="rprop")


def AdaptiveMomentum(
    beta: float = 0.9,
    rate: float | None = None,
    increase: float = 1.05,
    decrease: float = 0.7,
    rise: float = 0.0,
) -> LineSearchMethod:
    """Gradient descent with momentum and an adaptive rate, MATLAB's ``traingdx``.

    Parameters
    ----------
    beta : float
        Momentum, ``0 < beta < 1``.
    rate : float, optional
        First rate; by default the step is 0.3 times as long as x, or as 1.
    increase, decrease : float
        Factors of the rate after a fall of f, and after too large a rise.
    rise : float
        The relative rise of f that is still taken; 0.04 in MATLAB, for errors that fall to 0.

    Examples
    --------
    >>> import secant
    >>> method = secant.AdaptiveMomentum(rate=0.05)
    >>> secant.minimize(lambda x: (x**2).sum(), [1.0, 2.0], method=method).success
    True
    """
    checks.between("beta", beta, 0.0, 1.0)
    search = AdaptiveRate(rate, increase, decrease, rise)
    return LineSearchMethod(Momentum(beta), search, Length(0.3), "gdx")


def LinearCG() -> LineSearchMethod:
    """Conjugate gradients for quadratics: exact steps by Hessian products (N&W Algorithm 5.2).

    Examples
    --------
    >>> import secant
    >>> def f(x):
    ...     return (x**2).sum()
    >>> result = secant.minimize(f, [1.0, 2.0], method="linear-cg", hessp=lambda x, p: 2 * p)
    >>> result.nit
    1
    """
    direction = ConjugateGradient("fletcher-reeves", restart_every=0)
    return LineSearchMethod(direction, ExactQuadratic(), FromPreviousSlope(), "linear-cg")


def _rate_or(
    rate: float | Callable[[int], float] | None, search: LineSearch | None, default: LineSearch
) -> LineSearch:
    if rate is not None and search is not None:
        raise ValueError(f"rate and search exclude each other, got rate={rate!r} and {search!r}")
    if rate is not None:
        return FixedStep(rate)
    return default if search is None else search
