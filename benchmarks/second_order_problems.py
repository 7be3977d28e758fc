"""Functions with exact second derivatives, for the comparison with SciPy's Newton's methods.

Five families that grow to any size, written out, and every problem of `secant.problems`, whose Hessians are
torch's derivatives of their gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from benchmarks import suite
from secant import problems
from secant.problems import Objective

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """A function with its derivatives.

    Attributes
    ----------
    name : str
    x0 : array, shape (n,)
    fun, jac : callable
    matrix : callable
        ``x -> B``.
    at : callable
        ``x -> (p -> B p)``.
    standard : array or None
        The standard start, where `x0` is another one.
    """

    name: str
    x0: Vector
    fun: Callable[[Vector], float]
    jac: Callable[[Vector], Vector]
    matrix: Callable[[Vector], Vector]
    at: Callable[[Vector], Callable[[Vector], Vector]]
    standard: Vector | None = None

    @property
    def n(self) -> int:
        """The number of variables."""
        return self.x0.size

    def started_at(self, x0: Vector) -> Problem:
        """The same problem from another start; what a small gradient is stays what it was."""
        return replace(self, x0=x0, standard=self.x0 if self.standard is None else self.standard)


def tridiagonal(
    name: str,
    x0: Vector,
    fun: Callable[[Vector], float],
    jac: Callable[[Vector], Vector],
    bands: Callable[[Vector], tuple[Vector, Vector]],
) -> Problem:
    """A problem by the diagonal of its Hessian and what is beside it."""

    def matrix(x: Vector) -> Vector:
        middle, beside = bands(x)
        B = np.diag(middle)
        k = np.arange(beside.size)
        B[k, k + 1] = B[k + 1, k] = beside
        return B

    def at(x: Vector) -> Callable[[Vector], Vector]:
        middle, beside = bands(x)

        def product(p: Vector) -> Vector:
            Bp = middle * p
            Bp[:-1] += beside * p[1:]
            Bp[1:] += beside * p[:-1]
            return Bp

        return product

    return Problem(f"{name}(n={x0.size})", x0, fun, jac, matrix, at)


def rosenbrock(n: int) -> Problem:
    """A curved valley in all variables, ``sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2``."""

    def bands(x: Vector) -> tuple[Vector, Vector]:
        a, b = x[:-1], x[1:]
        middle = np.zeros(n)
        middle[:-1] = 1200.0 * a * a - 400.0 * b + 2.0
        middle[1:] += 200.0
        return middle, -400.0 * a

    x0 = np.where(np.arange(n) % 2 == 0, -1.2, 1.0)
    return tridiagonal("rosenbrock", x0, optimize.rosen, optimize.rosen_der, bands)


def engval1(n: int) -> Problem:
    """``sum_i (x_i^2 + x_{i+1}^2)^2 - 4 x_i + 3``: easy, and nearly quadratic."""

    def fun(x: Vector) -> float:
        q = x[:-1] ** 2 + x[1:] ** 2
        return float(q @ q + (3.0 - 4.0 * x[:-1]).sum())

    def jac(x: Vector) -> Vector:
        q = x[:-1] ** 2 + x[1:] ** 2
        g = np.zeros(n)
        g[:-1] += 4.0 * q * x[:-1] - 4.0
        g[1:] += 4.0 * q * x[1:]
        return g

    def bands(x: Vector) -> tuple[Vector, Vector]:
        a, b = x[:-1], x[1:]
        q = a * a + b * b
        middle = np.zeros(n)
        middle[:-1] += 4.0 * q + 8.0 * a * a
        middle[1:] += 4.0 * q + 8.0 * b * b
        return middle, 8.0 * a * b

    return tridiagonal("engval1", np.full(n, 2.0), fun, jac, bands)


def wells(n: int) -> Problem:
    """Coupled double wells, ``sum_i (x_i^2 - 1)^2 / 4 + (x_{i+1} - x_i)^2 / 2``, from beside their saddle."""

    def fun(x: Vector) -> float:
        z, d = x * x - 1.0, np.diff(x)
        return float(0.25 * (z @ z) + 0.5 * (d @ d))

    def jac(x: Vector) -> Vector:
        g = (x * x - 1.0) * x
        d = np.diff(x)
        g[:-1] -= d
        g[1:] += d
        return g

    def bands(x: Vector) -> tuple[Vector, Vector]:
        middle = 3.0 * x * x - 1.0
        middle[:-1] += 1.0
        middle[1:] += 1.0
        return middle, -np.ones(n - 1)

    x0 = 0.01 * np.random.default_rng(n).standard_normal(n)
    return tridiagonal("wells", x0, fun, jac, bands)


def ill(n: int) -> Problem:
    """``sum_i i^2 (x_i^2 / 2 + x_i^4 / 4) / n^2`` in coordinates that a reflection has mixed."""
    c = (np.arange(1.0, n + 1.0) / n) ** 2
    v = np.random.default_rng(0).standard_normal(n)
    v /= np.linalg.norm(v)

    def reflect(x: Vector) -> Vector:
        return x - (2.0 * (v @ x)) * v

    def fun(x: Vector) -> float:
        y = reflect(x)
        return float(c @ (0.5 * y * y + 0.25 * y**4))

    def jac(x: Vector) -> Vector:
        y = reflect(x)
        return reflect(c * (y + y**3))

    def matrix(x: Vector) -> Vector:
        Q = np.eye(n) - 2.0 * np.outer(v, v)
        y = reflect(x)
        return Q @ ((c * (1.0 + 3.0 * y * y))[:, None] * Q)

    def at(x: Vector) -> Callable[[Vector], Vector]:
        y = reflect(x)
        middle = c * (1.0 + 3.0 * y * y)
        return lambda p: reflect(middle * reflect(p))

    return Problem(f"ill(n={n})", np.full(n, 1.0), fun, jac, matrix, at)


def logistic(n: int) -> Problem:
    """Logistic regression of ``3 n`` noisy labels with a little weight decay."""
    rng = np.random.default_rng(n)
    X = rng.standard_normal((3 * n, n)) * np.geomspace(1.0, 0.05, n)
    labels = np.where(X @ rng.standard_normal(n) + rng.standard_normal(3 * n) > 0.0, 1.0, -1.0)
    decay, A = 1e-3, labels[:, None] * X

    def fun(w: Vector) -> float:
        return float(np.logaddexp(0.0, -(A @ w)).mean() + 0.5 * decay * (w @ w))

    def half(w: Vector) -> Vector:
        return 0.5 * (1.0 - np.tanh(0.5 * (A @ w)))

    def jac(w: Vector) -> Vector:
        return -(half(w) @ A) / len(A) + decay * w

    def weights(w: Vector) -> Vector:
        s = half(w)
        return s * (1.0 - s) / len(A)

    def matrix(w: Vector) -> Vector:
        return A.T @ (weights(w)[:, None] * A) + decay * np.eye(n)

    def at(w: Vector) -> Callable[[Vector], Vector]:
        d = weights(w)
        return lambda p: (d * (A @ p)) @ A + decay * p

    return Problem(f"logistic(n={n})", np.zeros(n), fun, jac, matrix, at)


FAMILIES = (rosenbrock, engval1, wells, ill, logistic)


def from_objective(objective: Objective) -> Problem:
    """A problem of `secant.problems`; its last Hessian is kept, for products."""
    last: list[Vector] = [np.empty(0), np.empty(0)]

    def matrix(x: Vector) -> Vector:
        if not np.array_equal(last[0], x):
            last[:] = x.copy(), _derivative(objective, x)
        return last[1].copy()

    def at(x: Vector) -> Callable[[Vector], Vector]:
        B = matrix(x)
        return lambda p: B @ p

    def fun(x: Vector) -> float:
        return float(objective(x))

    return Problem(str(objective), objective.start(), fun, objective.gradient, matrix, at)


def _derivative(objective: Objective, x: Vector) -> Vector:
    """The derivative of the gradient."""
    import torch  # takes a second, and the families do without

    with torch.autograd.set_grad_enabled(True):
        B = torch.autograd.functional.jacobian(objective.gradient, torch.from_numpy(x.copy()))
    found: Vector = B.numpy()
    return found


def every_objective() -> list[Problem]:
    """The problems of `secant.problems`, those of variable size in several sizes, none twice."""
    found = {str(one): one for one in (*problems.catalogue(), *suite.more_garbow_hillstrom())}
    return [from_objective(one) for one in found.values()]
