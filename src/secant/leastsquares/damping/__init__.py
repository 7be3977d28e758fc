"""How strongly a Gauss-Newton step is damped, and what is learned from its gain ratio.

    (J'J + lambda D^2) p = -J'r,      rho = (f(x) - f(x + p)) / (m(0) - m(p))

Three rules set ``lambda``: `Nielsen` and `Marquardt` change it by factors; `TrustRadius` keeps a radius
instead and takes the ``lambda`` at which ``|D p|`` has that length, which is 0 as soon as the whole step
fits. `Undamped` is Gauss-Newton, halving the step where it fails. `WithMomentum` adds a part of the last
step to those of another rule. ``D`` makes ``lambda`` a pure number: 1 is as much damping as there is curvature.
"""

from secant.leastsquares.damping.automatic import Automatic as Automatic
from secant.leastsquares.damping.marquardt import Marquardt as Marquardt
from secant.leastsquares.damping.nielsen import Nielsen as Nielsen
from secant.leastsquares.damping.rule import Damped as Damped
from secant.leastsquares.damping.rule import Damping as Damping
from secant.leastsquares.damping.rule import Outcome as Outcome
from secant.leastsquares.damping.rule import least_damped as least_damped
from secant.leastsquares.damping.trust_radius import TrustRadius as TrustRadius
from secant.leastsquares.damping.undamped import Undamped as Undamped
from secant.leastsquares.damping.with_momentum import WithMomentum as WithMomentum
