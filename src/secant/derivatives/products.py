"""Hessian-vector products at one point, without the Hessian."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from secant import arrays
from secant.arrays import Array, eps_of, norm_inf, read, step_along
from secant.functions import Task, ravel
from secant.problem import Point, Problem
from secant.structure import flatten_nest


def hvp(
    fun: Callable[..., Any],
    x: Any,
    v: Any,
    args: tuple[Any, ...] = (),
    *,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
) -> Any:
    """The Hessian of ``f`` at ``x`` times ``v``, at the cost of about one gradient.

    For torch by Pearlmutter's product, exact to round-off:

        B v = d/dt g(x + t v) at t = 0 = d(g'v)/dx

    For other arrays by ``hessp`` or ``hess`` where given, else by centred differences of the gradient,
    ``(g(x + h v) - g(x - h v)) / 2h`` with ``h = eps^(1/3)``, correct to about ``eps^(2/3)``.

    Parameters
    ----------
    fun, x, args, jac, hess, hessp
        As ``fun, x0, args, jac, hess, hessp`` of `secant.minimize`: NumPy callables, functions of torch
        tensors, modules, nests. Without ``jac``, NumPy gradients are differences too, and the
        product correct to about seven digits.
    v : like ``x``
        In the shape of ``x``, or flat; for a module a flat vector of all its parameters.

    Returns
    -------
    like ``x``
        ``B v`` in the shape of ``x``; flat for a module.

    Raises
    ------
    ValueError
        If ``v`` does not have as many elements as ``x``.

    References
    ----------
    .. [1] B. A. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Comput. 6 (1994).

    Examples
    --------
    >>> import numpy as np
    >>> import secant
    >>> def f(x):
    ...     return x[0] ** 2 * x[1]
    >>> def g(x):
    ...     return np.array([2 * x[0] * x[1], x[0] ** 2])
    >>> secant.hvp(f, [1.0, 2.0], [1.0, 0.0], jac=g)
    array([4., 2.])
    """
    task = flat_task(fun, x, args, jac, hess, hessp)
    point = task.problem.at(task.x0)
    product = hessian_times(task.problem, point, _vector(task, v))
    task.structure.present(task.x0)
    return task.structure.nest(product)


def flat_task(fun: Any, x: Any, args: Any, jac: Any, hess: Any = None, hessp: Any = None) -> Task:
    """The user's function in flat form; NumPy gradients are centred differences if not given."""
    from secant.minimize import make_task  # the front doors import each other at call time only

    if jac is None and not differentiates(x):
        jac = "3-point"
    return make_task(fun, x, args, jac, hess, hessp)


def hessian_times(problem: Problem, point: Point, v: Array) -> Array:
    """``B v``: the problem's own product, or a centred difference of gradients."""
    if problem.has_products:
        return problem.hvp(point, v)
    size_x, size_v = read(norm_inf(point.x), norm_inf(v))
    if size_v == 0.0:
        return v
    error = max(problem.gradient_error, eps_of(point.x))
    h = math.cbrt(error) * max(1.0, size_x) / size_v
    above, below = (problem.at(step_along(point.x, t, v)).g for t in (h, -h))
    return (above - below) / (2.0 * h)


def differentiates(x: Any) -> bool:
    """Whether the library of ``x`` finds gradients itself: torch's tensors and modules."""
    if isinstance(x, dict):
        return any(differentiates(item) for item in x.values())
    if isinstance(x, (list, tuple)):
        return any(differentiates(item) for item in x)
    return arrays.is_torch(x) or hasattr(x, "parameters")


def _vector(task: Task, v: Any) -> Array:
    """``v`` as a flat vector like the task's ``x0``."""
    x = task.x0
    in_a_nest = isinstance(v, dict) or (isinstance(v, (list, tuple)) and arrays.is_array(v[0]))
    if in_a_nest:
        flat = ravel(flatten_nest(v)[0])
    else:
        flat = v if arrays.is_array(v) else arrays.like(v, x)
    flat = arrays.reshape(flat, (-1,))
    if type(flat) is not type(x):
        flat = arrays.like(arrays.to_numpy(flat), x)
    if flat.shape[0] != x.shape[0]:
        raise ValueError(f"v must have {x.shape[0]} elements as x has, got {flat.shape[0]}")
    return arrays.namespace(x).astype(flat, x.dtype, copy=False)
