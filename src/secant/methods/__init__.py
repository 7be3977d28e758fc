"""The table of contents: every method as the composition it is, and the registry of their names.

To add an algorithm write its ingredient (a direction, a curvature, a search) in a file of its own, its
composition here, and one entry in the registry: the command line, the documentation, the contract tests
and the benchmarks read it.
"""

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
from secant.methods.registry import REGISTRY, Entry, get, resolve
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

__all__ = [
    "BFGS",
    "DFP",
    "LBFGS",
    "OWLQN",
    "REGISTRY",
    "SCG",
    "SR1",
    "SSBFGS",
    "AdaptiveMomentum",
    "Broyden",
    "Entry",
    "GradientDescent",
    "HeavyBall",
    "HessianFree",
    "LinearCG",
    "MemorylessBFGS",
    "Nesterov",
    "Newton",
    "NewtonCG",
    "NonlinearCG",
    "RegularizedLBFGS",
    "Rprop",
    "SSBroyden",
    "TrustBFGS",
    "TrustDogleg",
    "TrustExact",
    "TrustKrylov",
    "TrustLBFGS",
    "TrustLSR1",
    "TrustNCG",
    "TrustSR1",
    "get",
    "resolve",
]
