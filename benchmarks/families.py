"""Test functions of any number of variables, as in CUTEst, with analytic gradients.

Written from the formulas in the literature; starting points are CUTEst's. They are for NumPy alone, and
their cost is linear in n (that of ``eigenals`` n^1.5).

References
----------
I. Bongartz, A. R. Conn, N. Gould, Ph. L. Toint, *ACM Trans. Math. Softw.* 21 (1995) 123-160.
N. I. M. Gould, D. Orban, Ph. L. Toint, *Comput. Optim. Appl.* 60 (2015) 545-557.
N. Andrei, *Adv. Model. Optim.* 10 (2008) 147-161.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from secant.problems import Objective

Vector = NDArray[np.float64]
Both = Callable[[Vector], tuple[float, Vector]]


@dataclass(frozen=True)
class Joint:
    """A formula whose value and gradient are computed together."""

    both: Both

    def value(self, x: Vector) -> float:
        """Return f(x)."""
        return self.both(x)[0]

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return f(x) and its gradient."""
        return self.both(x)


def objective(name: str, x0: Vector, both: Both, f_star: float | None = None) -> Objective:
    """A problem of this file."""
    return Objective(name, tuple(x0.tolist()), Joint(both), "CUTEst", f_star)


# ------------------------------------------------------------------------------- quartics and worse


def arwhead(n: int) -> Objective:
    """``sum_i (x_i^2 + x_n^2)^2 - 4 x_i + 3``, an arrow-shaped Hessian."""

    def both(x: Vector) -> tuple[float, Vector]:
        head, last = x[:-1], x[-1]
        q = head * head + last * last
        g = np.empty_like(x)
        g[:-1] = 4.0 * q * head - 4.0
        g[-1] = 4.0 * last * q.sum()
        return float(q @ q + (3.0 - 4.0 * head).sum()), g

    return objective("arwhead", np.ones(n), both, 0.0)


def engval1(n: int) -> Objective:
    """``sum_i (x_i^2 + x_{i+1}^2)^2 - 4 x_i + 3``."""

    def both(x: Vector) -> tuple[float, Vector]:
        a, b = x[:-1], x[1:]
        q = a * a + b * b
        g = np.zeros_like(x)
        g[:-1] += 4.0 * q * a - 4.0
        g[1:] += 4.0 * q * b
        return float(q @ q + (3.0 - 4.0 * a).sum()), g

    return objective("engval1", np.full(n, 2.0), both)


def bdqrtic(n: int) -> Objective:
    """``sum_i (3 - 4 x_i)^2 + (x_i^2 + 2 x_{i+1}^2 + 3 x_{i+2}^2 + 4 x_{i+3}^2 + 5 x_n^2)^2``."""

    def both(x: Vector) -> tuple[float, Vector]:
        m = n - 4
        square = x * x
        parts = [(j + 1.0) * square[j : j + m] for j in range(4)]
        q = parts[0] + parts[1] + parts[2] + parts[3] + 5.0 * square[-1]
        line = 3.0 - 4.0 * x[:m]
        g = np.zeros_like(x)
        g[:m] = -8.0 * line
        for j in range(4):
            g[j : j + m] += 4.0 * (j + 1.0) * q * x[j : j + m]
        g[-1] += 20.0 * x[-1] * q.sum()
        return float(line @ line + q @ q), g

    return objective("bdqrtic", np.ones(n), both)


def edensch(n: int) -> Objective:
    """``16 + sum_i (x_i - 2)^4 + (x_i x_{i+1} - 2 x_{i+1})^2 + (x_{i+1} + 1)^2``."""

    def both(x: Vector) -> tuple[float, Vector]:
        a, b = x[:-1] - 2.0, x[1:]
        product = a * b
        g = np.zeros_like(x)
        g[:-1] += 4.0 * a**3 + 2.0 * product * b
        g[1:] += 2.0 * product * a + 2.0 * (b + 1.0)
        return float(16.0 + (a**4).sum() + product @ product + ((b + 1.0) ** 2).sum()), g

    return objective("edensch", np.full(n, 8.0), both)


def quartc(n: int) -> Objective:
    """``sum_i (x_i - i)^4``, whose Hessian vanishes at the solution."""
    centre = np.arange(1.0, n + 1.0)

    def both(x: Vector) -> tuple[float, Vector]:
        z = x - centre
        cube = z**3
        return float(cube @ z), 4.0 * cube

    return objective("quartc", np.full(n, 2.0), both, 0.0)


