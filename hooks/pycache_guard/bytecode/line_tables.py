"""Check that line tables and exception tables have the form that compilers write.

A table without that form makes `traceback.print_exc` raise, or leaves a frame without a line number,
where the program of the source goes on.

Sources: CPython `Objects/lnotab_notes.txt` (before 3.10, and 3.10), `InternalDocs/code_objects.md` and
`InternalDocs/exception_handling.md` (3.11 and later); PyPy `pypy/interpreter/location.py`. Compilers
were asked too: every code object of ten standard libraries has these forms.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from pycache_guard.bytecode.code_object import Code
    from pycache_guard.bytecode.magic import Magic

#: Magic numbers: the first of CPython 3.10's and 3.11's development, of PyPy 3.11's.
_CPYTHON_310 = 3430
_CPYTHON_311 = 3450
_PYPY_311 = 432
#: Bytes of an instruction, without its caches.
_UNIT_BYTES = 2
#: A varint holds 6 bits in a byte; 32 bits have room in 6 of them.
_MAX_VARINT_BYTES = 6
_START_BIT = 0x80
_CONTINUATION_BIT = 0x40
_VALUE_BITS = 0x3F
#: The first location entry of CPython 3.11 that has numbers instead of single bytes.
_FIRST_VARINT_FORM = 0xE8
_VARINT = rb"[\x40-\x7f]{0,5}[\x00-\x3f]"
#: Location entries of CPython 3.11: the short forms, the one-line forms, no columns, the long form, and
#: no location. A match remembers each entry, so their number is limited.
_LOCATIONS = re.compile(
    rb"(?:[\x80-\xcf][\x00-\x7f]|[\xd0-\xe7][\x00-\x7f]{2}|[\xe8-\xef]%b|[\xf0-\xf7](?:%b){4}|[\xf8-\xff]){1,1000}"
    % (_VARINT, _VARINT)
)
#: The bytes that do not start an entry, and for each that does, the bytes of code that it covers.
_PAYLOAD = bytes(range(_START_BIT))
_COVERED_BYTES = bytes([_UNIT_BYTES * ((byte & 7) + 1) for byte in range(256)])


class TableError(ValueError):
    """A table does not have the form that compilers write."""


def find_table_problem(code: Code, magic: Magic) -> str:
    """Return the problem of the tables of one code object, an empty string if there is none.

    Ignores nested code objects. `magic` is that of the file.
    """
    if "linetable" not in code.fields:
        return ""
    table = cast("bytes", code.fields["linetable"])
    name, number = "line table", magic.number
    try:
        if magic.implementation == "PyPy" and number >= _PYPY_311:
            _check_pypy_positions(table, len(code.code))
        elif magic.implementation == "PyPy" or number not in range(_CPYTHON_310, 5000):
            _check_lnotab(table, len(code.code))
        elif number < _CPYTHON_311:
            _check_ranges(table, len(code.code))
        else:
            _check_locations(table, len(code.code))
        if code.fields.get("exceptiontable"):
            name = "exception table"
            _check_exceptions(cast("bytes", code.fields["exceptiontable"]), len(code.code))
    except TableError as error:
        return f"the {name} of {code.name} {error}"
    return ""


def _check_lnotab(table: bytes, size: int) -> None:
    """Check pairs of increments of address and line, before CPython 3.10."""
    if len(table) % 2:
        raise TableError("is cut off")
    if sum(table[::2]) > size:
        raise TableError("leads out of the code")


def _check_ranges(table: bytes, size: int) -> None:
    """Check pairs of the length of a range and an increment of the line: PEP 626, CPython 3.10."""
    if len(table) % 2:
        raise TableError("is cut off")
    _check_total(sum(table[::2]), size)


def _check_locations(table: bytes, size: int) -> None:
    """Check location entries, CPython 3.11 and later."""
    covered = offset = 0
    while entries := _LOCATIONS.match(table, offset):
        # Bytes that start an entry are the only ones with this bit.
        covered += sum(entries[0].translate(_COVERED_BYTES, _PAYLOAD))
        offset = entries.end()
    if offset < len(table):
        _refuse_location(_Reader(table, offset))
    _check_total(covered, size)


def _refuse_location(reader: _Reader) -> NoReturn:
    """Raise `TableError` for the next entry, which `_LOCATIONS` does not match."""
    first = reader.take()
    if not first & _START_BIT:
        raise TableError("has no entry where one must start")
    take = reader.take_payload if first < _FIRST_VARINT_FORM else reader.skip_varint
    while True:
        take()


def _check_exceptions(table: bytes, size: int) -> None:
    """Check the order and the places of the entries."""
    previous = 0
    for start, end, target, _ in read_exception_entries(table):
        if start < previous or start == end:
            raise TableError("is out of order")
        previous = end
        if end > size or target >= size:
            raise TableError("leads out of the code")


def read_exception_entries(table: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield start, end and target of each entry in bytes, and its depth with a flag.

    An entry is four big-endian varints. Raises `TableError` if the table is malformed.
    """
    reader = _Reader(table)
    while not reader.is_at_end():
        start, length, target, depth = (reader.take_big_varint(is_first=n == 0) for n in range(4))
        yield _UNIT_BYTES * start, _UNIT_BYTES * (start + length), _UNIT_BYTES * target, depth


def _check_pypy_positions(table: bytes, size: int) -> None:
    """Check one entry for each instruction: nothing, a line, or a line and columns."""
    reader = _Reader(table)
    covered = 0
    while not reader.is_at_end():
        covered += _UNIT_BYTES
        if reader.take_leb128() and reader.take():
            reader.take()
            reader.take()
    _check_total(covered, size)


def _check_total(covered: int, size: int) -> None:
    if covered != size:
        raise TableError(f"covers {covered} bytes of {size}")


class _Reader:
    """A place in a table."""

    def __init__(self, table: bytes, offset: int = 0) -> None:
        self._table = table
        self._offset = offset

    def is_at_end(self) -> bool:
        """Return whether nothing follows."""
        return self._offset == len(self._table)

    def take(self) -> int:
        """Return the next byte."""
        if self.is_at_end():
            raise TableError("is cut off")
        self._offset += 1
        return self._table[self._offset - 1]

    def take_payload(self) -> int:
        """Return the next byte, which does not start an entry."""
        byte = self.take()
        if byte & _START_BIT:
            raise TableError("has an entry where none may start")
        return byte

    def skip_varint(self) -> None:
        """Take a number of bytes that do not start an entry."""
        for _ in range(_MAX_VARINT_BYTES):
            if not self.take_payload() & _CONTINUATION_BIT:
                return
        raise TableError("has a number of more than 36 bits")

    def take_big_varint(self, *, is_first: bool) -> int:
        """Return a number that is stored with its most significant 6 bits first."""
        number = 0
        for place in range(_MAX_VARINT_BYTES):
            byte = self.take()
            if bool(byte & _START_BIT) != (is_first and place == 0):
                raise TableError("has no entry where one must start")
            number = number << 6 | byte & _VALUE_BITS
            if not byte & _CONTINUATION_BIT:
                return number
        raise TableError("has a number of more than 36 bits")

    def take_leb128(self) -> int:
        """Return a number that is stored with its least significant 7 bits first."""
        number = 0
        for place in range(_MAX_VARINT_BYTES):
            byte = self.take()
            number |= (byte & 0x7F) << 7 * place
            if not byte & 0x80:
                return number
        raise TableError("has a number of more than 42 bits")
