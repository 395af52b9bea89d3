"""Read marshalled code from untrusted files, as inert values, within limits.

It replaces `marshal.loads`, which trusts its input and reads the format of the running interpreter only.
This reader builds no code objects, does not recurse, checks each length against the bytes that are
there, and rejects what interpreters reject. Source: CPython `Python/marshal.c`, `r_object`.
"""

from __future__ import annotations

import functools
import struct
from enum import Enum
from typing import TYPE_CHECKING, Final

from pycache_guard.bytecode.code_object import Code, CodeBuilder, Container, MarshalFormat, Value
from pycache_guard.bytecode.marshal_scalars import (
    DICTS,
    FLAG_REF,
    KINDS,
    NULL,
    REFERENCE,
    SCALAR_READERS,
    SINGLETONS,
    SMALL_TUPLE,
    MarshalError,
    ScalarReader,
)

if TYPE_CHECKING:
    from collections.abc import Callable

#: CPython's MAX_MARSHAL_STACK_DEPTH.
MAX_DEPTH = 2000
#: Maximum number of objects with references expanded. Nested references to pairs grow exponentially
#: ("billion laughs"); real files have far fewer.
MAX_EXPANDED_OBJECTS = 10_000_000
#: Maximum number of objects in the file. An object of two bytes takes up to 100 bytes of memory here.
#: The largest modules have a tenth of that.
MAX_OBJECTS = 2_000_000
#: The number of parts that a dict announces at a time.
_DICT_BATCH = 1024


def read_code(data: bytes, start: int, dialect: MarshalFormat) -> tuple[Code, int]:
    """Return the code object at offset `start` of `data`, and the offset of its end.

    Raises `MarshalError` for all other bytes. Bytes after the object are not read: Python ignores them.
    """
    value, end = read_value(data, start, dialect)
    if not isinstance(value, Code):
        raise MarshalError(start, "non-code object")
    return value, end


def read_value(data: bytes, start: int, dialect: MarshalFormat) -> tuple[Value, int]:
    """Return the object at offset `start` of `data`, and the offset of its end.

    Raises `MarshalError` for all other bytes.
    """
    reader = _Reader(data, start, dialect)
    return reader.value(), reader.offset


def normalize_references(data: bytes, dialect: MarshalFormat) -> bytes:
    """Return marshalled code in which only what a reference leads to has FLAG_REF.

    CPython sets the flag by the reference counts of the objects, so that the same source gives other
    bytes in another process. Interpreters load both alike. Raises `MarshalError`.
    """
    reader = _Reader(data, 0, dialect)
    recorded = reader.record_references()
    reader.value()
    used = sorted({number for _, number in recorded.uses})
    numbers = {number: new for new, number in enumerate(used)}
    result = bytearray(data)
    for number, offset in enumerate(recorded.offsets):
        if number not in numbers:
            result[offset] &= ~FLAG_REF
    for offset, number in recorded.uses:
        result[offset + 1 : offset + 5] = numbers[number].to_bytes(4, "little")
    return bytes(result)


class _Partial(Enum):
    """The type of `_PARTIAL`, which is returned instead of an object that is not complete yet."""

    PARTIAL = 0


#: A constant, because attributes of enumerations are slow before Python 3.11.
_PARTIAL: Final = _Partial.PARTIAL


@functools.lru_cache(maxsize=16)
def _scalar_readers(
    types: frozenset[int], *, has_flag_ref: bool
) -> dict[int, Callable[[ScalarReader], Value]]:
    """Return the readers of objects without parts, by the byte of their type, with and without FLAG_REF."""
    readers = {code: read for code, read in SCALAR_READERS.items() if code in types}
    flagged = {code | FLAG_REF: read for code, read in readers.items()}
    return {**readers, **flagged} if has_flag_ref else readers


class _Frame:
    """An object that is not complete yet, with the parts that have been read."""

    __slots__ = ("integers", "items", "kind", "missing", "number", "start", "weight")

    def __init__(self, kind: str, start: int) -> None:
        self.kind = kind
        self.start = start
        #: Its number in `RefTable`, None if references cannot refer to it.
        self.number: int | None = None
        #: The number of parts that are missing. A dict has no number of parts; it ends with a NULL.
        self.missing = _DICT_BATCH
        self.items: list[Value] = []
        #: The number of objects in its parts, with references expanded.
        self.weight = 0
        #: The integer fields of a code object.
        self.integers: dict[str, int] = {}


