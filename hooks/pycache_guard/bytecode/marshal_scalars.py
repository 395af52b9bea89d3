"""Read marshalled numbers and texts: the objects without parts, which `unmarshal` puts together.

Error messages are those of CPython (`Python/marshal.c`, `r_object`). It is a module of its own because
together with `unmarshal` it would be too long.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

from pycache_guard.bytecode.code_object import HugeInt, Long, Value

if TYPE_CHECKING:
    from collections.abc import Callable

#: Integers with more digits of 15 bits than this are not converted: see `HugeInt`.
MAX_INT_DIGITS = 10_000
#: The number of bytes of digits that are read in one step.
_CHUNK_BYTES = 1 << 20
_ASCII = bytes(range(0x80))

_INT32 = struct.Struct("<i")
_INT64 = struct.Struct("<q")
_DOUBLE = struct.Struct("<d")


class MarshalError(ValueError):
    """Marshalled data that no interpreter writes, or that interpreters refuse to read."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"{reason} at offset {offset}")
        #: The offset in the file at which the faulty object or length starts.
        self.offset = offset
        self.reason = reason


class ScalarReader:
    """Reads numbers and texts one after the other, from an offset in marshalled data."""

    def __init__(self, data: bytes, offset: int, *, texts_are_bytes: bool) -> None:
        self.data = data
        self.offset = offset
        self._texts_are_bytes = texts_are_bytes
        #: The interned strings of Python 2, to which the type `R` refers by number.
        self._interned: list[bytes] = []

    def byte(self) -> int:
        """Read a byte."""
        try:
            byte = self.data[self.offset]
        except IndexError:
            raise self._too_short() from None
        self.offset += 1
        return byte

    def int32(self) -> int:
        """Read a signed long."""
        try:
            (number,) = _INT32.unpack_from(self.data, self.offset)
        except struct.error:
            raise self._too_short() from None
        self.offset += 4
        return cast("int", number)

    def read_length(self, kind: str) -> int:
        """Read the 4-byte length of a `kind`. Each of its parts takes at least one byte."""
        start = self.offset
        count = self.int32()
        if count < 0:
            raise MarshalError(start, f"bad marshal data ({kind} size out of range)")
        return self._check_length(count)

    def short_count(self) -> int:
        """Read a length of a single byte."""
        return self._check_length(self.byte())

    def _check_length(self, count: int) -> int:
        if count > len(self.data) - self.offset:
            raise self._too_short()
        return count

    def _too_short(self) -> MarshalError:
        return MarshalError(self.offset, "marshal data too short")

    def _take(self, count: int) -> bytes:
        """Read `count` bytes, which are there."""
        start = self.offset
        self.offset = start + count
        return self.data[start : self.offset]

    def _number(self, layout: struct.Struct) -> int | float:
        try:
            number: int | float = layout.unpack_from(self.data, self.offset)[0]
        except struct.error:
            raise self._too_short() from None
        self.offset += layout.size
        return number

    def _int64(self) -> int:
        start = self.offset
        number = cast("int", self._number(_INT64))
        # Writers use it only for numbers that do not fit in 32 bits. If `long` has 32 bits, Python 2
        # reads another type.
        if -(2**31) <= number < 2**31:
            raise MarshalError(start, "64 bits for a number of 32")
        return number

    def _long(self) -> int | HugeInt:
        """Read an integer of any size: a count with the sign of the number, then digits of 15 bits."""
        start = self.offset
        count = self.int32()
        size = 2 * abs(count)
        if (
            self._check_length(size)
            and self.data[self.offset + size - 2 : self.offset + size] == b"\0\0"
        ):
            raise MarshalError(start, "bad marshal data (unnormalized long data)")
        digits = memoryview(self.data)[self.offset : self.offset + size]
        for place in range(0, size, _CHUNK_BYTES):
            # The high bytes of the digits, without those below 0x80.
            high = bytes(digits[place : place + _CHUNK_BYTES][1::2])
            if high.translate(None, _ASCII):
                raise MarshalError(start, "bad marshal data (digit out of range in long)")
        self.offset += size
        if size > 2 * MAX_INT_DIGITS:
            return HugeInt(digits, is_negative=count < 0)
        value = join_digits(digits, is_negative=count < 0)
        return Long(value) if self._texts_are_bytes else value

    def _float(self) -> float:
        return self._number(_DOUBLE)

    def _complex(self) -> complex:
        real = self._float()
        return complex(real, self._float())

    def _text_float(self) -> float:
        start = self.offset
        text = self._take(self.short_count())
        try:
            # `float` allows blanks and underscores, `r_float_str` does not.
            if text.strip() == text and b"_" not in text:
                return float(text)
        except ValueError:
            pass
        raise MarshalError(start, "bad marshal data (not a float)")

    def _text_complex(self) -> complex:
        real = self._text_float()
        return complex(real, self._text_float())

    def _bytes(self) -> bytes:
        return self._take(self.read_length("bytes object"))

    def _text(self) -> str:
        start = self.offset
        try:
            return self._take(self.read_length("string")).decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise MarshalError(start, "bad marshal data (not UTF-8)") from None

    def _ascii(self) -> str:
        return self._decode_ascii(self.offset, self.read_length("string"))

    def _short_ascii(self) -> str:
        return self._decode_ascii(self.offset, self.short_count())

    def _decode_ascii(self, start: int, count: int) -> str:
        # CPython trusts the writer that these are ASCII, and reads Latin-1; PyPy reads UTF-8.
        try:
            return self._take(count).decode("ascii")
        except UnicodeDecodeError:
            raise MarshalError(start, "bad marshal data (not ASCII)") from None

    def _interned_text(self) -> Value:
        if not self._texts_are_bytes:
            return self._text()
        text = self._bytes()
        self._interned.append(text)
        return text

    def _interned_reference(self) -> bytes:
        start = self.offset
        index = self.int32()
        if not 0 <= index < len(self._interned):
            raise MarshalError(start, "bad marshal data (string ref out of range)")
        return self._interned[index]