def power(n: int) -> Objective:
    """``(sum_i i x_i^2)^2``, singular at the solution."""
    i = np.arange(1.0, n + 1.0)

    def both(x: Vector) -> tuple[float, Vector]:
        weighted = i * x
        q = float(weighted @ x)
        return q * q, 4.0 * q * weighted

    return objective("power", np.ones(n), both, 0.0)


def cragglvy(n: int) -> Objective:
    """Extended Cragg and Levy: exponentials, sixth and eighth powers; n even."""

    def both(x: Vector) -> tuple[float, Vector]:
        a, b, c, d = x[0:-2:2], x[1:-2:2], x[2::2], x[3::2]
        e = np.exp(a)
        first, second, third, last = e - b, b - c, np.tan(c - d) + c - d, d - 1.0
        slope = 4.0 * third**3 * (np.tan(c - d) ** 2 + 2.0)
        g = np.zeros_like(x)
        g[0:-2:2] += 4.0 * first**3 * e + 8.0 * a**7
        g[1:-2:2] += -4.0 * first**3 + 600.0 * second**5
        g[2::2] += -600.0 * second**5 + slope
        g[3::2] += -slope + 2.0 * last
        f = (first**4 + 100.0 * second**6 + third**4 + a**8 + last * last).sum()
        return float(f), g

    x0 = np.full(n, 2.0)
    x0[0] = 1.0
    return objective("cragglvy", x0, both)


# -------------------------------------------------------------------------------------- quadratics


def tridia(n: int) -> Objective:
    """``(x_1 - 1)^2 + sum_i i (2 x_i - x_{i-1})^2``."""
    i = np.arange(2.0, n + 1.0)

    def both(x: Vector) -> tuple[float, Vector]:
        r = 2.0 * x[1:] - x[:-1]
        force = 2.0 * i * r
        g = np.zeros_like(x)
        g[0] = 2.0 * (x[0] - 1.0)
        g[1:] += 2.0 * force
        g[:-1] -= force
        return float((x[0] - 1.0) ** 2 + 0.5 * (force @ r)), g

    return objective("tridia", np.ones(n), both, 0.0)


def dqdrtic(n: int) -> Objective:
    """``sum_i x_i^2 + 100 x_{i+1}^2 + 100 x_{i+2}^2``: four eigenvalues."""
    weights = np.zeros(n)
    weights[:-2] += 1.0
    weights[1:-1] += 100.0
    weights[2:] += 100.0

    def both(x: Vector) -> tuple[float, Vector]:
        weighted = weights * x
        return float(weighted @ x), 2.0 * weighted

    return objective("dqdrtic", np.full(n, 3.0), both, 0.0)


def dixon3dq(n: int) -> Objective:
    """``(x_1 - 1)^2 + sum_i (x_i - x_{i+1})^2 + (x_n - 1)^2``, of condition O(n^2)."""

    def both(x: Vector) -> tuple[float, Vector]:
        r = np.diff(x)
        ends = x[[0, -1]] - 1.0
        g = np.zeros_like(x)
        g[1:] += 2.0 * r
        g[:-1] -= 2.0 * r
        g[[0, -1]] += 2.0 * ends
        return float(r @ r + ends @ ends), g

    return objective("dixon3dq", np.full(n, -1.0), both, 0.0)


# ----------------------------------------------------------------------------------------- valleys


def nondia(n: int) -> Objective:
    """``(x_1 - 1)^2 + sum_i 100 (x_1 - x_{i-1}^2)^2``."""

    def both(x: Vector) -> tuple[float, Vector]:
        r = x[0] - x[:-1] ** 2
        g = np.zeros_like(x)
        g[:-1] = -400.0 * r * x[:-1]
        g[0] += 2.0 * (x[0] - 1.0) + 200.0 * r.sum()
        return float((x[0] - 1.0) ** 2 + 100.0 * (r @ r)), g

    return objective("nondia", np.full(n, -1.0), both, 0.0)


def liarwhd(n: int) -> Objective:
    """``sum_i 4 (x_i^2 - x_1)^2 + (x_i - 1)^2``."""

    def both(x: Vector) -> tuple[float, Vector]:
        r, z = x * x - x[0], x - 1.0
        g = 16.0 * r * x + 2.0 * z
        g[0] -= 8.0 * r.sum()
        return float(4.0 * (r @ r) + z @ z), g

    return objective("liarwhd", np.full(n, 4.0), both, 0.0)


