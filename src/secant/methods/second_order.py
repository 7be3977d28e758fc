"""Newton's method with a line search, as the compositions it comes in."""

from __future__ import annotations

from typing import Any

from secant.curvature.modified_cholesky import GillMurrayWright, Shift
from secant.directions.hessian_free import HessianFree as HessianFreeDirection
from secant.directions.newton import Newton as NewtonDirection
from secant.directions.newton_cg import NewtonCG as NewtonCGDirection
from secant.directions.preconditioner import hessian_preconditioner as _hessian_preconditioner
from secant.directions.preconditioner import preconditioner as _preconditioner
from secant.linesearch import FirstStep, HagerZhang, Length, LineSearch, UnitStep
from secant.linesearch.method import LineSearchMethod

__all__ = ["HessianFree", "Newton", "NewtonCG"]


_FULL_STEP = UnitStep(first=Length(1e18))
"""The full step from the first iteration on: these directions have their scale at once."""


def Newton(
    modification: Shift | GillMurrayWright = Shift(),
    search: LineSearch = HagerZhang(),
    first: FirstStep = _FULL_STEP,
) -> LineSearchMethod:
    """Newton's method with a line search (N&W Algorithm 3.2).

    The Hessian is ``hess``, or autograd's with torch, or differences of gradients. Where it is not
    positive definite a neighbour that is takes its place, and directions of negative curvature are
    not missed.

    Parameters
    ----------
    modification : Shift or GillMurrayWright
        ``B + tau I``, or the modified Cholesky factorisation.
    search : LineSearch
    first : FirstStep

    Examples
    --------
    >>> import secant
    >>> def f(x):
    ...     return (x**4).sum()
    >>> hess = lambda x: [[12.0 * x[0] ** 2]]
    >>> secant.minimize(f, [1.0], hess=hess, method=secant.Newton()).success
    True
    """
    name = "newton" if isinstance(modification, Shift) else "newton-gmw"
    return LineSearchMethod(NewtonDirection(modification), search, first, name)


def NewtonCG(
    rtol: float | None = None,
    max_iter: int | None = None,
    search: LineSearch = HagerZhang(),
    first: FirstStep = _FULL_STEP,
    preconditioner: Any = None,
) -> LineSearchMethod:
    """Inexact Newton by conjugate gradients: products with the Hessian alone (N&W Algorithm 7.1).

    Parameters
    ----------
    rtol : float, optional
        Residual of the inner iteration in the 1-norm, relative to ``|g|_1``; ``min(1/2, sqrt |g|_1)``
        when left out.
    max_iter : int, optional
        Products an iterate may cost; ``2 n`` when left out.
    search : LineSearch
    first : FirstStep
    preconditioner : "jacobi", callable, array or `Jacobi`, optional
        The Hessian's diagonal, or what is near it: ``M(x)``, or the same for every x, shape (n,). Its
        absolute values are used. The name is for a `secant.torch.composite.Composite`, whose
        Gauss-Newton matrix has a diagonal.

    Raises
    ------
    ValueError
        For a preconditioner that is none of these, `Martens` among them.

    Examples
    --------
    >>> import numpy as np
    >>> import secant
    >>> scales = np.array([1.0, 1e6])
    >>> method = secant.NewtonCG(preconditioner=lambda x: 12 * scales * x**2)
    >>> secant.minimize(lambda x: scales @ x**4, [1.0, 2.0], method=method).success
    True
    """
    direction = NewtonCGDirection(rtol, max_iter, _hessian_preconditioner(preconditioner))
    return LineSearchMethod(direction, search, first, "newton-cg")


def HessianFree(
    damping: float = 0.1,
    decay: float = 0.95,
    preconditioner: Any = None,
    max_iter: int = 250,
    search: LineSearch = HagerZhang(),
    first: FirstStep = _FULL_STEP,
) -> LineSearchMethod:
    """Hessian-free optimisation: damped and warm-started conjugate gradients (Martens 2010).

    Works on the Gauss-Newton matrix where the problem offers products with it (a
    `secant.torch.composite.Composite`, or a ``hessp`` that computes them), else on the Hessian.

    Parameters
    ----------
    damping : float
        First damping, relative to the curvature along the first gradient.
    decay : float
        Part of the last direction that conjugate gradients begin at.
    preconditioner : "martens", "jacobi", callable, array, `Martens` or `Jacobi`, optional
        A diagonal ``M`` near ``G + lambda I`` for conjugate gradients. The names are for a `Composite`,
        which knows its samples: "martens" is `Martens`, ``(sum_i w_i g_i^2 + lambda)^(3/4)`` with the
        gradients of the samples; "jacobi" is `Jacobi`, ``diag(G) + lambda``. A callable
        ``M(x, lambda)``, or an array, is ``M`` itself, shape (n,).
    max_iter : int
        Products an iterate may cost.
    search : LineSearch
    first : FirstStep

    Examples
    --------
    >>> import secant
    >>> secant.minimize(lambda x: (x**4).sum(), [1.0], method=secant.HessianFree()).success
    True
    """
    direction = HessianFreeDirection(damping, decay, _preconditioner(preconditioner), max_iter)
    return LineSearchMethod(direction, search, first, "hessian-free")
