"""Quasi-Newton methods with a line search, as the compositions they are."""

from __future__ import annotations

from secant.arrays import Array
from secant.curvature.broyden import BroydenClass, Fixed, SelfScaledBFGS, SelfScaledBroyden
from secant.curvature.initial_scale import InitialScale, StepScale
from secant.curvature.limited_memory import LimitedMemory
from secant.curvature.memoryless import Memoryless
from secant.curvature.sr1 import InverseSymmetricRankOne
from secant.directions.indefinite import Indefinite
from secant.directions.newton_like import NewtonLike
from secant.linesearch import FirstStep, HagerZhang, Length, LineSearch, QuadraticFit, UnitStep
from secant.linesearch.method import LineSearchMethod
from secant.linesearch.orthant_wise import OrthantWise
from secant.pair import CurvatureTest, Skip

__all__ = [
    "BFGS",
    "DFP",
    "LBFGS",
    "OWLQN",
    "SR1",
    "SSBFGS",
    "Broyden",
    "MemorylessBFGS",
    "SSBroyden",
]


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
