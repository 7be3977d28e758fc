"""``D``, the units in which the length of a step is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from secant.arrays import HostArray
from secant.leastsquares.model import Model


class Scaling(Protocol):
    """A rule for ``D``."""

    def begin(self, model: Model) -> HostArray:
        """``D`` at the start."""
        ...

    def update(self, scale: HostArray, model: Model) -> HostArray:
        """``D`` at the next point."""
        ...


@dataclass(frozen=True)
class ColumnNorms:
    """``D_j = max |J e_j|`` over the points so far: steps do not depend on the variables' units.

    J. J. More (1978), (6.3); a variable without influence so far counts as of unit size.
    """

    def begin(self, model: Model) -> HostArray:
        """The columns' norms."""
        norms = model.column_norms
        return np.where(norms > 0.0, norms, 1.0) if 0.0 in norms.tolist() else norms

    def update(self, scale: HostArray, model: Model) -> HostArray:
        """The larger ones."""
        return np.maximum(scale, model.column_norms)


@dataclass(frozen=True)
class Fixed:
    """``D_j`` proportional to ``1 / units_j``; the largest ``|J e_j| / D_j`` at the start is 1.

    Parameters
    ----------
    units : tuple of float
        A typical change of each variable.
    """

    units: tuple[float, ...]

    def __post_init__(self) -> None:
        units = np.array(self.units)
        if not ((units > 0.0) & (units < np.inf)).all():
            raise ValueError(f"x_scale must be positive and finite, got {self.units!r}")

    def begin(self, model: Model) -> HostArray:
        """The reciprocals, times the size of J."""
        units = np.array(self.units)
        size = float(np.max(model.column_norms * units))
        return (size if size > 0.0 else 1.0) / units

    def update(self, scale: HostArray, model: Model) -> HostArray:
        """No change."""
        return scale


def make_scaling(x_scale: Any, n: int) -> Scaling:
    """The rule of SciPy's ``x_scale``: None or "jac", a number, or n numbers."""
    if x_scale is None or (isinstance(x_scale, str) and x_scale == "jac"):
        return ColumnNorms()
    try:
        units = np.broadcast_to(np.asarray(x_scale, dtype=float), (n,))
    except (TypeError, ValueError):
        raise ValueError(
            f'x_scale must be "jac", a positive number or {n} of them, got {x_scale!r}'
        ) from None
    return Fixed(tuple(units.tolist()))
