"""Files that appear whole or not at all.

Everything is written under a temporary name next to its place and renamed at the end; an error or
an interruption before that leaves what was there as it was.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from secant.learn.errors import InputError

__all__ = ["check_new_file", "check_new_folder", "free_folder", "whole_file", "whole_folder"]


def free_folder(path: Path) -> Path:
    """`path`, or the first of path-2, path-3, ... that does not exist."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in itertools.count(2))
    return next(place for place in itertools.chain([path], numbered) if not os.path.lexists(place))


def check_new_folder(path: Path, *, replace: bool, marker: str) -> None:
    """Raise InputError unless a folder can be made at `path`.

    An existing folder may be replaced only if asked for and if it holds a file named `marker`: a
    slip of the pen must not delete somebody's documents.
    """
    if os.path.lexists(path):
        if not replace:
            raise InputError(f"{str(path)!r} exists already: choose another --out, or give --force")
        if not (path / marker).is_file():
            raise InputError(f"{str(path)!r} holds no {marker}, so --force does not replace it")
    _check_writable(path)


def check_new_file(path: Path, *, replace: bool) -> None:
    """Raise InputError unless a file can be written at `path`."""
    if path.is_dir():
        raise InputError(f"{str(path)!r} is a folder, and a file is to be written")
    if os.path.lexists(path) and not replace:
        raise InputError(f"{str(path)!r} exists already: choose another --out, or give --force")
    _check_writable(path)


def _check_writable(path: Path) -> None:
    parent = path.absolute().parent
    while not os.path.lexists(parent):
        parent = parent.parent
    if not parent.is_dir():
        raise InputError(f"{str(path)!r} cannot be written: {str(parent)!r} is no folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise InputError(f"{str(path)!r} cannot be written: {str(parent)!r} allows no new files")


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A temporary folder to write into, which takes the place of `path` when the block ends."""
    temporary = _temporary(path)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        _rename_folder(temporary, path)
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary file to write, which takes the place of `path` when the block ends."""
    temporary = _temporary(path)
    try:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror or error}") from error
    finally:
        if os.path.lexists(temporary):
            temporary.unlink()


def _temporary(path: Path) -> Path:
    return path.absolute().with_name(f".{path.name}.{os.getpid()}.partial")


def _rename_folder(temporary: Path, path: Path) -> None:
    if not os.path.lexists(path):
        temporary.rename(path)
        return
    # A folder with files in it cannot be renamed over, so the old one steps aside first.
    aside = temporary.with_suffix(".old")
    path.rename(aside)
    try:
        temporary.rename(path)
    except OSError:
        aside.rename(path)
        raise
    shutil.rmtree(aside, ignore_errors=True)
