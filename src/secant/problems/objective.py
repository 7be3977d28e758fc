"""A test problem: the function, where to start, and where it is known to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from secant.arrays import Array
from secant.arrays import like as converted
from secant.problems.formula import Formula, SumOfSquares

__all__ = ["Objective"]

Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """A smooth function f of n variables with its starting point and its known minima.

    It is called with a 1-D array of any Array API library and answers in that library, dtype and
    device. Overflow is not an error: infinity or NaN comes out.

    Parameters
    ----------
    name : str
        The name of its constructor in `secant.problems`.
    x0 : tuple of float
        The standard starting point, of length n.
    formula : Formula
        The function itself, `SumOfSquares` or `Direct`.
    source : str
        Where the problem comes from.
    f_star : float or None
        The least value of f; None where it is not known.
    minimizers : tuple of tuple of float
        Points with f = f_star. Empty where none is known; not always all of them.
    local_minima : tuple of float
        Values of f at known minima that are not global: legitimate ends of a local method.
    hessian_formula : callable, optional
        x to the (n, n) Hessian, where it is simple enough to be written down.

    Examples
    --------
    >>> from secant import problems
    >>> f = problems.beale()
    >>> f.x0, float(f(f.start()))
    ((1.0, 1.0), 14.203125)
    >>> f.gradient(f.start())
    array([ 0.  , 27.75])
    >>> f.x_star, f.f_star
    ((3.0, 0.5), 0.0)
    """

    name: str
    x0: Vector = field(repr=False)
    formula: Formula = field(repr=False)
    source: str
    f_star: float | None = None
    minimizers: tuple[Vector, ...] = field(default=(), repr=False)
    local_minima: Vector = field(default=(), repr=False)
    hessian_formula: Callable[[Array], Array] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for x in self.minimizers:
            if len(x) != self.n:
                raise ValueError(
                    f"minimizers of {self.name} must have the length of x0, {self.n}, got {len(x)}"
                )

    @property
    def n(self) -> int:
        """The number of variables."""
        return len(self.x0)

    @property
    def x_star(self) -> Vector | None:
        """The first of `minimizers`, or None."""
        return self.minimizers[0] if self.minimizers else None

    @property
    def is_sum_of_squares(self) -> bool:
        """Whether `residuals` and `jacobian` are available."""
        return isinstance(self.formula, SumOfSquares)

    @property
    def has_hessian(self) -> bool:
        """Whether `hessian` is available."""
        return self.hessian_formula is not None

    def __str__(self) -> str:
        """Return the name and the size, as in ``watson(n=12)``."""
        return f"{self.name}(n={self.n})"

    def start(self, like: Array | None = None) -> Array:
        """Return x0 as a fresh array: float64 NumPy, or `like`'s library, dtype and device."""
        return converted(self.x0, np.empty(0) if like is None else like)

    def __call__(self, x: Array) -> Array:
        """Return f(x), a scalar of `x`'s library and dtype."""
        self._check(x)
        return self.formula.value(x)

    def gradient(self, x: Array) -> Array:
        """Return the gradient of f at x, shape (n,)."""
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return f(x) and its gradient, sharing the residuals where f is a sum of squares."""
        self._check(x)
        return self.formula.value_and_gradient(x)

    def residuals(self, x: Array) -> Array:
        """Return r(x), shape (m,), with f = Σ r_i².

        Raises
        ------
        TypeError
            If f is not a sum of squares (see `is_sum_of_squares`).
        """
        self._check(x)
        return self._squares().residuals(x)

    def jacobian(self, x: Array) -> Array:
        """Return the Jacobian of the residuals, shape (m, n).

        Raises
        ------
        TypeError
            If f is not a sum of squares (see `is_sum_of_squares`).
        """
        self._check(x)
        return self._squares().jacobian(x)

    def hessian(self, x: Array) -> Array:
        """Return the Hessian of f, shape (n, n).

        Raises
        ------
        TypeError
            If no formula for it is written down (see `has_hessian`).
        """
        self._check(x)
        if self.hessian_formula is None:
            raise TypeError(f"{self} has no analytic Hessian")
        return self.hessian_formula(x)

    def _check(self, x: Array) -> None:
        if x.shape != (len(self.x0),):
            raise ValueError(f"x of {self} must have shape ({self.n},), got {tuple(x.shape)}")

    def _squares(self) -> SumOfSquares:
        if not isinstance(self.formula, SumOfSquares):
            raise TypeError(f"{self} is not a sum of squares, so it has no residuals")
        return self.formula
