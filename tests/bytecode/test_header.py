from __future__ import annotations

import contextlib
import importlib.util
import py_compile
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.bytecode.header import Header, InvalidHeader, SourceHash, Timestamp, parse_header

CPYTHON_27 = b"\x03\xf3\r\n"
CPYTHON_36 = b"3\r\r\n"
CPYTHON_311 = b"\xa7\r\r\n"
PYPY_27 = b"\x0a\xf3\r\n"
TIME = struct.pack("<I", 1_700_000_000)
SIZE = struct.pack("<I", 42)
DIGEST = b"12345678"


def flags(value: int) -> bytes:
    return struct.pack("<I", value)


WELL_FORMED = [
    (CPYTHON_27 + TIME, 0, Timestamp(1_700_000_000, None)),
    (PYPY_27 + TIME, 0, Timestamp(1_700_000_000, None)),
    (CPYTHON_36 + TIME + SIZE, 0, Timestamp(1_700_000_000, 42)),
    (CPYTHON_311 + flags(0) + TIME + SIZE, 0, Timestamp(1_700_000_000, 42)),
    (CPYTHON_311 + flags(1) + DIGEST, 1, SourceHash(DIGEST, False)),
    (CPYTHON_311 + flags(2) + TIME + SIZE, 2, Timestamp(1_700_000_000, 42)),
    (CPYTHON_311 + flags(3) + DIGEST, 3, SourceHash(DIGEST, True)),
    (bytes.fromhex("4d06001f"), 0, None),
    (b"\xca\xfe\xba\xbe", 0, None),
]


@pytest.mark.parametrize(("data", "flags", "validation"), WELL_FORMED)
def test_parse_header_reads_every_format(
    data: bytes, flags: int, validation: Timestamp | SourceHash | None
) -> None:
    header = parse_header(data + b"code")
    assert header.magic.data == data[:4]
    assert header.magic.header_length == len(data)
    assert header == Header(header.magic, flags, validation)
    assert header.has_unwritten_flags is (flags == 2)


@pytest.mark.parametrize("data", [data for data, _, _ in WELL_FORMED])
def test_parse_header_of_a_truncated_header_is_an_error(data: bytes) -> None:
    parse_header(data)
    for length in range(4):
        with pytest.raises(InvalidHeader) as caught:
            parse_header(data[:length])
        assert str(caught.value) == f"bad magic number: {data[:length]!r}"
    for length in range(4, len(data)):
        with pytest.raises(InvalidHeader) as caught:
            parse_header(data[:length])
        assert str(caught.value) == "reached EOF while reading pyc header"


@pytest.mark.parametrize("value", [4, 5, 8, 0x8000_0000, 0xFFFF_FFFF])
def test_parse_header_with_unknown_flags_is_an_error(value: int) -> None:
    with pytest.raises(InvalidHeader) as caught:
        parse_header(CPYTHON_311 + flags(value) + TIME + SIZE)
    assert str(caught.value) == f"invalid flags {value}"


@pytest.mark.parametrize(
    ("written", "mtime", "expected"),
    [
        (5, 5, True),
        (5, 5.999, True),
        (5, 6, False),
        (5, 2**32 + 5, True),
        (2**32 - 5, -5, True),
        (2**32 - 5, -5.5, True),
    ],
)
def test_time_is_whole_seconds_modulo_32_bits(written: int, mtime: float, expected: bool) -> None:
    assert Timestamp(written, 0).has_mtime(mtime) is expected


@pytest.mark.parametrize(
    ("written", "size", "expected"),
    [(7, 7, True), (7, 8, False), (7, 2**32 + 7, True), (None, 8, True)],
)
def test_size_is_modulo_32_bits(written: int | None, size: int, expected: bool) -> None:
    assert Timestamp(0, written).has_size(size) is expected


