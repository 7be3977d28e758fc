"""What the step without damping says of a point: whether it can still be a solution.

    p = -(J'J)^-1 J'r,   decrement = -J'r p / 2 = |J p|^2 / 2,   offset = |J p| / |r|

in the variables that no bound holds. A damped step that is short says nothing, and neither does a right angle
between r and each *column* of J, for in a steep valley a combination of columns may reach all of r. A model
that cannot tell how long this step would be does not judge: normal equations which are singular in their
precision leave it to the rows of J, where these are at hand, and products to as many of them as it takes.

There are minima where J is singular and the offset 1, with nothing but the second derivatives of r to hold x:
they are told by the curvature along p of what is left of r by a step in the other directions.

References
----------
D. M. Bates, D. G. Watts, *Technometrics* 23 (1981), the relative offset.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from secant.arrays import Array, HostArray, eps_of, inner, to_numpy
from secant.leastsquares.damping import least_damped
from secant.leastsquares.guarded import is_clear
from secant.leastsquares.matrix_free import Products
from secant.leastsquares.model import Model, predicted_reduction
from secant.leastsquares.normal import Gram
from secant.leastsquares.problem import LeastSquares, ResidualPoint
from secant.leastsquares.state import on_host


class Judgement:
    """The step without damping from one point, and what it promises; each found when first asked for.

    Parameters
    ----------
    problem : LeastSquares
    point : ResidualPoint
    scale : array, shape (n,)
        ``D``, for the least damping that makes a singular ``J'J`` regular.
    """

    def __init__(self, problem: LeastSquares, point: ResidualPoint, scale: HostArray) -> None:
        self.problem = problem
        self.point = point
        self.scale = scale

    @cached_property
    def free(self) -> HostArray:
        """Which variables no bound holds."""
        box, g = self.problem.box, self.point.model.g
        if box is None:
            return np.ones(len(g), dtype=bool)
        return ~box.pushed_out(to_numpy(self.point.x), g)

    @cached_property
    def model(self) -> Model | None:
        """The model in these variables; None if there are none."""
        return self._restricted(self.point.model)

    @property
    def step(self) -> tuple[HostArray, float]:
        """All of ``p``, and the decrement; infinite where they cannot be told."""
        p = np.zeros(len(self.free))
        if self.model is None:
            return p, 0.0
        inside, gain = self._solution
        p[self.free] = math.inf if inside is None else inside
        return p, gain

    @property
    def decrement(self) -> float:
        """What the step should gain, ``g' (J'J)^-1 g / 2``."""
        return 0.0 if self.model is None else self._solution[1]

    def gains_more_than(self, noise: float) -> bool:
        """Whether the decrement is above ``noise``, by an inexact step where that will do."""
        return self._inexact[1] > noise or self.decrement > noise

    def is_beyond(self, length: float, gain: float) -> bool:
        """Whether an inexact step tells already that ``|D p|`` and the decrement are above these."""
        return self._inexact[0] > length and self._inexact[1] > gain

    @property
    def offset(self) -> float:
        """``|J p| / |r|``, the cosine of r with the nearest combination of columns."""
        f = self.point.f
        return math.sqrt(max(0.0, self.decrement) / f) if f > 0.0 else 0.0

    @property
    def cosine(self) -> float:
        """The largest ``|J_j'r| / |J_j| |r|``."""
        model = self.model
        if model is None or self.point.f == 0.0:
            return 0.0
        with np.errstate(invalid="ignore"):
            cosines = np.abs(model.g) / model.column_norms
        return float(np.fmax.reduce(cosines, initial=0.0)) / math.sqrt(2.0 * self.point.f)

    @property
    def is_fitted(self) -> bool:
        """Whether f should fall by next to nothing, in the precision of x."""
        little = math.sqrt(eps_of(self.point.x)) * self.point.f
        if self.decrement <= max(little, self.problem.noise(self.point)):
            return True
        return self._bent_decrement() <= little

    def _bent_decrement(self) -> float:
        """``(g'p)^2 / 2 (|J p|^2 + r'r_pp)``, r without what a damped step removes; infinite if not convex.

        In a bent valley that step removes what the bend makes of r on the way along p, at a minimum it
        removes nothing.
        """
        p, decrement = self.step
        bend = self._second_derivative(p)
        if bend is None:
            return math.inf
        r, rows = self.problem.local_fit(self.point)
        d = self._damped_step()
        left = r if d is None else r + _scaled(rows, self.point.evaluation.forward(d))
        curvature = 2.0 * decrement + inner(left, _scaled(rows, bend))
        return 2.0 * decrement**2 / curvature if curvature > 0.0 else math.inf

    def _second_derivative(self, p: HostArray) -> Array | None:
        """That of r along p, by differences with half of the digits; None where these cannot be had."""
        problem, x = self.problem, self.point.x
        norms, host, eps = self.point.model.column_norms, on_host(self.point), eps_of(x)
        length = float(np.linalg.norm(norms * p))
        if not 0.0 < length < math.inf:
            return None
        size = max(float(np.linalg.norm(norms * host)), math.sqrt(2.0 * self.point.f))
        h = eps**0.25 * size / length
        if problem.box is not None and not problem.box.has_both(host + h * p, host - h * p):
            return None
        ahead, behind = (problem.evaluate(problem.moved(x, k * p)).r for k in (h, -h))
        return (ahead - 2.0 * self.point.evaluation.r + behind) / h**2

    def _damped_step(self) -> HostArray | None:
        """A step in the directions in which J is not small."""
        if self.model is None:
            return None
        factor = self.model.factor(math.sqrt(eps_of(self.point.x)), self.scale[self.free])
        if factor is None:
            return None
        d = np.zeros(len(self.free))
        d[self.free] = factor.solve()
        return d

    @cached_property
    def _inexact(self) -> tuple[float, float]:
        """Lower bounds of ``|D p|`` and the decrement, where these take many products: both grow with each."""
        model, scale = self.model, self.scale[self.free]
        if not isinstance(model, Products):
            return 0.0, 0.0
        p = model.factor(0.0, scale).solve()
        return float(np.linalg.norm(scale * p)), predicted_reduction(model, p)

    @cached_property
    def _solution(self) -> tuple[HostArray | None, float]:
        """``p`` in the free variables, None if it cannot be had, and the decrement."""
        model, scale = self.model, self.scale[self.free]
        assert model is not None
        if isinstance(model, Products):
            p = model.judging_step(scale)
            return (None, math.inf) if p is None else (p, -0.5 * float(model.g @ p))
        if not is_exact(model, scale):
            by_rows = self.problem.by_rows(self.point)
            model = model if by_rows is None else self._restricted(by_rows)
            assert model is not None
        _, factor = least_damped(model, scale)
        if factor is None:
            return None, math.inf
        return factor.solve(), 0.5 * factor.inverse_norm2(model.g)

    def _restricted(self, model: Model) -> Model | None:
        if self.problem.box is None or self.free.all():
            return model
        return model.restrict(self.free, np.zeros(len(self.free))) if self.free.any() else None


def is_exact(model: Model, scale: HostArray) -> bool:
    """Whether the model's own steps are as accurate as rounding lets them be."""
    if type(model) is Gram:
        factor = model.factor(0.0, scale)
        return factor is not None and is_clear(np.tril(factor.L), model.A.diagonal())
    return not isinstance(model, Products)


def _scaled(rows: Array | None, v: Array) -> Array:
    return v if rows is None else rows * v
