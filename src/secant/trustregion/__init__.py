"""Steps inside a ball in which a quadratic model is trusted."""

from secant.trustregion.cauchy import Cauchy as Cauchy
from secant.trustregion.dogleg import Dogleg as Dogleg
from secant.trustregion.krylov import Krylov as Krylov
from secant.trustregion.learned import Learned as Learned
from secant.trustregion.method import TrustRegion as TrustRegion
from secant.trustregion.more_sorensen import MoreSorensen as MoreSorensen
from secant.trustregion.radius import RadiusRule as RadiusRule
from secant.trustregion.steihaug import Steihaug as Steihaug
from secant.trustregion.step import Step as Step
