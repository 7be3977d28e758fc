"""Rays along functions of one variable, with a record of every evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from secant.linesearch import Ray, Trial, ray
from secant.problem import Problem

Scalar = Callable[[float], float]


class Recorded:
    """phi as an objective of one variable; ``alphas`` and ``slopes_at`` list what was evaluated."""

    def __init__(self, phi: Scalar, slope: Scalar, asarray: Any = None) -> None:
        self.phi, self.slope = phi, slope
        self.alphas: list[float] = []
        self.slopes_at: list[float] = []
        self._asarray = asarray or (lambda values: np.asarray(values, dtype=float))

    def ray(self) -> Ray:
        """The ray from 0 along the unit vector; the start is not recorded."""
        problem = Problem(self._evaluate, self._hvp)
        x0 = self._asarray([0.0])
        result = ray(problem, problem.at(x0), self._asarray([1.0]))
        self.alphas.clear()
        self.slopes_at.clear()
        return result

    def _evaluate(self, x: Any) -> tuple[Any, Callable[[], Any]]:
        alpha = float(x[0])
        self.alphas.append(alpha)

        def pullback() -> Any:
            self.slopes_at.append(alpha)
            return self._asarray([_quietly(self.slope, alpha)])

        return self._asarray([_quietly(self.phi, alpha)])[0], pullback

    def _hvp(self, x: Any, v: Any) -> Any:
        h = 1e-5
        at = float(x[0])
        return v * ((self.slope(at + h) - self.slope(at - h)) / (2.0 * h))


def _quietly(function: Scalar, alpha: float) -> float:
    try:
        return function(alpha)
    except (ValueError, ZeroDivisionError, OverflowError):
        return math.nan


def assert_honest(recorded: Recorded, trial: Trial, budget: int) -> None:
    """Nothing evaluated twice nor at the start, within budget, and the trial is what it says."""
    alphas = recorded.alphas
    assert len(alphas) <= budget
    assert len(set(alphas)) == len(alphas)
    assert 0.0 not in alphas
    assert len(set(recorded.slopes_at)) == len(recorded.slopes_at)
    if trial.alpha > 0.0:
        assert trial.alpha in alphas or np.float32(trial.alpha) in alphas
        assert trial.f == trial.point.f


def satisfies_wolfe(recorded: Recorded, alpha: float, c1: float, c2: float, strong: bool) -> bool:
    """The Wolfe conditions, from scratch."""
    f0, g0 = recorded.phi(0.0), recorded.slope(0.0)
    f, g = recorded.phi(alpha), recorded.slope(alpha)
    curvature = abs(g) <= c2 * abs(g0) if strong else g >= c2 * g0
    return f <= f0 + c1 * alpha * g0 and curvature


# ----------------------------------------------------- the six functions of Moré and Thuente (1994)


def more_thuente_1(beta: float = 2.0) -> tuple[Scalar, Scalar]:
    return (
        lambda a: -a / (a * a + beta),
        lambda a: (a * a - beta) / (a * a + beta) ** 2,
    )


def more_thuente_2(beta: float = 0.004) -> tuple[Scalar, Scalar]:
    return (
        lambda a: (a + beta) ** 5 - 2.0 * (a + beta) ** 4,
        lambda a: 5.0 * (a + beta) ** 4 - 8.0 * (a + beta) ** 3,
    )


def more_thuente_3(beta: float = 0.01, waves: float = 39.0) -> tuple[Scalar, Scalar]:
    half = 0.5 * waves * math.pi

    def phi(a: float) -> float:
        if a <= 1.0 - beta:
            value = 1.0 - a
        elif a >= 1.0 + beta:
            value = a - 1.0
        else:
            value = (a - 1.0) ** 2 / (2.0 * beta) + 0.5 * beta
        return value + (1.0 - beta) * math.sin(half * a) / half

    def slope(a: float) -> float:
        if a <= 1.0 - beta:
            value = -1.0
        elif a >= 1.0 + beta:
            value = 1.0
        else:
            value = (a - 1.0) / beta
        return value + (1.0 - beta) * math.cos(half * a)

    return phi, slope


def yanai(beta1: float, beta2: float) -> tuple[Scalar, Scalar]:
    def gamma(beta: float) -> float:
        return math.sqrt(1.0 + beta * beta) - beta

    g1, g2 = gamma(beta1), gamma(beta2)
    return (
        lambda a: g1 * math.hypot(1.0 - a, beta2) + g2 * math.hypot(a, beta1),
        lambda a: g1 * (a - 1.0) / math.hypot(1.0 - a, beta2) + g2 * a / math.hypot(a, beta1),
    )


MORE_THUENTE = {
    # name: (phi, slope), mu, eta
    "1": (more_thuente_1(), 1e-3, 0.1),
    "2": (more_thuente_2(), 0.1, 0.1),
    "3": (more_thuente_3(), 0.1, 0.1),
    "4": (yanai(1e-3, 1e-3), 1e-3, 1e-3),
    "5": (yanai(1e-2, 1e-3), 1e-3, 1e-3),
    "6": (yanai(1e-3, 1e-2), 1e-3, 1e-3),
}
STARTS = (1e-3, 1e-1, 1e1, 1e3)


def quadratic(at: float, curvature: float = 1.0, constant: float = 0.0) -> tuple[Scalar, Scalar]:
    """A parabola with its minimum at ``at``."""
    return (
        lambda a: 0.5 * curvature * (a - at) ** 2 + constant,
        lambda a: curvature * (a - at),
    )
