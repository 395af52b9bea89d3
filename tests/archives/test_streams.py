"""Streams against the standard library's own readers."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.archives.member import CHUNK_BYTES, ArchiveError
from pycache_guard.archives.streams import Stream, bzip2, xz, zstandard
from pycache_guard.archives.streams import gzip as gzip_decompressor

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycache_guard.archives.streams import Decompressor

FORMATS: list[tuple[Callable[[], Decompressor] | None, Callable[[bytes], bytes]]] = [
    (None, bytes),
    (gzip_decompressor, gzip.compress),
    (bzip2, bz2.compress),
    (xz, lzma.compress),
]


@pytest.mark.parametrize(("start", "compress"), FORMATS, ids=["plain", "gzip", "bzip2", "xz"])
@given(pieces=st.lists(st.binary(max_size=300), min_size=1), sizes=st.lists(st.integers(0, 400)))
def test_stream_returns_the_requested_bytes(
    start: Callable[[], Decompressor] | None,
    compress: Callable[[bytes], bytes],
    pieces: list[bytes],
    sizes: list[int],
) -> None:
    data = b"".join(pieces)
    stream = Stream(io.BytesIO(b"".join(map(compress, pieces))), start)
    at = 0
    for size in sizes:
        assert stream.read(size) == data[at : at + size]
        at = min(at + size, len(data))
        assert stream.position == at
        at = min(at + 3, len(data))
        stream.skip(3)
        assert stream.position == at
    assert stream.read(CHUNK_BYTES) == data[at:]
    assert stream.read(1) == b""


def test_stream_skips_more_than_one_piece() -> None:
    data = bytes(range(256)) * 2000
    stream = Stream(io.BytesIO(gzip.compress(data)), gzip_decompressor)
    stream.skip(300_000)
    assert stream.position == 300_000
    assert stream.read(CHUNK_BYTES) == data[300_000 : 300_000 + CHUNK_BYTES]
    stream.skip(10**9)
    assert stream.position == len(data)


@pytest.mark.parametrize(
    ("decompressor", "compress"), [(gzip_decompressor, gzip.compress), (xz, lzma.compress)]
)
def test_streams_separated_by_zeros_are_read_as_one(
    decompressor: Callable[[], Decompressor], compress: Callable[[bytes], bytes]
) -> None:
    data = compress(b"ab") + bytes(2 * CHUNK_BYTES) + compress(b"cd") + bytes(512)
    counted: list[int] = []
    stream = Stream(io.BytesIO(data), decompressor, counted.append)
    assert stream.read(9) == b"abcd"
    assert sum(counted) == 4


def test_xz_beyond_the_memory_limit_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 256 << 20}]
    # PyPy fails with filters and no check, and names the error by its number.
    data = lzma.compress(b"x", check=lzma.CHECK_CRC64, filters=filters)
    with pytest.raises(lzma.LZMAError, match=r"Memory usage limit|from liblzma: 6"):
        Stream(io.BytesIO(data), xz).read(1)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python has zstd")
def test_zstd_before_python_3_14_is_refused() -> None:
    with pytest.raises(ArchiveError, match=r"zstd, which Python can read since 3\.14"):
        zstandard()


@pytest.mark.skipif(sys.version_info < (3, 14), reason="this Python has no zstd")
def test_zstd_since_python_3_14_is_read() -> None:
    from compression import zstd  # type: ignore[import-not-found,unused-ignore]  # 3.14's

    stream = Stream(io.BytesIO(zstd.compress(b"abc")), zstandard)
    assert stream.read(9) == b"abc"


@pytest.mark.parametrize(
    "skipped", [0, 10, CHUNK_BYTES, CHUNK_BYTES + 11, 3 * CHUNK_BYTES, 1 << 40]
)
def test_skipping_a_file_counts_and_stops_at_its_end(skipped: int) -> None:
    data = bytes(range(251)) * 1500
    counted: list[int] = []
    stream = Stream(io.BytesIO(data), None, counted.append)
    assert stream.read(7) == data[:7]
    stream.skip(skipped)
    after = min(7 + skipped, len(data))
    assert stream.position == after
    assert stream.read(50) == data[after : after + 50]
    stream.skip(1 << 40)
    assert sum(counted) == len(data)