class _Reader(ScalarReader):
    def __init__(self, data: bytes, start: int, dialect: MarshalFormat) -> None:
        super().__init__(data, start, texts_are_bytes=dialect.str_is_bytes)
        self._types = dialect.types
        self._layout = dialect.layout
        self._scalars = _scalar_readers(dialect.types, has_flag_ref=dialect.has_flag_ref)
        self._mask = ~FLAG_REF if dialect.has_flag_ref else -1
        self._builder = CodeBuilder(texts_are_bytes=dialect.str_is_bytes)
        self._references = RefTable()
        #: Of the type that was read last.
        self.type_offset = start
        #: The number of objects that the lengths read so far have announced.
        self._announced = 1
        #: The objects that are not complete, from the outermost to the innermost.
        self._open: list[_Frame] = []

    def record_references(self) -> _RecordedReferences:
        """Keep the places of all references from now on, and return where they are kept."""
        recorded = self._references = _RecordedReferences(self)
        return recorded

    def value(self) -> Value:
        """Read one object with all its parts."""
        while True:
            value = self._next()
            while value is not _PARTIAL:
                if not self._open:
                    return value
                opened = self._open[-1]
                opened.items.append(value)
                opened.missing -= 1
                value = _PARTIAL if opened.missing else self._complete()

    def _next(self) -> Value | _Partial:
        """Read a type and, where the object has no parts, all of it."""
        start = self.type_offset = self.offset
        byte = self.byte()
        read = self._scalars.get(byte)
        if read is not None:
            value = read(self)
            if byte & FLAG_REF:
                self._references.add(value)
            return value
        code = byte & self._mask
        if code not in self._types:
            raise MarshalError(start, f"bad marshal data (unknown type code {byte:#04x})")
        if code != byte and (code in SINGLETONS or code in (REFERENCE, NULL)):
            # PyPy takes a number for it, and CPython does not. No writer sets the flag here.
            raise MarshalError(start, f"FLAG_REF on type code {code:#04x}")
        if code == REFERENCE:
            number = self.int32()
            if number in self._references.weights:
                self._check_expansion(self._references.weights[number])
            return self._references.resolve(number, start)
        if code in SINGLETONS:
            return SINGLETONS[code]
        if code == NULL:
            return self._end_dict(start)
        opened = _Frame(KINDS[code], start)
        if code != byte:
            opened.number = self._references.reserve(opened.kind)
        return self._begin(opened, code)

    def _begin(self, opened: _Frame, code: int) -> Value | _Partial:
        """Read the fields before the parts of an object, and open it."""
        if code == SMALL_TUPLE:
            opened.missing = self.short_count()
        elif opened.kind == "code":
            numbers = self._integers(len(self._layout.integers))
            opened.integers = dict(zip(self._layout.integers, numbers, strict=True))
            opened.missing = len(self._layout.objects)
        elif opened.kind == "slice":
            opened.missing = 3
        elif opened.kind not in DICTS:
            opened.missing = self.read_length(opened.kind)
        if opened.kind not in DICTS:
            self._announce(opened.missing, opened.start)
        self._open.append(opened)
        if opened.missing == 0:
            return self._complete()
        if len(self._open) == MAX_DEPTH:
            raise MarshalError(opened.start, "recursion limit exceeded")
        return _PARTIAL

    def _announce(self, count: int, start: int) -> None:
        """Count `count` objects before they are read. Raises `MarshalError` if there are too many."""
        self._announced += count
        if self._announced > MAX_OBJECTS:
            raise MarshalError(start, f"more than {MAX_OBJECTS} objects")

    def _integers(self, count: int) -> tuple[int, ...]:
        """Read integer fields of a code object."""
        layout = f"<{count}{'h' if self._layout.int16_fields else 'i'}"
        size = struct.calcsize(layout)
        left = len(self.data) - self.offset
        if left < size:
            self.offset += left - left % (size // count)
            raise self._too_short()
        self.offset += size
        return struct.unpack_from(layout, self.data, self.offset - size)

    def _end_dict(self, start: int) -> Value | _Partial:
        kind = self._open[-1].kind if self._open else "object"
        # CPython takes a NULL for a value as well, and drops the key; no writer makes one.
        if kind not in DICTS or len(self._open[-1].items) % 2:
            raise MarshalError(start, f"NULL object in marshal data for {kind}")
        return self._close()

    def _complete(self) -> Value | _Partial:
        """Continue after the last announced part of the innermost open object.

        Code objects announce their parts in two batches, dicts in any number of batches.
        """
        opened = self._open[-1]
        if opened.kind == "tuple":
            return self._close()
        layout = self._layout
        if opened.kind in DICTS:
            self._announce(_DICT_BATCH, opened.start)
            opened.missing = _DICT_BATCH
            return _PARTIAL
        if (
            opened.kind == "code"
            and len(opened.items) == len(layout.objects)
            and layout.fields_after_firstlineno
        ):
            (opened.integers["firstlineno"],) = self._integers(1)
            opened.missing = len(layout.fields_after_firstlineno)
            self._announce(opened.missing, opened.start)
            return _PARTIAL
        return self._close()

    def _close(self) -> Value:
        """Build the innermost open object, which is complete."""
        opened = self._open.pop()
        value = self._build(opened)
        weight = opened.weight + len(opened.items)
        if opened.number is not None:
            self._references.set(opened.number, value, weight)
        self._check_expansion(weight)
        return value

    def _check_expansion(self, weight: int) -> None:
        """Add the number of objects in a part to the innermost open object."""
        if self._open:
            self._open[-1].weight += weight
            if self._open[-1].weight > MAX_EXPANDED_OBJECTS:
                raise MarshalError(
                    self.offset, f"references make {MAX_EXPANDED_OBJECTS} objects and more"
                )

    def _build(self, opened: _Frame) -> Value:
        if opened.kind == "tuple":
            return tuple(opened.items)
        if opened.kind != "code":
            return Container(opened.kind, tuple(opened.items))
        layout = self._layout
        objects = dict(
            zip((*layout.objects, *layout.fields_after_firstlineno), opened.items, strict=True)
        )
        try:
            return self._builder.build(opened.integers, objects)
        except ValueError as error:
            raise MarshalError(opened.start, f"bad code object ({error})") from None


class RefTable:
    """The objects with FLAG_REF, numbered in the order in which they begin."""

    def __init__(self) -> None:
        self._values: list[Value | _Reserved] = []
        #: The number of objects in each object that has parts, by its number.
        self.weights: dict[int, int] = {}

    def add(self, value: Value) -> None:
        """Give the next number to an object without parts."""
        self._values.append(value)

    def reserve(self, kind: str) -> int:
        """Reserve the next number for an object that is not complete, and return it."""
        self._values.append(_Reserved(kind))
        return len(self._values) - 1

    def set(self, number: int, value: Value, weight: int) -> None:
        """Assign the complete object, which contains `weight` others, to its reserved number."""
        self._values[number] = value
        if weight:
            self.weights[number] = weight

    def resolve(self, number: int, offset: int) -> Value:
        """Return the object with this number. Raises `MarshalError` with `offset` for other numbers."""
        if not 0 <= number < len(self._values):
            raise MarshalError(offset, "bad marshal data (invalid reference)")
        value = self._values[number]
        # CPython makes lists and dicts of this, and crashes over tuples before 3.16 (gh-148653).
        # No compiler writes any.
        if isinstance(value, _Reserved):
            raise MarshalError(offset, f"reference to the {value.kind} that it stands in")
        return value


class _Reserved:
    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


class _RecordedReferences(RefTable):
    """Also keeps where the types with FLAG_REF are, and where references lead to which of them."""

    def __init__(self, reader: _Reader) -> None:
        super().__init__()
        self._reader = reader
        #: By number: the offset of the type.
        self.offsets: list[int] = []
        #: Offset of a reference, and the number that it has.
        self.uses: list[tuple[int, int]] = []

    def add(self, value: Value) -> None:
        """Give the next number to an object without parts."""
        self.offsets.append(self._reader.type_offset)
        super().add(value)

    def reserve(self, kind: str) -> int:
        """Give the next number to an object whose parts are still to come."""
        self.offsets.append(self._reader.type_offset)
        return super().reserve(kind)

    def resolve(self, number: int, offset: int) -> Value:
        """Give the object of `number`. Raises `MarshalError`, at `offset`."""
        self.uses.append((offset, number))
        return super().resolve(number, offset)
