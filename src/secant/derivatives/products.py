"""Hessian-vector products at one point, without the Hessian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from secant import arrays
from secant.arrays import Array
from secant.derivatives.task import (
    as_variables,
    flat_task,
    hessian_times,
    shape_of,
    undisturbed,
)
from secant.functions import Task
from secant.structure import Nest, Structure, flatten_nest, is_nest, ravel


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
    x = as_variables(x)
    task = flat_task(fun, x, args, jac, hess, hessp)
    with undisturbed(x, task):
        point = task.problem.at(task.x0)
        product = hessian_times(task.problem, point, _vector(task, v))
    return task.structure.nest(product)


def _vector(task: Task, v: Any) -> Array:
    """``v`` as a flat vector like the task's ``x0``."""
    x, structure = task.x0, shape_of(task)
    if is_nest(v):
        leaves, treespec = flatten_nest(v)
        _check_nest(structure, leaves, treespec)
        flat = arrays.reshape(ravel([*map(_like(x), leaves)]), (-1,))
    else:
        given = _like(x)(v)
        flat = arrays.reshape(given, (-1,))
        if flat.shape == x.shape:
            _check_shape(structure, tuple(given.shape))
    if flat.shape[0] != x.shape[0]:
        raise ValueError(f"v must have {x.shape[0]} elements as x has, got {flat.shape[0]}")
    return flat


def _like(x: Array) -> Callable[[Any], Array]:
    """From real numbers to an array of the library, dtype and device of ``x``."""

    def convert(v: Any) -> Array:
        if arrays.is_array(v) and not arrays.namespace(v).isdtype(v.dtype, "complex floating"):
            if type(v) is not type(x):
                return arrays.like(arrays.to_numpy(v), x)
            return arrays.namespace(x).asarray(v, dtype=x.dtype, device=arrays.device(x))
        try:
            host = np.asarray(v)
        except ValueError:  # rows of different lengths
            host = np.array(None)
        if host.dtype.kind not in "fiub":
            raise ValueError(f"v must hold real numbers, got {v!r}")
        return arrays.like(host, x)

    return convert


def _check_shape(structure: Structure, shape: tuple[int, ...]) -> None:
    """A vector stands for any shape; two matrices of different shapes are a transposition."""
    wanted = getattr(structure, "shape", ())
    if len(shape) > 1 and len(wanted) > 1 and shape != wanted:
        raise ValueError(f"v must have the shape {wanted} as x has, got {shape}")


def _check_nest(structure: Structure, leaves: list[Any], treespec: Any) -> None:
    """A nest of other keys or shapes would be read in another order."""
    shapes = tuple(tuple(getattr(leaf, "shape", ())) for leaf in leaves)
    if isinstance(structure, Nest) and (treespec, shapes) != (structure.treespec, structure.shapes):
        raise ValueError(
            "v must be the nest that x is, with the same keys and shapes, "
            f"got {treespec} with the shapes {shapes}"
        )
