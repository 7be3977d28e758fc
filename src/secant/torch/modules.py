"""The front end for PyTorch modules: the loss as a function of their parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from secant.counts import Counts
from secant.functions import Task
from secant.point import Pullback
from secant.problem import Problem
from secant.returned_values import scalar
from secant.second_derivatives import SecondOrder
from secant.torch.composite import Composite
from secant.torch.hessian import rows
from secant.torch.layers import Layers
from secant.torch.parameters import Parameters, check_mode
from secant.torch.samples import Diagonals
from secant.torch.tensors import composed, flat_or_zeros

Tensor = torch.Tensor


def module_task(module: Any, fun: Callable[..., Any], args: tuple[Any, ...]) -> Task:
    """The task of ``fun(*args)``, which computes its loss from the parameters of ``module``."""
    check_mode()
    loss = ModuleLoss(Parameters(module), fun, args)
    second = SecondOrder(loss.product, loss.hessian)
    if isinstance(fun, Composite):
        parameters = loss.structure.parameters
        is_module = isinstance(module, torch.nn.Module)
        layers = Layers.of(module, parameters) if is_module else None
        second = composed(second, loss.gauss_newton, Diagonals(fun, loss.outputs_at, layers))
    problem = Problem(loss.evaluate, second, loss.counts)
    return Task(problem, loss.structure.flat(), loss.structure)


class ModuleLoss:
    """``fun(*args)`` as a function of the flat parameters, and its derivatives by autograd."""

    def __init__(
        self, structure: Parameters, fun: Callable[..., Any], args: tuple[Any, ...]
    ) -> None:
        self.structure = structure
        self.counts = Counts()
        self._fun: Any = fun
        self._args = args
        self._parameters = structure.parameters

    def _at(self, x: Tensor) -> Tensor:
        """The loss at ``x`` with its graph."""
        self.structure.present(x)
        with torch.enable_grad():
            f = self._fun(*self._args)
        if not isinstance(f, Tensor) or not f.requires_grad:
            raise ValueError(
                "fun must return a tensor computed from the parameters (without calling backward), "
                f"got {type(f).__name__}"
            )
        return f

    def evaluate(self, x: Tensor) -> tuple[Tensor, Pullback]:
        """f, and the function that gives g."""
        f = self._at(x)
        version = self.structure.version

        def pullback() -> Tensor:
            last = f
            if self.structure.version != version:  # a later trial has overwritten the parameters
                self.counts.value()
                last = self._at(x)
            return self._gradient(last)

        return scalar(f).to(device=x.device), pullback

    def product(self, x: Tensor, v: Tensor) -> Tensor:
        """``B v``, the gradient of ``g'v``."""
        g = self._gradient(self._at(x), create_graph=True)
        if not g.requires_grad:  # f is linear in the parameters
            return torch.zeros_like(v)
        with torch.enable_grad():
            slope = g @ v
        return self._gradient(slope)

    def hessian(self, x: Tensor) -> Tensor:
        """``B``, row by row."""
        g = self._gradient(self._at(x), create_graph=True)
        with torch.enable_grad():
            return rows(g, self._parameters)

    def gauss_newton(self, x: Tensor, v: Tensor) -> Tensor:
        """``G v`` of a `Composite`."""
        self.structure.present(x)
        parts = self.structure.split(v)
        return flat_or_zeros(
            self._fun.gauss_newton(self._args, self._parameters, parts), self._parameters
        )

    def outputs_at(self, x: Tensor) -> tuple[Callable[[], Tensor], list[Tensor]]:
        """What gives a `Composite`'s outputs at ``x``, and the leaves they come from."""
        self.structure.present(x)
        return lambda: self._fun.outputs(*self._args), self._parameters

    def _gradient(self, f: Tensor, create_graph: bool = False) -> Tensor:
        """Of a number; 0 for parameters that it does not depend on."""
        with torch.enable_grad():  # the user may be in no_grad, where reshape cuts the graph
            grads = torch.autograd.grad(
                f.reshape(()), self._parameters, create_graph=create_graph, allow_unused=True
            )
            return flat_or_zeros(grads, self._parameters)
