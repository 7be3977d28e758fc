"""Damped linear least squares by products ``J v`` and ``J'u`` alone, for more variables than fit n x n.

Conjugate gradients on ``(J'J + lambda D^2) p = -J'r``, preconditioned by the diagonal ``D``, in the form
that keeps what is left of ``r``, not of ``J'r``, and so loses fewer digits [1]_. Or LSMR, which minimises
the gradient's length over the same Krylov spaces and works on ``J`` without squaring its condition [2]_; by
SciPy, on NumPy's arrays. Residuals on torch have conjugate gradients alone.

Steps are solved the more accurately the closer r is to a right angle with the columns of J [3]_. What they
leave out are the directions in which J is small, and without these a step is short whether the fit has
converged or not. So that is judged by a step of its own, solved to many digits or not used at all.

References
----------
.. [1] A. Bjorck, *Numerical Methods for Least Squares Problems* (1996), Algorithm 7.4.1; A. Bjorck,
   T. Elfving, Z. Strakos, "Stability of Conjugate Gradient and Lanczos Methods for Linear Least Squares
   Problems", *SIAM J. Matrix Anal. Appl.* 19 (1998).
.. [2] D. C.-L. Fong, M. Saunders, "LSMR: An Iterative Algorithm for Sparse Least-Squares Problems",
   *SIAM J. Sci. Comput.* 33 (2011).
.. [3] R. S. Dembo, S. C. Eisenstat, T. Steihaug, "Inexact Newton Methods", *SIAM J. Numer. Anal.* 19
   (1982), Theorem 3.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from secant import checks
from secant.arrays import Array, HostArray, dot, eps_of, like

_TINY = 1e-300

_LEAST = 1e-8
"""No step needs a smaller tolerance, but for the one by which convergence is judged: that has none,"""

_PATIENCE = 10
"""so many times the products of other steps, and if they do not do it is not judged."""

_ROUNDING = 10.0
"""``J't`` is so many ``eps |J_j| |t|`` wrong."""

