"""Strictly convex quadratics of prescribed conditioning: the theory of every method starts here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from secant.arrays import Array
from secant.checks import count, require
from secant.problems.formula import Direct
from secant.problems.objective import Objective
from secant.problems.table import Table

__all__ = ["diagonal", "quadratic"]


def _value(A: Table, b: Table, x: Array) -> Array:
    return 0.5 * (x @ (A.like(x) @ x)) - b.like(x) @ x


def _gradient(A: Table, b: Table, x: Array) -> Array:
    return A.like(x) @ x - b.like(x)


def quadratic(kappa: float = 100.0, n: int = 10, seed: int = 0) -> Objective:
    """A quadratic whose Hessian has eigenvalues log-spaced from 1 to kappa in a random basis.

    .. math:: f(x) = ½ x'Ax - b'x, A = Q diag(1, ..., κ) Q', b = A x*

    Q is orthogonal, from the QR factorisation of a Gaussian matrix, and x* is Gaussian.

    Parameters
    ----------
    kappa : float
        The condition number of A, at least 1.
    n : int
        The number of variables, at least 1 (for n = 1 the eigenvalue is 1).
    seed : int
        Of the random basis and solution.

    Raises
    ------
    ValueError
        If kappa < 1 or n < 1.

    Examples
    --------
    >>> import numpy as np
    >>> from secant import problems
    >>> f = problems.quadratic(kappa=1e3, n=5)
    >>> float(np.linalg.cond(f.hessian(f.start())))
    1000.0
    """
    require(kappa >= 1.0, "kappa", kappa, "at least 1")
    count("n", n)
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    A = (Q * np.geomspace(1.0, kappa, n)) @ Q.T
    A = 0.5 * (A + A.T)  # symmetric to the last bit, not only to round-off
    x_star = rng.standard_normal(n)
    b = A @ x_star
    hessian, linear = Table(A), Table(b)
    return Objective(
        name="quadratic",
        x0=(0.0,) * n,
        formula=Direct(partial(_value, hessian, linear), partial(_gradient, hessian, linear)),
        source="Nocedal and Wright (2006), section 3.3",
        f_star=float(-0.5 * (b @ x_star)),
        minimizers=(tuple(x_star.tolist()),),
        hessian_formula=hessian.like,
    )


def _diagonal_value(h: Table, x: Array) -> Array:
    d = x - 1.0
    return 0.5 * (d @ (h.like(x) * d))


def _diagonal_gradient(h: Table, x: Array) -> Array:
    return h.like(x) * (x - 1.0)


def _diagonal_hessian(H: Table, x: Array) -> Array:
    return H.like(x)


def diagonal(h: Sequence[float]) -> Objective:
    """A quadratic with a diagonal Hessian, whose least value 0 is free of cancellation.

    .. math:: f(x) = ½ Σ_j h_j (x_j - 1)²

    Parameters
    ----------
    h : sequence of float
        The positive eigenvalues; their number is n.

    Raises
    ------
    ValueError
        If h is empty or an entry is not positive.

    Examples
    --------
    >>> from secant import problems
    >>> f = problems.diagonal([1.0, 10.0])
    >>> float(f(f.start())), f.x_star
    (5.5, (1.0, 1.0))
    """
    eigenvalues = [float(value) for value in h]
    positive = all(value > 0.0 for value in eigenvalues)
    require(bool(eigenvalues) and positive, "h", eigenvalues, "a sequence of positive numbers")
    table, n = Table(eigenvalues), len(eigenvalues)
    return Objective(
        name="diagonal",
        x0=(0.0,) * n,
        formula=Direct(partial(_diagonal_value, table), partial(_diagonal_gradient, table)),
        source="Nocedal and Wright (2006), section 3.3",
        f_star=0.0,
        minimizers=((1.0,) * n,),
        hessian_formula=partial(_diagonal_hessian, Table(np.diag(eigenvalues))),
    )
