"""Step length along a direction."""

from secant.linesearch.backtracking import Backtracking as Backtracking
from secant.linesearch.brent import Brent as Brent
from secant.linesearch.exact import ExactQuadratic as ExactQuadratic
from secant.linesearch.fixed import FixedStep as FixedStep
from secant.linesearch.fixed import Inverse as Inverse
from secant.linesearch.fixed import InverseSqrt as InverseSqrt
from secant.linesearch.golden import GoldenSection as GoldenSection
from secant.linesearch.hager_zhang import HagerZhang as HagerZhang
from secant.linesearch.initial import FirstStep as FirstStep
from secant.linesearch.initial import FromPreviousSlope as FromPreviousSlope
from secant.linesearch.initial import HagerZhangStep as HagerZhangStep
from secant.linesearch.initial import Length as Length
from secant.linesearch.initial import Previous as Previous
from secant.linesearch.initial import QuadraticFit as QuadraticFit
from secant.linesearch.initial import Relative as Relative
from secant.linesearch.initial import UnitStep as UnitStep
from secant.linesearch.more_thuente import MoreThuente as MoreThuente
from secant.linesearch.nash import Nash as Nash
from secant.linesearch.nonmonotone import NonMonotone as NonMonotone
from secant.linesearch.nonmonotone import NonMonotoneAverage as NonMonotoneAverage
from secant.linesearch.ray import Ray as Ray
from secant.linesearch.ray import Trial as Trial
from secant.linesearch.ray import ray as ray
from secant.linesearch.search import LineSearch as LineSearch
from secant.linesearch.strong_wolfe import StrongWolfe as StrongWolfe
