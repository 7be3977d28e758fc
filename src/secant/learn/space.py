"""What a search may choose: sets and ranges for quantities of the settings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from secant.learn.errors import InputError, suggestion
from secant.learn.settings import Settings
from secant.learn.strategy import Strategy

__all__ = [
    "Choice",
    "Real",
    "Space",
    "Whole",
    "applied",
    "check_space",
    "default_space",
    "described",
    "read_space",
]


@dataclass(frozen=True)
class Choice:
    """One of several values: texts, numbers or truth values."""

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise InputError("a choice needs at least one value")

    def suggest(self, trial: Any, name: str) -> Any:
        """A value for this trial."""
        return trial.suggest_categorical(name, list(self.values))


@dataclass(frozen=True)
class Whole:
    """A whole number from `low` to `high`, on a logarithmic scale if asked for."""

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        _check_range(self.low, self.high, self.log)

    def suggest(self, trial: Any, name: str) -> int:
        """A number for this trial."""
        return int(trial.suggest_int(name, self.low, self.high, log=self.log))


@dataclass(frozen=True)
class Real:
    """A number from `low` to `high`, on a logarithmic scale if asked for."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        _check_range(self.low, self.high, self.log)

    def suggest(self, trial: Any, name: str) -> float:
        """A number for this trial."""
        return float(trial.suggest_float(name, self.low, self.high, log=self.log))


Space = Mapping[str, Choice | Whole | Real]


def _check_range(low: float, high: float, log: bool) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise InputError(f"a range must go from a number up to another, not from {low} to {high}")
    if log and low <= 0:
        raise InputError(f"a range with a logarithmic scale must begin above 0, not at {low}")


def default_space(settings: Settings) -> dict[str, Choice | Whole | Real]:
    """Method, depth and width of the network, the factor of the squared weights, the activation.

    The methods are those that settings of this loss can have: Levenberg-Marquardt needs squares.
    """
    squared = settings.loss in ("mean-squared", "normalised-squared")
    return {
        "method": Choice(("l-bfgs", "bfgs", *(("lm",) if squared else ()), "adam")),
        "depth": Whole(1, 3),
        "width": Whole(4, 64, log=True),
        "l2": Real(1e-6, 1.0, log=True),
        "activation": Choice(("tanh", "logistic", "softplus")),
    }


_NETWORK = ("depth", "width")
# What decides which rows there are or what a loss means: losses would not compare.
_FIXED = frozenset(
    {
        *("target", "task", "ignore", "categorical", "seed", "strategy", "hidden"),
        *("separator", "decimal", "thousands", "encoding"),
        *("division", "validation_fraction", "test_fraction", "division_column", "missing"),
        *("target_scaling", "column_scaling", "loss", "exponent", "delta"),
    }
)


def check_space(space: Space, settings: Settings) -> None:
    """Raise InputError unless every name of the space is a quantity that can be searched."""
    if not space:
        raise InputError("the space is empty: there is nothing to choose")
    known = [*_NETWORK, *_of_settings(), *_of_strategy()]
    for name, part in space.items():
        if name not in known:
            hint = suggestion(name, known)
            raise InputError(f"the space has {name!r}, which cannot be searched; {hint}")
        if not isinstance(part, Choice | Whole | Real):
            raise InputError(f"{name!r} of the space must be a Choice, Whole or Real, not {part!r}")
    if "depth" in space and "width" not in space and not settings.hidden:
        raise InputError("a space with depth and without width needs hidden layers in the settings")


def _of_settings() -> list[str]:
    return [entry.name for entry in fields(Settings) if entry.name not in _FIXED]


def _of_strategy() -> list[str]:
    return [entry.name for entry in fields(Strategy) if entry.name not in _FIXED]


def applied(settings: Settings, choices: Mapping[str, Any]) -> Settings:
    """The settings with the choices of a trial in them.

    >>> applied(Settings("y"), {"depth": 2, "width": 8, "method": "bfgs"}).hidden
    (8, 8)
    """
    own = {name: value for name, value in choices.items() if name in _of_settings()}
    strategy = {name: value for name, value in choices.items() if name in _of_strategy()}
    hidden = settings.hidden
    if set(choices) & set(_NETWORK):
        width = choices.get("width", hidden[0] if hidden else 0)
        hidden = (width,) * choices.get("depth", max(len(hidden), 1))
    return replace(settings, hidden=hidden, strategy=replace(settings.strategy, **strategy), **own)


def read_space(texts: Iterable[str]) -> dict[str, Choice | Whole | Real]:
    """A space from texts: values with commas, or a range with two points, ``log:`` before it.

    >>> read_space(["method=l-bfgs,lm", "width=log:4..64", "l2=0.0..0.5"])
    {'method': Choice(values=('l-bfgs', 'lm')), 'width': Whole(low=4, high=64, log=True),
     'l2': Real(low=0.0, high=0.5, log=False)}
    """
    space: dict[str, Choice | Whole | Real] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if not (name and equals and values.strip()):
            raise InputError(f"a search must be like width=4..64 or method=l-bfgs,lm, not {text!r}")
        if name in space:
            raise InputError(f"{name!r} is searched twice")
        space[name] = _read_range(values) if ".." in values else _read_choice(values)
    return space


def _read_range(text: str) -> Whole | Real:
    scale, colon, ends = text.strip().rpartition(":")
    low, _, high = (part.strip() for part in ends.partition(".."))
    if colon and scale != "log":
        raise InputError(f"a range has the scale 'log' or none, not {scale!r}")
    kind: type[int] | type[float] = int if _is_whole(low) and _is_whole(high) else float
    try:
        first, last = kind(low), kind(high)
    except ValueError:
        raise InputError(f"a range must be like 4..64 or log:1e-6..1, not {text!r}") from None
    if kind is int:
        return Whole(int(first), int(last), bool(colon))
    return Real(first, last, bool(colon))


def _read_choice(text: str) -> Choice:
    return Choice(tuple(_value(part.strip()) for part in text.split(",")))


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    if _is_whole(text):
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text


def described(space: Space) -> dict[str, str]:
    """The space as texts, for comparing it with another."""
    return {name: repr(part) for name, part in sorted(space.items())}
