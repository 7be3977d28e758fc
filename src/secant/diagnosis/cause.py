"""What was found, and how a run that ends with it ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from secant.status import Status


class Cause(Enum):
    """What a `Diagnosis` found; the value is a short name for it."""

    WRONG_GRADIENT = "the gradient is not that of f"
    COARSE_DIFFERENCES = "the gradient by differences is too coarse"
    NOISY = "f is noisy"
    NON_DETERMINISTIC = "f is not deterministic"
    KINK = "f has a kink"
    ROUND_OFF = "f can fall no further in this precision"
    UNKNOWN = "no cause was found"


@dataclass(frozen=True)
class Diagnosis:
    """Why a search failed.

    Attributes
    ----------
    kind : Cause
    message : str
        One sentence with the numbers behind it.
    noise : float
        How much values of f at neighbouring points differ by chance (0 where none showed).
    promise : float
        The decrease that slope and curvature promise along -g (also with every variable in units of
        itself); infinite without curvature, NaN where nothing was computed.
    component : int or None
        The component of the flattened gradient that is wrong, if one is.

    Examples
    --------
    >>> import secant
    >>> result = secant.minimize(lambda x: float(x @ x), [3.0, 4.0], jac=lambda x: x * [2.0, -2.0])
    >>> result.status.name, result.diagnosis.kind.name, result.diagnosis.component
    ('WRONG_GRADIENT', 'WRONG_GRADIENT', 1)
    """

    kind: Cause
    message: str
    noise: float = 0.0
    promise: float = math.nan
    component: int | None = None

    @property
    def status(self) -> Status:
        """That of a run which ends with this diagnosis; where no cause was found it was not round-off."""
        return _STATUS.get(self.kind, Status.SEARCH_FAILED)


_STATUS = {
    Cause.WRONG_GRADIENT: Status.WRONG_GRADIENT,
    Cause.NOISY: Status.NOISY,
    Cause.NON_DETERMINISTIC: Status.NON_DETERMINISTIC,
    Cause.ROUND_OFF: Status.ROUNDOFF,
}
