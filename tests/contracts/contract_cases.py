"""Every method of the registry on every kind of array, and the problems of the contracts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import array_api_strict
import numpy as np
import torch

from secant.arrays import like, to_numpy
from secant.methods import REGISTRY
from secant.problems import Objective

METHODS = tuple(name for name, entry in REGISTRY.items() if not entry.needs_residuals)


@dataclass(frozen=True)
class Backend:
    """A library and precision, and whether autograd gives the gradient there."""

    name: str
    like: Any
    autograd: bool = False

    @property
    def eps(self) -> float:
        """The gap between 1 and the next number."""
        return 2.0**-23 if "32" in self.name else 2.0**-52

    def __str__(self) -> str:
        return self.name

    def array(self, values: Any) -> Any:
        """``values`` in this library and precision."""
        return like(np.asarray(values, dtype=float), self.like)

    def problem(self, objective: Objective) -> dict[str, Any]:
        """``fun``, ``x0`` and ``jac`` of a test problem, from its standard start."""
        x0 = objective.start(self.like)
        if self.autograd:
            return {"fun": objective, "x0": x0}
        return {"fun": objective.value_and_gradient, "x0": x0, "jac": True}

    def function(
        self, fun: Callable[[Any], Any], jac: Callable[[Any], Any], x0: Any
    ) -> dict[str, Any]:
        """The same for a function and its gradient, from the numbers ``x0``."""
        given: dict[str, Any] = {"fun": fun, "x0": self.array(x0)}
        return given if self.autograd else {**given, "jac": jac}


NUMPY64 = Backend("numpy-float64", np.zeros(0))
NUMPY32 = Backend("numpy-float32", np.zeros(0, dtype=np.float32))
TORCH64 = Backend("torch-float64", torch.zeros(0, dtype=torch.float64), autograd=True)
TORCH32 = Backend("torch-float32", torch.zeros(0, dtype=torch.float32), autograd=True)
TORCH64_JAC = Backend("torch-float64-jac", torch.zeros(0, dtype=torch.float64))
STRICT = Backend(
    "array-api-strict-float64", array_api_strict.asarray([], dtype=array_api_strict.float64)
)

BACKENDS = (NUMPY64, NUMPY32, TORCH64, TORCH32, TORCH64_JAC, STRICT)


class Recorder:
    """An objective that remembers where its value and its gradient were asked for."""

    def __init__(self, fun: Callable[[Any], Any], jac: Callable[[Any], Any]) -> None:
        self._fun, self._jac = fun, jac
        self.values: list[bytes] = []
        self.gradients: list[bytes] = []

    def fun(self, x: Any) -> Any:
        self.values.append(key(x))
        return self._fun(x)

    def jac(self, x: Any) -> Any:
        self.gradients.append(key(x))
        return self._jac(x)


def key(x: Any) -> bytes:
    """The bits of an array."""
    return to_numpy(x).tobytes()


def as_numpy(x: Any) -> Any:
    """The numbers of an array of any library."""
    return to_numpy(x)


def largest(x: Any) -> float:
    """``max |x_i|``."""
    return float(np.abs(as_numpy(x)).max())


class Broken(Exception):
    """What a user's function raises."""


class Flaky:
    """A function that raises at its ``j``-th call, and only there."""

    def __init__(
        self, fun: Callable[[Any], Any], j: int, error: type[BaseException] = Broken
    ) -> None:
        self._fun, self._j, self._error = fun, j, error
        self._calls = 0

    def __call__(self, x: Any) -> Any:
        self._calls += 1
        if self._calls == self._j:
            raise self._error
        return self._fun(x)
