"""Fits of one model to many data sets: `batched_curve_fit`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from secant import arrays, checks
from secant.arrays import Array, HostArray, to_numpy
from secant.leastsquares.batched.box import Box
from secant.leastsquares.batched.columns import Centred, Columns, ComplexStep, Given
from secant.leastsquares.batched.curves import Curves
from secant.leastsquares.batched.fits import Fits
from secant.leastsquares.batched.pool import Outcomes, Pool
from secant.leastsquares.batched.task import make_task
from secant.leastsquares.batched.triangular import inverse_products
from secant.leastsquares.batched.verdicts import ENDS, Limits
from secant.leastsquares.bounds import NO_BOUNDS, make_box
from secant.leastsquares.levenberg_marquardt import Geodesic
from secant.leastsquares.loss import make_loss
from secant.status import Status

_CACHE = 2**23
"""Bytes of the arrays of one step: more of them than stay in the cache cost more than Python's calls."""

_DEVICE_MEMORY = 2**28
"""The same for devices, which are the faster the more there is to do."""


@dataclass(frozen=True, eq=False)
class BatchedCurveFit:
    """Parameters of k curves with their covariances; it unpacks as ``popt, pcov``.

    Attributes
    ----------
    popt : array, shape (k, n)
        The parameters.
    pcov : array, shape (k, n, n)
        Their covariances; infinite where the data do not determine them.
    cost : array, shape (k,)
        Half the sums of squares, or of the loss.
    nit, nfev, njev : array of int, shape (k,)
        Iterations, evaluations of the model (those of differences included) and of its derivatives.
    codes : array of int, shape (k,)
        Why each fit ended, as a position in `secant.leastsquares.batched.verdicts.ENDS`.
    """

    popt: Array
    pcov: Array
    cost: Array
    nit: Array
    nfev: Array
    njev: Array
    codes: Array

    @property
    def success(self) -> Array:
        """Which fits have converged, shape (k,)."""
        return self.codes <= ENDS.index(Status.ROUNDOFF)

    @cached_property
    def status(self) -> HostArray:
        """Why each fit ended, shape (k,), a `Status` each."""
        return np.array(ENDS, dtype=object)[to_numpy(self.codes)]

    @property
    def perr(self) -> Array:
        """Standard errors, shape (k, n): the square roots of the covariances' diagonals."""
        xp = arrays.namespace(self.pcov)
        return xp.sqrt(xp.stack([self.pcov[:, i, i] for i in range(self.pcov.shape[1])], axis=1))

    @property
    def best(self) -> int:
        """Number of the converged fit of the lowest cost: the one to take of many starts.

        Raises
        ------
        ValueError
            If none has converged.
        """
        costs = np.where(to_numpy(self.success), to_numpy(self.cost), math.inf)
        if not np.isfinite(costs).any():
            raise ValueError("best: none of the fits has converged")
        return int(np.argmin(costs))

    @property
    def message(self) -> str:
        """How many fits have ended in which way."""
        counts = np.bincount(to_numpy(self.codes), minlength=len(ENDS))
        return "; ".join(
            f"{count} {status.value}" for count, status in zip(counts, ENDS, strict=True) if count
        )

    def __iter__(self) -> Iterator[Array]:
        yield self.popt
        yield self.pcov

    def __repr__(self) -> str:
        k, n = self.popt.shape
        return f"BatchedCurveFit of {k} data sets, {n} parameters each: {self.message}"


