"""Which line tables and exception tables have the form that compilers write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bytecode.dump_marshal import dump_marshal
from helpers.make_pyc import foreign_pyc
from helpers.memory import trace_memory
from pycache_guard.bytecode.code_object import Code, marshal_format
from pycache_guard.bytecode.line_tables import find_table_problem
from pycache_guard.bytecode.magic import Magic, identify_magic
from pycache_guard.bytecode.pyc import read_pyc, table_problem
from pycache_guard.bytecode.tampering import code_objects

if TYPE_CHECKING:
    from pycache_guard.bytecode.code_object import Value

PYTHON_27, PYTHON_36, PYTHON_39 = 62211, 3379, 3425
PYTHON_310, PYTHON_311, PYTHON_315 = 3439, 3495, 3666
PYPY_39, PYPY_311 = 336, 432
CUT = "is cut off"
OUT = "leads out of the code"
NO_START = "has no entry where one must start"
NO_PAYLOAD = "has an entry where none may start"
ORDER = "is out of order"
LARGE = "has a number of more than 36 bits"


def magic_of(number: int) -> Magic:
    found = identify_magic(number.to_bytes(2, "little") + b"\r\n")
    assert found is not None
    return found


#: Magic number, line table of 20 bytes of code, and what is wrong with it.
LINE_TABLES: list[tuple[int, bytes, str]] = [
    (PYTHON_27, b"", ""),
    (PYTHON_27, b"\x06\x01\x08\xff", ""),
    (PYTHON_27, b"\x14\x01", ""),
    (PYTHON_27, b"\x15\x01", OUT),
    (PYTHON_27, b"\x0a\x01\x0b\x01", OUT),
    (PYTHON_27, b"\x06", CUT),
    (PYTHON_36, b"\x06\x80\x00\x7f", ""),
    (PYTHON_39, b"\xff\x00", OUT),
    (PYPY_39, b"\x06\x01", ""),
    (PYPY_39, b"\x06\x01\x06", CUT),
    (PYPY_39, b"\x15\x01", OUT),
    (PYTHON_310, b"\x14\x01", ""),
    (PYTHON_310, b"\x0a\x01\x00\x05\x0a\x80", ""),
    (PYTHON_310, b"", "covers 0 bytes of 20"),
    (PYTHON_310, b"\x12\x01", "covers 18 bytes of 20"),
    (PYTHON_310, b"\x16\x01", "covers 22 bytes of 20"),
    (PYTHON_310, b"\x14", CUT),
    # 8 units without a location, and 2.
    (PYTHON_311, b"\xff\xf9", ""),
    (PYTHON_311, b"\xff", "covers 16 bytes of 20"),
    (PYTHON_311, b"\xff\xff", "covers 32 bytes of 20"),
    (PYTHON_311, b"", "covers 0 bytes of 20"),
    (PYTHON_311, b"\x7f\xf9", NO_START),
    # The short forms have one byte, the one-line forms two, the long one four numbers.
    (PYTHON_311, b"\x87\x11\xf9", ""),
    (PYTHON_311, b"\x87\xf9", NO_PAYLOAD),
    (PYTHON_311, b"\xcf\x11\xf9", ""),
    (PYTHON_311, b"\xd7\x01\x02\xf9", ""),
    (PYTHON_311, b"\xe7\x01\x02\xf9", ""),
    (PYTHON_311, b"\xe7\x01\xf9", NO_PAYLOAD),
    (PYTHON_311, b"\xe7\x01", CUT),
    (PYTHON_311, b"\xef\x02\xf9", ""),
    (PYTHON_311, b"\xef\x42\x01\xf9", ""),
    (PYTHON_311, b"\xef\x42\xf9", NO_PAYLOAD),
    (PYTHON_311, b"\xef\x42", CUT),
    (PYTHON_311, b"\xf7\x02\x01\x01\x05\xf9", ""),
    (PYTHON_311, b"\xf7\x02\x01\x01\xf9", NO_PAYLOAD),
    (PYTHON_311, b"\xf7\x7f\x7f\x7f\x7f\x7f\x3f\x01\x01\x05\xf9", ""),
    (PYTHON_311, b"\xf7\x7f\x7f\x7f\x7f\x7f\x7f\x3f\x01\x01\x05\xf9", LARGE),
    (PYTHON_311, b"\xff\xf9\x01", NO_START),
    (PYTHON_315, b"\xff\xf9", ""),
    (PYTHON_315, b"\xff\xf8", "covers 18 bytes of 20"),
    # One entry for each of 10 instructions.
    (PYPY_311, bytes(10), ""),
    (PYPY_311, bytes(9), "covers 18 bytes of 20"),
    (PYPY_311, b"\x01\x05\x06\x00" * 10, ""),
    (PYPY_311, b"\x01\x00" * 10, ""),
    (PYPY_311, b"\x81\x01\x05\x06\x00" + bytes(9), ""),
    (PYPY_311, bytes(9) + b"\x01\x05\x06", CUT),
    (PYPY_311, bytes(9) + b"\x81", CUT),
    (PYPY_311, b"\xff\xff\xff\xff\xff\xff\x01", "has a number of more than 42 bits"),
]


def problem(number: int, **fields: Value) -> str:
    code = Code({"code": bytes(20), "name": "f", "consts": (), **fields})
    return find_table_problem(code, magic_of(number))


@pytest.mark.parametrize(("number", "table", "expected"), LINE_TABLES)
def test_line_table_problem_table(number: int, table: bytes, expected: str) -> None:
    words = f"the line table of f {expected}" if expected else ""
    assert problem(number, linetable=table) == words


def read_locations(table: bytes, size: int = 20) -> str:
    """Return what is wrong with location entries, read byte by byte."""
    at = covered = 0
    while at < len(table):
        first, at = table[at], at + 1
        if first < 0x80:
            return NO_START
        covered += 2 * (first % 8 + 1)
        form = first // 8 % 16
        is_number = form in (13, 14)
        for _ in range(4 if form == 14 else 2 if form in (10, 11, 12) else form != 15):
            for length in range(7):
                if length == 6:
                    return LARGE
                if at == len(table):
                    return CUT
                byte, at = table[at], at + 1
                if byte >= 0x80:
                    return NO_PAYLOAD
                if not is_number or byte < 0x40:
                    break
    return "" if covered == size else f"covers {covered} bytes of {size}"


#: Bytes at the limits of each form of location entries and of their numbers.
EDGES = bytes([0, 0x3F, 0x40, 0x7F, 0x80, 0xCF, 0xD0, 0xE7, 0xE8, 0xEF, 0xF0, 0xF7, 0xF8, 0xFF])


@given(st.one_of(st.binary(), st.lists(st.sampled_from(EDGES)).map(bytes)))
@example(bytes([0xF0, *[0x7F] * 5, 0, *[0x7F] * 5, 0, *[0x7F] * 5, 0, *[0x7F] * 6, 0]))
@example(b"\x80\x00" * 1000 + b"\x80")
@example(b"\xff" * 2001 + b"\x7f")
def test_locations_are_checked_as_if_byte_by_byte(table: bytes) -> None:
    words = read_locations(table)
    expected = f"the line table of f {words}" if words else ""
    assert problem(PYTHON_311, linetable=table) == expected


@pytest.mark.parametrize("end", [b"", b"\xf0", b"\x00"])
@pytest.mark.parametrize("entry", [b"\xf8", b"\x80\x00", b"\xf0\x00\x00\x00\x7f\x00"])
def test_memory_for_locations_is_bounded(entry: bytes, end: bytes) -> None:
    count = 200_000
    table = entry * count + end
    code = Code({"code": bytes(2 * count), "name": "f", "consts": (), "linetable": table})
    with trace_memory() as peak:
        assert bool(find_table_problem(code, magic_of(PYTHON_311))) == bool(end)
        assert peak() < 1 << 20


#: Start, length, target, depth: in units of two bytes, big-endian, 6 bits in a byte.
EXCEPTION_TABLES: list[tuple[bytes, str]] = [
    (b"", ""),
    (b"\x80\x02\x05\x00", ""),
    (b"\x80\x02\x05\x00\x82\x02\x05\x01", ""),
    (b"\x80\x0a\x09\x00", ""),
    (b"\x80\x0b\x09\x00", OUT),
    (b"\x80\x02\x0a\x00", OUT),
    (b"\x8a\x01\x05\x00", OUT),
    (b"\x80\x41\x00\x05\x00", OUT),
    (b"\x80\x02\x05\x00\x81\x02\x05\x01", ORDER),
    (b"\x80\x00\x05\x00", ORDER),
    (b"\x00\x02\x05\x00", NO_START),
    (b"\x80\x82\x05\x00", NO_START),
    (b"\x80\xc1\x00\x05\x00", NO_START),
    (b"\x80\x02\x05", CUT),
    (b"\x80\x02\x05\x40", CUT),
    (b"\xff\x7f\x7f\x7f\x7f\x7f\x7f\x00\x01\x05\x00", LARGE),
]


@pytest.mark.parametrize("number", [PYTHON_311, PYTHON_315])
@pytest.mark.parametrize(("table", "expected"), EXCEPTION_TABLES)
def test_exception_table_problem_table(number: int, table: bytes, expected: str) -> None:
    words = f"the exception table of f {expected}" if expected else ""
    assert problem(number, linetable=b"\xff\xf9", exceptiontable=table) == words


def test_eras_without_tables_have_no_problem() -> None:
    assert problem(11913) == ""


TAGS = [*(f"cpython-{n}" for n in (27, *range(36, 40), *range(310, 316))), "pypy39", "pypy311"]


@pytest.mark.parametrize("tag", TAGS)
def test_tables_of_compilers_are_well_formed(tag: str) -> None:
    assert table_problem(read_pyc(foreign_pyc(tag))) == ""


@pytest.mark.parametrize("tag", TAGS)
def test_nested_tables_are_checked(tag: str) -> None:
    pyc = read_pyc(foreign_pyc(tag))
    dialect = marshal_format(pyc.header.magic)
    assert dialect is not None
    for nested in code_objects(pyc.code):
        table = nested.fields["linetable"]
        nested.fields["linetable"] = b"\x01"
        data = pyc.data[: pyc.header.magic.header_length] + dump_marshal(pyc.code, dialect)
        nested.fields["linetable"] = table
        assert table_problem(read_pyc(data)).startswith(f"the line table of {nested.name} ")


def test_unknown_formats_have_no_problem() -> None:
    data = (21290).to_bytes(2, "little") + b"\r\n" + bytes(20)
    assert table_problem(read_pyc(data)) == ""
