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
from secant.curvature.initial_scale import InitialScale, StepScale
from secant.curvature.limited_memory import LimitedMemory
from secant.curvature.memoryless import Memoryless
from secant.directions.conjugate import ConjugateGradient
from secant.directions.newton_like import NewtonLike
from secant.directions.steepest import Momentum, SteepestDescent
from secant.linesearch import (
    Backtracking,
    ExactQuadratic,
    FirstStep,
    FixedStep,
    FromPreviousSlope,
    HagerZhang,
    LineSearch,
    QuadraticFit,
    UnitStep,
)
from secant.linesearch.method import LineSearchMethod
from secant.pair import CurvatureTest, Skip

# ------------------------------------------------------------------------------------ quasi-Newton


def LBFGS(
    memory: int = 10,
    search: LineSearch = HagerZhang(),
    curvature_test: CurvatureTest = Skip(),
    first: FirstStep = UnitStep(),
    history_dtype: str | None = None,
) -> LineSearchMethod:
    """L-BFGS in compact form (Byrd, Nocedal & Schnabel 1994).

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
    """

    name: str
    build: Callable[[], Any]
    summary: str
    source: str
    aliases: tuple[str, ...] = ()


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
