"""Quasi-Newton and second-order methods on NumPy arrays and PyTorch tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secant import starting as starting  # first: it looks after Ctrl-C in the imports below
from secant.batched_curve_fit import BatchedCurveFit as BatchedCurveFit
from secant.batched_curve_fit import batched_curve_fit as batched_curve_fit
from secant.curvature.initial_scale import PairScale as PairScale
from secant.curvature.initial_scale import StepScale as StepScale
from secant.curvature.initial_scale import UnitScale as UnitScale
from secant.curvature.modified_cholesky import GillMurrayWright as GillMurrayWright
from secant.curvature.modified_cholesky import Shift as Shift
from secant.curvature.sr1 import Denominator as Denominator
from secant.curve_fit import CurveFit as CurveFit
from secant.curve_fit import curve_fit as curve_fit
from secant.derivatives.check import Check as Check
from secant.derivatives.check import Verdict as Verdict
from secant.derivatives.check import check_gradient as check_gradient
from secant.derivatives.check import check_hessian as check_hessian
from secant.derivatives.check import check_jacobian as check_jacobian
from secant.derivatives.numerical import derivative as derivative
from secant.derivatives.numerical import gradient as gradient
from secant.derivatives.numerical import jacobian as jacobian
from secant.derivatives.products import hvp as hvp
from secant.diagnosis import Cause as Cause
from secant.diagnosis import Diagnosis as Diagnosis
from secant.directions.preconditioner import Jacobi as Jacobi
from secant.directions.preconditioner import Martens as Martens
from secant.directions.steepest import optimal_momentum as optimal_momentum
from secant.least_squares import least_squares as least_squares
from secant.least_squares import start_least_squares as start_least_squares
from secant.linear_cg import CGResult as CGResult
from secant.linear_cg import CGStatus as CGStatus
from secant.linear_cg import solve_cg as solve_cg
from secant.linesearch import Backtracking as Backtracking
from secant.linesearch import Brent as Brent
from secant.linesearch import ExactQuadratic as ExactQuadratic
from secant.linesearch import FixedStep as FixedStep
from secant.linesearch import FromPreviousSlope as FromPreviousSlope
from secant.linesearch import GoldenSection as GoldenSection
from secant.linesearch import HagerZhang as HagerZhang
from secant.linesearch import HagerZhangStep as HagerZhangStep
from secant.linesearch import Inverse as Inverse
from secant.linesearch import InverseSqrt as InverseSqrt
from secant.linesearch import Length as Length
from secant.linesearch import MoreThuente as MoreThuente
from secant.linesearch import Nash as Nash
from secant.linesearch import NonMonotone as NonMonotone
from secant.linesearch import NonMonotoneAverage as NonMonotoneAverage
from secant.linesearch import QuadraticFit as QuadraticFit
from secant.linesearch import Relative as Relative
from secant.linesearch import StrongWolfe as StrongWolfe
from secant.linesearch import UnitStep as UnitStep
from secant.methods import BFGS as BFGS
from secant.methods import DFP as DFP
from secant.methods import LBFGS as LBFGS
from secant.methods import OWLQN as OWLQN
from secant.methods import SCG as SCG
from secant.methods import SR1 as SR1
from secant.methods import SSBFGS as SSBFGS
from secant.methods import AdaptiveMomentum as AdaptiveMomentum
from secant.methods import Broyden as Broyden
from secant.methods import GradientDescent as GradientDescent
from secant.methods import HeavyBall as HeavyBall
from secant.methods import HessianFree as HessianFree
from secant.methods import LinearCG as LinearCG
from secant.methods import MemorylessBFGS as MemorylessBFGS
from secant.methods import Nesterov as Nesterov
from secant.methods import Newton as Newton
from secant.methods import NewtonCG as NewtonCG
from secant.methods import NonlinearCG as NonlinearCG
from secant.methods import RegularizedLBFGS as RegularizedLBFGS
from secant.methods import Rprop as Rprop
from secant.methods import SSBroyden as SSBroyden
from secant.methods import TrustBFGS as TrustBFGS
from secant.methods import TrustDogleg as TrustDogleg
from secant.methods import TrustExact as TrustExact
from secant.methods import TrustKrylov as TrustKrylov
from secant.methods import TrustLBFGS as TrustLBFGS
from secant.methods import TrustLSR1 as TrustLSR1
from secant.methods import TrustNCG as TrustNCG
from secant.methods import TrustSR1 as TrustSR1
from secant.minimize import minimize as minimize
from secant.minimize import start as start
from secant.pair import Damp as Damp
from secant.pair import Skip as Skip
from secant.persistence import resume as resume
from secant.run import Run as Run
from secant.scipy_interface import scipy_method as scipy_method
from secant.snapshot import Snapshot as Snapshot
from secant.spectrum.edge_of_stability import EdgeOfStability as EdgeOfStability
from secant.spectrum.front import Spectrum as Spectrum
from secant.spectrum.front import spectrum as spectrum
from secant.status import Status as Status
from secant.stopping import NoProgress as NoProgress
from secant.trace import Trace as Trace
from secant.trustregion import Cauchy as Cauchy
from secant.trustregion import Dogleg as Dogleg
from secant.trustregion import Krylov as Krylov
from secant.trustregion import MoreSorensen as MoreSorensen
from secant.trustregion import RadiusRule as RadiusRule
from secant.trustregion import Steihaug as Steihaug
from secant.trustregion.regularized import RegularizationRule as RegularizationRule

if TYPE_CHECKING:
    from secant.result import Result as Result

__version__ = "0.1.0"

starting.raise_if_interrupted()


def __getattr__(name: str) -> Any:
    if name == "Result":  # a subclass of SciPy's, whose import takes half a second
        from secant.result import Result

        return Result
    raise AttributeError(f"module 'secant' has no attribute {name!r}")
