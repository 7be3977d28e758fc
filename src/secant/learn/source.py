"""Where a table comes from: a file, standard input, or an open file."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from secant.learn.errors import InputError

__all__ = ["Readable", "Source", "open_source"]

Readable = str | Path | IO[Any]

_STANDARD_INPUT = "-"
_PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class Source:
    """A table's bytes, which can be read more than once.

    Attributes
    ----------
    name : str
        What messages call it.
    path : Path, optional
        The file, where there is one.
    content : bytes
        What was read, where there is none.
    """

    name: str
    path: Path | None = None
    content: bytes = b""

    def open(self) -> BinaryIO:
        """The bytes from their start."""
        return io.BytesIO(self.content) if self.path is None else self.path.open("rb")

    @property
    def is_parquet(self) -> bool:
        """Whether it is a Parquet file, by its name or by its first bytes."""
        if Path(self.name).suffix.lower() in _PARQUET:
            return True
        with self.open() as file:
            return file.read(4) == b"PAR1"


def open_source(table: Readable | Source) -> Source:
    """The source that a user's argument means; ``"-"`` is standard input.

    Raises
    ------
    InputError
        If there is no such file, or it cannot be read.
    """
    if isinstance(table, Source):
        return table
    if not isinstance(table, str | Path):
        return _read_open_file(table)
    if str(table) == _STANDARD_INPUT:
        return Source("standard input", content=sys.stdin.buffer.read())
    path = Path(table)
    try:
        with path.open("rb"):
            return Source(path.name, path)
    except FileNotFoundError:
        raise InputError(f"there is no file {str(path)!r}") from None
    except IsADirectoryError:
        raise InputError(f"{str(path)!r} is a folder, and a CSV file is needed") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{str(path)!r} cannot be read: {reason}") from None


def _read_open_file(file: IO[Any]) -> Source:
    if not hasattr(file, "read"):
        raise InputError(f"a table must be a path, '-' or an open file, not {type(file).__name__}")
    content = file.read()
    name = getattr(file, "name", None)
    return Source(
        Path(name).name if isinstance(name, str) else "the table",
        content=content.encode("utf-8") if isinstance(content, str) else bytes(content),
    )
