"""The front doors: `minimize`, and `start` for those who step by hand."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from secant import arrays, checks, functions, methods
from secant.functions import Task
from secant.run import Callback, Run
from secant.stopping import GradientBelow, MaxIterations, Stop, Target, Unbounded, checked_stops
from secant.structure import is_nest

if TYPE_CHECKING:
    from secant.result import Result


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...] = (),
    method: Any = "l-bfgs",
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    *,
    gtol: float = 1e-5,
    max_iter: int | None = None,
    max_evals: int | None = None,
    max_seconds: float | None = None,
    target: float | None = None,
    stop: Sequence[Stop] = (),
    callback: Callback | None = None,
    warm_start: Any = None,
) -> Result:
    """Minimise a function of many variables.

    Finds a local minimum of ``f(x)``, starting at ``x0``, until ``max |g_i| <= gtol`` or another stop.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args) -> f``, a real number; with ``jac=True``, ``(f, g)``. ``x`` has the shape of
        ``x0`` and belongs to the function. For a module, ``fun(*args)`` computes the loss from the
        module's parameters and does not call ``backward``.
    x0 : array, nest of arrays, torch.nn.Module or iterable of parameters
        Where to start: a NumPy array (or numbers), a torch tensor, an array of another Array API
        library, or a dict, list or tuple of arrays; dtype and device are kept. With a module, or an
        iterable of parameters, the parameters that require a gradient are the variables, and they
        are left at the best point found.
    args : tuple
        Extra arguments of ``fun``, ``jac``, ``hess`` and ``hessp``.
    method : str or method
        A name of ``secant methods`` (SciPy's spellings are understood), or a configured method such
        as ``secant.LBFGS(memory=20, search=secant.HagerZhang())``.
    jac : callable, True, str or None
        The gradient. A callable ``jac(x, *args) -> g``; True if ``fun`` returns it too; None for
        autograd with torch and forward differences with NumPy; for NumPy also ``"2-point"``,
        ``"3-point"``, ``"richardson"`` (extrapolated) and ``"cs"`` (complex step).
    hess, hessp : callable, optional
        ``hess(x, *args)``, an n x n array, and ``hessp(x, p, *args)``, the Hessian times ``p``, for
        methods and searches that use them.
    bounds : optional
        For methods that support them.
    gtol : float
        Largest absolute gradient component at which the run has converged.
    max_iter, max_evals : int, optional
        Limits on iterations (default ``max(20000, 200 n)``) and evaluations of ``fun``.
    max_seconds : float, optional
        Limit on time, looked at before every evaluation.
    target : float, optional
        Stop when ``f <= target``.
    stop : sequence of callables
        Further stops, ``Snapshot -> Status | None``, such as `NoProgress`.
    callback : callable, optional
        ``callback(snapshot)`` after every iteration and at the start. It sees copies; a true value or
        ``StopIteration`` ends the run.
    warm_start : optional
        A `Result` of the same method whose memory (pairs, matrix) the run begins with.

    Returns
    -------
    Result
        SciPy's names (``x, fun, jac, nit, nfev, success, status, message``) and ``trace``.

    Raises
    ------
    ValueError
        For an argument that makes no sense; failures of the minimisation are statuses, not exceptions.

    Examples
    --------
    >>> import numpy as np
    >>> import secant
    >>> def rosenbrock(x):
    ...     return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
    >>> result = secant.minimize(rosenbrock, np.array([-1.2, 1.0]), method="bfgs", gtol=1e-4)
    >>> result.status.name, np.round(result.x, 3)
    ('GRADIENT', array([1., 1.]))
    """
    run = start(
        fun,
        x0,
        args,
        method,
        jac,
        hess,
        hessp,
        bounds,
        gtol=gtol,
        max_iter=max_iter,
        max_evals=max_evals,
        max_seconds=max_seconds,
        target=target,
        stop=stop,
        callback=callback,
        warm_start=warm_start,
    )
    try:
        return run.finish()
    except BaseException:
        run.restore()
        raise


def start(
    fun: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...] = (),
    method: Any = "l-bfgs",
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    *,
    gtol: float = 1e-5,
    max_iter: int | None = None,
    max_evals: int | None = None,
    max_seconds: float | None = None,
    target: float | None = None,
    stop: Sequence[Stop] = (),
    callback: Callback | None = None,
    warm_start: Any = None,
) -> Run:
    """Begin a minimisation to be stepped by hand; the arguments are those of `minimize`.

    Returns
    -------
    Run

    Examples
    --------
    >>> import secant
    >>> run = secant.start(lambda x: (x**4).sum(), [1.0, 2.0], method="bfgs")
    >>> snapshot = run.step()
    >>> snapshot.k, run.status
    (1, None)
    """
    method = methods.resolve(method)
    _check_support(method, hess, hessp, bounds)
    task = make_task(fun, x0, args, jac, hess, hessp)
    return launch(
        task,
        method,
        task.x0,
        gtol=gtol,
        max_iter=max_iter,
        max_evals=max_evals,
        max_seconds=max_seconds,
        target=target,
        stop=stop,
        callback=callback,
        warm_start=warm_start,
    )


def make_task(fun: Any, x0: Any, args: Any, jac: Any, hess: Any, hessp: Any) -> Task:
    """The user's function as a problem in flat form, by the front end that fits ``x0``."""
    if not callable(fun):
        raise ValueError(f"fun must be callable, got {fun!r}")
    args = args if isinstance(args, tuple) else (args,)
    if isinstance(x0, Iterator):
        x0 = list(x0)
    if "torch" in sys.modules:
        from secant.torch.host import on_host
        from secant.torch.modules import module_task
        from secant.torch.parameters import is_parameters
        from secant.torch.tensors import tensor_task

        if is_parameters(x0):
            _refuse_derivatives(jac, hess, hessp)
            return on_host(module_task(x0, fun, args))
        if jac is None and _all_torch(x0):
            return on_host(tensor_task(x0, fun, jac, hess, hessp, args))
        return on_host(_array_task(fun, x0, args, jac, hess, hessp))
    return _array_task(fun, x0, args, jac, hess, hessp)


def _array_task(fun: Any, x0: Any, args: Any, jac: Any, hess: Any, hessp: Any) -> Task:
    if is_nest(x0):
        return functions.nest_task(x0, fun, jac, hess, hessp, args)
    return functions.array_task(functions.as_start(x0), fun, jac, hess, hessp, args)


def launch(
    task: Task,
    method: Any,
    x0: Any,
    *,
    gtol: float = 1e-5,
    max_iter: int | None = None,
    max_evals: int | None = None,
    max_seconds: float | None = None,
    target: float | None = None,
    stop: Sequence[Stop] = (),
    callback: Callback | None = None,
    warm_start: Any = None,
    state: Any = None,
) -> Run:
    """The run of ``task`` from ``x0``, or from ``state`` where an earlier run was saved."""
    n = task.x0.shape[0]
    stops: list[Stop] = [GradientBelow(gtol), Unbounded(arrays.eps_of(task.x0))]
    if target is not None:
        checks.require(checks.is_number(target), "target", target, "a number")
        stops.append(Target(float(target)))
    stops += checked_stops(stop)
    stops.append(MaxIterations(max(20_000, 200 * n) if max_iter is None else max_iter))
    if max_evals is not None:
        checks.count("max_evals", max_evals)
    if max_seconds is not None:
        checks.positive("max_seconds", max_seconds)
    checks.require(callback is None or callable(callback), "callback", callback, "callable or None")
    return Run(
        task.problem,
        method,
        state,
        task.structure,
        stops,
        max_evals=math.inf if max_evals is None else max_evals,
        max_seconds=math.inf if max_seconds is None else max_seconds,
        callback=callback,
        x0=x0,
        warm_start=warm_start,
    )


def _check_support(method: Any, hess: Any, hessp: Any, bounds: Any) -> None:
    if getattr(method, "needs_residuals", False):
        raise ValueError(
            f"method {method.name!r} needs the residuals of a sum of squares, not the sum: "
            "call secant.least_squares(residuals, x0)"
        )
    if bounds is not None:
        raise ValueError(f"bounds are not supported by {method.name}")
    for name, given in (("hess", hess), ("hessp", hessp)):
        if given is not None and not method.uses_hessian:
            raise ValueError(f"{name} is not used by {method.name}; leave it out")


def _refuse_derivatives(jac: Any, hess: Any, hessp: Any) -> None:
    for name, given in (("jac", jac), ("hess", hess), ("hessp", hessp)):
        if given is not None:
            raise ValueError(f"{name} must be None for a module: autograd gives it, got {given!r}")


def _all_torch(x0: Any) -> bool:
    if isinstance(x0, dict):
        return bool(x0) and all(_all_torch(item) for item in x0.values())
    if isinstance(x0, (list, tuple)):
        return bool(x0) and all(_all_torch(item) for item in x0)
    return arrays.is_torch(x0)
