"""Trust regions over exact and learned Hessians, as the compositions they are."""

from __future__ import annotations

from secant.curvature.compact import DirectLimitedMemory, LimitedSR1
from secant.curvature.direct_bfgs import DirectBFGS
from secant.curvature.exact import ExactHessian
from secant.curvature.initial_scale import InitialScale, StepScale
from secant.curvature.sr1 import Denominator, SymmetricRankOne
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
from secant.trustregion.within_span import WithinSpan

__all__ = [
    "RegularizedLBFGS",
    "TrustBFGS",
    "TrustDogleg",
    "TrustExact",
    "TrustKrylov",
    "TrustLBFGS",
    "TrustLSR1",
    "TrustNCG",
    "TrustSR1",
]


_EXACT_RADIUS = RadiusRule(shrink=0.3, grow=2.5)
"""Where the model is exact, smaller changes of the radius waste fewer trials."""

_NEAR_START = RadiusRule(reach=100.0)
"""Nearly exact steps go wherever the model is flat; the other subproblems begin along ``-g``."""


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
    subproblem: Subproblem = MoreSorensen(), radius: RadiusRule = _NEAR_START
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
    return TrustRegion(source, WithinSpan(subproblem), radius, "tr-lbfgs")


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
    source = Learned(LimitedSR1(memory), test)
    return TrustRegion(source, WithinSpan(subproblem), radius, "tr-lsr1")


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
