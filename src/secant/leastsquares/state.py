"""What Levenberg-Marquardt's method carries from one iteration to the next."""

from __future__ import annotations

import math
from dataclasses import dataclass

from secant.arrays import HostArray, to_numpy
from secant.leastsquares.damping import Damped
from secant.leastsquares.problem import ResidualPoint
from secant.status import Status


@dataclass(slots=True, eq=False)
class FitMemory:
    """What the method has learned.

    Attributes
    ----------
    scale : array, shape (n,)
        ``D``.
    damped : Damped
        ``lambda`` or the radius.
    f0 : float
        f at the start, against which a perfect fit is told from a good one.
    largest : array, shape (n,)
        The largest ``|J e_j|`` so far.
    lowest : float
        The lowest f so far: by rounding f may rise a little, and to fall back is no gain.
    flat_steps : int
        Accepted steps in a row that lowered neither f nor the cosine visibly.
    cosine : float
        Smallest ``max_j |J_j'r| / |J_j| |r|`` where f was flat.
    refined : bool
        Whether the Jacobian has been made more accurate.
    """

    scale: HostArray
    damped: Damped
    f0: float
    largest: HostArray
    lowest: float = math.inf
    flat_steps: int = 0
    cosine: float = math.inf
    refined: bool = False


@dataclass(slots=True)
class FitState:
    """Everything that the next iteration depends on.

    Attributes
    ----------
    point : ResidualPoint
    k : int
    memory : FitMemory
    alpha : float
        ``lambda`` of the last step.
    event : str
    status : Status or None
    is_bounded : bool
        Whether the fit has bounds, which a file does not hold.
    """

    point: ResidualPoint
    k: int
    memory: FitMemory
    alpha: float = 0.0
    event: str = ""
    status: Status | None = None
    is_bounded: bool = False


def on_host(point: ResidualPoint) -> HostArray:
    """``x`` as a float64 array on the host."""
    return to_numpy(point.x).astype(float, copy=False)
