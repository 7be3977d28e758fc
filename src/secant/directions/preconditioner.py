"""Diagonal preconditioners of the damped Gauss-Newton matrix ``G + lambda I``.

For ``f(x) = sum_i w_i c_i(x)``, a sum or a mean of the costs of samples,

    Martens   M = (sum_i w_i (grad c_i o grad c_i) + lambda)^alpha
    Jacobi    M = diag(G) + lambda

element by element. The sum of squared gradients is the diagonal of the empirical Fisher matrix, and costs
about one gradient; the exponent below 1 allows for its being an estimate of ``diag(G)`` only.

References
----------
Martens, "Deep learning via Hessian-free optimization", ICML 2010, section 4.7; Martens & Sutskever, in
*Neural Networks: Tricks of the Trade* (2012), section 20.11; Chapelle & Erhan, "Improved preconditioner for
Hessian free optimization", NIPS workshop on deep learning (2011).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from secant import checks
from secant.arrays import Array, HostArray, copy, eps_of, is_array, like, namespace, read, to_numpy
from secant.point import Point

OfX = Callable[[Array], Any]
"""From the flat ``x`` to n numbers."""


class Preconditioner(Protocol):
    """A way of getting ``M``."""

    def __call__(self, point: Point, damping: float) -> Array:
        """``M`` as a positive vector, by which residuals are divided; None where it is not finite."""
        ...


@dataclass(frozen=True)
class Martens:
    """``M = (sum_i w_i g_i o g_i + lambda)^alpha`` with the gradients ``g_i`` of the samples' costs.

    Parameters
    ----------
    squares : callable, optional
        ``squares(x)``, the weighted sum of squared gradients, shape (n,), for a flat copy of ``x``.
        Left out, the problem gives it: a `secant.torch.composite.Composite`.
    alpha : float
        Exponent, ``0 < alpha <= 1``.

    References
    ----------
    Martens, ICML 2010, section 4.7.

    Examples
    --------
    A straight line through points with abscissae in the thousands:

    >>> import numpy as np
    >>> import secant
    >>> t, y = np.linspace(0.0, 4000.0, 50), np.linspace(-1.0, 1.0, 50) ** 3
    >>> J = np.stack([np.ones(50), t], axis=1)
    >>> def mean_of_squares(x):
    ...     r = J @ x - y
    ...     return r @ r / 50, 2 * J.T @ r / 50
    >>> def squares(x):
    ...     return ((2 * (J @ x - y)[:, None] * J) ** 2).mean(axis=0)
    >>> method = secant.HessianFree(preconditioner=secant.Martens(squares))
    >>> hessp = lambda x, p: 2 * J.T @ (J @ p) / 50
    >>> secant.minimize(mean_of_squares, [0, 0], method=method, jac=True, hessp=hessp).success
    True
    """

    squares: OfX | None = None
    alpha: float = 0.75

    def __post_init__(self) -> None:
        _check_function("squares", self.squares)
        checks.require(0.0 < self.alpha <= 1.0, "alpha", self.alpha, "above 0 and at most 1")

    def __call__(self, point: Point, damping: float) -> Array:
        """``(sum_i w_i g_i o g_i + damping)^alpha``."""
        given = self.squares
        squares = point.gradient_squares() if given is None else _at("squares", given, point)
        if squares is None:
            raise ValueError(
                "preconditioner 'martens' needs the squared gradients of the samples, which this "
                "problem does not give: use a secant.torch.composite.Composite, or "
                "secant.Martens(squares) with squares(x) = sum_i w_i g_i**2"
            )
        return _usable("squares", squares, damping, self.alpha)


@dataclass(frozen=True)
class Jacobi:
    """``M = diag(G) + lambda``, the diagonal of what conjugate gradients multiply with.

    Parameters
    ----------
    diagonal : callable, optional
        ``diagonal(x)``, that of ``G`` or an estimate of it, shape (n,), for a flat copy of ``x``. Left
        out, the problem gives it: a `secant.torch.composite.Composite`.

    References
    ----------
    Chapelle & Erhan (2011).

    Examples
    --------
    >>> import numpy as np
    >>> import secant
    >>> scales = np.array([1.0, 1e4])
    >>> method = secant.HessianFree(preconditioner=secant.Jacobi(lambda x: 12 * scales * x**2))
    >>> secant.minimize(lambda x: scales @ x**4, [1, 1], method=method).success
    True
    """

    diagonal: OfX | None = None

    def __post_init__(self) -> None:
        _check_function("diagonal", self.diagonal)

    def __call__(self, point: Point, damping: float) -> Array:
        """``diag(G) + damping``."""
        return _usable("diagonal", self.of(point), damping, 1.0)

    def of(self, point: Point) -> Array:
        """The diagonal as it is given."""
        given = self.diagonal
        diagonal = point.gauss_newton_diagonal() if given is None else _at("diagonal", given, point)
        if diagonal is None:
            raise ValueError(
                "preconditioner 'jacobi' needs the diagonal of the Gauss-Newton matrix, which this "
                "problem does not give: use a secant.torch.composite.Composite, or "
                "secant.Jacobi(diagonal)"
            )
        return diagonal


@dataclass(frozen=True, eq=False)
class Given:
    """The user's own ``M``.

    Parameters
    ----------
    M : callable or array, shape (n,)
        ``M(x, damping)`` for a flat copy of ``x``, or the same for every x.
    """

    M: Callable[[Array, float], Any] | HostArray

    def __call__(self, point: Point, damping: float) -> Array:
        """``M(x, damping)``."""
        return _usable("preconditioner", self.of(point, damping), 0.0, 1.0)

    def of(self, point: Point, damping: float = 0.0) -> Array:
        """``M`` as it is given."""
        M = self.M(point.presented(), damping) if callable(self.M) else self.M
        return _vector("preconditioner", M, point.x)


@dataclass(frozen=True)
class Sizes:
    """``M_i = |B_ii|`` of a Hessian ``B`` that may be indefinite, a little above zero where that is zero.

    Conjugate gradients need a positive ``M``; a negative ``B_ii`` still tells the scale of its variable.

    Parameters
    ----------
    diagonal : Jacobi or Given
        Where ``B_ii`` come from, here with their signs.
    """

    diagonal: Jacobi | Given

    def __call__(self, point: Point) -> Array:
        """``M``; None where it is not finite, or all zero."""
        sizes = namespace(point.x).abs(self.diagonal.of(point))
        (highest,) = read(namespace(sizes).max(sizes))
        return sizes + math.sqrt(eps_of(sizes)) * highest if 0.0 < highest < math.inf else None


def hessian_preconditioner(given: Any) -> Sizes | None:
    """From what `secant.NewtonCG` is told to ``M``.

    Raises
    ------
    ValueError
        If it is neither "jacobi", a `Jacobi`, an array, a callable nor None.
    """
    if isinstance(given, Martens) or (isinstance(given, str) and given == "martens"):
        raise ValueError(
            "preconditioner must be 'jacobi', secant.Jacobi, an array or a callable for newton-cg, got "
            f"{given!r}: Martens' is for the damped Gauss-Newton matrix of secant.HessianFree"
        )
    if callable(given) and not isinstance(given, (type, Jacobi, Given)):
        return Sizes(Jacobi(given))
    is_known = given is None or isinstance(given, (Jacobi, Given)) or is_array(given)
    checks.require(
        is_known or (isinstance(given, str) and given == "jacobi"),
        "preconditioner",
        given,
        "'jacobi', secant.Jacobi, an array or a callable",
    )
    chosen = preconditioner(given)
    return Sizes(chosen) if isinstance(chosen, (Jacobi, Given)) else None


_NAMED: dict[str, type[Martens] | type[Jacobi]] = {"martens": Martens, "jacobi": Jacobi}


def preconditioner(given: Any) -> Preconditioner | None:
    """From what `secant.HessianFree` is told to a `Preconditioner`.

    Raises
    ------
    ValueError
        If it is neither a name, an array, a callable, a `Preconditioner` nor None.
    """
    if given is None or isinstance(given, (Martens, Jacobi, Given)):
        return given
    if isinstance(given, str):
        checks.one_of("preconditioner", given, _NAMED)
        return _NAMED[given]()
    if is_array(given):
        return Given(_positive(to_numpy(given)))
    is_function = callable(given) and not isinstance(given, type)
    checks.require(
        is_function, "preconditioner", given, "'martens', 'jacobi', an array or a callable"
    )
    return Given(given)


def _positive(M: HostArray) -> HostArray:
    """``M`` as a vector of its own, if it is one of positive finite numbers."""
    got = ""
    if M.ndim != 1 or M.dtype.kind not in "iuf":
        got = f"shape {M.shape} of {M.dtype}"
    elif (wrong := M[~(np.isfinite(M) & (M > 0))]).size:
        got = f"{wrong[0]:.6g} among them"
    if got:
        raise ValueError(
            f"preconditioner must be a 1-D array of positive finite numbers, got {got}"
        )
    return M.astype(float)


def _check_function(name: str, given: Any) -> None:
    checks.require(given is None or callable(given), name, given, "callable or None")


def _at(name: str, function: OfX, point: Point) -> Array:
    return _vector(name, function(point.presented()), point.x)


def _vector(name: str, values: Any, x: Array) -> Array:
    """``values`` as a vector like ``x``."""
    if is_array(values):
        values = to_numpy(values) if type(x) is np.ndarray else copy(values)
    try:
        vector = like(values, x)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must return {x.shape[0]} numbers, got {type(values).__name__}"
        ) from None
    if tuple(vector.shape) != tuple(x.shape):
        raise ValueError(f"{name} must return shape {tuple(x.shape)}, got {tuple(vector.shape)}")
    return vector


def _usable(name: str, diagonal: Array, damping: float, alpha: float) -> Array:
    """``(diagonal + damping)^alpha``, raised above zero by round-off; None if it is not finite."""
    xp = namespace(diagonal)
    lowest, highest = read(xp.min(diagonal), xp.max(diagonal))
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        return None
    if lowest < 0.0:
        raise ValueError(f"{name} must not be negative, got {lowest:.6g}")
    if not highest + damping > 0.0:
        return None
    return (diagonal + (damping + eps_of(diagonal) * highest)) ** alpha
