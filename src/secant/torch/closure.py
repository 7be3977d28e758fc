"""A closure of PyTorch's optimizers as a problem: evaluate, and the gradient is in the parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NoReturn

import torch

from secant.arrays import Array, Scalar
from secant.point import Point, Pullback
from secant.problem import Problem
from secant.torch.variables import Variables

Tensor = torch.Tensor

Closure = Callable[[], Any]


class ClosurePoint(Point):
    """A point, and what the closure returned there.

    Attributes
    ----------
    loss : Tensor or float
        The closure's own number: without weight decay, and not negated where it is maximised.
    """

    __slots__ = ("loss",)

    loss: Any


class ClosureProblem(Problem):
    """The loss of a closure that calls ``backward``.

    Parameters
    ----------
    closure : callable
        Computes the loss from the parameters, leaves its gradient in them and returns it.
    variables : Variables
    maximize : bool
        Whether the loss is to grow.
    scaler : torch.amp.GradScaler, optional
        By whose scale the gradients were multiplied.

    Attributes
    ----------
    lowest : ClosurePoint or None
        The lowest point whose value and slope a search has read.
    """

    def __init__(
        self, closure: Closure, variables: Variables, maximize: bool = False, scaler: Any = None
    ) -> None:
        super().__init__(self._call)
        self._closure: Closure | None = closure
        self.variables = variables
        self._sign = -1.0 if maximize else 1.0
        self._scaler = scaler
        self._last: ClosurePoint | None = None
        self._loss: Any = None
        self.lowest: ClosurePoint | None = None

    def at(self, x: Array) -> ClosurePoint:
        """The point ``x``: one call of the closure."""
        self.counts.value()
        self._remember_lowest()
        value, pullback = self._evaluate(x)
        point = ClosurePoint(self, x, value, pullback)
        point.loss = self._loss
        self._last = point
        return point

    def again(self, x: Array, f: float, g: Array, loss: Any) -> ClosurePoint:
        """The point ``x`` of an earlier step, as it was found there."""
        known = self.known(x, f, g)
        point = ClosurePoint(self, x, f, lambda: g)
        point.f, point.g, point.optimality, point.loss = f, g, known.optimality, loss
        point._measured = True
        return point

    def loss_at(self, point: Point) -> Any:
        """What the closure returned at ``point``."""
        assert isinstance(point, ClosurePoint)
        return point.loss

    def better_than(self, point: Point) -> ClosurePoint | None:
        """The lowest point seen, if it is below ``point``."""
        self._remember_lowest()
        lowest = self.lowest
        return lowest if lowest is not None and lowest.f < point.f else None

    def release(self) -> None:
        """Let the closure go, and with it the batch and the graph that it may hold.

        The problem does not refer to itself any more, either: else the memory of each step would wait
        for a garbage collection.
        """
        self._closure = self._scaler = self._last = self.lowest = None
        self._evaluate = ended

    # -------------------------------------------------------------------------------------- parts

    def _call(self, z: Array) -> tuple[Scalar, Pullback]:
        self.variables.present(z)
        self._loss, value = self._value(self._returned())
        g = self._gradient()
        return value, lambda: g

    def _returned(self) -> Any:
        if self._closure is None:
            ended()
        with torch.enable_grad():
            return self._closure()

    def _value(self, returned: Any) -> tuple[Any, Scalar]:
        """What the closure returned, detached, and the objective made of it."""
        loss = checked_loss(returned)
        value: Any = loss
        if isinstance(loss, Tensor):
            sample = self.variables.signature.kind
            value = float(loss) if sample.startswith("numpy") else loss.reshape(())
        return loss, self._sign * value + self.variables.penalty()

    def _gradient(self) -> Array:
        if all(p.grad is None for p in self.variables.parameters):
            raise ValueError(
                "closure must call backward() on the loss before it returns it: "
                "no parameter has a gradient"
            )
        g = self.variables.gradient()
        factor = self._sign
        if self._scaler is not None:
            factor /= self._scaler.get_scale()
        if factor != 1.0:
            g *= factor
        return self.variables.to_z(g)

    def _remember_lowest(self) -> None:
        """Look at the last point, if a search has read it: what it was for is known by now."""
        last, lowest = self._last, self.lowest
        if last is None or not last._measured or not math.isfinite(last.optimality):
            return
        if last.f < (math.inf if lowest is None else lowest.f):
            self.lowest = last


def ended(x: Any = None) -> NoReturn:
    """Stands for the closure of a step that is over."""
    raise RuntimeError("the step that this point belongs to has ended")


def checked_loss(returned: Any) -> Any:
    """The closure's loss without its graph; one clear sentence if it is no loss."""
    if isinstance(returned, Tensor):
        if returned.numel() == 1 and not returned.is_complex():
            return returned.detach()
        got = f"a tensor of shape {tuple(returned.shape)} and dtype {returned.dtype}"
    elif isinstance(returned, (int, float)) or (
        getattr(returned, "shape", None) == () and hasattr(returned, "item")
    ):
        return float(returned)
    else:
        got = repr(returned)
    raise ValueError(f"closure must return the loss, one real number, got {got}")
