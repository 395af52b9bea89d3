"""Compressed streams, decompressed forwards, piece by piece, within limits."""

from __future__ import annotations

import sys
import zlib

from pycache_guard.archives.member import LARGEST_READ
from pycache_guard.archives.member import Unjudgeable
from pycache_guard.archives.member import check_growth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO
    from typing import Protocol

    class Decompressor(Protocol):
        """As `bz2.BZ2Decompressor` and its like have it."""

        @property
        def eof(self) -> bool:
            """Whether the end of the stream was seen."""

        @property
        def needs_input(self) -> bool:
            """Whether there is nothing to return before more is put in."""

        @property
        def unused_data(self) -> bytes:
            """What follows the end of the stream."""

        def decompress(self, data: bytes, max_length: int, /) -> bytes:
            """Return up to `max_length` bytes."""


_PIECE = 1 << 16

#: xz files may ask for a dictionary of 4 GiB; `xz -9` makes one of 64 MiB.
_XZ_MEMORY = 128 << 20

#: A logarithm: 128 MiB, which is what `zstd -d` allows.
_ZSTD_WINDOW = 27


class Gzip:
    """`zlib.decompressobj` with the interface of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was seen."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """What follows the end of the stream."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return up to `max_length` bytes."""
        given = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = len(given) < max_length
        return given


def bzip2() -> Decompressor:
    """Return a decompressor of bzip2."""
    import bz2

    return bz2.BZ2Decompressor()


def xz() -> Decompressor:
    """Return a decompressor of xz, within bounds of memory."""
    import lzma

    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)


def zstandard() -> Decompressor:
    """Return a decompressor of zstd. Raises `Unjudgeable` before Python 3.14."""
    if sys.version_info >= (3, 14):  # pragma: >=3.14 cover
        from compression import zstd

        options = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
        return zstd.ZstdDecompressor(options=options)
    raise Unjudgeable(
        "is compressed by zstd, which Python reads from 3.14 on"
    )  # pragma: <3.14 cover


#: By first bytes.
MAGICS: tuple[tuple[bytes, Callable[[], Decompressor]], ...] = (
    (b"\x1f\x8b", Gzip),
    (b"BZh", bzip2),
    (b"\xfd7zXZ\0", xz),
    (b"\x28\xb5\x2f\xfd", zstandard),
)


class Stream:
    """A file that can only be read forwards; compressed if `start`, or as it is if that is `None`.

    Bytes that were decompressed are not kept.
    """

    def __init__(self, file: IO[bytes], start: Callable[[], Decompressor] | None) -> None:
        self._file = file
        self._start = start
        self._decompressor = start() if start else None
        self._at = 0
        self._taken = 0
        #: What the last `read` gave.
        self.last = b""

    def tell(self) -> int:
        """Return how many bytes were given."""
        return self._at

    def seek(self, position: int) -> int:
        """Skip to `position`. Raises `Unjudgeable` for one that has gone by."""
        if position < self._at:
            raise Unjudgeable("leads backwards")
        while self._at < position and self.read(min(position - self._at, _PIECE)):
            pass
        return self._at

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer at the end. Raises `Unjudgeable` for more than is sane."""
        if size > LARGEST_READ:
            raise Unjudgeable(f"has a header of {size} bytes, more than {LARGEST_READ >> 20} MiB")
        pieces = []
        missing = size
        while missing > 0 and (piece := self._some(missing)):
            pieces.append(piece)
            missing -= len(piece)
        self.last = b"".join(pieces)
        self._at += len(self.last)
        check_growth(self._taken, self._at)
        return self.last

    def _some(self, size: int) -> bytes:
        """Return some bytes, none at the end. Raises `EOFError` where a stream is cut short."""
        if self._decompressor is None:
            return self._fresh(size)
        while True:
            decompressor = self._decompressor
            if decompressor.eof:
                rest = decompressor.unused_data.lstrip(b"\0") or self._fresh(_PIECE).lstrip(b"\0")
                if not rest:
                    return b""
                assert self._start is not None
                self._decompressor, data = self._start(), rest
            else:
                data = self._fresh(_PIECE) if decompressor.needs_input else b""
                if not data and decompressor.needs_input:
                    raise EOFError("it ends before its end marker")
            given = self._decompressor.decompress(data, min(size, _PIECE))
            if given:
                return given

    def _fresh(self, size: int) -> bytes:
        data = self._file.read(size)
        self._taken += len(data)
        return data
