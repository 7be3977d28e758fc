"""Fits of a model to data: `curve_fit`, on top of `least_squares`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from secant import arrays, checks
from secant.arrays import Array, HostArray, like, to_numpy
from secant.least_squares import least_squares
from secant.leastsquares.bounds import NO_BOUNDS

if TYPE_CHECKING:
    from secant.leastsquares.result import Fit


@dataclass(frozen=True, eq=False)
class CurveFit:
    """Parameters of a curve with their covariance; it unpacks as ``popt, pcov``.

    Attributes
    ----------
    popt : array, shape (n,)
        The parameters.
    pcov : array, shape (n, n)
        Their covariance; infinite where the data do not determine it.
    fit : Fit
        Everything else: status, residuals, trace.
    """

    popt: Array
    pcov: HostArray
    fit: Fit

    @property
    def perr(self) -> HostArray:
        """Standard errors, the square roots of the covariance's diagonal."""
        return np.sqrt(self.pcov.diagonal())

    def __iter__(self) -> Iterator[Any]:
        yield self.popt
        yield self.pcov

    def __repr__(self) -> str:
        rows = [
            f"  {number:>3}  {value: .10g} +- {error:.3g}"
            for number, (value, error) in enumerate(
                zip(to_numpy(self.popt), self.perr, strict=True)
            )
        ]
        return "\n".join([f"CurveFit: {self.fit.message}", *rows])


def curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    check_finite: bool = True,
    bounds: Any = NO_BOUNDS,
    method: Any = "lm",
    jac: Any = None,
    **options: Any,
) -> CurveFit:
    """Fit ``f(x, *parameters)`` to data; SciPy's arguments.

    Minimises ``1/2 sum_i ((f(x_i, p) - y_i) / sigma_i)^2``.

    Parameters
    ----------
    f : callable
        ``f(xdata, *parameters)``, like ``ydata``.
    xdata : object
        Passed to ``f`` as it is.
    ydata : array
        The data.
    p0 : sequence of float or array
        Where to start: an array of the library in which to compute. By default ones, as many as ``f`` has
        arguments (moved into the bounds).
    sigma : float or array, optional
        Standard deviations of the data, or their covariance matrix.
    absolute_sigma : bool
        Whether ``sigma`` is in the units of the data, and not relative only.
    check_finite : bool
        Refuse data that are not finite.
    bounds, method
        As in `least_squares`.
    jac : callable or str, optional
        ``jac(xdata, *parameters)``, the derivatives of ``f``, shape (m, n); or as in `least_squares`.
    **options
        Further arguments of `least_squares`.

    Returns
    -------
    CurveFit
        Unpacks as ``popt, pcov``.

    Raises
    ------
    ValueError
        For data that are not finite, or shapes that do not fit.

    References
    ----------
    D. M. Bates, D. G. Watts, *Nonlinear Regression Analysis and Its Applications* (1988), section 2.2.

    Examples
    --------
    >>> import numpy as np, secant
    >>> dose = np.array([0.02, 0.06, 0.11, 0.22, 0.56, 1.10])
    >>> rate = np.array([61.5, 102.0, 131.0, 155.5, 196.0, 203.5])
    >>> def michaelis_menten(x, top, half):
    ...     return top * x / (half + x)
    >>> popt, pcov = secant.curve_fit(michaelis_menten, dose, rate, [200.0, 0.1])
    >>> popt
    array([2.127e+02, 6.412e-02])
    """
    checks.require(callable(f), "f", f, "callable")
    start = _start(f, p0, bounds)
    library = arrays.is_torch(start) or not isinstance(start, np.ndarray)
    y = ydata if library and arrays.is_array(ydata) else _real("ydata", ydata)
    y = arrays.reshape(y, (-1,))
    if check_finite:
        for name, data in (("xdata", xdata), ("ydata", y)):
            _require_finite(name, data)
    m, whiten = int(y.shape[0]), _whitening(sigma, y)

    def residuals(p: Array) -> Array:
        values = arrays.reshape(f(xdata, *p), (-1,))
        if values.shape[0] not in (1, m):
            raise ValueError(
                f"f must return {m} values, as many as ydata has, got {values.shape[0]}"
            )
        return whiten(values - y)

    def jacobian(p: Array) -> Array:
        J = jac(xdata, *p)
        return whiten(J if arrays.is_array(J) else np.asarray(J))

    fit = least_squares(
        residuals, start, jacobian if callable(jac) else jac, bounds, method, **options
    )
    scale = 1.0 if absolute_sigma else fit.residual_variance
    return CurveFit(fit.x, _covariance(fit, scale), fit)


