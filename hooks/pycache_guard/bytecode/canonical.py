"""Numbers for values, such that two values are the same just when their numbers are.

The same means: of one type, floats and complex by their bits, sets in any order.
"""

from __future__ import annotations

import struct
from typing import cast

from pycache_guard.bytecode.code_tree import Code
from pycache_guard.bytecode.code_tree import Collection
from pycache_guard.bytecode.code_tree import HugeInt
from pycache_guard.bytecode.code_tree import Value


class Numbers:
    """Gives the same values the same number."""

    def __init__(self) -> None:
        #: A value's own description → its number. Descriptions are bytes, whose hashes nobody can
        #: foresee: ints made to collide would take quadratic time.
        self._known: dict[bytes, int] = {}
        #: By identity, as values may share parts without bound. All values outlive this.
        self._numbered: dict[int, int] = {}

    def of(self, value: Value) -> int:
        """Give `value` its number, after its parts, without recursion."""
        pending = [value]
        while pending:
            top = pending[-1]
            parts = _parts(top)
            missing = [part for part in parts if id(part) not in self._numbered]
            if missing:
                pending.extend(missing)
                continue
            pending.pop()
            if id(top) not in self._numbered:
                description = _describe(top, [self._numbered[id(part)] for part in parts])
                self._numbered[id(top)] = self._known.setdefault(description, len(self._known))
        return self._numbered[id(value)]


def is_set(value: Value) -> bool:
    """Whether the order of `value`'s items means nothing."""
    return isinstance(value, Collection) and value.kind in ("set", "frozenset")


def _parts(value: Value) -> tuple[Value, ...]:
    if isinstance(value, Code):
        return tuple(value.fields.values())
    if isinstance(value, Collection):
        return value.items
    return cast("tuple[Value, ...]", value) if isinstance(value, tuple) else ()


def _describe(value: Value, parts: list[int]) -> bytes:
    if isinstance(value, tuple):
        kind = value.kind if isinstance(value, Collection) else type(value).__name__
        ordered = sorted(parts) if is_set(value) else parts
        return kind.encode() + b"\0" + struct.pack(f"<{len(ordered)}I", *ordered)
    return type(value).__name__.encode() + b"\0" + _payload(value)


def _payload(value: Value) -> bytes:
    """Describe a value without parts among those of its type."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    if isinstance(value, HugeInt):
        return bytes([value.is_negative]) + value.digits
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, complex):
        return struct.pack("<dd", value.real, value.imag)
    # None, Ellipsis and StopIteration are alone of their type.
    return b""
