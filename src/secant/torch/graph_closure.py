"""Closures of second-order methods: the loss with its graph, from which products with the Hessian come.

A closure that returns the loss *without* calling ``backward`` leaves its graph, and products with the Hessian
are one backward pass through the gradient each (Pearlmutter). A closure that calls ``backward`` has used its
graph up: products are then differences of gradients, one evaluation each. ``backward(create_graph=True)``
counts as the former.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from secant import checks
from secant.arrays import Array, Scalar
from secant.point import Point, Pullback
from secant.torch.closure import Closure, ClosureProblem
from secant.torch.variables import Variables

Tensor = torch.Tensor

Diagonal = Sequence[Tensor] | Callable[[], Sequence[Tensor]]
"""One tensor for each parameter, or what gives them."""


class GraphProblem(ClosureProblem):
    """The loss of a closure that may leave its graph.

    Parameters
    ----------
    closure : callable
    variables : Variables
    maximize : bool
    diagonal : sequence of tensors or callable, optional
        The diagonal of the loss's Hessian, or of the Gauss-Newton matrix: one tensor for each
        parameter, in its shape. A callable gives it for the parameters as they are.
    """

    def __init__(
        self,
        closure: Closure,
        variables: Variables,
        maximize: bool = False,
        diagonal: Diagonal | None = None,
    ) -> None:
        if any(p.is_complex() for p in variables.parameters):
            raise ValueError("params must be real for a method that uses the Hessian, got complex")
        super().__init__(closure, variables, maximize)
        self._given_diagonal = diagonal
        self._graph: Tensor | None = None  # the loss at what is presented, with its graph
        self._version = -1
        self._gradients: tuple[Tensor | None, ...] | None = None

    @property
    def has_products(self) -> bool:
        """Whether the last call of the closure left a graph."""
        return self._graph is not None

    def hvp(self, point: Point, v: Array) -> Array:
        """``B v`` by a backward pass through the gradient, or a difference of gradients."""
        if self._graph is None:
            return super().hvp(point, v)
        self.counts.nhev += 1
        self._make_gradients(point.x)
        variables = self.variables
        inputs = variables.parameters
        with torch.enable_grad():
            pairs = [
                (g, part)
                for g, part in zip(
                    self._gradients or (),
                    variables.split(variables.direction(v)),
                    strict=True,
                )
                if g is not None and g.requires_grad
            ]
        parts: Any = [None] * len(inputs)
        if pairs:
            gs, vs = zip(*pairs, strict=True)
            parts = torch.autograd.grad(gs, inputs, vs, retain_graph=True, allow_unused=True)
        Bv = variables.collect(parts)
        if self._sign < 0.0:
            Bv *= -1.0
        return variables.product(Bv, v)

    def gauss_newton_diagonal(self, point: Point) -> Array:
        """The diagonal that was given, in the variables of the method; None where none was."""
        given, variables = self._given_diagonal, self.variables
        if given is None:
            return None
        variables.present(point.x)
        with torch.no_grad():
            parts = given() if callable(given) else given
        _check_shapes(parts, variables.parameters)
        ones = point.x * 0.0 + 1.0
        diagonal = variables.collect(parts) * variables.direction(ones)
        return variables.product(self._sign * diagonal, ones)

    def release(self) -> None:
        """Let the closure and its graph go."""
        super().release()
        self._given_diagonal = None
        self._graph = self._gradients = None

    # -------------------------------------------------------------------------------------- parts

    def _call(self, z: Array) -> tuple[Scalar, Pullback]:
        self.variables.present(z)
        value = self._record()
        if self._graph is None:
            g = self._gradient()
            return value, lambda: g

        def pullback() -> Array:
            self._return_to(z)
            graph = self._graph
            assert graph is not None
            grads = torch.autograd.grad(
                graph, self.variables.parameters, retain_graph=True, allow_unused=True
            )
            g = self.variables.collect(grads)
            if self._sign < 0.0:
                g *= -1.0
            return self.variables.to_z(g)

        return value, pullback

    def _record(self) -> Scalar:
        """Call the closure at what is presented and keep its graph, if it left one."""
        parameters = self.variables.parameters
        self._graph = self._gradients = None
        for p in parameters:
            p.grad = None
        returned = self._returned()
        self._loss, value = self._value(returned)
        grads = [p.grad for p in parameters if p.grad is not None]
        if not grads or any(grad.requires_grad for grad in grads):
            if not (isinstance(returned, Tensor) and returned.requires_grad):
                raise ValueError(
                    "closure must return the loss as a tensor with its graph, or call backward(); "
                    f"got {returned!r} without either"
                )
            with torch.enable_grad():  # a step may be taken under no_grad
                self._graph = returned.reshape(())
            self._version = self.variables.version
        return value

    def _return_to(self, z: Array) -> None:
        """Have the graph of ``z``: evaluate again if a later trial has overwritten the parameters."""
        self.variables.present(z)
        if self._version != self.variables.version:
            self.counts.value()
            self._record()

    def _make_gradients(self, z: Array) -> None:
        """The gradient at ``z`` with its own graph, once."""
        self._return_to(z)
        if self._gradients is None and self._graph is not None:
            with torch.enable_grad():
                self._gradients = torch.autograd.grad(
                    self._graph, self.variables.parameters, create_graph=True, allow_unused=True
                )


def _check_shapes(parts: Any, parameters: Sequence[Tensor]) -> None:
    """Refuse a diagonal that is not one tensor for each parameter, in its shape."""
    checks.require(
        isinstance(parts, (list, tuple)),
        "preconditioner",
        parts,
        "a list of tensors, one for each parameter, or a callable that returns one",
    )
    shapes = [tuple(part.shape) if isinstance(part, Tensor) else None for part in parts]
    wanted = [tuple(p.shape) for p in parameters]
    if shapes != wanted:
        got = [
            type(part).__name__ if s is None else s for part, s in zip(parts, shapes, strict=True)
        ]
        raise ValueError(
            "preconditioner must give a tensor for each parameter in its shape, "
            f"{wanted}; got {got}"
        )
