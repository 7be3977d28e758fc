"""The spectral density of a symmetric matrix by stochastic Lanczos quadrature.

For a random unit vector v, the eigenvalues ``theta_i`` of Lanczos' tridiagonal matrix and the squares
``omega_i`` of the first components of its eigenvectors are Gauss' quadrature for the spectrum seen by v:

    v' f(B) v  =  sum_i omega_i f(theta_i)  for polynomials f up to degree 2m - 1

The average over vectors estimates ``tr f(B) / n``, and with a Gaussian for f the density.

References
----------
.. [1] L. Lin, Y. Saad, C. Yang, "Approximating spectral densities of large matrices", SIAM Rev. 58
   (2016), section 3.2.
.. [2] S. Ubaru, J. Chen, Y. Saad, "Fast estimation of tr(f(A)) via stochastic Lanczos quadrature",
   SIAM J. Matrix Anal. Appl. 38 (2017).
.. [3] B. Ghorbani, S. Krishnan, Y. Xiao, "An investigation into neural net optimization via Hessian
   eigenvalue density", ICML 2019.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from secant import checks
from secant.arrays import HostArray
from secant.spectrum.lanczos import Lanczos
from secant.spectrum.operator import as_symmetric


@dataclass(frozen=True)
class Density:
    """A spectral density as nodes and weights.

    Attributes
    ----------
    nodes, weights : array, shape (probes * steps,)
        Ritz values of all probes, and what fraction of the spectrum each stands for; the weights sum
        to one.
    probes : int
        Random vectors.
    n : int
        Size of the matrix.
    """

    nodes: HostArray
    weights: HostArray
    probes: int
    n: int

    def __call__(self, at: npt.ArrayLike, width: float | None = None) -> HostArray:
        """Density at the points ``at``, smoothed by a Gaussian of standard deviation ``width``.

        Parameters
        ----------
        at : array_like
        width : float, optional
            1 % of the spectrum's range when left out.
        """
        if width is not None:
            checks.positive("width", width)
        sigma = self.width if width is None else width
        z = (np.asarray(at, dtype=float)[..., None] - self.nodes) / sigma
        density: HostArray = np.exp(-0.5 * z**2) @ self.weights / (sigma * np.sqrt(2.0 * np.pi))
        return density

    @property
    def width(self) -> float:
        """1 % of the range of the nodes."""
        return 0.01 * float(np.ptp(self.nodes)) or 0.01 * max(1.0, float(np.abs(self.nodes).max()))

    def trace(self, f: Callable[[HostArray], HostArray] = np.asarray) -> float:
        """Estimate of ``tr f(B)``; of the trace itself when ``f`` is left out."""
        return self.n * float(np.sum(self.weights * f(self.nodes)))

    def fraction(self, low: float, high: float) -> float:
        """The fraction of eigenvalues between ``low`` and ``high``."""
        inside = (self.nodes >= low) & (self.nodes <= high)
        return float(self.weights[inside].sum())

    def __repr__(self) -> str:
        return (
            f"Density({self.probes} probes, nodes from {self.nodes.min():.4g} "
            f"to {self.nodes.max():.4g})"
        )


def density(
    B: Any,
    *,
    n: int | None = None,
    steps: int = 80,
    probes: int = 8,
    seed: int = 0,
    like: Any = None,
) -> Density:
    """Spectral density by stochastic Lanczos quadrature.

    Parameters
    ----------
    B : array, shape (n, n), operator with ``@``, or callable ``v -> B v``
        Symmetric.
    n : int, optional
        Size, for a callable.
    steps : int
        Products for each random vector: the resolution, about ``range / steps``.
    probes : int
        Random vectors: the error of each weight is about ``1 / sqrt(n probes)``.
    seed : int
    like : array, shape (n,), optional
        A vector of the kind that a callable takes; NumPy's when left out.

    Returns
    -------
    Density

    References
    ----------
    Lin, Saad & Yang 2016, section 3.2; Ubaru, Chen & Saad 2017, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from secant.spectrum.density import density
    >>> found = density(np.diag(np.linspace(0.0, 1.0, 200)), probes=20)
    >>> round(found.fraction(0.0, 0.5), 1)
    0.5
    """
    checks.count("steps", steps)
    checks.count("probes", probes)
    checks.count("seed", seed, 0)
    matrix = as_symmetric(B, n, like)
    rng = np.random.default_rng(seed)
    nodes, weights = [], []
    for _ in range(probes):
        process = Lanczos(matrix, matrix.vector(rng.choice([-1.0, 1.0], matrix.n)), steps)
        while not process.is_full:
            process.step()
            if process.beta[-1] == 0.0:  # the vector sees no more of the spectrum
                break
        theta, vectors = process.ritz()
        nodes.append(theta)
        weights.append(vectors[0] ** 2 / probes)
    return Density(np.concatenate(nodes), np.concatenate(weights), probes, matrix.n)
