"""Where a table comes from: a file, standard input, or an open file; compressed or not."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, BinaryIO

from secant.learn.errors import InputError, enough_memory
from secant.learn.tables.compression import (
    compression_of,
    decompressed,
    member_of,
    refuse_other_content,
    without_ending,
)

__all__ = ["Readable", "Source", "is_parquet_name", "open_source", "separator_of"]

Readable = str | Path | IO[Any]

_STANDARD_INPUT = "-"
_PARQUET = (".parquet", ".pq")
_SEPARATORS = {".tsv": "\t", ".tab": "\t"}


@dataclass(frozen=True)
class Source:
    """A table's bytes, which can be read more than once, decompressed.

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
        """The bytes of the table from their start."""
        if self.compression is None:
            return self._stored()
        return decompressed(self._stored(), self.compression, self.name)

    def _stored(self) -> BinaryIO:
        """The bytes as they are kept."""
        return io.BytesIO(self.content) if self.path is None else self.path.open("rb")

    @cached_property
    def compression(self) -> str | None:
        """What the bytes are compressed with, if they are."""
        with self._stored() as file:
            return compression_of(file)

    @cached_property
    def table_name(self) -> str:
        """The name of what is inside a compressed file: its ending says what kind of table it is."""
        if self.compression == "zip":
            return member_of(self._stored(), self.name)
        return without_ending(self.name)

    @property
    def is_parquet(self) -> bool:
        """Whether it is a Parquet file, by its name or by its first bytes."""
        if is_parquet_name(self.table_name):
            return True
        with self.open() as file:
            return file.read(4) == b"PAR1"


def is_parquet_name(name: str) -> bool:
    """Whether a file of this name is a Parquet file."""
    return Path(name).suffix.lower() in _PARQUET


def separator_of(name: str) -> str:
    """What stands between two cells of a text file of this name if nobody says it."""
    return _SEPARATORS.get(Path(name).suffix.lower(), ",")


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
        with enough_memory("standard input"):
            return Source("standard input", content=sys.stdin.buffer.read())
    path = Path(table)
    try:
        with path.open("rb") as file:
            if not path.is_file():  # a pipe can be read once alone
                with enough_memory(path.name):
                    return Source(path.name, content=file.read())
            if file.peek(1):
                refuse_other_content(path.name, compression_of(file))
        return Source(path.name, path)
    except FileNotFoundError:
        raise InputError(f"there is no file {str(path)!r}") from None
    except IsADirectoryError:
        raise InputError(f"{str(path)!r} is a folder, and a CSV file is needed") from None
    except InputError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{str(path)!r} cannot be read: {reason}") from None


def _read_open_file(file: IO[Any]) -> Source:
    if not hasattr(file, "read"):
        raise InputError(f"a table must be a path, '-' or an open file, not {type(file).__name__}")
    given = getattr(file, "name", None)
    name = Path(given).name if isinstance(given, str) else "the table"
    with enough_memory(name):
        content = file.read()
        return Source(
            name, content=content.encode("utf-8") if isinstance(content, str) else bytes(content)
        )
