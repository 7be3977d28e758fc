"""The front door for sums of squares: `least_squares`, and `start_least_squares` to step by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from secant import arrays, checks
from secant.arrays import Array, like, to_numpy
from secant.leastsquares.bounds import NO_BOUNDS
from secant.leastsquares.configuration import make_method, make_solver_choice
from secant.leastsquares.levenberg_marquardt import Geodesic
from secant.leastsquares.loss import make_loss
from secant.leastsquares.matrix_free import InnerStops
from secant.leastsquares.problem import LeastSquares
from secant.leastsquares.task import Given, make_task
from secant.run import Callback
from secant.snapshot import Snapshot
from secant.stopping import MaxIterations, Stop, Target, checked_stops
from secant.structure import Shape

if TYPE_CHECKING:
    from secant.leastsquares.result import Fit, FitRun


def least_squares(
    fun: Callable[..., Any],
    x0: Any,
    jac: Any = None,
    bounds: Any = NO_BOUNDS,
    method: Any = "lm",
    ftol: float | None = 0.0,
    xtol: float | None = 1e-10,
    gtol: float | None = 1e-10,
    x_scale: Any = None,
    loss: Any = "linear",
    f_scale: float = 1.0,
    diff_step: Any = None,
    tr_solver: str | None = None,
    tr_options: Any = None,
    jac_sparsity: Any = None,
    max_nfev: int | None = None,
    verbose: int = 0,
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    callback: Callback | None = None,
    workers: Any = None,
    *,
    solver: str = "auto",
    damping: Any = "auto",
    geodesic: bool | Geodesic = False,
    weights: Any = None,
    samples: Any = None,
    memory: int = 2**30,
    inner: InnerStops | None = None,
    max_iter: int | None = None,
    max_seconds: float | None = None,
    target: float | None = None,
    stop: Sequence[Stop] = (),
    warm_start: Any = None,
) -> Fit:
    """Minimise half a sum of squares, ``f(x) = 1/2 sum_i r_i(x)^2``, by Levenberg-Marquardt.

    The arguments up to ``workers`` are SciPy's, in SciPy's order.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args, **kwargs) -> r``, the residuals. For a module, ``fun(*args)`` computes them from
        the module's parameters.
    x0 : array, torch.nn.Module or iterable of parameters
        Where to start, as in `minimize`; dtype and device are kept.
    jac : callable, "2-point", "3-point", "5-point", "richardson", "cs" or None
        ``jac(x, *args, **kwargs) -> J``, shape (m, n), ``J_ij = dr_i/dx_j``; or differences, or the
        complex step. None is autograd with torch; with NumPy "2-point", and "5-point" from where
        that has converged.
    bounds : pair or object with lb and ub
        Lower and upper bounds, numbers or arrays. No point outside is ever evaluated.
    method : str or LevenbergMarquardt
        "lm" (SciPy's "trf" and "dogbox" mean the same here) or "gn", Gauss-Newton.
    ftol, xtol, gtol : float or None
        Convergence, by the step without damping: it gains at most ``ftol f``; it is at most
        ``xtol |x_i|`` in every variable; its image is at most ``gtol |r|`` (the relative offset).
    x_scale : "jac", float or array, optional
        Units of the variables; "jac" takes the norms of the Jacobian's columns. None is "jac" for
        arrays and 1 for modules, whose weights are alike.
    loss : str or callable
        "linear", "soft_l1", "huber", "cauchy", "arctan", or ``z -> (rho, rho', rho'')``.
    f_scale : float
        Residuals below it are inliers.
    diff_step : float or array, optional
        Relative step of differences.
    tr_solver : "exact", "lsmr" or None
        SciPy's names: "exact" is ``solver="auto"``; "lsmr" is "matrix-free", on NumPy's arrays by LSMR.
    tr_options, jac_sparsity, workers
        Not supported; they must be None.
    max_nfev : int, optional
        Evaluations of ``fun``, those of differences included.
    verbose : int
        1 prints the outcome, 2 every iteration.
    args, kwargs
        Extra arguments of ``fun`` and ``jac``.
    callback : callable, optional
        ``callback(snapshot)``, as in `minimize`.
    solver : str
        "qr" (the most accurate), "cholesky" (of J'J, the fastest), "matrix-free" (products with J), or
        "auto": by size.
    damping : str or Damping
        "trust-radius" (More), "nielsen", "marquardt", "momentum", or a configured rule of
        `secant.leastsquares`; "auto" is More's, and Nielsen's where the solver is matrix-free.
    geodesic : bool or Geodesic
        Whether to add the geodesic acceleration to every step.
    weights : array, shape (m,), optional
        Weights of the squares.
    samples : array or tuple of arrays, optional
        Data with one row a sample. ``fun`` and ``jac`` are then called with blocks of rows, before
        ``args``: ``fun(x, *rows, *args)``, for a module ``fun(*rows, *args)``, and the residuals
        of a block may depend on its rows alone. The Jacobian is never held whole.
    memory : int
        Bytes that the Jacobian may take.
    inner : InnerStops
        Accuracy of the matrix-free solver.
    max_iter, max_seconds, target, stop, warm_start
        As in `minimize`; ``target`` is a value of ``f``.

    Returns
    -------
    Fit
        SciPy's names, and ``covariance``, ``standard_errors``, ``trace``.

    Raises
    ------
    ValueError
        For an argument that makes no sense; failures of the fit are statuses, not exceptions.

    References
    ----------
    J. J. More, "The Levenberg-Marquardt Algorithm: Implementation and Theory" (1978).

    Examples
    --------
    >>> import numpy as np, secant
    >>> fit = secant.least_squares(lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]), [-1.2, 1.0])
    >>> fit.success, fit.x
    (True, array([1., 1.]))
    """
    given = dict(locals())
    checks.count("verbose", given.pop("verbose"), 0)
    run = start_least_squares(**given, progress=verbose > 1)
    try:
        fit = run.finish()
    except BaseException:
        run.restore()
        raise
    if verbose:
        print(fit)
    return fit


def start_least_squares(
    fun: Callable[..., Any],
    x0: Any,
    jac: Any = None,
    bounds: Any = NO_BOUNDS,
    method: Any = "lm",
    ftol: float | None = 0.0,
    xtol: float | None = 1e-10,
    gtol: float | None = 1e-10,
    x_scale: Any = None,
    loss: Any = "linear",
    f_scale: float = 1.0,
    diff_step: Any = None,
    tr_solver: str | None = None,
    tr_options: Any = None,
    jac_sparsity: Any = None,
    max_nfev: int | None = None,
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    callback: Callback | None = None,
    workers: Any = None,
    *,
    solver: str = "auto",
    damping: Any = "auto",
    geodesic: bool | Geodesic = False,
    weights: Any = None,
    samples: Any = None,
    memory: int = 2**30,
    inner: InnerStops | None = None,
    max_iter: int | None = None,
    max_seconds: float | None = None,
    target: float | None = None,
    stop: Sequence[Stop] = (),
    warm_start: Any = None,
    progress: bool = False,
    resume: Any = None,
) -> FitRun:
    """Begin a fit to be stepped by hand; the arguments are those of `least_squares`, and two more.

    Parameters
    ----------
    progress : bool
        Print every iteration.
    resume : path-like, optional
        A file of `Run.save`, from which to go on: with the same residuals as the run would have gone
        on, but for one more evaluation.

    Returns
    -------
    Run

    Examples
    --------
    >>> import numpy as np, secant
    >>> run = secant.start_least_squares(lambda x: np.array([x[0] ** 2 - 2, x[0] - 1]), [3.0])
    >>> snapshot = run.step()
    >>> snapshot.k, run.status
    (1, None)
    """
    from secant.leastsquares.result import FitRun  # SciPy's optimize takes half a second to import

    for name, value in (
        ("tr_options", tr_options),
        ("jac_sparsity", jac_sparsity),
        ("workers", workers),
    ):
        checks.require(value is None, name, value, "None: it is not supported")
    checks.require(inner is None or isinstance(inner, InnerStops), "inner", inner, "an InnerStops")
    checks.require(kwargs is None or isinstance(kwargs, dict), "kwargs", kwargs, "a dict or None")
    checks.require(callback is None or callable(callback), "callback", callback, "callable or None")
    checks.require(
        isinstance(geodesic, (bool, Geodesic)), "geodesic", geodesic, "True, False or a Geodesic"
    )
    checks.require(tr_solver in (None, "exact", "lsmr"), "tr_solver", tr_solver, "exact or lsmr")
    task = make_task(Given(fun, jac, args, kwargs or {}, diff_step, samples, memory), x0, bounds)
    choice = make_solver_choice(solver, tr_solver, memory, inner, type(task.x0))
    robust = make_loss(loss, f_scale)
    is_network = not isinstance(task.structure, Shape)
    if x_scale is None and is_network:
        x_scale = 1.0  # the weights of a network share one unit
    n = int(task.x0.shape[0])
    algorithm = make_method(method, damping, x_scale, geodesic, n, ftol, xtol, gtol)
    if robust is not None and algorithm.geodesic is not None:
        raise ValueError(f"geodesic must be False with a robust loss, got loss={loss!r}")
    problem = LeastSquares(
        task.residuals,
        choice,
        robust,
        _square_roots(weights, task.x0),
        task.box,
        task.counts,
        task.gradient_error,
        task.refine,
    )
    problem.is_network = is_network
    for name, limit, least in (("max_nfev", max_nfev, 1), ("max_iter", max_iter, 0)):
        if limit is not None:
            checks.count(name, limit, least)
    if max_seconds is not None:
        checks.positive("max_seconds", max_seconds)
    numeric = target is None or checks.is_number(target)
    checks.require(numeric, "target", target, "a number")
    stops: list[Stop] = [] if target is None else [Target(float(target))]
    stops += checked_stops(stop)
    stops.append(MaxIterations(max(1000, 100 * n) if max_iter is None else max_iter))
    saved = None
    if resume is not None:
        from secant.leastsquares.saved import read_fit

        saved = read_fit(resume, problem, task.x0)
    run = FitRun(
        problem,
        algorithm,
        None if saved is None else saved.state,
        task.structure,
        stops,
        max_evals=math.inf if max_nfev is None else max_nfev,
        max_seconds=math.inf if max_seconds is None else max_seconds,
        callback=_printing(callback) if progress else callback,
        x0=task.x0,
        warm_start=warm_start,
    )
    if saved is not None:
        saved.hand_over(run)
    return run


def _square_roots(weights: Any, x0: Array) -> Array | None:
    if weights is None:
        return None
    host = to_numpy(weights) if arrays.is_array(weights) else np.asarray(weights, dtype=float)
    if not (host >= 0.0).all():
        raise ValueError("weights must not be negative, got a negative one or NaN")
    if not np.isfinite(host).all() or not host.any():
        raise ValueError("weights must be finite and not all zero")
    return like(np.sqrt(host.reshape(-1)), x0)


def _printing(callback: Callback | None) -> Callback:
    def printing(snapshot: Snapshot) -> object:
        print(snapshot)
        return None if callback is None else callback(snapshot)

    return printing