@pytest.mark.parametrize("mode", list(py_compile.PycInvalidationMode))
def test_parse_header_reads_what_this_interpreter_writes(
    mode: py_compile.PycInvalidationMode, tmp_path: Path
) -> None:
    source = tmp_path / "a.py"
    source.write_text("x = 1\n", "utf-8")
    compiled = py_compile.compile(str(source), doraise=True, invalidation_mode=mode)
    assert compiled is not None
    validation = parse_header(Path(compiled).read_bytes()).validation
    if mode is py_compile.PycInvalidationMode.TIMESTAMP:
        assert isinstance(validation, Timestamp)
        assert validation.has_mtime(source.stat().st_mtime)
        assert validation.has_size(source.stat().st_size)
    else:
        assert validation == SourceHash(
            importlib.util.source_hash(source.read_bytes()),
            mode is py_compile.PycInvalidationMode.CHECKED_HASH,
        )


@given(st.one_of(st.binary(), st.binary(max_size=16).map(lambda tail: CPYTHON_311 + tail)))
def test_any_bytes_give_a_header_or_the_one_error(data: bytes) -> None:
    with contextlib.suppress(InvalidHeader):
        assert parse_header(data).magic.header_length <= len(data)


CODE = b"c" + bytes(40)
CPYTHON_38 = b"U\r\r\n"
#: pytest-dev/pytest#8014, and what later versions write.
PYTEST_HEADERS = [
    ("cpython-38-PYTEST", CPYTHON_38 + TIME + SIZE, 12),
    ("cpython-38-pytest-5.4.3", CPYTHON_38 + TIME + SIZE, 12),
    ("cpython-38-pytest-6.1.2", CPYTHON_38 + TIME + SIZE, 12),
    ("cpython-38-pytest-6.2.0.dev9+g01", CPYTHON_38 + TIME + SIZE, 12),
    ("cpython-38-pytest-6.2.5", CPYTHON_38 + flags(0) + TIME + SIZE, 16),
    ("cpython-38-pytest-9.2.0", CPYTHON_38 + flags(0) + TIME + SIZE, 16),
    ("cpython-38-pytest-5.4.3", CPYTHON_38 + flags(0) + TIME + SIZE, 16),
    ("cpython-36-PYTEST", CPYTHON_36 + TIME + SIZE, 12),
    ("cpython-36-pytest-7.0.1", CPYTHON_36 + TIME + SIZE, 12),
    ("cpython-27-PYTEST", CPYTHON_27 + TIME + SIZE, 12),
    ("pypy-27-PYTEST", PYPY_27 + TIME + SIZE, 12),
    ("cpython-38-pytest-unknown", CPYTHON_38 + TIME + SIZE, 12),
]


@pytest.mark.parametrize(("label", "header", "length"), PYTEST_HEADERS)
def test_header_that_pytest_wrote_ends_where_code_begins(
    label: str, header: bytes, length: int
) -> None:
    name = parse_cache_name(f"__pycache__/test_a.{label}.pyc")
    parsed = parse_header(header + CODE, name)
    assert parsed.magic.header_length == len(header) == length
    assert parsed.flags == 0
    assert parsed.validation == Timestamp(1_700_000_000, 42)


@pytest.mark.parametrize(("version", "length"), [("PYTEST", 12), ("6.1.2", 12), ("6.2.5", 16)])
def test_header_that_pytest_wrote_without_code_has_the_length_of_its_version(
    version: str, length: int
) -> None:
    label = "-PYTEST" if version == "PYTEST" else f"-pytest-{version}"
    name = parse_cache_name(f"__pycache__/test_a.cpython-38{label}.pyc")
    assert parse_header((CPYTHON_38 + bytes(12))[:length], name).magic.header_length == length
    with pytest.raises(InvalidHeader, match="reached EOF"):
        parse_header((CPYTHON_38 + bytes(12))[: length - 1], name)


def test_header_of_another_name_has_the_length_of_its_magic() -> None:
    name = parse_cache_name("__pycache__/test_a.cpython-38.pyc")
    data = CPYTHON_38 + flags(0) + TIME + SIZE + CODE
    assert parse_header(data, name) == parse_header(data)
