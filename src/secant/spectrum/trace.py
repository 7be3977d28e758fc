"""The trace of a matrix from products: Hutchinson's estimate, and Hutch++.

References
----------
.. [1] M. F. Hutchinson, "A stochastic estimator of the trace of the influence matrix", Commun. Stat.
   Simul. Comput. 18 (1989).
.. [2] R. A. Meyer, C. Musco, C. Musco, D. P. Woodruff, "Hutch++: optimal stochastic trace estimation",
   SOSA 2021, algorithm 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from secant import checks
from secant.arrays import HostArray, to_numpy
from secant.spectrum.operator import Symmetric, as_symmetric


@dataclass(frozen=True)
class Trace:
    """An estimated trace.

    Attributes
    ----------
    value : float
    error : float
        Its standard error, as the samples show it; 0 where the trace is exact.
    products : int
    """

    value: float
    error: float
    products: int


def hutchinson(
    B: Any, products: int = 100, *, n: int | None = None, seed: int = 0, like: Any = None
) -> Trace:
    """``tr B = E v'Bv`` for random signs v; the error falls as ``|B|_F sqrt(2 / products)``.

    Parameters
    ----------
    B : array, shape (n, n), operator with ``@``, or callable ``v -> B v``
    products : int
    n, seed, like
        As in `secant.spectrum.density.density`.

    Returns
    -------
    Trace

    References
    ----------
    Hutchinson 1989.

    Examples
    --------
    >>> import numpy as np
    >>> from secant.spectrum.trace import hutchinson
    >>> hutchinson(np.diag([1.0, 2.0, 3.0])).value
    6.0
    """
    checks.count("products", products)
    matrix = as_symmetric(B, n, like)
    rng = np.random.default_rng(seed)
    samples = [_sample(matrix, _signs(rng, matrix.n)) for _ in range(products)]
    return Trace(float(np.mean(samples)), _standard_error(samples), products)


def hutch_plus_plus(
    B: Any, products: int = 100, *, n: int | None = None, seed: int = 0, like: Any = None
) -> Trace:
    """The large eigenvalues exactly, the rest by Hutchinson: error ``1 / products``, not its root.

    With S random and Q an orthonormal basis of ``B S``,

        tr B  =  tr Q'BQ  +  tr (I - QQ') B (I - QQ')

    Parameters
    ----------
    B : array, shape (n, n), operator with ``@``, or callable ``v -> B v``
    products : int
        A third each for ``B S``, ``B Q`` and the samples; at least 3. With ``3 n`` the trace is exact.
    n, seed, like
        As in `secant.spectrum.density.density`.

    Returns
    -------
    Trace

    References
    ----------
    Meyer, Musco, Musco & Woodruff 2021, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from secant.spectrum.trace import hutch_plus_plus
    >>> B = np.diag(10.0 ** -np.arange(50.0))
    >>> abs(hutch_plus_plus(B, 30).value - np.trace(B)) < 1e-8
    np.True_
    """
    checks.count("products", products, 3)
    matrix = as_symmetric(B, n, like)
    rng = np.random.default_rng(seed)
    width = min(products // 3, matrix.n)
    S = np.stack([_times(matrix, _signs(rng, matrix.n)) for _ in range(width)], axis=1)
    Q = _basis(S)
    exact = sum(float(q @ _times(matrix, q)) for q in Q.T)
    if Q.shape[1] == matrix.n:
        return Trace(exact, 0.0, 2 * width)
    samples = []
    for _ in range(products - width - Q.shape[1]):
        v = _signs(rng, matrix.n)
        samples.append(_sample(matrix, v - Q @ (Q.T @ v)))
    return Trace(exact + float(np.mean(samples)), _standard_error(samples), products)


def _signs(rng: np.random.Generator, n: int) -> HostArray:
    return rng.choice([-1.0, 1.0], n)


def _times(B: Symmetric, v: HostArray) -> HostArray:
    product = to_numpy(B @ B.vector(v)).astype(float)
    if not np.isfinite(product).all():
        raise FloatingPointError("a product with B is not finite")
    return product


def _sample(B: Symmetric, v: HostArray) -> float:
    return float(v @ _times(B, v))


def _basis(S: HostArray) -> HostArray:
    """An orthonormal basis of the columns of S, as many as its rank."""
    Q, R, _ = _pivoted_qr(S)
    size = np.abs(np.diag(R))
    basis: HostArray = Q[:, size > S.shape[0] * np.finfo(float).eps * size.max(initial=0.0)]
    return basis


def _pivoted_qr(S: HostArray) -> Any:
    from scipy.linalg import qr

    return qr(S, mode="economic", pivoting=True)


def _standard_error(samples: list[float]) -> float:
    return float(np.std(samples, ddof=1)) / math.sqrt(len(samples)) if len(samples) > 1 else 0.0
