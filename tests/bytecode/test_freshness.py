from __future__ import annotations

import pytest

from pycache_guard.bytecode.freshness import (
    Freshness,
    FreshnessResult,
    Source,
    check_freshness,
    swap_line_endings,
)
from pycache_guard.bytecode.header import Header, SourceHash, Timestamp
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.source_hash import source_hash

RUNS, MAY_RUN, STALE = Freshness.RUNS, Freshness.MAY_RUN, Freshness.STALE
found = (
    identify_magic(b"\xa7\r\r\n"),
    identify_magic(b"\x03\xf3\r\n"),
    identify_magic((21280).to_bytes(2, "little") + b"\r\n"),
)
assert found[0] is not None
assert found[1] is not None
assert found[2] is not None
CPYTHON, PYTHON_2, GRAALPY = found[0], found[1], found[2]
LF, CRLF = b"a\nb\n", b"a\r\nb\r\n"


def source(data: bytes, mtime: float | None) -> Source:
    return Source(len(data), mtime, lambda: data)


TIMES = [
    (4, LF, 7.9, RUNS, False),
    (4, LF, 2.0**32 + 7, RUNS, False),
    (4, LF, 8.0, STALE, True),
    (4, LF, None, MAY_RUN, False),
    (6, LF, 7.0, MAY_RUN, False),
    (6, LF, 8.0, STALE, True),
    (6, LF, None, MAY_RUN, False),
    (4, CRLF, 7.0, MAY_RUN, False),
    (5, LF, 7.0, STALE, False),
    (5, LF, None, STALE, False),
    (None, LF, 7.0, RUNS, False),
    (None, LF, 8.0, STALE, True),
    (None, LF, None, MAY_RUN, False),
]


@pytest.mark.parametrize(("size", "data", "mtime", "standing", "only_time"), TIMES)
def test_timestamps(
    size: int | None, data: bytes, mtime: float | None, standing: Freshness, *, only_time: bool
) -> None:
    header = Header(PYTHON_2 if size is None else CPYTHON, 0, Timestamp(7, size))
    found = check_freshness(header, source(data, mtime))
    assert (found.freshness, found.only_mtime_differs) == (standing, only_time)


HASHES = [
    (LF, LF, True, RUNS),
    (LF, CRLF, True, MAY_RUN),
    (CRLF, LF, True, MAY_RUN),
    (b"other", LF, True, STALE),
    (b"other", LF, False, RUNS),
]


@pytest.mark.parametrize(("hashed", "data", "checked", "standing"), HASHES)
def test_hashes(hashed: bytes, data: bytes, standing: Freshness, *, checked: bool) -> None:
    digest = source_hash(hashed, CPYTHON)
    assert digest is not None
    header = Header(CPYTHON, 3 if checked else 1, SourceHash(digest, checked))
    for mtime in (None, 7.0):
        assert check_freshness(header, source(data, mtime)).freshness is standing


def test_hash_that_was_asked_for() -> None:
    header = Header(CPYTHON, 3, SourceHash(b"12345678", True))
    assert check_freshness(header, source(LF, 7.0), lambda *_: b"12345678").freshness is RUNS


def test_hash_that_is_unknown() -> None:
    header = Header(GRAALPY, 3, SourceHash(b"12345678", True))
    why = "the hash function of GraalPy is not known"
    assert check_freshness(header, source(LF, 7.0)) == FreshnessResult(MAY_RUN, why)


def test_no_header() -> None:
    jython = identify_magic(b"\xca\xfe\xba\xbe")
    assert jython is not None
    assert check_freshness(Header(jython, 0, None), source(LF, 7.0)).freshness is MAY_RUN


def test_line_ends() -> None:
    assert (swap_line_endings(LF), swap_line_endings(CRLF), swap_line_endings(b"a")) == (
        CRLF,
        LF,
        b"a",
    )
