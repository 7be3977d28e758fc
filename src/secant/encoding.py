"""Objects of a run as JSON and arrays, and back: fields of dataclasses, and nothing that is executed.

Every object of a run's state is a dataclass or a named tuple of this package; it is written as its fields.
Two fields that hold one array are written, and come back, as one array, because a method may know an
array by its identity.
"""

from __future__ import annotations

import dataclasses
import importlib
from enum import Enum
from typing import Any

import numpy as np

from secant import arrays
from secant.arrays import Array, HostArray
from secant.point import Point
from secant.problem import Problem

__all__ = ["Reader", "Writer", "class_name"]


class Writer:
    """From objects to JSON, with the arrays set aside under names."""

    def __init__(self, arrays_allowed: bool = True) -> None:
        self.arrays: dict[str, HostArray] = {}
        self._names: dict[int, str] = {}
        self._kept: list[Any] = []  # so that no id is given twice
        self._arrays_allowed = arrays_allowed

    def encode(self, value: Any) -> Any:
        """``value`` as JSON."""
        if isinstance(value, np.generic):  # a number of NumPy's that the user gave
            value = value.item()
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, Enum):
            return {"enum": class_name(type(value)), "member": value.name}
        if isinstance(value, Point):
            n = int(value.x.shape[0])
            return {
                "point": 1,
                "n": n,
                "x": self._name(value.x),
                "f": value.f,
                "g": self._name(value.g),
            }
        if arrays.is_array(value):
            return {"array": self._name(value), "host": isinstance(value, np.ndarray)}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value)]
            return self._object(value, {name: getattr(value, name) for name in names})
        if isinstance(value, tuple) and hasattr(value, "_asdict"):
            return self._object(value, value._asdict())
        if isinstance(value, (list, tuple)):
            return {type(value).__name__: [self.encode(item) for item in value]}
        raise TypeError(f"a run cannot be saved with a {type(value).__name__} in it")

    def _object(self, value: Any, fields: dict[str, Any]) -> Any:
        encoded = {name: self.encode(field) for name, field in fields.items()}
        return {"class": class_name(type(value)), "fields": encoded}

    def _name(self, array: Array) -> str:
        if not self._arrays_allowed:
            raise TypeError("arrays belong to the state, not to the method")
        if id(array) not in self._names:
            name = f"a{len(self.arrays)}"
            self._names[id(array)] = name
            self._kept.append(array)
            self.arrays[name] = arrays.to_numpy(array)
        return self._names[id(array)]


class Reader:
    """The way back; only dataclasses, named tuples and enums of this package are made."""

    def __init__(self, stored: dict[str, HostArray], x0: Array, problem: Problem | None) -> None:
        self._stored = stored
        self._x0 = x0
        self._problem = problem
        self._made: dict[tuple[str, bool], Array] = {}

    def decode(self, value: Any) -> Any:
        """The object that ``value`` was made from."""
        if not isinstance(value, dict):
            return value
        if "enum" in value:
            return _class(value["enum"], Enum)[value["member"]]
        if "point" in value and self._problem is not None:
            x, g = self._array(value["x"], False), self._array(value["g"], False)
            if not tuple(x.shape) == tuple(g.shape) == tuple(self._x0.shape):
                raise ValueError("the file holds a point of another length than it says")
            return self._problem.known(x, value["f"], g)
        if "array" in value:
            return self._array(value["array"], value["host"])
        if "class" in value:
            fields = {name: self.decode(field) for name, field in value["fields"].items()}
            return _made(_class(value["class"], object), fields)
        if "tuple" in value:
            return tuple(self.decode(item) for item in value["tuple"])
        return [self.decode(item) for item in value["list"]]

    def _array(self, name: str, host: bool) -> Array:
        key = (name, host)
        if key not in self._made:
            stored = self._stored[name]
            on_host = host or isinstance(self._x0, np.ndarray)
            self._made[key] = stored if on_host else arrays.like(stored, self._x0)
        return self._made[key]


def class_name(kind: type) -> str:
    """How a file names a class of this package."""
    if not kind.__module__.startswith("secant."):
        raise TypeError(f"a run cannot be saved with a {kind.__name__} in it")
    return f"{kind.__module__}:{kind.__name__}"


def _class(name: str, base: type) -> Any:
    module, _, attribute = name.partition(":")
    kind = getattr(importlib.import_module(module), attribute, None) if _is_ours(module) else None
    plain = isinstance(kind, type) and (
        dataclasses.is_dataclass(kind) or issubclass(kind, Enum) or hasattr(kind, "_fields")
    )
    if not (plain and isinstance(kind, type) and issubclass(kind, base)):
        raise ValueError(f"the file names {name!r}, which no saved run holds")
    return kind


def _made(kind: Any, fields: dict[str, Any]) -> Any:
    known = [f.name for f in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else None
    unknown = fields.keys() - set(kind._fields if known is None else known)
    if unknown:
        raise ValueError(
            f"the file does not fit this version of secant: its {kind.__name__} has "
            f"{', '.join(sorted(unknown))}, which that of this version has not"
        )
    return kind(**fields)


def _is_ours(module: str) -> bool:
    top, *parts = module.split(".")
    return (
        top == "secant"
        and bool(parts)
        and all(part.isidentifier() for part in parts)
        and (parts[0] not in ("cli", "learn", "report", "__main__"))
    )
