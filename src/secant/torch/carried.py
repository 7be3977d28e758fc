"""What one step of an optimizer leaves to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from secant.torch.variables import Signature


class Last(NamedTuple):
    """The last point of a step, for a closure that is deterministic.

    Attributes
    ----------
    z, g : array
    f : float
        The objective, weight decay included.
    loss : Tensor or float
        What the closure returned.
    decays : list of float or None
        The weight decay that ``f`` and ``g`` contain.
    """

    z: Any
    f: float
    g: Any
    loss: Any
    decays: list[float] | None


@dataclass
class Carried:
    """What one step leaves to the next.

    Attributes
    ----------
    state : object
        The method's state, without its point.
    signature : Signature
        The variables that it belongs to.
    method : object
        The method whose state it is.
    lr : float
        The largest ``lr`` of the last step.
    last : Last or None
        The last point, for a deterministic closure.
    repeats : bool or None
        Whether the closure has one value at one point; None if nobody has looked.
    is_doubtful : bool
        Whether the step gave reason to look.
    """

    state: Any
    signature: Signature
    method: Any
    lr: float
    last: Last | None = None
    repeats: bool | None = None
    is_doubtful: bool = False


def continued(carried: Carried, point: Any, lr: float) -> Any:
    """The state of the last step at ``point``; where that is new, without a memory of values."""
    state = carried.state
    if hasattr(state, "radius") and lr != carried.lr:
        state = replace(state, radius=state.radius * lr / carried.lr)
    if carried.last is not None and point.x is carried.last.z:
        return replace(state, point=point)
    fresh = {"smallest": point.optimality, "lowest": point.f, "flat_steps": 0, "flatness": 0}
    known = {name: value for name, value in fresh.items() if hasattr(state, name)}
    return replace(state, point=point, **known)


def scale_radius(state: Any, lr: float) -> None:
    """``lr`` as a factor of the first radius."""
    if hasattr(state, "radius"):
        state.radius *= lr


def is_same_direction(one: Any, other: Any) -> bool:
    """Whether a state of ``one`` can go on under ``other``: searches may differ, the rest not."""
    if hasattr(one, "direction"):
        return bool(one.direction == other.direction and type(one.search) is type(other.search))
    if hasattr(one, "damping"):
        return bool(one.damping == other.damping)
    return bool(one == other)
