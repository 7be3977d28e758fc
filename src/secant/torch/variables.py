"""The parameters of an optimizer's groups as one flat vector, scaled group by group.

    x = s z,   s = sqrt(lr of the group / largest lr)

Methods work on ``z``; a step along the gradient there moves each group by its own ``lr`` times the gradient
in ``x``. Tensors on the CPU are seen as NumPy arrays that share their memory, as everywhere in this package.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from secant.arrays import Array
from secant.torch.host import SHARED
from secant.torch.parameters import check_leaves

Tensor = torch.Tensor


class Signature(NamedTuple):
    """What a curvature memory belongs to: it must not be used for other variables.

    Attributes
    ----------
    active : tuple of int
        Places of the variables among all parameters.
    n : int
        Number of variables.
    scales : tuple of float
        ``s`` of every parameter.
    maximize : bool
        Whether the objective is the negative of the loss.
    kind : str
        Library, dtype and device of the vectors.
    """

    active: tuple[int, ...]
    n: int
    scales: tuple[float, ...]
    maximize: bool
    kind: str


class Variables:
    """Parameters that require a gradient, of groups whose ``lr`` is not zero.

    Parameters
    ----------
    groups : sequence of dict
        An optimizer's ``param_groups``.
    on_host : bool
        Whether vectors live on the CPU wherever the parameters are.
    as_tensors : bool
        Whether vectors are tensors even where NumPy could view them.

    Attributes
    ----------
    parameters : list of Tensor
    largest_lr : float
    signature : Signature
    version : int
        How often the parameters have been overwritten, which graphs of theirs do not survive.

    Raises
    ------
    ValueError
        If the parameters have more than one dtype or device, or none is left.
    """

    def __init__(
        self, groups: Sequence[dict[str, Any]], on_host: bool = False, as_tensors: bool = False
    ) -> None:
        rates = [float(group.get("lr", 1.0)) for group in groups]
        self.largest_lr = max(rates)
        self.parameters: list[Tensor] = []
        active: list[int] = []
        scales: list[float] = []
        decays: list[float] = []
        place = 0
        for group, rate in zip(groups, rates, strict=True):
            for p in group["params"]:
                if p.requires_grad and rate > 0.0:
                    self.parameters.append(p)
                    active.append(place)
                    scales.append(math.sqrt(rate / self.largest_lr))
                    decays.append(float(group.get("weight_decay", 0.0)))
                place += 1
        dtype, place_of = _common_kind(self.parameters)
        self._views = [_real(p.detach()) for p in self.parameters]
        self._sizes = [view.numel() for view in self._views]
        device = torch.device("cpu") if on_host else place_of
        self._is_numpy = device.type == "cpu" and dtype in SHARED and not as_tensors
        self._device = device
        self._dtype = dtype
        self._scale = self._spread(scales, 1.0)
        self._decays = decays
        self._decay = self._spread(decays, 0.0)
        kind = f"{'numpy' if self._is_numpy else 'torch'} {dtype} {device}"
        maximize = bool(groups[0].get("maximize", False))
        self.signature = Signature(tuple(active), sum(self._sizes), tuple(scales), maximize, kind)
        self._presented: Array = None
        self._x: Array = None
        self.version = 0

    # -------------------------------------------------------------------- parameters and vectors

    def read(self) -> tuple[Array, Array]:
        """What the parameters hold now: ``x`` as a new vector, and ``z``."""
        x = self._inside(_flat([view.reshape(-1) for view in self._views], self._device))
        z = x if self._scale is None else x / self._scale
        self._presented, self._x = z, x
        return x, z

    def adopt(self, z: Array) -> bool:
        """Whether what `read` found is ``z`` exactly; the parameters then need not be written."""
        mine = self._outward(z)
        same = bool((mine == self._x).all())
        if same:
            self._presented, self._x = z, mine
        return same

    def present(self, z: Array) -> None:
        """Copy ``s z`` into the parameters, unless they hold it already."""
        if z is self._presented:
            return
        self._x = self._outward(z)
        self._write(self._x)
        self._presented = z

    def restore(self, x: Array) -> None:
        """Copy ``x`` back into the parameters."""
        self._presented = None
        self._write(x)

    def gradient(self) -> Array:
        """The parameters' ``grad`` as a new vector; zeros where there is none."""
        return self.collect([p.grad for p in self.parameters])

    def collect(self, grads: Sequence[Tensor | None]) -> Array:
        """One gradient for each parameter as a new vector."""
        parts = [
            torch.zeros_like(view).reshape(-1) if grad is None else _dense(grad)
            for grad, view in zip(grads, self._views, strict=True)
        ]
        return self._inside(_flat(parts, self._device))

    def split(self, x: Array) -> list[Tensor]:
        """Views of ``x``, or copies on the parameters' device, in the shapes of the parameters."""
        flat = self.vector(x)
        if flat.device != self._views[0].device:
            flat = flat.to(self._views[0].device)
        parts = torch.split(flat, self._sizes)
        return [part.view_as(view) for part, view in zip(parts, self._views, strict=True)]

    # ------------------------------------------------------------------ the objective's own parts

    def penalty(self) -> Any:
        """``sum decay_i x_i^2 / 2`` at what is presented; 0 without weight decay."""
        x, decay = self._x, self._decay
        return 0.0 if decay is None else 0.5 * ((decay * x) @ x)

    def to_z(self, g: Array) -> Array:
        """The gradient by ``z`` from that by ``x`` of the closure's loss, in place."""
        if self._decay is not None:
            g += self._decay * self._x
        if self._scale is not None:
            g *= self._scale
        return g

    def direction(self, v: Array) -> Array:
        """A direction in ``x`` from one in ``z``."""
        return v if self._scale is None else self._scale * v

    def product(self, Bv: Array, v: Array) -> Array:
        """The Hessian in ``z`` times ``v`` from that of the loss in ``x`` times `direction` of ``v``."""
        if self._decay is not None:
            Bv += self._decay * self.direction(v)
        if self._scale is not None:
            Bv *= self._scale
        return Bv

    def gradient_of_x(self, g: Array) -> Array:
        """The gradient by ``x`` from that by ``z``."""
        return g if self._scale is None else g / self._scale

    @property
    def decays(self) -> list[float] | None:
        """``sqrt(decay)`` of each parameter; None where all are zero."""
        return [math.sqrt(d) for d in self._decays] if any(self._decays) else None

    @property
    def is_scaled(self) -> bool:
        """Whether ``z`` is not ``x`` itself."""
        return self._scale is not None

    # ----------------------------------------------------------------- what a run asks a structure

    def nest(self, z: Array) -> Tensor:
        """``x`` as a tensor."""
        return self.vector(self._outward(z))

    def vector(self, flat: Array) -> Tensor:
        """The vector as a tensor that shares its memory."""
        return torch.from_numpy(flat) if self._is_numpy else flat

    # -------------------------------------------------------------------------------------- parts

    def _outward(self, z: Array) -> Array:
        return z if self._scale is None else self._scale * z

    def _inside(self, flat: Tensor) -> Array:
        return flat.numpy() if self._is_numpy else flat

    def _write(self, x: Array) -> None:
        with torch.no_grad():
            torch._foreach_copy_(self._views, self.split(x))
        self.version += 1

    def _spread(self, values: list[float], neutral: float) -> Array:
        """One value for each element of the vector; None if all are ``neutral``."""
        if all(value == neutral for value in values):
            return None
        counts = torch.tensor(self._sizes)
        spread = torch.tensor(values, dtype=self._dtype).repeat_interleave(counts)
        return self._inside(spread.to(self._device))


def _common_kind(parameters: list[Tensor]) -> tuple[torch.dtype, torch.device]:
    """The real dtype and the device that all parameters share."""
    if not any(p.numel() for p in parameters):
        raise ValueError(
            "params must hold a parameter that requires a gradient and is not empty, in a group "
            "whose lr is not 0; got none"
        )
    check_leaves("params", parameters)
    for p in parameters:
        if p.layout != torch.strided or not (p.is_floating_point() or p.is_complex()):
            raise ValueError(
                "params must be dense tensors of real or complex floating-point numbers, got "
                f"{p.dtype} of layout {p.layout}"
            )
    kinds = {(_real(p.detach()).dtype, p.device) for p in parameters}
    if len(kinds) > 1:
        found = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
        raise ValueError(f"params must share one dtype and one device, got {found}")
    return next(iter(kinds))


def _real(tensor: Tensor) -> Tensor:
    """A complex tensor as pairs of real numbers, a view."""
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def _dense(grad: Tensor) -> Tensor:
    grad = grad.detach()
    if grad.layout != torch.strided:
        grad = grad.to_dense()
    return _real(grad).reshape(-1)


def _flat(parts: list[Tensor], device: torch.device) -> Tensor:
    return torch.cat(parts).to(device)
