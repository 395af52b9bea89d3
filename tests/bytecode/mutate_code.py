"""Every single edit of a tree of code: each field, each type of constant."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

from pycache_guard.bytecode.code_object import Code, Container, Long, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Patch levels differ in it, so that it is counted apart.
_APART = ("linetable",)
_NEAR: tuple[Value, ...] = (None, ..., 0, 1, True, 1.0, 1j, "", "1", b"", b"1", ())


def mutate(code: Code, stride: int = 1) -> Iterator[tuple[str, Code]]:
    """Yield what differs in one place, with the field; of long bytes every `stride`th only."""
    for field, value in code.fields.items():
        if field in _APART:
            continue
        for other in mutate_value(value, stride, is_field=True):
            yield field, Code({**code.fields, field: other})


def mutate_value(value: Value, stride: int, *, is_field: bool = False) -> Iterator[Value]:
    """Yield other values, as near as they come: by one bit, one item, or of another type.

    A field keeps its type: all else is malformed.
    """
    if not is_field:
        yield from (near for near in _NEAR if (type(near), near) != (type(value), value))
        yield (value,)
    if isinstance(value, Code):
        for _, edited in mutate(value, stride):
            yield edited
    elif isinstance(value, Container) and value.kind == "slice":
        yield from (
            value._replace(items=(*value.items[:n], "more", *value.items[n + 1 :]))
            for n in range(3)
        )
    elif isinstance(value, Container):
        yield from (value._replace(items=items) for items in tuples(value.items, stride))
    elif isinstance(value, tuple):
        yield from tuples(cast("tuple[Value, ...]", value), stride)
    elif isinstance(value, bytes):
        for n in range(0, len(value), stride):
            yield value[:n] + bytes([value[n] ^ 1 << n % 8]) + value[n + 1 :]
        yield from (value + b"\0", value[:-1] if value else b"\1")
    elif isinstance(value, str):
        yield from (value + "_", value[:-1] if value else "_")
    else:
        yield from numbers(value)


def tuples(items: tuple[Value, ...], stride: int) -> Iterator[tuple[Value, ...]]:
    """Yield a tuple with one item edited, dropped, or added."""
    is_names = bool(items) and all(type(item) is str for item in items)
    for n, item in enumerate(items):
        for other in mutate_value(item, stride, is_field=is_names):
            yield (*items[:n], other, *items[n + 1 :])
        yield (*items[:n], *items[n + 1 :])
    yield (*items, "more")


def numbers(value: Value) -> Iterator[Value]:
    """Yield other numbers: for floats, by their sign and by their last bit."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, Long):
        yield from (Long(value + 1), int(value))
    elif isinstance(value, int):
        yield from (value + 1, value ^ 1 << 20)
    elif isinstance(value, float):
        yield from flip_bits(value)
    elif isinstance(value, complex):
        yield from (complex(real, value.imag) for real in flip_bits(value.real))
        yield from (complex(value.real, imag) for imag in flip_bits(value.imag))


def flip_bits(value: float) -> Iterator[float]:
    """Yield the floats that differ in sign or in the last bit."""
    (bits,) = struct.unpack("<Q", struct.pack("<d", value))
    for other in (bits ^ 1, bits ^ 1 << 63):
        yield struct.unpack("<d", struct.pack("<Q", other))[0]
