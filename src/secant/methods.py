"""The table of contents: every method as the composition it is, and the registry of their names.

To add an algorithm write its ingredient (a direction, a curvature, a search) in a file of its own and
one entry here; the command line, the documentation, the contract tests and the benchmarks read the
registry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from secant.arrays import Array
from secant.curvature.broyden import BroydenClass, Fixed, SelfScaledBFGS, SelfScaledBroyden
from secant.curvature.compact import DirectLimitedMemory, LimitedSR1
from secant.curvature.direct_bfgs import DirectBFGS
from secant.curvature.exact import ExactHessian
from secant.curvature.initial_scale import InitialScale, StepScale
from secant.curvature.limited_memory import LimitedMemory
from secant.curvature.memoryless import Memoryless
from secant.curvature.modified_cholesky import GillMurrayWright, Shift
from secant.curvature.sr1 import Denominator, InverseSymmetricRankOne, SymmetricRankOne
from secant.directions.conjugate import ConjugateGradient
from secant.directions.hessian_free import HessianFree as HessianFreeDirection
from secant.directions.indefinite import Indefinite
from secant.directions.newton import Newton as NewtonDirection
from secant.directions.newton_cg import NewtonCG as NewtonCGDirection
from secant.directions.newton_like import NewtonLike
from secant.directions.resilient import Resilient
from secant.directions.steepest import Momentum, SteepestDescent
from secant.leastsquares.levenberg_marquardt import LevenbergMarquardt
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
    UnitStep,
)
from secant.linesearch.adaptive_rate import AdaptiveRate
from secant.linesearch.method import LineSearchMethod
from secant.linesearch.orthant_wise import OrthantWise
from secant.linesearch.scaled import ScaledStep
from secant.pair import CurvatureTest, Damp, Skip
from secant.trustregion import (
    Dogleg,
    Krylov,
    Learned,
    MoreSorensen,
    RadiusRule,
    Steihaug,
    TrustRegion,
)
from secant.trustregion.regularized import RegularizationRule, Regularized
from secant.trustregion.step import Subproblem

# ------------------------------------------------------------------------------------ quasi-Newton


def LBFGS(
    memory: int = 12,
    search: LineSearch = HagerZhang(),
    curvature_test: CurvatureTest = Skip(),
    first: FirstStep = UnitStep(first=Length(0.3)),
    history_dtype: str | None = None,
) -> LineSearchMethod:
    """L-BFGS in compact form (Byrd, Nocedal & Schnabel 1994).

    The defaults of ``memory`` and ``first`` are those with the fewest evaluations on the test
    problems of `benchmarks/searches.py`; differences of a few per cent there are chance.

    Parameters
    ----------
    memory : int
        Pairs kept; 2 memory n numbers.
    search : LineSearch
    curvature_test : Skip or Damp
    first : FirstStep
    history_dtype : str, optional
        Keep the pairs in this dtype, such as ``"float32"`` under a float64 run.

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.LBFGS(memory=5)).success
    True
    """
    direction = NewtonLike(LimitedMemory(memory, history_dtype), curvature_test)
    return LineSearchMethod(direction, search, first, "l-bfgs")


def BFGS(
    search: LineSearch = HagerZhang(),
    curvature_test: CurvatureTest = Skip(),
    first: FirstStep = UnitStep(),
    scale: InitialScale = StepScale(),
    H0: Array = None,
) -> LineSearchMethod:
    """BFGS with a dense inverse Hessian, O(n^2) an iteration (N&W Algorithm 6.1).

    Parameters
    ----------
    search : LineSearch
    curvature_test : Skip or Damp
    first : FirstStep
    scale : StepScale, PairScale or UnitScale
        How large the identity is that the inverse Hessian starts as.
    H0 : array, shape (n, n), optional
        Initial inverse Hessian instead.

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.BFGS()).success
    True
    """
    curvature = BroydenClass(Fixed(1.0), scale, H0)
    return LineSearchMethod(NewtonLike(curvature, curvature_test), search, first, "bfgs")


def DFP(
    search: LineSearch = HagerZhang(c2=0.1),
    curvature_test: CurvatureTest = Skip(),
    first: FirstStep = UnitStep(),
    scale: InitialScale = StepScale(),
    H0: Array = None,
) -> LineSearchMethod:
    """Davidon-Fletcher-Powell, BFGS's dual (N&W eq. 6.15); the parameters are those of `BFGS`.

    DFP recovers slowly from a too small ``H`` unless its searches are nearly exact (N&W section
    6.1), hence ``c2 = 0.1``.

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.DFP()).success
    True
    """
    curvature = BroydenClass(Fixed(0.0), scale, H0)
    return LineSearchMethod(NewtonLike(curvature, curvature_test), search, first, "dfp")


def Broyden(
    phi: float = 0.5,
    search: LineSearch = HagerZhang(),
    curvature_test: CurvatureTest = Skip(),
    first: FirstStep = UnitStep(),
    scale: InitialScale = StepScale(),
    H0: Array = None,
) -> LineSearchMethod:
    """The convex Broyden class between DFP (``phi = 0``) and BFGS (``phi = 1``), on the inverse.

    Parameters
    ----------
    phi : float
        Between 0 and 1; the other parameters are those of `BFGS`.

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.Broyden(0.8)).success
    True
    """
    curvature = BroydenClass(Fixed(phi), scale, H0)
    return LineSearchMethod(NewtonLike(curvature, curvature_test), search, first, "broyden")


def SSBFGS(
    search: LineSearch = HagerZhang(),
    curvature_test: CurvatureTest = Skip(),
    first: FirstStep = QuadraticFit(),
    scale: InitialScale = StepScale(),
    H0: Array = None,
) -> LineSearchMethod:
    """Self-scaled BFGS, ``tau = min(1, s'y / s'Bs)`` (Al-Baali 1998); parameters as in `BFGS`.

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.SSBFGS()).success
    True
    """
    curvature = BroydenClass(SelfScaledBFGS(), scale, H0)
    return LineSearchMethod(NewtonLike(curvature, curvature_test), search, first, "ssbfgs")


def SSBroyden(
    search: LineSearch = HagerZhang(),
    curvature_test: CurvatureTest = Skip(),
    first: FirstStep = QuadraticFit(),
    scale: InitialScale = StepScale(),
    H0: Array = None,
) -> LineSearchMethod:
    """Self-scaled Broyden (Al-Baali 1998; Urban, Stefanou & Pons 2025); parameters as in `BFGS`.

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.SSBroyden()).success
    True
    """
    curvature = BroydenClass(SelfScaledBroyden(), scale, H0)
    return LineSearchMethod(NewtonLike(curvature, curvature_test), search, first, "ssbroyden")


def MemorylessBFGS(
    search: LineSearch = HagerZhang(c2=0.1),
    curvature_test: CurvatureTest = Skip(),
    first: FirstStep = UnitStep(),
    scaled: bool = True,
) -> LineSearchMethod:
    """One BFGS update of the (scaled) identity, memory O(n) (Shanno 1978).

    Parameters
    ----------
    search : LineSearch
    curvature_test : Skip or Damp
    first : FirstStep
    scaled : bool
        Update ``(s'y / y'y) I`` instead of the identity.

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.MemorylessBFGS()).success
    True
    """
    direction = NewtonLike(Memoryless(scaled), curvature_test)
    return LineSearchMethod(direction, search, first, "memoryless-bfgs")


def OWLQN(
    l1: float | Array = 0.0,
    memory: int = 12,
    curvature_test: CurvatureTest = Skip(),
) -> OrthantWise:
    """Orthant-wise L-BFGS: minimises ``fun(x) + sum l1_i |x_i|`` (Andrew & Gao 2007).

    ``f`` and the gradient of the result are those of the whole sum (of its pseudo-gradient, whose largest
    component is what ``gtol`` is compared with).

    Parameters
    ----------
    l1 : float or array, shape (n,)
        Factors of the absolute values, not negative; 0 frees a variable.
    memory : int
        Pairs kept; 2 memory n numbers.
    curvature_test : Skip or Damp

    Examples
    --------
    >>> import numpy as np, secant
    >>> def f(x):
    ...     return ((x - np.array([3.0, 0.2])) ** 2).sum()
    >>> secant.minimize(f, [0.0, 1.0], method=secant.OWLQN(l1=1.0)).x
    array([2.5, 0. ])
    """
    return OrthantWise(l1, LimitedMemory(memory), curvature_test)


# ------------------------------------------------------------------------- directions from gradients


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
    direction = Resilient(first, etas[0], etas[1], step_sizes[0], step_sizes[1])
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
    if not 0.0 < beta < 1.0:
        raise ValueError(f"beta must be between 0 and 1, got {beta!r}")
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


# ----------------------------------------------------------------------------------- second order

_FULL_STEP = UnitStep(first=Length(1e18))
"""The full step from the first iteration on: these directions have their scale at once."""


def Newton(
    modification: Shift | GillMurrayWright = Shift(),
    search: LineSearch = HagerZhang(),
    first: FirstStep = _FULL_STEP,
) -> LineSearchMethod:
    """Newton's method with a line search (N&W Algorithm 3.2).

    The Hessian is ``hess``, or autograd's with torch, or differences of gradients. Where it is not
    positive definite a neighbour that is takes its place, and directions of negative curvature are
    not missed.

    Parameters
    ----------
    modification : Shift or GillMurrayWright
        ``B + tau I``, or the modified Cholesky factorisation.
    search : LineSearch
    first : FirstStep

    Examples
    --------
    >>> import secant
    >>> def f(x):
    ...     return (x**4).sum()
    >>> hess = lambda x: [[12.0 * x[0] ** 2]]
    >>> secant.minimize(f, [1.0], hess=hess, method=secant.Newton()).success
    True
    """
    name = "newton" if isinstance(modification, Shift) else "newton-gmw"
    return LineSearchMethod(NewtonDirection(modification), search, first, name)


def NewtonCG(
    rtol: float | None = None,
    max_iter: int | None = None,
    search: LineSearch = HagerZhang(),
    first: FirstStep = QuadraticFit(first=Length(1e18)),
) -> LineSearchMethod:
    """Inexact Newton by conjugate gradients: products with the Hessian alone (N&W Algorithm 7.1).

    Parameters
    ----------
    rtol : float, optional
        Relative residual of the inner iteration; ``min(1/2, sqrt |g|_1)`` when left out.
    max_iter : int, optional
        Products an iterate may cost; ``2 n`` when left out.
    search : LineSearch
    first : FirstStep

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.NewtonCG()).success
    True
    """
    return LineSearchMethod(NewtonCGDirection(rtol, max_iter), search, first, "newton-cg")


def HessianFree(
    damping: float = 0.1,
    decay: float = 0.95,
    precondition: bool = False,
    max_iter: int = 250,
    search: LineSearch = HagerZhang(),
    first: FirstStep = _FULL_STEP,
) -> LineSearchMethod:
    """Hessian-free optimisation: damped and warm-started conjugate gradients (Martens 2010).

    Works on the Gauss-Newton matrix where the problem offers products with it (a
    `secant.torch.composite.Composite`, or a ``hessp`` that computes them), else on the Hessian.

    Parameters
    ----------
    damping : float
        First damping, relative to the curvature along the first gradient.
    decay : float
        Part of the last direction that conjugate gradients begin at.
    precondition : bool
        Divide by ``(mean g_i^2 + lambda)^(3/4)``.
    max_iter : int
        Products an iterate may cost.
    search : LineSearch
    first : FirstStep

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.HessianFree()).success
    True
    """
    direction = HessianFreeDirection(damping, decay, precondition, max_iter)
    return LineSearchMethod(direction, search, first, "hessian-free")


def SR1(
    r: float = 1e-8,
    search: LineSearch = HagerZhang(),
    first: FirstStep = UnitStep(),
    scale: InitialScale = StepScale(),
) -> LineSearchMethod:
    """Symmetric rank-one updates with a line search (N&W eq. 6.25); `TrustSR1` is the better home.

    Parameters
    ----------
    r : float
        Least relative denominator of an update that is made.
    search : LineSearch
    first : FirstStep
    scale : StepScale, PairScale or UnitScale
        How large the identity is that the inverse Hessian starts as.

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.SR1()).success
    True
    """
    direction = Indefinite(InverseSymmetricRankOne(r, scale))
    return LineSearchMethod(direction, search, first, "sr1")


_EXACT_RADIUS = RadiusRule(shrink=0.3, grow=2.5)
"""Where the model is exact, smaller changes of the radius waste fewer trials."""


def TrustNCG(
    subproblem: Subproblem = Steihaug(), radius: RadiusRule = _EXACT_RADIUS
) -> TrustRegion:
    """Trust region on products with the Hessian, truncated conjugate gradients (N&W Algorithm 7.2).

    Parameters
    ----------
    subproblem : Subproblem
    radius : RadiusRule

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.TrustNCG()).success
    True
    """
    return TrustRegion(ExactHessian(), subproblem, radius, "trust-ncg")


def TrustKrylov(
    subproblem: Subproblem = Krylov(), radius: RadiusRule = _EXACT_RADIUS
) -> TrustRegion:
    """Trust region on products with the Hessian, generalised Lanczos (Gould et al. 1999).

    Parameters
    ----------
    subproblem : Subproblem
    radius : RadiusRule

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.TrustKrylov()).success
    True
    """
    return TrustRegion(ExactHessian(), subproblem, radius, "trust-krylov")


def TrustExact(
    subproblem: Subproblem = MoreSorensen(), radius: RadiusRule = RadiusRule()
) -> TrustRegion:
    """Trust region on the whole Hessian, nearly exact subproblems (Moré & Sorensen 1983).

    Parameters
    ----------
    subproblem : Subproblem
    radius : RadiusRule

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.TrustExact()).success
    True
    """
    return TrustRegion(ExactHessian(dense=True), subproblem, radius, "trust-exact")


def TrustDogleg(radius: RadiusRule = _EXACT_RADIUS) -> TrustRegion:
    """Trust region on the whole Hessian by Powell's dogleg; indefinite Hessians are shifted.

    Parameters
    ----------
    radius : RadiusRule

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.TrustDogleg()).success
    True
    """
    return TrustRegion(ExactHessian(dense=True), Dogleg(), radius, "dogleg")


def TrustBFGS(
    subproblem: Subproblem = Dogleg(),
    radius: RadiusRule = RadiusRule(),
    curvature_test: CurvatureTest = Damp(),
    scale: InitialScale = StepScale(),
) -> TrustRegion:
    """BFGS in a trust region, O(n^2) an iteration.

    Parameters
    ----------
    subproblem : Subproblem
    radius : RadiusRule
    curvature_test : Skip or Damp
    scale : StepScale, PairScale or UnitScale
        How large the identity is that the inverse Hessian starts as.

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.TrustBFGS()).success
    True
    """
    source = Learned(DirectBFGS(scale), curvature_test)
    return TrustRegion(source, subproblem, radius, "tr-bfgs")


def TrustSR1(
    subproblem: Subproblem = Steihaug(rtol=1e-5),
    radius: RadiusRule = RadiusRule(),
    test: Denominator = Denominator(),
    scale: InitialScale = StepScale(),
) -> TrustRegion:
    """Symmetric rank-one updates in a trust region (N&W Algorithm 6.2).

    Parameters
    ----------
    subproblem : Subproblem
    radius : RadiusRule
    test : Denominator
        Which pairs are used.
    scale : StepScale, PairScale or UnitScale
        How large the identity is that the inverse Hessian starts as.

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.TrustSR1()).success
    True
    """
    return TrustRegion(Learned(SymmetricRankOne(scale), test), subproblem, radius, "tr-sr1")


def TrustLBFGS(
    memory: int = 10,
    subproblem: Subproblem = Steihaug(rtol=1e-5),
    radius: RadiusRule = RadiusRule(),
    curvature_test: CurvatureTest = Damp(),
) -> TrustRegion:
    """L-BFGS in a trust region, compact products (Byrd, Nocedal & Schnabel 1994).

    Parameters
    ----------
    memory : int
        Pairs kept; 2 memory n numbers.
    subproblem : Subproblem
    radius : RadiusRule
    curvature_test : Skip or Damp

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.TrustLBFGS()).success
    True
    """
    source = Learned(DirectLimitedMemory(memory), curvature_test)
    return TrustRegion(source, subproblem, radius, "tr-lbfgs")


def RegularizedLBFGS(
    memory: int = 12,
    radius: RegularizationRule = RegularizationRule(),
    curvature_test: CurvatureTest = Skip(),
) -> TrustRegion:
    """Regularised L-BFGS, steps ``-(B + mu I)^-1 g`` without a line search (Kanzow & Steck 2023).

    Parameters
    ----------
    memory : int
        Pairs kept.
    radius : RegularizationRule
        How ``mu`` follows the success of the steps.
    curvature_test : Skip or Damp

    Examples
    --------
    >>> import secant
    >>> method = secant.RegularizedLBFGS(memory=5)
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=method).success
    True
    """
    source = Learned(DirectLimitedMemory(memory), curvature_test)
    return TrustRegion(source, Regularized(), radius, "reg-lbfgs")


def TrustLSR1(
    memory: int = 10,
    subproblem: Subproblem = Steihaug(rtol=1e-5),
    radius: RadiusRule = RadiusRule(),
    test: Denominator = Denominator(),
) -> TrustRegion:
    """Limited-memory SR1 in a trust region, compact products (Byrd, Nocedal & Schnabel 1994).

    Parameters
    ----------
    memory : int
        Pairs kept; 2 memory n numbers.
    subproblem : Subproblem
    radius : RadiusRule
    test : Denominator
        Which pairs are used.

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.TrustLSR1()).success
    True
    """
    return TrustRegion(Learned(LimitedSR1(memory), test), subproblem, radius, "tr-lsr1")


# ---------------------------------------------------------------------------------------- registry


@dataclass(frozen=True)
class Entry:
    """One method of the registry.

    Attributes
    ----------
    name : str
    build : callable
        Returns the method with its defaults.
    summary, source : str
        One line each.
    aliases : tuple of str
        Other names, SciPy's among them.
    needs_residuals : bool
        Whether it is a method of `secant.least_squares`, which knows the terms of the sum.
    """

    name: str
    build: Callable[[], Any]
    summary: str
    source: str
    aliases: tuple[str, ...] = ()
    needs_residuals: bool = False


_ENTRIES = (
    Entry(
        "l-bfgs",
        LBFGS,
        "limited-memory BFGS in compact form; the default, for any number of variables",
        "Byrd, Nocedal & Schnabel 1994; Nocedal & Wright, Alg. 7.5",
        ("lbfgs", "l-bfgs-b"),
    ),
    Entry("bfgs", BFGS, "BFGS with a dense inverse Hessian", "Nocedal & Wright, Alg. 6.1"),
    Entry("dfp", DFP, "Davidon-Fletcher-Powell, the dual of BFGS", "Nocedal & Wright, eq. 6.15"),
    Entry(
        "broyden",
        Broyden,
        "the convex Broyden class, half-way between DFP and BFGS",
        "Nocedal & Wright, eq. 6.32",
    ),
    Entry("ssbfgs", SSBFGS, "self-scaled BFGS", "Al-Baali 1998"),
    Entry(
        "ssbroyden",
        SSBroyden,
        "self-scaled Broyden, phi and tau chosen at every step",
        "Al-Baali 1998; Urban, Stefanou & Pons 2025",
    ),
    Entry(
        "memoryless-bfgs",
        MemorylessBFGS,
        "one BFGS update of the scaled identity, memory O(n)",
        "Shanno 1978; Nocedal & Wright, eq. 7.27",
    ),
    Entry(
        "owl-qn",
        OWLQN,
        "orthant-wise L-BFGS, for absolute values of the variables on top of a smooth function",
        "Andrew & Gao 2007",
        ("owlqn",),
    ),
    Entry(
        "cg",
        NonlinearCG,
        "nonlinear conjugate gradients, Hager-Zhang's beta",
        "Hager & Zhang 2005",
        ("nonlinear-cg",),
    ),
    Entry(
        "cg-fr",
        lambda: NonlinearCG("fletcher-reeves"),
        "nonlinear conjugate gradients, Fletcher-Reeves' beta",
        "Nocedal & Wright, eq. 5.41a",
    ),
    Entry(
        "cg-pr",
        lambda: NonlinearCG("polak-ribiere+"),
        "nonlinear conjugate gradients, Polak-Ribiere's beta, not below zero",
        "Nocedal & Wright, eq. 5.45",
    ),
    Entry(
        "cg-hs",
        lambda: NonlinearCG("hestenes-stiefel"),
        "nonlinear conjugate gradients, Hestenes-Stiefel's beta",
        "Nocedal & Wright, eq. 5.46",
    ),
    Entry(
        "cg-dy",
        lambda: NonlinearCG("dai-yuan"),
        "nonlinear conjugate gradients, Dai-Yuan's beta",
        "Nocedal & Wright, eq. 5.49",
    ),
    Entry(
        "scg",
        SCG,
        "scaled conjugate gradients: a damped model along d instead of a line search",
        "Moller 1993",
        ("trainscg", "scaled-conjugate-gradient"),
    ),
    Entry(
        "linear-cg",
        LinearCG,
        "linear conjugate gradients with exact steps, for quadratics",
        "Nocedal & Wright, Alg. 5.2",
    ),
    Entry(
        "gd",
        GradientDescent,
        "gradient descent with a backtracking search (or a fixed rate)",
        "Nocedal & Wright, section 3.1",
        ("gradient-descent", "steepest-descent"),
    ),
    Entry(
        "heavy-ball",
        HeavyBall,
        "gradient descent with Polyak's momentum",
        "Polyak 1964",
        ("momentum",),
    ),
    Entry("nesterov", Nesterov, "Nesterov's accelerated gradient", "Nesterov 1983"),
    Entry(
        "gdx",
        AdaptiveMomentum,
        "gradient descent with momentum and an adaptive rate",
        "Vogl et al. 1988",
        ("traingdx",),
    ),
    Entry(
        "rprop",
        Rprop,
        "resilient back-propagation: a step for each variable, led by signs of the gradient",
        "Riedmiller & Braun 1993; Igel & Husken 2003",
        ("trainrp",),
    ),
    Entry(
        "newton",
        Newton,
        "Newton with a line search; an indefinite Hessian is shifted by tau I",
        "Nocedal & Wright, Alg. 3.2 and 3.3",
        ("newton-shift",),
    ),
    Entry(
        "newton-gmw",
        lambda: Newton(GillMurrayWright()),
        "Newton with a line search and Gill, Murray & Wright's modified Cholesky factorisation",
        "Nocedal & Wright, section 3.4",
        ("newton-modified-cholesky",),
    ),
    Entry(
        "newton-cg",
        NewtonCG,
        "inexact Newton: conjugate gradients on Hessian products, a line search",
        "Nocedal & Wright, Alg. 7.1",
        ("truncated-newton",),
    ),
    Entry(
        "hessian-free",
        HessianFree,
        "damped, warm-started conjugate gradients on Gauss-Newton or Hessian products",
        "Martens 2010",
        ("hf",),
    ),
    Entry(
        "sr1",
        SR1,
        "symmetric rank-one updates with a line search",
        "Nocedal & Wright, eq. 6.25",
    ),
    Entry(
        "trust-ncg",
        TrustNCG,
        "trust region on Hessian products by truncated conjugate gradients",
        "Steihaug 1983; Nocedal & Wright, Alg. 7.2",
        ("steihaug",),
    ),
    Entry(
        "trust-krylov",
        TrustKrylov,
        "trust region on Hessian products by the generalised Lanczos method",
        "Gould, Lucidi, Roma & Toint 1999",
        ("gltr",),
    ),
    Entry(
        "trust-exact",
        TrustExact,
        "trust region on the whole Hessian, nearly exact steps, hard case included",
        "Moré & Sorensen 1983",
        ("more-sorensen",),
    ),
    Entry(
        "dogleg",
        TrustDogleg,
        "trust region on the whole Hessian by Powell's dogleg",
        "Powell 1970; Nocedal & Wright, section 4.1",
    ),
    Entry(
        "tr-bfgs",
        TrustBFGS,
        "BFGS in a trust region, dogleg steps",
        "Nocedal & Wright, section 4.1 and eq. 6.19",
    ),
    Entry(
        "tr-sr1",
        TrustSR1,
        "symmetric rank-one updates in a trust region",
        "Conn, Gould & Toint 1991; Nocedal & Wright, Alg. 6.2",
    ),
    Entry(
        "tr-lbfgs",
        TrustLBFGS,
        "limited-memory BFGS in a trust region",
        "Byrd, Nocedal & Schnabel 1994",
    ),
    Entry(
        "reg-lbfgs",
        RegularizedLBFGS,
        "regularised limited-memory BFGS, no line search",
        "Kanzow & Steck 2023",
    ),
    Entry(
        "tr-lsr1",
        TrustLSR1,
        "limited-memory SR1 in a trust region",
        "Byrd, Nocedal & Schnabel 1994",
    ),
    Entry(
        "lm",
        LevenbergMarquardt,
        "Levenberg-Marquardt for sums of squares: a method of `least_squares`, not of `minimize`",
        "Moré 1978; Nocedal & Wright, section 10.3",
        ("levenberg-marquardt",),
        needs_residuals=True,
    ),
)

REGISTRY: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}
"""Every method by its name."""


def get(name: str) -> Entry:
    """The entry of a name or alias, in any case.

    Raises
    ------
    ValueError
        If nothing is called so; the sentence lists what exists.
    """
    wanted = name.strip().lower().replace("_", "-")
    for entry in _ENTRIES:
        if wanted == entry.name or wanted in entry.aliases:
            return entry
    near = get_close_matches(wanted, [e.name for e in _ENTRIES], n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise ValueError(f"method must be one of {', '.join(REGISTRY)}, got {name!r}{hint}")


def resolve(method: Any) -> Any:
    """A configured method from a name, or from a method as it is."""
    if isinstance(method, str):
        return get(method).build()
    if hasattr(method, "step") and hasattr(method, "init"):
        return method
    raise ValueError(
        "method must be a name or a configured method such as secant.LBFGS(memory=20), "
        f"got {method!r}"
    )