def batched_curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: Any,
    p0: Any,
    sigma: Any = None,
    absolute_sigma: bool = False,
    bounds: Any = NO_BOUNDS,
    jac: Any = None,
    *,
    nan_policy: str = "raise",
    loss: Any = "linear",
    f_scale: float = 1.0,
    geodesic: bool | Geodesic = True,
    xtol: float = 1e-10,
    gtol: float = 1e-10,
    max_iter: int = 200,
    max_seconds: float | None = None,
    batch_size: int | None = None,
) -> BatchedCurveFit:
    """Fit ``f(x, *parameters)`` to k data sets at once, each with parameters of its own.

    Minimises ``1/2 sum_i ((f(x_i, p_j) - y_ji) / sigma_ji)^2`` over every ``p_j`` by Levenberg-Marquardt,
    one operation of the array library for all fits under way. Each fit has its own damping and its own end,
    and one that has ended makes room for the next.

    Parameters
    ----------
    f : callable
        ``f(x, *parameters)``, element by element: ``x`` has shape (m, 1), or (m, k) where data sets have
        their own, each parameter shape (k,), and the values shape (m, k). k is whatever number of fits is
        under way.
    xdata : array, shape (m,) or (k, m), or a tuple of such arrays
        The independent variable; several of them as a tuple, which ``f`` gets as a tuple.
    ydata : array, shape (k, m) or (m,)
        The data, one set a row; or one set, to be fitted from many starts.
    p0 : array, shape (n,) or (k, n)
        Where to start: everywhere the same, or one start a row.
    sigma : array, shape (m,) or (k, m), or float, optional
        Standard deviations of the data: a row for each set, or the same for all; no covariance matrix.
    absolute_sigma : bool
        Whether ``sigma`` is in the units of the data, and not relative only.
    bounds : pair or object with lb and ub
        Lower and upper bounds of the parameters, the same for every fit; no point outside is evaluated.
    jac : callable, "3-point", "cs" or None
        ``jac(x, *parameters)``, the n columns ``df/dp_i``, each of shape (m, k) or what broadcasts to it;
        centred differences; or the complex step. None is forward-mode autograd for torch tensors and
        "3-point" for other arrays.
    nan_policy : {"raise", "omit"}
        What to do about NaN in ``ydata``: refuse it, or fit the other data of the set.
    loss, f_scale
        Robust losses, as in `least_squares`.
    geodesic : bool or Geodesic
        Whether to add the geodesic acceleration to every step: one more evaluation of ``f``, and from far
        starts more fits that end where they should.
    xtol : float
        A fit has converged where the step without damping is at most ``xtol |p_i|`` in every parameter,
    gtol : float
        or where the part of r in the range of J is at most ``gtol |r|``.
    max_iter : int
        Steps of each fit.
    max_seconds : float, optional
        Of all fits together.
    batch_size : int, optional
        Fits under way at a time; by default as many as suit the cache.

    Returns
    -------
    BatchedCurveFit
        Unpacks as ``popt, pcov``, shapes (k, n) and (k, n, n). A fit that fails leaves the others alone: its
        entry of ``success`` is False, and ``status`` says why. A set with fewer data than parameters, or
        with a model that is not finite at its start, ends as ``NOT_FINITE_START``.

    Raises
    ------
    ValueError
        For shapes that do not fit, data that are not finite, or an ``f`` that does not work element by
        element.

    References
    ----------
    H. B. Nielsen, "Damping Parameter in Marquardt's Method", IMM-REP-1999-05 (1999).

    Examples
    --------
    >>> import numpy as np, secant
    >>> rng = np.random.default_rng(0)
    >>> t = np.linspace(0.0, 4.0, 14)
    >>> def decay(t, a, b):
    ...     return a * np.exp(-b * t)
    >>> rates = rng.uniform(0.5, 2.0, 1000)
    >>> y = 3.0 * np.exp(-rates[:, None] * t) + 0.01 * rng.standard_normal((1000, 14))
    >>> fit = secant.batched_curve_fit(decay, t, y, [1.0, 1.0])
    >>> fit.popt.shape, bool(fit.success.all()), bool((abs(fit.popt[:, 1] - rates) < 0.05).all())
    ((1000, 2), True, True)
    """
    checks.require(callable(f), "f", f, "callable")
    checks.one_of("nan_policy", nan_policy, ("raise", "omit"))
    checks.require(
        isinstance(geodesic, (bool, Geodesic)), "geodesic", geodesic, "True, False or a Geodesic"
    )
    second = geodesic if isinstance(geodesic, Geodesic) else Geodesic() if geodesic else None
    limits = Limits(xtol, gtol, max_iter)
    if max_seconds is not None:
        checks.positive("max_seconds", max_seconds)
    task = make_task(xdata, ydata, p0, sigma, omit=nan_policy == "omit")
    box = _make_box(bounds, task.x0)
    columns = _columns(jac, box, task.x0)
    curves = Curves(f, isinstance(xdata, tuple), int(task.data.y.shape[0]))
    fits = Fits(curves, task.data, columns, make_loss(loss, f_scale), box, second)
    width = _width(task.x0, curves.m) if batch_size is None else batch_size
    checks.count("batch_size", width)
    seconds = math.inf if max_seconds is None else max_seconds
    # what is not finite is no place to go to
    with np.errstate(all="ignore"), _without_graph(task.x0):
        curves.require_elementwise(task.data, task.x0, width)
        outcomes = Pool(fits, task.x0, limits, width).run(seconds)
        return _result(outcomes, task.free, absolute_sigma, fits)


