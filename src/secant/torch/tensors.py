"""The front end for functions of PyTorch tensors, by autograd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from secant.functions import (
    Task,
    UserFunctions,
    flatten,
    hessian_matrix,
    hessian_product,
)
from secant.point import Pullback
from secant.problem import Evaluate, Problem
from secant.returned_values import scalar
from secant.second_derivatives import Product, SecondOrder
from secant.structure import Shape, Structure
from secant.torch.composite import Composite
from secant.torch.hessian import hessian_of
from secant.torch.parameters import check_mode, check_tensor
from secant.torch.samples import Diagonals

Tensor = torch.Tensor

_NO_GRAPH = (
    "fun must return a tensor that depends on x through PyTorch operations, got one "
    "without a graph to x; give jac if it computes outside of autograd"
)


def tensor_task(x0: Any, fun: Any, jac: Any, hess: Any, hessp: Any, args: tuple[Any, ...]) -> Task:
    """The task of a function of a tensor, or of a nest of tensors, differentiated by autograd."""
    check_mode()
    structure: Structure
    if isinstance(x0, Tensor):
        check_tensor("x0", x0)
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
        return flat_or_zeros(fun.gauss_newton((nest, *args), [leaf], [v]), [leaf])

    def place(x: Tensor) -> tuple[Callable[[], Tensor], list[Tensor]]:
        leaf = x.detach().requires_grad_(True)
        with torch.enable_grad():
            nest = structure.nest(leaf)
        return lambda: fun.outputs(nest, *args), [leaf]

    second = SecondOrder(_double_backward(value), hessian_of(value))
    if not isinstance(fun, Composite):
        return second
    return composed(second, gauss_newton, Diagonals(fun, place))


def composed(second: SecondOrder, gauss_newton: Product, diagonals: Diagonals) -> SecondOrder:
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


def flat_or_zeros(grads: Any, parameters: list[Any]) -> Tensor:
    """One gradient for each parameter as a vector; zeros where there is none."""
    parts = [
        torch.zeros_like(p).reshape(-1) if g is None else g.reshape(-1)
        for g, p in zip(grads, parameters, strict=True)
    ]
    return torch.cat(parts)
