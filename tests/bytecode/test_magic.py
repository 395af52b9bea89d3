from __future__ import annotations

import importlib.util
import sys

import pytest

from pycache_guard.bytecode import magic
from pycache_guard.bytecode.magic_numbers import IRREGULAR_MAGICS, ROWS, TABLE

#: Header lengths by implementation: PEP 552, and the size of bpo-13645.
HEADER_LENGTHS = {8, 12, 16}

RELEASES = [
    (39170, "1.0", 8),
    (11913, "1.3", 8),
    (5892, "1.4", 8),
    (20121, "1.5", 8),
    (50428, "1.6", 8),
    (50823, "2.0", 8),
    (60202, "2.1", 8),
    (60717, "2.2", 8),
    (62011, "2.3", 8),
    (62061, "2.4", 8),
    (62131, "2.5", 8),
    (62161, "2.6", 8),
    (62211, "2.7", 8),
    (3131, "3.0", 8),
    (3151, "3.1", 8),
    (3180, "3.2", 8),
    (3230, "3.3", 12),
    (3310, "3.4", 12),
    (3350, "3.5", 12),
    (3351, "3.5", 12),
    (3379, "3.6", 12),
    (3394, "3.7", 16),
    (3413, "3.8", 16),
    (3425, "3.9", 16),
    (3439, "3.10", 16),
    (3495, "3.11", 16),
    (3531, "3.12", 16),
    (3571, "3.13", 16),
    (3627, "3.14", 16),
    (3666, "3.15", 16),
]

PRE_RELEASES = [
    (62021, "2.3", 8),
    (62041, "2.4", 8),
    (62092, "2.5", 8),
    (62201, "2.7", 8),
    (3000, "3.0", 8),
    (3200, "3.3", 8),
    (3210, "3.3", 12),
    (3378, "3.6", 12),
    (3391, "3.7", 12),
    (3392, "3.7", 16),
    (3401, "3.8", 16),
    (3430, "3.10", 16),
    (3450, "3.11", 16),
    (3494, "3.11", 16),
    (3655, "3.15", 16),
]

BY_RULE = [
    (3499, "CPython", "3.11"),
    (4899, "CPython", "3.39"),
    (4900, "CPython", "3.40"),
    (4999, "CPython", "3.41"),
    (21340, "GraalPy", "3"),
]

OTHERS = [
    (62218, "PyPy", "2.7", 8),
    (48, "PyPy", "3.2", 8),
    (64, "PyPy", "3.3", 12),
    (112, "PyPy", "3.5", 12),
    (160, "PyPy", "3.6", 12),
    (192, "PyPy", "3.6", 12),
    (224, "PyPy", "3.7", 16),
    (256, "PyPy", "3.8", 16),
    (336, "PyPy", "3.9", 16),
    (384, "PyPy", "3.10", 16),
    (432, "PyPy", "3.11", 16),
    (21260, "GraalPy", "3.8", 16),
    (21330, "GraalPy", "3.13", 16),
    (2997, "RustPython", "3", 16),
    (62135, "Dropbox", "2.5", 8),
]


def data_of(number: int) -> bytes:
    if number == 39170:
        return b"\x02\x99\x99\x00"
    return number.to_bytes(2, "little") + b"\r\n"


def found(data: bytes) -> magic.Magic:
    result = magic.identify_magic(data)
    assert result is not None
    return result


@pytest.mark.parametrize(("number", "version", "header_length"), RELEASES)
def test_identify_magic_of_cpython_releases(number: int, version: str, header_length: int) -> None:
    data = data_of(number)
    assert found(data) == magic.Magic(data, "CPython", version, header_length, True)
    assert found(data).number == number


def test_table_of_releases_has_every_number() -> None:
    numbers = {n for name, *_, releases in ROWS if name == "CPython" for n in releases}
    assert numbers == {number for number, *_ in RELEASES} - {39170}, "a row for each in RELEASES"


@pytest.mark.parametrize(("number", "version", "header_length"), PRE_RELEASES)
def test_identify_magic_of_cpython_pre_releases(
    number: int, version: str, header_length: int
) -> None:
    data = data_of(number)
    assert found(data) == magic.Magic(data, "CPython", version, header_length, False)


@pytest.mark.parametrize(("number", "implementation", "version"), BY_RULE)
def test_identify_magic_of_numbers_without_a_row(
    number: int, implementation: str, version: str
) -> None:
    assert number.to_bytes(2, "little") + b"\r\n" not in TABLE
    data = data_of(number)
    assert found(data) == magic.Magic(data, implementation, version, 16, False)


@pytest.mark.parametrize(("number", "implementation", "version", "header_length"), OTHERS)
def test_identify_magic_of_other_implementations(
    number: int, implementation: str, version: str, header_length: int
) -> None:
    data = data_of(number)
    assert found(data) == magic.Magic(data, implementation, version, header_length, True)


@pytest.mark.parametrize(
    ("data", "implementation", "version"),
    [
        (b"\xca\xfe\xba\xbe", "Jython", "2.7"),
        (bytes.fromhex("4d06001f"), "MicroPython", "mpy 6"),
        (bytes.fromhex("4d00001f"), "MicroPython", "mpy 0"),
    ],
)
def test_identify_magic_of_java_and_micropython(
    data: bytes, implementation: str, version: str
) -> None:
    assert found(data + b"more") == magic.Magic(data, implementation, version, 4, True)


@pytest.mark.parametrize("number", [50429, 60718, 62132, 62212])
def test_magic_of_the_u_option_is_one_more(number: int) -> None:
    assert found(data_of(number)) == found(data_of(number - 1))._replace(data=data_of(number))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xa7",
        b"\xa7\r\r",
        b"\xa7\r\r\r",
        b"M\x06\x00",
        b"M\x07\x00\x1f",
        b"M\x06\x80\x1f",
        data_of(3440),
        data_of(5000),
        data_of(50431),
        data_of(62213),
        data_of(21001),
        data_of(22000),
        b"/*\r\n",
        b"#!/b",
        b"PK\x03\x04",
    ],
    ids=repr,
)
def test_identify_magic_of_other_files_is_none(data: bytes) -> None:
    assert magic.identify_magic(data) is None


def test_identify_magic_of_this_interpreter() -> None:
    mine = found(importlib.util.MAGIC_NUMBER)
    assert mine.implementation.lower() == sys.implementation.name
    assert mine.version == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert mine.header_length == 16


def test_every_number_stands_in_one_row() -> None:
    numbers = [number for *_, pre, releases in ROWS for number in (*pre, *releases)]
    assert len(numbers) == len(set(numbers))
    assert len(TABLE) == len(numbers) + len(IRREGULAR_MAGICS)


def test_rows_are_plausible() -> None:
    assert {header_length for _, _, header_length, _, _ in ROWS} == HEADER_LENGTHS
    for implementation, version, _, pre, releases in ROWS:
        assert [*pre, *releases]
        assert implementation.isalpha()
        assert version[0] in "123"


def test_rows_agree_with_the_rule_of_3_11() -> None:
    for implementation, version, header_length, pre, releases in ROWS:
        for number in (*pre, *releases):
            if implementation == "CPython" and 3450 <= number < 5000:
                assert (version, header_length) == (f"3.{(number - 2900) // 50}", 16)


def test_pypy_3_numbers_are_multiples_of_16() -> None:
    for implementation, version, _, _, releases in ROWS:
        if implementation == "PyPy" and version != "2.7":
            assert all(number % 16 == 0 and number < 3000 for number in releases)
