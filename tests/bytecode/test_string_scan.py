"""Strings of marshalled code, read without building its tree."""

from __future__ import annotations

import marshal
import re
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.make_pyc import compile_source, foreign_pyc, timestamp_pyc
from pycache_guard.bytecode import string_scan
from pycache_guard.bytecode.code_object import marshal_format
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.marshal_scalars import MarshalError
from pycache_guard.bytecode.string_scan import ScanResult, find_printable_runs, scan_strings

layout_of_3_11 = pytest.mark.skipif(
    sys.implementation.name != "cpython" or sys.version_info < (3, 11),
    reason="code objects have another layout than that of CPython 3.11 and later",
)

PLACEHOLDER = re.compile(rb"[zZ\xda\xfa]\x0bPLACEHOLDER")


def put(value: bytes) -> bytes:
    """Return the marshalled code of a module, with marshalled bytes in the place of a constant."""
    data = marshal.dumps(compile_source("x = 'PLACEHOLDER'\n"))
    return PLACEHOLDER.sub(lambda _: value, data, count=1)


def scan(data: bytes, newest: str = "cpython-315") -> ScanResult:
    """Scan marshalled code in the format of the newest CPython, which has the layout of 3.11."""
    magic = identify_magic(foreign_pyc(newest))
    assert magic is not None
    dialect = marshal_format(magic)
    assert dialect is not None
    result = ScanResult()
    assert scan_strings(data, 0, dialect, result) == len(data) == result.end
    return result


TEXT = b"z\x05texts"
NUMBER = struct.pack("<Bi", ord("i"), 123456)


@layout_of_3_11
@pytest.mark.parametrize(
    "value",
    [
        TEXT,
        b"a\x05\0\0\0texts",
        b"u\x05\0\0\0texts",
        b"s\x05\0\0\0texts",
        b"\xf3\x05\0\0\0texts",
        b"(\x01\0\0\0" + TEXT,
        b"[\x03\0\0\0NF" + TEXT,
        b"<\x01\0\0\0" + TEXT,
        b">\x01\0\0\0" + TEXT,
        b")\x02)\x00" + TEXT,
        b":N" + TEXT + b"N",
        b"{" + TEXT + b"N0",
        b"}" + TEXT + b"{00",
        *[
            b")\x02" + odd + TEXT
            for odd in (b"f\x031.5", b"x\x031.5\x012", b"g" + bytes(8), b"y" + bytes(16))
        ],
        b")\x02" + NUMBER + TEXT,
        b")\x02" + b"I" + struct.pack("<q", 2**40) + TEXT,
        b")\x02" + b"l" + struct.pack("<iHH", 2, 1, 9) + TEXT,
        b")\x02" + b"l" + struct.pack("<i", -20_000) + b"\1\0" * 20_000 + TEXT,
    ],
)
def test_every_type_is_read(value: bytes) -> None:
    result = scan(put(value))
    assert b"texts" in result.strings
    assert b"x" in result.strings
    assert b"m.py" in result.strings


NUMBERS = [
    (NUMBER, [123456]),
    (b"i" + struct.pack("<i", -123456), [-123456]),
    (b"i" + struct.pack("<i", 12345), []),
    (b"I" + struct.pack("<q", 2**40), [2**40]),
    (b"l" + struct.pack("<iHH", 2, 1, 9), [9 << 15 | 1]),
    (b"l" + struct.pack("<iHH", -2, 1, 9), [-(9 << 15 | 1)]),
    (b"l" + struct.pack("<i", 20_000) + b"\1\0" * 20_000, []),
]


@layout_of_3_11
@pytest.mark.parametrize(("value", "numbers"), NUMBERS, ids=range(len(NUMBERS)))
def test_long_numbers_are_read(value: bytes, numbers: list[int]) -> None:
    assert [*scan(put(value)).numbers] == numbers


DAMAGED = [
    (b"0", "NULL object in marshal data"),
    (b"?", "bad marshal data (unknown type code 0x3f)"),
    (b"l" + struct.pack("<i", 9), "marshal data too short"),
    (b"(\xff\xff\xff\xff", "too many objects"),
    (b"s\xff\xff\xff\x7f", "marshal data too short"),
    (b")\x01" * 4_100 + b"N", "too many objects"),
    (b"(\x01\0\0\0" * 4_100 + b"N", "too many objects"),
]


@layout_of_3_11
@pytest.mark.parametrize(("value", "reason"), DAMAGED, ids=range(len(DAMAGED)))
def test_damage_is_an_error(value: bytes, reason: str) -> None:
    data = put(value) if value[:1] != b"l" else put(value)[: put(value).index(value) + 6]
    with pytest.raises(MarshalError) as caught:
        scan(data)
    assert caught.value.reason == reason


@layout_of_3_11
def test_endless_dict_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(string_scan, "MAX_OBJECTS", 50)
    with pytest.raises(MarshalError, match="more than 50 objects"):
        scan(put(b"{" + b"N" * 60))


def test_last_string_that_is_cut_off_is_an_error() -> None:
    data = timestamp_pyc(compile_source(""), 0)
    magic = identify_magic(data)
    assert magic is not None
    dialect = marshal_format(magic)
    assert dialect is not None
    for end in range(17, len(data)):
        with pytest.raises(MarshalError):
            scan_strings(data[:end], 16, dialect, ScanResult())


def test_oldest_layout_has_no_second_half() -> None:
    magic = identify_magic((5892).to_bytes(2, "little") + b"\r\n")
    assert magic is not None
    dialect = marshal_format(magic)
    assert dialect is not None
    name = b"s\1\0\0\0n"
    code = (
        b"c"
        + bytes(6)
        + b"s\1\0\0\0c"
        + b"(\1\0\0\0s\5\0\0\0texts"
        + b"(\0\0\0\0" * 2
        + name
        + b"s\1\0\0\0f"
    )
    result = ScanResult()
    assert scan_strings(code, 0, dialect, result) == len(code)
    assert [*result.strings] == [b"texts", b"n", b"f"]


def test_printable_runs() -> None:
    data = b"\0abc\1abcd\xc3\xa9\2\xff\xe2\x82\xac123\3"
    assert find_printable_runs(data) == ["abcdé".encode(), "€123".encode()]
    assert find_printable_runs(data, 7) == ["€123".encode()]
    assert find_printable_runs(b"\0" + b"x" * 70_000 + b"\0") == [b"x" * 70_000]


@given(
    st.lists(
        st.sampled_from([b"a", b"\xc3\xa9", b"\xe2\x82\xac", b"\xc3", b"\xa9", b"\0", b"xyz" * 5])
    )
)
def test_printable_runs_are_found_in_parts_as_in_one_step(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(string_scan, "_RUN", re.compile(string_scan._PRINTABLE + rb"{4,5}"))
        patch.setattr(string_scan, "_NEXT_PART", re.compile(string_scan._PRINTABLE + rb"{1,2}"))
        in_parts = find_printable_runs(data)
    assert in_parts == re.findall(string_scan._PRINTABLE + rb"{4,}", data)
