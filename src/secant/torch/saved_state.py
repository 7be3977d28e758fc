"""What an optimizer carries from step to step, as plain tensors, numbers and one string of JSON.

The objects are written as in `secant.encoding`, by their fields. Here the arrays become tensors, and the
small matrices that live on the host whatever the variables do are told by their annotation, ``HostArray``:
they stay there, in double precision, while the others follow the parameters to their device and dtype.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import torch

from secant import arrays
from secant.arrays import Array
from secant.curvature.symmetric import SymmetricMatrix
from secant.encoding import Reader, Writer, class_name
from secant.problem import Problem
from secant.torch.carried import Carried, Last
from secant.torch.variables import Signature

KEY = "carried"
"""The key in the state of the first parameter."""

_FORMAT = 1


class TensorWriter(Writer):
    """`Writer`, whose arrays are tensors: copies."""

    def __init__(self) -> None:
        super().__init__()
        self.tensors: dict[str, torch.Tensor] = {}

    def encode(self, value: Any) -> Any:
        """``value`` as JSON."""
        if isinstance(value, SymmetricMatrix):
            value = _whole(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {f.name: self._field(value, f) for f in dataclasses.fields(value)}
            return {"class": class_name(type(value)), "fields": fields}
        if arrays.is_array(value):
            return {"array": self._name(value), "host": False}
        return super().encode(value)

    def _field(self, owner: Any, field: Any) -> Any:
        value = getattr(owner, field.name)
        if str(field.type).startswith("HostArray") and value is not None:
            return {"array": self._name(value), "host": True}
        return self.encode(value)

    def _name(self, array: Array) -> str:
        if id(array) not in self._names:
            name = f"a{len(self.tensors)}"
            self._names[id(array)] = name
            self._kept.append(array)
            copied = torch.from_numpy(array.copy()) if type(array) is np.ndarray else array.clone()
            self.tensors[name] = copied.detach()
        return self._names[id(array)]


class TensorReader(Reader):
    """`Reader` of tensors, cast from the dtype of the variables that were to that of those that are."""

    def __init__(self, tensors: dict[str, Any], x: Array, problem: Problem, dtype: str) -> None:
        super().__init__(tensors, x, problem)
        self._dtype = dtype

    def decode(self, value: Any) -> Any:
        """The object that ``value`` was made from."""
        made = super().decode(value)
        if isinstance(made, SymmetricMatrix) and type(made.M) is np.ndarray:
            made.M = np.asfortranarray(made.M)  # BLAS works in place on columns
        return made

    def _array(self, name: str, host: bool) -> Array:
        key = (name, host)
        if key not in self._made:
            self._made[key] = self._make(self._stored[name], host)
        return self._made[key]

    def _make(self, stored: Any, host: bool) -> Array:
        tensor = torch.as_tensor(stored).detach()
        if host:
            return np.array(tensor.cpu().numpy())
        x = self._x0
        follows = str(tensor.dtype) == self._dtype  # a history may have a dtype of its own
        if type(x) is np.ndarray:
            dtype = torch.from_numpy(x).dtype if follows else tensor.dtype
            return np.array(tensor.to("cpu", dtype).contiguous().numpy())
        return tensor.to(x.device, x.dtype if follows else tensor.dtype, copy=True)


def _whole(matrix: SymmetricMatrix) -> SymmetricMatrix:
    """The matrix with both triangles, of which NumPy's has one: other libraries need the other."""
    M = matrix.M
    if type(M) is not np.ndarray:
        return matrix
    return SymmetricMatrix(np.tril(M) + np.tril(M, -1).T, matrix.scale)


def packed(carried: Carried) -> dict[str, Any]:
    """``carried`` in plain values."""
    writer = TensorWriter()
    last = carried.last
    content = {
        "state": writer.encode(carried.state),
        "last": None if last is None else [writer.encode(part) for part in last[:3]],
        "decays": None if last is None else last.decays,
        "repeats": carried.repeats,
        "is_doubtful": carried.is_doubtful,
        "signature": carried.signature,
        "lr": carried.lr,
    }
    plain = {
        "format": _FORMAT,
        "method": carried.method.name,
        "content": json.dumps(content),
        "arrays": writer.tensors,
    }
    return plain if last is None else {**plain, "loss": last.loss}


def unpacked(plain: dict[str, Any], method: Any, x: Array, problem: Problem) -> Carried:
    """What `packed` was given, for variables like ``x``."""
    content = json.loads(plain["content"])
    active, n, scales, maximize, kind = content["signature"]
    was = kind.split()[1]
    reader = TensorReader(plain["arrays"], x, problem, was)
    state = reader.decode(content["state"])
    library, dtype, device = _kind(x)
    kind = f"{library} {dtype} {device}"
    signature = Signature(tuple(active), n, tuple(scales), maximize, kind)
    last = None
    if content["last"] is not None and dtype == was:  # rounded, it would be another point's
        z, f, g = (reader.decode(part) for part in content["last"])
        last = Last(z, f, g, plain["loss"], content["decays"])
    chance = content["repeats"], content["is_doubtful"]
    return Carried(state, signature, method, content["lr"], last, *chance)


def _kind(x: Array) -> tuple[str, str, str]:
    if type(x) is np.ndarray:
        return "numpy", str(torch.from_numpy(x).dtype), "cpu"
    return "torch", str(x.dtype), str(x.device)


def stripped(state_dict: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The state dict without what is this package's own, and that."""
    found = None
    state = {}
    for key, value in state_dict["state"].items():
        if isinstance(value, dict) and KEY in value:
            found = value[KEY]
            value = {name: part for name, part in value.items() if name != KEY}
        state[key] = value
    return {**state_dict, "state": state}, found


def check(plain: dict[str, Any], method: Any) -> None:
    """Refuse the state of another method, or of a later format."""
    if plain.get("format") != _FORMAT:
        raise ValueError(
            f"state_dict has format {plain.get('format')!r}, this version reads {_FORMAT}"
        )
    if plain["method"] != method.name:
        raise ValueError(f"state_dict must be that of {method.name}, got one of {plain['method']}")
