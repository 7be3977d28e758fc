"""Compressed files: gzip, bzip2, xz, zstd, and zip archives with one file in them.

What is read is known by its first bytes, so that standard input may be compressed, too; what is
written is compressed as the ending of its name says. Bytes are decompressed as they are read: a table
takes no more memory than without compression.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from secant.learn.errors import InputError, listing
from secant.learn.tables.zstd import ZstdReader, require_zstandard, zstd_writer

__all__ = [
    "check_ending",
    "compressed",
    "compression_of",
    "decompressed",
    "member_of",
    "refuse_other_content",
    "without_ending",
]

_ENDINGS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd", ".zip": "zip"}
_STARTS = {
    "gzip": re.compile(rb"\x1f\x8b"),
    # Three letters could begin a table: what follows them are the digits of pi, or of its root.
    "bzip2": re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\x00"),
    "zip": re.compile(rb"PK(\x03\x04|\x05\x06)"),
    # A frame, or one to be skipped, as pzstd and others begin with.
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
}
_UNKNOWN_ENDINGS = (".zstd", ".lz4", ".7z", ".z", ".rar", ".br")
_LONGEST_START = 10

_DAMAGE = (OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError)

_BUFFER = 1 << 18


def compression_of(file: BinaryIO) -> str | None:
    """What the bytes of a file are compressed with, if they are; the file is read from its place."""
    start = file.read(_LONGEST_START)
    return next((kind for kind, known in _STARTS.items() if known.match(start)), None)


def without_ending(name: str) -> str:
    """The name of a file as it was before it was compressed.

    >>> without_ending("data.csv.gz"), without_ending("data.csv")
    ('data.csv', 'data.csv')
    """
    path = Path(name)
    return path.stem if path.suffix.lower() in _ENDINGS else path.name


def check_ending(name: str) -> None:
    """Raise InputError if a file of this name cannot be compressed as its ending says."""
    ending = Path(name).suffix.lower()
    if _ENDINGS.get(ending) == "zstd":
        require_zstandard(name)
    if ending in _UNKNOWN_ENDINGS:
        raise InputError(f"{name!r}: compressed files end in {listing(_ENDINGS)}, not {ending!r}")


def refuse_other_content(name: str, found: str | None) -> None:
    """Raise InputError if the name promises a compression that the bytes do not have."""
    promised = _ENDINGS.get(Path(name).suffix.lower())
    if promised is not None and found != promised:
        raise InputError(f"{name} is no {promised} file, whatever its name says")


def decompressed(file: BinaryIO, kind: str, name: str) -> BinaryIO:
    """The bytes that a compressed file stands for, as a stream that closes the file with itself.

    Parameters
    ----------
    file : binary file
        At its start.
    kind : str
        From `compression_of`.
    name : str
        What messages call the file.

    Raises
    ------
    InputError
        Now or while the stream is read: if the bytes are damaged or cut short, an archive does not hold
        one file, or zstandard is needed and not there.
    """
    with ExitStack() as opened:
        opened.enter_context(file)
        with _sentences(name, kind):
            inner = opened.enter_context(_opened(file, kind, name))
        return io.BufferedReader(_Stream(inner, opened.pop_all(), name, kind), _BUFFER)


def _opened(file: BinaryIO, kind: str, name: str) -> BinaryIO:
    if kind == "gzip":
        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if kind == "bzip2":
        return cast(BinaryIO, bz2.BZ2File(file))
    if kind == "xz":
        return cast(BinaryIO, lzma.LZMAFile(file))
    if kind == "zip":
        archive = zipfile.ZipFile(file)
        return cast(BinaryIO, archive.open(_only_member(archive, name)))
    return cast(BinaryIO, ZstdReader(file, name))


class _Stream(io.RawIOBase):
    """A decompressor whose complaints are sentences."""

    def __init__(self, inner: BinaryIO, opened: ExitStack, name: str, kind: str) -> None:
        super().__init__()
        self._inner, self._opened = inner, opened
        self._name, self._kind = name, kind

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As many bytes as there is room for; raises InputError where they are damaged."""
        room = memoryview(buffer)
        with _sentences(self._name, self._kind):
            found = self._inner.read(len(room))
        room[: len(found)] = found
        return len(found)

    def close(self) -> None:
        """Close the decompressor and its file."""
        self._opened.close()
        super().close()


@contextmanager
def _sentences(name: str, kind: str) -> Iterator[None]:
    try:
        yield
    except EOFError:
        raise InputError(f"{name} is cut short: its {kind} data have no end") from None
    except _DAMAGE as error:
        raise InputError(f"{name} is damaged, {kind} cannot read it: {error}") from None


def member_of(file: BinaryIO, name: str) -> str:
    """The name of the one file in a zip archive."""
    with file, _sentences(name, "zip"), zipfile.ZipFile(file) as archive:
        return Path(_only_member(archive, name).filename).name


def _only_member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    members = [
        # Archives made on a Mac have a shadow of every file.
        entry
        for entry in archive.infolist()
        if not (entry.is_dir() or entry.filename.startswith("__MACOSX/"))
    ]
    names = [entry.filename for entry in members]
    if "[Content_Types].xml" in names:
        raise InputError(
            f"{name} is a binary file of an office program: export the table as CSV text"
        )
    if len(members) != 1:
        holds = f"{len(names)} files, {listing(names, 3)}" if names else "no file"
        raise InputError(f"{name} holds {holds}: an archive must hold one table and nothing else")
    if members[0].flag_bits & 1:
        raise InputError(f"{name} is encrypted: unpack it first")
    return members[0]


@contextmanager
def compressed(path: Path, name: str) -> Iterator[IO[bytes]]:
    """A new file at `path` to write into, compressed as the ending of `name` says.

    The same bytes always give the same file: no clock is in it.
    """
    check_ending(name)
    kind = _ENDINGS.get(Path(name).suffix.lower())
    with ExitStack() as opened:
        file = opened.enter_context(path.open("wb"))
        if kind is None:
            yield file
        elif kind == "gzip":
            # With no name and no time inside.
            packed = gzip.GzipFile("", "wb", fileobj=file, mtime=0)
            yield cast(IO[bytes], opened.enter_context(packed))
        elif kind == "bzip2":
            yield opened.enter_context(bz2.BZ2File(file, "wb"))
        elif kind == "xz":
            yield opened.enter_context(lzma.LZMAFile(file, "wb"))
        elif kind == "zstd":
            yield opened.enter_context(zstd_writer(file, name))
        else:
            archive = opened.enter_context(zipfile.ZipFile(file, "w"))
            member = zipfile.ZipInfo(_member_name(name))
            member.compress_type = zipfile.ZIP_DEFLATED
            yield opened.enter_context(archive.open(member, "w", force_zip64=True))


def _member_name(name: str) -> str:
    """Of ``predictions.csv.zip`` or ``predictions.zip``: a name that says what is inside."""
    inside = without_ending(name)
    return inside if Path(inside).suffix else f"{inside}.csv"
