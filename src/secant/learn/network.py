"""The multilayer perceptron, in double precision unless single is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from secant.learn.activations import ACTIVATIONS
from secant.learn.errors import InputError, listing

__all__ = ["ACTIVATIONS", "DTYPES", "Perceptron", "check_dtype"]

DTYPES = {"float64": torch.float64, "float32": torch.float32}
"""The precisions a network can have, by name."""


def check_dtype(name: str) -> None:
    """Raise InputError unless `name` is a precision that a network can have."""
    if not isinstance(name, str) or name not in DTYPES:
        raise InputError(f"dtype must be one of {listing(DTYPES)}, not {name!r}")


class _Layer(nn.Module):
    """inputs -> W inputs + b; unlike `nn.Linear` it leaves the global random state alone."""

    def __init__(
        self, inputs: int, outputs: int, generator: torch.Generator | None, dtype: torch.dtype
    ) -> None:
        super().__init__()
        weight = torch.zeros(outputs, inputs, dtype=dtype)
        if generator is not None:
            limit = (6.0 / (inputs + outputs)) ** 0.5
            drawn = torch.empty(outputs, inputs, dtype=torch.float64)
            weight.copy_(drawn.uniform_(-limit, limit, generator=generator))
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=dtype))

    def forward(self, inputs: Tensor) -> Tensor:
        return functional.linear(inputs, self.weight, self.bias)


class Perceptron(nn.Module):
    """Layers a <- activation(W a + b), the last one without activation.

    Weights start uniform in +-sqrt(6 / (inputs + outputs)) of their layer, biases at zero
    (Glorot & Bengio 2010, eq. 16).

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden units of each layer, outputs.
    activation : str
        A key of `ACTIVATIONS`. Curvature is what quasi-Newton methods learn, so smooth ones suit
        them best.
    seed : int or None
        Of the initial weights; the global random state is neither read nor changed. None leaves
        the weights at zero, for those who draw or load them themselves.
    dtype : torch.dtype
        float64 or float32; the initial weights are the same but for rounding.

    Examples
    --------
    >>> network = Perceptron((10, 16, 1), "tanh", seed=0)
    >>> network.count
    193
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str = "tanh",
        seed: int | None = 0,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise InputError(
                f"activation must be one of {listing(ACTIVATIONS)}, not {activation!r}"
            )
        if len(sizes) < 2 or min(sizes) < 1:
            raise InputError(f"each layer needs at least one unit; its sizes are {list(sizes)}")
        self.sizes = tuple(sizes)
        self.activation = activation
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        self.layers = nn.ModuleList(
            _Layer(inputs, outputs, generator, dtype) for inputs, outputs in pairwise(sizes)
        )

    @staticmethod
    def shapes(sizes: Sequence[int]) -> dict[str, tuple[int, ...]]:
        """Name and shape of each parameter of a network of these sizes."""
        shapes: dict[str, tuple[int, ...]] = {}
        for place, (inputs, outputs) in enumerate(pairwise(sizes)):
            shapes[f"layers.{place}.weight"] = (outputs, inputs)
            shapes[f"layers.{place}.bias"] = (outputs,)
        return shapes

    @property
    def count(self) -> int:
        """The number of weights and biases."""
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.sizes))

    @property
    def dtype(self) -> torch.dtype:
        """The precision of the weights."""
        return next(self.parameters()).dtype

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def tensors(self) -> list[Tensor]:
        """Weights and biases layer by layer, the order of `parameters`, which searches for them."""
        found: list[Tensor] = []
        for layer in self.layers:
            assert isinstance(layer, _Layer)
            found += [layer.weight, layer.bias]
        return found

    def weights(self) -> list[Tensor]:
        """The weight matrices, without the biases."""
        return self.tensors()[::2]

    def fill(self, parts: Iterable[NDArray[np.floating]]) -> None:
        """Set weights and biases, in the order of `tensors`."""
        with torch.no_grad():
            for tensor, values in zip(self.tensors(), parts, strict=True):
                tensor.copy_(torch.as_tensor(values))

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs, shape (rows, outputs), from inputs of shape (rows, inputs)."""
        activation = ACTIVATIONS[self.activation]
        *hidden, last = self.layers
        for layer in hidden:
            inputs = activation(layer(inputs))
        outputs: Tensor = last(inputs)
        return outputs

    def outputs(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same on NumPy arrays, without gradients."""
        with torch.no_grad():
            values = torch.as_tensor(inputs, dtype=self.dtype, device=self.device)
            return np.asarray(self(values).double().cpu().numpy())
