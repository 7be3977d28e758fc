"""Is a gradient, a Jacobian or a Hessian right? `check_gradient`, `check_jacobian`, `check_hessian`.

Each is compared with extrapolated differences at several points: where the user says, where a short
minimisation from there ends (small gradients show errors that large ones hide), and around.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from secant import arrays, checks
from secant.arrays import Array, HostArray, like, to_numpy
from secant.derivatives.comparison import Extent, compare
from secant.derivatives.task import (
    as_variables,
    differentiates,
    flat_start,
    flat_task,
    hessian_times,
    shape_of,
    undisturbed,
)
from secant.derivatives.values import as_numbers
from secant.derivatives.verdict import Check as Check
from secant.derivatives.verdict import CheckedPoint as CheckedPoint
from secant.derivatives.verdict import Verdict as Verdict
from secant.functions import Task

_SHORT_RUN = 50
"""Iterations that may lead near an optimum."""


def check_gradient(
    fun: Callable[..., Any],
    x: Any,
    jac: Any = None,
    args: tuple[Any, ...] = (),
    *,
    points: int = 5,
    components: int = 200,
    seed: int = 0,
) -> Check:
    """Compare a gradient with differences of the function.

    The relative error of a component is ``(|g_i - d_i| - e_i) / max(|g_i|, |d_i|)``, where ``d_i`` is the
    extrapolated centred difference and ``e_i`` its own estimated error.

    Parameters
    ----------
    fun, x, jac, args
        As ``fun, x0, jac, args`` of `secant.minimize`: NumPy callables with their gradient, functions
        of torch tensors and modules (whose gradient is autograd's, when ``jac`` is left out), nests.
    points : int
        Points to look at: ``x``, where a short minimisation from ``x`` ends, and random ones around.
    components : int
        So many components at most, chosen at random, are looked at in each point.
    seed : int
        Of the random points.

    Returns
    -------
    Check
        True if nothing speaks against the gradient; its repr tells the rest.

    Raises
    ------
    ValueError
        If there is no gradient to check.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., section 8.1; Ridders 1982.

    Examples
    --------
    >>> import numpy as np
    >>> import secant
    >>> check = secant.check_gradient(lambda x: (x**3).sum(), [1.0, 2.0], jac=lambda x: 3 * x**2)
    >>> check.verdict.name
    'RIGHT'
    >>> def wrong(x):
    ...     return 3 * x**2 * [1.0, 1.1]
    >>> check = secant.check_gradient(lambda x: (x**3).sum(), [1.0, 2.0], jac=wrong)
    >>> check.verdict.name, check.component
    ('WRONG', (1,))
    """
    x = as_variables(x)
    _require_gradient(jac, x)
    task, extent = flat_task(fun, x, args, jac), Extent(points, components, seed)

    def given(at: Array, chosen: HostArray) -> HostArray:
        return _doubles(task.problem.at(at).g)[chosen]

    def value(at: Array) -> HostArray:
        return np.asarray(task.problem.at(at).f)

    with undisturbed(x, task):
        near = _near_optimum(fun, x, args, jac, task) if points > 1 else None
        shape = getattr(shape_of(task), "shape", None)
        return compare("gradient", task.x0, given, value, near, extent, shape)


def check_hessian(
    fun: Callable[..., Any],
    x: Any,
    hess: Any = None,
    jac: Any = None,
    args: tuple[Any, ...] = (),
    *,
    hessp: Any = None,
    points: int = 5,
    components: int = 50,
    seed: int = 0,
) -> Check:
    """Compare a Hessian, or Hessian-vector products, with differences of the gradient.

    Parameters
    ----------
    fun, x, hess, jac, args, hessp
        As in `secant.minimize`; ``jac`` is needed for NumPy, and trusted (see `check_gradient`). One
        of ``hess`` and ``hessp`` is checked; for torch without both autograd's products.
    points, seed
        As in `check_gradient`.
    components : int
        So many columns at most.

    Returns
    -------
    Check

    Raises
    ------
    ValueError
        If there is no Hessian or no gradient, or there are two.

    Examples
    --------
    >>> import numpy as np
    >>> import secant
    >>> def g(x):
    ...     return 4 * x**3
    >>> def wrong(x):
    ...     return np.diag(12 * x**2 + [0.0, 1.0])
    >>> check = secant.check_hessian(lambda x: (x**4).sum(), [1.0, 2.0], hess=wrong, jac=g)
    >>> check.verdict.name, check.component
    ('WRONG', (1, 1))
    """
    x = as_variables(x)
    _require_gradient(jac, x)
    if hess is None and hessp is None:
        _require_autograd("hess", hess, x)
    if hess is not None and hessp is not None:
        raise ValueError(f"hessp must be None where hess is given: one is checked, got {hessp!r}")
    task = flat_task(fun, x, args, jac, hess, hessp)
    problem, extent = task.problem, Extent(points, components, seed)

    def given(at: Array, chosen: HostArray) -> HostArray:
        point = problem.at(at)
        if hess is not None:  # as it is: a method would take its symmetric part
            return _doubles(problem.given_hessian(point))[:, chosen]
        units = np.eye(at.shape[0])[chosen]
        products = [hessian_times(problem, point, like(unit, at)) for unit in units]
        return np.stack([_doubles(product) for product in products], axis=-1)

    def gradient(at: Array) -> HostArray:
        return _doubles(problem.at(at).g)

    with undisturbed(x, task):
        near = _near_optimum(fun, x, args, jac, task) if points > 1 else None
        return compare("Hessian", task.x0, given, gradient, near, extent)


def check_jacobian(
    fun: Callable[..., Any],
    x: Any,
    jac: Any = None,
    args: tuple[Any, ...] = (),
    *,
    points: int = 5,
    components: int = 50,
    seed: int = 0,
) -> Check:
    """Compare the Jacobian of a vector-valued function with differences of the function.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)``, an array of m numbers in any shape.
    x : array
        Of NumPy, torch or another Array API library, or numbers.
    jac : callable, optional
        ``jac(x, *args)``, m x n numbers in any shape; autograd's for torch when left out.
    args, points, seed
        As in `check_gradient`; there is no optimum to come near.
    components : int
        So many columns at most.

    Returns
    -------
    Check

    Examples
    --------
    >>> import numpy as np
    >>> import secant
    >>> def r(x):
    ...     return np.array([x[0] * x[1], x[0] + x[1]])
    >>> def J(x):
    ...     return np.array([[x[1], x[0]], [1.0, -1.0]])
    >>> check = secant.check_jacobian(r, [1.0, 2.0], J)
    >>> check.verdict.name, check.component
    ('WRONG', (1, 1))
    """
    if jac is None:
        _require_autograd("jac", jac, x)
        from secant.torch.jacobian import autograd_jacobian

        jac = autograd_jacobian(fun)
    checks.require(callable(fun), "fun", fun, "callable")
    checks.require(callable(jac), "jac", jac, "a callable")
    extent = Extent(points, components, seed)
    args = args if isinstance(args, tuple) else (args,)
    flat, shape = flat_start(x)

    def own(at: Array) -> Array:
        return arrays.reshape(arrays.copy(at), shape)

    def values(at: Array) -> HostArray:
        return as_numbers("fun", fun(own(at), *args)).reshape(-1).astype(float)

    def given(at: Array, chosen: HostArray) -> HostArray:
        J, m, n = as_numbers("jac", jac(own(at), *args)), values(at).size, at.shape[0]
        if m * n != J.size:
            raise ValueError(f"jac must return an ({m}, {n}) array, got shape {J.shape}")
        return J.reshape(m, n).astype(float)[:, chosen]

    checks.require(values(flat).size > 0, "fun", fun, "a function of at least one value")
    return compare("Jacobian", flat, given, values, None, extent)


def _near_optimum(fun: Any, x: Any, args: Any, jac: Any, task: Task) -> Array | None:
    """Where a short minimisation ends; it may go wrong in any way that a wrong gradient leads it."""
    from secant.methods import LBFGS
    from secant.minimize import launch

    fresh = flat_task(fun, x, args, jac)
    largest = fresh.problem.at(fresh.x0).optimality
    if not 0.0 < largest < math.inf:
        return None
    small = math.sqrt(arrays.eps_of(fresh.x0)) * largest  # half of the digits are left to compare
    run = launch(
        fresh, LBFGS(), fresh.x0, gtol=small, max_iter=_SHORT_RUN, max_evals=4 * _SHORT_RUN
    )
    with np.errstate(all="ignore"):  # nobody has asked for the places where it looks
        while run.status is None:
            try:
                run.step()
            except (ArithmeticError, ValueError):  # so `math` says that f's domain ends there
                break
    return run.best.x if run.best.is_finite else None


def _doubles(x: Array) -> HostArray:
    return np.array(to_numpy(x), dtype=float)


def _require_gradient(jac: Any, x: Any) -> None:
    """There is a gradient that is no difference: a callable, ``fun``'s own, or autograd's."""
    if not (jac is True or callable(jac)):
        _require_autograd("jac", jac, x)


def _require_autograd(name: str, given: Any, x: Any) -> None:
    if given is not None or not differentiates(x):
        raise ValueError(f"{name} must be what is to be checked, a callable, got {given!r}")
