"""Nonlinear least squares: residuals, damping, solvers, losses, bounds."""

from secant.leastsquares.damping import Automatic as Automatic
from secant.leastsquares.damping import Marquardt as Marquardt
from secant.leastsquares.damping import Nielsen as Nielsen
from secant.leastsquares.damping import TrustRadius as TrustRadius
from secant.leastsquares.damping import Undamped as Undamped
from secant.leastsquares.damping import WithMomentum as WithMomentum
from secant.leastsquares.levenberg_marquardt import Geodesic as Geodesic
from secant.leastsquares.levenberg_marquardt import LevenbergMarquardt as LevenbergMarquardt
from secant.leastsquares.levenberg_marquardt import Tolerances as Tolerances
from secant.leastsquares.matrix_free import InnerStops as InnerStops