_PROBES = 4
"""Products with random signs by which the columns' norms are estimated."""

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
        Reduction of ``|D^-1 ((J'J + lambda D^2) p + g)|``; or the largest cosine of r with a column of J,
        where that is less: then convergence is quadratic if r tends to zero [3]_.
    max_iter : int
        Products with ``J`` and ``J'`` at most; ten times as many to judge whether the fit has converged.
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
    column_norms : array, shape (n,), optional
        ``|J e_j|``; estimated if they are not known.
    """

    floor = 1e-14

    def __init__(
        self,
        forward: Forward,
        backward: Backward,
        r: Array,
        inner: InnerStops,
        column_norms: HostArray | None = None,
    ) -> None:
        self.forward = forward
        self.backward = backward
        self.r = r
        self.inner = inner
        self.g: HostArray = backward(r)
        self.length_r = math.sqrt(float(dot(r, r)))
        if column_norms is None:
            column_norms = _estimated_norms(backward, r)
        self.column_norms: HostArray = column_norms

    def factor(self, damping: float, scale: HostArray) -> KrylovFactor:
        """The iteration that solves it; `Model.factor`."""
        rtol = min(self.inner.rtol, max(_LEAST, self._cosine()))
        return KrylovFactor(self, damping, scale, rtol, self.inner.max_iter)

    def judging_step(self, scale: HostArray) -> HostArray | None:
        """The step without damping, as accurate as rounding lets it be; None if that takes too long."""
        factor = KrylovFactor(self, 0.0, scale, 0.0, _PATIENCE * self.inner.max_iter)
        p = factor.solve()
        return p if factor.is_solved else None

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
        return Products(
            forward,
            lambda u: self.backward(u)[free],
            displaced,
            self.inner,
            self.column_norms[free],
        )

    def covariance(self) -> None:
        """Not to be had from products."""

    def _cosine(self) -> float:
        """The largest ``|J_j'r| / |J_j| |r|``."""
        sizes = self.column_norms * self.length_r
        seen = sizes > 0.0
        return float(np.max(np.abs(self.g[seen]) / sizes[seen], initial=0.0))


class KrylovFactor:
    """`Factor` by an iteration instead of a factorisation.

    Parameters
    ----------
    model : Products
    damping : float
    scale : array, shape (n,)
    rtol : float
        Reduction of ``|D^-1 ((J'J + lambda D^2) p + g)|``.
    max_iter : int

    Attributes
    ----------
    is_solved : bool
        Whether the last solution is as accurate as asked for, or as rounding lets it be.
    """

    def __init__(
        self, model: Products, damping: float, scale: HostArray, rtol: float, max_iter: int
    ) -> None:
        self.model = model
        self.damping = damping
        self.scale = scale
        self.rtol = rtol
        self.max_iter = max_iter
        self.is_solved = False

    def solve(self) -> HostArray:
        """``p`` up to the inner tolerance, from ``p = 0``; every iterate lowers the model."""
        if self.model.inner.method == "lsmr":
            return self._by_lsmr()
        return self._by_conjugate_gradients(-self.model.g, -self.model.r, 0.0)

    def inverse_norm2(self, v: HostArray) -> float:
        """``v' (J'J + lambda D^2)^-1 v``, approximately and from below."""
        return float(v @ self.correction(v))

    def correction(self, v: HostArray) -> HostArray:
        """``(J'J + lambda D^2)^-1 v``."""
        return self._by_conjugate_gradients(v, 0.0 * self.model.r, v)

    def _by_conjugate_gradients(self, s: HostArray, t: Array, rest: HostArray | float) -> HostArray:
        """``p`` with ``s = rest + J't - lambda D^2 p = 0``, given ``s`` and ``t`` where ``p = 0``."""
        model, D2 = self.model, self.scale**2
        ridge, p = self.damping * D2, np.zeros_like(s)
        d = q = s / D2
        rho = float(s @ q)
        goal = max(self.rtol**2 * rho, self._rounding() ** 2)
        for _ in range(self.max_iter):
            if not goal < rho < math.inf:
                break
            Jd = model.forward(d)
            curvature = float(dot(Jd, Jd)) + float(d @ (ridge * d))
            if not 0.0 < curvature < math.inf:
                break
            alpha = rho / curvature
            p += alpha * d
            t = t - alpha * Jd
            s = rest + model.backward(t) - ridge * p
            q = s / D2
            rho, before = float(s @ q), rho
            d = q + (rho / before) * d
        self.is_solved = rho <= goal
        return p

    def _rounding(self) -> float:
        """Below that ``|D^-1 J't|`` is nothing but the rounding of ``t``."""
        sizes = self.model.column_norms / self.scale
        error = _ROUNDING * eps_of(self.model.r) * self.model.length_r
        return error * math.sqrt(float(sizes @ sizes))

    def _by_lsmr(self) -> HostArray:
        """LSMR for ``J D^-1 (D p) = -r``, damped by ``sqrt(lambda)``."""
        from scipy.sparse.linalg import LinearOperator, lsmr  # a quarter of a second to import

        model, D = self.model, self.scale
        shape = int(model.r.shape[0]), D.size
        A = LinearOperator(
            shape,
            matvec=lambda z: model.forward(z.reshape(-1) / D),
            rmatvec=lambda u: model.backward(u.reshape(-1)) / D,
            dtype=float,
        )
        steepest = model.g / D
        size = math.sqrt(float(steepest @ steepest))
        along = math.sqrt(model.length2(steepest / D)) / max(size, _TINY)  # |A| along A'r
        # its test is |A'r_k| <= atol |A| |r_k|: at the start the fraction is size / (|A| |r|)
        atol = self.rtol * size / max(along * model.length_r, _TINY)
        atol = max(atol, _ROUNDING * eps_of(model.r))
        z, stopped = lsmr(
            A,
            -np.asarray(model.r, dtype=float),
            damp=math.sqrt(self.damping),
            atol=atol,
            btol=0.0,
            conlim=0.0,
            maxiter=self.max_iter,
        )[:2]
        self.is_solved = stopped != _LSMR_LIMIT
        p: HostArray = z / D
        return p


_LSMR_LIMIT = 7
"""SciPy's number for an iteration that was cut short."""


def _estimated_norms(backward: Backward, r: Array) -> HostArray:
    """Root mean squares of ``J'u`` over some u of random signs, whose squares have the mean ``|J e_j|^2``."""
    random = np.random.default_rng(0)
    signs = (random.integers(2, size=int(r.shape[0])) * 2.0 - 1.0 for _ in range(_PROBES))
    squares: HostArray = np.mean([backward(like(u, r)) ** 2 for u in signs], axis=0)
    return np.sqrt(squares)
