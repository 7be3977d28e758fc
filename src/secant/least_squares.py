"""The front door for sums of squares: `least_squares`, and `start_least_squares` to step by hand."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from secant import arrays, checks
from secant.arrays import Array, like, to_numpy
from secant.derivatives.differences import ERRORS
from secant.functions import as_start
from secant.leastsquares.bounds import NO_BOUNDS, Box, make_box
from secant.leastsquares.damping import (
    Automatic,
    Damping,
    Marquardt,
    Nielsen,
    TrustRadius,
    Undamped,
)
from secant.leastsquares.functions import ArrayResiduals, make_samples, with_arguments
from secant.leastsquares.jacobian import Differences, Refining
from secant.leastsquares.levenberg_marquardt import Geodesic, LevenbergMarquardt, Tolerances
from secant.leastsquares.loss import make_loss
from secant.leastsquares.matrix_free import InnerStops
from secant.leastsquares.problem import LeastSquares, ResidualFunction
from secant.leastsquares.scaling import make_scaling
from secant.leastsquares.solvers import SolverChoice
from secant.problem import Counts
from secant.run import Callback
from secant.snapshot import Snapshot
from secant.stopping import MaxIterations, Stop, Target, checked_stops
from secant.structure import Shape, Structure

if TYPE_CHECKING:
    from secant.leastsquares.result import Fit, FitRun

Made = TypeVar("Made")

METHODS = ("lm", "levenberg-marquardt", "trf", "dogbox", "gn")
"""Levenberg-Marquardt by its own name and by SciPy's (with bounds or without), and Gauss-Newton."""

DAMPINGS: dict[str, Damping] = {
    "auto": Automatic(),
    "trust-radius": TrustRadius(),
    "nielsen": Nielsen(),
    "marquardt": Marquardt(),
}


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
    jac : callable, "2-point", "3-point", "richardson", "cs" or None
        ``jac(x, *args, **kwargs) -> J``, shape (m, n), ``J_ij = dr_i/dx_j``; or differences, or the
        complex step. None is autograd with torch; with NumPy "2-point", and "3-point" from where
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
        "trust-radius" (More), "nielsen", "marquardt", or a configured rule of
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
    from secant.leastsquares.saved import read_fit

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
    choice = _solver_choice(solver, tr_solver, memory, inner, type(task.x0))
    robust = make_loss(loss, f_scale)
    if x_scale is None and not isinstance(task.structure, Shape):
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
    for name, limit in (("max_nfev", max_nfev), ("max_iter", max_iter)):
        checks.require(limit is None or isinstance(limit, int), name, limit, "an integer or None")
    if max_nfev is not None:
        checks.count("max_nfev", max_nfev)
    if max_seconds is not None:
        checks.positive("max_seconds", max_seconds)
    numeric = isinstance(target, (int, float)) or target is None
    checks.require(numeric, "target", target, "a number")
    stops: list[Stop] = [] if target is None else [Target(float(target))]
    stops += checked_stops(stop)
    stops.append(MaxIterations(max(1000, 100 * n) if max_iter is None else max_iter))
    saved = None if resume is None else read_fit(resume, problem, task.x0)
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


def remembered(make: Callable[..., Made]) -> Callable[..., Made]:
    """``make``, which need not make and check the same frozen configuration again and again."""
    cached = lru_cache(maxsize=64, typed=True)(make)

    def call(*args: Any) -> Made:
        try:
            return cached(*args)
        except TypeError:  # an array, or whatever else cannot be a key
            return make(*args)

    return call


@dataclass(slots=True)
class Given:
    """What the user gave to evaluate."""

    fun: Callable[..., Any]
    jac: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    diff_step: Any
    samples: Any
    memory: int


@dataclass(slots=True)
class FitTask:
    """Residuals in flat form, where they start, and how x looks from outside."""

    residuals: ResidualFunction
    x0: Array
    structure: Structure
    box: Box | None
    counts: Counts
    gradient_error: float = 0.0
    refine: Callable[[], bool] | None = None