def fletchcr(n: int) -> Objective:
    """``sum_i 100 (x_{i+1} - x_i + 1 - x_i^2)^2``, Fletcher's chained valley."""

    def both(x: Vector) -> tuple[float, Vector]:
        a = x[:-1]
        r = x[1:] - a + 1.0 - a * a
        g = np.zeros_like(x)
        g[1:] += 200.0 * r
        g[:-1] -= 200.0 * r * (1.0 + 2.0 * a)
        return float(100.0 * (r @ r)), g

    return objective("fletchcr", np.zeros(n), both, 0.0)


def genrose(n: int) -> Objective:
    """``1 + sum_i 100 (x_i - x_{i-1}^2)^2 + (x_i - 1)^2``, generalised Rosenbrock."""

    def both(x: Vector) -> tuple[float, Vector]:
        a, z = x[:-1], x[1:] - 1.0
        r = x[1:] - a * a
        g = np.zeros_like(x)
        g[1:] += 200.0 * r + 2.0 * z
        g[:-1] -= 400.0 * r * a
        return float(1.0 + 100.0 * (r @ r) + z @ z), g

    return objective("genrose", np.arange(1.0, n + 1.0) / (n + 1.0), both, 1.0)


def woods(n: int) -> Objective:
    """Wood's function repeated for every four variables."""

    def both(x: Vector) -> tuple[float, Vector]:
        a, b, c, d = x[0::4], x[1::4], x[2::4], x[3::4]
        r, s, p, m = b - a * a, d - c * c, b + d - 2.0, b - d
        g = np.empty_like(x)
        g[0::4] = -400.0 * r * a - 2.0 * (1.0 - a)
        g[1::4] = 200.0 * r + 20.0 * p + 0.2 * m
        g[2::4] = -360.0 * s * c - 2.0 * (1.0 - c)
        g[3::4] = 180.0 * s + 20.0 * p - 0.2 * m
        squares = 100.0 * (r @ r) + 90.0 * (s @ s) + 10.0 * (p @ p) + 0.1 * (m @ m)
        return float(squares + ((1.0 - a) ** 2 + (1.0 - c) ** 2).sum()), g

    return objective("woods", np.tile([-3.0, -1.0, -3.0, -1.0], n // 4), both, 0.0)


# ------------------------------------------------------------------------------- waves, many minima


def cosine(n: int) -> Objective:
    """``sum_i cos(x_i^2 - x_{i+1} / 2)``."""

    def both(x: Vector) -> tuple[float, Vector]:
        a = x[:-1]
        angle = a * a - 0.5 * x[1:]
        sine = np.sin(angle)
        g = np.zeros_like(x)
        g[:-1] -= 2.0 * sine * a
        g[1:] += 0.5 * sine
        return float(np.cos(angle).sum()), g

    return objective("cosine", np.ones(n), both, 1.0 - n)


def noncvxu2(n: int) -> Objective:
    """``sum_i y_i^2 + 4 cos y_i`` with ``y_i = x_i + x_{2i-1 mod n} + x_{3i-1 mod n}``."""
    i = np.arange(n)
    second, third = (2 * i + 1) % n, (3 * i + 2) % n

    def both(x: Vector) -> tuple[float, Vector]:
        y = x + x[second] + x[third]
        slope = 2.0 * y - 4.0 * np.sin(y)
        g = slope.copy()
        np.add.at(g, second, slope)
        np.add.at(g, third, slope)
        return float(y @ y + 4.0 * np.cos(y).sum()), g

    return objective("noncvxu2", i + 1.0, both)


def broydn7d(n: int) -> Objective:
    """Broyden's tridiagonal function with powers 7/3 and links across half the variables; n even."""
    half = n // 2

    def both(x: Vector) -> tuple[float, Vector]:
        r = (3.0 - 2.0 * x) * x + 1.0
        r[1:] -= x[:-1]
        r[:-1] -= x[1:]
        link = x[:half] + x[half:]
        force, pull = _power_slope(r), _power_slope(link)
        g = force * (3.0 - 4.0 * x)
        g[:-1] -= force[1:]
        g[1:] -= force[:-1]
        g[:half] += pull
        g[half:] += pull
        return float((np.abs(r) ** (7.0 / 3.0)).sum() + (np.abs(link) ** (7.0 / 3.0)).sum()), g

    return objective("broydn7d", np.ones(n), both)


def _power_slope(r: Vector) -> Vector:
    """The derivative of ``|r|^(7/3)``."""
    return 7.0 / 3.0 * np.sign(r) * np.abs(r) ** (4.0 / 3.0)


# --------------------------------------------------------- discretised equations and matrix equations


def morebv(n: int) -> Objective:
    """A boundary value problem: ``r_i = 2 x_i - x_{i-1} - x_{i+1} + h^2 (x_i + t_i + 1)^3 / 2``."""
    h = 1.0 / (n + 1.0)
    t = h * np.arange(1.0, n + 1.0)

    def both(x: Vector) -> tuple[float, Vector]:
        z = x + t + 1.0
        r = 2.0 * x + 0.5 * h * h * z**3
        r[1:] -= x[:-1]
        r[:-1] -= x[1:]
        g = (2.0 + 1.5 * h * h * z * z) * r
        g[1:] -= r[:-1]
        g[:-1] -= r[1:]
        return float(r @ r), 2.0 * g

    return objective("morebv", t * (t - 1.0), both, 0.0)


def eigenals(k: int) -> Objective:
    """Eigenvalues D and eigenvectors Q of ``A = diag(1 ... k)`` by least squares; n = k (k + 1).

    ``|Q' D Q - A|^2 + |Q' Q - I|^2`` over the upper triangles.
    """
    A, upper = np.diag(np.arange(1.0, k + 1.0)), np.triu(np.ones((k, k)))

    def both(x: Vector) -> tuple[float, Vector]:
        D, Q = x[:k], x[k:].reshape(k, k)
        R = upper * ((Q.T * D) @ Q - A)
        S = upper * (Q.T @ Q - np.eye(k))
        g = np.empty_like(x)
        QR = Q @ (R + R.T)
        g[:k] = (QR * Q).sum(axis=1)
        g[k:] = (2.0 * (D[:, None] * QR + Q @ (S + S.T))).ravel()
        return float((R * R).sum() + (S * S).sum()), g

    return objective("eigenals", np.concatenate([np.ones(k), np.eye(k).ravel()]), both, 0.0)


DIXMAAN = {
    "a": (1.0, 0.0, 0.125, 0.125, 0, 0),
    "d": (1.0, 0.26, 0.26, 0.26, 0, 0),
    "h": (1.0, 0.26, 0.26, 0.26, 1, 1),
    "l": (1.0, 0.26, 0.26, 0.26, 2, 2),
}
"""alpha, beta, gamma, delta and the powers of i / n in the first and the last sum."""


def dixmaan(letter: str, n: int) -> Objective:
    """One of Dixon and Maany's functions; n a multiple of 3.

    ``1 + sum alpha x_i^2 (i/n)^k + beta x_i^2 (x_{i+1} + x_{i+1}^2)^2 + gamma x_i^2 x_{i+m}^4
    + delta x_i x_{i+2m} (i/n)^l``, with ``m = n / 3``.
    """
    alpha, beta, gamma, delta, k, l = DIXMAAN[letter]
    m = n // 3
    part = np.arange(1.0, n + 1.0) / n
    first, last = alpha * part**k, delta * part[:m] ** l

    def both(x: Vector) -> tuple[float, Vector]:
        square = x * x
        a, b = square[:-1], x[1:] + square[1:]
        near, far = square[: 2 * m], square[m:]
        g = 2.0 * first * x
        g[:-1] += 2.0 * beta * x[:-1] * b * b
        g[1:] += 2.0 * beta * a * b * (1.0 + 2.0 * x[1:])
        g[: 2 * m] += 2.0 * gamma * x[: 2 * m] * far * far
        g[m:] += 4.0 * gamma * near * far * x[m:]
        g[:m] += last * x[2 * m :]
        g[2 * m :] += last * x[:m]
        f = first @ square + beta * (a @ (b * b)) + gamma * (near @ (far * far))
        return float(1.0 + f + (last * x[:m]) @ x[2 * m :]), g

    return objective(f"dixmaan{letter}", np.full(n, 2.0), both, 1.0)


# -------------------------------------------------------------------------------------- collections

CHAINS: tuple[Callable[[int], Objective], ...] = (
    arwhead,
    engval1,
    bdqrtic,
    edensch,
    quartc,
    power,
    cragglvy,
    tridia,
    dqdrtic,
    dixon3dq,
    nondia,
    liarwhd,
    fletchcr,
    genrose,
    woods,
    cosine,
    noncvxu2,
    broydn7d,
    morebv,
)
"""Families of any n that is a multiple of 4."""


def families(n: int) -> list[Objective]:
    """Every family with about n variables."""
    size = max(4, n - n % 4)
    side = max(2, round((n + 0.25) ** 0.5 - 0.5))
    triple = max(3, n - n % 3)
    dixmaans = [partial(dixmaan, letter)(triple) for letter in DIXMAAN]
    return [*[build(size) for build in CHAINS], *dixmaans, eigenals(side)]
