"""Write inert trees of code as a forger would: any field, any value, no references."""

from __future__ import annotations

import struct
from typing import cast

from pycache_guard.bytecode.code_object import Code, Container, HugeInt, Long, MarshalFormat, Value

_SINGLETONS = {None: b"N", True: b"T", False: b"F", ...: b".", StopIteration: b"S"}
_KINDS = {"list": b"[", "set": b"<", "frozenset": b">"}


def dump_marshal(value: Value, dialect: MarshalFormat) -> bytes:
    """Return a value as marshal of the dialect's time would read it."""
    if isinstance(value, Code):
        return _code(value, dialect)
    if isinstance(value, Container):
        if value.kind == "slice":
            return b":" + b"".join(dump_marshal(item, dialect) for item in value.items[:3])
        return _KINDS[value.kind] + _items(value.items, dialect)
    if isinstance(value, tuple):
        items = cast("tuple[Value, ...]", value)
        if dialect.has_flag_ref and len(items) < 256:
            return (
                b")" + bytes([len(items)]) + b"".join(dump_marshal(item, dialect) for item in items)
            )
        return b"(" + _items(items, dialect)
    assert not isinstance(value, HugeInt)
    if isinstance(value, bool) or value in (None, ..., StopIteration):
        return _SINGLETONS[value]
    if isinstance(value, str) and dialect.has_flag_ref and value.isascii():
        return b"a" + struct.pack("<i", len(value)) + value.encode("ascii")
    return _leaf(value)


def _leaf(value: Value) -> bytes:
    if isinstance(value, int) and not isinstance(value, Long) and -(2**31) <= value < 2**31:
        return b"i" + struct.pack("<i", value)
    if type(value) is int and -(2**63) <= value < 2**63:
        return b"I" + struct.pack("<q", value)
    if isinstance(value, int):
        digits = []
        rest = abs(value)
        while rest:
            digits.append(rest & 0x7FFF)
            rest >>= 15
        count = -len(digits) if value < 0 else len(digits)
        return b"l" + struct.pack(f"<i{len(digits)}H", count, *digits)
    if isinstance(value, float):
        return b"g" + struct.pack("<d", value)
    if isinstance(value, complex):
        return b"y" + struct.pack("<dd", value.real, value.imag)
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        return b"u" + struct.pack("<i", len(data)) + data
    assert isinstance(value, bytes)
    return b"s" + struct.pack("<i", len(value)) + value


def _items(items: tuple[Value, ...], dialect: MarshalFormat) -> bytes:
    return struct.pack("<i", len(items)) + b"".join(dump_marshal(item, dialect) for item in items)


def _code(code: Code, dialect: MarshalFormat) -> bytes:
    layout, fields = dialect.layout, code.fields
    parts = [b"c", *(_integer(fields[name]) for name in layout.integers)]
    for name in (*layout.objects, "firstlineno", *layout.fields_after_firstlineno):
        value = fields[name]
        texts = ("names", "varnames", "freevars", "cellvars", "filename", "name")
        if name == "firstlineno":
            parts.append(_integer(value))
        elif dialect.str_is_bytes and name in texts:
            parts.append(dump_marshal(_encoded(value), dialect))
        else:
            parts.append(dump_marshal(value, dialect))
    return b"".join(parts)


def _integer(value: Value) -> bytes:
    assert isinstance(value, int)
    return struct.pack("<i", value)


def _encoded(value: Value) -> Value:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    assert isinstance(value, tuple)
    return tuple([_encoded(item) for item in cast("tuple[Value, ...]", value)])