def join_digits(digits: bytes | memoryview, *, is_negative: bool) -> int:
    """Return the number with these digits of 15 bits, two bytes each, the least significant first."""
    numbers = struct.unpack(f"<{len(digits) // 2}H", digits)
    # Linear, where shifting digit by digit would be quadratic.
    value = int("".join([f"{digit:015b}" for digit in reversed(numbers)]) or "0", 2)
    return -value if is_negative else value


#: Type code → reader of its payload.
SCALAR_READERS: dict[int, Callable[[ScalarReader], Value]] = {
    ord("i"): ScalarReader.int32,
    ord("I"): ScalarReader._int64,
    ord("l"): ScalarReader._long,
    ord("f"): ScalarReader._text_float,
    ord("x"): ScalarReader._text_complex,
    ord("g"): ScalarReader._float,
    ord("y"): ScalarReader._complex,
    ord("s"): ScalarReader._bytes,
    ord("u"): ScalarReader._text,
    ord("t"): ScalarReader._interned_text,
    ord("R"): ScalarReader._interned_reference,
    ord("a"): ScalarReader._ascii,
    ord("A"): ScalarReader._ascii,
    ord("z"): ScalarReader._short_ascii,
    ord("Z"): ScalarReader._short_ascii,
}

#: The flag in a type code that lets `REFERENCE` refer to the object.
FLAG_REF = 0x80
NULL = ord("0")
REFERENCE = ord("r")
SMALL_TUPLE = ord(")")
SINGLETONS: dict[int, Value] = {
    ord("N"): None,
    ord("F"): False,
    ord("T"): True,
    ord("S"): StopIteration,
    ord("."): ...,
}
KINDS = {
    ord("("): "tuple",
    ord(")"): "tuple",
    ord("["): "list",
    ord("<"): "set",
    ord(">"): "frozenset",
    ord("{"): "dict",
    ord("}"): "frozendict",
    ord(":"): "slice",
    ord("c"): "code",
}
#: What a NULL ends.
DICTS = ("dict", "frozendict")
