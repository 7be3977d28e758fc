"""One clear sentence for a bad argument: its name, what came, what is allowed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Integral, Real


def require(condition: bool, name: str, got: object, allowed: str) -> None:
    """Raise ``ValueError`` unless ``condition``: "``name`` must be ``allowed``, got ``got``"."""
    if not condition:
        raise ValueError(f"{name} must be {allowed}, got {got!r}")


def positive(name: str, value: float) -> None:
    """``value`` is a finite number above zero."""
    require(is_number(value) and 0 < value < math.inf, name, value, "a positive finite number")


def non_negative(name: str, value: float) -> None:
    """``value`` is a number of zero or more."""
    require(is_number(value) and value >= 0, name, value, "a number >= 0")


def between(name: str, value: float, low: float, high: float) -> None:
    """``low < value < high``."""
    require(is_number(value) and low < value < high, name, value, f"between {low} and {high}")


def count(name: str, value: int, least: int = 1) -> None:
    """``value`` is an integer of at least ``least``."""
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    require(is_integer and value >= least, name, value, f"an integer >= {least}")


def pair(name: str, value: object) -> None:
    """``value`` is a tuple or list of two numbers."""
    is_pair = isinstance(value, (tuple, list)) and [*map(is_number, value)] == [True, True]
    require(is_pair, name, value, "a pair of numbers")


def one_of(name: str, value: str, allowed: Iterable[str]) -> None:
    """``value`` is one of the allowed words; the nearest is suggested."""
    words = sorted(allowed)
    if value not in words:
        near = get_close_matches(str(value), words, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ValueError(f"{name} must be one of {', '.join(words)}, got {value!r}{hint}")


def is_number(value: object) -> bool:
    """Whether ``value`` is a real number: neither a truth value nor NaN."""
    return isinstance(value, Real) and not isinstance(value, bool) and not math.isnan(value)
