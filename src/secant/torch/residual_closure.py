"""Closures that return residuals, as the problem of `secant.leastsquares`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from secant.arrays import HostArray, dot, read
from secant.leastsquares.bounds import Box
from secant.leastsquares.model import Model
from secant.leastsquares.problem import LeastSquares
from secant.leastsquares.scaling import Fixed
from secant.leastsquares.solvers import SolverChoice
from secant.point import Point
from secant.torch.closure import ended
from secant.torch.layers import Layers
from secant.torch.residuals import ModuleResiduals
from secant.torch.variables import Variables

Tensor = torch.Tensor


@dataclass(frozen=True)
class OneUnit:
    """``D`` in proportion to I: the parameters of a network share one unit."""

    def begin(self, model: Model) -> HostArray:
        """The same number for every parameter, at which no ``|J e_j| / D_j`` is above 1."""
        return Fixed((1.0,) * model.g.size).begin(model)

    def update(self, scale: HostArray, model: Model) -> HostArray:
        """The same."""
        return scale


class ResidualProblem(LeastSquares):
    """The sum of squares of a closure's residuals, and of the parameters where they decay.

    ``f = (|r|^2 + sum decay_i x_i^2) / 2``: decay adds the residuals ``sqrt(decay_i) x_i``.

    Parameters
    ----------
    closure : callable
        Returns the residuals, without calling ``backward``.
    variables : Variables
    choice : SolverChoice
    layers : Layers or None
        The module's linear layers, where the Jacobian can be made of them.
    box : Box or None
    """

    is_network = True

    def __init__(
        self,
        closure: Callable[[], Any],
        variables: Variables,
        choice: SolverChoice,
        layers: Layers | None,
        box: Box | None,
    ) -> None:
        self._closure: Callable[[], Any] | None = closure
        self._variables = variables
        self._length = 0
        self._decays = variables.decays
        structure: Any = variables
        if self._decays is not None:
            layers = None  # residuals of the parameters themselves belong to no sample
        super().__init__(
            ModuleResiduals(self._call, structure, layers, choice.memory), choice, box=box
        )

    def loss_at(self, point: Point) -> Tensor:
        """Half the sum of squares of the closure's own residuals."""
        kind: Tensor = self._variables.parameters[0]
        if self._decays is None:
            f = point.f
        else:
            evaluation: Any = point
            r = evaluation.evaluation.r[: self._length]
            (square,) = read(dot(r, r))
            f = 0.5 * square
        return torch.tensor(f, dtype=kind.dtype, device=kind.device)

    def better_than(self, point: Point) -> None:
        """None: a trial that is lower has been accepted."""
        return

    def release(self) -> None:
        """Let the closure go, and with it the data that it may hold; nothing refers in a circle then."""
        self._closure = self._latest = None
        self._residuals = ended

    def _call(self) -> Tensor:
        if self._closure is None:
            ended()
        r = checked_residuals(self._closure())
        self._length = r.numel()
        if self._decays is None:
            return r
        weights = [
            factor * p.reshape(-1)
            for factor, p in zip(self._decays, self._variables.parameters, strict=True)
        ]
        return torch.cat([r.reshape(-1), *weights])


def checked_residuals(returned: Any) -> Tensor:
    """The closure's residuals; one clear sentence if they are none."""
    if isinstance(returned, Tensor) and returned.ndim > 0 and returned.requires_grad:
        return returned
    if not isinstance(returned, Tensor):
        got = repr(returned)
    elif returned.ndim == 0:
        got = "one number, which may be the loss"
    else:
        got = "a tensor without a graph"
    raise ValueError(
        "closure must return the residuals, a tensor with one or more dimensions and its graph, "
        f"without calling backward(); got {got}"
    )
