"""Dataclasses as plain data (what JSON and TOML can hold) and back, checked by their type hints."""

from __future__ import annotations

import math
import types
from collections.abc import Collection, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from secant.learn.errors import InputError, listing

__all__ = ["convert", "plain", "settle_types"]


def plain(value: Any) -> Any:
    """The value as dictionaries, lists, texts and numbers; numbers that are not finite as None.

    Examples
    --------
    >>> plain({"loss": float("nan"), "shape": (2, 3)})
    {'loss': None, 'shape': [2, 3]}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {entry.name: plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # arrays and numbers of NumPy
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def convert(value: Any, hint: Any, name: str) -> Any:
    """Plain data as the type `hint`.

    Lists become tuples and tables dataclasses; a whole number is a number, a truth value is none, and
    None in the place of a number is NaN.

    Raises
    ------
    InputError
        For data of another type; the sentence begins with `name`.

    Examples
    --------
    >>> convert([1, 2], tuple[float, ...], "sizes")
    (1.0, 2.0)
    """
    if is_dataclass(hint):
        return _dataclass(value, hint, name)
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _either(value, hint, name)
    if origin is tuple and isinstance(value, list | tuple):
        hints = [inner[0]] * len(value) if inner[1:] == (Ellipsis,) else list(inner)
        if len(hints) == len(value):
            return tuple(map(convert, value, hints, [name] * len(value)))
    if origin is dict and isinstance(value, Mapping):
        return {
            str(key): convert(item, inner[1], f"{name}: {key!r}") for key, item in value.items()
        }
    if origin is Literal and value in inner:
        return value
    if origin is None and _fits(value, hint):
        return _as_hinted(value, hint)
    raise InputError(f"{name} must be {_described(hint)}, not {value!r}")


def settle_types(given: Any) -> None:
    """Keep the fields of a dataclass as the types that they are annotated with; refuse what is none.

    Lists and other collections become tuples, numbers and truth values of NumPy and PyTorch those of
    Python, and the value of an enumeration its member.

    Raises
    ------
    InputError
        The sentence begins with the name of the field.

    Examples
    --------
    >>> import numpy as np
    >>> from secant.learn import Settings, Strategy
    >>> Settings("y", hidden=np.array([8, 4])).hidden
    (8, 4)
    >>> Strategy(max_iter="many")
    Traceback (most recent call last):
    ...
    secant.learn.errors.InputError: max_iter must be a whole number, not 'many'
    """
    cls: Any = type(given)
    for name, hint, own in _annotations(cls):
        value = getattr(given, name)
        if type(value) in own:  # nearly always, and a small fit has sixty of them
            continue
        try:
            settled = _settled(value, hint)
        except (TypeError, ValueError, OverflowError):
            raise InputError(f"{name} must be {_described(hint)}, not {value!r}") from None
        if settled is not value:
            object.__setattr__(given, name, settled)


@cache
def _annotations(cls: Any) -> list[tuple[str, Any, frozenset[Any]]]:
    """Name and type of each field, and the types whose values are one."""
    hints = get_type_hints(cls)
    return [(entry.name, hints[entry.name], _options(hints[entry.name])) for entry in fields(cls)]


def _options(hint: Any) -> frozenset[Any]:
    return frozenset(get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,))


def _settled(value: Any, hint: Any) -> Any:
    """The value as its type has it; an error of Python's if it is of another."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _settled_as_one_of(value, inner)
    if origin is tuple:
        if not isinstance(value, Collection) or isinstance(value, str | bytes | Mapping):
            raise TypeError
        return tuple(_settled(one, inner[0]) for one in value)
    if getattr(value, "ndim", None) == 0:
        value = value.item()  # a number of NumPy or PyTorch
    if issubclass(hint, Enum):
        return hint(value)
    is_truth = isinstance(value, bool)
    if not isinstance(value, _NUMBERS.get(hint, hint)) or is_truth is not (hint is bool):
        raise TypeError
    return hint(value) if hint in _NUMBERS else value


def _settled_as_one_of(value: Any, hints: tuple[Any, ...]) -> Any:
    for hint in hints:
        try:
            return _settled(value, hint)
        except (TypeError, ValueError):
            continue
    raise TypeError


def _dataclass(value: Any, cls: Any, name: str) -> Any:
    if not isinstance(value, Mapping):
        raise InputError(f"{name} must be a table, not {value!r}")
    hints = get_type_hints(cls)
    unknown = value.keys() - hints.keys()
    if unknown:
        raise InputError(f"{name} has no {listing(sorted(map(str, unknown)))}")
    needed = {
        entry.name
        for entry in fields(cls)
        if entry.default is MISSING and entry.default_factory is MISSING
    }
    if needed - value.keys():
        raise InputError(f"{name} lacks {listing(sorted(needed - value.keys()))}")
    inside = f"{name}: " if name else ""
    return cls(**{key: convert(item, hints[key], f"{inside}{key}") for key, item in value.items()})


def _either(value: Any, hint: Any, name: str) -> Any:
    """The first of the types that fits, None before a number."""
    if value is None and type(None) in get_args(hint):
        return None
    options = [option for option in get_args(hint) if option is not type(None)]
    if len(options) == 1:
        return convert(value, options[0], name)
    for option in options:
        try:
            return convert(value, option, name)
        except InputError:
            continue
    raise InputError(f"{name} must be {_described(hint)}, not {value!r}")


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    if isinstance(value, bool):
        return hint is bool
    if hint is float:
        return value is None or isinstance(value, int | float)
    if hint is Path:
        return isinstance(value, str | Path)
    if issubclass(hint, Enum):
        return isinstance(value, hint) or any(member.value == value for member in hint)
    return isinstance(value, hint)


def _as_hinted(value: Any, hint: Any) -> Any:
    if hint is float:
        return math.nan if value is None else float(value)
    if hint is Path or (isinstance(hint, type) and issubclass(hint, Enum)):
        return hint(value)
    return value


_NUMBERS: dict[Any, Any] = {int: Integral, float: Real}

_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "text",
}


def _described(hint: Any) -> str:
    """What a type allows, in words."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_described(option) for option in inner if option is not type(None))
    if origin is Literal:
        return f"one of {listing(inner)}"
    if origin is tuple:
        return f"a list, each {_described(inner[0])}"
    if origin is dict:
        return "a table"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return f"one of {listing(member.value for member in hint)}"
    return _WORDS.get(hint, str(getattr(hint, "__name__", hint)))
