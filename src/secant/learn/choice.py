"""Which method ``auto`` trains a network with.

The costs of one iteration, with ``n`` weights and ``m`` residuals or rows, decide: a gradient takes
``~ m n`` operations, a step of Levenberg-Marquardt ``~ m n min(m, n)``, a dense quasi-Newton update
``~ n^2``, and an update of L-BFGS next to nothing. The better a method knows the curvature, the fewer
iterations it needs; Levenberg-Marquardt knows it well where the residuals are small. Where the lines
are drawn was measured by ``python -m benchmarks.choice``, ``benchmarks.classes`` and
``benchmarks.early_stopping``; `docs/choosing.md` has the tables.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

__all__ = ["Candidate", "Circumstances", "available_memory", "choose"]

SQUARES_WEIGHTS, SQUARES_RATIO = 100, 10
"""Most weights for Levenberg-Marquardt, and least residuals per weight: among that many, noise cancels in
the part of the Hessian that the method leaves out."""

FITTED_RESIDUALS, FITTED_PENALTY = 500, 0.1
"""Most residuals, and the largest penalty (in scikit-learn's units, ``l2 m``), for Levenberg-Marquardt with
as many weights: they can all be fitted, and near a perfect fit Gauss and Newton agree. Not where a validation
loss ends the training: a few long steps pass by the weights that predict best, many short ones do not."""

DENSE_WEIGHTS = 2_000
"""Most weights for a dense quasi-Newton matrix."""

ROWS_PER_WEIGHT = 2.0
"""Rows per weight from which a gradient costs more than a dense update."""

SMALL_WEIGHTS = 400
"""Most weights for a dense matrix whatever the rows: in a cache, its update costs as much as L-BFGS's."""

FULL_BATCH = 5e9
"""Most multiplications ``m n`` of a full-batch gradient: there a hundred iterations take minutes."""

LONG_MEMORY, SHORT_MEMORY = 60, 12
"""Pairs that L-BFGS keeps up to `LONG_MEMORY_WEIGHTS` weights, and above. For classes always the fewer: knowing
more of the curvature leads to the same cross-entropy no sooner, at larger weights, which predict worse, and
more often to a higher minimum."""

LONG_MEMORY_WEIGHTS = 100_000

SINGLE_WORK = 100_000
"""Least products ``m n`` of an evaluation for first iterations in float32: below, the calls cost more than the
arithmetic, and tables this small are where results are compared to the last digit."""

SINGLE_DISTANCE = 1_000.0
"""Farthest mean of a column from 0, in standard deviations, for the same: of targets around a million that
differ by one, float32 sees a staircase."""

_SHARE = 0.5
"""Part of the free memory that a method's matrices may take."""


@dataclass(frozen=True)
class Circumstances:
    """What the choice depends on.

    Attributes
    ----------
    weights, rows, inputs, outputs : int
        Of the network and the training table.
    squares : bool
        Whether the loss index is a sum of squares whose Jacobian is at hand.
    classes : bool
        Whether the loss index is a cross-entropy.
    penalty : float
        The factor of the squared weights, times the rows.
    validated : bool
        Whether the weights of the lowest validation loss are kept.
    absolute : bool
        Whether the penalty has absolute values, which have no gradient at 0.
    batches : bool
        Whether mini-batch methods can train the network.
    itemsize : int
        Bytes of a number.
    memory : float
        Bytes that are free.
    distance : float
        The farthest mean of a column of inputs or targets from 0, in the column's standard deviations.
    """

    weights: int
    rows: int
    inputs: int = 1
    outputs: int = 1
    squares: bool = False
    classes: bool = False
    penalty: float = 0.0
    validated: bool = False
    absolute: bool = False
    batches: bool = True
    itemsize: int = 8
    memory: float = float("inf")
    distance: float = 1.0


@dataclass(frozen=True)
class Candidate:
    """A method, and why it is chosen.

    Attributes
    ----------
    method : str
    reason : str
        A sentence.
    pairs : int, optional
        That L-BFGS keeps.
    single_first : bool
        Whether the first iterations are made in float32, `secant.learn.single_first`.
    """

    method: str
    reason: str
    pairs: int | None = None
    single_first: bool = False


def choose(case: Circumstances) -> tuple[Candidate, ...]:
    """The methods to be tried, the next one when one fails.

    Parameters
    ----------
    case : Circumstances

    Returns
    -------
    tuple of Candidate
        One at least, the best first.

    Examples
    --------
    >>> [one.method for one in choose(Circumstances(weights=97, rows=4_420, squares=True))]
    ['lm', 'ssbroyden', 'l-bfgs', 'adam']
    >>> print(choose(Circumstances(weights=5_000, rows=10))[0].reason)
    5,000 weights are too many for a matrix of them: L-BFGS keeps 60 pairs
    """
    if case.absolute:
        return (Candidate("owl-qn", "a penalty of absolute values needs an orthant-wise method"),)
    whole = [*_squares(case), *_dense(case), _limited(case)]
    if not case.batches:
        return tuple(whole)
    if case.rows * case.weights > FULL_BATCH:
        reason = f"{case.rows:,} rows are too many for full batches of {case.weights:,} weights"
        return (Candidate("adam", f"{reason}: Adam learns from parts of them"), _limited(case))
    return (*whole, Candidate("adam", "steps along mini-batches do not need a line search"))


def _squares(case: Circumstances) -> list[Candidate]:
    residuals = case.rows * case.outputs
    side = min(residuals, case.weights)
    if not case.squares or not _fits(case, 4 * side**2):
        return []
    if case.weights <= SQUARES_WEIGHTS and residuals >= SQUARES_RATIO * case.weights:
        reason = f"a sum of {residuals:,} squares of {case.weights} weights: Levenberg-Marquardt"
        return [Candidate("lm", reason)]
    fitted = case.penalty <= FITTED_PENALTY and case.weights >= residuals
    if case.validated or not (fitted and residuals <= FITTED_RESIDUALS):
        return []
    reason = (
        f"{case.weights:,} weights can fit {residuals} numbers: Levenberg-Marquardt converges fast"
    )
    return [Candidate("lm", reason)]


def _dense(case: Circumstances) -> list[Candidate]:
    n = case.weights
    if case.classes:
        return []
    enough = case.rows >= ROWS_PER_WEIGHT * n
    if n > DENSE_WEIGHTS or not (enough or n <= SMALL_WEIGHTS) or not _fits(case, 3 * n**2):
        return []
    if enough:
        reason = f"a matrix of {n:,} weights costs less than a gradient over {case.rows:,} rows"
    else:
        reason = f"a matrix of {n:,} weights stays in a cache"
    return [_by_gradients(case, "ssbroyden", f"{reason}: self-scaled Broyden")]


def _limited(case: Circumstances) -> Candidate:
    n = case.weights
    pairs = LONG_MEMORY if n <= LONG_MEMORY_WEIGHTS and not case.classes else SHORT_MEMORY
    if not _fits(case, 2 * pairs * n):
        pairs = SHORT_MEMORY
    if case.classes:
        reason = "classes are learnt with smaller weights where less of the curvature is known"
    elif n > DENSE_WEIGHTS:
        reason = f"{n:,} weights are too many for a matrix of them"
    else:
        reason = f"with {case.rows:,} rows a gradient costs less than a matrix of {n:,} weights"
    reason = f"{reason}: L-BFGS keeps {pairs} pairs"
    return _by_gradients(case, "l-bfgs", reason, pairs)


def _by_gradients(
    case: Circumstances, method: str, reason: str, pairs: int | None = None
) -> Candidate:
    """In float32 first, where half of an evaluation's time is worth a copy that tells the rows apart."""
    worth = case.batches and case.itemsize == 8 and case.rows * case.weights >= SINGLE_WORK
    worth = worth and case.distance <= SINGLE_DISTANCE
    if not (worth and _fits(case, 0.5 * case.rows * (case.inputs + case.outputs))):
        return Candidate(method, reason, pairs)
    return Candidate(method, f"{reason}; begun in float32", pairs, single_first=True)


def _fits(case: Circumstances, numbers: float) -> bool:
    return numbers * case.itemsize <= _SHARE * case.memory


def available_memory() -> float:
    """Bytes of main memory that are free; infinite where the system does not say."""
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return float("inf")
