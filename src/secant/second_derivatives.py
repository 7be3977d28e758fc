"""What is given of second derivatives: products, matrices, diagonals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from secant.arrays import Array

Product = Callable[[Array, Array], Array]
Matrix = Callable[[Array], Array]
Diagonal = Callable[[Array], Array]


@dataclass(frozen=True)
class SecondOrder:
    """Second derivatives as far as somebody gives them; the rest are differences of gradients.

    Attributes
    ----------
    hvp : callable, optional
        ``hvp(x, v) -> B v``, the Hessian at ``x`` times ``v``.
    hess : callable, optional
        ``hess(x) -> B``, shape (n, n).
    gauss_newton : callable, optional
        ``gauss_newton(x, v) -> G v``, a positive semi-definite part of the Hessian times ``v``.
    gradient_error : float
        Relative error of the gradient; 0 stands for the dtype's epsilon.
    gradient_squares : callable, optional
        ``gradient_squares(x) -> sum_i w_i g_i o g_i`` for ``f = sum_i w_i c_i`` over samples, where
        ``g_i`` is the gradient of ``c_i``.
    gauss_newton_diagonal : callable, optional
        ``gauss_newton_diagonal(x)``, the diagonal of ``G``.
    """

    hvp: Product | None = None
    hess: Matrix | None = None
    gauss_newton: Product | None = None
    gradient_error: float = 0.0
    gradient_squares: Diagonal | None = None
    gauss_newton_diagonal: Diagonal | None = None

    def wrapped(
        self, product: Callable[[Product], Product], matrix: Callable[[Matrix], Matrix]
    ) -> SecondOrder:
        """The same with a wrapper around each function that is given."""
        return SecondOrder(
            self.hvp and product(self.hvp),
            self.hess and matrix(self.hess),
            self.gauss_newton and product(self.gauss_newton),
            self.gradient_error,
            self.gradient_squares and matrix(self.gradient_squares),
            self.gauss_newton_diagonal and matrix(self.gauss_newton_diagonal),
        )
