"""Test problems: functions with analytic gradients, standard starts and known minima.

A constructor returns an `Objective`, which is called with a 1-D array of any Array API library:

>>> from secant import problems
>>> f = problems.rosenbrock()
>>> x = f.start()
>>> f.value_and_gradient(x)
(np.float64(24.2), array([-215.6,  -88. ]))

`mgh` returns the 18 problems of Moré, Garbow and Hillstrom, `catalogue` every problem there is.
"""

from secant.problems.catalogue import catalogue as catalogue
from secant.problems.classics import beale as beale
from secant.problems.classics import booth as booth
from secant.problems.classics import himmelblau as himmelblau
from secant.problems.classics import rastrigin as rastrigin
from secant.problems.classics import rosenbrock as rosenbrock
from secant.problems.curve_fits import biggs_exp6 as biggs_exp6
from secant.problems.curve_fits import box as box
from secant.problems.curve_fits import brown_dennis as brown_dennis
from secant.problems.curve_fits import gaussian as gaussian
from secant.problems.curve_fits import gulf as gulf
from secant.problems.extended import extended_powell as extended_powell
from secant.problems.extended import extended_rosenbrock as extended_rosenbrock
from secant.problems.extended import trigonometric as trigonometric
from secant.problems.formula import Direct as Direct
from secant.problems.formula import SumOfSquares as SumOfSquares
from secant.problems.more_garbow_hillstrom import mgh as mgh
from secant.problems.objective import Objective as Objective
from secant.problems.penalties import penalty_1 as penalty_1
from secant.problems.penalties import penalty_2 as penalty_2
from secant.problems.penalties import variably_dimensioned as variably_dimensioned
from secant.problems.polynomial_fits import chebyquad as chebyquad
from secant.problems.polynomial_fits import watson as watson
from secant.problems.quadratics import diagonal as diagonal
from secant.problems.quadratics import quadratic as quadratic
from secant.problems.valleys import brown_badly_scaled as brown_badly_scaled
from secant.problems.valleys import helical_valley as helical_valley
from secant.problems.valleys import powell_badly_scaled as powell_badly_scaled
from secant.problems.valleys import wood as wood
