"""What the user wants to be fitted, in flat form, by the front end that suits where it starts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from secant import arrays, checks
from secant.arrays import Array, to_numpy
from secant.counts import Counts
from secant.derivatives.differences import ERRORS
from secant.functions import as_start
from secant.leastsquares.bounds import Box, make_box
from secant.leastsquares.evaluation import ResidualFunction
from secant.leastsquares.functions import ArrayResiduals, make_samples, with_arguments
from secant.leastsquares.jacobian import Differences, Refining
from secant.structure import Shape, Structure


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
    if type(x0) is not np.ndarray and "torch" in sys.modules:
        from secant.torch import residuals as front
        from secant.torch.parameters import is_parameters

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
