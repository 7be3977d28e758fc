"""Front ends for PyTorch: functions of tensors by autograd, and modules by their parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from secant.arrays import Array
from secant.functions import (
    Task,
    UserFunctions,
    flatten,
    hessian_matrix,
    hessian_product,
    scalar,
)
from secant.problem import Counts, Evaluate, Problem, Product, Pullback, SecondOrder
from secant.structure import Shape, Structure
from secant.torch.composite import Composite
from secant.torch.hessian import hessian_of, rows
from secant.torch.layers import Layers
from secant.torch.samples import Diagonals

Tensor = torch.Tensor

_NO_GRAPH = (
    "fun must return a tensor that depends on x through PyTorch operations, got one "
    "without a graph to x; give jac if it computes outside of autograd"
)


def check_mode() -> None:
    """Refuse a mode that no `torch.enable_grad` ends."""
    if torch.is_inference_mode_enabled():
        raise ValueError(
            "torch.inference_mode() must be left where autograd differentiates fun: it keeps no "
            "graph; torch.no_grad() is allowed"
        )


def is_parameters(x0: Any) -> bool:
    """Whether ``x0`` is a module, or an iterable of parameters."""
    if isinstance(x0, torch.nn.Module):
        return True
    return (
        isinstance(x0, (list, tuple))
        and bool(x0)
        and all(isinstance(p, torch.nn.Parameter) for p in x0)
    )


def tensor_task(x0: Any, fun: Any, jac: Any, hess: Any, hessp: Any, args: tuple[Any, ...]) -> Task:
    """The task of a function of a tensor, or of a nest of tensors, differentiated by autograd."""
    check_mode()
    structure: Structure
    if isinstance(x0, Tensor):
        if not x0.dtype.is_floating_point:
            raise ValueError(f"x0 must hold real floating-point numbers, got dtype {x0.dtype}")
        if x0.numel() == 0:
            raise ValueError("x0 must have at least one element, got an empty tensor")
        flat, structure = x0.detach().clone().reshape(-1), Shape(tuple(x0.shape))
    else:
        flat, structure = flatten(x0)
        flat = flat.detach()
    user = UserFunctions(fun, jac, hess, hessp, args, structure)
    value = _flat_value(fun, structure, args)
    return Task(Problem(_autograd(value), _second_order(user, flat, value)), flat, structure)


def _second_order(
    user: UserFunctions, x0: Tensor, value: Callable[[Tensor], Tensor]
) -> SecondOrder:
    """What the user gave; autograd's product and matrix where nothing was given."""
    product, matrix = hessian_product(user, x0), hessian_matrix(user, x0)
    if product is not None or matrix is not None:
        return SecondOrder(product, matrix)
    fun: Any = user.fun
    structure, args = user.structure, user.args

    def gauss_newton(x: Tensor, v: Tensor) -> Tensor:
        leaf = x.detach().requires_grad_(True)
        with torch.enable_grad():
            nest = structure.nest(leaf)
        return _cat(fun.gauss_newton((nest, *args), [leaf], [v]), [leaf])

    def place(x: Tensor) -> tuple[Callable[[], Tensor], list[Tensor]]:
        leaf = x.detach().requires_grad_(True)
        with torch.enable_grad():
            nest = structure.nest(leaf)
        return lambda: fun.outputs(nest, *args), [leaf]

    second = SecondOrder(_double_backward(value), hessian_of(value))
    if not isinstance(fun, Composite):
        return second
    return _composed(second, gauss_newton, Diagonals(fun, place))


def _composed(second: SecondOrder, gauss_newton: Product, diagonals: Diagonals) -> SecondOrder:
    """``second`` with what a `Composite` knows besides."""
    return replace(
        second,
        gauss_newton=gauss_newton,
        gradient_squares=diagonals.gradient_squares,
        gauss_newton_diagonal=diagonals.gauss_newton,
    )


def _flat_value(
    fun: Callable[..., Any], structure: Structure, args: tuple[Any, ...]
) -> Callable[[Tensor], Tensor]:
    def value(x: Tensor) -> Tensor:
        f = fun(structure.nest(x), *args)
        if not isinstance(f, Tensor):
            raise ValueError(
                f"fun must return a tensor for autograd to differentiate, got {type(f).__name__}; "
                "give jac if it computes outside of PyTorch"
            )
        if not f.requires_grad:
            raise ValueError(_NO_GRAPH)
        return f

    return value


def _autograd(value: Callable[[Tensor], Tensor]) -> Evaluate:
    def evaluate(x: Tensor) -> tuple[Tensor, Pullback]:
        leaf = x.detach().requires_grad_(True)
        with torch.enable_grad():
            f = value(leaf)
        f_read = scalar(f).to(device=x.device)

        def pullback() -> Tensor:
            with torch.enable_grad():  # the user may be in no_grad, where reshape cuts the graph
                (g,) = torch.autograd.grad(f.reshape(()), leaf, allow_unused=True)
            if g is None:
                raise ValueError(_NO_GRAPH)
            return g

        return f_read, pullback

    return evaluate


