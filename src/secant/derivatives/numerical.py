"""The front doors to numerical derivatives: `derivative`, `gradient`, `jacobian`."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from secant import checks
from secant.arrays import HostArray, eps_of, is_array
from secant.derivatives.differences import (
    POWERS,
    centred,
    complex_step,
    extrapolated,
    forward,
)
from secant.derivatives.values import Values, as_numbers

METHODS = ("2-point", "3-point", "richardson", "cs")
"""Names of the schemes: SciPy's, and Richardson's extrapolation."""


def derivative(
    fun: Callable[..., Any],
    x: float,
    args: tuple[Any, ...] = (),
    *,
    method: str = "richardson",
    relative_step: float | None = None,
    with_error: bool = False,
) -> Any:
    """Derivative of a function of one variable, ``f'(x)``.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)``, a number or an array.
    x : float
    args, method, relative_step, with_error
        As in `jacobian`.

    Returns
    -------
    float or array of the shape of ``fun(x)``
        With ``with_error``, a pair of these.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., section 8.1.

    Examples
    --------
    >>> import math
    >>> import secant
    >>> abs(secant.derivative(math.exp, 1.0) - math.e) < 1e-12
    True
    """

    def of_vector(t: HostArray) -> Any:
        return fun(t.item() if method == "cs" else t.dtype.type(t.item()), *args)

    fun, args = _callable(fun), _arguments(args)
    checks.require(np.ndim(x) == 0, "x", x, "a number")
    one = np.reshape(_real("x", x), (1,))
    found = _derivatives(of_vector, one, method, relative_step, with_error)
    parts = found if with_error else (found,)
    numbers = [part[..., 0] if part.ndim > 1 else float(part[0]) for part in parts]
    return tuple(numbers) if with_error else numbers[0]


def gradient(
    fun: Callable[..., Any],
    x: npt.ArrayLike,
    args: tuple[Any, ...] = (),
    *,
    method: str = "3-point",
    relative_step: float | None = None,
    with_error: bool = False,
) -> Any:
    """Gradient of a function of an array, in the shape of ``x``.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args) -> float``; ``x`` has the shape of ``x`` and is the function's own.
    x : array_like
    args, method, relative_step, with_error
        As in `jacobian`.

    Returns
    -------
    array of the shape of ``x``
        With ``with_error``, a pair of these.

    Raises
    ------
    ValueError
        If ``fun`` does not return one number.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., equations (8.1) and (8.7).

    Examples
    --------
    >>> import numpy as np
    >>> import secant
    >>> secant.gradient(lambda x: (x**3).sum(), [1.0, 2.0])
    array([ 3., 12.])
    >>> def f(x):
    ...     return (np.exp(x) / x).sum()
    >>> g, error = secant.gradient(f, [1.0, 2.0], method="richardson", with_error=True)
    >>> bool(error.max() < 1e-9)
    True
    """

    def one_number(x: HostArray) -> Any:
        value = as_numbers("fun", fun(x, *args), complex_allowed=True)
        if value.size != 1:
            raise ValueError(f"fun must return one number, got an array of shape {value.shape}")
        return value.reshape(())

    fun, args = _callable(fun), _arguments(args)
    return jacobian(
        one_number, x, method=method, relative_step=relative_step, with_error=with_error
    )


def jacobian(
    fun: Callable[..., Any],
    x: npt.ArrayLike,
    args: tuple[Any, ...] = (),
    *,
    method: str = "3-point",
    relative_step: float | None = None,
    with_error: bool = False,
) -> Any:
    """Derivatives of an array-valued function, ``J[..., i] = d fun / d x_i``.

    =================  ====================================  ===================  =====================
    method             formula                               evaluations, error   h / max(1, |x_i|)
    =================  ====================================  ===================  =====================
    ``"2-point"``      ``(f(x + h e_i) - f(x)) / h``         n + 1, about 1e-8    eps^(1/2)
    ``"3-point"``      ``(f(x + h e_i) - f(x - h e_i))/2h``  2n, about 1e-10      eps^(1/3)
    ``"richardson"``   the same, extrapolated to h = 0       <= 20n, about 1e-13  eps^(1/3) and more
    ``"cs"``           ``Im f(x + i h e_i) / h``             n, about 1e-16       1e-20, not scaled
    =================  ====================================  ===================  =====================

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)``, a number or an array of any shape, real where ``x`` is. It may write into
        ``x``, and return the same array again and again. Where it computes in float32 the steps are
        those of float32.
    x : array_like
        Finite real numbers in any shape; integers become float64, float32 stays.
    args : tuple
        Extra arguments of ``fun``.
    method : str
        One of the table. The complex step is exact to the last digit, for functions that are made
        of analytic operations and take complex arrays (no ``abs``, ``max`` or comparison).
    relative_step : float, optional
        Another step, in units of ``max(1, |x_i|)``; Richardson's extrapolation chooses its own.
    with_error : bool
        Return an estimate of the absolute error too; by Richardson's extrapolation only.

    Returns
    -------
    array of the shape of ``fun(x)`` followed by that of ``x``
        With ``with_error``, a pair of these.

    Raises
    ------
    ValueError
        For an unknown method, an ``x`` of other than finite real numbers, a function that returns none,
        or one that cannot take complex arrays where ``"cs"`` needs it.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., section 8.1; Ridders 1982; Squire & Trapp 1998.

    Examples
    --------
    >>> import numpy as np
    >>> import secant
    >>> def polar(p):
    ...     return np.array([p[0] * np.cos(p[1]), p[0] * np.sin(p[1])])
    >>> secant.jacobian(polar, [2.0, 0.0])
    array([[1., 0.],
           [0., 2.]])
    """
    fun, args, x = _callable(fun), _arguments(args), _real("x", x)
    shape = x.shape

    def of_vector(flat: HostArray) -> Any:
        return fun(flat.reshape(shape), *args)

    found = _derivatives(of_vector, x.reshape(-1), method, relative_step, with_error)
    parts = found if with_error else (found,)
    shaped = tuple(part.reshape(part.shape[:-1] + shape) for part in parts)
    return shaped if with_error else shaped[0]


def _derivatives(
    fun: Callable[[HostArray], Any],
    x: HostArray,
    method: str,
    relative_step: float | None,
    with_error: bool,
) -> Any:
    checks.one_of("method", method, METHODS)
    values = Values(fun, complex_allowed=method == "cs")
    if relative_step is not None:
        relative_step = _checked_step(relative_step, method, eps_of(x))
    if method == "richardson":
        checks.require(relative_step is None, "relative_step", relative_step, "None for richardson")
        both = extrapolated(values, x)
        return both if with_error else both[0]
    checks.require(not with_error, "with_error", with_error, "False for other than richardson")
    if method == "cs":
        return complex_step(_complex(values), x, None, relative_step)
    found = _by_differences(values, x, method, relative_step)
    if relative_step is None and values.eps > eps_of(x):  # fun computes in less precision
        return _by_differences(values, x, method, values.eps ** POWERS[method])
    return found


def _by_differences(
    values: Values, x: HostArray, method: str, relative_step: float | None
) -> HostArray:
    if method == "2-point":
        return forward(values, x, values(x.copy()), relative_step)
    return centred(values, x, None, relative_step)


def _checked_step(relative_step: Any, method: str, eps: float) -> float:
    if isinstance(relative_step, numbers.Real):
        relative_step = float(relative_step)
    checks.positive("relative_step", relative_step)
    if method in POWERS:
        allowed = f"at least the epsilon of x, {eps:.3g}, as a shorter step leaves x where it is"
        checks.require(relative_step >= eps, "relative_step", relative_step, allowed)
    return float(relative_step)


def _complex(fun: Callable[[HostArray], Any]) -> Callable[[HostArray], Any]:
    """``fun``, with a sentence in place of what goes wrong when it drops the imaginary part."""

    def checked(x: HostArray) -> Any:
        try:
            value = fun(x)
        except TypeError as error:
            raise ValueError(
                f"method 'cs' needs a fun that takes complex arrays: {error}"
            ) from error
        if not np.iscomplexobj(value):
            raise ValueError(
                "method 'cs' needs a fun whose values are complex where x is, got "
                f"{np.asarray(value).dtype} (abs, float or an array of real dtype inside?)"
            )
        return value

    return checked


def _callable(fun: Any) -> Callable[..., Any]:
    checks.require(callable(fun), "fun", fun, "callable")
    found: Callable[..., Any] = fun
    return found


def _arguments(args: Any) -> tuple[Any, ...]:
    """``args`` as a tuple: one that is none is the only one."""
    return args if isinstance(args, tuple) else (args,)


def _real(name: str, x: Any) -> HostArray:
    """``x`` as a new floating-point array."""
    if is_array(x) and not isinstance(x, (np.ndarray, np.generic)):
        raise ValueError(
            f"{name} must be a NumPy array or numbers, got a {type(x).__name__}: differences are "
            "those of NumPy functions"
        )
    try:
        array = np.array(x)
    except ValueError:  # rows of different lengths
        array = np.array(None)
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        raise ValueError(f"{name} must hold real numbers, got {x!r}")
    if array.size == 0:
        raise ValueError(f"{name} must have at least one element, got {x!r}")
    checks.require(bool(np.isfinite(array).all()), name, x, "finite")
    return array
