"""What the commands share: the sentence that ends one, missing packages, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from secant.cli.app import print_error

__all__ = ["Force", "Json", "Quiet", "fail", "file_name", "learning", "print_json"]

Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def fail(sentence: str) -> NoReturn:
    """End the command with one line on standard error and exit code 2."""
    print_error(sentence)
    raise typer.Exit(2)


@contextmanager
def learning(command: str) -> Iterator[None]:
    """Turn missing packages, bad input and Ctrl-C inside a command into its one sentence."""
    try:
        from secant.learn.errors import InputError
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("secant"):
            raise
        fail(f"secant {command} needs {missing.name}; install it with: pip install 'secant[train]'")
    try:
        yield
    except InputError as error:
        fail(str(error))
    except KeyboardInterrupt:  # typer would end the command without a word
        print_error("interrupted; nothing was written")
        raise typer.Exit(130) from None


def print_json(data: Any) -> None:
    """One JSON object on standard output; numbers that are not finite are null."""
    from secant.learn.plain import plain

    print(json.dumps(plain(data), allow_nan=False))


def file_name(text: str) -> str:
    """A text with everything replaced that a file name cannot have everywhere."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in text)


def stem(data: str) -> str:
    """What outputs that come from a table are called after."""
    return "table" if data == "-" else Path(data).stem
