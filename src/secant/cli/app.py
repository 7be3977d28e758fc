"""The application: how a command is found and run, and what its exit code is."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated, cast

from secant.starting import INTERRUPTED, look_after_imports, raise_if_interrupted

look_after_imports()
try:
    import typer
except ModuleNotFoundError as missing:
    print(
        f"error: the secant command needs {missing.name}; "
        "install it with: pip install 'secant[train]'",
        file=sys.stderr,
    )
    raise SystemExit(2) from None

__all__ = ["app", "main", "print_error", "run"]

app = typer.Typer(
    help="Train networks with quasi-Newton and second-order methods.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

# Every wrong use of options and arguments; typer does not export the class by its own name.
_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])


def main() -> None:
    """Entry point of the ``secant`` command."""
    for stream in (sys.stdout, sys.stderr):  # a name the terminal cannot show is no reason to fail
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    command = typer.main.get_command(app)
    try:
        raise_if_interrupted()  # into this block
        words = list(arguments) or ["--help"]
        code = command.main(words, prog_name="secant", standalone_mode=False)
    except _UsageError as error:
        print_error(error.format_message())
        return 2
    except (typer.Abort, KeyboardInterrupt):
        print_error("interrupted; nothing was written")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return int(code or 0)


def print_error(sentence: str) -> None:
    """One line on standard error."""
    print(f"error: {sentence}", file=sys.stderr)


@app.callback(invoke_without_command=True)
def _secant(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        import secant

        print(f"secant {secant.__version__}")
        raise typer.Exit
