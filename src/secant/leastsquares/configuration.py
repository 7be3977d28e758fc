"""From the words of the front door to a configured method."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from secant import checks
from secant.leastsquares.damping import (
    Automatic,
    Damping,
    Marquardt,
    Nielsen,
    TrustRadius,
    Undamped,
    WithMomentum,
)
from secant.leastsquares.levenberg_marquardt import Geodesic, LevenbergMarquardt, Tolerances
from secant.leastsquares.matrix_free import InnerStops
from secant.leastsquares.scaling import make_scaling
from secant.leastsquares.solvers import SolverChoice

Made = TypeVar("Made")

METHODS = ("lm", "levenberg-marquardt", "trf", "dogbox", "gn")
"""Levenberg-Marquardt by its own name and by SciPy's (with bounds or without), and Gauss-Newton."""

DAMPINGS: dict[str, Damping] = {
    "auto": Automatic(),
    "trust-radius": TrustRadius(),
    "nielsen": Nielsen(),
    "marquardt": Marquardt(),
    "momentum": WithMomentum(),
}


def remembered(make: Callable[..., Made]) -> Callable[..., Made]:
    """``make``, which need not make and check the same frozen configuration again and again."""
    cached = lru_cache(maxsize=64, typed=True)(make)

    def call(*args: Any) -> Made:
        try:
            return cached(*args)
        except TypeError:  # an array, or whatever else cannot be a key
            return make(*args)

    return call


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
def make_solver_choice(
    solver: str, tr_solver: str | None, memory: int, inner: InnerStops | None, kind: type
) -> SolverChoice:
    """The solver by its name here or in SciPy, for arrays of a kind."""
    on_host = kind is np.ndarray
    if inner is None:
        inner = InnerStops(method="lsmr" if tr_solver == "lsmr" and on_host else "cg")
    elif inner.method == "lsmr" and not on_host:
        raise ValueError(f"inner must have method='cg' for x0 of type {kind.__name__}")
    return SolverChoice("matrix-free" if tr_solver == "lsmr" else solver, memory, inner)
