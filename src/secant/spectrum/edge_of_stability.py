"""The edge of stability: the sharpness along a run of gradient descent, against 2 / eta.

On a quadratic ``x+ = x - eta g`` diverges along eigenvectors with ``lambda > 2 / eta``. Networks trained
at a fixed rate sharpen until ``lambda_max`` reaches that line, and then stay near it.

References
----------
.. [1] J. M. Cohen, S. Kaur, Y. Li, J. Z. Kolter, A. Talwalkar, "Gradient descent on neural networks
   typically occurs at the edge of stability", ICLR 2021.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from secant import checks
from secant.arrays import Array, HostArray
from secant.snapshot import Snapshot
from secant.spectrum.lanczos import eigenvalues
from secant.spectrum.operator import Symmetric


class Sharpness(NamedTuple):
    """One look at the Hessian."""

    k: int
    f: float
    sharpness: float


@dataclass
class EdgeOfStability:
    """A callback that follows ``lambda_max`` of the Hessian against ``2 / eta``.

    Parameters
    ----------
    eta : float
        The rate, as in ``GradientDescent(rate=eta)``.
    every : int
        Iterations between two looks.
    rtol : float
        Relative error bound of ``lambda_max``; its error is about the square.
    max_products : int
        Hessian products in one look, which begins where the last one ended.

    Attributes
    ----------
    rows : list of Sharpness
        Iteration, value, sharpness; NaN where the Hessian is not finite.
    limit : float
        ``2 / eta``.

    References
    ----------
    Cohen, Kaur, Li, Kolter & Talwalkar, ICLR 2021.

    Examples
    --------
    >>> import secant
    >>> watch = secant.EdgeOfStability(eta=0.1, every=5)
    >>> method = secant.GradientDescent(rate=0.1)
    >>> result = secant.minimize(lambda x: (x**2).sum(), [1.0, 3.0], method=method, callback=watch)
    >>> round(watch.rows[0].sharpness, 4), watch.limit
    (2.0, 20.0)
    """

    eta: float
    every: int = 10
    rtol: float = 1e-3
    max_products: int = 40
    rows: list[Sharpness] = field(default_factory=list, init=False)
    _top: Array = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        checks.positive("eta", self.eta)
        checks.count("every", self.every)
        checks.positive("rtol", self.rtol)
        checks.count("max_products", self.max_products)

    @property
    def limit(self) -> float:
        """``2 / eta``, beyond which a quadratic diverges."""
        return 2.0 / self.eta

    def __call__(self, snapshot: Snapshot) -> None:
        """Look at the Hessian if it is time to."""
        if snapshot.k % self.every:
            return
        B = Symmetric(snapshot.hvp, snapshot.flat)
        try:
            found = eigenvalues(
                B, rtol=self.rtol, max_products=self.max_products, start=self._start(B)
            )
        except (
            FloatingPointError
        ):  # beyond the edge a run may leave the domain of f, which is its end
            self._top, sharpness = None, math.nan
        else:
            self._top, sharpness = found.top, float(found.largest[0])
        self.rows.append(Sharpness(snapshot.k, snapshot.f, sharpness))

    def __getitem__(self, column: str) -> HostArray:
        """A column, ``"k"``, ``"f"`` or ``"sharpness"``, as a NumPy array."""
        checks.one_of("column", column, Sharpness._fields)
        return np.array([getattr(row, column) for row in self.rows])

    def plot(self) -> Any:
        """Draw sharpness and value over the iterations (needs matplotlib).

        Returns
        -------
        matplotlib.figure.Figure
        """
        from secant.report.edge_of_stability import plot_edge_of_stability

        return plot_edge_of_stability(self)

    def _start(self, B: Symmetric) -> Array:
        """The last eigenvector, with a little of everything else: the largest may be another now."""
        noise = B.vector(np.random.default_rng(0).standard_normal(B.n) / np.sqrt(B.n))
        is_new = self._top is None or self._top.shape != noise.shape  # another run's, of another n
        return noise if is_new else self._top + 0.1 * noise