def make_task(given: Given, x0: Any, bounds: Any) -> FitTask:
    """The user's residuals in flat form, by the front end that fits ``x0``."""
    if not callable(given.fun):
        raise ValueError(f"fun must be callable, got {given.fun!r}")
    if not isinstance(given.args, tuple):
        given = replace(given, args=(given.args,))
    if isinstance(x0, Iterator):
        x0 = list(x0)
    counts = Counts()
    if "torch" in sys.modules:
        from secant.torch import residuals as front
        from secant.torch.problem import is_parameters

        if is_parameters(x0):
            checks.require(given.jac is None, "jac", given.jac, "None for a module")
            structure: Structure = front.structure_of(x0)
            flat = structure.flat()  # type: ignore[attr-defined]
            box = make_box(bounds, to_numpy(flat))
            return FitTask(
                front.module_residuals(given, x0, structure), flat, structure, box, counts
            )
        if given.jac is None and arrays.is_torch(x0):
            flat = front.flat_start(x0)
            box = make_box(bounds, to_numpy(flat))
            shape = Shape(tuple(x0.shape))
            return FitTask(front.tensor_residuals(given, shape, flat), flat, shape, box, counts)
    x0 = as_start(x0)
    if type(x0) is np.ndarray and x0.dtype.kind in "iub":
        x0 = x0.astype(float)
    if 0 in x0.shape or (type(x0) is np.ndarray and x0.dtype.kind != "f"):
        raise ValueError(f"x0 must hold real numbers, at least one, got {x0!r}")
    flat = arrays.reshape(arrays.copy(x0), (-1,))
    box = make_box(bounds, to_numpy(flat))
    jac = _jacobian(given, flat, box)
    error = (
        jac.relative_error(arrays.eps_of(flat)) if isinstance(jac, (Differences, Refining)) else 0.0
    )
    residuals = ArrayResiduals(
        with_arguments(given.fun, given.args, given.kwargs),
        jac,
        tuple(x0.shape),
        make_samples(given.samples, int(flat.shape[0]), given.memory),
        counts,
        given.memory,
    )
    refine = jac.refine if isinstance(jac, Refining) else None
    return FitTask(residuals, flat, Shape(tuple(x0.shape)), box, counts, error, refine)


@remembered
def make_method(
    method: Any,
    damping: Any,
    x_scale: Any,
    geodesic: Any,
    n: int,
    *tolerances: float | None,
) -> LevenbergMarquardt:
    """A configured method from the front door's arguments; ``tolerances`` are ftol, xtol and gtol."""
    stops = Tolerances(*(0.0 if tolerance is None else tolerance for tolerance in tolerances))
    if isinstance(method, LevenbergMarquardt):
        return method
    checks.require(isinstance(method, str), "method", method, "a name or a LevenbergMarquardt")
    checks.one_of("method", method, METHODS)
    if isinstance(damping, str):
        checks.one_of("damping", damping, DAMPINGS)
        damping = DAMPINGS[damping]
    checks.require(hasattr(damping, "propose"), "damping", damping, "a name or a rule")
    accelerated = Geodesic() if geodesic is True else geodesic or None
    return LevenbergMarquardt(
        Undamped() if method == "gn" else damping,
        make_scaling(x_scale, n),
        stops,
        accelerated,
        name="gauss-newton" if method == "gn" else "lm",
    )


@remembered
def _solver_choice(
    solver: str, tr_solver: str | None, memory: int, inner: InnerStops | None, kind: type
) -> SolverChoice:
    """The solver by its name here or in SciPy, for arrays of a kind."""
    on_host = kind is np.ndarray
    if inner is None:
        inner = InnerStops(method="lsmr" if tr_solver == "lsmr" and on_host else "cg")
    elif inner.method == "lsmr" and not on_host:
        raise ValueError(f"inner must have method='cg' for x0 of type {kind.__name__}")
    return SolverChoice("matrix-free" if tr_solver == "lsmr" else solver, memory, inner)


def _jacobian(given: Given, x0: Array, box: Box | None) -> Any:
    jac = given.jac
    if callable(jac):
        return with_arguments(jac, given.args, given.kwargs)
    if type(x0) is np.ndarray and (jac is None or isinstance(jac, str)):
        if jac == "richardson" and given.samples is not None:
            raise ValueError(
                "jac must not be 'richardson' with samples, whose blocks would take evaluations in "
                "different numbers: use '3-point'"
            )
        differences = Differences(jac or "2-point", given.diff_step, box)
        return Refining(differences) if jac is None else differences
    allowed = (
        "a callable" if type(x0) is not np.ndarray else f"a callable or one of {', '.join(ERRORS)}"
    )
    raise ValueError(f"jac must be {allowed} for x0 of type {type(x0).__name__}, got {jac!r}")


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
