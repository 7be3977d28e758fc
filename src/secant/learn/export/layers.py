"""What the source files of an export are filled in with: the network as nested lists."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from secant.learn.errors import InputError, listing
from secant.learn.model import Model

__all__ = ["ACTIVATIONS", "Layer", "environment", "layers"]

ACTIVATIONS = ("tanh", "logistic", "softplus", "silu", "elu", "relu", "identity")


@dataclass(frozen=True)
class Layer:
    """outputs = weights inputs + biases."""

    weights: list[list[float]]
    biases: list[float]


def layers(model: Model) -> list[Layer]:
    """The layers of a network.

    Raises
    ------
    InputError
        If the templates lack its activation.
    """
    if model.network.activation not in ACTIVATIONS:
        raise InputError(
            f"activation {model.network.activation!r} cannot be exported, only {listing(ACTIVATIONS)}"
        )
    tensors = {name: tensor.cpu().tolist() for name, tensor in model.network.state_dict().items()}
    count = len(model.network.sizes) - 1
    return [Layer(tensors[f"layers.{k}.weight"], tensors[f"layers.{k}.bias"]) for k in range(count)]


def environment() -> Environment:
    """Where the templates are; they are source code, so nothing is escaped for HTML."""
    return Environment(
        loader=PackageLoader("secant.learn.export", "templates"),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
