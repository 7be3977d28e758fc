"""Levenberg-Marquardt behind PyTorch's interface."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from secant import checks
from secant.arrays import to_numpy
from secant.leastsquares import levenberg_marquardt as leastsquares
from secant.leastsquares.bounds import Box, make_box
from secant.leastsquares.configuration import DAMPINGS
from secant.leastsquares.levenberg_marquardt import Tolerances
from secant.leastsquares.result import FitRun
from secant.leastsquares.solvers import SolverChoice
from secant.torch.layers import Layers
from secant.torch.optimizer import SecantOptimizer
from secant.torch.residual_closure import OneUnit, ResidualProblem
from secant.torch.variables import Variables


class LevenbergMarquardt(SecantOptimizer):
    """Levenberg-Marquardt: the closure returns residuals, and what falls is half their sum of squares.

    Parameters
    ----------
    params : Module or iterable
        A module makes Jacobians of linear layers cheaper; parameters and groups as everywhere. A
        group may hold ``bounds``, a pair of numbers.
    max_iter : int
        Iterations of a step.
    max_eval : int, optional
        Evaluations of the residuals in a step.
    tolerance_grad : float
        A step ends when no component of the gradient is larger.
    tolerance_change : float
        A step ends when an iteration changes the loss by less than this fraction of it.
    damping : str
        "auto", "nielsen", "marquardt", "momentum" or "trust-radius", as in `secant.least_squares`.
    solver : str
        "auto", "qr", "cholesky" or "matrix-free", as in `secant.least_squares`.
    memory : int
        Bytes that the Jacobian may take.
    weight_decay : float
        Adds ``weight_decay |x|^2 / 2`` to what is minimised.
    bounds : pair of float, optional
        ``(lower, upper)`` for all parameters.

    References
    ----------
    Moré (1978); Nocedal & Wright, *Numerical Optimization*, 2nd ed., section 10.3.

    Examples
    --------
    >>> import torch
    >>> import secant.torch
    >>> model = torch.nn.Linear(1, 1)
    >>> x = torch.linspace(0.0, 1.0, 20)[:, None]
    >>> y = 2.0 * x - 1.0
    >>> opt = secant.torch.LevenbergMarquardt(model)
    >>> opt.step(lambda: model(x) - y).item() < 1e-9
    True
    """

    _takes_bounds = True
    _is_first_order = False
    _kind_of_run = FitRun

    def __init__(
        self,
        params: Any,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        damping: str = "auto",
        solver: str = "auto",
        memory: int = 2**30,
        *,
        weight_decay: float = 0.0,
        bounds: tuple[float, float] | None = None,
    ) -> None:
        self._module = params if isinstance(params, torch.nn.Module) else None
        self._layers: Layers | None = None
        checks.one_of("damping", damping, DAMPINGS)
        super().__init__(
            params if self._module is None else self._module.parameters(),
            max_iter=max_iter,
            max_eval=max_eval,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            damping=damping,
            solver=solver,
            memory=memory,
            weight_decay=weight_decay,
            bounds=bounds,
        )

    def _method(self, group: dict[str, Any], lr: float) -> Any:
        never = Tolerances(0.0, 0.0, 0.0)  # the optimizer's own stops end the step
        damping = DAMPINGS[group["damping"]]
        return leastsquares.LevenbergMarquardt(damping, OneUnit(), never)

    def _variables(self) -> Variables:
        return Variables(self.param_groups, as_tensors=True)

    def _problem(self, closure: Callable[[], Any], variables: Variables, scaler: Any) -> Any:
        if scaler is not None:
            raise ValueError(
                "grad_scaler must be None for LevenbergMarquardt: its closure has no gradient to "
                f"scale; got {scaler!r}"
            )
        if any(p.is_complex() for p in variables.parameters):
            raise ValueError("params must be real for LevenbergMarquardt, got complex")
        group = self.param_groups[0]
        choice = SolverChoice(group["solver"], group["memory"])
        layers = self._linear_layers(variables)
        return ResidualProblem(closure, variables, choice, layers, self._box(variables))

    def _linear_layers(self, variables: Variables) -> Layers | None:
        """The module's layers, kept from step to step: they are tested once."""
        if self._module is None:
            return None
        known = self._layers
        if known is None or [*map(id, known.parameters)] != [*map(id, variables.parameters)]:
            self._layers = Layers.of(self._module, variables.parameters)
        return self._layers

    def _box(self, variables: Variables) -> Box | None:
        """The groups' bounds, one pair for each element."""
        if all(group["bounds"] is None for group in self.param_groups):
            return None
        of = {id(p): group["bounds"] for group in self.param_groups for p in group["params"]}
        pairs = [of[id(p)] or (-math.inf, math.inf) for p in variables.parameters]
        counts = [p.numel() for p in variables.parameters]
        lower, upper = np.repeat(np.array(pairs, float), counts, axis=0).T
        x, _ = variables.read()
        return make_box((lower, upper), to_numpy(x))

    def _check_group(self, group: dict[str, Any], first: dict[str, Any]) -> None:
        super()._check_group(group, first)
        bounds = group["bounds"]
        if bounds is not None:
            is_pair = isinstance(bounds, (tuple, list)) and len(bounds) == 2
            checks.require(
                is_pair
                and all(isinstance(b, numbers.Real) for b in bounds)
                and bounds[0] < bounds[1],
                "bounds",
                bounds,
                "None or a pair of numbers, lower < upper",
            )

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_module": self._module, "_layers": None}
