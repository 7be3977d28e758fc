"""Each finding in one sentence, with the numbers behind it."""

from __future__ import annotations

import math

import numpy as np

from secant.derivatives.line import Line
from secant.derivatives.locate import Suspect
from secant.diagnosis.cause import Cause, Diagnosis
from secant.diagnosis.suspicion import Suspicion


def not_deterministic(f: float, again: list[float]) -> Diagnosis:
    """The same x gave several values."""
    values = ", ".join(f"{value:.8g}" for value in (f, *again))
    return Diagnosis(
        Cause.NON_DETERMINISTIC,
        f"three evaluations at one x gave {values}; fix the random numbers, the batch or the dropout",
        float(np.std([f, *again])),
    )


def not_finite(h: float) -> Diagnosis:
    """The short line leaves the domain of f."""
    return Diagnosis(
        Cause.UNKNOWN, f"f is not finite at a distance of {h:.1g} from the last iterate"
    )


def too_fast(h: float) -> Diagnosis:
    """The gradients on both sides contradict each other as much as the differences do."""
    return Diagnosis(
        Cause.UNKNOWN, f"f and its gradient change too fast to be compared {h:.1g} away"
    )


def kink(slopes: tuple[float, float]) -> Diagnosis:
    """The slope jumps."""
    left, right = slopes
    return Diagnosis(
        Cause.KINK,
        f"f has a kink at the last iterate: along -g its slope jumps from {left:.3g} to {right:.3g}",
    )


def wrong_gradient(suspect: Suspect, n: int) -> Diagnosis:
    """One component of the gradient is not that of f."""
    others = "" if suspect.is_alone else "; it is not the only one"
    return Diagnosis(
        Cause.WRONG_GRADIENT,
        f"component {suspect.index} of {n} is {suspect.given:.6g}, "
        f"differences of f give {suspect.expected:.6g}{others}",
        component=suspect.index,
    )


def coarse(found: Suspicion) -> Diagnosis:
    """The gradient is made of differences whose error shows."""
    return Diagnosis(
        Cause.COARSE_DIFFERENCES,
        f"along one line f's slope is {found.slope.value:.3g} and the gradient by differences makes "
        f"it {found.given:.3g}; "
        "give jac, or jac='3-point', or a larger gtol",
    )


def noisy(line: Line, f: float, promise: float) -> Diagnosis:
    """Values vary by more than rounding explains."""
    level = line.noise
    relative = level / abs(f) if f else math.inf
    single = " (so are values computed in single precision)" if 1e-8 < relative < 1e-6 else ""
    promised = f"; the decrease left along -g is {promise:.2g}" if promise < math.inf else ""
    return Diagnosis(
        Cause.NOISY,
        f"values {line.h:.1g} apart vary by {level:.2g} at random, {relative:.1g} of f{single}"
        f"{promised}",
        level,
        promise,
    )


def round_off(promise: float, error: float) -> Diagnosis:
    """There is nothing left to gain that could be seen."""
    return Diagnosis(
        Cause.ROUND_OFF,
        f"the decrease left along -g, {promise:.2g}, drowns in the round-off of f, {error:.2g}",
        promise=promise,
    )


def hidden_by_units(promise: float) -> Diagnosis:
    """What is left to gain shows only where every variable is changed in units of itself."""
    return Diagnosis(
        Cause.UNKNOWN,
        f"along -g nothing is left to gain, but f falls by another {promise:.2g} where each variable "
        "is changed in proportion to its size: bring the variables to similar scales",
        promise=promise,
    )


def unknown(promise: float, line: Line) -> Diagnosis:
    """Neither noise nor a wrong gradient."""
    certain = line.slope.error <= 0.01 * abs(line.slope.value)
    agrees = "differences of f confirm the gradient" if certain else "differences of f tell nothing"
    return Diagnosis(
        Cause.UNKNOWN,
        f"{agrees}, and values {line.h:.1g} apart show no noise above {line.error:.1g}",
        line.noise,
        promise if certain and 1e3 * line.error < promise < math.inf else math.nan,
    )
