"""One x of a sum of squares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secant.arrays import Array, like
from secant.leastsquares.evaluation import Evaluation
from secant.leastsquares.model import Model
from secant.point import Point

if TYPE_CHECKING:
    from secant.leastsquares.problem import LeastSquares


class ResidualPoint(Point):
    """One x with its residuals; the model is made when first asked for.

    Attributes
    ----------
    evaluation : Evaluation
    residuals : array, shape (m,)
        Times the square roots of their weights.
    scaled : tuple of array, or None
        `LeastSquares.local_fit` of a robust loss, as soon as it is known.
    model : Model
        Gauss-Newton's model there.
    """

    __slots__ = ("evaluation", "model", "residuals", "scaled")

    evaluation: Evaluation
    model: Model
    residuals: Array
    scaled: tuple[Array, Array] | None
    _problem: LeastSquares

    def __init__(self, problem: LeastSquares, x: Array) -> None:
        self.x = x
        self._problem = problem
        self._pullback = None
        self._measured = True
        self.scaled = None

    def __getattr__(self, name: str) -> Any:
        if name == "model":
            self.model = self._problem.linearise(self)
            return self.model
        if name == "residuals":
            self.residuals = self._problem.weighted(self.evaluation.r)
            return self.residuals
        if name == "evaluation":  # a point that was read from a file
            self.evaluation = self._problem.evaluate(self.x)
            return self.evaluation
        if name == "g":
            self.g = like(self.model.g, self.x)
            return self.g
        if name == "optimality":
            self.optimality = self._problem.optimality(self)
            return self.optimality
        raise AttributeError(name)