def _start(f: Callable[..., Any], p0: Any, bounds: Any) -> Array:
    if p0 is not None:
        return p0 if arrays.is_array(p0) else np.atleast_1d(np.asarray(p0, dtype=float))
    count = getattr(getattr(f, "__code__", None), "co_argcount", 0) - 1
    if count < 1:
        raise ValueError("p0 must be given: the number of f's parameters cannot be read from it")
    pair = (bounds.lb, bounds.ub) if hasattr(bounds, "lb") else bounds
    lower, upper = (np.broadcast_to(np.asarray(b, dtype=float), (count,)) for b in pair)
    both = np.isfinite(lower) & np.isfinite(upper)
    with np.errstate(invalid="ignore"):
        middle = np.where(both, 0.5 * (lower + upper), 1.0)
    start: HostArray = np.where(
        both | ((lower <= 1.0) & (upper >= 1.0)),
        middle,
        np.where(np.isfinite(lower), lower + 1.0, upper - 1.0),
    )
    return start


def _real(name: str, data: Any) -> HostArray:
    """``data`` in double precision."""
    host = np.asarray(data)
    if host.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be an array of real numbers, got dtype {host.dtype}")
    return host.astype(float, copy=False)


def _require_finite(name: str, data: Any) -> None:
    host = to_numpy(data) if arrays.is_array(data) else np.asarray(data)
    if host.dtype.kind in "fc" and not np.isfinite(host).all():
        raise ValueError(f"{name} must be finite, got a NaN or an infinity")


def _whitening(sigma: Any, y: Array) -> Callable[[Array], Array]:
    """What divides rows by their standard deviations, or solves with the factor of the covariance."""
    if sigma is None:
        return lambda rows: rows
    host = _real("sigma", to_numpy(sigma) if arrays.is_array(sigma) else sigma)
    if not np.isfinite(host).all():
        raise ValueError("sigma must be finite, got a NaN or an infinity")
    m = int(y.shape[0])
    if host.size == 1 or host.shape == (m,):
        if not (host > 0.0).all():
            raise ValueError("sigma must be positive, got a value that is not")
        inverse = like(np.broadcast_to(1.0 / host.reshape(-1), (m,)).copy(), y)
        return lambda rows: rows * (inverse if rows.ndim == 1 else inverse[:, None])
    if host.shape != (m, m):
        raise ValueError(f"sigma must have shape ({m},) or ({m}, {m}), got {host.shape}")
    if not np.allclose(host, host.T):
        raise ValueError("sigma must be symmetric, got a matrix that is not")
    try:
        L = np.linalg.cholesky(host)
    except np.linalg.LinAlgError:
        raise ValueError("sigma must be positive definite, got a matrix that is not") from None
    if not isinstance(y, np.ndarray):
        inverse = like(np.linalg.inv(L), y)
        return lambda rows: inverse @ rows
    return lambda rows: np.linalg.solve(L, rows)


def _covariance(fit: Fit, scale: float) -> HostArray:
    """SciPy's convention: infinite where the data leave a parameter undetermined."""
    n = fit.active_mask.size
    cov = fit.cov_x
    if cov is None or fit.model.factor(0.0, np.ones(n)) is None or not math.isfinite(scale):
        return np.full((n, n), math.inf)
    return scale * cov
