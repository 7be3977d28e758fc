"""An orthonormal basis of the span of some long rows, known by their products with one another alone.

    D W W' D = P U'U P',   Q = U^-T (P' D W)[:r],   Q Q' = I

with ``D`` one over the rows' lengths and a Cholesky factorisation that takes the row which is farthest from the
span of those before it next, and ends after ``r`` rows, when the others lie in that span to round-off. ``Q``
is never formed: what lies in the span is worked on in its ``r`` coordinates, on the host and in double
precision, and comes and goes in one pass over the rows each.

References
----------
Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., section 10.3 (complete pivoting); Burdakov,
Gong, Zikrin & Yuan, *Math. Program. Comput.* 9, 101 (2017) (limited-memory matrices in such coordinates).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from secant.arrays import HostArray
from secant.curvature.factor import lapack


@cache
def _upper(n: int) -> HostArray:
    """Ones in the upper triangle: a product with them takes a third of the time of NumPy's ``triu``."""
    return np.triu(np.ones((n, n)))


@dataclass(slots=True)
class Span:
    """The basis ``Q``, by the rows that it is made of.

    Attributes
    ----------
    picked : array of int, shape (r,)
        Rows of which the basis is made.
    reciprocals : array, shape (r,)
        One over the lengths of those rows.
    U : array, shape (r, r)
        Upper triangle: ``U'U`` are the products of the rows divided by their lengths.
    rows : array, shape (r, k)
        ``Q W'``: the coordinates of all rows, zero for those that were left out.
    """

    picked: HostArray
    reciprocals: HostArray
    U: HostArray
    rows: HostArray

    @classmethod
    def empty(cls, count: int) -> Span:
        """That of no row at all, of ``count``."""
        return cls(np.zeros(0, dtype=int), np.zeros(0), np.zeros((0, 0)), np.zeros((0, count)))

    @classmethod
    def of(cls, gram: HostArray, order: HostArray, tol: float) -> Span:
        """The span of the rows in ``order``, those named first preferred.

        Parameters
        ----------
        gram : array, shape (k, k)
            Products of all rows.
        order : array of int
            Rows to be looked at; those whose square is zero or not finite are left out.
        tol : float
            Rows whose squared distance from the span is no larger, relative to their square, lie in it.
        """
        squares = gram.diagonal()[order]
        order = order[(squares > 0.0) & (squares < np.inf)]
        if not len(order):
            return cls.empty(len(gram))
        lengths = np.sqrt(gram.diagonal()[order])
        cosines = gram[order[:, None], order] / lengths[:, None] / lengths
        factor, pivots, r, _ = lapack().dpstrf(cosines, tol)
        pivoted = pivots - 1
        order, lengths = order[pivoted], lengths[pivoted]
        U = (factor * _upper(len(order)))[:r]
        rows = np.zeros((r, len(gram)))
        rows[:, order] = U * lengths
        return cls(order[:r], 1.0 / lengths[:r], U[:, :r].copy(order="F"), rows)

    @property
    def rank(self) -> int:
        """The number ``r`` of coordinates."""
        return len(self.picked)

    def coordinates(self, products: HostArray) -> HostArray:
        """``Q v`` from ``W v``."""
        if not self.rank:
            return np.zeros(0)
        chosen = self.reciprocals * products[self.picked]
        return lapack().dtrtrs(self.U, chosen, 0, 1)[0]  # type: ignore[no-any-return]

    def weights(self, coordinates: HostArray) -> HostArray:
        """The ``w`` with ``W'w = Q'c``."""
        w = np.zeros(self.rows.shape[1])
        if self.rank:
            w[self.picked] = self.reciprocals * lapack().dtrtrs(self.U, coordinates, 0, 0)[0]
        return w
