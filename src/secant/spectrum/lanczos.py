"""Lanczos' process with full reorthogonalisation, and the eigenvalues it finds.

    B Q = Q T + beta_m q_{m+1} e_m',      T = tridiag(beta, alpha, beta),      Q'Q = I

References
----------
.. [1] G. H. Golub, C. F. Van Loan, *Matrix Computations*, 4th ed., algorithm 10.1.1 and section 10.3.
.. [2] B. N. Parlett, *The Symmetric Eigenvalue Problem*, SIAM (1998), section 13.2 (the residual bound)
   and section 6.9 ("twice is enough").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from secant import checks
from secant.arrays import Array, HostArray, dot, eps_of, norm_two, read, zeros
from secant.spectrum.operator import Symmetric, as_symmetric


class Lanczos:
    """A tridiagonal matrix that grows by one row with every product.

    Orthogonalising once loses the orthogonality that the process lives on as soon as an eigenvalue
    has converged, and copies of it appear; every new vector is made orthogonal to all others, twice.

    Parameters
    ----------
    B : Symmetric
    start : array, shape (n,)
        The first vector, of any length.
    most : int
        Rows to make room for, at most n.

    Attributes
    ----------
    alpha, beta : list of float
        Diagonal, and what stands beside it; ``beta[-1]`` couples to the next vector.
    """

    def __init__(self, B: Symmetric, start: Array, most: int) -> None:
        self._B = B
        self._Q = zeros((min(most, B.n), B.n), start)
        self._rng = np.random.default_rng(1)
        self.alpha: list[float] = []
        self.beta: list[float] = []
        self._next: Array = start / _norm(start)
        self._scale = 0.0

    @property
    def is_full(self) -> bool:
        """Whether there is room for another row."""
        return len(self.alpha) == int(self._Q.shape[0])

    def step(self) -> None:
        """One product, one row.

        Raises
        ------
        FloatingPointError
            If the product is not finite.
        """
        k = len(self.alpha)
        self._Q[k, :] = self._next
        w = self._B @ self._next
        (alpha,) = read(dot(w, self._next))
        if not math.isfinite(alpha):
            raise FloatingPointError("a product with B is not finite")
        w = self._orthogonal(w, k + 1)
        beta = _norm(w)
        self._scale = max(self._scale, abs(alpha), beta)
        if beta <= 10.0 * self._B.n * eps_of(w) * self._scale:  # an invariant subspace is complete
            beta, self._next = 0.0, self._fresh(k + 1)
        else:
            self._next = w / beta
        self.alpha.append(alpha)
        self.beta.append(beta)

    def ritz(self) -> tuple[HostArray, HostArray]:
        """Eigenvalues of T in ascending order, and its eigenvectors as columns."""
        from scipy.linalg import eigh_tridiagonal

        values, vectors = eigh_tridiagonal(self.alpha, self.beta[:-1])
        return values, vectors

    def vector(self, s: HostArray) -> Array:
        """``Q s``, the vector of B that belongs to the vector ``s`` of T."""
        return self._B.vector(s) @ self._Q[: s.size, :]

    def _orthogonal(self, w: Array, k: int) -> Array:
        Q = self._Q[:k, :]
        for _ in range(2):
            w = w - (Q @ w) @ Q
        return w

    def _fresh(self, k: int) -> Array:
        """A new direction, where the old ones have found all that they can reach."""
        if k == self._B.n:
            return self._next
        while True:
            w = self._B.vector(self._rng.standard_normal(self._B.n))
            w = self._orthogonal(w / _norm(w), k)
            if _norm(w) > 10.0 * self._B.n * eps_of(w):
                return w / _norm(w)


@dataclass(frozen=True)
class Eigenvalues:
    """Eigenvalues from both ends of a spectrum.

    Attributes
    ----------
    largest : array, shape (k,)
        In descending order.
    smallest : array, shape (k,)
        In ascending order.
    error : float
        Largest error bound of them, ``|beta_m s_mi|`` [2]_.
    converged : bool
        Whether all are as exact as asked for.
    products : int
        Products with B.
    everything : array or None
        All n eigenvalues in ascending order, if the process went through.
    top : array, shape (n,)
        Unit eigenvector of the largest eigenvalue.
    """

    largest: HostArray
    smallest: HostArray
    error: float
    converged: bool
    products: int
    everything: HostArray | None
    top: Array


def eigenvalues(
    B: Any,
    k: int = 1,
    *,
    n: int | None = None,
    rtol: float = 1e-8,
    max_products: int = 300,
    seed: int = 0,
    start: Array | None = None,
) -> Eigenvalues:
    """The k largest and the k smallest eigenvalues of a symmetric matrix, from products alone.

    Parameters
    ----------
    B : array, shape (n, n), operator with ``@``, or callable ``v -> B v``
    k : int
        Eigenvalues at each end, each found once whatever its multiplicity, unless the process goes
        through: all n when ``max_products >= n`` and they do not settle sooner.
    n : int, optional
        Size, for a callable.
    rtol : float
        Error bound asked for, relative to the largest absolute eigenvalue. The error of an eigenvalue is
        about the square of its bound.
    max_products : int
        Limit on the products, and on the vectors of length n that are kept.
    seed : int
        Of the random first vector.
    start : array, shape (n,), optional
        Another first vector, such as an eigenvector of a matrix nearby.

    Returns
    -------
    Eigenvalues

    Raises
    ------
    ValueError
        For a matrix that is not symmetric, products that are no vectors, and other wrong arguments.
    FloatingPointError
        If a product is not finite.

    References
    ----------
    Golub & Van Loan, *Matrix Computations*, algorithm 10.1.1; Parlett 1998, sections 6.9 and 13.2.

    Examples
    --------
    >>> import numpy as np
    >>> from secant.spectrum.lanczos import eigenvalues
    >>> eigenvalues(np.diag([1.0, 2.0, 5.0, 7.0]), 2).largest.round(9)
    array([7., 5.])
    """
    checks.count("k", k)
    checks.count("max_products", max_products)
    checks.positive("rtol", rtol)
    matrix = as_symmetric(B, n, start)
    checks.count("seed", seed, 0)
    if start is None:
        start = _gaussian(matrix, np.random.default_rng(seed))
    elif tuple(start.shape) != (matrix.n,) or not 0.0 < _norm(start) < math.inf:
        raise ValueError(
            f"start must be a finite vector of {matrix.n} numbers, not all 0, got {start}"
        )
    process = Lanczos(matrix, start, max_products)
    k = min(k, matrix.n)
    while True:
        process.step()
        m = len(process.alpha)
        looks = process.is_full or (m >= 2 * k and (m < 8 or m % 4 == 0))
        if not looks:  # the eigenvectors of T cost m^3
            continue
        values, vectors = process.ritz()
        ends = np.r_[: min(k, m), max(0, m - k) : m]
        bounds = np.abs(process.beta[-1] * vectors[-1, ends])
        scale = float(np.abs(values).max())
        complete = m == matrix.n
        error = 0.0 if complete else float(bounds.max())
        settled = process.beta[-1] > 0.0 and error <= rtol * scale
        if complete or settled or process.is_full:
            return Eigenvalues(
                values[::-1][:k].copy(),
                values[:k].copy(),
                error,
                complete or settled,
                m,
                values if complete else None,
                process.vector(vectors[:, -1]),
            )


def _gaussian(B: Symmetric, rng: np.random.Generator) -> Array:
    return B.vector(rng.standard_normal(B.n))


def _norm(v: Array) -> float:
    (square,) = read(dot(v, v))
    return norm_two(v, square)


__all__ = ["Eigenvalues", "Lanczos", "eigenvalues"]
