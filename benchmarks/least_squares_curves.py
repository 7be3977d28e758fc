"""Curve fits by secant and its peers."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import optimize

import secant
from benchmarks.curves import Curve, curves
from benchmarks.least_squares_peers import optimistix_fit
from benchmarks.least_squares_runs import compare


def curve_comparisons(repetitions: int, most: int) -> list[dict[str, Any]]:
    """SciPy's ``lm`` and ``trf`` with exact derivatives, optimistix by JAX."""
    found = []
    for curve in (curve for curve in curves() if curve.x.size <= most):
        start = np.array(curve.start)
        reached = secant.least_squares(curve.residuals, start, curve.jacobian)
        counted = secant.least_squares(
            curve.residuals, start, curve.jacobian, target=reached.cost * (1 + 1e-9)
        )

        def ours(goal: float, curve: Curve = curve, start: np.ndarray = start) -> float:
            fit = secant.least_squares(
                curve.residuals, start, curve.jacobian, target=goal * (1 + 1e-10)
            )
            return float(fit.cost)

        def floor(curve: Curve = curve, start: np.ndarray = start, fit: Any = counted) -> float:
            for _ in range(fit.nfev):
                r = curve.residuals(start)
            for _ in range(fit.njev):
                curve.jacobian(start)
            return 0.5 * float(r @ r)

        for method in ("lm", "trf"):

            def scipy(
                method: Any = method, curve: Curve = curve, start: np.ndarray = start
            ) -> float:
                fit = optimize.least_squares(
                    curve.residuals, start, curve.jacobian, method=method, x_scale="jac"
                )
                return float(fit.cost)

            found.append(compare(curve.name, f"SciPy {method}", scipy, ours, repetitions, floor))
        by_jax = optimistix_fit(curve.model, curve.x, curve.y, start, 0)
        if by_jax is not None:
            found.append(compare(curve.name, "optimistix LM", by_jax, ours, repetitions, floor))
    return found
