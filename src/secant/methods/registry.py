"""The registry: every method by its name, for the command line, the contracts and the benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from secant.curvature.modified_cholesky import GillMurrayWright
from secant.leastsquares.levenberg_marquardt import LevenbergMarquardt
from secant.methods.first_order import (
    SCG,
    AdaptiveMomentum,
    GradientDescent,
    HeavyBall,
    LinearCG,
    Nesterov,
    NonlinearCG,
    Rprop,
)
from secant.methods.quasi_newton import (
    BFGS,
    DFP,
    LBFGS,
    OWLQN,
    SR1,
    SSBFGS,
    Broyden,
    MemorylessBFGS,
    SSBroyden,
)
from secant.methods.second_order import HessianFree, Newton, NewtonCG
from secant.methods.trust_regions import (
    RegularizedLBFGS,
    TrustBFGS,
    TrustDogleg,
    TrustExact,
    TrustKrylov,
    TrustLBFGS,
    TrustLSR1,
    TrustNCG,
    TrustSR1,
)

__all__ = ["REGISTRY", "Entry", "get", "resolve"]


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
    Entry(
        "bfgs",
        BFGS,
        "BFGS with a dense inverse Hessian",
        "Nocedal & Wright, Alg. 6.1",
        ("trainbfg",),
    ),
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
        ("traincgf",),
    ),
    Entry(
        "cg-pr",
        lambda: NonlinearCG("polak-ribiere+"),
        "nonlinear conjugate gradients, Polak-Ribiere's beta, not below zero",
        "Nocedal & Wright, eq. 5.45",
        ("traincgp",),
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
        ("levenberg-marquardt", "trainlm"),
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
