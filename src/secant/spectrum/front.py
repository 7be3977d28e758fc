"""The front door: `spectrum` of the Hessian of a function, a module, or of any symmetric operator."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from secant import arrays, checks
from secant.arrays import Array, HostArray
from secant.derivatives.task import as_variables, flat_task, hessian_times, undisturbed
from secant.spectrum.density import Density, density
from secant.spectrum.lanczos import Eigenvalues, eigenvalues
from secant.spectrum.operator import Symmetric, as_symmetric
from secant.spectrum.trace import Trace, hutch_plus_plus


@dataclass(frozen=True)
class Spectrum:
    """What is known of a symmetric matrix's eigenvalues.

    Attributes
    ----------
    largest, smallest : array, shape (k,)
        From the top in descending order, from the bottom in ascending order.
    sharpness : float
        The largest eigenvalue, lambda_max.
    condition_number : float
        Of the matrix: ``max |lambda| / min |lambda|`` if all eigenvalues are known; else
        ``lambda_max / lambda_min``, and NaN if that is not positive.
    trace : float
        Exact if all eigenvalues are known, else by Hutch++, with ``trace_error`` its standard error.
    trace_error : float
    density : Density or None
        The whole spectrum, smoothed: ``density(points)``.
    everything : array or None
        All eigenvalues in ascending order, where n is small.
    error : float
        Bound on the errors of ``largest`` and ``smallest``.
    converged : bool
        Whether these are as exact as asked for.
    n : int
    products : int
        Hessian-vector products used.
    top : array, shape (n,)
        Unit eigenvector of the largest eigenvalue.
    """

    largest: HostArray
    smallest: HostArray
    trace: float
    trace_error: float
    density: Density | None
    everything: HostArray | None
    error: float
    converged: bool
    n: int
    products: int
    top: Array = field(repr=False)

    @property
    def sharpness(self) -> float:
        """The largest eigenvalue."""
        return float(self.largest[0])

    @property
    def condition_number(self) -> float:
        """Largest over smallest eigenvalue."""
        if self.everything is not None:
            sizes = np.abs(self.everything)
            return float(sizes.max() / sizes.min()) if sizes.min() > 0.0 else math.inf
        low = float(self.smallest[0])
        return self.sharpness / low if low > 0.0 else math.nan

    @property
    def outliers(self) -> HostArray:
        """The eigenvalues found that stand apart: beyond the bulk by more than its own width."""
        return outliers(self)

    def plot(self) -> Any:
        """Draw density, bulk and outliers (needs matplotlib).

        Returns
        -------
        matplotlib.figure.Figure
        """
        from secant.report.spectrum import plot_spectrum

        return plot_spectrum(self)

    def __repr__(self) -> str:
        def listed(values: HostArray) -> str:
            return ", ".join(f"{value:.6g}" for value in values[:5])

        exactly = "" if self.trace_error == 0.0 else f" +- {self.trace_error:.2g}"
        lines = [
            f"spectrum of a {self.n} x {self.n} matrix, by {self.products} products"
            + ("" if self.converged else " (not converged)"),
            f"    largest: {listed(self.largest)}",
            f"   smallest: {listed(self.smallest)}",
            f"  condition: {self.condition_number:.4g}",
            f"      trace: {self.trace:.6g}{exactly}",
        ]
        return "\n".join(lines)


def spectrum(
    fun: Any,
    x: Any = None,
    args: tuple[Any, ...] = (),
    *,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    n: int | None = None,
    k: int = 10,
    rtol: float = 1e-8,
    max_products: int = 300,
    with_density: bool = True,
    steps: int = 80,
    probes: int = 8,
    trace_products: int = 60,
    seed: int = 0,
) -> Spectrum:
    """Eigenvalues of the Hessian of ``f`` at ``x``, by Hessian-vector products alone.

    Extremes by Lanczos' process with full reorthogonalisation, density by stochastic Lanczos
    quadrature, trace by Hutch++. With ``n <= max_products`` all eigenvalues are found, and trace and
    density are exact.

    Parameters
    ----------
    fun : callable, or matrix or operator
        With ``x``: a function as in `secant.minimize`. Without: the matrix itself, as an array, an
        object with ``@``, or ``v -> B v`` together with ``n``.
    x : array, nest, Module or iterable of Parameter, optional
        Where. A module is left as it is.
    args, jac, hess, hessp
        As in `secant.hvp`.
    n : int, optional
        Number of variables, for a callable ``v -> B v``.
    k : int
        Eigenvalues at each end.
    rtol : float
        Error bound asked for, relative to the largest absolute eigenvalue.
    max_products : int
        For the extremes; so many vectors of length n are kept.
    with_density : bool
        Whether to estimate density and trace where they do not come for nothing.
    steps, probes : int
        Of the density: products for each random vector, random vectors.
    trace_products : int
    seed : int

    Returns
    -------
    Spectrum

    Raises
    ------
    ValueError
        For arguments that make no sense.
    FloatingPointError
        If a product is not finite.

    References
    ----------
    Golub & Van Loan, *Matrix Computations*, algorithm 10.1.1; Lin, Saad & Yang 2016; Meyer et al. 2021.

    Examples
    --------
    >>> import numpy as np
    >>> import secant
    >>> found = secant.spectrum(lambda x: x[0] ** 2 + 50 * x[1] ** 2, [1.0, 1.0], hessp=lambda x, p:
    ...                         np.array([2.0, 100.0]) * p)
    >>> round(found.sharpness, 6), round(found.condition_number, 6)
    (100.0, 50.0)
    """
    for name, number, least in (
        ("k", k, 1),
        ("max_products", max_products, 1),
        ("steps", steps, 1),
        ("probes", probes, 1),
        ("trace_products", trace_products, 3),
        ("seed", seed, 0),
    ):
        checks.count(name, number, least)
    x = as_variables(x)
    with undisturbed(x):
        B = _matrix(fun, x, args, jac, hess, hessp, n)
    wanted = max(k, B.n) if B.n <= max_products else k
    ends = eigenvalues(B, wanted, rtol=rtol, max_products=max_products, seed=seed)
    if ends.everything is not None:
        values = ends.everything
        exact = Density(values, np.full(values.size, 1.0 / values.size), 0, values.size)
        return _spectrum(B, ends, k, exact, Trace(float(values.sum()), 0.0, 0))
    if not with_density:
        return _spectrum(B, ends, k, None, Trace(math.nan, math.nan, 0))
    found = density(B, steps=steps, probes=probes, seed=seed)
    return _spectrum(B, ends, k, found, hutch_plus_plus(B, trace_products, seed=seed))


def outliers(found: Spectrum) -> HostArray:
    """See `Spectrum.outliers`: the bulk is where the middle nine tenths of the spectrum are."""
    if found.density is None:
        return np.array([])
    low, high = _quantiles(found.density, 0.05, 0.95)
    width = high - low
    ends = (
        found.everything if found.everything is not None else np.r_[found.smallest, found.largest]
    )
    apart: HostArray = np.unique(ends[(ends < low - width) | (ends > high + width)])
    return apart


def _quantiles(found: Density, *at: float) -> list[float]:
    order = np.argsort(found.nodes)
    below = np.cumsum(found.weights[order])
    return [float(found.nodes[order][np.searchsorted(below, q)]) for q in at]


def _spectrum(
    B: Symmetric, ends: Eigenvalues, k: int, found: Density | None, trace: Trace
) -> Spectrum:
    return Spectrum(
        ends.largest[:k],
        ends.smallest[:k],
        trace.value,
        trace.error,
        found,
        ends.everything,
        ends.error,
        ends.converged,
        B.n,
        B.products,
        ends.top,
    )


def _matrix(
    fun: Any, x: Any, args: tuple[Any, ...], jac: Any, hess: Any, hessp: Any, n: int | None
) -> Symmetric:
    if x is None:
        return as_symmetric(fun, n, None)
    given: Callable[[Array], Array] | Any
    if _is_torch(x) and jac is None and hess is None and hessp is None:
        from secant.torch.curvature import HessianOperator

        given = HessianOperator(fun, x, args)
        return Symmetric(given, given.example)
    task = flat_task(fun, x, args, jac, hess, hessp)
    point = task.problem.at(task.x0)
    return Symmetric(lambda v: hessian_times(task.problem, point, v), task.x0)


def _is_torch(x: Any) -> bool:
    if "torch" not in sys.modules:
        return False
    from secant.torch.parameters import is_parameters

    return arrays.is_torch(x) or is_parameters(x)