def _double_backward(value: Callable[[Tensor], Tensor]) -> Product:
    """Pearlmutter's product: the gradient of ``g'v``."""

    def product(x: Tensor, v: Tensor) -> Tensor:
        leaf = x.detach().requires_grad_(True)
        with torch.enable_grad():
            (g,) = torch.autograd.grad(value(leaf), leaf, create_graph=True)
            if not g.requires_grad:  # f is linear in x
                return torch.zeros_like(v)
            (product,) = torch.autograd.grad(g @ v, leaf, allow_unused=True)
        return torch.zeros_like(v) if product is None else product

    return product


# ------------------------------------------------------------------------------------ modules


class Parameters:
    """Parameters of a module as one flat vector: the structure of a task without arguments.

    Parameters
    ----------
    module : Module or iterable of Parameter
        Only parameters that require a gradient take part.
    """

    def __init__(self, module: Any) -> None:
        given = module.parameters() if isinstance(module, torch.nn.Module) else module
        self.parameters = [p for p in given if p.requires_grad]
        if not self.parameters:
            raise ValueError("x0 must have a parameter that requires a gradient, got none")
        if len({id(p) for p in self.parameters}) < len(self.parameters):
            raise ValueError("x0 must hold each parameter once, got one of them twice")
        kinds = {(p.dtype, p.device) for p in self.parameters}
        if len(kinds) > 1:
            found = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
            raise ValueError(f"x0's parameters must share one dtype and device, got {found}")
        dtype = self.parameters[0].dtype
        if not dtype.is_floating_point:
            raise ValueError(f"x0's parameters must be real floating-point numbers, got {dtype}")
        self._presented: Tensor | None = None
        self.version = 0
        """How often the parameters have been overwritten, which graphs of theirs do not survive."""

    def flat(self) -> Tensor:
        """A new vector of all parameters."""
        return torch.cat([p.detach().reshape(-1) for p in self.parameters])

    def split(self, flat: Tensor) -> list[Tensor]:
        """Views of ``flat`` in the shapes of the parameters."""
        parts = torch.split(flat, [p.numel() for p in self.parameters])
        return [part.view_as(p) for part, p in zip(parts, self.parameters, strict=True)]

    def nest(self, flat: Array) -> Array:
        """The flat vector itself: a module's result is in the module."""
        return flat

    def vector(self, flat: Array) -> Array:
        """The flat vector itself."""
        return flat

    def present(self, flat: Tensor) -> None:
        """Copy ``flat`` into the parameters, unless they hold it already."""
        if flat is self._presented:
            return
        with torch.no_grad():
            torch._foreach_copy_(self.parameters, self.split(flat))
        self._presented = flat
        self.version += 1


def module_task(module: Any, fun: Callable[..., Any], args: tuple[Any, ...]) -> Task:
    """The task of ``fun(*args)``, which computes its loss from the parameters of ``module``."""
    check_mode()
    structure = Parameters(module)
    parameters = structure.parameters
    counts = Counts()

    def loss() -> Tensor:
        f = fun(*args)
        if not isinstance(f, Tensor) or not f.requires_grad:
            raise ValueError(
                "fun must return a tensor computed from the parameters (without calling backward), "
                f"got {type(f).__name__}"
            )
        return f

    def loss_at(x: Tensor) -> Tensor:
        structure.present(x)
        with torch.enable_grad():
            return loss()

    def evaluate(x: Tensor) -> tuple[Tensor, Pullback]:
        f = loss_at(x)
        version = structure.version

        def pullback() -> Tensor:
            last = f
            if structure.version != version:  # a later trial has overwritten the parameters
                counts.value()
                last = loss_at(x)
            with torch.enable_grad():
                grads = torch.autograd.grad(last.reshape(()), parameters, allow_unused=True)
            return _cat(grads, parameters)

        return scalar(f).to(device=x.device), pullback

    def product(x: Tensor, v: Tensor) -> Tensor:
        structure.present(x)
        with torch.enable_grad():
            f = loss()
            grads = torch.autograd.grad(f, parameters, create_graph=True, allow_unused=True)
            slope = _cat(grads, parameters) @ v
            products = torch.autograd.grad(slope, parameters, allow_unused=True)
        return _cat(products, parameters)

    def hessian(x: Tensor) -> Tensor:
        f = loss_at(x)
        with torch.enable_grad():
            grads = torch.autograd.grad(f, parameters, create_graph=True, allow_unused=True)
            return rows(_cat(grads, parameters), parameters)

    def gauss_newton(x: Tensor, v: Tensor) -> Tensor:
        structure.present(x)
        composite: Any = fun
        return _cat(composite.gauss_newton(args, parameters, structure.split(v)), parameters)

    second = SecondOrder(product, hessian)
    if isinstance(fun, Composite):
        composed = fun

        def place(x: Tensor) -> tuple[Callable[[], Tensor], list[Tensor]]:
            structure.present(x)
            return lambda: composed.outputs(*args), parameters

        is_module = isinstance(module, torch.nn.Module)
        layers = Layers.of(module, parameters) if is_module else None
        second = _composed(second, gauss_newton, Diagonals(composed, place, layers))
    return Task(Problem(evaluate, second, counts), structure.flat(), structure)


def _cat(grads: Any, parameters: list[Any]) -> Tensor:
    parts = [
        torch.zeros_like(p).reshape(-1) if g is None else g.reshape(-1)
        for g, p in zip(grads, parameters, strict=True)
    ]
    return torch.cat(parts)
