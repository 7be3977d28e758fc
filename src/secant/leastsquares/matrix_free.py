"""Damped linear least squares by products ``J v`` and ``J'u`` alone, for more variables than fit n x n.

Conjugate gradients on ``(J'J + lambda D^2) p = -J'r``, preconditioned by the diagonal ``D``, with the
curvature along ``d`` taken as ``|J d|^2``, which cannot turn negative by rounding [1]_. Or LSMR, which
minimises the gradient's length over the same Krylov spaces and works on ``J`` without squaring its
condition [2]_; by SciPy, on NumPy's arrays. Residuals on torch have conjugate gradients alone.

References
----------
.. [1] C. C. Paige, M. A. Saunders, "LSQR", *ACM TOMS* 8 (1982), section 7.1; A. Bjorck, *Numerical
   Methods for Least Squares Problems* (1996), Algorithm 7.4.1.
.. [2] D. C.-L. Fong, M. Saunders, "LSMR: An Iterative Algorithm for Sparse Least-Squares Problems",
   *SIAM J. Sci. Comput.* 33 (2011).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from secant import checks
from secant.arrays import Array, HostArray, dot

_TINY = 1e-300

Forward = Callable[[HostArray], Array]
"""v, on the host, to ``J v``, where the residuals live."""

Backward = Callable[[Array], HostArray]
"""u, where the residuals live, to ``J'u``, on the host."""


@dataclass(frozen=True)
class InnerStops:
    """When the inner iteration is accurate enough.

    Parameters
    ----------
    rtol : float
        Reduction of ``|D^-1 ((J'J + lambda D^2) p + g)|``.
    max_iter : int
        Products with ``J`` and ``J'`` at most.
    method : str
        "cg", or "lsmr" for NumPy's arrays.
    """

    rtol: float = 1e-2
    max_iter: int = 200
    method: str = "cg"

    def __post_init__(self) -> None:
        checks.one_of("method", self.method, ("cg", "lsmr"))
        checks.between("rtol", self.rtol, 0.0, 1.0)
        checks.count("max_iter", self.max_iter)


class Products:
    """The model as products with ``J``.

    Parameters
    ----------
    forward, backward : callable
        ``J v`` and ``J'u``.
    r : array, shape (m,)
    inner : InnerStops
    """

    floor = 1e-14

    def __init__(self, forward: Forward, backward: Backward, r: Array, inner: InnerStops) -> None:
        self.forward = forward
        self.backward = backward
        self.r = r
        self.inner = inner
        self.g: HostArray = backward(r)
        # The columns' own norms are not to be had from products; this is the size of J along g.
        size = math.sqrt(self.length2(self.g) / max(float(self.g @ self.g), _TINY))
        self.column_norms: HostArray = np.full_like(self.g, size)

    def factor(self, damping: float, scale: HostArray) -> Iteration:
        """The iteration that solves it; `Model.factor`."""
        return Iteration(self, damping, scale)

    def length2(self, p: HostArray) -> float:
        """``|J p|^2``."""
        Jp = self.forward(p)
        return float(dot(Jp, Jp))

    def restrict(self, free: HostArray, p: HostArray) -> Products:
        """Products with the columns ``free``; `Model.restrict`."""

        def forward(v: HostArray) -> Array:
            whole = np.zeros(free.size)
            whole[free] = v
            return self.forward(whole)

        displaced = self.r
        if p[~free].any():
            displaced = self.r + self.forward(np.where(free, 0.0, p))
        return Products(forward, lambda u: self.backward(u)[free], displaced, self.inner)

    def covariance(self) -> None:
        """Not to be had from products."""


class Iteration:
    """`Factor` by conjugate gradients: an iteration instead of a factorisation."""

    def __init__(self, model: Products, damping: float, scale: HostArray) -> None:
        self.model = model
        self.damping = damping
        self.scale = scale

    def solve(self) -> HostArray:
        """``p`` up to the inner tolerance, from ``p = 0``; every iterate lowers the model."""
        if self.model.inner.method == "lsmr":
            return self._by_lsmr()
        return self.correction(-self.model.g)

    def _by_lsmr(self) -> HostArray:
        """LSMR for ``J D^-1 (D p) = -r``, damped by ``sqrt(lambda)``."""
        from scipy.sparse.linalg import LinearOperator, lsmr  # a quarter of a second to import

        model, D, inner = self.model, self.scale, self.model.inner
        shape = int(model.r.shape[0]), D.size
        A = LinearOperator(
            shape,
            matvec=lambda z: model.forward(z.reshape(-1) / D),
            rmatvec=lambda u: model.backward(u.reshape(-1)) / D,
            dtype=float,
        )
        steepest = model.g / D
        size, length_r = math.sqrt(steepest @ steepest), math.sqrt(float(dot(model.r, model.r)))
        along = math.sqrt(model.length2(steepest / D)) / max(size, _TINY)  # |A| along A'r
        # its test is |A'r_k| <= atol |A| |r_k|: at the start the fraction is size / (|A| |r|)
        atol = inner.rtol * size / max(along * length_r, _TINY)
        z = lsmr(
            A,
            -np.asarray(model.r, dtype=float),
            damp=math.sqrt(self.damping),
            atol=atol,
            btol=0.0,
            conlim=0.0,
            maxiter=inner.max_iter,
        )[0]
        p: HostArray = z / D
        return p

    def inverse_norm2(self, v: HostArray) -> float:
        """``v' (J'J + lambda D^2)^-1 v``, approximately and from below."""
        return float(v @ self.correction(v))

    def correction(self, v: HostArray) -> HostArray:
        """``(J'J + lambda D^2)^-1 v``."""
        model, D2 = self.model, self.scale**2
        p, s = np.zeros_like(v), v.copy()
        q = s / D2
        rho = float(s @ q)
        goal = model.inner.rtol**2 * rho
        d = q
        for _ in range(model.inner.max_iter):
            if not goal < rho < math.inf:
                break
            Jd = model.forward(d)
            curvature = float(dot(Jd, Jd)) + self.damping * float(d @ (D2 * d))
            if not 0.0 < curvature < math.inf:
                break
            alpha = rho / curvature
            p += alpha * d
            s -= alpha * (model.backward(Jd) + self.damping * D2 * d)
            q = s / D2
            rho, before = float(s @ q), rho
            d = q + (rho / before) * d
        return p
