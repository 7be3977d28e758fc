"""What the commands share: the sentence that ends one, missing packages, JSON for machines."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from secant.cli.app import print_error
from secant.starting import INTERRUPTED, ended_if_interrupted

if TYPE_CHECKING:
    from secant.learn import Settings

__all__ = [
    "Decimal",
    "Encoding",
    "Force",
    "Json",
    "Quiet",
    "Separator",
    "Thousands",
    "end_interrupted",
    "fail",
    "file_name",
    "learning",
    "next_command",
    "print_json",
    "run_name",
]

# A file name can have 255 bytes, of which a letter takes up to four; some are added to this one.
_LONGEST_NAME = 50

Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
Separator = Annotated[str | None, typer.Option(help="Between two cells.")]
Decimal = Annotated[str, typer.Option(help="Before the fraction of a number.")]
Thousands = Annotated[str | None, typer.Option(help="Between groups of three digits.")]
Encoding = Annotated[str, typer.Option(help="Of a text file, such as latin-1.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def fail(sentence: str) -> NoReturn:
    """End the command with one line on standard error and exit code 2."""
    print_error(sentence)
    raise typer.Exit(2)


def end_interrupted(sentence: str) -> NoReturn:
    """End a command that Ctrl-C has cut short, after what it had was written."""
    print_error(f"interrupted; {sentence}")
    raise typer.Exit(INTERRUPTED)


@contextmanager
def learning(command: str) -> Iterator[None]:
    """Turn missing packages, bad input, full memory and Ctrl-C into the one sentence of a command."""
    try:
        with ended_if_interrupted():  # the import takes a second
            from secant.learn.errors import InputError, is_end_of_memory
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("secant"):
            raise
        fail(f"secant {command} needs {missing.name}; install it with: pip install 'secant[train]'")
    try:
        yield
    except InputError as error:
        fail(str(error))
    except (MemoryError, RuntimeError) as error:
        if not is_end_of_memory(error):
            raise
        fail(f"secant {command} needs more memory than there is: try a smaller table or network")
    except KeyboardInterrupt:  # typer would end the command without a word
        end_interrupted("nothing was written")


def print_json(data: Any) -> None:
    """One JSON object on standard output; numbers that are not finite are null."""
    from secant.learn.plain import plain

    print(json.dumps(plain(data), allow_nan=False))


def next_command(settings: Settings, folder: Path) -> str:
    """The command that predicts with a model from a table written like that of the training."""
    words = ["secant", "predict", str(folder), "new.csv"]
    for name in ("separator", "decimal", "thousands", "encoding"):
        value = getattr(settings, name)
        if value != getattr(type(settings), name):
            words += [f"--{name}", value]
    return f"next: {shlex.join(words)} --out predictions.csv"


def file_name(text: str) -> str:
    """A text with everything replaced that a file name cannot have everywhere."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in text)


def run_name(data: str, targets: Sequence[str]) -> str:
    """What a run on a table is called: after the table and its targets, as far as a name holds them."""
    return f"{stem(data)}-{'-'.join(targets)}"[:_LONGEST_NAME]


def stem(data: str) -> str:
    """What outputs that come from a table are called after."""
    from secant.learn.tables.compression import without_ending

    return "table" if data == "-" else Path(without_ending(data)).stem
