"""Zstandard streams through the package zstandard, which notices no end that is missing: here it is."""

from __future__ import annotations

import io
from typing import Any, BinaryIO, cast

from secant.learn.errors import InputError

__all__ = ["ZstdReader", "require_zstandard", "zstd_writer"]

_READ = 1 << 13
"""Compressed bytes that are taken at a time: what they stand for is kept until it is asked for."""


def require_zstandard(name: str) -> Any:
    """The package; raises InputError, which names the file `name`, where it is not there."""
    try:
        import zstandard
    except ModuleNotFoundError:
        raise InputError(
            f"{name} needs the package zstandard; install it with: pip install 'secant[zstd]'"
        ) from None
    return zstandard


class ZstdReader(io.RawIOBase):
    """The bytes that a file of one or more frames stands for.

    Raises EOFError where a frame has no end, and OSError where one is damaged, as the readers of the
    standard library do.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        super().__init__()
        self._zstandard = require_zstandard(name)
        self._file = file
        self._frame: Any = None
        self._packed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As many bytes as are ready, at most those that there is room for."""
        while not self._ready and self._advance():
            pass
        room = memoryview(buffer)
        count = min(len(room), len(self._ready))
        room[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _advance(self) -> bool:
        """Decompress a little more; False at the end."""
        self._packed = self._packed or self._file.read(_READ)
        if not self._packed:
            if self._frame is not None:
                raise EOFError
            return False
        if self._frame is None:
            self._frame = self._zstandard.ZstdDecompressor().decompressobj()
        try:
            self._ready = memoryview(self._frame.decompress(self._packed))
        except self._zstandard.ZstdError as error:
            raise OSError(str(error)) from None
        self._packed = b""
        if self._frame.eof:
            self._packed, self._frame = self._frame.unused_data, None
        return True


def zstd_writer(file: BinaryIO, name: str) -> BinaryIO:
    """A stream that compresses into a file, with a checksum, and leaves the file open."""
    compressor = require_zstandard(name).ZstdCompressor(write_checksum=True)
    return cast(BinaryIO, compressor.stream_writer(file, closefd=False))
