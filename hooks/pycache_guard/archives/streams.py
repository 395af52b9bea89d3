"""Compressed streams, decompressed forwards, piece by piece, within limits."""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING

from pycache_guard.archives.member import CHUNK_BYTES, ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Protocol

    class Decompressor(Protocol):
        """The interface of `bz2.BZ2Decompressor` and similar classes."""

        @property
        def eof(self) -> bool:
            """Return whether the end of the stream was seen."""

        @property
        def needs_input(self) -> bool:
            """Return whether more input is needed before more output."""

        @property
        def unused_data(self) -> bytes:
            """The bytes after the end of the stream."""

        def decompress(self, data: bytes, max_length: int, /) -> bytes:
            """Return up to `max_length` bytes."""


#: xz files may ask for a dictionary of 4 GiB; `xz -9` makes one of 64 MiB.
_MAX_XZ_MEMORY_BYTES = 72 << 20

#: A logarithm: 64 MiB. `zstd -19` uses 8 MiB.
_MAX_ZSTD_WINDOW_LOG = 26


class Zlib:
    """`zlib.decompressobj` with the interface of the other decompressors."""

    def __init__(self, wbits: int) -> None:
        """Take `wbits` as `zlib.decompressobj` does."""
        self._inner = zlib.decompressobj(wbits)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """Return whether the end of the stream was seen."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """The bytes after the end of the stream."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return up to `max_length` bytes."""
        given = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = len(given) < max_length
        return given


def gzip() -> Decompressor:
    """Return a decompressor of one gzip member."""
    return Zlib(16 + zlib.MAX_WBITS)


def deflate() -> Decompressor:
    """Return a decompressor of raw DEFLATE, as zip files contain it."""
    return Zlib(-zlib.MAX_WBITS)


def bzip2() -> Decompressor:
    """Return a decompressor of bzip2."""
    import bz2

    return bz2.BZ2Decompressor()


def xz() -> Decompressor:
    """Return a decompressor of xz, within bounds of memory."""
    import lzma

    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_XZ_MEMORY_BYTES)


def zstandard() -> Decompressor:
    """Return a decompressor of zstd. Raises `ArchiveError` before Python 3.14."""
    if sys.version_info >= (3, 14):  # pragma: >=3.14 cover
        from compression import zstd

        options = {int(zstd.DecompressionParameter.window_log_max): _MAX_ZSTD_WINDOW_LOG}
        return zstd.ZstdDecompressor(options=options)
    raise ArchiveError(
        "is compressed with zstd, which Python can read since 3.14"
    )  # pragma: <3.14 cover


def read_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that decompressors raise for damaged data."""
    errors: tuple[type[Exception], ...] = (
        *(zlib.error, EOFError, MemoryError, OSError, OverflowError, RuntimeError, ValueError),
    )
    # Only a decompressor that was imported can have raised its own class.
    for module, name in (("_lzma", "LZMAError"), ("_zstd", "ZstdError")):
        if module in sys.modules:
            errors += (getattr(sys.modules[module], name),)
    return errors


def error_text(error: BaseException) -> str:
    """Return the message of an exception in one line, or its class name if the message is empty."""
    return " ".join(str(error).split()) or type(error).__name__


#: By first bytes.
MAGICS: tuple[tuple[bytes, Callable[[], Decompressor]], ...] = (
    (b"\x1f\x8b", gzip),
    (b"BZh", bzip2),
    (b"\xfd7zXZ\0", xz),
    (b"\x28\xb5\x2f\xfd", zstandard),
)


def find_decompressor(head: bytes) -> Callable[[], Decompressor] | None:
    """Return the decompressor of a file that begins with `head`, None if it is not compressed."""
    return next((start for magic, start in MAGICS if head.startswith(magic)), None)


class Stream:
    """A file that is read forwards, through the decompressor that `start` creates if it is not None.

    Streams that follow one another in the file are read as one, with zero bytes between them, as
    gzip(1) and xz(1) do: the readers that stop after the first stream see a part of the same.
    """

    def __init__(
        self,
        file: IO[bytes],
        start: Callable[[], Decompressor] | None,
        count: Callable[[int], None] = lambda given: None,
    ) -> None:
        """Begin to read `file`; `count` is called with the size of each unpacked piece."""
        self._file = file
        self._start = start
        self.is_compressed = start is not None
        self._count = count
        self._decompressor = start() if start else None
        self._piece = b""
        self._at = 0
        #: How many bytes were read or skipped.
        self.position = 0

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer at the end; `size` is at most CHUNK_BYTES."""
        found = self._piece[self._at : self._at + size]
        self._at += size
        while len(found) < size and self._refill():
            self._at = size - len(found)
            found += self._piece[: self._at]
        self.position += len(found)
        return found

    def skip(self, size: int) -> None:
        """Go over `size` bytes, or to the end."""
        if not self.is_compressed:
            size = self._seek_over(size)
        while size > 0 and (found := self.read(min(size, CHUNK_BYTES))):
            size -= len(found)

    def _seek_over(self, size: int) -> int:
        """Go over `size` bytes without reading them if that is worth it; return how many are left."""
        held = len(self._piece) - self._at
        if size <= held + CHUNK_BYTES:
            return size
        target = min(self.position + size, self._file.seek(0, 2))
        self._count(target - self.position - held)
        self._file.seek(target)
        self._piece, self._at, self.position = b"", 0, target
        return 0

    def _refill(self) -> bool:
        self._piece, self._at = self._next_piece(), 0
        self._count(len(self._piece))
        return self._piece != b""

    def _next_piece(self) -> bytes:
        """Return the next bytes, none at the end. Raises `EOFError` for a truncated stream."""
        if self._decompressor is None:
            return self._file.read(CHUNK_BYTES)
        while True:
            decompressor = self._decompressor
            if decompressor.eof:
                rest = self._after_zeros(decompressor.unused_data)
                if not rest:
                    return b""
                assert self._start is not None
                self._decompressor, data = self._start(), rest
            else:
                data = self._file.read(CHUNK_BYTES) if decompressor.needs_input else b""
                if not data and decompressor.needs_input:
                    raise EOFError("it ends before its end marker")
            given = self._decompressor.decompress(data, CHUNK_BYTES)
            if given:
                return given

    def _after_zeros(self, rest: bytes) -> bytes:
        rest = rest.lstrip(b"\0")
        while not rest and (data := self._file.read(CHUNK_BYTES)):
            rest = data.lstrip(b"\0")
        return rest
