"""CPU tensors, worked on where they lie as NumPy arrays.

A tensor on the CPU and a NumPy array can share their memory, and NumPy's calls cost a third of
PyTorch's. So the methods see arrays, the user's function sees tensors, and the border between them is a
view in both directions: nothing is copied. Tensors on other devices, and of types that NumPy lacks,
stay tensors throughout.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from secant.arrays import Array, HostArray, is_torch
from secant.functions import Task
from secant.structure import Structure

SHARED = (torch.float32, torch.float64)
"""Types for which the methods work on NumPy's view of a CPU tensor."""


def on_host(task: Task) -> Task:
    """``task`` for NumPy's view of its variables, if it can have one; else as it is."""
    x0 = task.x0
    if not (is_torch(x0) and x0.device.type == "cpu" and x0.dtype in SHARED):
        return task
    view = HostView(task.structure)
    problem = task.problem.translated(view.vector, _array)
    return replace(task, problem=problem, x0=x0.numpy(), structure=view)


def _array(tensor: torch.Tensor) -> HostArray:
    view: HostArray = tensor.detach().numpy()
    return view


class HostView:
    """A structure of tensors over flat NumPy arrays.

    Parameters
    ----------
    tensors : Structure
        The structure of the tensors, as the user knows it.
    """

    def __init__(self, tensors: Structure) -> None:
        self.tensors = tensors
        self._last: tuple[Array, Array] = (None, None)

    def nest(self, flat: HostArray) -> Any:
        """Tensors that share the memory of ``flat``."""
        return self.tensors.nest(torch.from_numpy(flat))

    def vector(self, flat: HostArray) -> torch.Tensor:
        """A tensor that shares the memory of ``flat``, the same one for the same array in a row."""
        if flat is not self._last[0]:
            self._last = (flat, torch.from_numpy(flat))
        tensor: torch.Tensor = self._last[1]
        return tensor

    def present(self, flat: HostArray) -> None:
        """Let a module's parameters hold ``flat``; they know whether they do already."""
        self.tensors.present(self.vector(flat))
