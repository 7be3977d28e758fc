"""Which way to solve: by name, or by size."""

from __future__ import annotations

from dataclasses import dataclass, field

from secant import checks
from secant.leastsquares.guarded import GuardedBuilder
from secant.leastsquares.matrix_free import InnerStops
from secant.leastsquares.normal import GramBuilder
from secant.leastsquares.problem import Solver
from secant.leastsquares.qr import TriangularBuilder

SOLVERS = ("auto", "qr", "cholesky", "matrix-free")
"""What `secant.least_squares` takes as ``solver``."""

_QR_COLUMNS = 64
_QR_WORK = 1e8
"""Up to so many multiplications QR costs milliseconds, and is worth its accuracy."""


@dataclass(frozen=True)
class SolverChoice:
    """A solver for ``m`` residuals and ``n`` variables.

    Parameters
    ----------
    name : str
        One of `SOLVERS`; "auto" is QR for small fits (or what cannot be told from it), Cholesky while
        n x n numbers are a quarter of the memory, matrix-free beyond.
    memory : int
        Bytes.
    inner : InnerStops
        Of the matrix-free solver.
    """

    name: str = "auto"
    memory: int = 2**30
    inner: InnerStops = field(default_factory=InnerStops)

    def __post_init__(self) -> None:
        checks.one_of("solver", self.name, SOLVERS)
        checks.count("memory", self.memory)

    def __call__(self, m: int, n: int, fits: bool) -> Solver:
        """The builder's class, or the inner stops."""
        if self.name == "qr":
            return TriangularBuilder
        if self.name == "cholesky":
            return GramBuilder
        if self.name == "matrix-free" or not fits or 32 * n * n > self.memory:
            return self.inner
        small = n <= _QR_COLUMNS and float(m) * n * n <= _QR_WORK
        return GuardedBuilder if small else GramBuilder
