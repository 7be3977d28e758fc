"""Where the time of a small fit goes, secant beside SciPy.

    python -m benchmarks.small_fits

Processor time of one thread in microseconds, medians, all in turn. Fixed is a call that makes no iteration,
but for the first residuals and Jacobian; the user's share is the time of the residuals and Jacobians alone,
as often as secant evaluates them. Straight is one iteration of the calls that no Levenberg-Marquardt method in
Python can do without, the user's among them: what an iteration takes above it are decisions, records and the
parts being parts. secant stops at the cost that SciPy reaches.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy import optimize
from scipy.linalg import blas, lapack

import secant
from benchmarks.curves import Curve, decay, two_peaks
from benchmarks.tables import table

Work = Callable[[], object]


def works(curve: Curve) -> tuple[dict[str, Work], int]:
    """What is timed, and the number of secant's iterations."""
    r, J, start = curve.residuals, curve.jacobian, np.array(curve.start)

    def scipy(method: str) -> Work:
        return lambda: optimize.least_squares(r, start, J, method=method, x_scale="jac")

    goal = (1 + 1e-10) * optimize.least_squares(r, start, J, method="lm", x_scale="jac").cost
    fit = secant.least_squares(r, start, J, target=goal)
    return {
        "secant": lambda: secant.least_squares(r, start, J, target=goal),
        "fixed": lambda: secant.least_squares(r, start, J, max_iter=0),
        "straight": lambda: straight(curve, fit.nit),
        "user": lambda: ([r(start) for _ in range(fit.nfev)], [J(start) for _ in range(fit.njev)]),
        "lm": scipy("lm"),
        "trf": scipy("trf"),
        "leastsq": lambda: optimize.leastsq(r, start, Dfun=J),
    }, fit.nit


def straight(curve: Curve, iterations: int) -> None:
    """Gauss-Newton's iterations by the normal equations, tests of convergence and all safety left out."""
    x = np.array(curve.start)
    r, J = curve.residuals(x.copy()).copy(), curve.jacobian(x.copy())
    for _ in range(iterations):
        A, g = blas.dgemm(1.0, J.T, J.T, trans_b=1), r.dot(J)
        L, _ = lapack.dpotrf(A, 1)
        p = blas.dtrsv(L, blas.dtrsv(L, -g, 1, 0, 1), 1, 0, 1, 1)
        D = np.sqrt(A.diagonal())
        predicted = -blas.ddot(g, p) - 0.5 * blas.ddot(p, blas.dsymv(1.0, A, p, lower=1))
        tried = x + 1e-3 * p
        after = curve.residuals(tried.copy()).copy()
        (blas.ddot(r, r) - blas.ddot(after, after)) / predicted  # the gain ratio
        blas.dnrm2(D * p), blas.dnrm2(D * x), abs(g[blas.idamax(g)])
        x, r, J = tried, after, curve.jacobian(tried.copy())


def medians(given: dict[str, Work], repeats: int = 200) -> dict[str, float]:
    """Microseconds of each, the repeats interleaved."""
    times: dict[str, list[int]] = {name: [] for name in given}
    for _ in range(repeats):
        for name, work in given.items():
            began = time.process_time_ns()
            work()
            times[name].append(time.process_time_ns() - began)
    return {name: statistics.median(taken) / 1e3 for name, taken in times.items()}


def row(curve: Curve) -> list[str]:
    """One line of the table."""
    given, iterations = works(curve)
    found = medians(given)
    each = (found["secant"] - found["fixed"]) / iterations
    return [
        curve.name,
        f"{found['secant']:.0f}",
        f"{found['fixed']:.0f}",
        f"{each:.0f}",
        f"{found['straight'] / iterations:.0f}",
        f"{found['user']:.0f}",
        *(f"{found[peer]:.0f}" for peer in ("lm", "trf", "leastsq")),
        *(f"{found[peer] / found['secant']:.2f}" for peer in ("lm", "trf")),
    ]


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    fits = decay(14, rng), decay(100, rng), two_peaks(30, rng), two_peaks(250, rng)
    head = ["fit", "secant", "fixed", "iteration", "straight", "user's", "lm", "trf", "leastsq"]
    print(table([*head, "lm / secant", "trf / secant"], [row(curve) for curve in fits]))


if __name__ == "__main__":
    main()
