"""The activations of hidden units: for autograd, and in closed form on NumPy arrays.

    a = phi(z),   phi'(z),   phi''(z)

The derivatives are written in terms of ``a`` where that is possible, so that a layer needs one array
for both; `Activation.keeps_input` names the activations for which it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

__all__ = ["ACTIVATIONS", "Activation", "logistic"]

Values = NDArray[np.floating]

_LINEAR_FROM = 40.0
"""Beyond it log(1 + exp(z)) is z to the last digit of float64; PyTorch's own threshold is 20."""


@dataclass(frozen=True)
class Activation:
    """One function of a hidden unit; calling it applies it to a tensor.

    Attributes
    ----------
    name : str
    on_tensor : callable
        ``phi`` for autograd.
    apply : callable
        ``apply(z, out)`` writes ``phi(z)``; ``out`` may be ``z``.
    slope : callable
        ``slope(z, a, out)`` writes ``phi'(z)``; ``out`` may be ``a``.
    bend : callable
        ``bend(z, a)`` returns ``phi''(z)``.
    keeps_input : bool
        Whether ``z`` is needed; otherwise ``slope`` and ``bend`` do not look at it.
    """

    name: str
    on_tensor: Callable[[Tensor], Tensor]
    apply: Callable[[Values, Values], object]
    slope: Callable[[Values, Values, Values], object]
    bend: Callable[[Values, Values], Values]
    keeps_input: bool = False

    def __call__(self, inputs: Tensor) -> Tensor:
        """``phi`` of every element."""
        return self.on_tensor(inputs)


def logistic(z: Values, out: Values) -> None:
    """``1 / (1 + exp(-z))``; where the exponential overflows, the quotient is the right 0."""
    np.negative(z, out=out)
    np.exp(out, out=out)
    out += 1.0
    np.reciprocal(out, out=out)


def _tanh_slope(z: Values, a: Values, out: Values) -> None:
    np.multiply(a, a, out=out)
    np.subtract(1.0, out, out=out)


def _logistic_slope(z: Values, a: Values, out: Values) -> None:
    np.multiply(a, 1.0 - a, out=out)


def _softplus(z: Values, out: Values) -> None:
    # log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)), whose exponential cannot overflow
    rest = np.abs(z)
    np.negative(rest, out=rest)
    np.exp(rest, out=rest)
    np.log1p(rest, out=rest)
    np.maximum(z, 0.0, out=out)
    out += rest


def _softplus_slope(z: Values, a: Values, out: Values) -> None:
    np.negative(a, out=out)
    np.expm1(out, out=out)
    np.negative(out, out=out)


def _softplus_bend(z: Values, a: Values) -> Values:
    other: Values = np.exp(-a)
    return other * (1.0 - other)


def _silu(z: Values, out: Values) -> None:
    share = np.empty_like(z)
    logistic(z, share)
    np.multiply(z, share, out=out)


def _silu_slope(z: Values, a: Values, out: Values) -> None:
    share = np.empty_like(z)
    logistic(z, share)
    np.multiply(a, 1.0 - share, out=out)
    out += share


def _silu_bend(z: Values, a: Values) -> Values:
    share = np.empty_like(z)
    logistic(z, share)
    slope = share * (1.0 - share)
    return slope * (2.0 + z * (1.0 - 2.0 * share))


def _elu(z: Values, out: Values) -> None:
    below = np.minimum(z, 0.0)
    np.expm1(below, out=below)
    np.maximum(z, 0.0, out=out)
    out += below


def _elu_slope(z: Values, a: Values, out: Values) -> None:
    np.minimum(a, 0.0, out=out)
    out += 1.0


def _elu_bend(z: Values, a: Values) -> Values:
    return np.where(a < 0.0, a + 1.0, np.zeros_like(a))


def _identity(z: Values, out: Values) -> None:
    if out is not z:
        out[...] = z


def _zero(z: Values, a: Values) -> Values:
    return np.zeros_like(a)


ACTIVATIONS: dict[str, Activation] = {
    entry.name: entry
    for entry in (
        Activation(
            "tanh",
            torch.tanh,
            lambda z, out: np.tanh(z, out=out),
            _tanh_slope,
            lambda z, a: -2.0 * a * (1.0 - a * a),
        ),
        Activation(
            "logistic",
            torch.sigmoid,
            logistic,
            _logistic_slope,
            lambda z, a: a * (1.0 - a) * (1.0 - 2.0 * a),
        ),
        Activation(
            "softplus",
            lambda z: functional.softplus(z, threshold=_LINEAR_FROM),
            _softplus,
            _softplus_slope,
            _softplus_bend,
        ),
        Activation("silu", functional.silu, _silu, _silu_slope, _silu_bend, keeps_input=True),
        Activation("elu", functional.elu, _elu, _elu_slope, _elu_bend),
        Activation(
            "relu",
            torch.relu,
            lambda z, out: np.maximum(z, 0.0, out=out),
            lambda z, a, out: np.sign(a, out=out),
            _zero,
        ),
        Activation(
            "identity",
            lambda z: z,
            _identity,
            lambda z, a, out: out.fill(1.0),
            _zero,
        ),
    )
}
"""What hidden units can compute; the smooth ones suit methods that learn curvature."""
