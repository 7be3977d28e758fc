"""When a trial is good enough: decrease, curvature, and both of them at round-off.

The only place that decides it, for line searches and trust regions alike. Decrease is measured
from ``ray.reference``, which is phi(0), or more for a non-monotone search.

Close to a minimum, values differ by less than the error they are computed with: an Armijo test
then compares noise with noise, and a search that insists on it backtracks for ever. Two remedies:

- slopes keep about twice as many digits there, so where they are known a trial whose value is not
  visibly higher is judged by its slope: the *approximate Wolfe* conditions of Hager and Zhang;
- where only values are known, a step too short for its predicted decrease to be seen passes if its
  value has not visibly risen. Trust regions, whose models predict the whole decrease, add the noise
  to both reductions, so that their ratio tends to one when neither can be seen.

References
----------
.. [1] W. W. Hager, H. Zhang, "A new conjugate gradient method with guaranteed descent and an
   efficient line search", SIAM J. Optim. 16 (2005), equations (22), (23) and (27).
.. [2] A. R. Conn, N. I. M. Gould, P. L. Toint, *Trust-Region Methods*, SIAM (2000), section
   17.4.2.
.. [3] J. Nocedal, S. J. Wright, *Numerical Optimization*, 2nd ed., equations (3.4), (3.6), (3.7).
"""

from __future__ import annotations

import math
from typing import Protocol

from secant.linesearch.ray import Ray, Trial

ROUND_OFF = 10.0
"""Two equal values may be so many ``eps |f|`` apart: the error of a sum of some hundred terms."""


class DecreaseTest(Protocol):
    """Whatever has the constant ``c1`` of the decrease test: the configuration of a search."""

    @property
    def c1(self) -> float: ...


class WolfeTest(DecreaseTest, Protocol):
    """Whatever has both constants of the Wolfe conditions."""

    @property
    def c2(self) -> float: ...


def ceiling(ray: Ray) -> float:
    """The highest value that cannot be told from ``ray.reference``."""
    return ray.reference + ROUND_OFF * ray.noise


def distinguishable(ray: Ray, a: Trial, b: Trial) -> bool:
    """Whether two values differ by more than round-off, so that interpolating them means something."""
    return abs(a.f - b.f) > ROUND_OFF * ray.noise


def rises(ray: Ray, a: Trial, b: Trial) -> bool:
    """Whether phi is visibly higher at ``b`` than at ``a``."""
    return b.f - a.f > ROUND_OFF * ray.noise


def armijo(test: DecreaseTest, ray: Ray, trial: Trial) -> bool:
    """``phi(alpha) <= reference + c1 alpha phi'(0)`` [3]_ (3.4), as printed."""
    return trial.f <= ray.reference + test.c1 * trial.alpha * ray.start.slope


def decreases(test: DecreaseTest, ray: Ray, trial: Trial) -> bool:
    """Armijo's test, or its equivalent in slopes where the decrease cannot be seen.

    ``phi'(alpha) <= (2 c1 - 1) phi'(0)`` [1]_ (23) is what Armijo's test becomes when phi is replaced
    by the parabola through phi(0), phi'(0) and phi'(alpha). It takes over for values that cannot be
    told from the reference, where Armijo's test says yes or no by chance, and only there: of a
    decrease that can be seen Armijo's test itself says whether it is enough. Evaluates the slope of
    a trial that has none only if its value is in doubt.
    """
    if abs(trial.f - ray.reference) <= ROUND_OFF * ray.noise:
        return trial.slope <= (2.0 * test.c1 - 1.0) * ray.start.slope
    return armijo(test, ray, trial)


def decreases_by_value(test: DecreaseTest, ray: Ray, trial: Trial) -> bool:
    """Armijo's test, or no visible rise where not even the full predicted decrease could be seen."""
    if armijo(test, ray, trial):
        return True
    predicted = -trial.alpha * ray.start.slope
    return predicted <= ROUND_OFF * ray.noise and trial.f <= ceiling(ray)


def reduction_ratio(actual: float, predicted: float, noise: float) -> float:
    """Actual over predicted reduction, which tends to 1 as both vanish in the noise [2]_.

    ``noise`` is ``eps |f|``. The ratio is ``-inf`` if the actual reduction is not finite, or if no
    reduction was predicted.
    """
    allowance = ROUND_OFF * noise
    if not (math.isfinite(actual) and predicted + allowance > 0.0):
        return -math.inf
    return (actual + allowance) / (predicted + allowance)


def weak_curvature(test: WolfeTest, ray: Ray, trial: Trial) -> bool:
    """``phi'(alpha) >= c2 phi'(0)`` [3]_ (3.6)."""
    return trial.slope >= test.c2 * ray.start.slope


def strong_curvature(test: WolfeTest, ray: Ray, trial: Trial) -> bool:
    """``|phi'(alpha)| <= c2 |phi'(0)|`` [3]_ (3.7)."""
    return abs(trial.slope) <= test.c2 * abs(ray.start.slope)


def wolfe(test: WolfeTest, ray: Ray, trial: Trial) -> bool:
    """The Wolfe conditions, or the approximate ones [1]_ where decrease cannot be seen."""
    return weak_curvature(test, ray, trial) and decreases(test, ray, trial)


def strong_wolfe(test: WolfeTest, ray: Ray, trial: Trial) -> bool:
    """The strong Wolfe conditions, with the same allowance for round-off."""
    return strong_curvature(test, ray, trial) and decreases(test, ray, trial)
