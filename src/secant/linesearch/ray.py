"""A line through the objective: searches see scalars along it, never arrays."""

from __future__ import annotations

import math

from secant.arrays import Array, eps_of, namespace, read, step_along
from secant.point import Point
from secant.problem import Problem


class Trial:
    """What is known at the step length ``alpha``: ``phi(alpha)`` and, when asked for, ``phi'(alpha)``.

    Attributes
    ----------
    alpha : float
        Step length.
    f : float
        ``phi(alpha) = f(x + alpha d)``; ``inf`` where the value, or the gradient if it was evaluated,
        is not finite, so that every comparison rejects such a trial.
    slope : float
        ``phi'(alpha) = g(x + alpha d)'d``; NaN where ``f`` is not finite. Evaluates the gradient if
        that has not been done.
    point : Point
    """

    __slots__ = ("_d", "alpha", "f", "point", "slope")

    f: float
    slope: float

    def __init__(self, alpha: float, point: Point, d: Array) -> None:
        self.alpha = alpha
        self.point = point
        self._d = d

    def __getattr__(self, name: str) -> float:
        # Called for a slot that is still empty; a filled one is found without a call.
        if name == "slope":
            return self.with_slope().slope
        raise AttributeError(name)

    @property
    def is_finite(self) -> bool:
        """Whether everything evaluated at the trial is finite."""
        return self.f < math.inf

    def with_slope(self) -> Trial:
        """Evaluate value and slope together (one host read)."""
        point = self.point
        slope = point.slope(self._d)
        if math.isfinite(slope + point.f + point.optimality):  # no sum heals a NaN or an inf
            self.f, self.slope = point.f, slope
        else:
            self.f, self.slope = math.inf, math.nan
        return self

    def release(self) -> None:
        """Let go of the arrays; value and slope stay."""
        del self.point

    def with_value(self) -> Trial:
        """Evaluate the value alone."""
        f = self.point.f
        self.f = f if math.isfinite(f) else math.inf
        return self


class Ray:
    """``phi(alpha) = f(x + alpha d)`` for ``alpha >= 0``.

    Attributes
    ----------
    start : Trial
        The trial at ``alpha = 0``: ``start.f`` is phi(0), ``start.slope`` is phi'(0).
    reference : float
        The value that decrease is measured from: phi(0), or more for a non-monotone search.
    noise : float
        How much ``f`` may differ from its neighbours by round-off alone: see `acceptance`.
    lowest : Trial
        The lowest trial with a slope so far: what is left of a search that the budget cuts short.
    """

    __slots__ = ("_curvature", "_problem", "d", "lowest", "noise", "point", "reference", "start")

    def __init__(self, problem: Problem, point: Point, d: Array, slope: float, eps: float) -> None:
        self._problem = problem
        self.point = point
        self.d = d
        self.start = self.lowest = Trial(0.0, point, d)
        self.start.f = self.reference = point.f
        self.start.slope = slope
        self.noise = eps * abs(point.f)
        self._curvature: float | None = None

    def __call__(self, alpha: float) -> Trial:
        """Value and slope at ``alpha``."""
        trial = self._trial(alpha).with_slope()
        if trial.f < self.lowest.f:
            self.lowest = trial
        return trial

    def value(self, alpha: float) -> Trial:
        """Value at ``alpha``; its slope is evaluated if somebody reads it."""
        return self._trial(alpha).with_value()

    def _trial(self, alpha: float) -> Trial:
        x = step_along(self.point.x, alpha, self.d)
        return Trial(alpha, self._problem.at(x), self.d)

    def curvature(self) -> float:
        """``phi''(0) = d'Bd``, by one Hessian-vector product."""
        if self._curvature is None:
            (self._curvature,) = read(self.d @ self._problem.hvp(self.point, self.d))
        return self._curvature

    def moves(self, alpha: float) -> bool:
        """Whether any element of ``x + alpha d`` differs from ``x``."""
        x = self.point.x
        changed = namespace(x).any(step_along(x, alpha, self.d) != x)
        return bool(changed)


def ray(problem: Problem, point: Point, d: Array) -> Ray:
    """The ray from ``point`` along ``d``."""
    return Ray(problem, point, d, point.slope(d), eps_of(point.x))
