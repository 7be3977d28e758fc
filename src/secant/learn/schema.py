"""Reading plain JSON data with checks: every value is taken by name and by type, or refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from secant.learn.errors import InputError

__all__ = ["Fields"]

T = TypeVar("T")

_LARGEST = sys.float_info.max


@dataclass(frozen=True)
class Fields:
    """The members of one JSON object, which is at `where` in its file.

    Examples
    --------
    >>> Fields({"scale": 2.5}, "model.json: inputs[0]").number("scale")
    2.5
    """

    members: Any
    where: str

    def __post_init__(self) -> None:
        if not isinstance(self.members, dict):
            raise InputError(f"{self.where} must be an object, not {self.members!r}")

    def take(self, name: str, allowed: Callable[[Any], bool], expected: str) -> Any:
        """The member `name` if it is `allowed`."""
        if name not in self.members:
            raise InputError(f"{self.where} has no {name!r}")
        value = self.members[name]
        if not allowed(value):
            raise InputError(f"{self.where}: {name!r} must be {expected}, not {value!r}")
        return value

    def text(self, name: str) -> str:
        """A member that is text."""
        return str(self.take(name, lambda value: isinstance(value, str), "text"))

    def number(self, name: str, *, positive: bool = False) -> float:
        """A finite number, above zero if `positive`."""
        return float(
            self.take(
                name,
                lambda value: _is_finite(value) and (value > 0 or not positive),
                "a positive number" if positive else "a finite number",
            )
        )

    def truth(self, name: str) -> bool:
        """True or false."""
        return bool(self.take(name, lambda value: isinstance(value, bool), "true or false"))

    def optional(self, name: str, read: Callable[[str], T]) -> T | None:
        """None where the member is null, else what `read` makes of it."""
        if name in self.members and self.members[name] is None:
            return None
        return read(name)

    def choice(self, name: str, options: tuple[str, ...]) -> str:
        """One of the `options`."""
        return str(
            self.take(
                name, lambda value: isinstance(value, str) and value in options, f"one of {options}"
            )
        )

    def sizes(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers from 1."""
        return tuple(self._list(name, _is_size, "a list of whole numbers from 1"))

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of different, non-empty texts."""
        values = self._list(name, lambda item: isinstance(item, str), "a list of texts")
        if not values or len(set(values)) != len(values):
            raise InputError(f"{self.where}: {name!r} must hold different texts, not {values!r}")
        return tuple(values)

    def fields(self, name: str) -> Fields:
        """A member that is an object itself."""
        return Fields(self.members.get(name), f"{self.where}: {name!r}")

    def each(self, name: str, read: Callable[[Fields], T]) -> tuple[T, ...]:
        """A non-empty list of objects, each turned into something by `read`."""
        items = self._list(name, lambda item: isinstance(item, dict), "a list of objects")
        if not items:
            raise InputError(f"{self.where}: {name!r} must not be empty")
        return tuple(
            read(Fields(item, f"{self.where}: {name}[{place}]")) for place, item in enumerate(items)
        )

    def _list(self, name: str, allowed: Callable[[Any], bool], expected: str) -> list[Any]:
        fits = lambda value: isinstance(value, list) and all(map(allowed, value))  # noqa: E731
        return list(self.take(name, fits, expected))


def _is_finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_LARGEST <= value <= _LARGEST  # false for NaN; JSON's integers have any size


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
