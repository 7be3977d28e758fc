"""What autograd can differentiate by: tensors and a module's parameters, checked."""

from __future__ import annotations

from typing import Any

import torch

from secant.arrays import Array

Tensor = torch.Tensor


def check_mode() -> None:
    """Refuse a mode that no `torch.enable_grad` ends."""
    if torch.is_inference_mode_enabled():
        raise ValueError(
            "torch.inference_mode() must be left where autograd differentiates fun: it keeps no "
            "graph; torch.no_grad() is allowed"
        )


def check_tensor(name: str, x: Tensor) -> None:
    """Refuse a tensor that cannot be the variables of a function."""
    if not x.dtype.is_floating_point:
        raise ValueError(f"{name} must hold real floating-point numbers, got dtype {x.dtype}")
    if x.numel() == 0:
        raise ValueError(f"{name} must have at least one element, got an empty tensor")


def check_leaves(name: str, parameters: list[Any]) -> None:
    """Refuse parameters that autograd cannot follow, or that may not be written to."""
    if any(p.is_inference() for p in parameters):
        raise ValueError(
            f"{name} must hold parameters made outside of torch.inference_mode(), which keeps no "
            "graph of those made inside"
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


class Parameters:
    """Parameters of a module as one flat vector: the structure of a task without arguments.

    Parameters
    ----------
    module : Module or iterable of Parameter
        Only parameters that require a gradient take part.
    name : str
        What an error calls it.
    """

    def __init__(self, module: Any, name: str = "x0") -> None:
        given = module.parameters() if isinstance(module, torch.nn.Module) else module
        self.parameters = [p for p in given if p.requires_grad]
        if not any(p.numel() for p in self.parameters):
            raise ValueError(f"{name} must have a parameter that requires a gradient, got none")
        if len({id(p) for p in self.parameters}) < len(self.parameters):
            raise ValueError(f"{name} must hold each parameter once, got one of them twice")
        kinds = {(p.dtype, p.device) for p in self.parameters}
        if len(kinds) > 1:
            found = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
            raise ValueError(f"{name}'s parameters must share one dtype and device, got {found}")
        dtype = self.parameters[0].dtype
        if not dtype.is_floating_point:
            raise ValueError(
                f"{name}'s parameters must be real floating-point numbers, got {dtype}"
            )
        check_leaves(name, self.parameters)
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