def _make_box(bounds: Any, x0: Array) -> Box | None:
    xp, host = arrays.namespace(x0), to_numpy(x0)
    found = None
    for start in (host.min(axis=1), host.max(axis=1)):  # any start outside shows in one of them
        found = make_box(bounds, start, "p0")
    if found is None:
        return None
    lower, upper = (arrays.like(side, x0) for side in (found.lower, found.upper))
    return Box(xp.reshape(lower, (-1, 1)), xp.reshape(upper, (-1, 1)))


def _columns(jac: Any, box: Box | None, x0: Array) -> Columns:
    """The way to the derivatives."""
    if callable(jac):
        return Given(jac)
    checks.require(jac in (None, "3-point", "cs"), "jac", jac, "callable, '3-point', 'cs' or None")
    if jac == "cs":
        return ComplexStep()
    if jac is None and arrays.is_torch(x0):
        from secant.torch.columns import ForwardMode

        return ForwardMode()
    return Centred(box)


def _without_graph(x0: Array) -> AbstractContextManager[object]:
    """Where autograd does not follow what models with parameters of their own compute."""
    if not arrays.is_torch(x0):
        return nullcontext()
    from secant.torch.columns import without_graph

    return without_graph()


def _width(x0: Array, m: int) -> int:
    """How many fits under way keep the processor busy and their arrays near it."""
    on_host = isinstance(x0, np.ndarray) or "cpu" in str(arrays.device(x0)).lower()
    each = 8 * m * (2 * int(x0.shape[0]) + 8)
    return max(256, int((_CACHE if on_host else _DEVICE_MEMORY) // each))


def _result(outcomes: Outcomes, free: Array, absolute_sigma: bool, fits: Fits) -> BatchedCurveFit:
    """``free`` are the degrees of freedom of each fit."""
    xp, n = arrays.namespace(outcomes.x), int(outcomes.x.shape[0])
    cov = inverse_products(outcomes.R)
    if not absolute_sigma:
        variance = 2.0 * outcomes.f / xp.where(free > 0.0, free, xp.ones_like(free))
        cov = cov * xp.where(free > 0.0, variance, math.inf)
    cov = xp.where(xp.all(xp.isfinite(cov), axis=(0, 1)), cov, math.inf)
    return BatchedCurveFit(
        popt=xp.permute_dims(outcomes.x, (1, 0)),
        pcov=xp.permute_dims(cov, (2, 0, 1)),
        cost=outcomes.f,
        nit=outcomes.steps,
        nfev=xp.astype(outcomes.jacobians > 0, outcomes.trials.dtype)
        + fits.evaluations_a_trial * outcomes.trials
        + fits.columns.evaluations(n) * outcomes.jacobians,
        njev=outcomes.jacobians,
        codes=outcomes.codes,
    )
