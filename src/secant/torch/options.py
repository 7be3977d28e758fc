"""The options of the optimizers' groups: what is refused, and what stands for an option left out."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import Any

import torch

from secant import checks

_FEWEST = 25
"""Evaluations that a step may take at least, where ``max_eval`` is left out."""

_DIFFER = ("lr", "weight_decay", "bounds")
"""Options that may differ between groups."""


def check(group: dict[str, Any]) -> None:
    """Refuse values that make no sense."""
    checks.non_negative("lr", number("lr", group.get("lr", 1.0)))
    for option in ("weight_decay", "tolerance_grad", "tolerance_change"):
        checks.non_negative(option, group[option])
    checks.count("max_iter", group["max_iter"])
    if group["max_eval"] is not None:
        checks.count("max_eval", group["max_eval"])
    for option in ("maximize", "deterministic"):
        given = group.get(option, False)
        checks.require(isinstance(given, bool), option, given, "True or False")


def check_equal(
    name: str, options: Iterable[str], group: dict[str, Any], first: dict[str, Any]
) -> None:
    """Refuse a group whose ``options`` are not those of the first, where they hold for all groups."""
    for option in options:
        if option not in _DIFFER and option in first and group[option] != first[option]:
            raise ValueError(
                f"{option} must be the same in all groups of {name}, got {group[option]!r} "
                f"beside {first[option]!r}"
            )


def check_loaded(name: str, options: Iterable[str], groups: list[dict[str, Any]]) -> None:
    """Refuse the groups of another optimizer."""
    for option in options:
        # PyTorch gives every copied optimizer an option of its own
        if option != "differentiable" and any(option not in group for group in groups):
            raise ValueError(
                f"state_dict must be that of a secant.torch.{name}, "
                f"got groups without the option {option}"
            )


def number(name: str, given: Any) -> float:
    """A number, or a tensor of one."""
    is_one = isinstance(given, torch.Tensor) and given.numel() == 1
    is_number = isinstance(given, numbers.Real) and not isinstance(given, bool)
    checks.require(is_one or is_number, name, given, "a number >= 0")
    return float(given)


def max_eval(group: dict[str, Any]) -> int:
    """Evaluations that a step may take."""
    given = group["max_eval"]
    return max(_FEWEST, group["max_iter"] * 5 // 4) if given is None else int(given)
