"""What a check of derivatives finds: point by point, and in all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from secant.arrays import HostArray


class Verdict(Enum):
    """What a relative error says about a derivative; ``verdict.value`` is the sentence."""

    RIGHT = "right: relative error below 1e-7"
    PLAUSIBLE = "plausible: relative error between 1e-7 and 1e-5 (kinks? single precision?)"
    DOUBTFUL = "doubtful: relative error between 1e-5 and 1e-3"
    WRONG = "wrong: relative error above 1e-3"
    UNDECIDED = "undecided: f is too noisy, or not smooth enough, for differences to tell"

    @classmethod
    def of(cls, error: float, resolution: float) -> Verdict:
        """The verdict on a relative error that is known up to ``resolution``."""
        if not error <= 1e-3:
            return cls.WRONG
        if not resolution <= 1e-3:
            return cls.UNDECIDED
        if error > 1e-5:
            return cls.DOUBTFUL
        return cls.PLAUSIBLE if error > 1e-7 else cls.RIGHT

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class CheckedPoint:
    """The comparison at one point.

    Attributes
    ----------
    where : str
        Which point it is.
    x : array
        The point, flat, on the host.
    error : float
        Largest relative error of a component.
    resolution : float
        Median relative error of the differences themselves.
    component : tuple of int
        Index of the worst component: in the shape of ``x``; for Jacobians and Hessians its row first.
    given, expected : float
        That component, as given and by differences.
    """

    where: str
    x: HostArray
    error: float
    resolution: float
    component: tuple[int, ...]
    given: float
    expected: float

    @property
    def verdict(self) -> Verdict:
        """The verdict at this point."""
        return Verdict.of(self.error, self.resolution)


@dataclass(frozen=True)
class Check:
    """Outcome of `check_gradient`, `check_jacobian`, `check_hessian`.

    Attributes
    ----------
    what : str
        ``"gradient"``, ``"Jacobian"`` or ``"Hessian"``.
    points : tuple of CheckedPoint
    """

    what: str
    points: tuple[CheckedPoint, ...]

    @property
    def worst(self) -> CheckedPoint:
        """The point with the largest error, of those where the differences can tell."""
        decided = [p for p in self.points if p.verdict is not Verdict.UNDECIDED]
        return max(decided or self.points, key=lambda point: point.error)

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all points."""
        return self.worst.verdict

    @property
    def error(self) -> float:
        """The largest relative error of all points."""
        return self.worst.error

    @property
    def component(self) -> tuple[int, ...]:
        """Index of the worst component."""
        return self.worst.component

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against the derivative: right or plausible everywhere."""
        return self.verdict in (Verdict.RIGHT, Verdict.PLAUSIBLE)

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        worst = self.worst
        lines = [f"{self.what} {self.verdict}"]
        if self.verdict is not Verdict.RIGHT:
            name = ", ".join(map(str, worst.component))
            lines.append(
                f"   worst: [{name}] is {worst.given:.8g}, differences give {worst.expected:.8g} "
                f"({worst.where})"
            )
        width = max(len(point.where) for point in self.points)
        for point in self.points:
            lines.append(
                f"   {point.where:<{width}}  error {point.error:.1e}, "
                f"differences good to {point.resolution:.0e}  {point.verdict.name}"
            )
        return "\n".join(lines)
