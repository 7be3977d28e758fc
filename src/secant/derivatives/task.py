"""The user's function in flat form, as the front doors to derivatives and spectra want it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from secant import arrays, functions
from secant.arrays import Array
from secant.derivatives.hessians import centred_product
from secant.functions import Task
from secant.point import Point
from secant.problem import Problem
from secant.structure import Structure


def flat_task(fun: Any, x: Any, args: Any, jac: Any, hess: Any = None, hessp: Any = None) -> Task:
    """The user's function in flat form; NumPy gradients are centred differences if not given."""
    from secant.minimize import make_task  # the front doors import each other at call time only

    if jac is None and not differentiates(x):
        jac = "3-point"
    with _calling_it_x():
        return make_task(fun, x, args, jac, hess, hessp)


def flat_start(x: Any) -> tuple[Array, tuple[int, ...]]:
    """An array, or numbers, as a new flat vector, and the shape."""
    with _calling_it_x():
        return functions.flat_start(functions.as_start(x))


@contextmanager
def _calling_it_x() -> Iterator[None]:
    """What is called x0 where something starts there is x here, in sentences too."""
    try:
        yield
    except ValueError as error:
        raise ValueError(str(error).replace("x0", "x")) from None


def hessian_times(problem: Problem, point: Point, v: Array) -> Array:
    """``B v``: the problem's own product, or a centred difference of gradients."""
    return problem.hvp(point, v) if problem.has_products else centred_product(problem, point, v)


def shape_of(task: Task) -> Structure:
    """How the variables look to the user: one array of some shape, a nest, a module."""
    seen: Structure = getattr(task.structure, "tensors", task.structure)
    return seen


def as_variables(x: Any) -> Any:
    """``x``, and of an iterator, such as that of a module's parameters, a list."""
    return list(x) if isinstance(x, Iterator) else x


def differentiates(x: Any) -> bool:
    """Whether the library of ``x`` finds gradients itself: torch's tensors and modules."""
    if isinstance(x, dict):
        return any(differentiates(item) for item in x.values())
    if isinstance(x, (list, tuple)):
        return any(differentiates(item) for item in x)
    return arrays.is_torch(x) or hasattr(x, "parameters")


@contextmanager
def undisturbed(x: Any, task: Task | None = None) -> Iterator[None]:
    """Leave a module as it was: its buffers, and the parameters that are the task's variables."""
    start = None if task is None else arrays.copy(task.x0)
    buffers = list(x.buffers()) if "torch" in sys.modules and hasattr(x, "buffers") else []
    kept = [buffer.detach().clone() for buffer in buffers]
    try:
        yield
    finally:
        if task is not None:
            task.structure.present(start)
        for buffer, before in zip(buffers, kept, strict=True):
            buffer.data.copy_(before)
