"""Settings as a TOML text that repeats a training, and back.

The keys are the attributes of `Settings` and of the dataclasses inside it, so an option that is added
there is an option of the file as well. Nested dataclasses are tables (``[strategy]``); as long as a
name is unique, it may stand outside its table, too.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from secant.learn.errors import InputError, suggestion
from secant.learn.plain import convert
from secant.learn.settings import Settings

__all__ = ["check_options", "config_text", "read_config", "settings_from"]


def config_text(settings: Settings, **more: Any) -> str:
    """A TOML text with every option, defaults written out.

    Parameters
    ----------
    settings : Settings
    **more
        Keys of a command that come first, such as ``data``; None is left out.

    Examples
    --------
    >>> print(config_text(Settings("price"), data="houses.csv"))
    data = "houses.csv"
    target = "price"
    hidden = [16, 16]
    ...
    """
    lines = [f"{_key(name)} = {_toml(value)}" for name, value in more.items() if value is not None]
    return "\n".join([*lines, *_lines(settings, ())]) + "\n"


def _lines(options: Any, where: tuple[str, ...]) -> list[str]:
    """The lines of one dataclass: its values first, then its tables, as TOML wants it."""
    values: list[str] = []
    tables: list[str] = []
    for entry in fields(options):
        value = getattr(options, entry.name)
        if is_dataclass(value):
            path = (*where, entry.name)
            tables += ["", f"[{'.'.join(map(_key, path))}]", *_lines(value, path)]
        elif value is not None:
            values.append(f"{_key(entry.name)} = {_toml(value)}")
    return values + tables


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return _toml(value.value)
    if isinstance(value, int | float):
        return repr(value)  # "inf" and "nan" are TOML's words, too
    if isinstance(value, str | Path):
        return _quoted(str(value))
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(str(name))} = {_toml(item)}" for name, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    raise TypeError(f"a {type(value).__name__} has no form in TOML: {value!r}")


def read_config(path: str | Path, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The options in a TOML file, by the names `settings_from` takes; keys and types are checked.

    Parameters
    ----------
    path : str or Path
    more : dict of str to type, optional
        Keys of a command that are no settings, with their types.

    Raises
    ------
    InputError
        If the file cannot be read, is no TOML, or has an unknown key or a value of another type.
    """
    path = Path(path)
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"there is no file {str(path)!r}") from None
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is no TOML text: {error}") from None
    try:
        return check_options(found, more)
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None


def settings_from(options: Mapping[str, Any]) -> Settings:
    """Settings from options by name, the others at their defaults.

    Parameters
    ----------
    options : dict
        Plain values by attribute name, such as ``{"target": "price", "max_seconds": 5}``; the options
        of nested dataclasses as tables, as dotted names or, where they are unique, by name.

    Raises
    ------
    InputError
        For unknown names, values of another type, and values that the settings refuse.

    Examples
    --------
    >>> settings_from({"target": "price", "method": "bfgs"}).strategy.method
    'bfgs'
    """
    found = check_options(options)
    if "target" not in found:
        raise InputError("'target' is missing: name the column to learn")
    built: Settings = _build(Settings, _following(found))
    return built


def _following(options: dict[str, Any]) -> dict[str, Any]:
    """An option of a table that is called like one outside, such as the seed, follows that one."""
    return {
        place: options[outer]
        for place in _places(Settings)
        if (outer := place.rpartition(".")[2]) in options
    } | options


def check_options(
    given: Mapping[str, Any], more: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Options by dotted name, such as ``strategy.method``, with values of the right types.

    Parameters
    ----------
    given : dict
        As for `settings_from`.
    more : dict of str to type, optional
        Options that are no settings.

    Raises
    ------
    InputError
        For an unknown name, with near ones, and for a value of another type.
    """
    more = more or {}
    places = _places(Settings)
    tables = {place.partition(".")[0] for place in places if "." in place}
    short = _short_names(places)
    options: dict[str, Any] = {}
    for written, value in _without_tables(given, ()):
        name = written.replace("-", "_")
        place = name if name in places else short.get(name, name)
        if place in places:
            options[place] = convert(value, places[place], name)
        elif name in more:
            options[name] = convert(value, more[name], name)
        elif name in tables:
            raise InputError(f"{written!r} must be a table of options, not {value!r}")
        else:
            near = suggestion(name.rpartition(".")[2], [*more, *short])
            raise InputError(f"there is no option {written!r}; {near}")
    return options


def _without_tables(given: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Dotted names with their values; a table stays whole where an option is a table itself."""
    whole = {name for name, hint in _places(Settings).items() if get_origin(hint) is dict}
    for name, value in given.items():
        path = (*where, name)
        dotted = ".".join(path)
        if isinstance(value, Mapping) and dotted.replace("-", "_") not in whole:
            yield from _without_tables(value, path)
        else:
            yield dotted, value


def _places(cls: Any, where: str = "") -> dict[str, Any]:
    """The type of each option by dotted name."""
    hints = get_type_hints(cls)
    places: dict[str, Any] = {}
    for entry in fields(cls):
        hint = hints[entry.name]
        if is_dataclass(hint):
            places |= _places(hint, f"{where}{entry.name}.")
        elif entry.init:
            places[where + entry.name] = hint
    return places


def _short_names(places: Mapping[str, Any]) -> dict[str, str]:
    """The last parts of dotted names that are no name and no last part of another."""
    last = [place.rpartition(".")[2] for place in places]
    shadowed = {name for name, times in Counter(last).items() if times > 1}
    short = {name: place for name, place in zip(last, places, strict=True) if name not in shadowed}
    return short | {place: place for place in places if "." not in place}


def _build(cls: Any, options: Mapping[str, Any], where: str = "") -> Any:
    """The dataclass at `where`, from options by dotted name."""
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    for entry in fields(cls):
        place = where + entry.name
        if is_dataclass(hints[entry.name]):
            values[entry.name] = _build(hints[entry.name], options, f"{place}.")
        elif place in options:
            values[entry.name] = options[place]
    return cls(**values)
