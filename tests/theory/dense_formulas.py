"""Textbook formulas on dense float64 matrices, and pairs to apply them to."""

from __future__ import annotations

from typing import Any

import numpy as np

from secant.pair import SecantPair
from secant.problem import Problem

Matrix = Any


def update_B(B: Matrix, s: Matrix, y: Matrix, phi_bfgs: float = 1.0) -> Matrix:
    """Hessian form: ``phi_bfgs`` of BFGS (N&W 6.19) and the rest of DFP (N&W 6.13)."""
    n, Bs, sy = len(s), B @ s, s @ y
    bfgs = B - np.outer(Bs, Bs) / (s @ Bs) + np.outer(y, y) / sy
    V = np.eye(n) - np.outer(y, s) / sy
    dfp = V @ B @ V.T + np.outer(y, y) / sy
    return phi_bfgs * bfgs + (1.0 - phi_bfgs) * dfp


def update_H(H: Matrix, s: Matrix, y: Matrix, phi: float, tau: float = 1.0) -> Matrix:
    """Inverse form: ``phi`` of BFGS (N&W 6.17) and the rest of DFP (N&W 6.15), scaled by ``1 / tau``."""
    Hy, sy = H @ y, s @ y
    v = np.sqrt(y @ Hy) * (s / sy - Hy / (y @ Hy))
    return (H - np.outer(Hy, Hy) / (y @ Hy) + phi * np.outer(v, v)) / tau + np.outer(s, s) / sy


def random_spd(rng: Any, n: int, kappa: float = 100.0) -> Matrix:
    """A symmetric positive definite matrix with eigenvalues from 1 to kappa."""
    Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    A = (Q * np.geomspace(1.0, kappa, n)) @ Q.T
    return 0.5 * (A + A.T)


def random_pair(rng: Any, n: int) -> tuple[Matrix, Matrix]:
    """``s`` and ``y`` with ``s'y > 0``."""
    s, y = rng.standard_normal((2, n))
    return (s, y) if s @ y > 0.0 else (s, -y)


def pair_of(s: Matrix, y: Matrix, Bs: Matrix = None, g: Matrix = None) -> SecantPair:
    """The library's pair of ``s`` and ``y``, taken as a step from the gradient ``g``."""
    problem = Problem(lambda x: (0.0, lambda: x))
    before = g if g is not None else (np.zeros_like(s) if isinstance(s, np.ndarray) else 0.0 * s)
    start, end = problem.known(0.0 * s, 0.0, before), problem.known(s, 0.0, before + y)
    slope = float(before @ s)
    return SecantPair(1.0, s, start, end, slope, Bs)


def point_at(x: Matrix, g: Matrix = None) -> Any:
    """A point where the gradient is ``g``."""
    return Problem(lambda x: (0.0, lambda: x)).known(x, 0.0, x if g is None else g)
