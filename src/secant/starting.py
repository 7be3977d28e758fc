"""Ctrl-C while the ``secant`` command is still importing: one line and exit code 130, no traceback.

The imports take a second or two. An exception that is raised in the middle of them would not reach the
command, which does not run yet, and libraries turn it into errors of their own; so the process ends
at once, when it has neither read nor written anything.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

__all__ = [
    "INTERRUPTED",
    "end_if_interrupted",
    "ended_if_interrupted",
    "is_command",
    "look_after_imports",
    "raise_if_interrupted",
]

INTERRUPTED = 130
"""The exit code of what a user has interrupted: 128 and the number of the signal, as in a shell."""


def is_command(program: str, arguments: Sequence[str]) -> bool:
    """Whether a process of these ``sys.argv[0]`` and ``sys.orig_argv`` is the ``secant`` command.

    >>> is_command("/usr/bin/secant", ["python", "/usr/bin/secant", "train"])
    True
    >>> is_command("-m", ["python", "-X", "utf8", "-m", "secant", "train"])
    True
    >>> is_command("-m", ["python", "-m", "pytest", "-m", "secant"])
    False
    """
    if program != "-m":
        return os.path.basename(program) in ("secant", "secant.exe")
    place = arguments.index("-m") + 1 if "-m" in arguments else len(arguments)
    return list(arguments[place : place + 1]) == ["secant"]


def end_if_interrupted() -> None:
    """From here on Ctrl-C ends the process; not where somebody else has decided what it does."""
    if _is_main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_if_interrupted() -> None:
    """From here on Ctrl-C raises KeyboardInterrupt again."""
    if _is_main_thread() and signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def ended_if_interrupted() -> Iterator[None]:
    """The same for one block."""
    end_if_interrupted()
    try:
        yield
    finally:
        raise_if_interrupted()


def _is_main_thread() -> bool:
    """Only there signals can be handled."""
    return threading.current_thread() is threading.main_thread()


def _end(number: int, frame: FrameType | None) -> None:
    os.write(2, b"error: interrupted; nothing was written\n")
    os._exit(INTERRUPTED)


def look_after_imports() -> None:
    """In a process that is the ``secant`` command, from here to `raise_if_interrupted`."""
    program = next(iter(getattr(sys, "argv", ())), "")  # where Python is embedded there may be none
    if is_command(program, sys.orig_argv):
        end_if_interrupted()


look_after_imports()
