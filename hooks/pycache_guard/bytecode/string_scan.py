"""Collect the strings of marshalled code without building its tree.

`unmarshal` builds every object, which takes several times as long. This reads the same format in one
loop and keeps nothing but strings and numbers. It accepts whatever `unmarshal` accepts (and some
malformed code too), and then finds the same values; a fuzz target compares the two. Source: CPython
`Python/marshal.c`, `r_object`.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from pycache_guard.bytecode.marshal_scalars import (
    FLAG_REF,
    MAX_INT_DIGITS,
    MarshalError,
    join_digits,
)
from pycache_guard.bytecode.unmarshal import MAX_DEPTH, MAX_OBJECTS

if TYPE_CHECKING:
    from pycache_guard.bytecode.code_object import MarshalFormat

#: Integers below this are sizes, flags and years; a credential has six digits or more.
MIN_NUMBER = 100_000
#: Printable bytes in a row that count as a string where the format is not known, as in strings(1).
MIN_RUN = 4
#: Open objects; a code object counts twice.
MAX_STACK = 2 * MAX_DEPTH

_PRINTABLE = rb"(?:[\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2})"
#: The start of a run, and its next part. The module `re` takes 128 bytes of memory for each repetition.
_RUN = re.compile(_PRINTABLE + rb"{%d,65536}" % MIN_RUN)
_NEXT_PART = re.compile(_PRINTABLE + rb"{1,65536}")

#: What to do with a type: the classes of `_classes`. The most frequent ones are the smallest.
_REFERENCE, _SHORT, _BYTES, _SMALL_TUPLE, _EMPTY, _INT, _CODE, _LONG, _MANY = range(9)
_SLICE, _DIGITS, _FLOAT, _COMPLEX, _TEXT_FLOAT, _TEXT_COMPLEX, _INT64, _DICT, _NULL = range(9, 18)
_INVALID = 18
_CLASS_OF = {
    _REFERENCE: b"rR",
    _SHORT: b"zZ",
    _BYTES: b"s",
    _SMALL_TUPLE: b")",
    _EMPTY: b"NFTS.",
    _INT: b"i",
    _CODE: b"c",
    _LONG: b"utaA",
    _MANY: b"([<>",
    _SLICE: b":",
    _DIGITS: b"l",
    _FLOAT: b"g",
    _INT64: b"I",
    _COMPLEX: b"y",
    _TEXT_FLOAT: b"f",
    _TEXT_COMPLEX: b"x",
    _DICT: b"{}",
    _NULL: b"0",
}
#: On the stack, the second half of a code object, after its first line.
_SECOND_HALF = -(1 << 50)
#: On the stack, below the count of a dict, which a NULL ends.
_OPEN_DICT = -(1 << 51)


class ScanResult:
    """The strings of a file, each once, in the order of the file."""

    def __init__(self) -> None:
        #: Texts in UTF-8 (lone surrogates included), and bytes, as they are in the file.
        self.strings: dict[bytes, None] = {}
        #: Integers that `is_long_number` selects; those of more than `MAX_INT_DIGITS` are left out.
        self.numbers: dict[int, None] = {}
        #: Where the last object that was read ends.
        self.end = 0

    def add_number(self, number: int) -> None:
        """Add an integer, unless it is small."""
        if is_long_number(number):
            self.numbers[number] = None


def is_long_number(number: int) -> bool:
    """Return whether an integer has enough digits for a credential."""
    return not -MIN_NUMBER < number < MIN_NUMBER


def scan_strings(data: bytes, start: int, dialect: MarshalFormat, result: ScanResult) -> int:
    """Collect the strings of the code object at `start` in `result`, and return where it ends.

    Strings are names, file names, and constants: everything except instructions and tables. Raises
    `MarshalError`; `result` then has what precedes the damage.
    """
    strings = result.strings
    classes = _classes(dialect)
    layout = dialect.layout
    integer_bytes = 2 if layout.int16_fields else 4
    header_bytes = 1 + integer_bytes * len(layout.integers)
    first, second = len(layout.objects), len(layout.fields_after_firstlineno)
    # In Python 2 names are bytes: the places of `filename` and `name`, counted from the end.
    named = {
        first - layout.objects.index(name) - 1
        for name in ("filename", "name")
        if dialect.str_is_bytes
    }
    at, size, announced = start, len(data), 0
    # The number of objects that the innermost open object still expects, and whether it is code.
    left, in_code = 1, False
    stack: list[int] = []
    push, pop = stack.append, stack.pop
    try:
        while True:
            while not left:
                if not stack:
                    if at > size:
                        raise MarshalError(size, "marshal data too short")
                    return at
                left = pop()
                in_code = left < 0
                if left == _SECOND_HALF:
                    at += integer_bytes
                    left = second
                elif left == _OPEN_DICT:
                    raise MarshalError(at, f"more than {MAX_OBJECTS} objects")
                elif in_code:
                    left = ~left
            left -= 1
            kind = classes[data[at]]
            if kind == _REFERENCE:
                at += 5
                # References follow each other in tuples of names.
                while left and classes[data[at]] == _REFERENCE:
                    left -= 1
                    at += 5
            elif kind == _SHORT:
                end = at + 2 + data[at + 1]
                strings[data[at + 2 : end]] = None
                at = end
            elif kind == _BYTES:
                end = at + 5 + int.from_bytes(data[at + 1 : at + 5], "little")
                if not in_code or (left in named and (not second or stack[-1] == _SECOND_HALF)):
                    strings[data[at + 5 : end]] = None
                at = end
            elif kind == _SMALL_TUPLE:
                push(~left if in_code else left)
                left, in_code = data[at + 1], False
                announced += left
                if announced > MAX_OBJECTS or len(stack) > MAX_STACK:
                    raise MarshalError(at, "too many objects")
                at += 2
            elif kind == _EMPTY:
                at += 1
            elif kind == _INT:
                result.add_number(int.from_bytes(data[at + 1 : at + 5], "little", signed=True))
                at += 5
            elif kind == _CODE:
                push(~left if in_code else left)
                if second:
                    push(_SECOND_HALF)
                left, in_code = first, True
                at += header_bytes
            elif kind == _LONG:
                end = at + 5 + int.from_bytes(data[at + 1 : at + 5], "little")
                strings[data[at + 5 : end]] = None
                at = end
            elif kind == _DICT:
                push(~left if in_code else left)
                push(_OPEN_DICT)
                left, in_code = MAX_OBJECTS, False
                at += 1
            elif kind == _NULL:
                if not stack or stack[-1] != _OPEN_DICT:
                    raise MarshalError(at, "NULL object in marshal data")
                pop()
                announced += MAX_OBJECTS - left
                left, at = 0, at + 1
            else:
                parts, at = _read_rare(data, at, kind, result)
                if parts:
                    push(~left if in_code else left)
                    left, in_code = parts, False
                    announced += parts
                    if announced > MAX_OBJECTS or len(stack) > MAX_STACK:
                        raise MarshalError(at, "too many objects")
    except IndexError:
        raise MarshalError(size, "marshal data too short") from None
    finally:
        result.end = at


def _read_rare(data: bytes, at: int, kind: int, result: ScanResult) -> tuple[int, int]:
    """Read one of the less frequent types at `at`; return how many parts follow, and where."""
    if kind == _MANY:
        return int.from_bytes(data[at + 1 : at + 5], "little"), at + 5
    if kind == _SLICE:
        return 3, at + 1
    if kind == _INT64:
        result.add_number(int.from_bytes(data[at + 1 : at + 9], "little", signed=True))
        return 0, at + 9
    if kind == _DIGITS:
        count = int.from_bytes(data[at + 1 : at + 5], "little", signed=True)
        end = at + 5 + 2 * abs(count)
        if end > len(data):
            raise MarshalError(len(data), "marshal data too short")
        if abs(count) <= MAX_INT_DIGITS:
            result.add_number(join_digits(data[at + 5 : end], is_negative=count < 0))
        return 0, end
    if kind == _FLOAT:
        return 0, at + 9
    if kind == _COMPLEX:
        return 0, at + 17
    if kind == _TEXT_FLOAT:
        return 0, at + 2 + data[at + 1]
    if kind == _TEXT_COMPLEX:
        end = at + 2 + data[at + 1]
        return 0, end + 1 + data[end]
    raise MarshalError(at, f"bad marshal data (unknown type code {data[at]:#04x})")


@functools.lru_cache(maxsize=32)
def _classes(dialect: MarshalFormat) -> bytes:
    """Return the class of each of the 256 values of a type byte."""
    table = bytearray([_INVALID]) * 256
    for kind, types in _CLASS_OF.items():
        for code in dialect.types.intersection(types):
            table[code] = kind
            if dialect.has_flag_ref:
                table[code | FLAG_REF] = kind
    return bytes(table)


def find_printable_runs(data: bytes, start: int = 0) -> list[bytes]:
    """Return the printable runs of `data`, as strings(1) does, in UTF-8.

    For code that cannot be read: a run may begin with a byte that is not part of the string.
    """
    runs = []
    while run := _RUN.search(data, start):
        start = run.end()
        while part := _NEXT_PART.match(data, start):
            start = part.end()
        runs.append(data[run.start() : start])
    return runs
